#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "bridge/bridge.h"
#include "cni/check.h"
#include "cni/iface.h"
#include "cni/veth.h"
#include "os/sysctl.h"

enum { PORTS_MAX = 1023, DEFAULT_VLAN = 1 };    /* BR_MAX_PORTS of Linux, less the one that it never gives */

static int refuse_kind(struct cni_call *c, const struct link *there)
{
	err_set(&c->err, CNI_FAILED, -EEXIST, "\"%s\" already exists but is not a bridge", there->name);
	err_detail(&c->err, "it is a %s; remove it, or give \"bridge\" another name", *there->kind ? there->kind : "device");
	return -EEXIST;
}

/* Containers of different VLANs would share one segment. The setting is the whole bridge's, so it is not for us to change. */
static int refuse_without_filtering(struct cni_call *c, const char *bridge, bool made)
{
	err_set(&c->err, CNI_FAILED, -EOPNOTSUPP, "bridge %s does not filter VLANs", bridge);
	if (made)
		err_detail(&c->err, "this kernel lacks bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)");
	else
		err_detail(&c->err, "run `ip link set %s type bridge vlan_filtering 1`, or give \"bridge\" another name", bridge);
	return -EOPNOTSUPP;
}

static int bridge_make(struct cni_call *c, const struct bridge_conf *conf, struct link *bridge)
{
	struct bridge b = { .name = conf->bridge, .mac = mac_random(), .mtu = conf->mtu, .vlan_filtering = wants_vlans(conf) };
	int r = bridge_create(&c->host, &b, &c->err);

	if (r == -EOPNOTSUPP && b.vlan_filtering) {
		err_clear(&c->err);
		return refuse_without_filtering(c, conf->bridge, true);
	}
	if (r < 0 && r != -EEXIST)      /* another ADD may have been first */
		return r;
	r = link_by_name(&c->host, conf->bridge, bridge, &c->err);
	return r == -ENODEV ? err_set(&c->err, CNI_FAILED, r, "bridge %s is gone again", conf->bridge) : r;
}

int bridge_ensure(struct cni_call *c, struct link *bridge)
{
	const struct bridge_conf *conf = c->conf;
	bool missing;
	int r = call_host(c);

	if (r == 0)
		r = link_by_name(&c->host, conf->bridge, bridge, &c->err);
	missing = r == -ENODEV;
	if (missing)
		r = bridge_make(c, conf, bridge);
	if (r < 0)
		return r;
	if (strcmp(bridge->kind, "bridge"))
		return refuse_kind(c, bridge);
	if (wants_vlans(conf) && !bridge->vlan_filtering)
		return refuse_without_filtering(c, bridge->name, missing);
	if (conf->promisc && !(bridge->flags & IFF_PROMISC) && (r = link_promisc(&c->host, bridge->index, true, &c->err)) < 0)
		return r;
	if (bridge->flags & IFF_UP)
		return 0;
	r = router_advertisements_ignore(c, conf->bridge);      /* a container must not tell the host its routes */
	if (missing && !conf->enable_dad)       /* the host asks for containers by its link-local address, which detection keeps silent for a second or two */
		sysctl_put("0", "net/ipv6/conf/%s/accept_dad", conf->bridge);
	return r < 0 ? r : link_up(&c->host, bridge->index, &c->err);
}

/* ---- The port ---- */

static int refuse_full(struct cni_call *c, const char *bridge)
{
	err_set(&c->err, CNI_FAILED, -EXFULL, "bridge %s is full", bridge);
	err_detail(&c->err, "Linux gives a bridge %d ports; use a second network with a bridge of its own, or ptp, which has no such limit", PORTS_MAX);
	return -EXFULL;
}

int port_vlans_apply(struct cni_call *c, int port, uint32_t vlan, const struct list *trunk)
{
	const struct bridge_conf *conf = c->conf;
	int r = 0;

	if (!vlan && !trunk->count)
		return 0;
	if (!conf->preserve_default_vlan)
		r = port_vlan_del(&c->host, port, DEFAULT_VLAN, &c->err);
	if (r == 0 && vlan)
		r = port_vlan_add(&c->host, port, vlan, vlan, true, &c->err);
	for_list (const struct vlan_range, range, trunk)
		if (r == 0)
			r = port_vlan_add(&c->host, port, range->first, range->last, false, &c->err);
	if (r == 0 && !vlan)            /* a trunk without a native VLAN has VLAN 1 as such */
		r = port_vlan_add(&c->host, port, DEFAULT_VLAN, DEFAULT_VLAN, true, &c->err);
	return r;
}

