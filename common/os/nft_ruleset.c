/* The chains, sets and rules that are always the same: loaded from their text by a helper, and read as the kernel's own messages. */
#include <errno.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scoped.h"
#include "base/text.h"
#include "base/trace.h"
#include "os/netns.h"
#include "os/nft.h"
#include "os/nft_message.h"
#include "os/spawn.h"

enum { HELPER_DEADLINE_MS = 30 * 1000 };

/* ---- From the text ---- */

static const char *helpers_dir;         /* NULL: our own executable's */

void nft_helpers_in(const char *dir)
{
	helpers_dir = dir;
}

/* Where plumb-ruleset is, into path. */
static int find_helper(char path[PATH_MAX], struct err *e)
{
	ssize_t n;

	if (helpers_dir)
		return text_format(path, PATH_MAX, "%s/plumb-ruleset", helpers_dir) ? 0 : err_sys(e, CNI_FAILED, -ENAMETOOLONG, "%s", helpers_dir);
	n = readlink("/proc/self/exe", path, PATH_MAX - 32);
	if (n < 0)
		return err_sys(e, CNI_FAILED, -errno, "/proc/self/exe");
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "plumb-ruleset");
	return 0;
}

int nft_ruleset_load(const struct nft_table *table, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("base ruleset");
	char path[PATH_MAX];
	char *argv[] = { path, (char *)table->ruleset, NULL };
	struct spawn s = { .path = path, .argv = argv, .env = environ, .input = "", .output_limit = 1 << 16, .deadline_ms = HELPER_DEADLINE_MS };
	struct spawned out;
	int r = find_helper(path, e);

	if (r < 0)
		return r;
	if (access(path, X_OK) < 0) {
		r = err_sys(e, CNI_FAILED, -errno, "%s, which loads the nftables ruleset", path);
		err_detail(e, "install it beside the plugins");
		return r;
	}
	r = spawn_run(&s, &out, e);
	if (r == 0 && out.status != 0)
		r = err_set(e, CNI_FAILED, -EREMOTEIO, "loading the nftables ruleset: %s", out.output_len ? text_trim(out.output) : "plumb-ruleset failed");
	free(out.output);
	return r;
}

/* ---- As messages ---- */

/* What a message that lists something says of it, and a message that makes it may say too: not the numbers and counts that the kernel keeps. */
#define SAYS(attribute) (1ull << (attribute))
static const uint64_t says[] = {
	[NFT_MSG_NEWTABLE] = SAYS(NFTA_TABLE_NAME) | SAYS(NFTA_TABLE_FLAGS) | SAYS(NFTA_TABLE_USERDATA),
	[NFT_MSG_NEWCHAIN] = SAYS(NFTA_CHAIN_TABLE) | SAYS(NFTA_CHAIN_NAME) | SAYS(NFTA_CHAIN_HOOK) | SAYS(NFTA_CHAIN_POLICY) | SAYS(NFTA_CHAIN_TYPE) |
	                     SAYS(NFTA_CHAIN_USERDATA),
	[NFT_MSG_NEWSET]   = SAYS(NFTA_SET_TABLE) | SAYS(NFTA_SET_NAME) | SAYS(NFTA_SET_FLAGS) | SAYS(NFTA_SET_KEY_TYPE) | SAYS(NFTA_SET_KEY_LEN) |
	                     SAYS(NFTA_SET_DATA_TYPE) | SAYS(NFTA_SET_DATA_LEN) | SAYS(NFTA_SET_POLICY) | SAYS(NFTA_SET_DESC) | SAYS(NFTA_SET_USERDATA),
	[NFT_MSG_NEWSETELEM] = SAYS(NFTA_SET_ELEM_LIST_TABLE) | SAYS(NFTA_SET_ELEM_LIST_SET) | SAYS(NFTA_SET_ELEM_LIST_ELEMENTS),
	[NFT_MSG_NEWRULE]  = SAYS(NFTA_RULE_TABLE) | SAYS(NFTA_RULE_CHAIN) | SAYS(NFTA_RULE_EXPRESSIONS) | SAYS(NFTA_RULE_USERDATA),
};

