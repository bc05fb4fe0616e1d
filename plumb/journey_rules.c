/* What rules say of a journey, in the words of those who wrote the configuration. */
#include <string.h>
#include <sys/socket.h>

#include "cni/attach.h"
#include "journey.h"
#include "os/sysctl.h"
#include "plumb.h"

/* ---- Dropped ---- */

/* "to_NET_1a2b3c4d": the network. */
static const char *policy_network(struct journey *j, const char *chain)
{
	const char *begin = strchr(chain, '_'), *end = strrchr(chain, '_');

	if (!begin || begin == end || strlen(end) != 9 || (strncmp(chain, "to_", 3) && strncmp(chain, "from_", 5) && strncmp(chain, "host_", 5)))
		return NULL;
	return arena_printf(&j->s->c->arena, "%.*s", (int)(end - begin - 1), begin + 1);
}

static const char *own_remedy(struct journey *j, const struct chain *place)
{
	const char *network = policy_network(j, place->name);

	if (network)
		return arena_printf(
			&j->s->c->arena,
			"that is the policy of network %s: change what its configuration asks of the firewall plugin, and attach its containers anew",
			network);
	if (!strcmp(place->name, "guard"))
		return "that port, or address, is not for other machines: publish it on another address of the host (or without \"strictHostIP\")";
	if (!strcmp(place->name, "spoof_check"))
		return "the container sends with another MAC than it was given (\"macspoofchk\")";
	return arena_printf(&j->s->c->arena, "a rule of yours: `nft -a list chain inet plumb %s` shows its handle", place->name);
}

static bool is_iptables(const struct chain *c)
{
	static const char *const tables[] = { "filter", "nat", "mangle", "raw", "security" };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!strcmp(c->table, tables[i]) && (!strcmp(c->family, "ip") || !strcmp(c->family, "ip6")))
			return true;
	return strstr(c->table, " of iptables-legacy") != NULL;
}

/* The network's side of it: what to let pass. */
static const char *network_link(struct journey *j)
{
	for_list (const struct seen_network, n, &j->s->networks) {
		const char *name = n->link ? n->link->link.name : NULL;

		if (name && ((j->p.out && !strcmp(name, j->p.out)) || (j->p.in && !strcmp(name, j->p.in))))
			return name;
	}
	return j->p.out ? j->p.out : j->p.in;
}

static const char *foreign_remedy(struct journey *j, const struct chain *base)
{
	const char *link = network_link(j), *chain = base->name;
	struct arena *a = &j->s->c->arena;

	if (!link)
		return NULL;
	if (!strcmp(base->table, "firewalld"))
		return arena_printf(a, "firewalld: bind the link to a zone, firewall-cmd --zone=trusted --change-interface=%s", link);
	if (is_iptables(base)) {
		const char *program = strstr(base->table, "legacy") ? base->program : !strcmp(base->family, "ip") ? "iptables" : "ip6tables";

		if (rules_chain(j->rs, base->family, base->table, "DOCKER-USER") && !strcmp(chain, "FORWARD"))
			chain = "DOCKER-USER";
		return arena_printf(a, "accept the network's link there, both ways: %s -I %s -i %s -j ACCEPT; %s -I %s -o %s -j ACCEPT", program,
				    chain, link, program, chain, link);
	}
	return arena_printf(
		a,
		"accept the network's link there, both ways: nft insert rule %s %s %s iifname %s accept; nft insert rule %s %s %s oifname %s accept",
		base->family, base->table, chain, link, base->family, base->table, chain, link);
}

/* A place of its own for what only may be so. */
static bool judge(struct journey *j, const struct ruling *r, const char *family)
{
	const char *remedy;

	if (!r->by)
		return true;
	remedy = chain_is_ours(r->chain) ? own_remedy(j, r->place) : foreign_remedy(j, r->chain);
	if (!j->rule || r->dropped) {
		j->rule = r->by;
		j->dropper = r->chain;
	}
	if (r->dropped)
		return stage_bad(j, remedy, "%s%s by %s", j->answers ? "the answer is " : "", r->rejected ? "rejected" : "dropped", r->by);
	return stage_maybe(j, remedy, "%smay be %s by %s%s", j->answers ? "the answer " : "", r->rejected ? "rejected" : "dropped", r->by,
			   family ? "" : " (it depends on what cannot be told from here)");
}

/* ---- Translated ---- */

