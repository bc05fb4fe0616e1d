/* The /etc/resolv.conf of a run. */
#ifndef PLUMB_RESOLV_H
#define PLUMB_RESOLV_H

#include "base/json.h"

struct call;

/* A file with the DNS settings of the results (an array), those of the first network first; --dns, where given, in place of their name servers.
 * 1: written; 0: there is nothing to write, and no file; negative with c->trouble set. */
int resolv_write(struct call *c, const json_t *results, const char *path);

#endif
