#include "os/nft_rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "os/nft_message.h"

/* Where a packet's addresses are in its network header. */
enum { IPV4_SADDR = 12, IPV4_DADDR = 16, IPV6_SADDR = 8, IPV6_DADDR = 24 };

static struct nft_rule begin(struct nft *nft, int flags, const struct nft_table *table, const char *chain)
{
	struct nft_rule r = { .nft = nft, .m = nft_request(NFT_MSG_NEWRULE, NLM_F_CREATE | flags, table->family) };

	if (r.m) {
		nla_put_string(r.m, NFTA_RULE_TABLE, table->name);
		nla_put_string(r.m, NFTA_RULE_CHAIN, chain);
		r.list = nla_nest_start(r.m, NFTA_RULE_EXPRESSIONS | NLA_F_NESTED);
	}
	return r;
}

struct nft_rule rule_begin(struct nft *nft, const struct nft_table *table, const char *chain)
{
	return begin(nft, NLM_F_APPEND, table, chain);
}

struct nft_rule rule_begin_first(struct nft *nft, const struct nft_table *table, const char *chain, const char *comment)
{
	struct nft_rule r = begin(nft, 0, table, chain);

	r.comment = comment;
	return r;
}

void rule_end(struct nft_rule *r)
{
	if (r->m)
		nla_nest_end(r->m, r->list);
	if (r->m && r->comment)
		nft_put_comment(r->m, NFTA_RULE_USERDATA, r->comment);
	nft_change(r->nft, r->m, r->comment ? NFT_PASSES : NFT_ADDS);
	r->m = NULL;
}

/* ---- Expressions: a name and attributes ---- */

struct expr {
	struct nl_msg *m;
	struct nlattr *item, *data;
};

static struct expr expr_begin(struct nft_rule *r, const char *name)
{
	struct expr x = { .m = r->m };

	if (!x.m)
		return x;
	x.item = nla_nest_start(x.m, NFTA_LIST_ELEM | NLA_F_NESTED);
	nla_put_string(x.m, NFTA_EXPR_NAME, name);
	x.data = nla_nest_start(x.m, NFTA_EXPR_DATA | NLA_F_NESTED);
	return x;
}

static void expr_end(struct expr *x)
{
	if (!x->m)
		return;
	nla_nest_end_keep_empty(x->m, x->data);
	nla_nest_end(x->m, x->item);
}

static void put_number(struct expr *x, int attr, uint32_t v)
{
	if (x->m)
		nla_put_u32(x->m, attr, htonl(v));
}

static void put_bytes(struct expr *x, int attr, const void *value, size_t len)
{
	struct nft_bytes b = { .len = len };

	memcpy(b.bytes, value, len);
	if (x->m)
		nft_put_data(x->m, attr, &b);
}

/* ---- Matches: load something into register 1, compare ---- */

static void compare(struct nft_rule *r, bool other, const void *value, size_t len)
{
	struct expr x = expr_begin(r, "cmp");

	put_number(&x, NFTA_CMP_SREG, NFT_REG_1);
	put_number(&x, NFTA_CMP_OP, other ? NFT_CMP_NEQ : NFT_CMP_EQ);
	put_bytes(&x, NFTA_CMP_DATA, value, len);
	expr_end(&x);
}

static void mask(struct nft_rule *r, const void *mask, size_t len)
{
	static const uint8_t none[16];
	struct expr x = expr_begin(r, "bitwise");

	put_number(&x, NFTA_BITWISE_SREG, NFT_REG_1);
	put_number(&x, NFTA_BITWISE_DREG, NFT_REG_1);
	put_number(&x, NFTA_BITWISE_LEN, len);
	put_bytes(&x, NFTA_BITWISE_MASK, mask, len);
	put_bytes(&x, NFTA_BITWISE_XOR, none, len);
	expr_end(&x);
}

static void load_meta(struct nft_rule *r, int key)
{
	struct expr x = expr_begin(r, "meta");

	put_number(&x, NFTA_META_DREG, NFT_REG_1);
	put_number(&x, NFTA_META_KEY, key);
	expr_end(&x);
}

