/* What plumb explain has found of an attachment: things, and whether each is as it should be. */
#ifndef PLUMB_EXPLAIN_H
#define PLUMB_EXPLAIN_H

#include "journey.h"

enum standing { STANDS_WELL, STANDS_ILL, STANDS_UNKNOWN, IS_THERE };    /* IS_THERE: neither good nor bad */

struct item {
	enum standing standing;
	const char   *kind, *words;     /* "address", "10.89.0.2/24, on eth0" */
	const char   *remedy;           /* of what is ill; may be NULL */
};

struct explanation {
	struct survey                *s;
	struct ruleset               *rs;
	const struct seen_attachment *a;
	struct list                   items;    /* of struct item */
};

void explain_item(struct explanation *x, enum standing standing, const char *kind, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* What mends most things: DEL and ADD. In the arena. */
const char *explain_anew(const struct explanation *x);

void explain_links(struct explanation *x);      /* record, namespace, both ends, bridge (explain_links.c) */
void explain_addresses(struct explanation *x);  /* addresses, routes, leases, settings (explain_addresses.c) */
void explain_nftables(struct explanation *x);   /* elements and chains, connections (explain_nftables.c) */

/* The journeys to --path that --from asks for, of struct journey, and their text. (explain_path.c) */
int explain_paths(struct survey *s, struct ruleset *rs, const struct seen_attachment *subject, struct list *out);
void explain_tell_path(const struct journey *j);
json_t *explain_path_json(const struct journey *j);

#endif
