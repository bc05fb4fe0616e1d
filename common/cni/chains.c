/* The kernel counts who uses a chain: its own rules, and what leads to it. When the elements that leave are all there is besides the rules, the chain goes
 * in the same batch. Batches of others that are not through yet are in the count too: then it stays, or the kernel refuses and we try again. */
#include "cni/chains.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/attach.h"

struct leaving_chain {
	char name[NFT_NAME];
	int  elements;
};

static int note_leaving(struct leaving *l, const char *name)
{
	struct leaving_chain *chain;

	l->count++;
	if (!*name)
		return 0;
	for_list (struct leaving_chain, seen, &l->chains)
		if (!strcmp(seen->name, name)) {
			seen->elements++;
			return 0;
		}
	chain = arena_push(&l->c->arena, &l->chains.items, &l->chains.count, sizeof *chain);
	if (!chain)
		return err_nomem(&l->c->err, "nftables chains");
	strcpy(chain->name, name);
	chain->elements = 1;
	return 0;
}

int leave(struct leaving *l, const struct nft_set *set, struct nft_element *el)
{
	int r = nft_give_back(l->nft, set, el, l->c);

	if (r == 1 && l->swept)
		l->swept(set, el, l->arg);
	return r == 1 ? note_leaving(l, el->chain) : r;
}

static int leave_element(const struct nft_set *set, struct nft_element *el, void *leaving)
{
	return leave(leaving, set, el);
}

int leave_recorded(struct leaving *l, const struct nft_table *table, const char *part)
{
	char path[NFT_RECORD_PATH];
	int r = l->c->verb == VERB_GC ? -ENOENT : nft_record_hide(nft_record_path(l->c, part, path), &l->c->err);

	if (r == 0)
		r = nft_record_each(path, table, leave_element, l, &l->c->err);
	return r < 0 ? r : (int)l->count;
}

/* ---- An attachment that is added again ---- */

int set_element_keep(struct cni_call *c, struct list *list, const struct nft_set *set, const struct nft_element *el)
{
	struct set_element *slot = arena_push(&c->arena, &list->items, &list->count, sizeof *slot);

	if (!slot)
		return err_nomem(&c->err, "nftables elements");
	snprintf(slot->set, sizeof slot->set, "%s", set->name);
	slot->el = *el;
	return 0;
}

struct keeping {
	struct cni_call *c;
	struct list     *list;
};

static int keep_recorded(const struct nft_set *set, struct nft_element *el, void *keeping)
{
	struct keeping *k = keeping;

	return set_element_keep(k->c, k->list, set, el);
}

int replaced_read(struct cni_call *c, const struct nft_table *table, const char *part, struct list *out)
{
	char path[NFT_RECORD_PATH];
	struct keeping k = { c, out };
	int r = nft_record_hide(nft_record_path(c, part, path), &c->err);

	if (r == 0)
		r = nft_record_each(path, table, keep_recorded, &k, &c->err);
	return r == -ENOENT ? 0 : r;
}

void replaced_stays(struct cni_call *c, const char *part)
{
	char path[NFT_RECORD_PATH];

	nft_record_show(nft_record_path(c, part, path));
}

static int compare_places(const void *one, const void *other)
{
	const struct set_element *a = one, *b = other;
	int order = strcmp(a->set, b->set);

	if (order == 0)
		order = (int)a->el.key.len - (int)b->el.key.len;
	return order ? order : memcmp(a->el.key.bytes, b->el.key.bytes, a->el.key.len);
}

static bool is_claimed(const struct leaving *l, const char *set, const struct nft_bytes *key)
{
	struct set_element wanted = { .el.key = *key };

	if (!l->claimed || !l->claimed->count)
		return false;
	snprintf(wanted.set, sizeof wanted.set, "%s", set);
	return bsearch(&wanted, l->claimed->items, l->claimed->count, sizeof wanted, compare_places) != NULL;
}

/* The claim has taken it out already; what it led to has a user less. */
static int note_replaced(struct leaving *l, const struct nft_set *set, const struct nft_bytes *key)
{
	struct nft_element there = { .key = *key };
	int r = nft_find(l->nft, set, &there, &l->c->err);

	return r == 1 && nft_owned_by(&there, l->c->who.owner) ? note_leaving(l, there.chain) : r < 0 ? r : 0;  /* the network's are companions */
}

static void keep_chain(struct leaving *l, const char *name)
{
	for_list (struct leaving_chain, chain, &l->chains)
		if (!strcmp(chain->name, name))
			chain->elements = INT_MAX;
}

int leave_replaced(struct leaving *l, const struct nft_table *table, const struct list *before, struct list *claimed)
{
	int r = 0;

	l->claimed = claimed;
	if (claimed->count)
		qsort(claimed->items, claimed->count, sizeof(struct set_element), compare_places);
	for_list (struct set_element, old, before) {
		struct nft_set set = { table, old->set };

		if (r < 0)
			return r;
		if (!is_claimed(l, old->set, &old->el.key))
			r = leave(l, &set, &old->el);
		else if (*old->el.chain)
			r = note_replaced(l, &set, &old->el.key);
	}
	for_list (const struct set_element, one, claimed)
		keep_chain(l, one->el.chain);
	return r < 0 ? r : leave_chains(l);
}

