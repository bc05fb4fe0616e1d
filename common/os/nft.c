#include "os/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scoped.h"
#include "base/text.h"
#include "base/trace.h"
#include "os/nft_message.h"
#include "os/spawn.h"

enum {
	TRIES = 400,                    /* of a transaction: another program may change the ruleset all the time */
	HELPER_DEADLINE_MS = 30 * 1000,
};

/* Takes over m. A batch that ran out of memory is not sent. */
static void batch_add(struct nft *nft, struct nl_msg *m)
{
	struct nlmsghdr *h = m ? nlmsg_hdr(m) : NULL;
	size_t size = h ? NLMSG_ALIGN(h->nlmsg_len) : 0;

	if (h && nft->room - nft->len < size) {
		uint8_t *more = realloc(nft->batch, nft->room = (nft->room + size) * 2);

		if (more)
			nft->batch = more;
		else
			h = NULL;
	}
	if (!h) {
		nft->no_memory = true;
	} else {
		h->nlmsg_flags |= NLM_F_REQUEST;
		h->nlmsg_seq = ++nft->nl.seq;
		memcpy(nft->batch + nft->len, h, size);
		nft->len += size;
	}
	nlmsg_free(m);
}

static struct nl_msg *batch_edge(int type)
{
	struct nfgenmsg g = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	return netlink_request(type, 0, &g, sizeof g);
}

void nft_change(struct nft *nft, struct nl_msg *m)
{
	nft->messages++;
	batch_add(nft, m);
}

static int note_generation(struct nlmsghdr *h, void *generation)
{
	struct nlattr *id = nlmsg_find_attr(h, sizeof(struct nfgenmsg), NFTA_GEN_ID);

	if (id)
		*(uint32_t *)generation = ntohl(nla_get_u32(id));
	return 0;
}

static int batch_begin(struct nft *nft, struct err *e)
{
	int r = netlink_get(&nft->nl, nft_request(NFT_MSG_GETGEN, 0, 0), note_generation, &nft->generation);
	struct nl_msg *begin;

	if (r < 0)
		return netlink_refused(&nft->nl, e, r, "nftables (nf_tables): is it in this kernel?");
	nft->len = nft->messages = 0;
	nft->no_memory = false;
	nft->first_seq = nft->nl.seq + 1;
	begin = batch_edge(NFNL_MSG_BATCH_BEGIN);
	if (begin)
		nla_put_u32(begin, NFNL_BATCH_GENID, htonl(nft->generation));
	batch_add(nft, begin);
	return 0;
}

/* One acknowledgement is enough, and hundreds would not fit into the socket's buffer; refusals come unasked. */
static void ask_for_ack_of_last(struct nft *nft)
{
	struct nlmsghdr *h = (void *)nft->batch;

	for (uint8_t *end = nft->batch + nft->len; (uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len) < end;)
		h = (void *)((uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len));
	h->nlmsg_flags |= NLM_F_ACK;
}

static int batch_commit(struct nft *nft)
{
	if (nft->messages == 0)
		return 0;
	if (!nft->no_memory)
		ask_for_ack_of_last(nft);
	batch_add(nft, batch_edge(NFNL_MSG_BATCH_END));
	if (nft->no_memory)
		return -ENOMEM;
	return netlink_batch(&nft->nl, nft->batch, nft->len, nft->first_seq, 1);
}

int nft_open(struct nft *nft, struct err *e)
{
	*nft = (struct nft){ 0 };
	return netlink_open(&nft->nl, NETLINK_NETFILTER, e);
}

void nft_close(struct nft *nft)
{
	netlink_close(&nft->nl);
	free(nft->batch);
	nft->batch = NULL;
}

/* A little longer each time, up to 2 ms, and never the same for two processes: those that collide must not do so for ever. */
static void back_off(int tries)
{
	struct timespec now, t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	t.tv_nsec = (now.tv_nsec ^ getpid() * 7919) % ((tries < 20 ? tries + 1 : 20) * 100000L);
	nanosleep(&t, NULL);
}

int nft_transact(const struct nft_table *table, nft_decide *decide, void *arg, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("nftables");
	scoped(nft_close) struct nft nft = { 0 };
	bool loaded = false;
	int r = nft_open(&nft, e);

	for (int tries = 0; r == 0 && tries < TRIES; tries++) {
		if ((r = batch_begin(&nft, e)) < 0 || (r = decide(&nft, arg, e)) != 0)
			return r;
		r = batch_commit(&nft);
		if (r == 0)
			return 0;
		if (r == -ENOENT && !loaded) {
			loaded = true;
			r = nft_load_ruleset(table->ruleset, e);
		} else if (r == -ERESTART || r == -EINTR || r == -EBUSY) {
			back_off(tries);        /* EBUSY: a chain was in use after all, its users having been counted while another batch was under way */
			r = 0;
		}
	}
	if (r == 0) {
		err_set(e, CNI_TRY_LATER, -EBUSY, "changing nftables table %s: the ruleset changed during each of %d tries", table->name, TRIES);
		err_detail(e, "another program changes nftables all the time; try again when it rests");
		return -EBUSY;
	}
	if (!e->code)
		netlink_refused(&nft.nl, e, r, "changing nftables table %s", table->name);
	return r;
}

int nft_load_ruleset(const char *ruleset, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("base ruleset");
	char path[PATH_MAX];
	char *argv[] = { path, (char *)ruleset, NULL };
	struct spawn s = { .path = path, .argv = argv, .env = environ, .input = "", .output_limit = 1 << 16, .deadline_ms = HELPER_DEADLINE_MS };
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	struct spawned out;
	int r;

	if (n < 0)
		return err_sys(e, CNI_FAILED, -errno, "/proc/self/exe");
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "plumb-ruleset");
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
