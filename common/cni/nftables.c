#include "cni/nftables.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "cni/attach.h"

const struct nft_table nft_inet = { NFPROTO_INET, "plumb", "inet", 4 };
const struct nft_table nft_bridge = { NFPROTO_BRIDGE, "plumb", "bridge", 2 };

/* ---- Transactions, and what is on record of them ---- */

static const char *record_name(const char *owner, const char *part, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%s.%s", owner, part);
	for (char *s = out; *s; s++)
		if (*s == '/')
			*s = ':';               /* which none of an owner's names can have */
	return out;
}

const char *nft_record_path(struct cni_call *c, const char *part, char out[NFT_RECORD_PATH])
{
	char name[NAME_MAX + 1];

	snprintf(out, NFT_RECORD_PATH, NFT_RECORDS "/%s", record_name(c->who.owner, part, name));
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

/* A record's name, also where the file is what a killed process left of it: ".NAME", ".NAME.new". */
static char *hidden_of(const char *file, char out[NAME_MAX + 1])
{
	size_t len;

	snprintf(out, NAME_MAX + 1, "%s", file + (file[0] == '.'));
	len = strlen(out);
	if (file[0] == '.' && len > 4 && !strcmp(out + len - 4, ".new"))
		out[len - 4] = '\0';
	return out;
}

static int remove_stale_records(struct cni_call *c, const char *part)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	char owner[OWNER_SIZE], start[NAME_MAX + 1], whole[NAME_MAX + 1];
	struct dirent *d;
	int r = dir || errno == ENOENT ? 0 : -errno;

	attach_owner_network(c->who.network, owner);
	record_name(owner, part, start);
	start[strlen(owner)] = '\0';
	while (dir && (errno = 0, d = readdir(dir))) {
		char *name = hidden_of(d->d_name, whole);
		size_t len = strlen(name), end = strlen(part);

		if (!strncmp(name, start, strlen(start)) && len > end && !strcmp(name + len - end, part) && !record_is_valid(c, name, part) &&
		    unlinkat(dirfd(dir), d->d_name, 0) < 0 && errno != ENOENT)
			r = first_failure(r, -errno);
	}
	if (dir && !d)
		r = first_failure(r, -errno);
	return r < 0 ? err_sys(&c->err, CNI_IO, r, "removing records of attachments that are gone from " NFT_RECORDS) : nft_restores_wait(&c->err);
}

/* How many rules each chain of spec/ruleset.nft and spec/ruleset-bridge.nft has; CNI-ADMIN's are the admin's. */
static const struct base_chain {
	const struct nft_table *table;
	const char             *name;
	int                     rules;
} base_chains[] = {
	{ &nft_inet, "guard", 4 },         { &nft_inet, "prerouting", 2 },     { &nft_inet, "output", 3 },    { &nft_inet, "publish", 12 },
	{ &nft_inet, "names", 2 },         { &nft_inet, "names_host", 2 },
	{ &nft_inet, "publish_if", 4 },    { &nft_inet, "postrouting", 5 },    { &nft_inet, "published", 8 }, { &nft_inet, "input", 7 },
	{ &nft_inet, "loopback_asks", 1 }, { &nft_inet, "loopback_port", 4 },  { &nft_inet, "forward", 5 },   { &nft_inet, "egress", 3 },
	{ &nft_inet, "loopback_hears", 1 }, { &nft_inet, "ingress", 3 },
	{ &nft_bridge, "prerouting", 1 }, { &nft_bridge, "spoof_check", 2 },
};

struct check {
	struct cni_call        *c;
	const struct nft_table *table;
	nft_decide             *decide;
	void                   *arg;
};

/* An element does nothing in a chain that has lost its rules. */
int nft_check_base(struct nft *nft, const struct nft_table *table, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(base_chains); i++) {
		const struct base_chain *chain = &base_chains[i];
		int rules = chain->table == table ? nft_chain_rules(nft, chain->table, chain->name, e) : chain->rules;

		if (rules == chain->rules)
			continue;
		if (rules < 0 && rules != -ENOENT)
			return rules;
		if (rules == -ENOENT)
			err_set(e, CNI_FAILED, -ENOENT, "nftables table %s plumb is not there, or has lost its chain %s", table->ruleset, chain->name);
		else
			err_set(e, CNI_FAILED, -EINVAL, "nftables table %s plumb, chain %s: has %d rules, and should have %d", table->ruleset, chain->name, rules, chain->rules);
		err_detail(e, "somebody has changed it; `plumb restore` brings it back");
		return -EINVAL;
	}
	return 0;
}

