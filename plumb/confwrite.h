/* Files of the configuration directory: written whole, one writer at a time. */
#ifndef PLUMB_CONFWRITE_H
#define PLUMB_CONFWRITE_H

#include "base/json.h"

struct call;

/* Nobody else creates or removes networks until the descriptor is closed, or the process ends: the directory itself is locked. The directory is
 * made where it is not there. The descriptor, or negative with c->trouble set. */
int confdir_lock(struct call *c);

/* CONFDIR/plumb-NAME.conflist, which sorts behind what is numbered, so that runtimes that take the first file go on taking theirs. In the arena;
 * NULL: no memory. */
const char *confdir_path(struct call *c, const char *name);
/* Writes it whole, while the lock is held. -EEXIST with c->trouble set where a file of the name is there. */
int confdir_write(struct call *c, const char *path, const json_t *list);

#endif
