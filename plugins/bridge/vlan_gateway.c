/* The interface that has the gateway's addresses where the network is a VLAN of the bridge.
 *
 * It is a port like any other: a veth pair of which both ends are here. One that another ADD has not finished, or that lost its bridge, is
 * finished by the next: each step may be done twice, and the gateway's end comes up last. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/scoped.h"
#include "bridge/bridge.h"
#include "cni/iface.h"
#include "os/netns.h"

static int make(struct cni_call *c, const struct link *bridge, const char *name)
{
	scoped(fd_close) int self = netns_open_self(&c->err);
	char port[IFNAME_SIZE];
	struct veth v = {
		.near = name, .far = port, .near_mac = mac_random(), .far_mac = mac_random(), .mtu = bridge->mtu, .pod = self,
	};
	struct link made;
	int r = self;

	snprintf(port, sizeof port, "veth%08x", (unsigned)hash_strings(bridge->name, name, NULL));
	if (r >= 0)
		r = veth_create(&c->host, &v, &made, &c->err);
	return r == -EEXIST ? 0 : r;    /* another ADD was first */
}

static int refuse(struct cni_call *c, const struct link *there)
{
	err_set(&c->err, CNI_FAILED, -EEXIST, "\"%s\" already exists but is not the VLAN's gateway", there->name);
	err_detail(&c->err, "it is a %s, want a veth whose other end is here and a port of the bridge; remove it, or use another bridge or VLAN",
	           *there->kind ? there->kind : "device");
	return -EEXIST;
}

/* The other end, which is here and belongs to no other bridge. */
static int find_port(struct cni_call *c, const struct link *gateway, const struct link *bridge, struct link *port)
{
	int r = strcmp(gateway->kind, "veth") ? -EEXIST : link_by_index(&c->host, gateway->peer, port, &c->err);

	if (r < 0 && r != -ENODEV && r != -EEXIST)
		return r;
	if (r < 0 || port->peer != gateway->index || (port->master && port->master != bridge->index))
		return refuse(c, gateway);
	return 0;
}

static int finish(struct cni_call *c, const struct link *gateway, const struct link *bridge)
{
	static const struct list no_trunk;
	const struct bridge_conf *conf = c->conf;
	struct link port;
	int r = find_port(c, gateway, bridge, &port);

	if (r < 0 || (port.master && (gateway->flags & IFF_UP)))
		return r;
	if ((r = link_set_master(&c->host, port.index, bridge->index, &c->err)) < 0 ||
	    (r = port_vlans_apply(c, port.index, conf->vlan, &no_trunk)) < 0 ||
	    (r = link_up(&c->host, port.index, &c->err)) < 0)
		return r;
	r = router_advertisements_ignore(c, gateway->name);     /* before it is up: a container must not tell the host its routes */
	return r < 0 ? r : link_up(&c->host, gateway->index, &c->err);
}

int vlan_gateway_ensure(struct cni_call *c, struct bridge_links *l)
{
	const struct bridge_conf *conf = c->conf;
	char name[IFNAME_SIZE];
	int r;

	if (!text_format(name, sizeof name, "%s.%u", conf->bridge, conf->vlan))
		return err_set(&c->err, CNI_BAD_CONFIG, -ENAMETOOLONG, "bridge: \"%s.%u\", the VLAN's gateway, would be too long a name for an interface",
		               conf->bridge, conf->vlan);
	r = link_by_name(&c->host, name, &l->vlan_gateway, &c->err);
	if (r == -ENODEV && (r = make(c, &l->bridge, name)) == 0)
		r = link_by_name(&c->host, name, &l->vlan_gateway, &c->err);
	if (r == 0)
		r = finish(c, &l->vlan_gateway, &l->bridge);
	return r == -ENODEV ? err_set(&c->err, CNI_FAILED, r, "%s, the VLAN's gateway, is gone again", name) : r;
}