static int compare_owners(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int find_valid(struct leaving *l)
{
	for_list (const struct valid_attachment, a, &l->c->net.valid) {
		char **slot = arena_push(&l->c->arena, &l->valid.items, &l->valid.count, sizeof *slot);

		if (!slot || !(*slot = arena_alloc(&l->c->arena, OWNER_SIZE)))
			return err_nomem(&l->c->err, "attachments");
		attach_owner(l->c->who.network, a->container, a->ifname, *slot);
	}
	if (l->valid.count)
		qsort(l->valid.items, l->valid.count, sizeof(char *), compare_owners);
	return 0;
}

/* Of the network, but of no attachment on GC's list. */
static bool is_stale(const struct leaving *l, const char *owner)
{
	char network[OWNER_SIZE];

	attach_owner_network(l->c->who.network, network);
	return !strncmp(owner, network, strlen(network)) &&
	       !(l->valid.count && bsearch(&owner, l->valid.items, l->valid.count, sizeof owner, compare_owners));
}

/* Of what an attachment has in a set, one line is enough. */
static void tell_once(struct leaving *l, const char *owner)
{
	const char **slot;
	char holder[256];

	for_list (const char *, seen, &l->told)
		if (!strcmp(*seen, owner))
			return;
	slot = arena_push(&l->c->arena, &l->told.items, &l->told.count, sizeof *slot);
	if (slot && (*slot = arena_strdup(&l->c->arena, owner)))
		fprintf(stderr, "%s: would remove what nftables %s has of %s\n", l->c->plugin->name, l->set->name, attach_describe(owner, holder, sizeof holder));
}

static int leave_if_ours(const struct nft_element *el, void *arg)
{
	struct leaving *l = arg;

	if (!(l->c->verb == VERB_GC ? is_stale(l, el->comment) : nft_owned_by(el, l->c->who.owner)))
		return 0;
	if (l->c->verb == VERB_GC && l->c->net.dry_run) {
		tell_once(l, el->comment);
		return 0;
	}
	if (l->swept)
		l->swept(l->set, el, l->arg);
	nft_remove(l->nft, l->set, el);
	return note_leaving(l, el->chain);
}

int leave_swept(struct leaving *l, const struct nft_set *set)
{
	int r = l->c->verb == VERB_GC && l->valid.count == 0 ? find_valid(l) : 0;

	l->set = set;
	l->told = (struct list){ 0 };
	return r < 0 ? r : nft_each(l->nft, set, leave_if_ours, l, &l->c->err);
}

/* Elements of networks that lead to the chain: counted, and removed when the chain goes. */
struct companions {
	struct leaving *l;
	const char     *chain;
	bool            remove;
	int             count;
};

static int meet_companion(const struct nft_element *el, void *companions)
{
	struct companions *k = companions;

	if (strcmp(el->chain, k->chain))
		return 0;
	k->count++;
	if (k->remove && !is_claimed(k->l, k->l->set->name, &el->key))
		nft_remove(k->l->nft, k->l->set, el);
	return 0;
}

static int companions_of(struct leaving *l, const char *chain, bool remove)
{
	struct companions k = { l, chain, remove, 0 };
	int r = 0;

	for (const struct nft_set *const *set = l->shared; set && *set && r == 0; set++) {
		l->set = *set;
		r = nft_each(l->nft, *set, meet_companion, &k, &l->c->err);
	}
	return r < 0 ? r : k.count;
}

static int leave_chain(struct leaving *l, const struct leaving_chain *chain)
{
	int use = nft_chain_use(l->nft, &nft_inet, chain->name, &l->c->err), rules, companions;

	if (use < chain->elements)
		return use < 0 && use != -ENOENT ? use : 0;
	if ((rules = nft_chain_rules(l->nft, &nft_inet, chain->name, &l->c->err)) < 0 && rules != -ENOENT)
		return rules;
	if ((companions = companions_of(l, chain->name, false)) < 0)
		return companions;
	if (use != chain->elements + rules + companions)
		return 0;
	if (companions > 0 && (companions = companions_of(l, chain->name, true)) < 0)
		return companions;
	nft_chain_remove(l->nft, &nft_inet, chain->name);
	return 0;
}

int leave_chains(struct leaving *l)
{
	int r = 0;

	for_list (const struct leaving_chain, chain, &l->chains)
		if (r == 0)
			r = leave_chain(l, chain);
	return r;
}

/* ---- Names ---- */

uint64_t hash_prefixes(uint64_t seed, const struct list *prefixes)
{
	char text[PREFIX_TEXT], so_far[20];

	for_list (const struct prefix, p, prefixes) {
		snprintf(so_far, sizeof so_far, "%016llx", (unsigned long long)seed);
		seed = hash_strings(so_far, prefix_text(p, text), NULL);
	}
	return seed;
}

/* ---- Elements of networks ---- */

int element_share(struct nft *nft, const struct nft_set *set, struct nft_element *el, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	int r = nft_find(nft, set, &there, &c->err);

	attach_owner_network(c->who.network, el->comment);
	if (r < 0)
		return r;
	if (r == 1 && !nft_owned_by(&there, el->comment)) {
		err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s has the policy of network \"%.*s\" already", what, (int)strcspn(there.comment, "/"), there.comment);
		err_detail(&c->err, "two networks with policies cannot share a bridge: give one of them another");
		return -EADDRINUSE;
	}
	if (r == 1 && strcmp(there.chain, el->chain))           /* the network's configuration has changed */
		nft_remove(nft, set, &there);
	nft->there = r == 1 && !strcmp(there.chain, el->chain);
	nft_add(nft, set, el);
	nft->there = false;
	return 0;
}
