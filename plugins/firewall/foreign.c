/* Other programs' tables. An accept of ours ends nothing for others: a chain of theirs at the same hook that drops, drops. We only read them, to
 * tell, unless "foreignFirewall" is "accept": then two rules at the head of such a chain let the network's link pass. Docker has DOCKER-USER for
 * that. */
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "firewall/firewall.h"
#include "os/nft_rule.h"
#include "os/xtables.h"

enum { DEPTH = 8, LOOKS = 64 };         /* how far chains are followed, and how many of them */

struct foreign_chain {
	struct nft_table table;
	const char      *base;          /* the base chain that filters what is forwarded */
	const char      *chain;         /* where a rule of ours goes */
	bool             drops;         /* what no rule picks */
	bool             owned;         /* by a program that lets nobody else write in it */
};

struct survey {
	struct cni_call *c;
	struct nft      *nft;
	struct list      chains;        /* of struct foreign_chain */
	struct list      docker_user;   /* of struct nft_table: those with a chain DOCKER-USER */
	bool             policy;        /* a chain of the network's policy is there: it has containers */
	int              looks;
};

static int note_docker_user(struct survey *s, const struct nft_chain_seen *seen)
{
	struct nft_table *table = arena_push(&s->c->arena, &s->docker_user.items, &s->docker_user.count, sizeof *table);

	if (!table)
		return -ENOMEM;
	*table = (struct nft_table){ .family = seen->family, .name = arena_strdup(&s->c->arena, seen->table) };
	return table->name ? 0 : -ENOMEM;
}

