/* Ranges of addresses and sets of them: what a network's containers get their addresses from. */
#ifndef PLUMB_HOST_LOCAL_RANGE_H
#define PLUMB_HOST_LOCAL_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/json.h"

struct range {
	struct prefix subnet;
	struct addr   start, end;       /* both inclusive */
	struct addr   gateway;
};

/* Ranges of one family, none overlapping; a container gets one address from each set. */
struct range_set {
	struct list ranges;             /* of struct range, at least one */
	const char *where;              /* the set in the configuration: "ipam", "ipam.ranges[0]" */
	bool        plain;              /* the range stands in where itself, not in a list */
};

enum { RANGE_TEXT = 2 * ADDR_TEXT, RANGE_SET_TEXT = 256, RANGE_PATH = 160 };

extern const struct field range_fields[];       /* of struct range, as configured */

/* Fills in what was left out (gateway and start: the first address; end: the last one, IPv4's broadcast address excepted) and refuses
 * what makes no sense, by its path. number: the set's place among all sets, for words. 0 or -EINVAL. (range_settle.c) */
int range_set_settle(struct range_set *s, size_t number, struct err *e);

bool range_contains(const struct range *r, const struct addr *a);
bool ranges_overlap(const struct range *a, const struct range *b);
bool range_sets_overlap(const struct range_set *a, const struct range_set *b);
/* The range that an address belongs to; NULL: none. */
const struct range *range_set_find(const struct range_set *s, const struct addr *a);
/* Whether it is the gateway of any of the ranges: never given to a container. */
bool range_set_is_gateway(const struct range_set *s, const struct addr *a);
int range_set_family(const struct range_set *s);
/* How many addresses there are to give, gateways not counted; UINT64_MAX: that many or more. */
uint64_t range_set_size(const struct range_set *s);

const char *range_text(const struct range *r, char out[RANGE_TEXT]);                    /* "10.1.2.1-10.1.2.254" */
const char *range_set_text(const struct range_set *s, char out[RANGE_SET_TEXT]);        /* parted by ','; cut when long */
/* The i-th range in the configuration: "ipam", "ipam.ranges[0][1]". */
const char *range_path(const struct range_set *s, size_t i, char out[RANGE_PATH]);

/* Visits each address of a set once, without the gateways. */
struct range_walk {
	const struct range_set *set;
	size_t                  at;             /* the range */
	struct addr             here, first;
	bool                    begun;
};

/* Begins behind last (which then comes at the very end), or with the set's first address when last is not in the set. */
void range_walk_begin(struct range_walk *w, const struct range_set *s, const struct addr *last);
/* The next address, in w->here; the range that it is in, or NULL when all have been visited. */
const struct range *range_walk_next(struct range_walk *w);

#endif