static int check_base_first(struct nft *nft, void *check)
{
	const struct check *k = check;
	int r = nft_check_base(nft, k->table, &k->c->err);

	return r < 0 ? r : k->decide(nft, k->arg);
}

int nft_work(struct cni_call *c, const struct nft_table *table, const char *part, nft_decide *decide, void *arg)
{
	char path[NFT_RECORD_PATH];
	struct check check = { c, table, decide, arg };
	struct nft_work work = { .table = table, .decide = decide, .arg = arg, .reads = c->verb == VERB_CHECK || c->verb == VERB_STATUS };
	int r;

	if (c->verb == VERB_CHECK) {
		work.decide = check_base_first;
		work.arg = &check;
	}

	if (c->verb == VERB_ADD || c->verb == VERB_DEL)
		work.record = nft_record_path(c, part, path);
	work.note = c->who.netns;
	/* the records first: a restore could bring back what is removed */
	if (c->verb == VERB_GC && !c->net.dry_run && (r = remove_stale_records(c, part)) < 0)
		return r;
	r = nft_transact(&work, &c->err);
	if (r < 0 && c->verb == VERB_CHECK && json_is_true(json_member(c->json, "repair"))) {
		err_clear(&c->err);
		r = nft_restore(table, &c->err);
		if (r == 0)
			r = nft_transact(&work, &c->err);
	}
	return r;
}

int nft_change_foreign(struct cni_call *c, nft_decide *decide, void *arg)
{
	static const struct nft_table none;

	return nft_transact(&(struct nft_work){ .table = &none, .decide = decide, .arg = arg }, &c->err);
}

bool nft_has_record(struct cni_call *c, const char *part)
{
	char path[NFT_RECORD_PATH];
	struct err ignored = { 0 };

	return c->verb == VERB_ADD && nft_record_hide(nft_record_path(c, part, path), &ignored) != -ENOENT;
}

/* Only a namespace that was on record and is gone proves it. */
bool nft_owner_is_dead(const char *owner)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	char start[NAME_MAX + 1], netns[PATH_MAX];
	struct dirent *d;
	bool gone = false;

	record_name(owner, "", start);
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, start, strlen(start)) || strchr(d->d_name + strlen(start), ':') || !nft_record_note(d->d_name, netns, sizeof netns))
			continue;
		if (!*netns || access(netns, F_OK) == 0 || errno != ENOENT)
			return false;
		gone = true;
	}
	return gone;
}

/* ---- Elements ---- */

bool nft_owned_by(const struct nft_element *el, const char *owner)
{
	return !strcmp(el->comment, owner);
}

static int refuse(const struct nft_set *set, const struct nft_element *there, const char *what, struct cni_call *c)
{
	char holder[256];

	err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s is taken by %s", what,
	        there->comment[0] ? attach_describe(there->comment, holder, sizeof holder) : "an element that names no owner");
	err_detail(&c->err, "nftables table %s plumb, %s; DEL or GC that attachment first", set->table->ruleset, set->name);
	return -EADDRINUSE;
}

int nft_claim(struct nft *nft, const struct nft_set *set, struct nft_element *el, bool replace, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 0)
		return r;
	if (r == 1 && !replace && !nft_owned_by(&there, c->who.owner) && !nft_owner_is_dead(there.comment))
		return refuse(set, &there, what, c);
	if (r == 1)
		nft_remove_once(nft, set, &there);
	nft_add(nft, set, el);
	return 0;
}

int nft_refuse_others(struct nft *nft, const struct nft_set *set, const struct nft_element *el, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 1 || nft_owned_by(&there, c->who.owner))
		return r < 0 ? r : 0;
	if (!nft_owner_is_dead(there.comment))
		return refuse(set, &there, what, c);
	nft_remove_once(nft, set, &there);
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

int nft_check_chain(struct nft *nft, const char *chain, const char *what, struct cni_call *c)
{
	if (nft_chain_rules(nft, &nft_inet, chain, &c->err) > 0)
		return 0;
	err_set(&c->err, CNI_FAILED, -ENOENT, "%s: nftables chain %s has lost its rules", what, chain);
	err_detail(&c->err, "somebody has flushed it; `plumb restore` brings it back");
	return -ENOENT;
}
