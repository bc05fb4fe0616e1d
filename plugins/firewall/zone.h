/* Which sources are bound to which zone of firewalld, and the records of that: a file an attachment, NETWORK:CONTAINER:IFNAME.zone, whose lines are
 * "ZONE SOURCE", for plumb-firewalld (plumb/firewalld/records.h) to restore from. */
#ifndef PLUMB_PLUGINS_FIREWALL_ZONE_H
#define PLUMB_PLUGINS_FIREWALL_ZONE_H

#include <limits.h>

#include "cni/plugin.h"

#define ZONE_RECORDS "/run/plumb/zones"

struct binding {
	const char *zone;
	struct list sources;            /* of char *: an address with its full length */
};

/* NULL: there was no memory for it. 0 or -ENOMEM with c->err set. */
int binding_push(struct cni_call *c, struct binding *b, char *source);

/* Of the call's attachment; `out` is returned. */
const char *record_path(const struct cni_call *c, char out[PATH_MAX]);

/* The attachment's record, whole or not at all. */
int record_write(struct cni_call *c, const struct binding *b);
/* DEL: what was being written, when an ADD was killed, goes. */
void record_abandon(const struct cni_call *c);
/* What a record says, empty where there is none; an error where it cannot be read. All its lines have one zone. */
int record_read(struct cni_call *c, const char *path, struct binding *b);
/* GC: whether the record of this name is one of the network's, and its attachment no longer valid. */
bool record_is_stale(struct cni_call *c, const char *name);

#endif
