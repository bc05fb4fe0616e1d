/* What is attached, remembered as libcni does it, so that either finds the other's:
 * CACHEDIR/results/NETWORK-CONTAINER-IFNAME, JSON of the kind cniCacheV1.
 *
 * While ADD is under way there is CACHEDIR/adding/NETWORK-CONTAINER-IFNAME in its place, the same without a result: when we are killed, it says what
 * may have been left behind. */
#ifndef PLUMB_CACHE_H
#define PLUMB_CACHE_H

#include "endpoint.h"

struct cached {
	const char     *path;
	const char     *network;
	struct endpoint endpoint;
	json_t         *result;         /* of the last plugin's ADD; NULL: not there */
	json_t         *config;         /* the list, or single configuration, that was used; NULL: not there or not to be read */
	bool            unfinished;     /* an ADD that is under way, or was cut off */
};

/* 0, or -ENOENT without a word when nothing is attached under that name; other failures set c->trouble: -EEXIST when
 * another attachment has the file, -EBADMSG when it cannot be made out. All that is found is the call's.
 * A file of the older form, the result alone, is read too. */
int cache_read(struct call *c, const char *network, const struct endpoint *e, struct cached *out);

/* Checks, before anything is done, that there will be a place for the attachment. */
int cache_prepare(struct call *c, const char *network, const struct endpoint *e);
/* Before the first plugin runs. e->netns "": of what is in the namespace nothing is ours. */
int cache_begin(struct call *c, const struct network *n, const struct endpoint *e);
/* ADD is through. Written whole: the file is the old or the new one at any time. */
int cache_write(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result);
void cache_remove(struct call *c, const char *network, const struct endpoint *e);
/* What writers that were killed have left, while lock_all is held. */
void cache_sweep(struct call *c);

/* Calls each for all attachments of the network (NULL: of all), in lexical order, those that are unfinished last; stops at other than 0
 * and returns that. What is not of the form is passed over. */
typedef int cache_visit(struct call *c, const struct cached *a, void *arg);
int cache_each(struct call *c, const char *network, cache_visit *each, void *arg);

#endif
