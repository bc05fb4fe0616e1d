/* Bringing back what is on record when somebody has flushed the ruleset. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/scoped.h"
#include "os/nft.h"
#include "os/nft_message.h"

/* ---- What is on record ---- */

static const struct nft_messages nothing;

struct replay {
	struct nft             *nft;
	const struct nft_table *table;
	struct err             *why;
	struct arena            arena;
	struct { const char **items; size_t count; } chains;    /* that the batch makes already */
	bool                    skipping;                       /* the rules of a chain that is there */
	bool                    fresh;                          /* there is nothing yet */
};

static void replay_free(struct replay *p)
{
	arena_free(&p->arena);
}

/* Whether a chain still has to be made; noted as made from then on. 1; 0; negative: that cannot be told. */
static int chain_is_wanted(struct replay *p, struct nlmsghdr *h)
{
	struct nlattr *a = netlink_attr(h, sizeof(struct nfgenmsg), NFTA_CHAIN_NAME);
	const char *name = arena_strdup(&p->arena, netlink_text(a)), **slot;
	int r;

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < p->chains.count; i++)
		if (!strcmp(p->chains.items[i], name))
			return 0;
	slot = arena_push(&p->arena, &p->chains.items, &p->chains.count, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	*slot = name;
	r = p->fresh ? -ENOENT : nft_chain_use(p->nft, p->table, name, p->why);
	return r == -ENOENT ? 1 : first_failure(r, 0);
}

static int element_is_wanted(struct replay *p, struct nlmsghdr *h)
{
	struct nft_set set = { .table = p->table };
	struct err why = { 0 };
	struct nft_element el;
	int there;

	if (!nft_element_read(h, &set, &el))
		return 0;
	there = p->fresh ? 0 : nft_find(p->nft, &set, &el, &why);
	if (there == -EINVAL)           /* the set has no such keys: damaged, or of another edition */
		return 0;
	if (there < 0)
		*p->why = why;
	return there < 0 ? there : !there;
}

static int is_wanted(struct replay *p, struct nlmsghdr *h)
{
	int wanted;

	switch (NFNL_MSG_TYPE(h->nlmsg_type)) {
	case NFT_MSG_NEWCHAIN:
		wanted = chain_is_wanted(p, h);
		p->skipping = wanted != 1;
		return wanted;
	case NFT_MSG_NEWRULE:
		return !p->skipping;
	case NFT_MSG_NEWSETELEM:
		return element_is_wanted(p, h);
	default:
		return 0;
	}
}

static int replay_messages(struct replay *p, uint8_t *bytes, int left)
{
	int wanted = 0;

	for (struct nlmsghdr *h = (void *)bytes; wanted >= 0 && nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		struct nfgenmsg *g = nlmsg_data(h);

		if (nlmsg_datalen(h) >= (int)sizeof *g && g->nfgen_family == p->table->family && (wanted = is_wanted(p, h)) == 1)
			nft_change(p->nft, nlmsg_convert(h), NFT_ADDS);
	}
	return first_failure(wanted, 0);
}

/* Whom a record is of may have died since. */
static bool is_of_the_dead(const char *name)
{
	char netns[PATH_MAX];

	return nft_record_note(name, netns, sizeof netns) && *netns && access(netns, F_OK) < 0 && errno == ENOENT;
}

static int replay_file(struct replay *p, int dir, const char *name)
{
	scoped(mem_free) uint8_t *bytes = NULL;
	int len = 0, r = is_of_the_dead(name) ? 0 : nft_record_read(dir, name, &bytes, &len);

	if (r == -ENOENT)
		return 0;                       /* removed meanwhile */
	return r < 0 || !bytes ? r : replay_messages(p, bytes, len);
}

