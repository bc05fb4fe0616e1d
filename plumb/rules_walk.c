/* A packet's way through chains. Nothing certain follows from a rule that may or may not match: what it would do is noted, and the walk goes on as if
 * it had not. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "plumb.h"
#include "rules.h"

enum { DEPTH = 24, LOOKS = 1 << 20 };  /* jumps in a row; rules looked at in a base chain: the kernel has no loops, a file may */

enum step { STEP_ON, STEP_BACK, STEP_ACCEPT, STEP_DROP, STEP_REJECT, STEP_TRANSLATED };

struct walk {
	struct ruleset     *rs;
	struct packet      *p;
	struct ruling      *r;
	const struct chain *base;
	bool                may_accept;         /* a rule that may match would have accepted already */
	int                 depth, looks;
};

static enum step walk_chain(struct walk *w, const struct chain *chain, enum match sure);

static void note_drop(struct walk *w, const struct chain *chain, const struct rule *rule, bool certain, bool rejects)
{
	struct ruling *r = w->r;

	certain = certain && !w->may_accept;
	if (r->by && !certain)
		return;                         /* the first one is named */
	r->by = rule_words(w->rs, chain, rule);
	r->chain = w->base;
	r->place = chain;
	r->maybe = !certain;
	r->dropped = certain;
	r->rejected = rejects;
}

/* ---- What rules do ---- */

static enum step decide(struct walk *w, const struct chain *chain, const struct rule *rule, enum match sure, enum step what)
{
	if (what != STEP_ACCEPT)
		note_drop(w, chain, rule, sure == MATCH_YES, what == STEP_REJECT);
	else if (sure != MATCH_YES)
		w->may_accept = true;
	return sure != MATCH_YES ? STEP_ON : what != STEP_ACCEPT && !w->r->dropped ? STEP_ACCEPT : what;
}

static enum step go(struct walk *w, const struct chain *from, const json_t *jump, enum match sure, bool comes_back)
{
	const char *name = json_string_value(json_object_get(jump, "target"));
	const struct chain *to = rules_chain(w->rs, from->family, from->table, name);
	enum step s;

	if (!to || w->depth >= DEPTH)
		return STEP_ON;
	w->depth++;
	s = walk_chain(w, to, sure);
	w->depth--;
	if (sure != MATCH_YES)
		return STEP_ON;
	return s == STEP_ON || s == STEP_BACK ? (comes_back ? STEP_ON : STEP_BACK) : s;
}

static void set_target(struct packet *p, const json_t *target, const json_t *port)
{
	const json_t *concat = json_object_get(target, "concat"), *first = concat ? json_array_get(concat, 0) : target;
	const json_t *number = concat ? json_array_get(concat, 1) : port;
	struct addr a;

	if (json_is_string(first) && addr_parse(json_string_value(first), &a))
		p->to = a;
	if (json_is_integer(number))
		p->port = (uint16_t)json_integer_value(number);
	p->translated = true;
}

static bool family_fits(const json_t *nat, const struct packet *p)
{
	const char *family = json_string_value(json_object_get(nat, "family"));

	return !family || !strcmp(family, p->family == AF_INET ? "ip" : "ip6");
}

static enum step translate(struct walk *w, const struct chain *chain, const struct rule *rule, const json_t *nat, enum match sure)
{
	json_t *addr = json_object_get(nat, "addr"), *map = json_object_get(addr, "map"), *target = addr;
	const char *name = json_string_value(json_object_get(map, "data")), *owner = NULL;
	enum match m = map ? rules_look_up(w->rs, chain, map, w->p, &target, &owner) : MATCH_YES;

	if (!family_fits(nat, w->p) || m == MATCH_NO || sure != MATCH_YES || m == MATCH_MAYBE)
		return STEP_ON;
	set_target(w->p, target, json_object_get(nat, "port"));
	w->r->map = name && *name == '@' ? name + 1 : NULL;
	w->r->owner = owner;
	w->r->translation = rule_words(w->rs, chain, rule);
	return STEP_TRANSLATED;
}

static enum step change_source(struct walk *w, const json_t *nat, enum match sure)
{
	const char *text = json_string_value(json_object_get(nat, "addr"));

	if (sure != MATCH_YES || !family_fits(nat, w->p))
		return STEP_ON;
	w->r->leaves = true;
	if (text)
		addr_parse(text, &w->r->source);
	return STEP_TRANSLATED;
}

static enum step mangle(struct walk *w, const json_t *change, enum match sure)
{
	const json_t *payload = json_object_get(json_object_get(change, "key"), "payload");
	const char *field = json_string_value(json_object_get(payload, "field")), *value = json_string_value(json_object_get(change, "value"));
	struct addr a;

	if (sure == MATCH_YES && field && value && addr_parse(value, &a) && a.family == w->p->family) {
		if (!strcmp(field, "saddr"))
			w->p->from = a;
		else if (!strcmp(field, "daddr"))
			w->p->to = a;
	}
	return STEP_ON;
}

/* iptables' own matches and targets, where nft tells no more than their names. */
static enum step extension(struct walk *w, const struct chain *chain, const struct rule *rule, const json_t *xt, enum match *sure)
{
	const char *type = json_string_value(json_object_get(xt, "type")), *name = json_string_value(json_object_get(xt, "name"));

