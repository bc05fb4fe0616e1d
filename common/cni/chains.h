/* Elements that lead to chains made at run time (os/nft.h, nft_chain_ensure): a chain goes with the last element that leads to it. */
#ifndef PLUMB_CNI_CHAINS_H
#define PLUMB_CNI_CHAINS_H

#include "cni/nftables.h"

/* The name of a chain that stands for prefixes has a hash of them: of struct prefix, after what seed stands for. */
uint64_t hash_prefixes(uint64_t seed, const struct list *prefixes);

/* What leaves in the transaction at hand. */
struct leaving {
	struct cni_call      *c;
	struct nft           *nft;
	const struct nft_set *set;      /* leave_swept's */
	const struct nft_set *const *shared;    /* sets with elements of networks (element_share), ended by NULL; NULL: none */
	void                (*swept)(const struct nft_set *set, const struct nft_element *el, void *arg);       /* told each that is given back; may be NULL */
	void                 *arg;
	const struct list    *claimed;  /* leave_replaced's, sorted */
	size_t                count;    /* of elements */
	struct list           chains;   /* of struct leaving_chain (chains.c) */
	struct list           told;     /* dry run: owners told of in the set at hand, const char * */
	struct list           valid;    /* GC: owners that stay, const char *, sorted */
};

/* ADD: an element that is its network's rather than an attachment's. It goes with the chain that it leads to. -EADDRINUSE where another network has
 * the key. */
int element_share(struct nft *nft, const struct nft_set *set, struct nft_element *el, const char *what, struct cni_call *c);

/* DEL, and an ADD that takes itself back: gives back what is on record of the attachment, whatever the configuration says by now. How many elements
 * of it were there; -ENOENT: nothing is on record. */
int leave_recorded(struct leaving *l, const struct nft_table *table, const char *part);
/* An element of a set, kept for a while. */
struct set_element {
	char               set[NFT_NAME];
	struct nft_element el;
};
int set_element_keep(struct cni_call *c, struct list *list, const struct nft_set *set, const struct nft_element *el);
/* ADD of an attachment that is on record: what it has, of struct set_element. Read before the transaction, which writes the record anew; no restore
 * sees it until then. */
int replaced_read(struct cni_call *c, const struct nft_table *table, const char *part, struct list *out);
/* The transaction has failed: what was there before is there still, and on record. */
void replaced_stays(struct cni_call *c, const char *part);
/* In the transaction, when the new elements (`claimed`) are in it: what is not among them leaves, and so do chains that only what leaves or is
 * replaced leads to. It includes leave_chains. */
int leave_replaced(struct leaving *l, const struct nft_table *table, const struct list *before, struct list *claimed);
/* Gives an element back if it is the attachment's. */
int leave(struct leaving *l, const struct nft_set *set, struct nft_element *el);
/* Gives back every element of a set that is the attachment's (DEL), or stale (GC). */
int leave_swept(struct leaving *l, const struct nft_set *set);
/* The end: removes the chains that nobody uses but what has left. */
int leave_chains(struct leaving *l);

#endif
