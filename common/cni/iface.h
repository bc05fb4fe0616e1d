/* An interface in the container: the steps that every interface plugin takes, named alike. */
#ifndef PLUMB_CNI_IFACE_H
#define PLUMB_CNI_IFACE_H

#include "cni/plugin.h"
#include "os/link.h"

/* Opens c->pod, a netlink socket in the container's namespace; nothing when it is open. */
int pod_open(struct cni_call *c);

/* The container's lo, c->pod being opened on the way. */
int pod_find_lo(struct cni_call *c, struct link *lo);

/* Sets it up. The guard sets it down again where it was, unless it is let go of: for `scoped(lo_drop) struct lo_up up = { .call = c }`. */
struct lo_up {
	struct cni_call *call;
	int              index;                 /* 0: nothing to do */
};
int  pod_lo_up(struct cni_call *c, struct link *lo, struct lo_up *guard);
void lo_drop(struct lo_up *guard);
static inline void lo_keep(struct lo_up *guard) { guard->index = 0; }
/* DEL: sets it down, if the namespace is there still. */
int  pod_lo_down(struct cni_call *c);

/* Refuses when CNI_IFNAME is taken in the container. (CNI specification 1.1.0, section 2 "ADD".) */
int pod_name_is_free(struct cni_call *c);

enum pod_settings {
	POD_DAD = 1,            /* let IPv6 addresses be checked for duplicates, which takes a second or two */
	POD_HAS_IPV6 = 2,       /* the attachment has an IPv6 address: IPv6 is switched on; without, nothing is autoconfigured */
	POD_NO_IPV6 = 8,        /* in place of POD_HAS_IPV6: IPv6 is switched off on the interface, which then says nothing by it */
	POD_LAYER2 = 4,         /* no addresses of ours: whatever the container does about addresses is its own business */
};
/* The container's per-device settings, written before the link is up; opens c->pod on the way. */
int pod_settle(struct cni_call *c, unsigned settings);

/* Has a link of the calling thread's namespace pass over router advertisements: nobody there may tell us addresses and routes. */
int router_advertisements_ignore(struct cni_call *c, const char *ifname);

/* The container's link by CNI_IFNAME, up, with all the addresses of c->result. flags: enum address_flags. */
int addresses_apply(struct cni_call *c, const struct link *pod, unsigned flags);
/* The routes of c->result, by their own gateway or the family's first one. */
int routes_apply(struct cni_call *c, const struct link *pod);

/* Waits until the host answers to the gateways' addresses of c->result, which it has; for IPv6, where address_add does not. */
void gateways_settle(struct cni_call *c);
/* Waits until the container answers to its addresses, and tells its neighbours where they are now; best effort. To be done once the host's end
 * forwards. flags: those of addresses_apply; with duplicate detection nothing is waited for. */
void addresses_announce(struct cni_call *c, const struct link *pod, unsigned flags);

/* Appends an interface to c->result. sandbox NULL: on the host. Returns its index, or negative. */
int result_note_link(struct cni_call *c, const struct link *l, const char *sandbox);

/* The end of ADD: the addresses of c->result are the container's interface's (pod, its index there), the configuration's DNS settings come
 * before the address plugin's, and what earlier plugins answered comes first. 0 or -ENOMEM. */
int result_finish(struct cni_call *c, int pod);

/* The attachment's families. */
bool has_family(const struct result *r, int family);

/* Switches forwarding on for each family that the result has an address of. */
int forwarding_enable(struct cni_call *c);

/* What the MTU is when the configuration does not say: that of the link of the default route, 0 where there is none. 0 or negative. */
int mtu_of_default_route(struct cni_call *c, uint32_t *mtu);

/* DEL: removes CNI_IFNAME from the container, or the host's end by our name for it when there is none: the namespace may be gone, the
 * interface renamed or moved. 0 when nothing is there. */
int iface_delete(struct cni_call *c);

#endif
