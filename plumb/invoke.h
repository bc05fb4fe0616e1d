/* One execution of one plugin. (CNI specification 1.1.0, section 2.) */
#ifndef PLUMB_INVOKE_H
#define PLUMB_INVOKE_H

#include "endpoint.h"

struct trouble;

struct invocation {
	const char            *verb;    /* "ADD", … */
	const char            *type;
	const struct endpoint *endpoint;        /* NULL: none (STATUS, GC) */
	const json_t          *request;
};

/* The path of the first file of the type in --bin-dir's directories, in the arena; NULL: t says so. */
const char *plugin_find_file(struct call *c, const char *type, struct trouble *t);

/* 0 when the plugin succeeded; then, for ADD, *answer (not NULL) is the result, the call's. Negative with t set: the plugin's own
 * code, msg and details where it gave some. */
int plugin_execute(struct call *c, const struct invocation *i, json_t **answer, struct trouble *t);

#endif
