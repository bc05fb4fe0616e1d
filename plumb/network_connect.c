/* plumb network connect, disconnect: a container, whoever runs it, joins a further network and leaves it. */
#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "lock.h"
#include "netinfo.h"
#include "plumb.h"
#include "runs.h"

static int refuse_second(struct call *c, const struct network *n, const struct endpoint *e)
{
	struct list attached;
	int r = attachments_of(c, n->name, &attached);

	for_list (const struct cached, a, &attached)
		if (r == 0 && !a->unfinished && !strcmp(a->endpoint.container, e->container) && !attachment_fault(c, &a->endpoint)) {
			trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container %s is connected to network %s already, as %s",
			            attached_name(a), n->name, a->endpoint.ifname);
			r = -EEXIST;
		}
	return r;
}

int network_connect_run(struct call *c)
{
	struct network n;
	struct endpoint e;
	json_t *result;
	int r;

	if ((r = network_named(c, c->opt.operands[0], &n)) < 0 || (r = container_find(c, c->opt.operands[1], &e)) < 0)
		return r;
	c->subject = n.name;
	if ((r = lock_container(c, e.container)) < 0 || (r = refuse_second(c, &n, &e)) < 0)
		return r;
	e.ifname = c->opt.ifname ? c->opt.ifname : container_free_ifname(c, &e);
	if (!e.ifname)
		return -EEXIST;
	if ((r = endpoint_wish(c, &n, &e)) < 0 || (r = attachment_add(c, &n, &e, &result)) < 0)
		return r;
	run_files_refresh(c, e.container);
	return EXIT_DONE;
}

/* ---- disconnect ---- */

static int not_connected(struct call *c, const char *network, const char *container)
{
	trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "container %s is not connected to network %s", container, network);
	err_detail(&c->trouble.err, "nothing of it is in %s/results", c->opt.cache_dir);
	return -ENOENT;
}

static int detach(struct call *c, const char *network, const struct cached *a)
{
	int r = lock_container(c, a->endpoint.container);

	if (r == 0)
		r = attachment_del(c, network, NULL, &a->endpoint, c->opt.force);
	lock_release(c);
	if (r == 0)
		run_files_refresh(c, a->endpoint.container);
	return r;
}

/* The network's configuration may be gone: records have their own. */
static int name_of_network(struct call *c, const char *text, const char **out)
{
	struct network n;
	struct list attached;
	int r = network_named(c, text, &n);

	*out = r == 0 ? n.name : text;
	if (r != -ENOENT || !name_valid(text) || attachments_of(c, text, &attached) < 0 || attached.count == 0)
		return r;
	c->trouble = (struct trouble){ 0 };
	return 0;
}

int network_disconnect_run(struct call *c)
{
	const char *network, *container = c->opt.operands[1];
	const struct cached *first = NULL;
	struct list attached;
	int r;

	if ((r = name_of_network(c, c->opt.operands[0], &network)) < 0 || (r = attachments_of(c, network, &attached)) < 0)
		return r;
	c->subject = network;
	for_list (const struct cached, a, &attached) {
		if (r < 0 || !attached_is(a, container))
			continue;
		if (first && !attached_same(first, a))
			return trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container \"%s\": several are meant: %s and %s", container,
			                   first->endpoint.container,
			                   a->endpoint.container);
		first = a;
	}
	if (!first)
		return not_connected(c, network, container);
	for_list (const struct cached, a, &attached)
		if (r == 0 && attached_same(first, a))
			r = detach(c, network, a);
	return r < 0 ? r : EXIT_DONE;
}
