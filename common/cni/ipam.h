/* Addresses from the address plugin that the configuration names (ipam.type). Including this makes the Makefile link our own address
 * plugins in, to be run in process. */
#ifndef PLUMB_CNI_IPAM_H
#define PLUMB_CNI_IPAM_H

#include "cni/plugin.h"

/* Whether the configuration asks for addresses at all. */
static inline bool has_ipam(const struct cni_call *c) { return c->net.ipam.type != NULL; }

/* A lease while ADD is not through: taken back by its guard, scoped(lease_drop), unless kept. */
struct lease {
	struct cni_call *held;
};

/* Puts addresses, routes and DNS of the lease into c->result, interfaces not yet assigned. Nothing where has_ipam is false. */
int  lease_take(struct lease *l, struct cni_call *c);
void lease_drop(struct lease *l);
static inline void lease_keep(struct lease *l) { l->held = NULL; }

int lease_give_back(struct cni_call *c);        /* DEL */
int lease_check(struct cni_call *c);            /* CHECK */
int lease_status(struct cni_call *c);           /* STATUS */
int lease_gc(struct cni_call *c);               /* GC */

#endif
