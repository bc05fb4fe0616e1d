/* Chains that are made at run time. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "os/nft.h"
#include "os/nft_message.h"

static struct nl_msg *chain_request(int type, int flags, const struct nft_table *table, const char *chain)
{
	struct nl_msg *m = nft_request(type, flags, table->family);

	if (m) {
		nla_put_string(m, NFTA_CHAIN_TABLE, table->name);
		nla_put_string(m, NFTA_CHAIN_NAME, chain);
	}
	return m;
}

static struct nl_msg *rules_request(int type, int flags, const struct nft_table *table, const char *chain)
{
	struct nl_msg *m = nft_request(type, flags, table->family);

	if (m) {
		nla_put_string(m, NFTA_RULE_TABLE, table->name);
		nla_put_string(m, NFTA_RULE_CHAIN, chain);
	}
	return m;
}

static int note_use(struct nlmsghdr *h, void *use)
{
	struct nlattr *a = netlink_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_USE);

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) && a)
		*(int *)use = (int)(ntohl(netlink_u32(a)) & INT_MAX);
	return 0;
}

int nft_chain_use(struct nft *nft, const struct nft_table *table, const char *chain, struct err *e)
{
	int use = 0, r = netlink_get(&nft->nl, chain_request(NFT_MSG_GETCHAIN, 0, table, chain), note_use, &use);

	if (r == -ENOENT)
		return r;
	return r < 0 ? netlink_refused(&nft->nl, e, r, "looking nftables chain %s up", chain) : use;
}

static int count_rule(struct nlmsghdr *h, void *count)
{
	*(int *)count += h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE);
	return 0;
}

int nft_chain_rules(struct nft *nft, const struct nft_table *table, const char *chain, struct err *e)
{
	int count = 0, use = nft_chain_use(nft, table, chain, e), r;

	if (use <= 0)
		return use;                     /* of a chain that is not there a dump is empty, too */
	r = netlink_dump(&nft->nl, rules_request(NFT_MSG_GETRULE, 0, table, chain), count_rule, &count);
	return r < 0 ? netlink_refused(&nft->nl, e, r, "listing the rules of nftables chain %s", chain) : count;
}

/* Whether the batch makes it already. */
static bool is_made(const struct nft *nft, const char *chain)
{
	int left = (int)nft->batch.len;

	for (struct nlmsghdr *h = (void *)nft->batch.bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		struct nlattr *name = h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) ?
		                      netlink_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_NAME) : NULL;

		if (name && !strcmp(netlink_text(name), chain))
			return true;
	}
	return false;
}

/* What is there goes on record all the same: the record must do without others'. */
int nft_chain_ensure(struct nft *nft, const struct nft_table *table, const char *chain, nft_write *write, const void *arg, struct err *e)
{
	int rules;

	if (is_made(nft, chain))
		return 0;
	rules = nft_chain_rules(nft, table, chain, e);
	if (rules < 0 && rules != -ENOENT)
		return rules;
	nft->there = rules >= 0;
	nft_change(nft, chain_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, table, chain), NFT_ADDS);
	nft->there = rules > 0;                 /* one that somebody has flushed is written anew */
	write(nft, chain, arg);
	nft->there = false;
	return 0;
}

void nft_chain_remove(struct nft *nft, const struct nft_table *table, const char *chain)
{
	nft_change(nft, rules_request(NFT_MSG_DELRULE, 0, table, chain), NFT_REMOVES);          /* all of its rules */
	nft_change(nft, chain_request(NFT_MSG_DELCHAIN, 0, table, chain), NFT_REMOVES);
}

/* ---- Looking around ---- */

struct chain_walk {
	int (*each)(const struct nft_chain_seen *chain, void *arg);
	void *arg;
};

static int visit_chain(struct nlmsghdr *h, void *walk)
{
	struct nlattr *tb[NFTA_CHAIN_MAX + 1] = { 0 }, *hook[NFTA_HOOK_MAX + 1] = { 0 };
	struct chain_walk *w = walk;
	struct nft_chain_seen seen;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) || nlmsg_parse(h, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_MAX, NULL) < 0 ||
	    !tb[NFTA_CHAIN_TABLE] || !tb[NFTA_CHAIN_NAME])
		return 0;
	seen = (struct nft_chain_seen){
		.family = ((struct nfgenmsg *)nlmsg_data(h))->nfgen_family, .table = netlink_text(tb[NFTA_CHAIN_TABLE]), .name = netlink_text(tb[NFTA_CHAIN_NAME]),
	};
	if (tb[NFTA_CHAIN_HOOK] && nla_parse_nested(hook, NFTA_HOOK_MAX, tb[NFTA_CHAIN_HOOK], NULL) == 0 && hook[NFTA_HOOK_HOOKNUM])
		seen.forwards_filtered = ntohl(netlink_u32(hook[NFTA_HOOK_HOOKNUM])) == NF_INET_FORWARD && !strcmp(netlink_text(tb[NFTA_CHAIN_TYPE]), "filter");
	seen.drops = tb[NFTA_CHAIN_POLICY] && ntohl(netlink_u32(tb[NFTA_CHAIN_POLICY])) == NF_DROP;
	return w->each(&seen, w->arg);
}

int nft_chain_each(struct nft *nft, int (*each)(const struct nft_chain_seen *chain, void *arg), void *arg, struct err *e)
{
	struct chain_walk w = { each, arg };
	int r = netlink_dump(&nft->nl, nft_request(NFT_MSG_GETCHAIN, 0, NFPROTO_UNSPEC), visit_chain, &w);

	return r < 0 && !e->code ? netlink_refused(&nft->nl, e, r, "listing nftables chains") : r;
}

