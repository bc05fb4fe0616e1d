#include "cni/veth.h"

#include <errno.h>
#include <stdio.h>

#include "cni/iface.h"

/* The host's end of our name belongs to this very attachment, and the container has no such interface: its other end is in a namespace
 * that is no longer the container's. */
static int remove_left_over(struct cni_call *c)
{
	struct link old;
	int r = link_by_name(&c->host, c->who.host_ifname, &old, &c->err);

	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return link_delete(&old, &c->err);
}

static int refuse_taken(struct cni_call *c)
{
	err_set(&c->err, CNI_FAILED, -EEXIST, "making veth %s: an interface of this name or of \"%s\" in the container already exists",
	        c->who.host_ifname, c->who.ifname);
	err_detail(&c->err, "remove it, or give the attachment another CNI_IFNAME");
	return -EEXIST;
}

static int still_there(struct cni_call *c, int r)
{
	if (r != -ENODEV)
		return r;
	return err_set(&c->err, CNI_FAILED, r, "the veth pair %s, %s is gone again", c->who.host_ifname, c->who.ifname);
}

int veth_make(struct cni_call *c, const struct veth_wish *wish, struct link *near, struct link *pod)
{
	static const struct mac any;
	struct veth v = {
		.near = c->who.host_ifname, .far = c->who.ifname, .pod = c->pod_fd, .near_up = true, .master = wish->master,
		.near_mac = mac_random(), .far_mac = mac_equal(&wish->pod_mac, &any) ? mac_random() : wish->pod_mac,
		.mtu = wish->mtu,
	};
	int r = call_host(c);

	if (r == 0 && !v.mtu)
		r = mtu_of_default_route(c, &v.mtu);
	if (r < 0)
		return r;

	r = veth_create(&c->host, &v, near, &c->err);
	if (r == -EEXIST && (r = remove_left_over(c)) == 0)
		r = veth_create(&c->host, &v, near, &c->err);
	if (r == -EEXIST)
		return refuse_taken(c);
	if (r == 0)             /* no frame has come in yet: the other end is down */
		r = router_advertisements_ignore(c, v.near);
	if (r < 0) {            /* the caller has no guard yet; the pair may even be there though it was refused: the answer got lost */
		veth_drop(&c->host, v.near);
		return still_there(c, r);
	}
	*pod = (struct link){ .index = near->peer, .mac = v.far_mac };
	snprintf(pod->name, sizeof pod->name, "%s", v.far);
	return 0;
}

int veth_refresh(struct cni_call *c, struct link *near, struct link *pod)
{
	int r = link_by_index(&c->pod, pod->index, pod, &c->err);

	if (r == 0)
		r = link_by_index(&c->host, near->index, near, &c->err);
	return still_there(c, r);
}
