#include "netmake.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "plumb.h"

enum { IPV6_MTU_MIN = 1280 };     /* RFC 8200, section 5 */

static int refuse(struct call *c, const char *fmt, const char *what)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, fmt, what);
}

/* ---- --subnet, --gateway, --ip-range ---- */

static struct subnet *subnet_of(const struct plan *p, const struct addr *a)
{
	for_list (struct subnet, s, &p->subnets)
		if (prefix_contains(&s->net, a))
			return s;
	return NULL;
}

static struct subnet *subnet_of_family(const struct plan *p, int family)
{
	for_list (struct subnet, s, &p->subnets)
		if (s->net.addr.family == family)
			return s;
	return NULL;
}

int plan_subnet_add(struct call *c, struct plan *p, const struct prefix *net)
{
	struct subnet *s = arena_push(&c->arena, &p->subnets.items, &p->subnets.count, sizeof *s);

	if (!s)
		return err_nomem(&c->trouble.err, "subnets");
	s->net = *net;
	return 0;
}

/* Room for a gateway and a container besides the network's and the broadcast address. */
static int check_subnet(struct call *c, const struct plan *p, const struct prefix *net)
{
	char text[PREFIX_TEXT];

	if (net->len > addr_size(net->addr.family) * 8 - 2)
		return refuse(c, "--subnet %s: too small: want a prefix of at most /30, or /126", prefix_text(net, text));
	if (addr_is_loopback(&net->addr) || (net->addr.family == AF_INET && net->addr.bytes[0] >= 224) || net->addr.bytes[0] == 0xff)
		return refuse(c, "--subnet %s: want a subnet of ordinary addresses", prefix_text(net, text));
	if (subnet_of_family(p, net->addr.family))
		return refuse(c, "--subnet %s: a second one of its family; want one of each", prefix_text(net, text));
	return 0;
}

static int take_subnets(struct call *c, struct plan *p)
{
	int r = 0;

	for_list (const struct prefix, net, &c->opt.subnets)
		if (r == 0 && (r = check_subnet(c, p, net)) == 0)
			r = plan_subnet_add(c, p, net);
	p->wants_ipv4 = p->subnets.count == 0 || (c->opt.ipv6 && !subnet_of_family(p, AF_INET));
	p->wants_ipv6 = c->opt.ipv6 && !subnet_of_family(p, AF_INET6);
	return r;
}

/* The subnet's own address, and IPv4's broadcast address. */
static bool is_no_hosts(const struct prefix *net, const struct addr *a)
{
	struct addr last = addr_last(net);

	return addr_equal(a, &net->addr) || (a->family == AF_INET && addr_equal(a, &last));
}

/* Those of an --ip-range that are neither the subnet's own address nor its broadcast address. */
static void set_range(struct subnet *s, const struct prefix *range)
{
	struct addr broadcast = addr_last(&s->net);

	s->first = range->addr;
	s->last = addr_last(range);
	if (addr_equal(&s->first, &s->net.addr))
		addr_next(&s->first);
	if (s->net.addr.family == AF_INET && addr_equal(&s->last, &broadcast))
		for (size_t i = 3;; i--)
			if (s->last.bytes[i]-- != 0)
				break;
}

/* They need their subnet to be named, as the one that is picked is not known. */
static int take_parts(struct call *c, struct plan *p)
{
	char text[PREFIX_TEXT];

	for_list (const struct addr, gateway, &c->opt.gateways) {
		struct subnet *s = subnet_of(p, gateway);

		if (!s || is_no_hosts(&s->net, gateway))
			return refuse(c, "--gateway %s: no matching subnet; want an address in a --subnet", addr_text(gateway, text));
		if (addr_is_set(&s->gateway))
			return refuse(c, "--gateway %s: a second one in its subnet", addr_text(gateway, text));
		s->gateway = *gateway;
	}
	for_list (const struct prefix, range, &c->opt.ranges) {
		struct subnet *s = subnet_of(p, &range->addr);

		if (!s || range->len < s->net.len)
			return refuse(c, "--ip-range %s: no matching subnet; want a part of a --subnet", prefix_text(range, text));
		if (addr_is_set(&s->first))
			return refuse(c, "--ip-range %s: a second one in its subnet", prefix_text(range, text));
		set_range(s, range);
		if (addr_compare(&s->first, &s->last) > 0)
			return refuse(c, "--ip-range %s: no address of it is a container's", prefix_text(range, text));
	}
	return 0;
}

/* ---- The plan ---- */

static int read_driver(struct call *c, struct plan *p)
{
	static const char *const names[] = {
		[DRIVER_BRIDGE] = "bridge", [DRIVER_PTP] = "ptp", [DRIVER_MACVLAN] = "macvlan", [DRIVER_IPVLAN] = "ipvlan", [DRIVER_HOST] = "host",
		[DRIVER_NONE] = "none",
	};
	const char *wanted = c->opt.driver ? c->opt.driver : "bridge";

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(names[i], wanted)) {
			p->driver = (enum driver)i;
			p->driver_name = names[i];
			return 0;
		}
	return refuse(c, "--driver %s: want bridge, ptp, macvlan, ipvlan, host or none", wanted);
}

static int check_driver(struct call *c, const struct plan *p)
{
	const struct options *o = &c->opt;
	bool addressless = p->driver == DRIVER_HOST || p->driver == DRIVER_NONE, on_lan = p->driver == DRIVER_MACVLAN || p->driver == DRIVER_IPVLAN;

	if (addressless && (o->subnets.count || o->gateways.count || o->ranges.count || o->ipv6 || o->internal || o->isolate || o->mtu ||
	                    o->dns.count))
		return refuse(c, "--driver %s has no addresses, and none of their options", p->driver_name);
	if (on_lan && !o->subnets.count && !p->pools.count) {
		refuse(c, "--driver %s: want --subnet, that of the LAN, and --gateway, its router", p->driver_name);
		err_detail(&c->trouble.err, "with --ip-range, the part of it that nobody else gives addresses from");
		return -EINVAL;
	}
	if (on_lan && o->isolate)
		return refuse(c, "--driver %s: nothing of this host is between its containers: --isolate is for bridge and ptp", p->driver_name);
	if (p->driver != DRIVER_BRIDGE && o->dns.count)
		return refuse(c, "--driver %s: --dns is bridge's", p->driver_name);
	return 0;
}

int plan_read(struct call *c, struct plan *out)
{
	const struct options *o = &c->opt;
	int r;

	*out = (struct plan){ .name = c->subject, .masquerade = true, .hairpin = true, .icc = true };
	if ((r = read_driver(c, out)) < 0)
		return r;
	out->internal = o->internal;
	for_list (const struct pair, opt, &o->opts)
		if ((r = plan_option(c, out, opt)) < 0)
			return r;
	if (o->mtu)
		out->mtu = o->mtu;
	out->isolate |= o->isolate;
	out->dns = out->driver == DRIVER_BRIDGE && !o->no_dns;
	if ((r = plan_mode_check(c, out)) < 0 || (r = check_driver(c, out)) < 0 || out->driver == DRIVER_HOST || out->driver == DRIVER_NONE)
		return r;
	if ((r = take_subnets(c, out)) < 0)
		return r;
	if (out->mtu && out->mtu < IPV6_MTU_MIN && (out->wants_ipv6 || subnet_of_family(out, AF_INET6)))
		return refuse(c, "--mtu %s: less than the 1280 that IPv6 needs", arena_printf(&c->arena, "%u", out->mtu));
	return take_parts(c, out);
}