	if (!name || (type && !strcmp(type, "match") && strcmp(name, "comment") != 0))
		*sure = *sure == MATCH_YES ? MATCH_MAYBE : *sure;
	else if (type && !strcmp(type, "target") && !strcmp(name, "REJECT"))
		return decide(w, chain, rule, *sure, STEP_REJECT);
	else if (type && !strcmp(type, "target") && !strcmp(name, "MASQUERADE"))
		return change_source(w, NULL, *sure);
	return STEP_ON;
}

static enum step verdict(struct walk *w, const struct chain *chain, const struct rule *rule, const char *key, const json_t *arg, enum match sure)
{
	if (!strcmp(key, "accept"))
		return decide(w, chain, rule, sure, STEP_ACCEPT);
	if (!strcmp(key, "drop") || !strcmp(key, "reject"))
		return decide(w, chain, rule, sure, *key == 'd' ? STEP_DROP : STEP_REJECT);
	if (!strcmp(key, "queue"))
		return decide(w, chain, rule, MATCH_MAYBE, STEP_DROP);
	if (!strcmp(key, "jump") || !strcmp(key, "goto"))
		return go(w, chain, arg, sure, *key == 'j');
	if (!strcmp(key, "return") && sure == MATCH_YES)
		return STEP_BACK;
	if (!strcmp(key, "return"))
		w->may_accept = true;           /* what follows in this chain may not come to pass */
	return STEP_ON;
}

static enum step by_map(struct walk *w, const struct chain *chain, const struct rule *rule, const json_t *vmap, enum match *sure)
{
	const char *key, *owner = NULL;
	json_t *data = NULL;
	enum match m = rules_look_up(w->rs, chain, vmap, w->p, &data, &owner);

	if (m != MATCH_YES) {
		*sure = MATCH_NO;               /* a map without the key ends the rule; of one that may have it nothing follows */
		return STEP_ON;
	}
	key = json_object_iter_key(json_object_iter(data));
	return key ? verdict(w, chain, rule, key, json_object_get(data, key), *sure) : STEP_ON;
}

static bool is_one_of(const char *key, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(key, *names))
			return true;
	return false;
}

/* One statement of a rule. */
static enum step take(struct walk *w, const struct chain *chain, const struct rule *rule, const char *key, const json_t *arg, enum match *sure)
{
	static const char *const chancy[] = { "limit", "quota", "ct count", "synproxy", "tproxy", "socket", NULL };

	if (!strcmp(key, "match")) {
		enum match m = rules_match(w->rs, chain, arg, w->p);

		*sure = m < *sure ? m : *sure;
		return STEP_ON;
	}
	if (is_one_of(key, chancy)) {
		*sure = *sure == MATCH_YES ? MATCH_MAYBE : *sure;
		return STEP_ON;
	}
	if (!strcmp(key, "vmap"))
		return by_map(w, chain, rule, arg, sure);
	if (!strcmp(key, "xt"))
		return extension(w, chain, rule, arg, sure);
	if (!strcmp(key, "dnat"))
		return translate(w, chain, rule, arg, *sure);
	if (!strcmp(key, "snat") || !strcmp(key, "masquerade"))
		return change_source(w, arg, *sure);
	return !strcmp(key, "mangle") ? mangle(w, arg, *sure) : verdict(w, chain, rule, key, arg, *sure);
}

static enum step walk_rule(struct walk *w, const struct chain *chain, const struct rule *rule, enum match sure)
{
	enum step s = STEP_ON;
	json_t *statement;
	size_t i;

	json_array_foreach(rule->expr, i, statement) {
		const char *key = json_object_iter_key(json_object_iter(statement));

		if (s != STEP_ON || sure == MATCH_NO)
			break;
		if (key)
			s = take(w, chain, rule, key, json_object_get(statement, key), &sure);
	}
	return s;
}

static enum step walk_chain(struct walk *w, const struct chain *chain, enum match sure)
{
	for_list (const struct rule, rule, &chain->rules) {
		enum step s = walk_rule(w, chain, rule, sure);

		if (s != STEP_ON)
			return s;
		if (w->looks++ > LOOKS)
			break;
	}
	return STEP_ON;
}

/* ---- A hook ---- */

static bool concerns(const struct chain *c, const char *hook, const char *family, const struct packet *p)
{
	const char *own = p->family == AF_INET ? "ip" : "ip6";

	if (!c->hook || !c->type || strcmp(c->hook, hook) != 0)
		return false;
	return family ? !strcmp(c->family, family) : !strcmp(c->family, own) || !strcmp(c->family, "inet");
}

bool rules_pass(struct ruleset *rs, const char *hook, const char *family, struct packet *p, struct ruling *r)
{
	bool translated = false;        /* the first chain that does decides */

	for_list (const struct chain, c, &rs->chains) {
		struct walk w = { .rs = rs, .p = p, .r = r, .base = c };
		enum step s;

		if (!concerns(c, hook, family, p) || ((translated || p->answer) && !strcmp(c->type, "nat")))
			continue;
		s = walk_chain(&w, c, MATCH_YES);
		translated |= s == STEP_TRANSLATED;
		if ((s == STEP_ON || s == STEP_BACK) && c->drops)
			note_drop(&w, c, NULL, true, false);
		if (r->dropped)
			return false;
	}
	return true;
}
