/* Elements as messages, there and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "os/nft.h"
#include "os/nft_message.h"

enum { COMMENT_UDATA = 0 };             /* NFTNL_UDATA_SET_ELEM_COMMENT: where nft looks for an element's comment */

/* ---- Keys ---- */

void nft_put(struct nft_bytes *b, const void *field, size_t len)
{
	memcpy(b->bytes + b->len, field, len);
	b->len += (len + 3) / 4 * 4;
}

void nft_put_addr(struct nft_bytes *b, const struct addr *a)  { nft_put(b, a->bytes, addr_size(a->family)); }
void nft_put_u8(struct nft_bytes *b, uint8_t v)               { nft_put(b, &v, 1); }
void nft_put_mac(struct nft_bytes *b, const struct mac *m)    { nft_put(b, m->bytes, 6); }

void nft_put_port(struct nft_bytes *b, uint16_t port)
{
	uint16_t v = htons(port);

	nft_put(b, &v, 2);
}

void nft_put_ifname(struct nft_bytes *b, const char *name)
{
	char padded[16] = { 0 };

	strncpy(padded, name, sizeof padded - 1);
	nft_put(b, padded, sizeof padded);
}

/* ---- Messages ---- */

struct nl_msg *nft_request(int type, int flags, uint8_t family)
{
	struct nfgenmsg g = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return netlink_request(NFNL_SUBSYS_NFTABLES << 8 | type, flags, &g, sizeof g);
}

void nft_put_data(struct nl_msg *m, int attr, const struct nft_bytes *b)
{
	struct nlattr *nest = nla_nest_start(m, attr | NLA_F_NESTED);

	nla_put(m, NFTA_DATA_VALUE, b->len, b->bytes);
	nla_nest_end(m, nest);
}

void nft_put_verdict(struct nl_msg *m, int attr, int code, const char *chain)
{
	struct nlattr *data = nla_nest_start(m, attr | NLA_F_NESTED), *verdict = nla_nest_start(m, NFTA_DATA_VERDICT | NLA_F_NESTED);

	nla_put_u32(m, NFTA_VERDICT_CODE, htonl((uint32_t)code));
	if (chain)
		nla_put_string(m, NFTA_VERDICT_CHAIN, chain);
	nla_nest_end(m, verdict);
	nla_nest_end(m, data);
}

/* A comment is user data to the kernel: type, length, text with its end. */
void nft_put_comment(struct nl_msg *m, int attr, const char *comment)
{
	uint8_t udata[2 + NFT_COMMENT];
	size_t len = strlen(comment) + 1;

	if (len == 1)
		return;
	udata[0] = COMMENT_UDATA;
	udata[1] = len;
	memcpy(udata + 2, comment, len);
	nla_put(m, attr, len + 2, udata);
}

void nft_get_comment(char out[NFT_COMMENT], struct nlattr *udata)
{
	const uint8_t *p = udata ? nla_data(udata) : NULL;
	int left = udata ? nla_len(udata) : 0;

	for (out[0] = '\0'; left >= 2 && p[1] + 2 <= left; left -= p[1] + 2, p += p[1] + 2)
		if (p[0] == COMMENT_UDATA)
			snprintf(out, NFT_COMMENT, "%.*s", (int)p[1], (const char *)p + 2);
}

static void put_element(struct nl_msg *m, const struct nft_element *el, bool whole)
{
	struct nlattr *nest = nla_nest_start(m, NFTA_LIST_ELEM | NLA_F_NESTED);

	nft_put_data(m, NFTA_SET_ELEM_KEY, &el->key);
	if (el->key_end.len)
		nft_put_data(m, NFTA_SET_ELEM_KEY_END, &el->key_end);
	if (whole && el->chain[0])
		nft_put_verdict(m, NFTA_SET_ELEM_DATA, el->jump ? NFT_JUMP : NFT_GOTO, el->chain);
	else if (whole && el->value.len)
		nft_put_data(m, NFTA_SET_ELEM_DATA, &el->value);
	if (whole)
		nft_put_comment(m, NFTA_SET_ELEM_USERDATA, el->comment);
	nla_nest_end(m, nest);
}

static struct nl_msg *elements_request(int type, int flags, const struct nft_set *set, const struct nft_element *el, bool whole)
{
	struct nl_msg *m = nft_request(type, flags, set->table->family);
	struct nlattr *list;

	if (!m)
		return NULL;
	nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, set->table->name);
	nla_put_string(m, NFTA_SET_ELEM_LIST_SET, set->name);
	if (el) {
		list = nla_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
		put_element(m, el, whole);
		nla_nest_end(m, list);
	}
	return m;
}

/* ---- Reading ---- */

static void get_bytes(struct nft_bytes *out, struct nlattr *nested)
{
	struct nlattr *tb[NFTA_DATA_MAX + 1] = { 0 };

	out->len = 0;
	if (!nested || nla_parse_nested(tb, NFTA_DATA_MAX, nested, NULL) < 0 || !tb[NFTA_DATA_VALUE] ||
	    nla_len(tb[NFTA_DATA_VALUE]) > (int)sizeof out->bytes)
		return;
	out->len = nla_len(tb[NFTA_DATA_VALUE]);
	memcpy(out->bytes, nla_data(tb[NFTA_DATA_VALUE]), out->len);
}

