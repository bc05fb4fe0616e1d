/* A container's end of an attachment: what plugins are told besides the network's configuration. */
#ifndef PLUMB_ENDPOINT_H
#define PLUMB_ENDPOINT_H

#include "network.h"

struct endpoint {
	const char *container, *netns, *ifname;         /* netns: an absolute path, "" when there is none any more */
	const char *name;               /* what people call the container, for plugins K8S_POD_NAME of CNI_ARGS; NULL: not known, or a record's */
	json_t     *cni_args;           /* [["KEY", "VALUE"], …], the call's; NULL: none */
	json_t     *capability_args;    /* what goes into runtimeConfig by each plugin's capabilities, the call's; NULL: none */
};

/* What the operand NETNS, --id and --ifname name. A path; a plain name, of /run/netns; digits alone, a process's. The id, where
 * not given, is made from the path, so that the same NETNS gives the same id again. */
int endpoint_read(struct call *c, const char *netns, struct endpoint *out);

/* Adds what -p, --ip, --mac and --network-alias ask for, and the name, in the way that the network's plugins take it; n->list changes where it
 * must carry a part. Ports that no plugin declares are refused; aliases that none does are left out with a word on stderr. */
int endpoint_wish(struct call *c, struct network *n, struct endpoint *e);

/* Whether what was asked for by --ip and --mac is in the result: a plugin may have passed over it. */
int endpoint_granted(struct call *c, const struct endpoint *e, const json_t *result);

/* CNI_ARGS' text, of the arena; NULL: no memory. */
const char *endpoint_args(struct call *c, const struct endpoint *e);

#endif
