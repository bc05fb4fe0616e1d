/* What the parts of the bridge plugin share. */
#ifndef PLUMB_PLUGINS_BRIDGE_H
#define PLUMB_PLUGINS_BRIDGE_H

#include "cni/plugin.h"
#include "os/link.h"

/* ---- What is asked for (conf.c) ---- */

struct vlan_range {
	uint32_t first, last;
};

struct bridge_conf {
	const char *bridge;
	bool        is_gateway, is_default_gateway, force_address, ip_masq, hairpin, promisc, preserve_default_vlan, mac_spoof_check,
	            enable_dad, disable_container_interface, port_isolation, silent_ipv6;
	const char *masq_backend;
	uint32_t    mtu, vlan;
	struct list trunk;                                      /* of struct vlan_range */
	struct mac  mac;                                        /* all zero: none asked for */
	struct { struct { struct mac mac; } cni; } args;
	struct { struct mac mac; } runtime;
};
extern const struct field bridge_fields[];
int bridge_settle(struct cni_call *c);
static inline bool wants_vlans(const struct bridge_conf *conf) { return conf->vlan || conf->trunk.given; }

/* ---- The links (link.c) ---- */

struct bridge_links {
	struct link bridge, port, pod;
	struct link vlan_gateway;                               /* index 0: none */
};

/* Finds the bridge or makes it, and sees that it is as configured. It is kept when ADD fails later. */
int bridge_ensure(struct cni_call *c, struct link *bridge);
/* Makes the veth pair with its end here as a port, with hairpin mode, isolation and VLANs. *made is the guard's. Fills in port, and pod's
 * index, name and MAC. */
int port_make(struct cni_call *c, struct bridge_links *l, int *made);
/* VLANs of a port: the configured ones, and the default VLAN away. */
int port_vlans_apply(struct cni_call *c, int port, uint32_t vlan, const struct list *trunk);
/* Reads all links again, for the result; the port forwards then. */
int bridge_refresh(struct cni_call *c, struct bridge_links *l);
/* CHECK: the bridge, which is filled in; a port of it, as configured; both, the port being the other end of pod. */
int bridge_itself_check(struct cni_call *c, struct link *bridge);
int port_check(struct cni_call *c, const struct link *bridge, const struct link *port);
int bridge_links_check(struct cni_call *c, const struct link *pod);
/* STATUS: error 50 where the bridge can take no further port. */
int bridge_has_room(struct cni_call *c);

/* ---- The chained mode (chained.c): a host-side interface that an earlier plugin made becomes a port. ---- */

/* That interface; NULL where bridge makes, or has made, its own pair. */
const struct iface *bridge_chained(const struct cni_call *c);
int bridge_take_in(struct cni_call *c, const struct iface *theirs);
/* DEL: it is a port no more; whether it is up is for who made it. 0 when it, or the bridge, is gone. */
int bridge_let_go(struct cni_call *c, const struct iface *theirs);
int bridge_taken_check(struct cni_call *c, const struct iface *theirs);

/* ---- The gateway's addresses (gateway.c) ---- */

/* Fills in the gateways and default routes that the configuration asks for into c->result. */
int gateways_choose(struct cni_call *c);
/* Puts the gateways' addresses on the bridge, or on the VLAN's own interface, and switches forwarding on. */
int gateways_apply(struct cni_call *c, struct bridge_links *l);
/* They are there, and forwarding is on; nothing where the configuration asks for no gateway. */
int gateways_check(struct cni_call *c);

/* The VLAN's interface for them, BRIDGE.VLAN (vlan_gateway.c): found or made, and seen to be a port's other end, with the VLAN, and up.
 * Fills in l->vlan_gateway. It is kept when ADD fails later. */
int vlan_gateway_ensure(struct cni_call *c, struct bridge_links *l);

/* ---- macspoofchk (spoof.c) ---- */

int spoof_guard_add(struct cni_call *c, const struct bridge_links *l);
int spoof_guard_del(struct cni_call *c);
int spoof_guard_check(struct cni_call *c, const struct link *pod);
int spoof_guard_gc(struct cni_call *c);

#endif
