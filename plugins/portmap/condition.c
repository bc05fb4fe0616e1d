/* conditionsV4, conditionsV6 and allowFrom: what a connection must be like to get to the container. A port with conditions leads to a chain first, a gate,
 * that lets go on to publish_if what meets them. The words are read, not passed on: nothing that a configuration says becomes a rule unread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "portmap/portmap.h"

/* ---- Words ---- */

struct words {
	struct cni_call *c;
	const char      *key;           /* the configuration's, for complaints */
	int              family;
	char            *rest;
	char            *word;          /* the one at hand; NULL: the end */
};

static void next(struct words *w)
{
	while ((w->word = strsep(&w->rest, " \t,\"'{}")) && !*w->word)
		;
}

static bool is(const struct words *w, const char *a, const char *b)
{
	return w->word && (!strcmp(w->word, a) || (b && !strcmp(w->word, b)));
}

static int refuse(struct words *w, const char *why)
{
	err_set(&w->c->err, CNI_UNSUPPORTED_FIELD, -EINVAL, "%s: \"%s\": %s", w->key, w->word ? w->word : "", why);
	err_detail(&w->c->err, "want conditions such as \"%s saddr != 192.0.2.0/24\", \"%s daddr …\" or \"iifname eth0\" (of iptables: -s, -d, -i, with ! before them)",
	           w->family == AF_INET ? "ip" : "ip6", w->family == AF_INET ? "ip" : "ip6");
	return -EINVAL;
}

/* Addresses and subnets, as many as there are. */
static int read_prefixes(struct words *w, struct condition *out)
{
	struct prefix p;

	for (;; next(w)) {
		struct prefix *slot;

		if (w->word && !strchr(w->word, '/') && addr_parse(w->word, &p.addr))
			p.len = addr_size(p.addr.family) * 8;
		else if (!w->word || !prefix_parse(w->word, &p))
			break;
		if (p.addr.family != w->family)
			return refuse(w, "an address of the other family");
		slot = arena_push(&w->c->arena, &out->prefixes.items, &out->prefixes.count, sizeof *slot);
		if (!slot)
			return err_nomem(&w->c->err, w->key);
		*slot = p;
	}
	return out->prefixes.count ? 0 : refuse(w, "want an address or a subnet here");
}

/* iptables writes '+' where nft writes '*'. */
static int read_link(struct words *w, struct condition *out)
{
	size_t len = w->word ? strlen(w->word) : 0;

	if (len == 0 || len >= IFNAME_SIZE)
		return refuse(w, "want an interface's name here");
	out->link = w->word;
	if (w->word[len - 1] == '+')
		w->word[len - 1] = '*';
	next(w);
	return 0;
}

static int read_condition(struct words *w, struct condition *out)
{
	const char *family = w->family == AF_INET ? "ip" : "ip6";
	bool link = false;

	if (is(w, "!", NULL)) {
		out->other = true;
		next(w);
	}
	if (is(w, family, "meta"))
		next(w);
	if (is(w, "saddr", "-s") || is(w, "--source", "--src"))
		out->side = NFT_SOURCE;
	else if (is(w, "daddr", "-d") || is(w, "--destination", "--dst"))
		out->side = NFT_DESTINATION;
	else if (is(w, "iifname", "-i") || is(w, "iif", "--in-interface"))
		link = true;
	else
		return refuse(w, "no condition that is known here");
	next(w);
	if (is(w, "!", "!=")) {
		out->other = !out->other;
		next(w);
	} else if (is(w, "==", "=")) {
		next(w);
	}
	return link ? read_link(w, out) : read_prefixes(w, out);
}

/* The words one after the other, a space between them; NULL: no memory. */
static char *words_join(struct arena *a, const struct list *words)
{
	size_t size = 1;
	char *all, *at;

	for_list (const char *, word, words)
		size += *word ? strlen(*word) + 1 : 0;
	at = all = arena_alloc(a, size);
	for_list (const char *, word, words)
		if (all && *word)
			at = stpcpy(stpcpy(at, *word), " ");
	return all;
}