struct copying {
	struct nft          *nft;
	uint8_t              family;
	struct nft_messages *out;
	uint32_t             sets;      /* so many were there already; each has a number in the batch that makes it */
};

/* 0, or -ENOMEM. */
static int note(struct copying *g, struct nlmsghdr *listed, uint32_t set)
{
	int type = NFNL_MSG_TYPE(listed->nlmsg_type), left = nlmsg_attrlen(listed, sizeof(struct nfgenmsg)), r = 0;
	struct nl_msg *m = nft_request(type, NLM_F_CREATE | (type == NFT_MSG_NEWRULE ? NLM_F_APPEND : 0), g->family);
	struct nlattr *a = nlmsg_attrdata(listed, sizeof(struct nfgenmsg));

	for (; m && r == 0 && nla_ok(a, left); a = nla_next(a, &left))
		if (nla_type(a) < 64 && says[type] & SAYS(nla_type(a)))
			r = nla_put(m, a->nla_type, nla_len(a), nla_data(a));
	if (m && r == 0 && set)
		r = nla_put_u32(m, NFTA_SET_ID, set);
	if (!m || r < 0 || !nft_messages_add(g->out, nlmsg_hdr(m)))
		r = -ENOMEM;
	nlmsg_free(m);
	return r;
}

static bool lists(const struct nlmsghdr *h, int type)
{
	return h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type) && nlmsg_datalen(h) >= (int)sizeof(struct nfgenmsg);
}

static int note_table(struct nlmsghdr *h, void *g)    { return lists(h, NFT_MSG_NEWTABLE) ? note(g, h, 0) : 0; }
static int note_chain(struct nlmsghdr *h, void *g)    { return lists(h, NFT_MSG_NEWCHAIN) ? note(g, h, 0) : 0; }
static int note_elements(struct nlmsghdr *h, void *g) { return lists(h, NFT_MSG_NEWSETELEM) ? note(g, h, 0) : 0; }
static int note_rule(struct nlmsghdr *h, void *g)     { return lists(h, NFT_MSG_NEWRULE) ? note(g, h, 0) : 0; }

/* A set and its elements, which the rules' own sets have: `{ tcp, udp }`. */
static int note_set(struct nlmsghdr *h, void *copying)
{
	struct copying *g = copying;
	struct nl_msg *m;
	int r = lists(h, NFT_MSG_NEWSET) ? note(g, h, ++g->sets) : -ENODATA;

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	if ((m = nft_request(NFT_MSG_GETSETELEM, 0, g->family))) {
		nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, netlink_text(netlink_attr(h, sizeof(struct nfgenmsg), NFTA_SET_TABLE)));
		nla_put_string(m, NFTA_SET_ELEM_LIST_SET, netlink_text(netlink_attr(h, sizeof(struct nfgenmsg), NFTA_SET_NAME)));
	}
	return netlink_dump(&g->nft->nl, m, note_elements, g);
}

int nft_ruleset_read(const struct nft_table *table, struct nft_messages *out, struct err *e)
{
	static const struct { int type; netlink_reply *note; } parts[] = {
		{ NFT_MSG_GETTABLE, note_table }, { NFT_MSG_GETCHAIN, note_chain }, { NFT_MSG_GETSET, note_set }, { NFT_MSG_GETRULE, note_rule },
	};
	struct err refused = { 0 };
	scoped(netns_leave) int back = netns_enter_new(&refused);
	scoped(nft_close) struct nft nft = { 0 };
	struct copying g = { .nft = &nft, .family = table->family, .out = out };
	int r;

	if (back < 0)
		return -EOPNOTSUPP;
	if ((r = nft_ruleset_load(table, e)) < 0 || (r = nft_open(&nft, e)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
		r = netlink_dump(&nft.nl, nft_request(parts[i].type, 0, table->family), parts[i].note, &g);
	return r < 0 ? netlink_refused(&nft.nl, e, r, "reading nftables table %s as it is loaded", table->name) : 0;
}