static const char *way_of_publishing(const char *map)
{
	static const struct { const char *begin, *words; } ways[] = {
		{ "publish_range_any", "in a range of ports published on any address of the host" },
		{ "publish_range", "in a range of ports published on exactly this address" },
		{ "publish_if_any", "published on any address of the host, under conditions, which are met" },
		{ "publish_if", "published on exactly this address, under conditions, which are met" },
		{ "publish_any", "published on any address of the host" },
		{ "publish", "published on exactly this address" },
	};

	for (size_t i = 0; map && i < ARRAY_LEN(ways); i++)
		if (!strncmp(map, ways[i].begin, strlen(ways[i].begin)))
			return ways[i].words;
	return NULL;
}

static void tell_translation(struct journey *j, const struct ruling *r)
{
	const char *way = way_of_publishing(r->map), *place = place_text(j->s->c, &j->p.to, j->p.port);
	char owner[300] = "";

	if (!r->translation)
		return;
	j->published = true;
	if (r->owner)
		attach_describe(r->owner, owner, sizeof owner);
	if (way)
		stage_good(j, "%s: translated to %s%s%s (nftables map %s)", way, place, *owner ? ", for " : "", owner, r->map);
	else
		stage_good(j, "translated to %s by %s", place, r->translation);
}

/* Whether an element of a gate is about the port: conditions then were not met, as nothing was translated. */
static bool has_gate(struct journey *j, const char *name)
{
	const struct elements *s = rules_set(j->rs, "inet", "plumb", name);
	json_t *pair;
	size_t i;

	json_array_foreach(s ? s->list : NULL, i, pair) {
		const json_t *key = json_object_get(json_object_get(json_array_get(pair, 0), "elem"), "val"),
			     *concat = json_object_get(key, "concat");
		size_t n = json_array_size(concat);
		const char *protocol = n > 1 ? json_string_value(json_array_get(concat, n - 2)) : NULL;

		if (protocol && !strcmp(protocol, protocol_name(j->p.protocol)) && json_integer_value(json_array_get(concat, n - 1)) == j->p.port)
			return true;
	}
	return false;
}

static void tell_gate(struct journey *j)
{
	static const char *const gates[] = { "gate4", "gate_any4", "gate6", "gate_any6" };

	for (size_t i = 0; i < ARRAY_LEN(gates); i++)
		if (has_gate(j, gates[i])) {
			stage_note(j,
				   "the port is published under conditions (allowFrom, conditionsV4, conditionsV6), which this connection does not "
				   "meet (nftables map %s)",
				   gates[i]);
			return;
		}
}

bool journey_passes(struct journey *j, const char *hook, const char *family, const char *what)
{
	bool translates = !strcmp(hook, "prerouting") || !strcmp(hook, "output");
	struct ruling r = { 0 };
	bool passes = rules_pass(j->rs, hook, family, &j->p, &r);

	if (translates && !family && passes && !j->answers) {
		tell_translation(j, &r);
		if (!r.translation)
			tell_gate(j);
	}
	if (!judge(j, &r, family) || !passes)
		return false;
	if (what && !r.by)
		stage_good(j, "%s: no rule drops it", what);
	return true;
}

/* ---- The answer ---- */

/* to: who asked. */
static bool answer_passes(struct journey *j, struct addr to)
{
	bool filtered = j->bridged && sysctl_number(0, "net/bridge/bridge-nf-call-%s", j->p.family == AF_INET ? "iptables" : "ip6tables");

	if (j->bridged)
		return !filtered || journey_passes(j, "forward", NULL, NULL);
	if (!journey_passes(j, "prerouting", NULL, NULL))       /* where it still is for the host's address, if that stood in */
		return false;
	j->p.to = to;
	return journey_passes(j, j->trip.origin == FROM_HOST ? "input" : "forward", NULL, NULL) &&
	       (j->trip.origin == FROM_HOST || journey_passes(j, "postrouting", NULL, NULL));
}

bool journey_comes_back(struct journey *j)
{
	struct packet there = j->p;
	enum outcome before = j->outcome;
	bool passes, by_host = !there.out;

	j->p.from = there.to;
	j->p.to = there.from;
	j->p.in = there.out;
	j->p.out = j->trip.origin == FROM_HOST && !by_host ? NULL : there.in;
	j->p.answer = j->answers = true;
	passes = by_host ? journey_passes(j, "output", NULL, NULL) && journey_passes(j, "postrouting", NULL, NULL)
	                 : answer_passes(j, addr_is_set(&j->asker) ? j->asker : there.from);
	if (passes && j->outcome == before)
		stage_good(j, "the answer comes back: no rule drops it");
	j->p = there;
	j->answers = false;
	return passes;
}
