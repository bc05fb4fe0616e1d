/* Whether the container of a lease is provably gone. When in doubt it lives. (spec/store.md, "Dead leases") */
#ifndef PLUMB_HOST_LOCAL_LIVENESS_H
#define PLUMB_HOST_LOCAL_LIVENESS_H

#include "base/arena.h"
#include "host-local/file.h"
#include "host-local/table.h"

/* What has been looked at in this call; zeroed but for the first two. */
struct liveness {
	const char   *network;
	struct arena *arena;
	bool          looked, blind;    /* at the processes; could not */
	uint64_t     *inodes;           /* of the namespaces that processes are in */
	size_t        count;
};

/* record: what the index knows, NULL: nothing. */
bool lease_is_dead(struct liveness *l, const struct lease_file *file, const struct lease_record *record);

#endif
