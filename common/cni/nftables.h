/* The nftables objects that we own, by name (spec/ruleset.nft), and who owns an element. */
#ifndef PLUMB_CNI_NFTABLES_H
#define PLUMB_CNI_NFTABLES_H

#include <sys/socket.h>

#include "cni/plugin.h"
#include "os/nft.h"

extern const struct nft_table nft_inet, nft_bridge;

/* The set or map of a family: NAME4 or NAME6. */
struct nft_pair {
	struct nft_set v4, v6;
};
static inline const struct nft_set *nft_of(const struct nft_pair *p, int family) { return family == AF_INET ? &p->v4 : &p->v6; }

/* Runs a transaction for the call. CHECK and STATUS only read; CHECK with "repair": true in the configuration brings back what is on record first
 * when something is missing. What ADD adds goes on record, by attachment and `part` (a word for what is done here: "masq"); DEL and GC take records
 * away. */
int nft_work(struct cni_call *c, const struct nft_table *table, const char *part, nft_decide *decide, void *arg);

/* Whether the table is there, with every chain of its ruleset and as many rules in it as there should be. 0, or negative with e saying what is lost. */
int nft_check_base(struct nft *nft, const struct nft_table *table, struct err *e);

/* Whether the namespace of an element's owner was on record and is gone. */
bool nft_owner_is_dead(const char *owner);
/* The same for tables of others: nothing is loaded, restored or put on record. */
int nft_change_foreign(struct cni_call *c, nft_decide *decide, void *arg);
/* Where what the call's attachment has is on record. */
enum { NFT_RECORD_PATH = sizeof NFT_RECORDS + 256 };
const char *nft_record_path(struct cni_call *c, const char *part, char out[NFT_RECORD_PATH]);

/* ADD: whether an attachment of the same name is on record: one that died without a DEL. No restore sees that record any more. */
bool nft_has_record(struct cni_call *c, const char *part);

/* Whether an element's comment says that this owner has it. */
bool nft_owned_by(const struct nft_element *el, const char *owner);

/* Claims an element for the call's attachment in the transaction at hand. Somebody else's with the same key: an error that names the holder,
 * unless `replace`, or the holder's namespace is gone: then it is taken over. */
int nft_claim(struct nft *nft, const struct nft_set *set, struct nft_element *el, bool replace, const char *what, struct cni_call *c);
/* The same without claiming: 0 where nobody else has the key. */
int nft_refuse_others(struct nft *nft, const struct nft_set *set, const struct nft_element *el, const char *what, struct cni_call *c);
/* Gives an element back if it is the attachment's. 1: it was, 0: not. */
int nft_give_back(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct cni_call *c);
/* CHECK: 0 when the element is there, the attachment's, with the value of `el`. */
int nft_check(struct nft *nft, const struct nft_set *set, const struct nft_element *el, const char *what, struct cni_call *c);
/* CHECK: an error where the chain is not there or has no rules; what: whose it is. */
int nft_check_chain(struct nft *nft, const char *chain, const char *what, struct cni_call *c);

#endif
