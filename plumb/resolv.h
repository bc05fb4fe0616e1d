/* The /etc/resolv.conf of a run. */
#ifndef PLUMB_RESOLV_H
#define PLUMB_RESOLV_H

#include "base/json.h"

struct call;

/* A file under /run/plumb with the DNS settings of the results (an array), those of the first network first; NULL where none has
 * any, or with c->trouble set. In the arena; the file is the caller's to remove. */
const char *resolv_write(struct call *c, const json_t *results);

#endif
