/* Where a journey begins, and where it ends. */
#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>

#include "journey.h"
#include "plumb.h"

enum { OPER_DOWN = 2, OPER_LOWER_DOWN = 3 };    /* IF_OPER_… of RFC 2863 */

/* ---- Where it begins: the LAN ---- */

/* The link that machines outside come by, when they ask for this address. */
static const struct seen_link *link_from_lan(const struct survey *s, const struct addr *to)
{
	const struct seen_link *own = survey_local(s, to), *way;

	if (own && survey_is_uplink(s, own))
		return own;
	way = survey_link_at(s, route_default_link((struct netlink *)&s->nl, to->family));
	if (way)
		return way;
	for_list (const struct seen_link, l, &s->links)
		for_list (const struct prefix, p, &l->addresses)
			if (survey_is_uplink(s, l) && p->addr.family == to->family)
				return l;
	return NULL;
}

/* A machine on that link: the router if there is one, else the first address that is not the host's. */
static bool machine_on(const struct survey *s, const struct seen_link *l, int family, struct addr *out)
{
	for_list (const struct route, r, &s->routes)
		if (r->index == l->link.index && r->gateway.family == family) {
			*out = r->gateway;
			return true;
		}
	for_list (const struct prefix, p, &l->addresses) {
		if (p->addr.family != family)
			continue;
		*out = prefix_network(p).addr;
		do
			addr_next(out);
		while (addr_equal(out, &p->addr));
		return true;
	}
	return false;
}

static bool begin_on_lan(struct journey *j)
{
	const struct seen_link *l = link_from_lan(j->s, &j->p.to);
	char text[ADDR_TEXT];

	if (addr_is_loopback(&j->p.to))
		return stage_bad(j, "publish the port on an address that others have a way to, or on all",
				 "%s is every machine's own: from the LAN nobody asks this host by it", addr_text(&j->p.to, text));
	if (!l || !machine_on(j->s, l, j->p.family, &j->p.from))
		return stage_bad(j, NULL, "this host has no link with an IPv%c address to others", j->p.family == AF_INET ? '4' : '6');
	j->p.in = l->link.name;
	if (survey_local(j->s, &j->p.to) || survey_owner(j->s, &j->p.to))
		stage_note(j, "a machine on the LAN, say %s, comes in by %s", addr_text(&j->p.from, text), j->p.in);
	if (!survey_local(j->s, &j->p.to) && survey_owner(j->s, &j->p.to))
		stage_note(j, "asked for by the container's own address: machines get here only with a route to it by this host");
	if (!survey_local(j->s, &j->p.to) && !survey_owner(j->s, &j->p.to) &&
	    survey_link_at(j->s, route_link_to((struct netlink *)&j->s->nl, &j->p.to)) == l)
		return stage_bad(j, NULL, "%s is neither this host's address nor a container's: it is reached without this host",
				 addr_text(&j->p.to, text));
	return true;
}

/* ---- The host ---- */

static bool begin_on_host(struct journey *j)
{
	struct route way;
	char text[ADDR_TEXT];
	const struct seen_link *out;

	if (!route_get((struct netlink *)&j->s->nl, &j->p.to, &way))
		return stage_bad(j, NULL, "the host has no route to %s", addr_text(&j->p.to, text));
	j->p.from = addr_is_set(&way.source) ? way.source : j->p.to;
	out = survey_link_at(j->s, way.index);
	j->p.out = out ? out->link.name : NULL;
	stage_note(j, "a process of the host asks, from %s", addr_text(&j->p.from, text));
	return true;
}

/* ---- A container ---- */

struct way_out {
	const struct addr *to;
	struct route       way;
	bool               found;
};

static int look_for_way(struct netlink *pod, void *arg)
{
	struct way_out *w = arg;

	w->found = route_get(pod, w->to, &w->way);
	return 0;
}

/* The attachment that it leaves by: a container may have several. */
static const struct seen_attachment *leaving_by(const struct survey *s, const struct seen_attachment *from, int index)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (!a->fault && a->has_pod && a->pod.index == index && attachment_same_container(a, from))
			return a;
	return NULL;
}

static bool gateway_is_the_host(struct journey *j, const struct addr *gateway)
{
	char text[ADDR_TEXT];

	if (survey_local(j->s, gateway))
		return true;
	/* a host's own link-local addresses are not in the survey */
	if (gateway->family == AF_INET6 && gateway->bytes[0] == 0xfe)
		return true;
	return stage_bad(j, "the network's configuration names it (ipam: \"gateway\"); with \"isGateway\" the bridge gets it",
			 "its gateway %s is not this host", addr_text(gateway, text));
}

