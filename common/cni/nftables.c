#include "cni/nftables.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "cni/attach.h"

const struct nft_table nft_inet = { NFPROTO_INET, "plumb", "inet", 2 };
const struct nft_table nft_bridge = { NFPROTO_BRIDGE, "plumb", "bridge", 1 };

/* ---- Transactions, and what is on record of them ---- */

static const char *record_name(const char *owner, const char *part, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%s.%s", owner, part);
	for (char *s = out; *s; s++)
		if (*s == '/')
			*s = ':';               /* which none of an owner's names can have */
	return out;
}

static bool record_is_valid(struct cni_call *c, const char *name, const char *part)
{
	char owner[OWNER_SIZE], valid[NAME_MAX + 1];

	for_list (const struct valid_attachment, a, &c->net.valid) {
		attach_owner(c->who.network, a->container, a->ifname, owner);
		if (!strcmp(name, record_name(owner, part, valid)))
			return true;
	}
	return false;
}

static void remove_stale_records(struct cni_call *c, const char *part)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	char owner[OWNER_SIZE], start[NAME_MAX + 1];
	struct dirent *d;

	attach_owner_network(c->who.network, owner);
	record_name(owner, part, start);
	start[strlen(owner)] = '\0';
	while (dir && (d = readdir(dir))) {
		size_t len = strlen(d->d_name), end = strlen(part);

		if (!strncmp(d->d_name, start, strlen(start)) && len > end && !strcmp(d->d_name + len - end, part) && !record_is_valid(c, d->d_name, part))
			unlinkat(dirfd(dir), d->d_name, 0);
	}
}

int nft_work(struct cni_call *c, const struct nft_table *table, const char *part, nft_decide *decide, void *arg)
{
	char name[NAME_MAX + 1], path[sizeof NFT_RECORDS + NAME_MAX + 1];
	struct nft_work work = { .table = table, .decide = decide, .arg = arg, .reads = c->verb == VERB_CHECK || c->verb == VERB_STATUS };
	int r;

	snprintf(path, sizeof path, NFT_RECORDS "/%s", record_name(c->who.owner, part, name));
	if (c->verb == VERB_ADD || c->verb == VERB_DEL)
		work.record = path;
	r = nft_transact(&work, &c->err);
	if (r == 0 && c->verb == VERB_GC)
		remove_stale_records(c, part);
	return r;
}

/* ---- Elements ---- */

bool nft_owned_by(const struct nft_element *el, const char *owner)
{
	size_t len = strlen(owner);

	return !strncmp(el->comment, owner, len) && (el->comment[len] == '\0' || el->comment[len] == ' ');
}

bool nft_is_stale(const struct nft_element *el, struct cni_call *c)
{
	char owner[OWNER_SIZE];

	attach_owner_network(c->who.network, owner);
	if (strncmp(el->comment, owner, strlen(owner)))
		return false;
	for_list (const struct valid_attachment, a, &c->net.valid) {
		attach_owner(c->who.network, a->container, a->ifname, owner);
		if (nft_owned_by(el, owner))
			return false;
	}
	return true;
}

int nft_claim(struct nft *nft, const struct nft_set *set, struct nft_element *el, bool replace, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	char holder[256];
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 0)
		return r;
	if (r == 1 && !replace && !nft_owned_by(&there, c->who.owner)) {
		err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s is taken by %s", what,
		        there.comment[0] ? attach_describe(there.comment, holder, sizeof holder) : "an element that names no owner");
		err_detail(&c->err, "nftables table inet plumb, %s; DEL or GC that attachment, or choose another", set->name);
		return -EADDRINUSE;
	}
	if (r == 1)
		nft_remove(nft, set, &there);
	nft_add(nft, set, el);
	return 0;
}

int nft_give_back(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct cni_call *c)
{
	int r = nft_find(nft, set, el, &c->err);

	if (r == 1 && !nft_owned_by(el, c->who.owner))
		return 0;
	if (r == 1)
		nft_remove(nft, set, el);
	return r;
}

int nft_check(struct nft *nft, const struct nft_set *set, const struct nft_element *el, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	char holder[256];
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 0)
		return r;
	if (r == 0)
		err_set(&c->err, CNI_FAILED, -ENOENT, "%s: its element of nftables %s is missing", what, set->name);
	else if (!nft_owned_by(&there, c->who.owner))
		err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s: its element of nftables %s is held by %s", what, set->name,
		        attach_describe(there.comment, holder, sizeof holder));
	else if (el->value.len && (el->value.len != there.value.len || memcmp(el->value.bytes, there.value.bytes, el->value.len)))
		err_set(&c->err, CNI_FAILED, -EINVAL, "%s: its element of nftables %s leads elsewhere", what, set->name);
	else if (el->chain[0] && strcmp(el->chain, there.chain))
		err_set(&c->err, CNI_FAILED, -EINVAL, "%s: its element of nftables %s leads to chain %s", what, set->name, there.chain);
	else
		return 0;
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -EINVAL;
}

struct sweep {
	struct nft           *nft;
	const struct nft_set *set;
	struct cni_call      *c;
};

static int sweep_one(const struct nft_element *el, void *arg)
{
	struct sweep *s = arg;

	if (s->c->verb == VERB_GC ? nft_is_stale(el, s->c) : nft_owned_by(el, s->c->who.owner))
		nft_remove(s->nft, s->set, el);
	return 0;
}

int nft_sweep(struct nft *nft, const struct nft_set *set, struct cni_call *c)
{
	struct sweep s = { nft, set, c };

	return nft_each(nft, set, sweep_one, &s, &c->err);
}