/* All records into one batch; only: just the one of that name. */
static int replay_all(struct replay *p, const char *only)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	int r = dir || errno == ENOENT ? 0 : -errno;
	struct dirent *d;

	while (dir && r == 0 && (errno = 0, d = readdir(dir)))
		if (d->d_name[0] != '.' && (!only || !strcmp(only, d->d_name)))
			r = replay_file(p, dirfd(dir), d->d_name);
	return r == 0 && dir ? -errno : r;
}

/* The chains and rules come first, in the same batch, if nobody has loaded them by now. */
static int begin(struct replay *p, const struct nft_messages *ruleset, struct err *e)
{
	int r = nft_begin(p->nft, e), left = (int)ruleset->len;
	bool there = true;

	if (r < 0 || !ruleset->len || (r = nft_table_is_known(p->nft, p->table, &there, e)) != 0)
		return r < 0 ? r : 0;
	if (there)
		return -EEXIST;                 /* an older one's: that is changed by the text */
	for (struct nlmsghdr *h = (void *)ruleset->bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		nft_change(p->nft, nlmsg_convert(h), NFT_PASSES);
	p->fresh = true;
	return 0;
}

static int put_back(struct nft *nft, const struct nft_table *table, const struct nft_messages *ruleset, const char *only, struct err *e)
{
	scoped(fd_close) int lock = open(NFT_RECORDS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = -ERESTART;

	if (lock < 0 ? errno != ENOENT : flock(lock, LOCK_SH) < 0)      /* whoever hides a record waits for us, as we may have read it (nft_record_hide) */
		return err_sys(e, CNI_IO, -errno, "locking " NFT_RECORDS);

	for (int tries = 0; tries < NFT_TRIES && (r == -ERESTART || r == -EINTR || r == -ENODATA); tries++) {
		scoped(replay_free) struct replay p = { .nft = nft, .table = table, .why = e };

		if (tries)
			nft_back_off(tries);
		if ((r = begin(&p, ruleset, e)) < 0)
			return r;
		if ((r = replay_all(&p, only)) < 0)
			return err_sys(e, CNI_IO, r, "reading what nftables had from " NFT_RECORDS);
		r = nft_commit(nft);
	}
	return r == -ERESTART || r == -EINTR || r == -ENODATA ? nft_refuse_busy(table, e) : r;
}

/* Two records that contradict each other, of which one can only be a leftover, must not keep the others from coming back. */
static void put_back_one_by_one(struct nft *nft, const struct nft_table *table)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		struct err why = { 0 };
		int r = d->d_name[0] == '.' ? 0 : put_back(nft, table, &nothing, d->d_name, &why);

		if (r < 0)
			fprintf(stderr, "%s/%s could not be put back into nftables: %s\n", NFT_RECORDS, d->d_name, strerror(-r));
	}
}

/* Where the table is gone: it comes with all that belongs into it, so that there is no moment without the policy of its networks. */
static int put_back_at_once(struct nft *nft, const struct nft_table *table)
{
	scoped(nft_messages_free) struct nft_messages ruleset = { 0 };
	struct err why = { 0 };
	int r = nft_ruleset_read(table, &ruleset, &why);

	return r < 0 ? r : put_back(nft, table, &ruleset, NULL, &why);
}

int nft_restore(const struct nft_table *table, struct err *e)
{
	scoped(nft_close) struct nft nft = { 0 };
	bool there = true;
	int r;

	if (!nft_has_records())
		return nft_ruleset_load(table, e);
	if ((r = nft_open(&nft, e)) < 0 || (r = nft_table_is_known(&nft, table, &there, e)) < 0)
		return r;
	if (!there && put_back_at_once(&nft, table) == 0)
		return 0;
	if ((r = nft_ruleset_load(table, e)) < 0)
		return r;
	r = put_back(&nft, table, &nothing, NULL, e);
	if (!e->code && (r == -EBUSY || r == -EEXIST || r == -ENOENT)) {
		put_back_one_by_one(&nft, table);
		r = 0;
	}
	return r < 0 && !e->code ? netlink_refused(&nft.nl, e, r, "putting nftables table %s back from " NFT_RECORDS, table->name) : r;
}
