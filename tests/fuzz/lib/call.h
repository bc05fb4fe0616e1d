/* A plugin's call as `main` makes it, up to where its verb would run. */
#ifndef PLUMB_TESTS_FUZZ_CALL_H
#define PLUMB_TESTS_FUZZ_CALL_H

#include "cni/plugin.h"

/* Reads the configuration for the plugin; name: one of those that this program has. 0 or negative, and then c->err is well-formed. call_end comes in
 * any case. */
int call_begin(struct cni_call *c, enum verb verb, const char *name, const char *args, const char *json, size_t len);
void call_end(struct cni_call *c);

/* An input of the form "VERB PLUGIN [CNI_ARGS]\n{ … }"; what does not name a verb or plugin names some. Else as call_begin. */
int call_of_input(struct cni_call *c, const uint8_t *data, size_t size);

#endif
