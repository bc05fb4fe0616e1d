/* The configuration directory. */
#ifndef PLUMB_CONFDIR_H
#define PLUMB_CONFDIR_H

#include "base/json.h"

struct call;

/* Appends the configurations of the network's folder (CONFDIR/NETWORK/FILE.conf), in lexical order, to the array. No folder: none. */
int confdir_plugins(struct call *c, const char *network, json_t *array, struct err *e);

#endif
