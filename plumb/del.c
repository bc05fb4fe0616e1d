/* plumb del: detaches a namespace from a network. */
#include "attachment.h"
#include "lock.h"

int del_run(struct call *c)
{
	struct endpoint e;
	int r;

	if ((r = endpoint_read(c, c->opt.operands[1], &e)) < 0 || (r = lock_container(c, e.container)) < 0)
		return r;
	r = attachment_del(c, c->subject, NULL, &e, false);
	return r < 0 ? r : EXIT_DONE;
}