static void load_address(struct nft_rule *r, enum nft_side side, int family)
{
	struct expr x = expr_begin(r, "payload");
	bool v4 = family == AF_INET;

	put_number(&x, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(&x, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(&x, NFTA_PAYLOAD_OFFSET, side == NFT_SOURCE ? (v4 ? IPV4_SADDR : IPV6_SADDR) : (v4 ? IPV4_DADDR : IPV6_DADDR));
	put_number(&x, NFTA_PAYLOAD_LEN, addr_size(family));
	expr_end(&x);
}

/* nft shows `ip daddr` as such only where the rule says first that it is about IPv4. */
void match_family(struct nft_rule *r, int family)
{
	uint8_t nfproto = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	load_meta(r, NFT_META_NFPROTO);
	compare(r, false, &nfproto, 1);
}

void match_address(struct nft_rule *r, enum nft_side side, const struct prefix *p, bool other)
{
	size_t len = addr_size(p->addr.family);
	struct prefix net = prefix_network(p);
	struct addr ones = { .family = p->addr.family };

	memset(ones.bytes, 0xff, len);
	addr_mask(&ones, p->len);
	match_family(r, p->addr.family);
	load_address(r, side, p->addr.family);
	if (p->len < len * 8)
		mask(r, ones.bytes, len);
	compare(r, other, net.addr.bytes, len);
}

void match_address_set(struct nft_rule *r, enum nft_side side, int family, const char *set, bool other)
{
	struct expr x;

	match_family(r, family);
	load_address(r, side, family);
	x = expr_begin(r, "lookup");
	if (x.m)
		nla_put_string(x.m, NFTA_LOOKUP_SET, set);
	put_number(&x, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (other)
		put_number(&x, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	expr_end(&x);
}

void match_link(struct nft_rule *r, enum nft_side side, const char *name, bool other)
{
	char padded[16] = { 0 };
	size_t len = strlen(name);
	bool open = len > 0 && name[len - 1] == '*';

	strncpy(padded, name, sizeof padded - 1);
	load_meta(r, side == NFT_SOURCE ? NFT_META_IIFNAME : NFT_META_OIFNAME);
	compare(r, other, padded, open ? len - 1 : sizeof padded);
}

void match_published(struct nft_rule *r, bool other)
{
	static const uint32_t none;
	uint32_t translated = IPS_DST_NAT;
	struct expr x = expr_begin(r, "ct");

	put_number(&x, NFTA_CT_DREG, NFT_REG_1);
	put_number(&x, NFTA_CT_KEY, NFT_CT_STATUS);
	expr_end(&x);
	mask(r, &translated, sizeof translated);
	compare(r, !other, &none, sizeof none);
}

/* ---- What it does ---- */

void do_verdict(struct nft_rule *r, int code, const char *chain)
{
	struct expr x = expr_begin(r, "immediate");

	put_number(&x, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	if (x.m)
		nft_put_verdict(x.m, NFTA_IMMEDIATE_DATA, code, chain);
	expr_end(&x);
}

void do_log(struct nft_rule *r, const char *prefix)
{
	struct expr x = expr_begin(r, "log");

	if (x.m)
		nla_put_string(x.m, NFTA_LOG_PREFIX, prefix);
	expr_end(&x);
}

void do_masquerade(struct nft_rule *r, bool random_ports)
{
	struct expr x = expr_begin(r, "masq");

	if (random_ports)
		put_number(&x, NFTA_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	expr_end(&x);
}

void do_source(struct nft_rule *r, const struct addr *a, bool random_ports)
{
	struct expr x = expr_begin(r, "immediate");

	put_number(&x, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_bytes(&x, NFTA_IMMEDIATE_DATA, a->bytes, addr_size(a->family));
	expr_end(&x);
	x = expr_begin(r, "nat");
	put_number(&x, NFTA_NAT_TYPE, NFT_NAT_SNAT);
	put_number(&x, NFTA_NAT_FAMILY, a->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	put_number(&x, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (random_ports)
		put_number(&x, NFTA_NAT_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
	expr_end(&x);
}