static int note_forward(struct survey *s, const struct nft_chain_seen *seen)
{
	struct foreign_chain *f = arena_push(&s->c->arena, &s->chains.items, &s->chains.count, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->table = (struct nft_table){ .family = seen->family, .name = arena_strdup(&s->c->arena, seen->table) };
	f->base = f->chain = arena_strdup(&s->c->arena, seen->name);
	f->drops = seen->drops;
	return f->table.name && f->base ? 0 : -ENOMEM;
}

static int note_chain(const struct nft_chain_seen *seen, void *survey)
{
	struct survey *s = survey;
	bool ip = seen->family == NFPROTO_IPV4 || seen->family == NFPROTO_IPV6 || seen->family == NFPROTO_INET;

	if (!strcmp(seen->table, nft_inet.name)) {
		s->policy |= policy_chain_is_of(s->c, seen->name);
		return 0;
	}
	if (!strcmp(seen->name, "DOCKER-USER"))
		return note_docker_user(s, seen);
	return ip && seen->forwards_filtered ? note_forward(s, seen) : 0;
}

static bool table_is(const struct nft_table *a, const struct nft_table *b)
{
	return a->family == b->family && !strcmp(a->name, b->name);
}

/* ---- What becomes of a packet that no rule picks ---- */

struct step {
	int  verdict;
	char chain[NFT_NAME];
};

struct steps {
	struct arena *arena;
	struct list   list;             /* of struct step: the rules that take all */
};

static int note_step(const struct nft_rule_seen *rule, void *steps)
{
	struct steps *all = steps;
	struct step *step = rule->verdict == NFT_CONTINUE ? NULL : arena_push(all->arena, &all->list.items, &all->list.count, sizeof *step);

	if (step) {
		step->verdict = rule->verdict;
		snprintf(step->chain, sizeof step->chain, "%s", rule->chain);
	}
	return 0;
}

/* NF_ACCEPT, NF_DROP, or NFT_CONTINUE: the chain says nothing. */
static int chain_decides(struct survey *s, const struct nft_table *table, const char *chain, int depth)
{
	struct steps steps = { .arena = &s->c->arena };
	struct err ignored = { 0 };

	if (depth > DEPTH || s->looks++ > LOOKS || nft_rule_each(s->nft, table, chain, note_step, &steps, &ignored) < 0)
		return NFT_CONTINUE;
	for_list (const struct step, step, &steps.list) {
		int there = *step->chain ? chain_decides(s, table, step->chain, depth + 1) : step->verdict;

		if (there == NF_ACCEPT || there == NF_DROP)
			return there;
		if (step->verdict == NFT_RETURN || step->verdict == NFT_GOTO)
			break;
	}
	return NFT_CONTINUE;
}

/* firewalld's is none of our concern where the container is bound to a zone of it. */
static bool is_left_to_zone(struct cni_call *c, const struct foreign_chain *f)
{
	return !strcmp(f->table.name, "firewalld") && zone_is_wanted(c);
}

static int survey(struct survey *s)
{
	int r = nft_chain_each(s->nft, note_chain, s, &s->c->err);

	for_list (struct foreign_chain, f, &s->chains) {
		for_list (const struct nft_table, table, &s->docker_user)
			if (table_is(table, &f->table))
				f->chain = "DOCKER-USER";
		int verdict = r == 0 ? chain_decides(s, &f->table, f->base, 0) : NFT_CONTINUE;

		f->drops = (verdict == NFT_CONTINUE ? f->drops : verdict == NF_DROP) && !is_left_to_zone(s->c, f);
		f->owned = f->drops && nft_table_is_owned(s->nft, &f->table);
	}
	return r;
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

static int find_ours(struct survey *s, const struct foreign_chain *f, struct ours *ours)
{
	char *comment = arena_printf(&s->c->arena, "plumb network %.100s", s->c->who.network);

	if (!comment)
		return err_nomem(&s->c->err, "comment");
	*ours = (struct ours){ .comment = comment };
	return nft_rule_each(s->nft, &f->table, f->chain, note_ours, ours, &s->c->err);
}

static int accept_in(struct survey *s, const struct foreign_chain *f, const char *link)
{
	static const enum nft_side sides[] = { NFT_SOURCE, NFT_DESTINATION };
	struct ours ours;
	int r = find_ours(s, f, &ours);

	for (size_t i = 0; i < ARRAY_LEN(sides) && r == 0 && ours.count == 0; i++) {
		struct nft_rule rule = rule_begin_first(s->nft, &f->table, f->chain, ours.comment);

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

	for_list (const struct foreign_chain, f, &s.chains)
		if (r == 0 && f->drops && !f->owned)
			r = accept_in(&s, f, result_host_link(&s.c->prev));
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
	return is_wanted(c) && result_host_link(&c->prev) ? nft_change_foreign(c, accept_all, c) : 0;
}

/* Wherever a rule of ours may be: their chain may drop no more. */
static int leave_all(struct nft *nft, void *call)
{
	struct survey s = { .c = call, .nft = nft };
	int r = survey(&s);

	if (r < 0 || s.policy)
		return r;
	for_list (const struct foreign_chain, f, &s.chains) {
		struct ours ours = { .count = 0 };

		if (r == 0)
			r = find_ours(&s, f, &ours);
		for (size_t i = 0; i < ours.count && r == 0; i++)
			nft_rule_remove(nft, &f->table, f->chain, ours.handles[i]);
	}
	return r;
}

int foreign_leave(struct cni_call *c)
{
	return is_wanted(c) ? nft_change_foreign(c, leave_all, c) : 0;
}

/* ---- Telling ---- */

static const char *const families[] = { [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6", [NFPROTO_INET] = "inet" };

/* CHECK of a network that is to pass: what is to let it is missing. */
static int tell_missing(struct cni_call *c, const struct foreign_chain *f)
{
	err_set(&c->err, CNI_FAILED, -ENOENT, "nftables table %s %s, chain %s: the rules are missing that let network %s pass (\"foreignFirewall\": \"accept\")",
	        families[f->table.family], f->table.name, f->chain, c->who.network);
	err_detail(&c->err, "somebody has loaded or changed that table since; the next ADD on this network writes them again");
	return -ENOENT;
}

static void tell(const struct cni_call *c, const struct foreign_chain *f)
{
	const char *family = families[f->table.family], *remedy = "or set \"foreignFirewall\": \"accept\"";

	fprintf(stderr, "firewall: nftables table %s %s drops what is forwarded and not accepted there, by chain %s: containers of network %s may be cut off; ", family,
	        f->table.name, f->base, c->who.network);
	if (f->owned)
		fputs("the program that has made the table lets nobody else write in it: accept their link by its own means (firewalld: \"backend\": \"firewalld\")\n", stderr);
	else
		fprintf(stderr, "accept their link in chain %s%s%s\n", f->chain, is_wanted(c) ? "" : ", ", is_wanted(c) ? "" : remedy);
}

static int tell_all(struct nft *nft, void *call)
{
	struct cni_call *c = call;
	struct survey s = { .c = c, .nft = nft };
	int r = survey(&s);

	for_list (const struct foreign_chain, f, &s.chains) {
		struct ours ours = { .count = 0 };

		if (r < 0 || !f->drops || (r = find_ours(&s, f, &ours)) < 0 || ours.count > 0)
			continue;
		if (c->verb == VERB_CHECK && is_wanted(c) && !f->owned)
			r = tell_missing(c, f);
		else
			tell(c, f);
	}
	return r;
}

/* The tables of iptables-legacy are the kernel's, but not nftables': they are told of, and never written. */
static void tell_legacy(struct cni_call *c)
{
	static const struct { int family; const char *program; } kinds[] = { { AF_INET, "iptables-legacy" }, { AF_INET6, "ip6tables-legacy" } };
	const char *link = result_host_link(&c->prev) ? result_host_link(&c->prev) : "LINK";

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (xtables_forward_drops(kinds[i].family))
			fprintf(stderr, "firewall: %s, table filter, drops what is forwarded and not accepted there, by chain FORWARD: containers of network %s may be cut off; "
			        "accept their link: %s -I FORWARD -i %s -j ACCEPT; %s -I FORWARD -o %s -j ACCEPT\n",
			        kinds[i].program, c->who.network, kinds[i].program, link, kinds[i].program, link);
}

int foreign_tell(struct cni_call *c)
{
	tell_legacy(c);
	return nft_change_foreign(c, tell_all, c);
}
