/* DNS settings from a file in the format of resolv.conf(5). */
#ifndef PLUMB_HOST_LOCAL_RESOLV_H
#define PLUMB_HOST_LOCAL_RESOLV_H

#include "base/arena.h"
#include "base/err.h"
#include "cni/result.h"

/* Into *out, memory from a. key: where the path stands in the configuration, for words. 0 or negative. */
int resolv_conf_read(const char *path, const char *key, struct arena *a, struct dns *out, struct err *e);
/* The same from text, which is taken apart and borrowed from. 0 or -ENOMEM. */
int resolv_conf_parse(char *text, struct arena *a, struct dns *out);

#endif
