#include "netmake.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "cni/execute.h"
#include "cni/version.h"
#include "os/link.h"
#include "plumb.h"
#include "subnets.h"

#define DNS_DOMAIN "dns.plumb"

enum { BRIDGES_LIMIT = 65536, IPV6_MTU_MIN = 1280 };      /* RFC 8200, section 5 */

static int refuse(struct call *c, const char *fmt, const char *what)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, fmt, what);
}

/* ---- --opt ---- */

enum { BRIDGE = 1 << DRIVER_BRIDGE, PTP = 1 << DRIVER_PTP, MACVLAN = 1 << DRIVER_MACVLAN, IPVLAN = 1 << DRIVER_IPVLAN, ANY = 63, VETHS = BRIDGE | PTP,
       LINKS = VETHS | MACVLAN | IPVLAN };

struct option;
typedef int option_reader(struct call *c, const struct option *o, const char *value, void *slot);

struct option {
	const char    *key;
	unsigned       drivers;         /* 1 << enum driver */
	option_reader *read;
	size_t         offset;          /* into struct plan */
};

static int refuse_value(struct call *c, const struct option *o, const char *value, const char *want)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--opt %s=%s: want %s", o->key, value, want);
}

static int option_text(struct call *c, const struct option *o, const char *value, void *slot)
{
	(void)c, (void)o;
	*(const char **)slot = value;
	return 0;
}

static int option_bool(struct call *c, const struct option *o, const char *value, void *slot)
{
	bool yes = !strcasecmp(value, "true") || !strcmp(value, "1"), no = !strcasecmp(value, "false") || !strcmp(value, "0");

	*(bool *)slot = yes;
	return yes || no ? 0 : refuse_value(c, o, value, "true or false");
}

/* podman's isolate=strict is what "same-bridge" does already. */
static int option_isolate(struct call *c, const struct option *o, const char *value, void *slot)
{
	return option_bool(c, o, !strcmp(value, "strict") ? "true" : value, slot);
}

static int option_unpublished(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(bool *)slot = !strcmp(value, "accept");
	return !strcmp(value, "accept") || !strcmp(value, "drop") ? 0 : refuse_value(c, o, value, "accept or drop");
}

static int option_number(struct call *c, const struct option *o, const char *value, void *slot)
{
	bool vlan = !strcmp(o->key, "vlan");
	unsigned from = vlan ? 1 : 68, to = vlan ? 4094 : 65535, n = 0;
	char end;

	if (strspn(value, "0123456789") != strlen(value) || sscanf(value, "%5u%c", &n, &end) != 1 || n < from || n > to)
		return refuse_value(c, o, value, vlan ? "a number from 1 to 4094" : "a number from 68 to 65535");
	*(uint32_t *)slot = n;
	return 0;
}

static int option_ifname(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(const char **)slot = value;
	return ifname_fault(value) ? refuse_value(c, o, value, "an interface's name: 1 to 15 characters, no '/', ':' or white space") : 0;
}

static int option_version(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(const char **)slot = value;
	return version_known(value) ? 0 : refuse_value(c, o, value, "a version of the CNI specification, 0.1.0 to " CNI_NEWEST);
}

static int option_address(struct call *c, const struct option *o, const char *value, void *slot)
{
	struct addr a;

	*(const char **)slot = value;
	return addr_parse(value, &a) ? 0 : refuse_value(c, o, value, "an address of the host");
}

static int option_pool(struct call *c, const struct option *o, const char *value, void *slot)
{
	struct list *pools = slot;
	struct pool *p = arena_push(&c->arena, &pools->items, &pools->count, sizeof *p);

	if (!p)
		return err_nomem(&c->trouble.err, "pools");
	return pool_parse(value, p) ? 0 : refuse_value(c, o, value, "BASE,SIZE such as 10.200.0.0/16,24");
}

#define OPTION(name, drivers, reader, member) { name, drivers, reader, offsetof(struct plan, member) }

static const struct option options[] = {
	OPTION("cni-version", ANY, option_version, version),
	OPTION("pool", LINKS, option_pool, pools),
	OPTION("mtu", LINKS, option_number, mtu),
	OPTION("com.docker.network.driver.mtu", LINKS, option_number, mtu),
	OPTION("bridge", BRIDGE, option_ifname, bridge),
	OPTION("com.docker.network.bridge.name", BRIDGE, option_ifname, bridge),
	OPTION("vlan", BRIDGE, option_number, vlan),
	OPTION("hairpin", BRIDGE, option_bool, hairpin),
	OPTION("masquerade", VETHS, option_bool, masquerade),
	OPTION("com.docker.network.bridge.enable_ip_masquerade", VETHS, option_bool, masquerade),
	OPTION("icc", VETHS, option_bool, icc),
	OPTION("com.docker.network.bridge.enable_icc", VETHS, option_bool, icc),
	OPTION("isolate", VETHS, option_isolate, isolate),
	OPTION("unpublished-ports", VETHS, option_unpublished, open),
	OPTION("host-ip", VETHS, option_address, host_ip),
	OPTION("com.docker.network.bridge.host_binding_ipv4", VETHS, option_address, host_ip),
	OPTION("parent", MACVLAN | IPVLAN, option_ifname, parent),
	OPTION("mode", MACVLAN | IPVLAN, option_text, mode),
	OPTION("macvlan_mode", MACVLAN, option_text, mode),
	OPTION("ipvlan_mode", IPVLAN, option_text, mode),
};

