/* Worlds that are held open, by name, for their user: a file each, locked by its holder. The kernel drops the lock with the holder, however it
 * ends, so a file without a lock is no world. */
#ifndef NETNS_FIXTURE_REGISTRY_H
#define NETNS_FIXTURE_REGISTRY_H

#include "fixture.h"

struct held {
	pid_t holder;           /* who holds it open */
	pid_t world;            /* its first process */
};

/* Takes a name for the calling process, until it ends; 0, or -1 with *why naming the holder. */
int registry_take(const char *name, struct fault *why);
/* Notes the first process of the world that was given the name. */
int registry_note(pid_t world, struct fault *why);
void registry_drop(void);

/* A held world. 0, or -1 with *why. */
int registry_find(const char *name, struct held *out, struct fault *why);
/* Calls each for every held world. */
void registry_each(void (*each)(const char *name, const struct held *h));

#endif
