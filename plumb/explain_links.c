/* Record, namespace, links. */
#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "explain.h"
#include "plumb.h"

enum { OPER_UP = 6, PORTS_LIMIT = 1023 };

static const char *const oper_words[] = { "unknown", "not present", "down", "lower layer down", "testing", "dormant", "up" };

/* What has no carrier of its own (lo, some virtual kinds) is "unknown" and works. */
static bool works(const struct link *l)
{
	return (l->flags & IFF_UP) && (l->operstate == OPER_UP || l->operstate == 0);
}

static const char *state(const struct link *l)
{
	return !(l->flags & IFF_UP) ? "down" : l->operstate < ARRAY_LEN(oper_words) ? oper_words[l->operstate] : "?";
}

static const char *words(const struct explanation *x, const struct link *l)
{
	char mac[MAC_TEXT];

	return arena_printf(&x->s->c->arena, "%s%s%s, %s, MTU %u, MAC %s", l->name, *l->kind ? ", " : "", l->kind, state(l), l->mtu,
			    mac_text(&l->mac, mac));
}

static const struct iface *recorded(const struct explanation *x, const char *ifname)
{
	for_list (const struct iface, i, &x->a->result.ifaces)
		if (i->name && i->sandbox && !strcmp(i->name, ifname))
			return i;
	return NULL;
}

static void explain_record(struct explanation *x)
{
	const struct cached *r = &x->a->record;

	if (r->unfinished)
		explain_item(x, STANDS_ILL, "record", arena_printf(&x->s->c->arena, "plumb gc %s", r->network), "%s: ADD was cut off", r->path);
	else
		explain_item(x, STANDS_WELL, "record", NULL, "%s", r->path);
	if (!x->a->network->configured)
		explain_item(x, STANDS_UNKNOWN, "network", NULL, "%s is not in %s any more; the record has its configuration", r->network,
			     x->s->c->opt.conf_dir);
}

static bool explain_namespace(struct explanation *x)
{
	const struct endpoint *e = &x->a->record.endpoint;
	const char *gc = arena_printf(&x->s->c->arena, "plumb gc %s removes what is left", x->a->record.network);

	if (!*e->netns)
		explain_item(x, STANDS_UNKNOWN, "namespace", NULL, "the record does not tell which");
	else if (x->a->fault && !x->a->has_pod && access(e->netns, F_OK) < 0)
		explain_item(x, STANDS_ILL, "namespace", gc, "%s is gone", e->netns);
	else
		explain_item(x, STANDS_WELL, "namespace", NULL, "%s", e->netns);
	return x->a->has_pod;
}

static void explain_inner(struct explanation *x)
{
	const struct link *l = &x->a->pod;
	const struct iface *r = recorded(x, l->name);
	struct mac made;

	if (!works(l))
		explain_item(x, STANDS_ILL, "interface",
			     arena_printf(&x->s->c->arena, "nsenter --net=%s ip link set %s up", x->a->record.endpoint.netns, l->name), "%s",
			     words(x, l));
	else if (r && r->mac && mac_parse(r->mac, &made) && !mac_equal(&made, &l->mac))
		explain_item(x, STANDS_ILL, "interface", explain_anew(x), "%s; it was made with MAC %s", words(x, l), r->mac);
	else
		explain_item(x, STANDS_WELL, "interface", NULL, "%s", words(x, l));
}

static void explain_near(struct explanation *x)
{
	const struct seen_link *near = x->a->near;
	const struct seen_link *master = near ? survey_link_at(x->s, near->link.master) : NULL;
	const char *port = master ? arena_printf(&x->s->c->arena, ", port of %s%s%s", master->link.name, near->link.isolated ? ", isolated" : "",
						 near->link.hairpin ? ", hairpin" : "")
				  : "";
	const char *wanted = x->a->network->type && !strcmp(x->a->network->type, "bridge") ? x->a->network->link_name : NULL;
	struct arena *a = &x->s->c->arena;

	if (!near) {
		explain_item(x, x->a->pod.kind[0] ? STANDS_ILL : IS_THERE, "host's end", explain_anew(x), "there is none");
		return;
	}
	if (!works(&near->link))
		explain_item(x, STANDS_ILL, "host's end", arena_printf(a, "ip link set %s up", near->link.name), "%s%s", words(x, &near->link), port);
	else if (wanted && (!master || strcmp(master->link.name, wanted) != 0))
		explain_item(x, STANDS_ILL, "host's end",
			     x->a->network->link ? arena_printf(a, "ip link set %s master %s", near->link.name, wanted) : explain_anew(x),
			     "%s%s: not a port of bridge %s", words(x, &near->link), port, wanted);
	else if (x->a->has_pod && !strcmp(x->a->pod.kind, "veth") && near->link.mtu != x->a->pod.mtu)
		explain_item(x, STANDS_ILL, "host's end", arena_printf(a, "ip link set %s mtu %u", near->link.name, x->a->pod.mtu),
			     "%s%s: the ends differ, and longer packets are lost", words(x, &near->link), port);
	else
		explain_item(x, STANDS_WELL, "host's end", NULL, "%s%s", words(x, &near->link), port);
}

static size_t count_ports(const struct survey *s, int bridge)
{
	size_t n = 0;

	for_list (const struct seen_link, l, &s->links)
		n += l->link.master == bridge;
	return n;
}

/* The gateway that the container was told. */
static const struct addr *lost_gateway(const struct explanation *x)
{
	for_list (const struct ip_conf, ip, &x->a->result.ips)
		if (addr_is_set(&ip->gateway) && !survey_local(x->s, &ip->gateway))
			return &ip->gateway;
	return NULL;
}

static void explain_bridge(struct explanation *x)
{
	const struct seen_network *n = x->a->network;
	const struct addr *lost = lost_gateway(x);
	char prefix[PREFIX_TEXT], text[ADDR_TEXT];
	const char *all = "";

	if (!n->type || strcmp(n->type, "bridge") != 0)
		return;
	if (!n->link) {
		explain_item(x, STANDS_ILL, "bridge", explain_anew(x), "%s is gone", n->link_name);
		return;
	}
	for_list (const struct prefix, p, &n->link->addresses)
		all = arena_printf(&x->s->c->arena, "%s, %s", all, prefix_text(p, prefix));
	if (!works(&n->link->link))
		explain_item(x, STANDS_ILL, "bridge", arena_printf(&x->s->c->arena, "ip link set %s up", n->link_name), "%s%s",
			     words(x, &n->link->link), all);
	else if (lost)
		explain_item(x, STANDS_UNKNOWN, "bridge",
			     "if another machine is the gateway, that is as it should be; else ip address add it to the bridge",
			     "%s%s: the gateway %s is not the host's", words(x, &n->link->link), all, addr_text(lost, text));
	else
		explain_item(x, STANDS_WELL, "bridge", NULL, "%s%s, %zu of %d ports", words(x, &n->link->link), all,
			     count_ports(x->s, n->link->link.index), PORTS_LIMIT);
}

void explain_links(struct explanation *x)
{
	explain_record(x);
	if (!explain_namespace(x)) {
		if (access(x->a->record.endpoint.netns, F_OK) == 0)
			explain_item(x, STANDS_ILL, "interface", explain_anew(x), "%s is gone", x->a->record.endpoint.ifname);
		if (x->a->near)
			explain_near(x);
		return;
	}
	explain_inner(x);
	explain_near(x);
	explain_bridge(x);
}
