/* What the nft modules share: nf_tables messages and their parts. */
#ifndef PLUMB_OS_NFT_MESSAGE_H
#define PLUMB_OS_NFT_MESSAGE_H

#include "os/nft.h"

struct nl_msg *nft_request(int type, int flags, uint8_t family);

void nft_put_data(struct nl_msg *m, int attr, const struct nft_bytes *b);
/* code: NFT_GOTO, NFT_RETURN, …; chain NULL where the verdict has none. */
void nft_put_verdict(struct nl_msg *m, int attr, int code, const char *chain);
/* As nft reads it back; nothing for "". */
void nft_put_comment(struct nl_msg *m, int attr, const char *comment);
/* "" where udata is NULL or has none. */
void nft_get_comment(char out[NFT_COMMENT], struct nlattr *udata);

/* Appends a change to the transaction's batch, and what adds to its record; takes the message over, NULL counts as out of memory. */
enum nft_change { NFT_ADDS, NFT_REMOVES, NFT_PASSES };  /* NFT_PASSES: added, and not on record */
void nft_change(struct nft *nft, struct nl_msg *m, enum nft_change what);

/* Appends a copy; false: no memory. */
bool nft_messages_add(struct nft_messages *to, const struct nlmsghdr *h);
void nft_messages_free(struct nft_messages *m);

/* ---- A transaction's steps (nft.c), for nft_transact and nft_restore ---- */

int nft_begin(struct nft *nft, struct err *e);
static inline bool nft_changes(const struct nft *nft) { return nft->batch.count > 1; }  /* more than its begin */
/* 0 or -errno: ERESTART, somebody else was first; ENODATA, it may be done. */
int nft_commit(struct nft *nft);
enum { NFT_TRIES = 400 };                /* of a transaction: another program may change the ruleset all the time */
void nft_back_off(int tries);
/* After all of them; returns what it notes. */
int nft_refuse_busy(const struct nft_table *table, struct err *e);
/* 1: the table is as we know it. 0: to be loaded, for it has none of our chains (*there is false) or older ones. Negative: it is of a newer edition. */
int nft_table_is_known(struct nft *nft, const struct nft_table *table, bool *there, struct err *e);

/* ---- Chains, sets and rules that are always the same (nft_ruleset.c) ---- */

/* By the helper, where we are. What is there already stays, but for the rules of the table's own chains: these begin anew. */
int nft_ruleset_load(const struct nft_table *table, struct err *e);
/* The same as messages of a batch that make it where nothing of it is, in memory that is the caller's: it is loaded into a network namespace of its own
 * and read there. -EOPNOTSUPP, without words: there can be no such namespace. */
int nft_ruleset_read(const struct nft_table *table, struct nft_messages *out, struct err *e);

/* ---- Records (nft_record.c) ---- */

bool nft_has_records(void);
/* Whole or not at all. */
int nft_record_write(const char *path, const struct nft_messages *record, const char *note, struct err *e);
/* All of a record, in memory that is the caller's to free; dir as openat's. 0; -ENOENT: there is none; else why it cannot be read. */
int nft_record_read(int dir, const char *name, uint8_t **bytes, int *len);
/* It need not be there; what a killed process left of it goes as well. */
int nft_record_remove(const char *path, struct err *e);
/* What was written has not come into being; or it has, and stands for what was hidden. */
int nft_record_take_back(const char *path, struct err *e);
void nft_record_replaced(const char *path);
/* The element that a NEWSETELEM message adds (nft_element.c); the set's name is the message's, its table left alone. */
bool nft_element_read(struct nlmsghdr *add, struct nft_set *set, struct nft_element *el);

#endif
