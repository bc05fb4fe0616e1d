#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bridge/bridge.h"
#include "cni/check.h"
#include "cni/iface.h"
#include "os/address.h"
#include "os/neigh.h"

/* ---- Choosing ---- */

static struct addr first_of_subnet(const struct prefix *p)
{
	struct addr a = prefix_network(p).addr;

	addr_next(&a);
	return a;
}

static bool has_default_route(const struct result *r, int family)
{
	for_list (const struct ip_route, route, &r->routes)
		if (route->dst.addr.family == family && prefix_is_default(&route->dst) && addr_is_set(&route->gateway))
			return true;
	return false;
}

static int default_route_add(struct cni_call *c, const struct addr *gateway)
{
	struct ip_route *route = result_add_route(&c->result, &c->arena);

	if (!route)
		return err_nomem(&c->err, "result");
	route->dst.addr.family = gateway->family;
	route->gateway = *gateway;
	return 0;
}

/* A default route of the address plugin that names no gateway would go by the very same one. */
static void default_route_make_room(struct result *r, int family)
{
	struct ip_route *routes = r->routes.items;
	size_t kept = 0;

	for (size_t i = 0; i < r->routes.count; i++)
		if (routes[i].dst.addr.family != family || !prefix_is_default(&routes[i].dst) || addr_is_set(&routes[i].gateway))
			routes[kept++] = routes[i];
	r->routes.count = kept;
}

int gateways_choose(struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;

	for_list (struct ip_conf, ip, &c->result.ips) {
		int family = ip->address.addr.family, r;

		if (!addr_is_set(&ip->gateway) && conf->is_gateway)
			ip->gateway = first_of_subnet(&ip->address);
		if (!conf->is_default_gateway || has_default_route(&c->result, family))
			continue;
		default_route_make_room(&c->result, family);
		if ((r = default_route_add(c, &ip->gateway)) < 0)
			return r;
	}
	return 0;
}

/* ---- The bridge's addresses ---- */

struct present {
	const struct prefix *wanted;
	bool                 there;
	struct list          conflicts;         /* of struct prefix */
	struct arena        *arena;
};

/* The bridge may have one IPv4 address, and IPv6 addresses of subnets that do not overlap (link-local ones besides). */
static int compare(const struct prefix *p, void *arg)
{
	struct present *s = arg;
	struct prefix *kept;

	if (prefix_equal(p, s->wanted)) {
		s->there = true;
		return 1;
	}
	if (p->addr.family == AF_INET || prefix_contains(p, &s->wanted->addr) || prefix_contains(s->wanted, &p->addr)) {
		kept = arena_push(s->arena, &s->conflicts.items, &s->conflicts.count, sizeof *kept);
		if (!kept)
			return -ENOMEM;
		*kept = *p;
	}
	return 0;
}

static int refuse_other_address(struct cni_call *c, const struct link *on, const struct prefix *has, const struct prefix *wanted)
{
	char a[PREFIX_TEXT], b[PREFIX_TEXT];

	err_set(&c->err, CNI_FAILED, -EADDRINUSE, "\"%s\" already has an IP address different from %s", on->name, prefix_text(wanted, b));
	err_detail(&c->err, "it has %s; give the network another bridge or this gateway, or set \"forceAddress\": true to replace the address",
	           prefix_text(has, a));
	return -EADDRINUSE;
}

static int gateway_ensure(struct cni_call *c, const struct link *on, const struct prefix *wanted)
{
	const struct bridge_conf *conf = c->conf;
	struct present s = { .wanted = wanted, .arena = &c->arena };
	int r = address_each(&c->host, on->index, wanted->addr.family, compare, &s, &c->err);

	if (r < 0 || s.there)
		return r < 0 ? r : 0;
	for_list (const struct prefix, other, &s.conflicts) {
		if (!conf->force_address)
			return refuse_other_address(c, on, other, wanted);
		if ((r = address_del(&c->host, on->index, other, &c->err)) < 0)
			return r;
	}
	r = address_add(&c->host, on->index, on->name, wanted, 0, &c->err);
	return r == -EEXIST ? 0 : r;    /* another ADD was first */
}

int gateways_apply(struct cni_call *c, struct bridge_links *l)
{
	const struct bridge_conf *conf = c->conf;
	const struct link *on = &l->bridge;
	int r = 0;

	if (conf->is_gateway && conf->vlan) {
		r = vlan_gateway_ensure(c, l);
		on = &l->vlan_gateway;
	}
	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct prefix gateway = { ip->gateway, ip->address.len };

		if (r == 0 && conf->is_gateway && addr_is_set(&ip->gateway))    /* chained, there may be addresses without */
			r = gateway_ensure(c, on, &gateway);
		if (l->pod.index)
			neigh_correct(&c->host, on->index, &ip->address.addr, &l->pod.mac);
	}
	return r == 0 && conf->is_gateway ? forwarding_enable(c) : r;
}

/* Whose gateways were applied: chained, of all addresses; else of the container's interface. */
static bool is_ours(const struct cni_call *c, const struct ip_conf *ip)
{
	return addr_is_set(&ip->gateway) && (bridge_chained(c) || result_ip_is_of(&c->prev, ip, c->who.ifname));
}

int gateways_check(struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;
	char name[IFNAME_SIZE + 8], text[PREFIX_TEXT];
	struct link on;
	int r;

	if (!conf->is_gateway)
		return 0;
	snprintf(name, sizeof name, conf->vlan ? "%s.%u" : "%s", conf->bridge, conf->vlan);
	if ((r = check_forwarding(c)) < 0 || (r = call_host(c)) < 0)
		return r;
	r = link_by_name(&c->host, name, &on, &c->err);
	if (r < 0)
		return r == -ENODEV ? check_differs(c, "%s, which has the gateway's address, is not there", name) : r;
	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct prefix gateway = { ip->gateway, ip->address.len };

		if (!is_ours(c, ip))
			continue;
		r = address_has(&c->host, on.index, &gateway, &c->err);
		if (r == 0)
			return check_differs(c, "%s has lost the gateway's address %s", name, prefix_text(&gateway, text));
		if (r < 0)
			return r;
	}
	return 0;
}