int port_make(struct cni_call *c, struct bridge_links *l, int *made)
{
	const struct bridge_conf *conf = c->conf;
	struct veth_wish wish = { .pod_mac = conf->mac, .mtu = conf->mtu, .master = l->bridge.index };
	int r = veth_make(c, &wish, &l->port, &l->pod);

	if (r == -EXFULL) {
		err_clear(&c->err);
		return refuse_full(c, conf->bridge);
	}
	if (r < 0)
		return r;
	*made = l->port.index;
	if (conf->silent_ipv6)          /* before the other end is up, which is when it would begin to speak */
		sysctl_put("1", "net/ipv6/conf/%s/disable_ipv6", l->port.name);
	if ((conf->hairpin || conf->port_isolation) &&
	    (r = port_set(&c->host, *made, conf->hairpin, conf->port_isolation, &c->err)) < 0)
		return r;
	return port_vlans_apply(c, *made, conf->vlan, &conf->trunk);
}

int bridge_refresh(struct cni_call *c, struct bridge_links *l)
{
	const struct bridge_conf *conf = c->conf;
	int r = veth_refresh(c, &l->port, &l->pod);

	if (r < 0)
		return r;
	/* where the port has given the bridge its carrier, the kernel is to handle that as well */
	r = l->bridge.flags & IFF_RUNNING ? link_reread(&c->host, &l->bridge) : link_by_index(&c->host, l->bridge.index, &l->bridge, &c->err);
	if (r == 0)
		return 0;
	return r == -ENODEV ? err_set(&c->err, CNI_FAILED, r, "%s is gone again", conf->bridge) :
	                      err_sys(&c->err, CNI_FAILED, r, "looking up bridge %s again", conf->bridge);
}

/* ---- CHECK and STATUS ---- */

static const struct iface *told_bridge(const struct cni_call *c, const char *name)
{
	for_list (const struct iface, i, &c->prev.ifaces)
		if (i->name && !i->sandbox && !strcmp(i->name, name))
			return i;
	return NULL;
}

static int vlans_check(struct cni_call *c, const struct link *port)
{
	const struct bridge_conf *conf = c->conf;
	bool untagged = true;
	int has = conf->vlan ? port_vlan_has(&c->host, port->index, conf->vlan, &untagged, &c->err) : 1;

	if (has < 0)
		return has;
	return has && untagged ? 0 : check_differs(c, "bridge %s does not give port %s its VLAN", conf->bridge, port->name);
}

int bridge_itself_check(struct cni_call *c, struct link *bridge)
{
	const struct bridge_conf *conf = c->conf;
	const struct iface *told = told_bridge(c, conf->bridge);
	char mac[MAC_TEXT];
	int r = call_host(c);

	if (r == 0)
		r = link_by_name(&c->host, conf->bridge, bridge, &c->err);
	if (r == -ENODEV || !told)
		return check_differs(c, "bridge %s is not %s", conf->bridge, told ? "there" : "in prevResult");
	if (r < 0)
		return r;
	if (strcmp(bridge->kind, "bridge"))
		return check_differs(c, "bridge %s is no bridge", conf->bridge);
	if (told->mac && strcasecmp(told->mac, mac_text(&bridge->mac, mac)))
		return check_differs(c, "bridge %s has another MAC than prevResult says", conf->bridge);
	if (conf->promisc != !!(bridge->flags & IFF_PROMISC))
		return check_differs(c, "bridge %s is %s", conf->bridge, conf->promisc ? "not promiscuous" : "promiscuous");
	if (wants_vlans(conf) && !bridge->vlan_filtering)
		return check_differs(c, "bridge %s does not filter VLANs", conf->bridge);
	return 0;
}

int port_check(struct cni_call *c, const struct link *bridge, const struct link *port)
{
	const struct bridge_conf *conf = c->conf;

	if (port->master != bridge->index)
		return check_differs(c, "bridge %s does not have the container's link as a port", conf->bridge);
	if (conf->port_isolation && !port->isolated)    /* the other way round it may be firewall's doing */
		return check_differs(c, "bridge %s does not isolate the container's port", conf->bridge);
	if (conf->hairpin && !port->hairpin)
		return check_differs(c, "bridge %s has no hairpin mode on the container's port", conf->bridge);
	return vlans_check(c, port);
}

int bridge_links_check(struct cni_call *c, const struct link *pod)
{
	struct link bridge, port;
	int r = bridge_itself_check(c, &bridge);

	if (r < 0 || (r = check_host_end(c, pod, &port)) < 0)
		return r;
	return port_check(c, &bridge, &port);
}

struct count {
	int master, ports;
};

static int count_port(const struct link *l, void *arg)
{
	struct count *n = arg;

	n->ports += l->master == n->master;
	return 0;
}

int bridge_has_room(struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;
	struct link bridge;
	struct count n = { 0 };
	int r = call_host(c);

	if (r == 0)
		r = link_by_name(&c->host, conf->bridge, &bridge, &c->err);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	if (strcmp(bridge.kind, "bridge"))
		return refuse_kind(c, &bridge);
	n.master = bridge.index;
	if ((r = link_each(&c->host, count_port, &n, &c->err)) < 0)
		return r;
	if (n.ports < PORTS_MAX)
		return 0;
	r = refuse_full(c, conf->bridge);
	c->err.code = CNI_UNAVAILABLE;
	return r;
}
