/* A network: its configuration list, as the files of the configuration directory give it. */
#ifndef PLUMB_NETWORK_H
#define PLUMB_NETWORK_H

#include <stdbool.h>

#include "base/json.h"

struct call;

struct network {
	const char *name;
	const char *path;               /* the file that has it; of one that an attachment was made by, its record's */
	const char *version;            /* the highest that the list and we know */
	bool        disable_check, disable_gc;
	json_t     *list;               /* whole, with the plugins that a folder added; the call's */
	json_t     *plugins;            /* of list: at least one, each an object with a valid type */
};

/* The network called name, or with NULL the first of all. Files are read in lexical order, lists before single configurations;
 * one that cannot be read is passed over, and told of when the name is found nowhere. 0, or negative with c->trouble set. */
int network_find(struct call *c, const char *name, struct network *out);

/* Calls each for every network of the configuration directory, as network_find would find it: of two with one name the first. Files that cannot
 * be read are told on stderr. Stops at other than 0 and returns that. */
typedef int network_visit(struct call *c, const struct network *n, void *arg);
int network_each(struct call *c, network_visit *each, void *arg);

/* A network from JSON that is the call's: a list, or a single configuration, which is wrapped into one. where, a path, names it in words. */
int network_read(struct call *c, json_t *json, const char *where, struct network *out, struct err *e);

/* Whether a plugin of the list has {"capabilities": {"<capability>": true}}. */
bool network_declares(const struct network *n, const char *capability);

/* A plugin's type. */
const char *plugin_type(const json_t *plugin);

#endif
