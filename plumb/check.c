/* plumb check: asks the plugins whether an attachment is as they made it. */
#include "attachment.h"
#include "lock.h"

int check_run(struct call *c)
{
	struct endpoint e;
	int r;

	if ((r = endpoint_read(c, c->opt.operands[1], &e)) < 0 || (r = lock_container(c, e.container)) < 0)
		return r;
	r = attachment_check(c, c->subject, &e);
	return r < 0 ? r : EXIT_DONE;
}
