/* Chains that are made at run time. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

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
	struct nlattr *a = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_USE);

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) && a)
		*(int *)use = (int)ntohl(nla_get_u32(a));
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
	int count = 0, r = netlink_dump(&nft->nl, rules_request(NFT_MSG_GETRULE, 0, table, chain), count_rule, &count);

	if (r == -ENOENT)
		return r;
	return r < 0 ? netlink_refused(&nft->nl, e, r, "listing the rules of nftables chain %s", chain) : count;
}

/* Whether the batch makes it already. */
static bool is_made(const struct nft *nft, const char *chain)
{
	int left = (int)nft->batch.len;

	for (struct nlmsghdr *h = (void *)nft->batch.bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		struct nlattr *name = h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) ?
		                      nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_NAME) : NULL;

		if (name && !nla_strcmp(name, chain))
			return true;
	}
	return false;
}

/* What is there goes on record all the same: the record must do without others'. */
int nft_chain_ensure(struct nft *nft, const struct nft_table *table, const char *chain, nft_write *write, const void *arg, struct err *e)
{
	int use;

	if (is_made(nft, chain))
		return 0;
	use = nft_chain_use(nft, table, chain, e);
	if (use < 0 && use != -ENOENT)
		return use;
	nft->there = use >= 0;
	nft_change(nft, chain_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, table, chain), NFT_ADDS);
	write(nft, chain, arg);
	nft->there = false;
	return 0;
}

void nft_chain_remove(struct nft *nft, const struct nft_table *table, const char *chain)
{
	nft_change(nft, rules_request(NFT_MSG_DELRULE, 0, table, chain), NFT_REMOVES);          /* all of its rules */
	nft_change(nft, chain_request(NFT_MSG_DELCHAIN, 0, table, chain), NFT_REMOVES);
}