static int read_option(struct call *c, struct plan *p, const struct pair *given)
{
	char known[256] = "";

	if (!given->value)
		return refuse(c, "--opt %s: want KEY=VALUE", given->key);
	for (const struct option *o = options; o < options + ARRAY_LEN(options); o++) {
		if (!(o->drivers & 1U << p->driver))
			continue;
		if (!strcmp(o->key, given->key))
			return o->read(c, o, given->value, (char *)p + o->offset);
		if (!strchr(o->key, '.'))
			snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", o->key);
	}
	if (!strncmp(given->key, "com.docker.", 11)) {
		fprintf(stderr, "plumb: network create: --opt %s has no counterpart here and is only noted\n", given->key);
		return 0;
	}
	refuse(c, "--opt %s: not an option of this driver", given->key);
	err_detail(&c->trouble.err, "%s has %s", p->driver_name, known);
	return -EINVAL;
}

static int check_mode(struct call *c, const struct plan *p)
{
	static const char *const macvlan[] = { "bridge", "private", "vepa", "passthru", NULL }, *const ipvlan[] = { "l2", "l3", "l3s", NULL };

	for (const char *const *mode = p->driver == DRIVER_MACVLAN ? macvlan : ipvlan; p->mode; mode++) {
		if (!*mode)
			return refuse(c, "--opt mode=%s: macvlan has bridge, private, vepa and passthru, ipvlan l2, l3 and l3s", p->mode);
		if (!strcmp(*mode, p->mode))
			break;
	}
	return 0;
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

static int add_subnet(struct call *c, struct plan *p, const struct prefix *net)
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
			r = add_subnet(c, p, net);
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

	*out = (struct plan){ .name = c->subject, .version = "1.0.0", .masquerade = true, .hairpin = true, .icc = true };
	if ((r = read_driver(c, out)) < 0)
		return r;
	out->internal = o->internal;
	for_list (const struct pair, opt, &o->opts)
		if ((r = read_option(c, out, opt)) < 0)
			return r;
	if (o->mtu)
		out->mtu = o->mtu;
	out->isolate |= o->isolate;
	out->dns = out->driver == DRIVER_BRIDGE && !o->no_dns;
	if ((r = check_mode(c, out)) < 0 || (r = check_driver(c, out)) < 0 || out->driver == DRIVER_HOST || out->driver == DRIVER_NONE)
		return r;
	if ((r = take_subnets(c, out)) < 0)
		return r;
	if (out->mtu && out->mtu < IPV6_MTU_MIN && (out->wants_ipv6 || subnet_of_family(out, AF_INET6)))
		return refuse(c, "--mtu %s: less than the 1280 that IPv6 needs", arena_printf(&c->arena, "%u", out->mtu));
	return take_parts(c, out);
}

/* ---- Settling ---- */

