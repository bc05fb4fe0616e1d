/* Other programs' tables. An accept of ours ends nothing for others: a chain of theirs at the same hook that drops, drops. We only read them, to tell, unless
 * "foreignFirewall" is "accept": then two rules at the head of such a chain let the network's link pass. Docker has DOCKER-USER for that. */
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "firewall/firewall.h"
#include "os/nft_rule.h"

struct drop_chain {
	struct nft_table table;
	const char      *chain;         /* where a rule of ours goes */
};

struct survey {
	struct cni_call *c;
	struct nft      *nft;
	struct list      drops;         /* of struct drop_chain */
	bool             policy;        /* a chain of the network's policy is there: it has containers */
};

static int note_drop(const struct nft_chain_seen *seen, void *survey)
{
	struct survey *s = survey;
	struct drop_chain *d;
	bool ip = seen->family == NFPROTO_IPV4 || seen->family == NFPROTO_IPV6 || seen->family == NFPROTO_INET;

	if (!strcmp(seen->table, nft_inet.name) && policy_chain_is_of(s->c, seen->name))
		s->policy = true;
	if (!ip || !seen->forwards_filtered || !seen->drops || !strcmp(seen->table, nft_inet.name))
		return 0;
	d = arena_push(&s->c->arena, &s->drops.items, &s->drops.count, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->table = (struct nft_table){ .family = seen->family, .name = arena_strdup(&s->c->arena, seen->table) };
	d->chain = arena_strdup(&s->c->arena, seen->name);
	return 0;
}

static int note_docker_user(const struct nft_chain_seen *seen, void *survey)
{
	struct survey *s = survey;

	for_list (struct drop_chain, d, &s->drops)
		if (d->table.family == seen->family && !strcmp(d->table.name, seen->table) && !strcmp(seen->name, "DOCKER-USER"))
			d->chain = "DOCKER-USER";
	return 0;
}

static int survey(struct survey *s)
{
	int r = nft_chain_each(s->nft, note_drop, s, &s->c->err);

	return r < 0 ? r : nft_chain_each(s->nft, note_docker_user, s, &s->c->err);
}

/* ---- Ours among their rules ---- */

struct ours {
	const char *comment;
	uint64_t    handles[4];
	size_t      count;
};

static int note_ours(const struct nft_rule_seen *rule, void *ours)
{
	struct ours *o = ours;

	if (!strcmp(rule->comment, o->comment) && o->count < ARRAY_LEN(o->handles))
		o->handles[o->count++] = rule->handle;
	return 0;
}

static const char *comment_of(struct cni_call *c, char out[NFT_COMMENT])
{
	snprintf(out, NFT_COMMENT, "plumb network %.100s", c->who.network);
	return out;
}

static int accept_in(struct survey *s, const struct drop_chain *d, const char *link)
{
	static const enum nft_side sides[] = { NFT_SOURCE, NFT_DESTINATION };
	char comment[NFT_COMMENT];
	struct ours ours = { .comment = comment_of(s->c, comment) };
	int r = nft_rule_each(s->nft, &d->table, d->chain, note_ours, &ours, &s->c->err);

	for (size_t i = 0; i < ARRAY_LEN(sides) && r == 0 && ours.count == 0; i++) {
		struct nft_rule rule = rule_begin_first(s->nft, &d->table, d->chain, comment);

		match_link(&rule, sides[i], link, false);
		do_verdict(&rule, NF_ACCEPT, NULL);
		rule_end(&rule);
	}
	return r;
}

static int accept_all(struct nft *nft, void *call)
{
	struct survey s = { .c = call, .nft = nft };
	int r = survey(&s);

	for_list (const struct drop_chain, d, &s.drops)
		if (r == 0)
			r = accept_in(&s, d, network_link(call));
	return r;
}

static bool is_wanted(const struct cni_call *c)
{
	const struct firewall_conf *conf = c->conf;

	return conf->foreign && !strcmp(conf->foreign, "accept");
}

/* The table of the transaction is ours, whose policy chain says that the network has containers; the rules are elsewhere. */
int foreign_accept(struct cni_call *c)
{
	return is_wanted(c) && network_link(c) ? nft_change_foreign(c, accept_all, c) : 0;
}

static int leave_all(struct nft *nft, void *call)
{
	struct cni_call *c = call;
	struct survey s = { .c = c, .nft = nft };
	char comment[NFT_COMMENT];
	int r = survey(&s);

	if (r < 0 || s.policy)
		return r;
	for_list (const struct drop_chain, d, &s.drops) {
		struct ours ours = { .comment = comment_of(c, comment) };

		if (r == 0)
			r = nft_rule_each(nft, &d->table, d->chain, note_ours, &ours, &c->err);
		for (size_t i = 0; i < ours.count && r == 0; i++)
			nft_rule_remove(nft, &d->table, d->chain, ours.handles[i]);
	}
	return r;
}

int foreign_leave(struct cni_call *c)
{
	return is_wanted(c) ? nft_change_foreign(c, leave_all, c) : 0;
}

/* ---- Telling ---- */

static int tell_all(struct nft *nft, void *call)
{
	static const char *const families[] = { [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6", [NFPROTO_INET] = "inet" };
	struct cni_call *c = call;
	struct survey s = { .c = c, .nft = nft };
	char comment[NFT_COMMENT];
	int r = survey(&s);

	for_list (const struct drop_chain, d, &s.drops) {
		struct ours ours = { .comment = comment_of(c, comment) };

		if (r == 0)
			r = nft_rule_each(nft, &d->table, d->chain, note_ours, &ours, &c->err);
		if (r == 0 && ours.count == 0)
			fprintf(stderr, "firewall: nftables table %s %s drops what is forwarded and not accepted there: containers of network %s may be cut off; accept "
			        "their link in chain %s, or set \"foreignFirewall\": \"accept\"\n", families[d->table.family], d->table.name, c->who.network, d->chain);
	}
	return r;
}

int foreign_tell(struct cni_call *c)
{
	return nft_change_foreign(c, tell_all, c);
}
