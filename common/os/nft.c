#include "os/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/scoped.h"
#include "base/trace.h"
#include "os/nft_message.h"

/* ---- Messages ---- */

bool nft_messages_add(struct nft_messages *to, const struct nlmsghdr *h)
{
	size_t size = NLMSG_ALIGN(h->nlmsg_len);

	if (to->room - to->len < size) {
		size_t room = (to->room + size) * 2;
		uint8_t *more = realloc(to->bytes, room);

		if (!more)
			return false;
		to->bytes = more;
		to->room = room;
	}
	memcpy(to->bytes + to->len, h, size);
	to->len += size;
	to->count++;
	return true;
}

void nft_messages_free(struct nft_messages *m)
{
	free(m->bytes);
	*m = (struct nft_messages){ 0 };
}

/* Takes over m. A batch that ran out of memory is not sent. */
static void batch_add(struct nft *nft, struct nl_msg *m)
{
	if (m) {
		nlmsg_hdr(m)->nlmsg_flags |= NLM_F_REQUEST;
		nlmsg_hdr(m)->nlmsg_seq = ++nft->nl.seq;
	}
	if (!m || !nft_messages_add(&nft->batch, nlmsg_hdr(m)))
		nft->no_memory = true;
	nlmsg_free(m);
}

void nft_change(struct nft *nft, struct nl_msg *m, enum nft_change what)
{
	if (what == NFT_ADDS && nft->recording && (!m || !nft_messages_add(&nft->record, nlmsg_hdr(m))))
		nft->no_memory = true;
	if (what == NFT_ADDS && nft->there)
		nlmsg_free(m);
	else
		batch_add(nft, m);
}

static struct nl_msg *batch_edge(int type)
{
	struct nfgenmsg g = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	return netlink_request(type, 0, &g, sizeof g);
}

static int note_generation(struct nlmsghdr *h, void *generation)
{
	struct nlattr *id = netlink_attr(h, sizeof(struct nfgenmsg), NFTA_GEN_ID);

	if (id)
		*(uint32_t *)generation = ntohl(netlink_u32(id));
	return 0;
}

int nft_begin(struct nft *nft, struct err *e)
{
	int r = netlink_get(&nft->nl, nft_request(NFT_MSG_GETGEN, 0, 0), note_generation, &nft->generation);
	struct nl_msg *begin;

	if (r < 0)
		return netlink_refused(&nft->nl, e, r, "nftables (nf_tables)%s", r == -EPERM ? "" : ": is it in this kernel?");
	nft->batch.len = nft->batch.count = nft->record.len = nft->record.count = 0;
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
	struct nlmsghdr *h = (void *)nft->batch.bytes;

	for (uint8_t *end = nft->batch.bytes + nft->batch.len; (uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len) < end;)
		h = (void *)((uint8_t *)h + NLMSG_ALIGN(h->nlmsg_len));
	h->nlmsg_flags |= NLM_F_ACK;
}

int nft_commit(struct nft *nft)
{
	if (!nft_changes(nft))
		return nft->no_memory ? -ENOMEM : 0;
	if (!nft->no_memory)
		ask_for_ack_of_last(nft);
	batch_add(nft, batch_edge(NFNL_MSG_BATCH_END));
	if (nft->no_memory)
		return -ENOMEM;
	return netlink_batch(&nft->nl, nft->batch.bytes, nft->batch.len, nft->first_seq, 1);
}

int nft_open(struct nft *nft, struct err *e)
{
	*nft = (struct nft){ 0 };
	return netlink_open(&nft->nl, NETLINK_NETFILTER, e);
}

void nft_close(struct nft *nft)
{
	netlink_close(&nft->nl);
	nft_messages_free(&nft->batch);
	nft_messages_free(&nft->record);
}

/* ---- Transactions ---- */

/* A little longer each time, up to 2 ms, and never the same for two processes: those that collide must not do so for ever. */
void nft_back_off(int tries)
{
	struct timespec now, t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	t.tv_nsec = (long)(((unsigned long)now.tv_nsec ^ (unsigned long)getpid() * 7919) % ((tries < 20 ? tries + 1 : 20) * 100000ul));
	nanosleep(&t, NULL);
}

static int note_dormant(struct nlmsghdr *h, void *dormant)
{
	struct nlattr *flags = netlink_attr(h, sizeof(struct nfgenmsg), NFTA_TABLE_FLAGS);

	*(bool *)dormant |= flags && (ntohl(netlink_u32(flags)) & NFT_TABLE_F_DORMANT);
	return 0;
}

