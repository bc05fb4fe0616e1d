/* Attachments: made, taken back and checked, with their record in the cache kept true. The caller holds the lock. */
#ifndef PLUMB_ATTACHMENT_H
#define PLUMB_ATTACHMENT_H

#include "cache.h"
#include "plumb.h"

/* Attaches; *result is the call's. An attachment that is there already is refused; what is left of one whose interface is gone
 * is removed first. When it fails nothing is left behind, as far as the plugins' DEL goes. */
int attachment_add(struct call *c, struct network *n, struct endpoint *e, json_t **result);

/* Detaches, by the configuration and the arguments that ADD used where the cache has them; nothing attached is no failure. n NULL: the
 * configuration directory is asked where the cache has none. The record stays when it fails, unless it goes to_the_end. */
int attachment_del(struct call *c, const char *network, const struct network *n, const struct endpoint *e, bool to_the_end);
/* The same to the end, whatever has failed before: what fails is told on stderr, and c->trouble stays as it is. */
void attachment_clear(struct call *c, const char *network, const struct network *n, const struct endpoint *e);

int attachment_check(struct call *c, const char *network, const struct endpoint *e);

/* Whether another attachment than this one has the interface of its name in its namespace, as the records say: 1, and *other is that one;
 * 0: none has, or the namespace is gone; negative with c->trouble set. */
int attachment_holder(struct call *c, const char *network, const struct endpoint *e, struct cached *other);

/* Why an attachment of the cache is no more ("its namespace … is gone"), in the arena; NULL: it may well be there. */
const char *attachment_fault(struct call *c, const struct endpoint *e);

#endif
