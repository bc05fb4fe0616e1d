/* What other programs' rules do to containers, tried with the packets that matter; and what the reference plugins left. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sha512.h"
#include "doctor.h"
#include "journey.h"
#include "plumb.h"

enum { FAR_PORT = 80, HASH_MASQUERADE = 24, HASH_PORTS = 21 };

/* ---- Dropped by others ---- */

static bool is_told(const struct examination *x, const char *words)
{
	for_list (const struct finding, f, &x->findings)
		if (strstr(f->what, words))
			return true;
	return false;
}

static void tell_drop(struct examination *x, const struct journey *j, const char *network, const char *direction)
{
	bool certain = j->outcome == FAILS;

	if (!j->dropper || chain_is_ours(j->dropper) || is_told(x, find_words(x, "network %s: %s", network, direction)))
		return;
	find_add(x, (struct finding){ certain ? LEVEL_PROBLEM : LEVEL_WARNING, "foreign-drop",
				     find_words(x, "network %s: %s %s dropped by another program's firewall: %s", network, direction,
						certain ? "is" : "may be", j->rule),
				     "every table must let a packet through; what plumb accepts does not bind others",
				     find_words(x, "%s; or \"foreignFirewall\": \"accept\" of the firewall plugin",
						j->remedy ? j->remedy : "accept the network's link there") });
}

static void try_out(struct examination *x, const struct seen_attachment *a, int family)
{
	struct trip t = { .origin = FROM_CONTAINER, .from = a, .port = FAR_PORT, .protocol = IPPROTO_TCP };
	struct journey j;

	if (!attachment_address(a, family) || a->network->internal)
		return;
	addr_parse(family == AF_INET ? "192.0.0.8" : "2001:db8:ffff:ffff::1", &t.to);
	journey_make(&x->rs, x->s, &t, &j);
	tell_drop(x, &j, a->record.network, family == AF_INET ? "what goes out (IPv4)" : "what goes out (IPv6)");
}

/* The address of the host that others ask the port at. */
static bool asked_at(const struct survey *s, json_t *port, int family, struct addr *out)
{
	const char *ip = json_member_string(port, "hostIP");

	if (ip && addr_parse(ip, out) && !addr_is_unspecified(out))
		return out->family == family && !addr_is_loopback(out);
	for_list (const struct seen_link, l, &s->links)
		for_list (const struct prefix, p, &l->addresses)
			if (survey_is_uplink(s, l) && p->addr.family == family) {
				*out = p->addr;
				return true;
			}
	return false;
}

static uint8_t protocol_of(json_t *port)
{
	const char *name = json_member_string(port, "protocol");

	return name && !strcmp(name, "udp") ? IPPROTO_UDP : name && !strcmp(name, "sctp") ? IPPROTO_SCTP : IPPROTO_TCP;
}

static void try_in(struct examination *x, const struct seen_attachment *a, int family)
{
	json_t *ports = attached_ports(&a->record), *port = json_array_get(ports, 0);
	struct trip t = { .origin = FROM_LAN };
	struct journey j;

	if (!port || !attachment_address(a, family) || !asked_at(x->s, port, family, &t.to))
		return;
	t.protocol = protocol_of(port);
	t.port = (uint16_t)json_integer_value(json_member(port, "hostPort"));
	journey_make(&x->rs, x->s, &t, &j);
	tell_drop(x, &j, a->record.network,
		  family == AF_INET ? "what comes in by published ports (IPv4)" : "what comes in by published ports (IPv6)");
}

/* Who stands for the network: outwards one that is on no other network, inwards one with ports. */
static const struct seen_attachment *best_of(const struct examination *x, const struct seen_network *n, bool inwards)
{
	const struct seen_attachment *best = NULL;

	for_list (const struct seen_attachment *, a, &n->attachments) {
		bool good = inwards ? attached_ports(&(*a)->record) != NULL : !attachment_is_elsewhere_too(x->s, *a);

		if (!(*a)->fault && (!best || good))
			best = *a;
	}
	return best;
}

