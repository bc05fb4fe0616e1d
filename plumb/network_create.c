/* plumb network create: makes a network, which is a configuration that every CNI runtime reads. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "confwrite.h"
#include "netmake.h"
#include "plumb.h"

static int compare_name(struct call *c, const struct network *n, void *name)
{
	(void)c;
	return !strcmp(n->name, name);
}

static int refuse_second(struct call *c, const char *name)
{
	int r = network_each(c, compare_name, (void *)name);

	if (r <= 0)
		return r;
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "network with name %s already exists", name);
	return -EEXIST;
}

/* What plumb itself could not read, nobody shall find. */
static int check(struct call *c, json_t *list, const char *path)
{
	struct network n;

	return network_read(c, call_keep(c, json_deep_copy(list)), path, &n, &c->trouble.err);
}

static int create(struct call *c, struct plan *plan)
{
	const char *path = confdir_path(c, plan->name);
	json_t *list;
	int r;

	if (!path)
		return err_nomem(&c->trouble.err, plan->name);
	if ((r = refuse_second(c, plan->name)) < 0 || (r = plan_settle(c, plan)) < 0)
		return r;
	list = plan_json(c, plan);
	if (!list || (r = check(c, list, path)) < 0)
		return list ? r : -EINVAL;
	if (c->opt.dry_run || c->opt.json)
		print_json(list);
	if (c->opt.dry_run)
		return 0;
	r = confdir_write(c, path, list);
	if (r == 0 && !c->opt.json)
		puts(plan->name);
	return r;
}

int network_create_run(struct call *c)
{
	struct plan plan;
	scoped(fd_close) int lock = -1;
	int r;

	if (!strcmp(c->subject, "host") || !strcmp(c->subject, "none"))
		return trouble_set(&c->trouble, EXIT_FAILED, -EEXIST,
		                   "\"%s\" is what plumb run calls a network of its own: choose another name", c->subject);
	if ((r = plan_read(c, &plan)) < 0)
		return r;
	if (!c->opt.dry_run && (lock = confdir_lock(c)) < 0)
		return lock;
	r = create(c, &plan);
	return r < 0 ? r : EXIT_DONE;
}
