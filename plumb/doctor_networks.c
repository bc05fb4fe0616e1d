/* Networks as they are configured: files, plugins, subnets, room. */
#include <dirent.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/execute.h"
#include "doctor.h"
#include "plumb.h"

enum { PORTS_MOST = 1023, PORTS_MANY = 921, NEARLY_FULL = 90 };         /* percent */

/* ---- Files and plugins ---- */

static void examine_files(struct examination *x)
{
	for_list (const struct broken_conf, b, &x->s->broken)
		find_add(x, (struct finding){ LEVEL_PROBLEM, "conf-broken",
					     find_words(x, "%s: %s", b->path, strstr(b->why, b->path) ? b->why + strlen(b->path) + 2 : b->why),
					     "runtimes pass it over, and the network is missing", "mend the file, or move it away" });
}

static void examine_plugin(struct examination *x, const struct seen_network *n, const char *type)
{
	if (type && !plugin_path(&x->c->arena, x->c->opt.bin_path, type))
		find_add(x, (struct finding){ LEVEL_PROBLEM, "plugin-missing",
					     find_words(x, "network %s names plugin %s, which is not in %s", n->name, type, x->c->opt.bin_path),
					     "nothing can be attached to the network, or detached",
					     "install it, or say where it is by --bin-dir or $CNI_PATH" });
}

static void examine_plugins(struct examination *x, const struct seen_network *n)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->conf.plugins, i, plugin) {
		json_t *ipam = json_member(plugin, "ipam");

		examine_plugin(x, n, plugin_type(plugin));
		if (json_is_object(ipam))
			examine_plugin(x, n, json_member_string(ipam, "type"));
	}
}

/* ---- Subnets ---- */

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a->len <= b->len ? a : b, a->len <= b->len ? &b->addr : &a->addr);
}

static void compare_networks(struct examination *x, const struct seen_network *a, const struct seen_network *b)
{
	char one[PREFIX_TEXT], other[PREFIX_TEXT];

	if (a->link_name && b->link_name && !strcmp(a->link_name, b->link_name))
		return;                 /* one bridge for both */
	for_list (const struct seen_subnet, p, &a->subnets)
		for_list (const struct seen_subnet, q, &b->subnets)
			if (overlap(&p->net, &q->net))
				find_add(x,
					 (struct finding){
						 LEVEL_PROBLEM, "subnets-overlap",
						 find_words(x, "networks %s (%s) and %s (%s) overlap", a->name, prefix_text(&p->net, one), b->name,
							    prefix_text(&q->net, other)),
						 "the host routes each address by one of their links only: containers of the other are not reached",
						 "give one of them another subnet, and attach its containers anew" });
}

/* A wider route is hidden in part; one that is as narrow, or narrower, takes the network's packets away. */
static void compare_route(struct examination *x, const struct seen_network *n, const struct seen_subnet *sub, const struct route *r)
{
	const struct seen_link *l = survey_link_at(x->s, r->index);
	bool takes = r->dst.len >= sub->net.len;
	char net[PREFIX_TEXT], dst[PREFIX_TEXT];

	if (prefix_is_default(&r->dst) || r->dst.len < 4 || !l || l == n->link || !overlap(&r->dst, &sub->net))
		return;
	for_list (const struct seen_attachment *, a, &n->attachments)
		if ((*a)->near == l)    /* ptp: a route to each container */
			return;
	if (survey_is_uplink(x->s, l) && n->type && (!strcmp(n->type, "macvlan") || !strcmp(n->type, "ipvlan")))
		return;
	find_add(x, (struct finding){ takes ? LEVEL_PROBLEM : LEVEL_WARNING, "route-overlap",
				     find_words(x, "network %s (%s) overlaps the host's route %s by %s", n->name, prefix_text(&sub->net, net),
						prefix_text(&r->dst, dst), l->link.name),
				     takes ? "packets for containers go by that link"
					   : "machines with these addresses behind that link are not reached any more",
				     "give the network another subnet, and attach its containers anew" });
}

static void examine_subnets(struct examination *x, const struct seen_network *n)
{
	for (const struct seen_network *other = n + 1; other < (const struct seen_network *)x->s->networks.items + x->s->networks.count; other++)
		compare_networks(x, n, other);
	for_list (const struct seen_subnet, sub, &n->subnets)
		for_list (const struct route, r, &x->s->routes)
			compare_route(x, n, sub, r);
}

/* ---- Room ---- */

static double as_number(const struct addr *a)
{
	double n = 0;

	for (size_t i = 0; i < addr_size(a->family); i++)
		n = n * 256 + a->bytes[i];
	return n;
}

