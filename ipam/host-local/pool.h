/* Taking addresses from the sets of ranges: round robin, as asked for, or over from the dead. */
#ifndef PLUMB_HOST_LOCAL_POOL_H
#define PLUMB_HOST_LOCAL_POOL_H

#include "host-local/liveness.h"
#include "host-local/range.h"
#include "host-local/store.h"

/* What a call takes addresses with. */
struct pool {
	struct store      *store;
	struct liveness    liveness;
	const char        *id, *ifname;         /* for whom */
	struct lease_netns netns;
	struct err        *err;
};

/* Takes an address from a set; number: the set's place among all. wanted: this one, which is in the set; NULL: the next. *range: the
 * range that *got is in. 0 or negative. */
int pool_take(struct pool *p, const struct range_set *s, size_t number, const struct addr *wanted, struct addr *got,
              const struct range **range);

/* 1 when ADD would find an address in the set, 0 when not; negative: it cannot be told. */
int pool_has_room(struct pool *p, const struct range_set *s, size_t number);

/* Says of an error that has been set how full a set is, and what can be done. */
void pool_tell_full(const struct pool *p, const struct range_set *s);

#endif
