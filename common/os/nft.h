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

/* A table, the helper's argument that loads it when it is not there, and which edition of its chains and rules we know: an empty chain is called by it. */
struct nft_table {
	uint8_t     family;             /* NFPROTO_INET, NFPROTO_BRIDGE */
	const char *name, *ruleset;
	unsigned    edition;
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
	struct nft_bytes key_end;               /* of a range: its last key; len 0 else */
	char             chain[NFT_NAME];       /* of a map to verdicts: where it leads; "" else */
	bool             jump;                  /* it comes back from there */
	char             comment[NFT_COMMENT];  /* the owner */
};

/* Messages, one after the other. */
struct nft_messages {
	uint8_t *bytes;
	size_t   len, room;
	unsigned count;
};

struct nft {
	struct netlink      nl;
	uint32_t            generation;
	struct nft_messages batch;
	struct nft_messages record;     /* what it takes to have from nothing what the transaction adds */
	bool                recording;  /* record is wanted */
	bool                recorded;   /* a try has written it */
	bool                there;      /* what is added now is there already: for the record only */
	unsigned            first_seq;
	bool                no_memory;
};

/* Decides what a transaction does: looks things up, calls nft_add and the like. 0 to commit; other than 0 gives up and is returned,
 * with the error that it has told. */
typedef int nft_decide(struct nft *nft, void *arg);

struct nft_work {
	const struct nft_table *table;  /* one without a name: tables of others, whatever they are */
	nft_decide             *decide;
	void                   *arg;
	bool                    reads;  /* only: the table is not loaded for it */
	const char             *record; /* a file that gets what is added, for nft_restore; nothing added: it goes. NULL: no record */
	const char             *note;   /* goes there too: the container's namespace, for nft_record_note */
};

/* Runs a transaction: again, boundedly, when somebody else changed the ruleset meanwhile. A table that is not there, or of an older edition, is loaded
 * first and what is on record put back; one of a newer edition is refused. */
int nft_transact(const struct nft_work *work, struct err *e);

/* Where records are: a file for each attachment and what it has there. */
#define NFT_RECORDS "/run/plumb/nftables"
/* The note of a record; false: there is no such record. */
bool nft_record_note(const char *name, char *out, size_t size);
/* Takes a record out of the sight of restores and waits for those that may have read it: what is removed afterwards stays away.
 * nft_transact removes it whole. -ENOENT: there is none. */
int nft_record_hide(const char *path, struct err *e);
/* The way back: what it tells of is still there after all. */
void nft_record_show(const char *path);
/* The wait alone, for whoever has removed records. */
int nft_restores_wait(struct err *e);
/* Calls each for the elements of a record, hidden or not, which are of the table; stops at other than 0 and returns that. -ENOENT, without words:
 * there is no such record; else why it cannot be read. */
int nft_record_each(const char *path, const struct nft_table *table, int (*each)(const struct nft_set *set, struct nft_element *el, void *arg), void *arg,
                    struct err *e);
/* Loads the table's chains and rules, and brings back every element and chain on record that is not there, in one batch. */
int nft_restore(const struct nft_table *table, struct err *e);
/* Where the helper that loads chains and rules is, when not beside our own executable. Borrowed. */
void nft_helpers_in(const char *dir);

/* ---- In a transaction (and for reading, after nft_open) ---- */

int  nft_open(struct nft *nft, struct err *e);
void nft_close(struct nft *nft);

/* Looks an element up by el->key; fills in the rest. 1: there; 0: not there, nor may be its set or table; or negative. */
int nft_find(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct err *e);
/* Calls each for all elements of a set, which may not be there; stops at other than 0 and returns that. */
int nft_each(struct nft *nft, const struct nft_set *set, int (*each)(const struct nft_element *el, void *arg), void *arg, struct err *e);
/* How many rules a chain has; -ENOENT: no such chain. */
int nft_chain_rules(struct nft *nft, const struct nft_table *table, const char *chain, struct err *e);
/* How many rules and elements refer to or make up a chain; -ENOENT: no such chain. The one thing here that is not of a generation: batches that are
 * not through count already. */
int nft_chain_use(struct nft *nft, const struct nft_table *table, const char *chain, struct err *e);

void nft_add(struct nft *nft, const struct nft_set *set, const struct nft_element *el);
void nft_remove(struct nft *nft, const struct nft_set *set, const struct nft_element *el);
/* The same where the transaction may have removed it already, for another of its elements. */
void nft_remove_once(struct nft *nft, const struct nft_set *set, const struct nft_element *el);

/* Makes a chain without a hook where there is none of the name; `write` writes its rules, with os/nft_rule.h. A name stands for the same rules always:
 * what is there already stays as it is. */
typedef void nft_write(struct nft *nft, const char *chain, const void *arg);
int nft_chain_ensure(struct nft *nft, const struct nft_table *table, const char *chain, nft_write *write, const void *arg, struct err *e);
/* Whether a table is kept by a program that lets nobody else change it (flag owner). */
bool nft_table_is_owned(struct nft *nft, const struct nft_table *table);
/* A chain as it is listed, of any table. */
struct nft_chain_seen {
	uint8_t     family;
	const char *table, *name;
	bool        forwards_filtered;          /* a base chain that filters what is forwarded … */
	bool        drops;                      /* … and by its policy drops what no rule of it decides */
};
/* Calls each for all chains of the namespace; stops at other than 0 and returns that. */
int nft_chain_each(struct nft *nft, int (*each)(const struct nft_chain_seen *chain, void *arg), void *arg, struct err *e);

struct nft_rule_seen {
	uint64_t handle;
	char     comment[NFT_COMMENT];
	int      verdict;               /* what it does with all that comes: NF_ACCEPT, NF_DROP (rejecting, too), NFT_JUMP, NFT_GOTO, NFT_RETURN; NFT_CONTINUE:
	                                   it picks, or decides nothing */
	char     chain[NFT_NAME];       /* where NFT_JUMP and NFT_GOTO lead */
};
/* Calls each for the rules of a chain, which may not be there. */
int nft_rule_each(struct nft *nft, const struct nft_table *table, const char *chain, int (*each)(const struct nft_rule_seen *rule, void *arg),
                  void *arg, struct err *e);
void nft_rule_remove(struct nft *nft, const struct nft_table *table, const char *chain, uint64_t handle);

void nft_chain_remove(struct nft *nft, const struct nft_table *table, const char *chain);

#endif
