/* The configuration directory. */
#ifndef PLUMB_CONFDIR_H
#define PLUMB_CONFDIR_H

#include "base/json.h"

struct call;
struct network;

/* Appends the configurations of the network's folder (CONFDIR/NETWORK/FILE.conf), in lexical order, to the array. No folder: none. */
int confdir_plugins(struct call *c, const char *network, json_t *array, struct err *e);

/* Calls each for every file that may have a network, in the order that network_find looks: with the network, or with NULL and why it is none. Stops
 * at other than 0 and returns that. */
typedef int confdir_visit(struct call *c, const char *path, const struct network *n, const struct err *why, void *arg);
int confdir_each(struct call *c, confdir_visit *each, void *arg);

#endif
