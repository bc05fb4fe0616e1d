/* Links: found one at a time by name or index, made in one request, removed without waiting for more than the kernel's word. */
#ifndef PLUMB_OS_LINK_H
#define PLUMB_OS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/text.h"
#include "os/netlink.h"

struct link {
	int        index;
	char       name[IFNAME_SIZE];
	char       kind[16];            /* "veth", "bridge", …; "" for a device without one (lo, hardware) */
	struct mac mac;
	uint32_t   mtu;
	unsigned   flags;               /* IFF_…; IFF_PROMISC where it was asked for as a setting, not by who listens just now */
	uint8_t    operstate;           /* IF_OPER_… */
	int        master;              /* index, 0: none */
	int        peer;                /* of a veth: the other end's index, in its own namespace */
	bool       vlan_filtering;      /* of a bridge */
	bool       hairpin, isolated;   /* of a bridge's port */
};

/* -ENODEV without a word in e when there is no such link (so that DEL can go on); other failures fill in e. */
int link_by_name(struct netlink *nl, const char *name, struct link *out, struct err *e);
int link_by_index(struct netlink *nl, int index, struct link *out, struct err *e);
/* Less than all, but without the lock of all links (RTNL), for which whoever runs at the same time has to wait: the name that goes with an index; and
 * MAC and MTU of now. 0 or a negative errno, without a word: -ENODEV where there is no such link. */
int link_name_of(struct netlink *nl, int index, char out[IFNAME_SIZE]);
int link_reread(struct netlink *nl, struct link *l);
/* Calls each(link, arg) for every link, stops at other than 0 and returns that. */
int link_each(struct netlink *nl, int (*each)(const struct link *l, void *arg), void *arg, struct err *e);

struct veth {
	const char *near, *far;         /* the names, here and in the pod */
	struct mac  near_mac, far_mac;
	uint32_t    mtu;                /* 0: the kernel's own */
	int         pod;                /* the far end's namespace */
	int         master;             /* a bridge's index for the near end, 0: none */
	bool        near_up;
};

/* One request makes both ends; the far one is born inside the container, under its final name, one queue each; near gets the near end. -EEXIST,
 * without a word in e, when there is a link of either name; -ENODEV, without one, when somebody has removed it at once. */
int veth_create(struct netlink *nl, const struct veth *v, struct link *near, struct err *e);
/* Removes a pair by its near end's name, for one whose index is not known; best effort. */
void veth_drop(struct netlink *nl, const char *near);

struct bridge {
	const char *name;
	struct mac  mac;                /* given, so that ports coming and going never change it */
	uint32_t    mtu;                /* 0: as its ports' */
	bool        vlan_filtering;
};

/* -EEXIST, without a word in e, when a link of the name is there already. */
int bridge_create(struct netlink *nl, const struct bridge *b, struct err *e);

int link_up(struct netlink *nl, int index, struct err *e);
int link_down(struct netlink *nl, int index, struct err *e);
/* Has the kernel tell the link's neighbours of all its addresses (RFC 5227, section 3: gratuitous ARP; RFC 4861, section 7.2.6: unsolicited neighbour
 * advertisements), where the settings arp_notify and ndisc_notify are 1; best effort. To send the frames ourselves would take a packet socket, and to
 * close one the kernel waits for all processors: 5 to 15 ms. */
void link_announce(struct netlink *nl, const struct link *l);
/* Switches promiscuous mode on or off, as `ip link set promisc` does. */
int link_promisc(struct netlink *nl, int index, bool on, struct err *e);
/* Makes the link a port of a bridge; master 0: of none any more. */
int link_set_master(struct netlink *nl, int index, int master, struct err *e);

/* A bridge port's hairpin mode (frames may leave by the port they came in by) and isolation from other isolated ports. */
int port_set(struct netlink *nl, int index, bool hairpin, bool isolated, struct err *e);
/* VLANs of a port. untagged: also its PVID. */
int port_vlan_add(struct netlink *nl, int index, uint16_t first, uint16_t last, bool untagged, struct err *e);
int port_vlan_del(struct netlink *nl, int index, uint16_t vid, struct err *e);
/* Whether the port has the VLAN; *untagged (may be NULL): as PVID and untagged. */
int port_vlan_has(struct netlink *nl, int index, uint16_t vid, bool *untagged, struct err *e);

/* Removes a link of the calling thread's namespace, and returns once the kernel has announced that it is gone (with a veth's other
 * end), not when its memory is: a helper process waits out the kernel's grace periods. 0 also when there is no such link. Of l, index and name
 * are used. */
int link_delete(const struct link *l, struct err *e);

/* A guard for a link made in our own namespace: scoped(link_drop) int made = index; link_keep(&made) when all went well. */
void link_drop(int *index);             /* nothing for 0 */
static inline void link_keep(int *index) { *index = 0; }

#endif