static int pick_subnet(struct call *c, struct plan *p, int family, const struct list *taken)
{
	struct list pools = p->pools;
	struct prefix net;
	int r = pools_read(c, &pools);

	if (r == 0)
		r = subnet_pick(c, family, &pools, taken, &net);
	return r < 0 ? r : add_subnet(c, p, &net);
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

/* ---- The configuration ---- */

static void put_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static void put_address(json_t *o, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		put_text(o, key, addr_text(a, text));
}

static json_t *subnet_json(const struct subnet *s)
{
	char text[PREFIX_TEXT];
	json_t *o = json_pack("{s:s}", "subnet", prefix_text(&s->net, text));

	put_address(o, "rangeStart", &s->first);
	put_address(o, "rangeEnd", &s->last);
	put_address(o, "gateway", &s->gateway);
	return o;
}

static struct addr first_address(const struct prefix *net)
{
	struct addr a = net->addr;

	addr_next(&a);
	return a;
}

static json_t *ipam_json(const struct plan *p)
{
	json_t *ranges = json_array(), *routes = json_array(), *ipam = json_pack("{s:s, s:o}", "type", "host-local", "ranges", ranges);

	for_list (const struct subnet, given, &p->subnets) {
		struct subnet s = *given;

		if (!addr_is_set(&s.gateway) && !p->internal)
			s.gateway = first_address(&s.net);
		json_array_append_new(ranges, json_pack("[o]", subnet_json(&s)));
		json_array_append_new(routes, json_pack("{s:s}", "dst", s.net.addr.family == AF_INET ? "0.0.0.0/0" : "::/0"));
	}
	if (!p->internal)
		json_object_set(ipam, "routes", routes);
	json_decref(routes);
	return ipam;
}

/* The plugin that makes the interface. */
static json_t *interface_json(const struct plan *p)
{
	json_t *o = json_pack("{s:s}", "type", p->driver_name);
	bool bridge = p->driver == DRIVER_BRIDGE, masquerades = (bridge || p->driver == DRIVER_PTP) && p->masquerade && !p->internal;

	put_text(o, "bridge", p->bridge);
	put_text(o, "master", p->parent);
	put_text(o, "mode", p->mode);
	if (bridge)
		json_object_set_new(o, "isGateway", json_true());
	if (masquerades)
		json_object_set_new(o, "ipMasq", json_true());
	if (bridge && p->hairpin)
		json_object_set_new(o, "hairpinMode", json_true());
	if (p->vlan)
		json_object_set_new(o, "vlan", json_integer(p->vlan));
	if (p->mtu)
		json_object_set_new(o, "mtu", json_integer(p->mtu));
	if (p->subnets.count)
		json_object_set_new(o, "ipam", ipam_json(p));
	return o;
}

/* icc=false keeps containers of the one network apart too. */
static json_t *firewall_json(const struct plan *p)
{
	json_t *o = json_pack("{s:s}", "type", "firewall");

	if (!p->icc || p->isolate)
		put_text(o, "ingressPolicy", p->icc ? "same-bridge" : "isolated");
	if (p->internal)
		json_object_set_new(o, "internal", json_true());
	else if (!p->open && p->masquerade)             /* who is not masqueraded is routed to */
		put_text(o, "unpublishedPorts", "drop");
	return o;
}

static json_t *dns_json(struct call *c, const struct plan *p)
{
	json_t *o = json_pack("{s:s, s:s, s:{s:b}}", "type", "dnsname", "domainName", DNS_DOMAIN, "capabilities", "aliases", true);
	json_t *servers = json_array();

	for_list (const char *, server, &c->opt.dns)
		json_array_append_new(servers, json_string(*server));
	if (json_array_size(servers) > 0)
		json_object_set(o, "servers", servers);
	json_decref(servers);
	if (p->internal)
		json_object_set_new(o, "internal", json_true());
	return o;
}

static bool is_installed(struct call *c, const char *type)
{
	return plugin_path(&c->arena, c->opt.bin_path, type) != NULL;
}

/* Without dnsname a network is still one; without any other of its plugins it is of no use yet. */
static bool has_dns(struct call *c, const struct plan *p)
{
	if (!p->dns || is_installed(c, "dnsname"))
		return p->dns;
	fprintf(stderr, "plumb: network create %s: no plugin \"dnsname\" in %s: containers will not find each other by name "
	        "(--no-dns: without this word)\n", p->name, c->opt.bin_path);
	return false;
}

static void tell_if_missing(struct call *c, const struct plan *p, const char *type)
{
	if (type && !is_installed(c, type))
		fprintf(stderr, "plumb: network create %s: no plugin \"%s\" in %s: nothing can be attached before it is there\n", p->name, type,
		        c->opt.bin_path);
}

static void tell_missing(struct call *c, const struct plan *p, const json_t *plugins)
{
	json_t *plugin, *ipam = json_object_get(json_array_get(plugins, 0), "ipam");
	size_t i;

	json_array_foreach(plugins, i, plugin)
		tell_if_missing(c, p, plugin_type(plugin));
	if (ipam)
		tell_if_missing(c, p, plugin_type(ipam));
}

static json_t *plugins_json(struct call *c, const struct plan *p)
{
	bool veths = p->driver == DRIVER_BRIDGE || p->driver == DRIVER_PTP;
	json_t *plugins = json_pack("[o]", interface_json(p));

	/* where nothing comes in, nothing is published: a container with a second network has its ports there */
	if (veths && !p->internal)
		json_array_append_new(plugins, json_pack("{s:s, s:{s:b}}", "type", "portmap", "capabilities", "portMappings", true));
	if (veths)
		json_array_append_new(plugins, firewall_json(p));
	if (has_dns(c, p))
		json_array_append_new(plugins, dns_json(c, p));
	return plugins;
}

static json_t *pairs_json(const struct list *pairs)
{
	json_t *o = json_object();

	for_list (const struct pair, p, pairs)
		json_object_set_new(o, p->key, json_string(p->value ? p->value : ""));
	return o;
}

static json_t *note_json(struct call *c, const struct plan *p)
{
	time_t now = time(NULL);
	char created[32] = "";
	struct tm t;

	if (gmtime_r(&now, &t))
		strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &t);
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:s*}", "created", created, "driver", p->driver_name, "internal", p->internal,
	                 "labels", pairs_json(&c->opt.labels), "options", pairs_json(&c->opt.opts), "hostIP", p->host_ip);
}

json_t *plan_json(struct call *c, const struct plan *p)
{
	json_t *plugins = plugins_json(c, p), *list;

	tell_missing(c, p, plugins);
	list = call_keep(c, json_pack("{s:s, s:s, s:o, s:o}", "cniVersion", p->version, "name", p->name, NETWORK_NOTE, note_json(c, p),
	                              "plugins", plugins));
	if (!list)              /* a label that is not UTF-8 */
		trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "a name or value is not UTF-8");
	return list;
}
