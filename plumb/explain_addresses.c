/* Addresses, routes, leases, and the settings that they need. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "explain.h"
#include "os/file.h"
#include "os/sysctl.h"
#include "plumb.h"

enum { LEASE_LIMIT = 4096 };

static bool is_on_link(const struct list *prefixes, const struct prefix *wanted)
{
	for_list (const struct prefix, p, prefixes)
		if (prefix_equal(p, wanted))
			return true;
	return false;
}

static void explain_address(struct explanation *x, const struct prefix *p)
{
	const char *ifname = x->a->record.endpoint.ifname;
	char text[PREFIX_TEXT];

	if (is_on_link(&x->a->addresses, p))
		explain_item(x, STANDS_WELL, "address", NULL, "%s", prefix_text(p, text));
	else
		explain_item(x, STANDS_ILL, "address",
			     arena_printf(&x->s->c->arena, "nsenter --net=%s ip address add %s dev %s, or %s", x->a->record.endpoint.netns,
					  prefix_text(p, text), ifname, explain_anew(x)),
			     "%s is not on %s any more", prefix_text(p, text), ifname);
}

static void explain_added(struct explanation *x)
{
	char text[PREFIX_TEXT];

	for_list (const struct prefix, p, &x->a->addresses) {
		bool made = false;

		for_list (const struct ip_conf, ip, &x->a->result.ips)
			made |= prefix_equal(&ip->address, p);
		if (!made)
			explain_item(x, IS_THERE, "address", NULL, "%s, which was added since", prefix_text(p, text));
	}
}

/* ---- Leases ---- */

static void explain_lease(struct explanation *x, const struct addr *a)
{
	const struct endpoint *e = &x->a->record.endpoint;
	char text[ADDR_TEXT];
	const char *path = arena_printf(&x->s->c->arena, "%s/%s", x->a->network->lease_dir, addr_text(a, text));
	const char *wanted = arena_printf(&x->s->c->arena, "%s\r\n%s", e->container, e->ifname);
	size_t len;
	char *holder = file_read(&x->s->c->arena, path, LEASE_LIMIT, &len);

	if (!holder) {
		explain_item(x, errno == ENOENT ? STANDS_ILL : STANDS_UNKNOWN, "lease", explain_anew(x), "%s: %s%s", path, strerror(errno),
		             errno == ENOENT ? "; another container may be given this address" : "");
		return;
	}
	text_trim(holder);
	if (!strcmp(holder, wanted) || !strcmp(holder, e->container))
		explain_item(x, STANDS_WELL, "lease", NULL, "%s", path);
	else
		explain_item(x, STANDS_ILL, "lease", explain_anew(x), "%s belongs to container %.*s", path, (int)strcspn(holder, "\r\n"), holder);
}

/* ---- Routes ---- */

struct routes {
	struct call *c;
	struct list  all;               /* of struct route */
	int          index;
};

static int note_route(const struct route *r, void *arg)
{
	struct routes *routes = arg;
	struct route *slot = r->index == routes->index && r->origin != RTPROT_KERNEL
				     ? arena_push(&routes->c->arena, &routes->all.items, &routes->all.count, sizeof *slot)
				     : NULL;

	if (slot)
		*slot = *r;
	return 0;
}

static int read_routes(struct netlink *pod, void *arg)
{
	struct err ignored = { 0 };
	int r = route_each(pod, AF_INET, note_route, arg, &ignored);

	return r < 0 ? r : route_each(pod, AF_INET6, note_route, arg, &ignored);
}

static const char *route_words(struct explanation *x, const struct prefix *dst, const struct addr *gateway)
{
	char to[PREFIX_TEXT], by[ADDR_TEXT];

	return arena_printf(&x->s->c->arena, "%s%s%s",
			    prefix_is_default(dst) ? (dst->addr.family == AF_INET6 ? "default (IPv6)" : "default") : prefix_text(dst, to),
			    addr_is_set(gateway) ? " by " : "", addr_is_set(gateway) ? addr_text(gateway, by) : "");
}

static void explain_routes(struct explanation *x)
{
	struct routes there = { .c = x->s->c, .index = x->a->pod.index };

	attachment_enter(x->a, read_routes, &there);
	for_list (const struct ip_route, wanted, &x->a->result.routes) {
		bool found = false;

		for_list (const struct route, r, &there.all)
			found |= prefix_equal(&r->dst, &wanted->dst);
		explain_item(x, found ? STANDS_WELL : STANDS_ILL, "route", explain_anew(x), "%s%s", route_words(x, &wanted->dst, &wanted->gateway),
			     found ? "" : " is gone");
	}
	for_list (const struct route, r, &there.all) {
		bool made = false;

		for_list (const struct ip_route, wanted, &x->a->result.routes)
			made |= prefix_equal(&r->dst, &wanted->dst);
		if (!made)
			explain_item(x, IS_THERE, "route", NULL, "%s", route_words(x, &r->dst, &r->gateway));
	}
}

/* ---- Settings ---- */

static void explain_forwarding(struct explanation *x, int family)
{
	const char *name = family == AF_INET ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
	bool on = family == AF_INET ? sysctl_number(0, "net/ipv4/ip_forward") : sysctl_number(0, "net/ipv6/conf/all/forwarding");

	if (!attachment_address(x->a, family))
		return;
	if (on)
		explain_item(x, STANDS_WELL, "setting", NULL, "%s is on", name);
	else
		explain_item(x, STANDS_ILL, "setting", arena_printf(&x->s->c->arena, "sysctl -w %s=1", name),
			     "%s is off: nothing goes from the network to other links", name);
}

void explain_addresses(struct explanation *x)
{
	for_list (const struct ip_conf, ip, &x->a->result.ips) {
		if (!result_ip_is_of(&x->a->result, ip, x->a->record.endpoint.ifname))
			continue;
		explain_address(x, &ip->address);
		if (x->a->network->lease_dir)
			explain_lease(x, &ip->address.addr);
	}
	explain_added(x);
	explain_routes(x);
	explain_forwarding(x, AF_INET);
	explain_forwarding(x, AF_INET6);
}