static void try_network(struct examination *x, const struct seen_network *n)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct seen_attachment *out = best_of(x, n, false), *in = best_of(x, n, true);

	for (size_t i = 0; out && in && i < ARRAY_LEN(families); i++) {
		try_out(x, out, families[i]);
		try_in(x, in, families[i]);
	}
}

/* Those that nobody's packet has met yet. */
static void tell_policies(struct examination *x)
{
	for_list (const struct chain, c, &x->rs.chains) {
		const char *words = find_words(x, "table %s %s, chain %s", c->family, c->table, c->name);

		if (!c->hook || strcmp(c->hook, "forward") != 0 || !c->drops || chain_is_ours(c) || !strcmp(c->family, "bridge") || is_told(x, words))
			continue;
		find_add(x, (struct finding){ LEVEL_WARNING, "foreign-policy",
					     find_words(x, "%s: what is forwarded and not accepted there is dropped", words),
					     "containers of networks that it does not know are cut off from other machines",
					     "accept the networks' links there (README, \"Other firewalls\"), or \"foreignFirewall\": \"accept\" of "
					     "the firewall plugin" });
	}
}

static void tell_legacy(struct examination *x)
{
	const char *program = NULL;

	for_list (const struct chain, c, &x->rs.chains)
		if (strstr(c->program, "legacy") && (c->rules.count || c->drops))
			program = c->program;
	if (program)
		find_add(x,
			 (struct finding){ LEVEL_WARNING, "legacy-tables", find_words(x, "the tables of %s are in use, beside nftables", program),
					  "each packet passes both, `nft list ruleset` shows one of them only, and plumb never writes to the other",
					  "move to iptables-nft (update-alternatives --set iptables /usr/sbin/iptables-nft), and flush the old ones: "
					  "iptables-legacy -F" });
}

static void tell_unread(struct examination *x)
{
	if (x->rs.unread)
		find_add(x, (struct finding){ LEVEL_WARNING, "rules-unread", find_words(x, "not all rules could be read: %s", x->rs.unread),
					     "what drops containers' traffic cannot be told", "install nftables (and iptables), and run it as root" });
}

/* ---- What the reference's plugins left in iptables: chains named by a hash of network and container ---- */

static bool is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static bool is_of_attachment(const struct seen_attachment *a, const char *hash, size_t len)
{
	char hex[SHA512_HEX], text[512];

	text_format(text, sizeof text, "%s%s", a->record.network, a->record.endpoint.container);
	sha512_hex(text, hex);
	return !strncmp(hex, hash, len);
}

static bool has_owner(const struct survey *s, const char *hash, size_t len)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (!a->fault && is_of_attachment(a, hash, len))
			return true;
	return false;
}

static void examine_chain(struct examination *x, const struct chain *c)
{
	bool masquerade = !strncmp(c->name, "CNI-", 4) && is_hex(c->name + 4, HASH_MASQUERADE);
	bool ports = (!strncmp(c->name, "CNI-DN-", 7) || !strncmp(c->name, "CNI-SN-", 7)) && is_hex(c->name + 7, HASH_PORTS);
	const char *hash = c->name + (ports ? 7 : 4), *program = strstr(c->program, "legacy") ? c->program
								 : !strcmp(c->family, "ip6")  ? "ip6tables"
											      : "iptables";

	if ((!masquerade && !ports) || has_owner(x->s, hash, ports ? HASH_PORTS : HASH_MASQUERADE))
		return;
	find_add(x, (struct finding){
			    LEVEL_WARNING, "reference-leftover",
			    find_words(x, "table %s %s, chain %s: of a container that is not attached any more", c->family, c->table, c->name),
			    ports ? "a published port that leads nowhere takes the connections that are meant for another"
				  : "left by the reference plugins; each packet passes it",
			    find_words(x, "%s -t nat -S | grep -e %s shows the rules that lead there; -D them, then %s -t nat -F %s; %s -t nat -X %s",
				       program, c->name, program, c->name, program, c->name) });
}

void examine_firewall(struct examination *x)
{
	tell_unread(x);
	for_list (const struct seen_network, n, &x->s->networks)
		try_network(x, n);
	tell_policies(x);
	tell_legacy(x);
	for_list (const struct chain, c, &x->rs.chains)
		examine_chain(x, c);
}
