/* Garbage collection. */
#ifndef PLUMB_HOST_LOCAL_COLLECT_H
#define PLUMB_HOST_LOCAL_COLLECT_H

#include "host-local/store.h"

/* Gives back every lease that none of the valid attachments (of struct valid_attachment) holds; one of the older format, when its
 * container has none at all. Goes on past failures, and returns the first. dry_run: only says on stderr which ones. */
int store_collect(struct store *s, const struct list *valid, bool dry_run);

#endif
