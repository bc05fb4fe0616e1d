/* The host's packet filter, read for people, and what it does to a connection's first packet.
 *
 * Rules come from `nft -j list ruleset` and, for what nft cannot tell (iptables' own matches, and all of iptables-legacy), from `iptables-save`:
 * programs that are run, so that plumb links no libnftables. A match that depends on what we cannot know (a limit, a mark that a program sets, an
 * extension) is a "maybe", and so is what follows from it. */
#ifndef PLUMB_RULES_H
#define PLUMB_RULES_H

#include "base/addr.h"
#include "base/json.h"

struct call;
struct survey;

struct rule {
	json_t     *expr;               /* as nft's JSON has it */
	const char *words;              /* as people write it; NULL: still to be looked up by its handle (rule_words) */
	long long   handle;
};

struct chain {
	const char *family, *table, *name;      /* family: "inet", "ip", "ip6", "bridge", … */
	const char *program;            /* "nft", "iptables-nft", "iptables-legacy", …: what it is changed with */
	const char *type, *hook;        /* NULL: no base chain */
	int         priority;
	bool        drops;              /* its policy */
	struct list rules;              /* of struct rule */
};

struct elements {
	const char *family, *table, *name;
	json_t     *list;               /* borrowed; NULL: empty */
};

struct ruleset {
	struct call         *c;
	const struct survey *host;      /* whose addresses are local */
	struct list          chains;    /* of struct chain: base chains by priority */
	struct list          sets;      /* of struct elements: sets and maps */
	json_t              *words;     /* "family/table/handle" -> text; NULL: not read yet */
	const char          *unread;    /* what of it could not be read, and why; NULL: all was */
};

/* Never fails: what cannot be read is said in out->unread. */
void rules_read(struct call *c, const struct survey *host, struct ruleset *out);

const struct chain *rules_chain(const struct ruleset *rs, const char *family, const char *table, const char *name);
const struct elements *rules_set(const struct ruleset *rs, const char *family, const char *table, const char *name);
/* A rule as people write it, with its place: "table ip filter, chain FORWARD: …". rule NULL: the chain's policy. */
const char *rule_words(struct ruleset *rs, const struct chain *chain, const struct rule *rule);
static inline bool chain_is_ours(const struct chain *c) { return c->table[0] == 'p' && !__builtin_strcmp(c->table, "plumb"); }

/* A packet that begins a connection, or the answer to it. */
struct packet {
	int         family;             /* AF_INET, AF_INET6 */
	uint8_t     protocol;           /* IPPROTO_… */
	struct addr from, to;
	uint16_t    port;               /* asked for */
	const char *in, *out;           /* links; NULL: none (yet) */
	const char *mac;                /* whose it comes from, as text; NULL: not known */
	bool        translated;         /* its destination was */
	bool        answer;             /* of an established connection: `port` is whose it comes from, and nothing translates it anew */
};

/* What became of it at one or more hooks. */
struct ruling {
	bool                dropped, rejected;
	const char         *by;         /* the rule that did, in words; of a "maybe", too */
	const struct chain *chain;      /* of that rule's base chain … */
	const struct chain *place;      /* … and where the rule stands */
	bool                maybe;      /* it may be dropped, by `by`, where dropped is false */
	bool                leaves;     /* its source was changed: masqueraded, or */
	struct addr         source;     /* to this; unset: that of the link it leaves by */
	const char         *map, *owner;        /* of the translation: the map and the element's comment; NULL: a rule without one */
	const char         *translation;        /* the rule, in words */
};

/* Sends the packet through all chains of a hook ("prerouting", "forward", …), in the order of their priorities, of the packet's family or of `family`
 * where that is not NULL
 * ("bridge"). The packet is changed where rules translate it. False: dropped. */
bool rules_pass(struct ruleset *rs, const char *hook, const char *family, struct packet *p, struct ruling *r);

/* ---- Parts (rules_match.c, rules_iptables.c) ---- */

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

/* Whether a match statement's sides are as it wants them. */
enum match rules_match(const struct ruleset *rs, const struct chain *chain, const json_t *match, const struct packet *p);
/* What a map gives for the packet: data, and the element's comment (may be NULL). */
enum match rules_look_up(const struct ruleset *rs, const struct chain *chain, const json_t *map, const struct packet *p, json_t **data,
			 const char **comment);

/* A line of iptables-save ("-A CHAIN …") in nft's JSON, the caller's; what cannot be said there is {"xt": …}. */
json_t *iptables_expressions(const char *line, int family);
/* Adds what iptables-legacy has, and tells apart what iptables-nft has written. */
void iptables_read(struct ruleset *rs);

#endif
