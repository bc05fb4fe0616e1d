/* The leases of a network: a directory of files shared with the reference plugin, under its lock, with an index. (spec/store.md) */
#ifndef PLUMB_HOST_LOCAL_STORE_H
#define PLUMB_HOST_LOCAL_STORE_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "host-local/file.h"
#include "host-local/index.h"

enum { STORE_DEADLINE_MS = 30 * 1000 };

/* What is kept with a lease to tell later whether its container is still there. */
struct lease_netns {
	const char *path;               /* "": not known */
	uint64_t    inode;              /* 0: not known */
};

struct store {
	int                dir, lock;   /* -1: not open */
	const char        *path;        /* the directory's, for words */
	bool               scanned;     /* the index tells what a look at every file under this very lock has found */
	bool               trusted;     /* the index was right, or has been made anew: what we know of it may be sealed */
	int                unread;      /* why a file could not be read in that look, 0: all could. Negative: nothing is sealed, so that the next call looks again */
	struct lease_index index;
	struct arena      *arena;
	struct err        *err;
};

#define STORE_CLOSED { .dir = -1, .lock = -1, .index.dir = -1 }

/* Opens and locks the directory at path; create makes it, with its parents, when it is not there. 0, or negative: -ENOENT without a
 * word when it is not there and not to be made. Memory comes from a, words go to e. */
int store_open(struct store *s, const char *path, bool create, struct arena *a, struct err *e);
/* Whether leases could be written there now: 0, or negative with e saying what keeps them from it (CNI_UNAVAILABLE). Nothing is left; where
 * the directory is still to be made, its first parent that is there is tried. */
int store_is_writable(const char *path, struct arena *a, struct err *e);
/* Seals the index, unless it may be wrong, and unlocks. For `scoped(store_close) struct store s = STORE_CLOSED`. */
void store_close(struct store *s);

/* Looks at every file again. For answers that must not be wrong: that there is no free address, that a lease is missing. (scan.c) */
int store_rescan(struct store *s);

/* Takes an address. 0; -EEXIST, without a word, when it is held; else negative. Empty files are no obstacle. */
int store_reserve(struct store *s, const struct addr *a, const char *id, const char *ifname, const struct lease_netns *ns);
/* Gives it back; 0 also when nobody holds it. */
int store_release(struct store *s, const struct addr *a);

/* By the index: whether an address is held. */
bool store_holds(const struct store *s, const struct addr *a);
/* What is known of an address, from its file and from the index (*record NULL: nothing). -ENOENT: nobody holds it. */
int store_look(struct store *s, const struct addr *a, struct lease_file *file, const struct lease_record **record);

/* The addresses that a container's interface holds, as the files say, into *out (of struct addr). Those of the older format, which
 * name the container alone: with ifname "". 0 or negative. */
int store_find(struct store *s, const char *id, const char *ifname, struct list *out);

/* All held addresses: after NULL the first. Releasing the one at hand is fine. */
const struct lease_record *store_walk(const struct store *s, const struct lease_record *after);

#endif
