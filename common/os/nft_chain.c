/* The one kind of chain that is made at run time, its rules built of netlink expressions. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "os/nft.h"
#include "os/nft_message.h"

enum { IPV4_DADDR = 16, IPV6_DADDR = 24 };      /* where a packet's destination is in its network header */

static void put_be32(struct nl_msg *m, int attr, uint32_t v)
{
	nla_put_u32(m, attr, htonl(v));
}

/* An expression is a name and its attributes: expr_begin, nla_put…, expr_end. */
struct expr {
	struct nlattr *item, *data;
};

static struct expr expr_begin(struct nl_msg *m, const char *name)
{
	struct expr x = { .item = nla_nest_start(m, NFTA_LIST_ELEM | NLA_F_NESTED) };

	nla_put_string(m, NFTA_EXPR_NAME, name);
	x.data = nla_nest_start(m, NFTA_EXPR_DATA | NLA_F_NESTED);
	return x;
}

static void expr_end(struct nl_msg *m, struct expr x)
{
	nla_nest_end_keep_empty(m, x.data);
	nla_nest_end(m, x.item);
}

static void put_cmp_eq(struct nl_msg *m, const void *value, size_t len)
{
	struct expr x = expr_begin(m, "cmp");
	struct nft_bytes b = { .len = len };

	memcpy(b.bytes, value, len);
	put_be32(m, NFTA_CMP_SREG, NFT_REG_1);
	put_be32(m, NFTA_CMP_OP, NFT_CMP_EQ);
	nft_put_data(m, NFTA_CMP_DATA, &b);
	expr_end(m, x);
}

/* `ip daddr` is only shown as such where the rule says first that it is about IPv4. */
static void put_family(struct nl_msg *m, int family)
{
	struct expr x = expr_begin(m, "meta");
	uint8_t nfproto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	put_be32(m, NFTA_META_DREG, NFT_REG_1);
	put_be32(m, NFTA_META_KEY, NFT_META_NFPROTO);
	expr_end(m, x);
	put_cmp_eq(m, &nfproto, 1);
}

static void put_daddr_in(struct nl_msg *m, const struct prefix *subnet)
{
	struct prefix ones = { .addr.family = subnet->addr.family, .len = subnet->len }, net = prefix_network(subnet);
	size_t len = addr_size(subnet->addr.family);
	struct nft_bytes mask = { .len = len }, none = { .len = len };
	struct expr x = expr_begin(m, "payload");

	memset(ones.addr.bytes, 0xff, len);
	addr_mask(&ones.addr, subnet->len);
	memcpy(mask.bytes, ones.addr.bytes, len);
	put_be32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_be32(m, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_be32(m, NFTA_PAYLOAD_OFFSET, len == 4 ? IPV4_DADDR : IPV6_DADDR);
	put_be32(m, NFTA_PAYLOAD_LEN, len);
	expr_end(m, x);
	if (subnet->len < len * 8) {
		x = expr_begin(m, "bitwise");
		put_be32(m, NFTA_BITWISE_SREG, NFT_REG_1);
		put_be32(m, NFTA_BITWISE_DREG, NFT_REG_1);
		put_be32(m, NFTA_BITWISE_LEN, len);
		nft_put_data(m, NFTA_BITWISE_MASK, &mask);
		nft_put_data(m, NFTA_BITWISE_XOR, &none);
		expr_end(m, x);
	}
	put_cmp_eq(m, net.addr.bytes, len);
}

static void put_return(struct nl_msg *m)
{
	struct expr x = expr_begin(m, "immediate");

	put_be32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nft_put_verdict(m, NFTA_IMMEDIATE_DATA, NFT_RETURN, NULL);
	expr_end(m, x);
}

static struct nl_msg *chain_request(int type, int flags, const struct nft_table *table, const char *chain)
{
	struct nl_msg *m = nft_request(type, flags, table->family);

	if (m) {
		nla_put_string(m, NFTA_CHAIN_TABLE, table->name);
		nla_put_string(m, NFTA_CHAIN_NAME, chain);
	}
	return m;
}

static struct nl_msg *rule_request(int type, int flags, const struct nft_table *table, const char *chain)
{
	struct nl_msg *m = nft_request(type, flags, table->family);

	if (m) {
		nla_put_string(m, NFTA_RULE_TABLE, table->name);
		nla_put_string(m, NFTA_RULE_CHAIN, chain);
	}
	return m;
}

void nft_add_masq_chain(struct nft *nft, const struct nft_table *table, const char *chain, const struct prefix *subnet)
{
	struct nl_msg *own, *masq;
	struct nlattr *list;

	nft_change(nft, chain_request(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, table, chain));
	own = rule_request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, chain);
	if (own) {
		list = nla_nest_start(own, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
		put_family(own, subnet->addr.family);
		put_daddr_in(own, subnet);
		put_return(own);
		nla_nest_end(own, list);
	}
	nft_change(nft, own);
	masq = rule_request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, chain);
	if (masq) {
		list = nla_nest_start(masq, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
		expr_end(masq, expr_begin(masq, "masq"));
		nla_nest_end(masq, list);
	}
	nft_change(nft, masq);
}

void nft_remove_chain(struct nft *nft, const struct nft_table *table, const char *chain)
{
	nft_change(nft, rule_request(NFT_MSG_DELRULE, 0, table, chain));       /* all of its rules */
	nft_change(nft, chain_request(NFT_MSG_DELCHAIN, 0, table, chain));
}
