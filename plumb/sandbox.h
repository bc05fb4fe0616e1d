/* The network namespace of a run: /run/netns/plumb-ID, for as long as the run lives. */
#ifndef PLUMB_SANDBOX_H
#define PLUMB_SANDBOX_H

#include <stdbool.h>

struct call;

struct sandbox {
	const char *path;               /* NULL: none */
	int         fd;                 /* of the namespace; locked, which says that the run lives. -1: none */
};

/* A new namespace with lo up. 0, or negative with c->trouble set and nothing left. */
int sandbox_make(struct call *c, const char *id, struct sandbox *out);
void sandbox_remove(struct sandbox *s);         /* takes an empty one too */

/* Where the namespace of the run of this id is, in the arena. */
const char *sandbox_path(struct call *c, const char *id);
/* Whether path is that of the run of this id, there or not. */
bool sandbox_is_of(const char *path, const char *id);
/* The same, and the run is no more: it was killed before it could remove it. */
bool sandbox_abandoned(const char *path, const char *id);
/* Removes the namespaces that killed runs left behind, those with ids that we made up. */
void sandbox_sweep(struct call *c);
/* An id for a run that was given none, in the arena. */
const char *sandbox_new_id(struct call *c);
/* Removes one that is abandoned. */
void sandbox_discard(const char *path);

#endif