static bool begin_in_container(struct journey *j)
{
	struct way_out w = { .to = &j->p.to };
	const struct seen_attachment *a;
	const struct addr *own;
	const struct seen_link *bridge;
	char text[ADDR_TEXT], gateway[ADDR_TEXT];

	attachment_enter(j->trip.from, look_for_way, &w);
	if (!w.found)
		return stage_bad(j, "the network's configuration gives routes (ipam: \"routes\", or \"isDefaultGateway\")",
				 "container %s has no route to %s", j->trip.from->name, addr_text(&j->p.to, text));
	if (!(a = leaving_by(j->s, j->trip.from, w.way.index)) || !a->near)
		return stage_bad(j, NULL, "container %s reaches %s by itself, or by a link that is not plumb's", j->trip.from->name,
				 addr_text(&j->p.to, text));
	j->trip.from = a;
	own = addr_is_set(&w.way.source) ? &w.way.source : attachment_address(a, j->p.family);
	if (!own)
		return stage_bad(j, NULL, "container %s has no IPv%c address", a->name, j->p.family == AF_INET ? '4' : '6');
	j->p.from = *own;
	bridge = survey_link_at(j->s, a->near->link.master);
	j->p.in = bridge ? bridge->link.name : a->near->link.name;
	stage_note(j, "container %s asks, from %s, by %s%s%s", a->name, addr_text(&j->p.from, text), a->record.endpoint.ifname,
		   addr_is_set(&w.way.gateway) ? " and gateway " : "", addr_is_set(&w.way.gateway) ? addr_text(&w.way.gateway, gateway) : "");
	j->bridged = bridge && !addr_is_set(&w.way.gateway);
	return !addr_is_set(&w.way.gateway) || gateway_is_the_host(j, &w.way.gateway);
}

bool journey_begins(struct journey *j)
{
	if (j->trip.origin == FROM_LAN)
		return begin_on_lan(j);
	return j->trip.origin == FROM_HOST ? begin_on_host(j) : begin_in_container(j);
}

/* ---- Arriving ---- */

static bool is_up(const struct link *l)
{
	return (l->flags & IFF_UP) && l->operstate != OPER_DOWN && l->operstate != OPER_LOWER_DOWN;
}

static const struct seen_attachment *dead_owner(const struct survey *s, const struct addr *to)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		for_list (const struct ip_conf, ip, &a->result.ips)
			if (a->fault && addr_equal(&ip->address.addr, to))
				return a;
	return NULL;
}

static bool arrive_nowhere(struct journey *j)
{
	const struct seen_link *out = j->p.out ? survey_link(j->s, j->p.out) : NULL;
	const struct seen_attachment *dead = dead_owner(j->s, &j->p.to);
	char to[ADDR_TEXT], from[ADDR_TEXT];

	addr_text(&j->p.to, to);
	if (dead)
		return stage_bad(j, arena_printf(&j->s->c->arena, "plumb gc %s", dead->record.network),
				 "nobody has %s any more: container %s had it, and %s", to, dead->name, dead->fault);
	if (!out || !survey_is_uplink(j->s, out))
		return stage_bad(j, "plumb graph shows who is there", "nobody on this host has %s", to);
	if (j->trip.origin == FROM_CONTAINER && !j->masqueraded)
		return stage_maybe(j, "ipMasq of the network's bridge or ptp plugin gives it the host's address",
				   "it goes out as %s, which others must have a route to by this host: it is not masqueraded",
				   addr_text(&j->p.from, from));
	stage_good(j, "it goes out by %s; what becomes of it there is not this host's doing", out->link.name);
	return j->trip.origin != FROM_CONTAINER || journey_comes_back(j);
}

static bool knows_the_way_back(struct journey *j, const struct seen_attachment *a)
{
	struct way_out w = { .to = &j->p.from };
	char text[ADDR_TEXT];

	if (attachment_enter(a, look_for_way, &w) < 0 || w.found)
		return true;
	return stage_bad(j,
			 "give the network's containers a default route (ipam: \"routes\": [{\"dst\": \"0.0.0.0/0\"}], or \"isDefaultGateway\"), or "
			 "\"masqAll\" of portmap",
			 "container %s has no route back to %s: its answer does not come", a->name, addr_text(&j->p.from, text));
}

/* The link that the host reaches a container by: its bridge, or a link of its own. */
static const char *door_of(const struct survey *s, const struct seen_attachment *a)
{
	const struct seen_link *bridge = a->near ? survey_link_at(s, a->near->link.master) : NULL;

	return bridge ? bridge->link.name : a->near ? a->near->link.name : "another link";
}

static bool leads_to(struct journey *j, const struct seen_attachment *a)
{
	return !a->near || !j->p.out || !strcmp(j->p.out, door_of(j->s, a));
}

bool journey_arrives(struct journey *j)
{
	const struct seen_attachment *a = survey_owner(j->s, &j->p.to);

	if (!a)
		return arrive_nowhere(j);
	j->target = a;
	if (!j->bridged && !leads_to(j, a))
		return stage_bad(j, "ip route get shows what the kernel thinks; does the bridge have its address?",
				 "it is routed by %s, and container %s is behind %s", j->p.out, a->name, door_of(j->s, a));
	if (!is_up(&a->pod))
		return stage_bad(j, "ip link set … up in its namespace", "interface %s of container %s is down", a->record.endpoint.ifname, a->name);
	if (a->near && !is_up(&a->near->link))
		return stage_bad(j, arena_printf(&j->s->c->arena, "ip link set %s up", a->near->link.name),
				 "link %s, which leads to container %s, is down", a->near->link.name, a->name);
	stage_good(j, "container %s of network %s has the address", a->name, a->record.network);
	return knows_the_way_back(j, a) && journey_is_heard(j, a) && journey_comes_back(j);
}
