/* ptp: a veth pair for each container. The host routes between them; there is no bridge.
 *
 * The container reaches even its own subnet by the gateway, an address that the host's end has; the host has a route to each of the container's
 * addresses. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "cni/check.h"
#include "cni/iface.h"
#include "cni/ipam.h"
#include "cni/masq.h"
#include "cni/plugin.h"
#include "cni/veth.h"
#include "os/address.h"
#include "os/route.h"
#include "os/sysctl.h"

struct ptp_conf {
	bool        ip_masq;
	const char *masq_backend;
	uint32_t    mtu;
};
static const struct field ptp_fields[] = {
	FIELD(struct ptp_conf, ip_masq,      "ipMasq",        read_bool),
	FIELD(struct ptp_conf, masq_backend, "ipMasqBackend", read_masq_backend),
	FIELD(struct ptp_conf, mtu,          "mtu",           read_uint_or_0, .min = 68, .max = 65535),
	FIELD_END
};

/* A /32 or /128. */
static struct prefix host_prefix(const struct addr *a)
{
	return (struct prefix){ .addr = *a, .len = addr_size(a->family) * 8 };
}

static int gateways_demand(struct cni_call *c)
{
	char text[PREFIX_TEXT];

	for_list (struct ip_conf, ip, &c->result.ips)
		if (!addr_is_set(&ip->gateway)) {
			err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "address %s came without a gateway", prefix_text(&ip->address, text));
			err_detail(&c->err, "ptp needs one, as the host's end of the link: give it in the configuration of ipam");
			return -EINVAL;
		}
	return 0;
}

/* The gateway is on the link, everything else of the subnet behind it. */
static int pod_routes(struct cni_call *c, const struct link *pod)
{
	int r = 0;

	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct route gateway = {
			.dst = host_prefix(&ip->gateway), .index = pod->index, .source = ip->address.addr, .scope = RT_SCOPE_LINK,
		};
		struct route subnet = {
			.dst = prefix_network(&ip->address), .index = pod->index, .source = ip->address.addr,
			.gateway = ip->gateway, .scope = -1,
		};

		r = route_add(&c->pod, &gateway, &c->err);
		if (r == -EEXIST)
			r = 0;          /* two addresses, one gateway */
		if (r == 0 && ip->address.len < addr_size(ip->address.addr.family) * 8)
			r = route_add(&c->pod, &subnet, &c->err);
		if (r == -EEXIST)
			r = 0;
		if (r < 0)
			return r;
	}
	return routes_apply(c, pod);
}

static int host_side(struct cni_call *c, const struct link *near)
{
	int r = 0;

	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct prefix gateway = host_prefix(&ip->gateway);
		struct route back = { .dst = host_prefix(&ip->address.addr), .index = near->index, .scope = -1 };

		r = address_add(&c->host, near->index, near->name, &gateway, 0, &c->err);
		if (r == 0 || r == -EEXIST)
			r = route_add(&c->host, &back, &c->err);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int ptp_add(struct cni_call *c)
{
	const struct ptp_conf *conf = c->conf;
	unsigned settings = 0;
	scoped(lease_drop) struct lease lease = { 0 };
	scoped(undo_run) struct undo masq = { 0 };
	scoped(link_drop) int made = 0;
	struct link near, pod;
	int r;

	if ((r = pod_name_is_free(c)) < 0 || (r = lease_take(&lease, c)) < 0 || (r = gateways_demand(c)) < 0 ||
	    (r = forwarding_enable(c)) < 0)
		return r;
	if ((r = veth_make(c, &(struct veth_wish){ .mtu = conf->mtu }, &near, &pod)) < 0)
		return r;
	made = near.index;
	if (has_family(&c->result, AF_INET6)) {
		settings |= POD_HAS_IPV6;
		/* the host asks for the container by its link-local address: duplicate detection would keep it silent for one or two seconds */
		sysctl_put("0", "net/ipv6/conf/%s/accept_dad", near.name);
	}
	if ((r = host_side(c, &near)) < 0 || (r = pod_settle(c, settings)) < 0)
		return r;
	if ((r = addresses_apply(c, &pod, ADDRESS_NO_ROUTE)) < 0 || (r = pod_routes(c, &pod)) < 0)
		return r;
	if (conf->ip_masq) {
		if ((r = masq_add(c)) < 0)
			return r;
		masq = undo_by(c, masq_del);
	}
	if ((r = veth_refresh(c, &near, &pod)) < 0)
		return r;
	gateways_settle(c);
	addresses_announce(c, &pod, 0);
	if ((r = result_note_link(c, &near, NULL)) < 0 || (r = result_note_link(c, &pod, c->who.netns)) < 0 || (r = result_finish(c, r)) < 0)
		return r;
	lease_keep(&lease);             /* a return before this line takes all back */
	link_keep(&made);
	undo_keep(&masq);
	return 0;
}

/* Each step finds its things by who the attachment is, not by what still exists: the namespace may be gone. */
static int ptp_del(struct cni_call *c)
{
	const struct ptp_conf *conf = c->conf;
	int r = conf->ip_masq ? masq_del(c) : 0;

	r = first_failure(r, iface_delete(c));
	return first_failure(r, lease_give_back(c));
}

static int ptp_check(struct cni_call *c)
{
	const struct ptp_conf *conf = c->conf;
	struct link pod;
	int r = lease_check(c);

	if (r < 0 || (r = check_attachment(c, "veth", &pod)) < 0 || (r = check_host_end(c, &pod, NULL)) < 0 ||
	    (r = check_forwarding(c)) < 0)
		return r;
	return conf->ip_masq ? masq_check(c) : 0;
}

static int ptp_gc(struct cni_call *c)
{
	const struct ptp_conf *conf = c->conf;

	return first_failure(conf->ip_masq ? masq_gc(c) : 0, lease_gc(c));
}

/* The address plugin is what ptp is made for; without one there is nothing to route. */
static int ptp_settle(struct cni_call *c)
{
	if (has_ipam(c))
		return masq_settle(c);
	return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ipam.type: missing; ptp needs an address plugin such as \"host-local\"");
}

CNI_PLUGIN("ptp", .about = "a veth pair with host routes for each container", .fields = ptp_fields, .conf_size = sizeof(struct ptp_conf),
           .settle = ptp_settle, .add = ptp_add, .del = ptp_del, .check = ptp_check, .status = lease_status, .gc = ptp_gc);