static void get_chain(char out[NFT_NAME], struct nlattr *nested)
{
	struct nlattr *data[NFTA_DATA_MAX + 1] = { 0 }, *verdict[NFTA_VERDICT_MAX + 1] = { 0 };

	out[0] = '\0';
	if (nested && nla_parse_nested(data, NFTA_DATA_MAX, nested, NULL) == 0 && data[NFTA_DATA_VERDICT] &&
	    nla_parse_nested(verdict, NFTA_VERDICT_MAX, data[NFTA_DATA_VERDICT], NULL) == 0)
		snprintf(out, NFT_NAME, "%s", netlink_text(verdict[NFTA_VERDICT_CHAIN]));
}

struct walk {
	int (*each)(const struct nft_element *el, void *arg);
	void *arg;
};

static int visit(struct nlmsghdr *h, void *arg)
{
	struct nlattr *list, *one, *tb[NFTA_SET_ELEM_MAX + 1];
	struct walk *w = arg;
	int left, stop = 0;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return 0;
	list = netlink_attr(h, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	if (!list)
		return 0;
	nla_for_each_nested(one, list, left) {
		struct nft_element el = { .comment = "" };

		memset(tb, 0, sizeof tb);
		if (stop || nla_parse_nested(tb, NFTA_SET_ELEM_MAX, one, NULL) < 0)
			break;
		get_bytes(&el.key, tb[NFTA_SET_ELEM_KEY]);
		get_bytes(&el.key_end, tb[NFTA_SET_ELEM_KEY_END]);
		get_bytes(&el.value, tb[NFTA_SET_ELEM_DATA]);
		get_chain(el.chain, tb[NFTA_SET_ELEM_DATA]);
		nft_get_comment(el.comment, tb[NFTA_SET_ELEM_USERDATA]);
		stop = w->each(&el, w->arg);
	}
	return stop;
}

static int keep_element(const struct nft_element *el, void *out)
{
	*(struct nft_element *)out = *el;
	return 0;
}

int nft_find(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct err *e)
{
	struct walk w = { keep_element, el };
	int r = netlink_get(&nft->nl, elements_request(NFT_MSG_GETSETELEM, 0, set, el, false), visit, &w);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? netlink_refused(&nft->nl, e, r, "looking an element of nftables set %s up", set->name) : 1;
}

int nft_each(struct nft *nft, const struct nft_set *set, int (*each)(const struct nft_element *el, void *arg), void *arg, struct err *e)
{
	struct walk w = { each, arg };
	int r = netlink_dump(&nft->nl, elements_request(NFT_MSG_GETSETELEM, 0, set, NULL, false), visit, &w);

	if (r == -ENOENT)
		return 0;
	if (r == -EINTR)                        /* it changed all the time */
		return -ERESTART;
	return r < 0 && !e->code ? netlink_refused(&nft->nl, e, r, "listing nftables set %s", set->name) : r;
}

bool nft_element_read(struct nlmsghdr *add, struct nft_set *set, struct nft_element *el)
{
	struct nlattr *name = netlink_attr(add, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_SET);
	struct walk first = { keep_element, el };

	if (!name || NFNL_MSG_TYPE(add->nlmsg_type) != NFT_MSG_NEWSETELEM)
		return false;
	set->name = netlink_text(name);
	*el = (struct nft_element){ .comment = "" };
	visit(add, &first);
	return el->key.len > 0;
}

/* ---- Changing ---- */

void nft_add(struct nft *nft, const struct nft_set *set, const struct nft_element *el)
{
	nft_change(nft, elements_request(NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, el, true), NFT_ADDS);
}

void nft_remove(struct nft *nft, const struct nft_set *set, const struct nft_element *el)
{
	nft_change(nft, elements_request(NFT_MSG_DELSETELEM, 0, set, el, false), NFT_REMOVES);
}

/* Whether the batch has a message of the same type and content. */
static bool is_in_batch(const struct nft *nft, struct nlmsghdr *m)
{
	int left = (int)nft->batch.len;

	for (struct nlmsghdr *h = (void *)nft->batch.bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		if (h->nlmsg_type == m->nlmsg_type && h->nlmsg_len == m->nlmsg_len && !memcmp(nlmsg_data(h), nlmsg_data(m), nlmsg_datalen(m)))
			return true;
	return false;
}

void nft_remove_once(struct nft *nft, const struct nft_set *set, const struct nft_element *el)
{
	struct nl_msg *m = elements_request(NFT_MSG_DELSETELEM, 0, set, el, false);

	if (m && is_in_batch(nft, nlmsg_hdr(m)))
		nlmsg_free(m);
	else
		nft_change(nft, m, NFT_REMOVES);
}
