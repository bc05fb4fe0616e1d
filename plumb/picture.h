/* What is drawn of a host, whatever it is drawn with. */
#ifndef PLUMB_PICTURE_H
#define PLUMB_PICTURE_H

#include <stdio.h>

#include "journey.h"

enum { SHOWN_LIMIT = 20 };      /* containers of a network that are drawn one by one */

enum way_out { OUT_MASQUERADED, OUT_ROUTED, OUT_NONE };

struct drawn_network {
	const struct seen_network *network;
	enum way_out     way;
	const char      *why;           /* of OUT_NONE: what keeps it in */
	const char      *uplink;        /* that it goes out by; NULL: none */
	struct list      shown;         /* of const struct seen_attachment *: the dead first, then those with ports */
	struct list      rest;          /* the same; not drawn one by one */
};

struct drawn_port {
	const char *host, *container, *protocol;        /* "*:8080", "80", "tcp" */
	bool        from_lan;                           /* not on a loopback address */
};

/* Two networks whose containers may not talk to each other. */
struct apart {
	const struct seen_network *a, *b;
	const char                *rule;
};

struct picture {
	struct survey  *s;
	struct ruleset *rs;
	struct list     networks;       /* of struct drawn_network */
	struct list     apart;          /* of struct apart */
	size_t          containers;
};

/* names: the networks wanted, ended by NULL; none: all. 0, or negative with c->trouble set: no such network. */
int picture_make(struct survey *s, struct ruleset *rs, char *const *names, struct picture *out);

/* The ports of an attachment, of struct drawn_port; runs of ports are one. */
void picture_ports(const struct survey *s, const struct seen_attachment *a, struct list *out);
/* "10.89.0.2, fd00:89::2", in the arena; "" where it has none. */
const char *picture_addresses(const struct survey *s, const struct seen_attachment *a);
const char *picture_prefixes(const struct survey *s, const struct list *prefixes);
/* The subnets, or where a configuration tells none what the bridge has: "10.89.0.0/24"; "" for none. */
const char *picture_subnets(const struct survey *s, const struct seen_network *n);
/* "bridge app0", "ptp", "macvlan on eth0". */
const char *picture_kind(const struct survey *s, const struct seen_network *n);
/* Of the rest: "10.89.0.22 – 10.89.0.58" with the given dash; "" where it cannot be said. */
const char *picture_span(const struct survey *s, const struct list *rest, const char *dash);
/* The first one of the same container that is drawn: a container on several networks is one. */
const struct seen_attachment *picture_first(const struct picture *p, const struct seen_attachment *a);

/* A tree of text on stdout; Graphviz' language. */
void picture_text(const struct picture *p);
void picture_dot(const struct picture *p, FILE *to);

#endif
