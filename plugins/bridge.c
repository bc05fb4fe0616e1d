/* bridge: a bridge on the host, made when it is not there, and a veth pair from it to each container.
 *
 * The work has its own files: bridge/conf.c reads what is asked for, bridge/link.c makes the bridge and the port, bridge/gateway.c gives the
 * bridge the gateway's addresses, bridge/vlan_gateway.c makes the interface for them where there is a VLAN, bridge/spoof.c guards against
 * forged MACs, bridge/chained.c is for an interface that an earlier plugin made. */
#include <errno.h>
#include <sys/socket.h>

#include "bridge/bridge.h"
#include "cni/check.h"
#include "cni/iface.h"
#include "cni/ipam.h"
#include "cni/masq.h"
#include "os/address.h"

static bool masquerades(const struct cni_call *c)
{
	return ((const struct bridge_conf *)c->conf)->ip_masq && has_ipam(c);
}

static unsigned address_flags(const struct bridge_conf *conf)
{
	return conf->enable_dad ? ADDRESS_DAD : 0;
}

static unsigned pod_settings(const struct cni_call *c, const struct bridge_conf *conf)
{
	unsigned ipv6 = has_family(&c->result, AF_INET6) ? POD_HAS_IPV6 : conf->silent_ipv6 ? POD_NO_IPV6 : 0;

	return (conf->enable_dad ? POD_DAD : 0) | ipv6 | (has_ipam(c) ? 0 : POD_LAYER2);
}

/* Addresses and routes in the container; for a layer 2 network just the link. */
static int pod_side(struct cni_call *c, const struct bridge_conf *conf, const struct link *pod)
{
	int r = pod_settle(c, pod_settings(c, conf));

	if (r < 0 || conf->disable_container_interface)
		return r;
	if ((r = addresses_apply(c, pod, address_flags(conf))) < 0)
		return r;
	return routes_apply(c, pod);
}

/* Bridge, host's end, container's end: in this order, which chained plugins rely on. */
static int note_result(struct cni_call *c, const struct bridge_links *l)
{
	int pod;

	if (result_note_link(c, &l->bridge, NULL) < 0 || result_note_link(c, &l->port, NULL) < 0 ||
	    (pod = result_note_link(c, &l->pod, c->who.netns)) < 0 ||
	    (l->vlan_gateway.index && result_note_link(c, &l->vlan_gateway, NULL) < 0))
		return -ENOMEM;
	return result_finish(c, pod);
}

static int bridge_add(struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;
	const struct iface *chained = bridge_chained(c);
	scoped(lease_drop) struct lease lease = { 0 };
	scoped(undo_run) struct undo guard = { 0 }, masq = { 0 };
	scoped(link_drop) int made = 0;
	struct bridge_links l = { 0 };
	int r;

	if (chained)
		return bridge_take_in(c, chained);
	if ((r = pod_name_is_free(c)) < 0 || (r = bridge_ensure(c, &l.bridge)) < 0)
		return r;
	if ((r = lease_take(&lease, c)) < 0 || (r = gateways_choose(c)) < 0)
		return r;
	if ((r = port_make(c, &l, &made)) < 0 || (r = spoof_guard_add(c, &l)) < 0)
		return r;
	guard = undo_by(c, spoof_guard_del);
	if ((r = gateways_apply(c, &l)) < 0 || (r = pod_side(c, conf, &l.pod)) < 0)
		return r;
	if (masquerades(c)) {
		if ((r = masq_add(c)) < 0)
			return r;
		masq = undo_by(c, masq_del);
	}
	if ((r = bridge_refresh(c, &l)) < 0)
		return r;
	if (conf->is_gateway)
		gateways_settle(c);
	addresses_announce(c, &l.pod, address_flags(conf));
	if ((r = note_result(c, &l)) < 0)
		return r;
	lease_keep(&lease);             /* a return before this line takes all back, but the bridge, which is everyone's */
	link_keep(&made);
	undo_keep(&guard);
	undo_keep(&masq);
	return 0;
}

/* Each step finds its things by who the attachment is, not by what still exists: the namespace may be gone. */
static int bridge_del(struct cni_call *c)
{
	const struct iface *chained = bridge_chained(c);
	int r;

	if (chained)
		return bridge_let_go(c, chained);
	r = masquerades(c) ? masq_del(c) : 0;
	r = first_failure(r, spoof_guard_del(c));
	r = first_failure(r, iface_delete(c));
	return first_failure(r, lease_give_back(c));
}

static int bridge_check(struct cni_call *c)
{
	const struct iface *chained = bridge_chained(c);
	struct link pod;
	int r;

	if (chained)
		return bridge_taken_check(c, chained);
	if ((r = lease_check(c)) < 0 || (r = check_attachment(c, "veth", &pod)) < 0 || (r = bridge_links_check(c, &pod)) < 0)
		return r;
	if ((r = gateways_check(c)) < 0)
		return r;
	if ((r = spoof_guard_check(c, &pod)) < 0)
		return r;
	return masquerades(c) ? masq_check(c) : 0;
}

static int bridge_status(struct cni_call *c)
{
	return first_failure(bridge_has_room(c), lease_status(c));
}

static int bridge_gc(struct cni_call *c)
{
	int r = masquerades(c) ? masq_gc(c) : 0;

	r = first_failure(r, spoof_guard_gc(c));
	return first_failure(r, lease_gc(c));
}

CNI_PLUGIN("bridge", .about = "a bridge on the host with a veth pair to each container", .fields = bridge_fields,
           .conf_size = sizeof(struct bridge_conf), .settle = bridge_settle, .add = bridge_add, .del = bridge_del, .check = bridge_check,
           .status = bridge_status, .gc = bridge_gc);
