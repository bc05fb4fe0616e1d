/* plumb del: detaches a namespace from a network. */
#include <errno.h>

#include "attachment.h"
#include "lock.h"

/* Plugins remove the interface of the name that they are given, whosever it is. */
static int refuse_others(struct call *c, const struct endpoint *e)
{
	struct cached other;
	int r = attachment_holder(c, c->subject, e, &other);

	if (r <= 0)
		return r;
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "%s in %s belongs to container %s of network %s", e->ifname, e->netns,
	            other.endpoint.container, other.network);
	err_detail(&c->trouble.err, "plumb del --id %s --ifname %s %s %s detaches that one; nothing was changed", other.endpoint.container,
	           other.endpoint.ifname, other.network, other.endpoint.netns);
	return -EEXIST;
}

int del_run(struct call *c)
{
	struct endpoint e;
	int r;

	if ((r = endpoint_read(c, c->opt.operands[1], &e)) < 0 || (r = lock_container(c, e.container)) < 0 || (r = refuse_others(c, &e)) < 0)
		return r;
	r = attachment_del(c, c->subject, NULL, &e, false);
	return r < 0 ? r : EXIT_DONE;
}