/* How many addresses there are to give, as host-local counts: the first and IPv4's last are nobody's, the gateway's is taken. */
static double room_of(const struct seen_subnet *sub)
{
	struct addr last = addr_last(&sub->net), first = sub->net.addr, gateway = sub->gateway;
	double from, to;

	addr_next(&first);
	if (!addr_is_set(&gateway))
		gateway = first;
	from = addr_is_set(&sub->first) ? as_number(&sub->first) : as_number(&first);
	to = addr_is_set(&sub->last) ? as_number(&sub->last) : as_number(&last) - (sub->net.addr.family == AF_INET);
	return to - from + 1 - (as_number(&gateway) >= from && as_number(&gateway) <= to);
}

static size_t leases_in(const struct seen_network *n, size_t set)
{
	scoped(dir_close) DIR *d = opendir(n->lease_dir);
	struct dirent *entry;
	struct addr a;
	size_t count = 0;

	while (d && (entry = readdir(d)))
		for_list (const struct seen_subnet, sub, &n->subnets)
			if (sub->set == set && addr_parse(entry->d_name, &a) && prefix_contains(&sub->net, &a)) {
				count++;
				break;
			}
	return count;
}

static void examine_pool(struct examination *x, const struct seen_network *n, size_t set)
{
	double room = 0, taken;
	const char *words = "";
	char text[PREFIX_TEXT];

	for_list (const struct seen_subnet, sub, &n->subnets)
		if (sub->set == set) {
			room += room_of(sub);
			words = find_words(x, "%s%s%s", words, *words ? ", " : "", prefix_text(&sub->net, text));
		}
	taken = (double)leases_in(n, set);
	if (room <= 0 || taken * 100 < room * NEARLY_FULL)
		return;
	find_add(x, (struct finding){ taken >= room ? LEVEL_PROBLEM : LEVEL_WARNING, "pool-full",
				     find_words(x, "network %s: %.0f of %.0f addresses of %s are taken", n->name, taken, room, words),
				     taken >= room ? "no more container can be attached" : "soon no more container can be attached",
				     find_words(x, "plumb gc %s gives back what nobody uses; then a wider subnet, or a further range", n->name) });
}

static void examine_pools(struct examination *x, const struct seen_network *n)
{
	size_t sets = 0;

	for_list (const struct seen_subnet, sub, &n->subnets)
		sets = sub->set >= sets ? sub->set + 1 : sets;
	for (size_t set = 0; n->lease_dir && set < sets; set++)
		examine_pool(x, n, set);
}

static void examine_bridge(struct examination *x, const struct seen_network *n)
{
	size_t ports = 0;

	if (!n->link || strcmp(n->link->link.kind, "bridge") != 0)
		return;
	for_list (const struct seen_link, l, &x->s->links)
		ports += l->link.master == n->link->link.index;
	if (ports >= PORTS_MANY)
		find_add(x, (struct finding){ ports >= PORTS_MOST ? LEVEL_PROBLEM : LEVEL_WARNING, "bridge-full",
					     find_words(x, "bridge %s has %zu of the %d ports that the kernel lets it have", n->link->link.name,
							ports, PORTS_MOST),
					     "then no more container can be attached to it",
					     "a second network, with a bridge of its own; or ptp, which has no such limit" });
}

/* An address that comes and goes between hosts may be there again tomorrow: no problem, and worth a word. */
static void examine_port(struct examination *x, const struct seen_attachment *a, json_t *mapping)
{
	const char *ip = json_member_string(mapping, "hostIP");
	struct addr at;

	if (!ip || !addr_parse(ip, &at) || addr_is_unspecified(&at) || addr_is_loopback(&at) || survey_local(x->s, &at))
		return;
	find_add(x, (struct finding){ LEVEL_WARNING, "port-nowhere",
				     find_words(x, "network %s: container %s publishes port %" JSON_INTEGER_FORMAT " at %s, which no link of this host has",
						a->record.network, a->name, json_integer_value(json_member(mapping, "hostPort")), ip),
				     "nobody reaches it there until the host has that address",
				     find_words(x, "give the address to a link, or publish elsewhere: plumb unpublish %s; plumb publish %s PORTS", a->name, a->name) });
}

static void examine_ports(struct examination *x, const struct seen_attachment *a)
{
	json_t *mapping;
	size_t i;

	if (!a->fault)
		json_array_foreach(attached_ports(&a->record), i, mapping)
			examine_port(x, a, mapping);
}

void examine_networks(struct examination *x)
{
	examine_files(x);
	for_list (const struct seen_network, n, &x->s->networks) {
		if (n->configured)
			examine_plugins(x, n);
		examine_subnets(x, n);
		examine_pools(x, n);
		examine_bridge(x, n);
	}
	for_list (const struct seen_attachment, a, &x->s->attachments)
		examine_ports(x, a);
}