static int note_table_flags(struct nlmsghdr *h, void *flags)
{
	*(uint32_t *)flags = ntohl(netlink_u32(netlink_attr(h, sizeof(struct nfgenmsg), NFTA_TABLE_FLAGS)));
	return 0;
}

bool nft_table_is_owned(struct nft *nft, const struct nft_table *table)
{
	struct nl_msg *m = nft_request(NFT_MSG_GETTABLE, 0, table->family);
	uint32_t flags = 0;

	if (m)
		nla_put_string(m, NFTA_TABLE_NAME, table->name);
	return netlink_get(&nft->nl, m, note_table_flags, &flags) == 0 && flags & NFT_TABLE_F_OWNER;
}

struct rule_walk {
	int (*each)(const struct nft_rule_seen *rule, void *arg);
	void *arg;
};

/* A verdict: an attribute with NFTA_VERDICT_CODE and, for a jump, NFTA_VERDICT_CHAIN. */
static void read_verdict(struct nlattr *verdict, struct nft_rule_seen *out)
{
	struct nlattr *tb[NFTA_VERDICT_MAX + 1] = { 0 };

	if (!verdict || nla_parse_nested(tb, NFTA_VERDICT_MAX, verdict, NULL) < 0 || !tb[NFTA_VERDICT_CODE])
		return;
	out->verdict = (int)ntohl(netlink_u32(tb[NFTA_VERDICT_CODE]));
	snprintf(out->chain, sizeof out->chain, "%s", netlink_text(tb[NFTA_VERDICT_CHAIN]));
}

static void read_immediate(struct nlattr *data, struct nft_rule_seen *out)
{
	struct nlattr *tb[NFTA_IMMEDIATE_MAX + 1] = { 0 }, *value[NFTA_DATA_MAX + 1] = { 0 };

	if (nla_parse_nested(tb, NFTA_IMMEDIATE_MAX, data, NULL) == 0 && tb[NFTA_IMMEDIATE_DATA] &&
	    nla_parse_nested(value, NFTA_DATA_MAX, tb[NFTA_IMMEDIATE_DATA], NULL) == 0)
		read_verdict(value[NFTA_DATA_VERDICT], out);
}

/* iptables' matches and targets have their name first, in nftables too (NFTA_TARGET_NAME, NFTA_MATCH_NAME are both 1). */
static bool is_called(struct nlattr *data, const char *name)
{
	struct nlattr *tb[NFTA_TARGET_MAX + 1] = { 0 };

	return data && nla_parse_nested(tb, NFTA_TARGET_MAX, data, NULL) == 0 && !strcmp(netlink_text(tb[NFTA_TARGET_NAME]), name);
}

/* Whether what comes goes on from an expression whatever it is. Then what follows decides about all of it. */
static bool takes_all(struct nlattr *expression, struct nft_rule_seen *out)
{
	struct nlattr *tb[NFTA_EXPR_MAX + 1] = { 0 };
	const char *name;

	if (nla_parse_nested(tb, NFTA_EXPR_MAX, expression, NULL) < 0)
		return false;
	name = netlink_text(tb[NFTA_EXPR_NAME]);
	if (!strcmp(name, "immediate") && tb[NFTA_EXPR_DATA])
		read_immediate(tb[NFTA_EXPR_DATA], out);
	else if (!strcmp(name, "reject") || (!strcmp(name, "target") && is_called(tb[NFTA_EXPR_DATA], "REJECT")))
		out->verdict = NF_DROP;
	else
		return !strcmp(name, "counter") || !strcmp(name, "log") ||
		       (!strcmp(name, "match") && is_called(tb[NFTA_EXPR_DATA], "comment"));
	return true;
}

static void read_effect(struct nlattr *expressions, struct nft_rule_seen *out)
{
	struct nlattr *expression;
	int left;

	out->verdict = NFT_CONTINUE;
	if (!expressions)
		return;
	nla_for_each_nested(expression, expressions, left)
		if (!takes_all(expression, out))
			return;
}

static int visit_rule(struct nlmsghdr *h, void *walk)
{
	struct nlattr *tb[NFTA_RULE_MAX + 1] = { 0 };
	struct rule_walk *w = walk;
	struct nft_rule_seen seen = { .handle = 0 };
	uint64_t handle;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE) || nlmsg_parse(h, sizeof(struct nfgenmsg), tb, NFTA_RULE_MAX, NULL) < 0 ||
	    !tb[NFTA_RULE_HANDLE] || nla_len(tb[NFTA_RULE_HANDLE]) != sizeof handle)
		return 0;
	memcpy(&handle, nla_data(tb[NFTA_RULE_HANDLE]), sizeof handle);
	seen.handle = handle;
	nft_get_comment(seen.comment, tb[NFTA_RULE_USERDATA]);
	read_effect(tb[NFTA_RULE_EXPRESSIONS], &seen);
	return w->each(&seen, w->arg);
}

int nft_rule_each(struct nft *nft, const struct nft_table *table, const char *chain, int (*each)(const struct nft_rule_seen *rule, void *arg),
                  void *arg, struct err *e)
{
	struct rule_walk w = { each, arg };
	int r = netlink_dump(&nft->nl, rules_request(NFT_MSG_GETRULE, 0, table, chain), visit_rule, &w);

	if (r == -ENOENT)
		return 0;
	return r < 0 && !e->code ? netlink_refused(&nft->nl, e, r, "listing the rules of nftables chain %s", chain) : r;
}

void nft_rule_remove(struct nft *nft, const struct nft_table *table, const char *chain, uint64_t handle)
{
	struct nl_msg *m = rules_request(NFT_MSG_DELRULE, 0, table, chain);

	if (m)
		nla_put(m, NFTA_RULE_HANDLE, sizeof handle, &handle);
	nft_change(nft, m, NFT_REMOVES);
}
