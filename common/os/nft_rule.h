/* Rules, written expression by expression: what they match, then what they do.
 *
 *	struct nft_rule r = rule_begin(nft, &nft_inet, "masq_10.1.0.0/16");
 *	match_address(&r, NFT_DESTINATION, &subnet, false);
 *	do_verdict(&r, NFT_RETURN, NULL);
 *	rule_end(&r);                           appends it to the chain */
#ifndef PLUMB_OS_NFT_RULE_H
#define PLUMB_OS_NFT_RULE_H

#include "os/nft.h"

#include <linux/netfilter/nf_tables.h>

struct nft_rule {
	struct nft    *nft;
	struct nl_msg *m;               /* NULL: no memory, which the commit tells */
	struct nlattr *list;
	const char    *comment;         /* NULL: none */
};

struct nft_rule rule_begin(struct nft *nft, const struct nft_table *table, const char *chain);
void rule_end(struct nft_rule *r);
/* In a chain that is not ours: before all other rules, with a comment to find it by. It is not on record. */
struct nft_rule rule_begin_first(struct nft *nft, const struct nft_table *table, const char *chain, const char *comment);

enum nft_side { NFT_SOURCE, NFT_DESTINATION };

/* ---- What it matches. `other`: all but that ---- */

void match_family(struct nft_rule *r, int family);                      /* AF_INET, AF_INET6 */
/* In the prefix; the family is matched with it. */
void match_address(struct nft_rule *r, enum nft_side side, const struct prefix *p, bool other);
/* In a set of addresses of the family. */
void match_address_set(struct nft_rule *r, enum nft_side side, int family, const char *set, bool other);
/* The interface that it came in by (NFT_SOURCE) or leaves by. A '*' at the end stands for any letters. */
void match_link(struct nft_rule *r, enum nft_side side, const char *name, bool other);
/* A connection whose destination was translated: a published port. */
void match_published(struct nft_rule *r, bool other);

/* ---- What it does ---- */

void do_verdict(struct nft_rule *r, int code, const char *chain);       /* NF_DROP, NF_ACCEPT, NFT_RETURN; with a chain NFT_JUMP, NFT_GOTO */
void do_log(struct nft_rule *r, const char *prefix);                    /* at most 127 bytes */
void do_masquerade(struct nft_rule *r, bool random_ports);
void do_source(struct nft_rule *r, const struct addr *a, bool random_ports);    /* snat to the address */

#endif
