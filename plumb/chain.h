/* A network's plugins, one after the other. (CNI specification 1.1.0, section 3.) */
#ifndef PLUMB_CHAIN_H
#define PLUMB_CHAIN_H

#include "endpoint.h"
#include "plumb.h"

/* Whether every plugin is there, and none has to be undone because a later one is missing. 0; else -ENOENT with c->trouble set: which is not. */
int chain_complete(struct call *c, const struct network *n);

/* ADD: each plugin is given the result of the one before; *result is the last one's, the call's. Ends at the first failure, in
 * c->trouble; undoing is the caller's part. */
int chain_add(struct call *c, const struct network *n, const struct endpoint *e, json_t **result);

/* ADD of the plugin at index once more, of an attachment that is there, given prev; its answer is not looked at. */
int chain_again(struct call *c, const struct network *n, const struct endpoint *e, size_t index, const json_t *prev);

/* DEL, from the last to the first, each given prev (NULL: none). Ends at the first failure, as the specification has it; with
 * to_the_end, goes on, and tells the second and later ones on stderr. The first failure is in t. */
int chain_del(struct call *c, const struct network *n, const struct endpoint *e, const json_t *prev, bool to_the_end,
              struct trouble *t);

/* CHECK, each given prev. Ends at the first failure, in c->trouble. */
int chain_check(struct call *c, const struct network *n, const struct endpoint *e, const json_t *prev);

/* A verb that is not about one attachment, of the plugin at index: STATUS with valid NULL, GC with the list of valid attachments. */
int chain_ask(struct call *c, const struct network *n, size_t index, const json_t *valid, struct trouble *t);

/* The result in the version of the network, the call's; NULL: t says why. (A plugin of the same chain expects its own version.) */
json_t *result_in_version(struct call *c, json_t *result, const char *version, struct trouble *t);

#endif
