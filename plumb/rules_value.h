/* What a rule asks of a packet, as values: an address, a port, a link's name, or several of them. */
#ifndef PLUMB_RULES_VALUE_H
#define PLUMB_RULES_VALUE_H

#include "rules.h"

enum { ATOMS = 5 };
enum { ASKING = -1, ASKING_FIRST = 32768, ASKING_LAST = 60999 };        /* the port that a client asks from: one of these, as the kernel gives them */

struct atom {
	enum { ATOM_ADDR, ATOM_NUMBER, ATOM_PROTOCOL, ATOM_TEXT } kind;
	struct addr addr;
	long long   number;
	const char *text;
};
struct value {
	size_t      count;
	struct atom atoms[ATOMS];
};

/* The packet's side of an expression of nft's JSON. NO: the packet has no such thing. MAYBE: it is not known. */
enum match value_of(const struct ruleset *rs, const json_t *e, const struct packet *p, struct value *v);
/* IPPROTO_… of a name; -1: none that is known. */
int protocol_number(const char *name);

#endif
