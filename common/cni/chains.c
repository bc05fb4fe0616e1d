/* The kernel counts who uses a chain: its own rules, and what leads to it. When the elements that leave are all there is besides the rules, the chain goes
 * in the same batch. Batches of others that are not through yet are in the count too: then it stays, or the kernel refuses and we try again. */
#include "cni/chains.h"

#include <errno.h>
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

	return r == 1 ? note_leaving(l, el->chain) : r;
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

static int leave_if_ours(const struct nft_element *el, void *arg)
{
	struct leaving *l = arg;

	if (!(l->c->verb == VERB_GC ? is_stale(l, el->comment) : nft_owned_by(el, l->c->who.owner)))
		return 0;
	nft_remove(l->nft, l->set, el);
	return note_leaving(l, el->chain);
}

int leave_swept(struct leaving *l, const struct nft_set *set)
{
	int r = l->c->verb == VERB_GC && l->valid.count == 0 ? find_valid(l) : 0;

	l->set = set;
	return r < 0 ? r : nft_each(l->nft, set, leave_if_ours, l, &l->c->err);
}

int leave_chains(struct leaving *l)
{
	for_list (const struct leaving_chain, chain, &l->chains) {
		int use = nft_chain_use(l->nft, &nft_inet, chain->name, &l->c->err), rules;

		if (use < 0 && use != -ENOENT)
			return use;
		if (use < chain->elements)
			continue;
		rules = nft_chain_rules(l->nft, &nft_inet, chain->name, &l->c->err);
		if (rules < 0 && rules != -ENOENT)
			return rules;
		if (use == chain->elements + rules)
			nft_chain_remove(l->nft, &nft_inet, chain->name);
	}
	return 0;
}
