/* nftables as a database: elements of sets and maps, each with its owner as comment, changed by compare and swap.
 *
 * The kernel deletes an element by key alone, whosever it is. So a change is a transaction: the ruleset's generation is noted, what is there
 * is looked up, and the batch is committed only if nothing changed in between (NFNL_BATCH_GENID; the kernel answers ERESTART). */
#ifndef PLUMB_OS_NFT_H
#define PLUMB_OS_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "os/netlink.h"

enum { NFT_COMMENT = 128, NFT_NAME = 128 };

/* A table, and the helper's argument that loads it when it is not there. */
struct nft_table {
	uint8_t     family;             /* NFPROTO_INET, NFPROTO_BRIDGE */
	const char *name, *ruleset;
};
struct nft_set {
	const struct nft_table *table;
	const char             *name;
};

/* A key or a value: fields one after the other, each padded to four bytes, as the kernel has concatenations. */
struct nft_bytes {
	uint8_t bytes[64];
	uint8_t len;
};
void nft_put(struct nft_bytes *b, const void *field, size_t len);
void nft_put_addr(struct nft_bytes *b, const struct addr *a);
void nft_put_u8(struct nft_bytes *b, uint8_t v);                /* a protocol */
void nft_put_port(struct nft_bytes *b, uint16_t port);          /* in network order */
void nft_put_ifname(struct nft_bytes *b, const char *name);     /* 16 bytes */
void nft_put_mac(struct nft_bytes *b, const struct mac *m);

struct nft_element {
	struct nft_bytes key, value;            /* value.len 0: of a set, or a map to verdicts */
	char             chain[NFT_NAME];       /* of a map to verdicts: "goto this chain"; "" else */
	char             comment[NFT_COMMENT];  /* the owner */
};

struct nft {
	struct netlink nl;
	uint32_t       generation;
	uint8_t       *batch;
	size_t         len, room;
	unsigned       first_seq, messages;
	bool           no_memory;
};

/* Decides what a transaction does: looks things up, calls nft_add and the like. 0 to commit; other than 0 gives up and is returned, e set by it. */
typedef int nft_decide(struct nft *nft, void *arg, struct err *e);

/* Runs a transaction: again, boundedly, when somebody else changed the ruleset meanwhile; once more after loading the base ruleset when that is not there. */
int nft_transact(const struct nft_table *table, nft_decide *decide, void *arg, struct err *e);

/* ---- In a transaction (and for reading, after nft_open) ---- */

int  nft_open(struct nft *nft, struct err *e);
void nft_close(struct nft *nft);

/* Looks an element up by el->key; fills in the rest. 1: there; 0: not there, nor may be its set or table; or negative. */
int nft_find(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct err *e);
/* Calls each for all elements of a set, which may not be there; stops at other than 0 and returns that. */
int nft_each(struct nft *nft, const struct nft_set *set, int (*each)(const struct nft_element *el, void *arg), void *arg, struct err *e);
/* How many rules and elements refer to or make up a chain; -ENOENT: no such chain. The one thing here that is not of a generation: batches that are not through count
 * already. */
int nft_chain_use(struct nft *nft, const struct nft_table *table, const char *chain, struct err *e);

void nft_add(struct nft *nft, const struct nft_set *set, const struct nft_element *el);
void nft_remove(struct nft *nft, const struct nft_set *set, const struct nft_element *el);

/* A chain with its rules, for masquerading one subnet: `ip daddr SUBNET return; masquerade`. (masq.c says why it is a chain.) */
void nft_add_masq_chain(struct nft *nft, const struct nft_table *table, const char *chain, const struct prefix *subnet);
void nft_remove_chain(struct nft *nft, const struct nft_table *table, const char *chain);

/* Loads a base ruleset with the helper executable, which is beside our own. */
int nft_load_ruleset(const char *ruleset, struct err *e);

#endif
