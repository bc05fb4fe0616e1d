#include "journey.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/sysctl.h"
#include "plumb.h"

/* ---- Words ---- */

const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

const char *place_text(struct call *c, const struct addr *a, uint16_t port)
{
	char text[ADDR_TEXT];

	return arena_printf(&c->arena, a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", addr_text(a, text), port);
}

static const char *note(struct journey *j, enum outcome mark, bool fact, const char *fmt, va_list ap)
{
	struct stage *st = arena_push(&j->s->c->arena, &j->stages.items, &j->stages.count, sizeof *st);
	char words[2048];

	vsnprintf(words, sizeof words, fmt, ap);
	utf8_mend(words);
	if (st)
		*st = (struct stage){ mark, fact, arena_strdup(&j->s->c->arena, words) };
	return st ? st->words : "";
}

void stage_note(struct journey *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(j, REACHES, true, fmt, ap);
	va_end(ap);
}

void stage_good(struct journey *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(j, REACHES, false, fmt, ap);
	va_end(ap);
}

bool stage_bad(struct journey *j, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	j->why = note(j, FAILS, false, fmt, ap);
	va_end(ap);
	j->outcome = FAILS;
	j->remedy = remedy;
	return false;
}

bool stage_maybe(struct journey *j, const char *remedy, const char *fmt, ...)
{
	const char *words;
	va_list ap;

	va_start(ap, fmt);
	words = note(j, MAY_FAIL, false, fmt, ap);
	va_end(ap);
	if (j->outcome == REACHES) {
		j->why = words;
		j->remedy = remedy;
		j->outcome = MAY_FAIL;
	}
	return true;
}

/* ---- The way through the host ---- */

static bool may_forward(struct journey *j)
{
	bool v4 = j->p.family == AF_INET,
	     on = v4 ? sysctl_number(0, "net/ipv4/conf/%s/forwarding", j->p.in) : sysctl_number(0, "net/ipv6/conf/all/forwarding");

	return on || stage_bad(j, v4 ? "sysctl -w net.ipv4.ip_forward=1" : "sysctl -w net.ipv6.conf.all.forwarding=1",
			       "the host does not forward IPv%c: %s is 0", v4 ? '4' : '6',
			       v4 ? arena_printf(&j->s->c->arena, "net.ipv4.conf.%s.forwarding", j->p.in) : "net.ipv6.conf.all.forwarding");
}

/* Strict: the way back must lead where it came from. */
static bool comes_the_right_way(struct journey *j)
{
	long all = sysctl_number(0, "net/ipv4/conf/all/rp_filter"), own = sysctl_number(0, "net/ipv4/conf/%s/rp_filter", j->p.in);
	const struct seen_link *back = survey_link_at(j->s, route_link_to((struct netlink *)&j->s->nl, &j->p.from));

	if (j->p.family != AF_INET || (all > own ? all : own) != 1 || (back && !strcmp(back->link.name, j->p.in)))
		return true;
	return stage_bad(j, arena_printf(&j->s->c->arena, "sysctl -w net.ipv4.conf.%s.rp_filter=2", j->p.in),
	                 "dropped by rp_filter of %s, which is strict: the way back leads by %s", j->p.in, back ? back->link.name : "no link");
}

/* The link that leads to the destination; NULL: j says why there is none. */
static const struct seen_link *find_way(struct journey *j)
{
	const struct seen_link *out = NULL;
	struct route way;
	char text[ADDR_TEXT];

	if (route_get((struct netlink *)&j->s->nl, &j->p.to, &way) && way.type == RTN_UNICAST)
		out = survey_link_at(j->s, way.index);
	if (!out) {
		stage_bad(j, "ip route get ADDRESS shows what the kernel thinks; is the network's bridge there, and does it have its address?",
			  "the host has no route to %s", addr_text(&j->p.to, text));
		return NULL;
	}
	stage_good(j, "routed by %s%s", out->link.name, survey_is_uplink(j->s, out) ? ", out of this host" : "");
	j->p.out = out->link.name;
	return out;
}

static bool leaves_by(struct journey *j)
{
	struct ruling r = { 0 };
	bool passes = rules_pass(j->rs, "postrouting", NULL, &j->p, &r);
	const struct seen_link *out = survey_link(j->s, j->p.out);
	char text[ADDR_TEXT];

	if (!passes)
		return stage_bad(j, NULL, "dropped on the way out by %s", j->rule = r.by);      /* nobody filters there as a rule */
	if (!r.leaves)
		return true;
	j->masqueraded = true;
	for_list (const struct prefix, p, &out->addresses)
		if (!addr_is_set(&r.source) && p->addr.family == j->p.family)
			r.source = p->addr;
	j->asker = j->p.from;
	if (addr_is_set(&r.source))
		j->p.from = r.source;
	stage_note(j, "masqueraded: it comes from %s now", addr_text(&j->p.from, text));
	return true;
}

static bool goes_through(struct journey *j)
{
	if (!may_forward(j) || !comes_the_right_way(j) || !find_way(j))
		return false;
	return journey_passes(j, "forward", NULL, "forwarded") && leaves_by(j) && journey_arrives(j);
}

static bool to_the_host(struct journey *j)
{
	char text[ADDR_TEXT];

	stage_note(j, "it is for the host itself, which has %s%s", addr_text(&j->p.to, text), j->p.translated ? "" : "; no port is published there");
	return journey_passes(j, "input", NULL, "let in by the host") && journey_is_heard(j, NULL) && journey_comes_back(j);
}

static bool from_outside(struct journey *j)
{
	if (!journey_passes(j, "prerouting", NULL, NULL))
		return false;
	return survey_local(j->s, &j->p.to) ? to_the_host(j) : goes_through(j);
}

/* 127.0.0.0/8 leaves by other links only where that is switched on. */
static bool loopback_may_leave(struct journey *j)
{
	if (j->p.family != AF_INET || !addr_is_loopback(&j->p.from) || !strcmp(j->p.out, "lo") ||
	    sysctl_number(0, "net/ipv4/conf/all/route_localnet") || sysctl_number(0, "net/ipv4/conf/%s/route_localnet", j->p.out))
		return true;
	return stage_bad(j, "detach and attach the container: portmap sets it (\"snat\" must not be false)",
			 "net.ipv4.conf.%s.route_localnet is 0: nothing from 127.0.0.0/8 leaves by it", j->p.out);
}

static bool from_the_host(struct journey *j)
{
	if (!journey_passes(j, "output", NULL, NULL))
		return false;
	if (survey_local(j->s, &j->p.to)) {
		j->p.in = "lo";
		return to_the_host(j);
	}
	return find_way(j) && loopback_may_leave(j) && leaves_by(j) && journey_arrives(j);
}

/* ---- Inside one bridge ---- */

static bool over_the_bridge(struct journey *j, const struct seen_attachment *to)
{
	const struct seen_link *from = j->trip.from->near, *bridge = survey_link_at(j->s, from->link.master);
	bool filtered = sysctl_number(0, "net/bridge/bridge-nf-call-%s", j->p.family == AF_INET ? "iptables" : "ip6tables");
	char mac[MAC_TEXT];

	j->bridged = true;
	stage_good(j, "over bridge %s, from port %s to %s: the host does not route it", bridge->link.name, from->link.name, to->near->link.name);
	if (from->link.isolated && to->near->link.isolated)
		return stage_bad(
			j,
			"the network's policy (firewall: \"ingressPolicy\": \"isolated\") keeps its containers apart; change it and attach both anew",
			"both ports are isolated from each other");
	j->p.mac = arena_strdup(&j->s->c->arena, mac_text(&j->trip.from->pod.mac, mac));
	j->p.in = from->link.name;
	j->p.out = to->near->link.name;
	if (!journey_passes(j, "prerouting", "bridge", NULL) || !journey_passes(j, "forward", "bridge", NULL))
		return false;
	j->p.in = j->p.out = bridge->link.name;
	if (filtered && !journey_passes(j, "forward", NULL, "bridged, and filtered as if forwarded (br_netfilter is on)"))
		return false;
	return journey_arrives(j);
}

static bool from_a_container(struct journey *j)
{
	const struct seen_link *near = j->trip.from->near;
	const struct seen_attachment *to = survey_owner(j->s, &j->p.to);

	if (j->bridged && to && to->near && to->near->link.master && to->near->link.master == near->link.master)
		return over_the_bridge(j, to);
	if (j->bridged && !survey_local(j->s, &j->p.to)) {
		char text[ADDR_TEXT];

		return stage_bad(j, "plumb graph shows who is there", "nobody on its network has %s", addr_text(&j->p.to, text));
	}
	j->bridged = false;
	return from_outside(j);
}

void journey_make(struct ruleset *rs, const struct survey *s, const struct trip *t, struct journey *j)
{
	*j = (struct journey){ .rs = rs, .s = s, .trip = *t, .p = { .family = t->to.family, .protocol = t->protocol, .to = t->to, .port = t->port } };
	if (!journey_begins(j))
		return;
	if (rs->unread)
		stage_maybe(j, "run it as root, with nft (and iptables) installed", "not all rules are known: %s", rs->unread);
	if (t->origin == FROM_HOST)
		from_the_host(j);
	else if (t->origin == FROM_LAN)
		from_outside(j);
	else
		from_a_container(j);
}
