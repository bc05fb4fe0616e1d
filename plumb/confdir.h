/* The configuration directory. */
#ifndef PLUMB_CONFDIR_H
#define PLUMB_CONFDIR_H

#include "base/json.h"

struct call;

/* Appends the configurations of the network's folder (CONFDIR/NETWORK/FILE.conf), in lexical order, to the array. No folder: none. */
int confdir_plugins(struct call *c, const char *network, json_t *array, struct err *e);

/* A whole file, of at most limit bytes: text of the arena, ended by '\0'. NULL: errno says why. */
char *file_read(struct arena *a, const char *path, size_t limit, size_t *len);

#endif
