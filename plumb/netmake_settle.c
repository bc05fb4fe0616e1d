/* Subnets and the bridge's name of a network that is made: those that were asked for, if nobody has them, or some that nobody has. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "netmake.h"
#include "os/link.h"
#include "plumb.h"
#include "subnets.h"

enum { BRIDGES_LIMIT = 65536 };

static int pick_subnet(struct call *c, struct plan *p, int family, const struct list *taken)
{
	struct list pools = p->pools;
	struct prefix net;
	int r = pools_read(c, &pools);

	if (r == 0)
		r = subnet_pick(c, family, &pools, taken, &net);
	return r < 0 ? r : plan_subnet_add(c, p, &net);
}

/* A LAN's subnet is the host's as well, and may be that of another macvlan network. */
static int refuse_overlap(struct call *c, const struct plan *p, const struct list *taken)
{
	char text[PREFIX_TEXT], other[PREFIX_TEXT];

	if (p->driver != DRIVER_BRIDGE && p->driver != DRIVER_PTP)
		return 0;
	for_list (const struct subnet, s, &p->subnets) {
		const struct taken *t = subnet_taken(taken, &s->net, false);

		if (!t)
			continue;
		trouble_set(&c->trouble, EXIT_FAILED, -EADDRINUSE, "subnet %s overlaps with %s of %s", prefix_text(&s->net, text),
		            prefix_text(&t->subnet, other), t->by);
		err_detail(&c->trouble.err, "choose another, or leave --subnet out to have one picked");
		return -EADDRINUSE;
	}
	return 0;
}

struct bridge_search {
	const char *wanted;
	const char *by;                 /* who has it */
};

static int names_bridge(struct call *c, const struct network *n, void *arg)
{
	struct bridge_search *s = arg;
	json_t *plugin;
	size_t i;

	(void)c;
	json_array_foreach(n->plugins, i, plugin) {
		const char *bridge = json_member_string(plugin, "bridge"), *master = json_member_string(plugin, "master");

		if ((bridge && !strcmp(bridge, s->wanted)) || (master && !strcmp(master, s->wanted))) {
			s->by = n->name;
			return 1;
		}
	}
	return 0;
}

/* 0: nobody has it; 1: another network; negative. */
static int bridge_is_named(struct call *c, const char *name, const char **by)
{
	struct bridge_search s = { .wanted = name };
	int r = network_each(c, names_bridge, &s);

	*by = s.by;
	return r;
}

/* A bridge that is there already may be meant; the plugin would refuse any other link. */
static int refuse_other_link(struct call *c, const char *name)
{
	struct err *e = &c->trouble.err;
	struct netlink nl;
	struct link l;
	int r = netlink_open(&nl, NETLINK_ROUTE, e);

	if (r == 0)
		r = link_by_name(&nl, name, &l, e);
	netlink_close(&nl);
	if (r < 0 || !strcmp(l.kind, "bridge"))
		return r == -ENODEV ? 0 : r;
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "bridge %s: a link of this name is there, and is no bridge", name);
	err_detail(e, "choose another name, or leave it out to have one picked");
	return -EEXIST;
}

static int refuse_bridge(struct call *c, const char *name)
{
	const char *by;
	int r = bridge_is_named(c, name, &by);

	if (r <= 0)
		return r < 0 ? r : refuse_other_link(c, name);
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "bridge %s is network %s's", name, by);
	err_detail(&c->trouble.err, "choose another name, or leave it out to have one picked");
	return -EEXIST;
}

struct names {
	struct call *c;
	struct list  bridges;           /* of const char *: what networks name and what links are called */
};

static int note_name(struct names *names, const char *name)
{
	const char **slot = arena_push(&names->c->arena, &names->bridges.items, &names->bridges.count, sizeof *slot);

	if (!slot || !(*slot = arena_strdup(&names->c->arena, name)))
		return err_nomem(&names->c->trouble.err, "names");
	return 0;
}

static int note_network(struct call *c, const struct network *n, void *names)
{
	json_t *plugin;
	size_t i;
	int r = 0;

	(void)c;
	json_array_foreach(n->plugins, i, plugin)
		if (r == 0 && json_member_string(plugin, "bridge"))
			r = note_name(names, json_member_string(plugin, "bridge"));
	return r;
}

static int note_link(const struct link *l, void *names)
{
	return note_name(names, l->name);
}

static bool is_noted(const struct names *names, const char *name)
{
	for_list (const char *, seen, &names->bridges)
		if (!strcmp(*seen, name))
			return true;
	return false;
}

static int pick_bridge(struct call *c, struct plan *p)
{
	struct names names = { .c = c };
	struct netlink nl;
	int r = netlink_open(&nl, NETLINK_ROUTE, &c->trouble.err);

	if (r == 0)
		r = link_each(&nl, note_link, &names, &c->trouble.err);
	netlink_close(&nl);
	if (r < 0 || (r = network_each(c, note_network, &names)) < 0)
		return r;
	for (unsigned i = 0; i < BRIDGES_LIMIT; i++) {
		p->bridge = arena_printf(&c->arena, "plumb%u", i);
		if (!p->bridge)
			return err_nomem(&c->trouble.err, "bridge");
		if (!is_noted(&names, p->bridge))
			return 0;
	}
	return trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "plumb0 to plumb%d are all taken", BRIDGES_LIMIT - 1);
}

int plan_settle(struct call *c, struct plan *p)
{
	struct list taken;
	int r = 0;

	if (p->driver == DRIVER_BRIDGE)
		r = p->bridge ? refuse_bridge(c, p->bridge) : pick_bridge(c, p);
	if (r < 0 || p->driver == DRIVER_HOST || p->driver == DRIVER_NONE)
		return r;
	if ((r = subnets_taken(c, &taken)) < 0 || (r = refuse_overlap(c, p, &taken)) < 0)
		return r;
	if (p->wants_ipv4)
		r = pick_subnet(c, p, AF_INET, &taken);
	if (r == 0 && p->wants_ipv6)
		r = pick_subnet(c, p, AF_INET6, &taken);
	return r;
}