int conditions_read(struct cni_call *c, const char *key, int family, const struct list *words, struct list *out)
{
	struct words w = { .c = c, .key = key, .family = family, .rest = words_join(&c->arena, words) };
	size_t several = 0;

	if (!w.rest)
		return err_nomem(&c->err, key);
	for (next(&w); w.word;) {
		struct condition *one = arena_push(&c->arena, &out->items, &out->count, sizeof *one);
		int r;

		if (!one)
			return err_nomem(&c->err, key);
		if ((r = read_condition(&w, one)) < 0)
			return r;
		several += one->prefixes.count > 1 && !one->other;
	}
	if (several > 1)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "%s: more than one list of several addresses; give all but one of them as a single subnet each", key);
	return 0;
}

/* ---- Gates ---- */

static const struct list *conditions_of(const struct cni_call *c, int family)
{
	const struct portmap_conf *conf = c->conf;

	return family == AF_INET ? &conf->gates4 : &conf->gates6;
}

bool mapping_is_gated(const struct cni_call *c, const struct mapping *m, int family)
{
	return m->allow_from.count > 0 || conditions_of(c, family)->count > 0;
}

void gate_name(const struct cni_call *c, const struct mapping *m, int family, char out[NFT_NAME])
{
	uint64_t h = hash_prefixes(hash_strings(family == AF_INET ? "4" : "6", NULL), &m->allow_from);

	for_list (const struct condition, one, conditions_of(c, family)) {
		char text[64];

		snprintf(text, sizeof text, "%016llx %d%d%s", (unsigned long long)h, one->side, one->other, one->link ? one->link : "");
		h = hash_prefixes(hash_strings(text, NULL), &one->prefixes);
	}
	snprintf(out, NFT_NAME, "gate_%016llx", (unsigned long long)h);
}

struct gate {
	const struct cni_call *c;
	const struct mapping  *m;
	int                    family;
};

static void turn_away(struct nft *nft, const char *chain, const struct condition *one, const struct prefix *p, bool other)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	if (p)
		match_address(&r, one->side, p, other);
	else
		match_link(&r, NFT_SOURCE, one->link, other);
	do_verdict(&r, NFT_RETURN, NULL);
	rule_end(&r);
}

/* In a gate, to leave early is to be turned away: what is not to come, and what is not from the one place where it must come from. */
static void write_condition(struct nft *nft, const char *chain, const struct condition *one)
{
	if (one->link)
		turn_away(nft, chain, one, NULL, !one->other);
	else if (one->other)
		for_list (const struct prefix, p, &one->prefixes)
			turn_away(nft, chain, one, p, false);
	else if (one->prefixes.count == 1)
		turn_away(nft, chain, one, one->prefixes.items, true);
}

static void let_in(struct nft *nft, const char *chain, const struct prefix *from, enum nft_side side, const struct prefix *also)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	if (from)
		match_address(&r, NFT_SOURCE, from, false);
	if (also)
		match_address(&r, side, also, false);
	do_verdict(&r, NFT_GOTO, "publish_if");
	rule_end(&r);
}

/* The one condition of several places, of which one must be met, is with what lets in at the end. */
static void let_in_from(struct nft *nft, const char *chain, const struct prefix *from, const struct condition *several)
{
	if (!several)
		let_in(nft, chain, from, NFT_SOURCE, NULL);
	else
		for_list (const struct prefix, p, &several->prefixes)
			let_in(nft, chain, from, several->side, p);
}

static void write_gate(struct nft *nft, const char *chain, const void *gate)
{
	const struct gate *g = gate;
	const struct condition *several = NULL;

	for_list (const struct condition, one, conditions_of(g->c, g->family)) {
		write_condition(nft, chain, one);
		if (!one->other && one->prefixes.count > 1)
			several = one;
	}
	if (g->m->allow_from.count == 0)
		let_in_from(nft, chain, NULL, several);
	for_list (const struct prefix, p, &g->m->allow_from)
		if (p->addr.family == g->family)
			let_in_from(nft, chain, p, several);
}

bool gate_is_shut(const struct mapping *m, int family)
{
	bool open = m->allow_from.count == 0;

	for_list (const struct prefix, p, &m->allow_from)
		open |= p->addr.family == family;
	return !open;
}

int gate_ensure(struct cni_call *c, struct nft *nft, const struct mapping *m, int family)
{
	struct gate g = { c, m, family };
	char name[NFT_NAME];

	gate_name(c, m, family, name);
	return nft_chain_ensure(nft, &nft_inet, name, write_gate, &g, &c->err);
}
