/* CHECK: what prevResult says against what the kernel has. What later plugins of the chain may have changed is tolerated: more addresses and
 * routes, another MTU, settings. (CNI specification 1.1.0, section 2 "CHECK".) */
#ifndef PLUMB_CNI_CHECK_H
#define PLUMB_CNI_CHECK_H

#include "cni/plugin.h"
#include "os/link.h"

/* Every complaint of CHECK, in the printf-like words, with the one remedy: DEL and ADD. Returns negative. */
int check_differs(struct cni_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The container's interface: told in prevResult with CNI_NETNS as its sandbox, of the kind, with the MAC told; its addresses are on it, with
 * a route for each one's subnet; the routes are there. pod, the link, may be NULL. */
int check_attachment(struct cni_call *c, const char *kind, struct link *pod);

/* The host's end of a veth whose other end is pod: told in prevResult. near may be NULL. */
int check_host_end(struct cni_call *c, const struct link *pod, struct link *near);

/* Forwarding is on for each family that prevResult has an address of. */
int check_forwarding(struct cni_call *c);

#endif
