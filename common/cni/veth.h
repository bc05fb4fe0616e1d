/* A veth pair between the host and the container, as bridge and ptp make it. */
#ifndef PLUMB_CNI_VETH_H
#define PLUMB_CNI_VETH_H

#include "cni/plugin.h"
#include "os/link.h"

struct veth_wish {
	struct mac pod_mac;             /* all zero: a random one */
	uint32_t   mtu;                 /* 0: that of the default route's link */
	int        master;              /* a bridge, 0: none */
};

/* Makes the pair: the host's end under the name that is ours for the attachment, up, deaf to router advertisements; the container's
 * end as CNI_IFNAME, still down. A left-over of the same attachment from an earlier namespace is removed first. Fills in near, and index, name
 * and MAC of pod; the caller guards near->index by link_drop. Nothing is left of a pair when it fails. */
int veth_make(struct cni_call *c, const struct veth_wish *wish, struct link *near, struct link *pod);

/* Looks both ends up again at the end of ADD. The look-up makes the kernel handle pending carrier changes, so that the bridge port forwards
 * when ADD returns. */
int veth_refresh(struct cni_call *c, struct link *near, struct link *pod);

#endif