static int refuse_dormant(struct nft *nft, const struct nft_table *table, struct err *e)
{
	struct nl_msg *m = nft_request(NFT_MSG_GETTABLE, 0, table->family);
	bool dormant = false;

	if (m)
		nla_put_string(m, NFTA_TABLE_NAME, table->name);
	if (netlink_get(&nft->nl, m, note_dormant, &dormant) < 0 || !dormant)
		return 0;
	err_set(e, CNI_FAILED, -EPERM, "nftables table %s %s is dormant: somebody has switched it off", table->ruleset, table->name);
	err_detail(e, "`nft add table %s %s` wakes it", table->ruleset, table->name);
	return -EPERM;
}

/* The edition is the name of an empty chain, "edition_4": a comment of the table could not be changed. */
struct editions {
	const struct nft_table *table;
	bool                    there;  /* a chain of the table is */
	unsigned                newest;
};

static int note_edition(const struct nft_chain_seen *chain, void *editions)
{
	struct editions *s = editions;
	unsigned edition = 0;

	if (chain->family != s->table->family || strcmp(chain->table, s->table->name))
		return 0;
	s->there = true;
	if (sscanf(chain->name, "edition_%u", &edition) == 1 && edition > s->newest)
		s->newest = edition;
	return 0;
}

int nft_table_is_known(struct nft *nft, const struct nft_table *table, bool *there, struct err *e)
{
	struct editions seen = { .table = table };
	char known[NFT_NAME];
	int r;

	snprintf(known, sizeof known, "edition_%u", table->edition);
	r = nft_chain_use(nft, table, known, e);
	*there = true;
	if (r != -ENOENT)
		return r < 0 ? r : 1;
	if ((r = nft_chain_each(nft, note_edition, &seen, e)) < 0)
		return r;
	*there = seen.there;
	if (seen.newest < table->edition)
		return 0;
	err_set(e, CNI_FAILED, -EPROTO, "nftables table %s is of edition %u, made by a newer plumb; this one knows up to %u", table->name, seen.newest, table->edition);
	err_detail(e, "install the newer plumb's plugins again, all of them; nothing was changed");
	return -EPROTO;
}

/* What is on record comes back, but for what the transaction itself has put there: it adds that anew, or fails, and then nobody would take it away. */
static int restore(struct nft *nft, const struct nft_work *w, struct err *e)
{
	int r = nft->recorded ? nft_record_take_back(w->record, e) : 0;

	if (r < 0)
		return r;
	nft->recorded = false;
	r = nft_restore(w->table, e);
	return r < 0 ? r : -ERESTART;
}

static int try_once(struct nft *nft, const struct nft_work *w, struct err *e)
{
	bool there = true;
	int known, r;

	if ((r = nft_begin(nft, e)) < 0)
		return r;
	known = r = w->table->name ? nft_table_is_known(nft, w->table, &there, e) : 1;
	if (r < 0 || (w->reads && (r = refuse_dormant(nft, w->table, e)) < 0))
		return r;
	if (!known && !w->reads && (there || nft_has_records()))
		return restore(nft, w, e);
	if ((r = w->decide(nft, w->arg)) != 0)
		return r;
	nft->recorded |= nft->record.len > 0;           /* it may be there even where writing it has failed */
	if (nft->record.len && (r = nft_record_write(w->record, &nft->record, w->note, e)) < 0)
		return r;
	r = nft_commit(nft);
	if (r == 0 && nft->recording && !nft->record.len)
		r = nft_record_remove(w->record, e);
	if (r == -ENOENT && known)
		return -ERESTART;               /* it was there a moment ago */
	if (r != -ENOENT)
		return r;
	return restore(nft, w, e);
}

int nft_refuse_busy(const struct nft_table *table, struct err *e)
{
	err_set(e, CNI_TRY_LATER, -EBUSY, "changing nftables table %s: the ruleset changed during each of %d tries", table->name ? table->name : "of another program",
	        NFT_TRIES);
	err_detail(e, "another program changes nftables all the time; try again when it rests");
	return -EBUSY;
}

int nft_transact(const struct nft_work *w, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("nftables");
	scoped(nft_close) struct nft nft = { 0 };
	struct err ignored = { 0 };
	int r = nft_open(&nft, e), tries = 0;

	nft.recording = w->record;
	while (r == 0) {
		r = try_once(&nft, w, e);
		/* EBUSY: a chain was in use after all, its users having been counted while another batch was under way. ENODATA: look what came of it */
		if (e->code || (r != -ERESTART && r != -EINTR && r != -EBUSY && r != -ENODATA))
			break;
		if (++tries == NFT_TRIES) {
			r = nft_refuse_busy(w->table, e);
			break;
		}
		nft_back_off(tries);
		r = 0;
	}
	if (r < 0 && nft.recorded)
		nft_record_take_back(w->record, &ignored);
	if (r == 0 && nft.recorded)
		nft_record_replaced(w->record);
	if (r < 0 && !e->code)
		netlink_refused(&nft.nl, e, r, w->table->name ? "changing nftables table %s" : "changing nftables tables of others", w->table->name);
	return r;
}
