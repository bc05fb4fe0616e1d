/* What a call is told in its environment. Part of the shared main. */
#ifndef PLUMB_CNI_ENV_H
#define PLUMB_CNI_ENV_H

#include "cni/plugin.h"

/* A variable's value, "" when it is not set. */
const char *env(const char *name);

/* The verb, the attachment, CNI_ARGS and CNI_PATH into the call; what the verb needs must be there. 0 or negative with c->err set. */
int env_read(struct cni_call *c);
/* Opens the container's namespace, where the verb and the plugin want it. The same. */
int env_open_netns(struct cni_call *c);

#endif
