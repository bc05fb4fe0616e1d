#include "cni/iface.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/trace.h"
#include "os/address.h"
#include "os/netns.h"
#include "os/route.h"
#include "os/sysctl.h"

int pod_open(struct cni_call *c)
{
	scoped(netns_leave) int back = -1;

	if (c->pod.sk)
		return 0;
	back = netns_enter(c->pod_fd, &c->err);
	return back < 0 ? back : netlink_open(&c->pod, NETLINK_ROUTE, &c->err);
}

int pod_find_lo(struct cni_call *c, struct link *lo)
{
	int r = pod_open(c);

	if (r == 0)
		r = link_by_name(&c->pod, "lo", lo, &c->err);
	return r == -ENODEV ? err_set(&c->err, CNI_FAILED, r, "the container has no lo") : r;
}

int pod_lo_up(struct cni_call *c, struct link *lo, struct lo_up *guard)
{
	int r = pod_find_lo(c, lo);

	if (r < 0)
		return r;
	if (!(lo->flags & IFF_UP))
		guard->index = lo->index;
	return link_up(&c->pod, lo->index, &c->err);
}

int pod_lo_down(struct cni_call *c)
{
	struct link lo;
	int r;

	if (c->pod_fd < 0)
		return 0;
	r = pod_find_lo(c, &lo);
	return r < 0 ? r : link_down(&c->pod, lo.index, &c->err);
}

void lo_drop(struct lo_up *guard)
{
	struct err ignored = { 0 };

	if (guard->index)
		link_down(&guard->call->pod, guard->index, &ignored);
}

int pod_name_is_free(struct cni_call *c)
{
	struct link there;
	int r = pod_open(c);

	if (r < 0)
		return r;
	r = link_by_name(&c->pod, c->who.ifname, &there, &c->err);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	err_set(&c->err, CNI_FAILED, -EEXIST, "container interface \"%s\" already exists in %s", c->who.ifname, c->who.netns);
	err_detail(&c->err, "it is a %s with MTU %u; DEL the attachment that made it first, or give this one another CNI_IFNAME",
	           *there.kind ? there.kind : "device", there.mtu);
	return -EEXIST;
}

/* ---- Settings ---- */

static bool is_not_ours(int r)
{
	return r == -EROFS || r == -EACCES || r == -EPERM;
}

static int refuse_setting(struct cni_call *c, int r, const char *link)
{
	err_sys(&c->err, CNI_FAILED, r, "failed to enable IPv6 for interface \"%s\" (net/ipv6/conf/%s/disable_ipv6)", link, link);
	if (is_not_ours(r))
		err_detail(&c->err, "let this process write /proc/sys, or give the container a namespace with IPv6 on");
	return r;
}

/* IPv6 may have been switched off in the container (Docker does) though an address of it is wanted now. */
static int ipv6_enable(struct cni_call *c)
{
	const char *const links[] = { "lo", c->who.ifname };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		r = sysctl_set("0", "net/ipv6/conf/%s/disable_ipv6", links[i]);
		if (r == -ENOENT)
			continue;       /* no IPv6 in this kernel: adding the address will say so */
		if (r < 0)
			return refuse_setting(c, r, links[i]);
	}
	sysctl_put("1", "net/ipv6/conf/%s/keep_addr_on_down", c->who.ifname);
	return 0;
}

/* A setting that must be off for safety's sake. Without IPv6 in this kernel there is none. */
static int ipv6_switch_off(struct cni_call *c, const char *ifname, const char *setting, const char *what)
{
	int r = sysctl_put("0", "net/ipv6/conf/%s/%s", ifname, setting);

	if (r == 0 || r == -ENOENT)
		return 0;
	err_sys(&c->err, CNI_FAILED, r, "switching off %s on %s (net/ipv6/conf/%s/%s)", what, ifname, ifname, setting);
	if (is_not_ours(r))
		err_detail(&c->err, "let this process write /proc/sys, or set net.ipv6.conf.default.%s to 0 beforehand", setting);
	return r;
}

int router_advertisements_ignore(struct cni_call *c, const char *ifname)
{
	return ipv6_switch_off(c, ifname, "accept_ra", "router advertisements");
}

/* Router advertisements must not give an IPv4-only container an IPv6 address and a way out. */
static int ipv6_do_not_autoconfigure(struct cni_call *c)
{
	int r = router_advertisements_ignore(c, c->who.ifname);

	return r < 0 ? r : ipv6_switch_off(c, c->who.ifname, "autoconf", "autoconfiguration");
}

int pod_settle(struct cni_call *c, unsigned settings)
{
	scoped(trace_end) struct trace_span span = trace_begin("pod settings");
	scoped(netns_leave) int back = netns_enter(c->pod_fd, &c->err);
	int r = 0;

	if (back < 0)
		return back;
	if (!c->pod.sk)
		r = netlink_open(&c->pod, NETLINK_ROUTE, &c->err);
	if (r < 0 || (settings & POD_LAYER2))
		return r;
	if (settings & POD_DAD)
		sysctl_put("1", "net/ipv6/conf/%s/enhanced_dad", c->who.ifname);
	sysctl_put(settings & POD_DAD ? "1" : "0", "net/ipv6/conf/%s/accept_dad", c->who.ifname);
	sysctl_put("1", "net/ipv4/conf/%s/arp_notify", c->who.ifname);          /* for addresses_announce */
	if (settings & POD_NO_IPV6 && sysctl_put("1", "net/ipv6/conf/%s/disable_ipv6", c->who.ifname) == 0)
		return 0;
	if (settings & POD_HAS_IPV6)
		sysctl_put("1", "net/ipv6/conf/%s/ndisc_notify", c->who.ifname);
	return settings & POD_HAS_IPV6 ? ipv6_enable(c) : ipv6_do_not_autoconfigure(c);
}

static int forward(struct cni_call *c, int family, const char *name, const char *what)
{
	int r = has_family(&c->result, family) ? sysctl_set("1", "%s", name) : 0;

	if (r < 0) {
		err_sys(&c->err, CNI_FAILED, r, "could not enable %s forwarding: %s", what, name);
		if (is_not_ours(r))
			err_detail(&c->err, "let this process write /proc/sys, or set it to 1 beforehand");
	}
	return r;
}

int forwarding_enable(struct cni_call *c)
{
	int r = forward(c, AF_INET, "net/ipv4/ip_forward", "IP");

	return r < 0 ? r : forward(c, AF_INET6, "net/ipv6/conf/all/forwarding", "IPv6");
}

int mtu_of_default_route(struct cni_call *c, uint32_t *mtu)
{
	struct link l;
	int r = call_host(c);

	*mtu = 0;
	if (r == 0)
		r = route_default_link(&c->host, AF_INET);
	if (r == 0)
		r = route_default_link(&c->host, AF_INET6);
	if (r < 0)
		return err_sys(&c->err, CNI_FAILED, r, "asking for the default route, whose link's MTU is to be that of %s", c->who.ifname);
	if (r > 0 && (r = link_by_index(&c->host, r, &l, &c->err)) == 0 && !(l.flags & IFF_LOOPBACK))
		*mtu = l.mtu;
	return r == -ENODEV ? 0 : r;
}

/* ---- Addresses and routes ---- */

bool has_family(const struct result *r, int family)
{
	for_list (const struct ip_conf, ip, &r->ips)
		if (ip->address.addr.family == family)
			return true;
	return false;
}

int addresses_apply(struct cni_call *c, const struct link *pod, unsigned flags)
{
	scoped(trace_end) struct trace_span span = trace_begin("addresses");
	int r = link_up(&c->pod, pod->index, &c->err);

	for_list (const struct ip_conf, ip, &c->result.ips) {
		char text[PREFIX_TEXT];

		if (r < 0)
			break;
		r = address_add(&c->pod, pod->index, c->who.ifname, &ip->address, flags, &c->err);
		if (r == -EEXIST)
			err_sys(&c->err, CNI_FAILED, r, "adding address %s to %s", prefix_text(&ip->address, text), c->who.ifname);
	}
	return r;
}

static const struct addr *gateway_of_family(const struct result *r, int family)
{
	static const struct addr none;

	for_list (const struct ip_conf, ip, &r->ips)
		if (ip->address.addr.family == family && addr_is_set(&ip->gateway))
			return &ip->gateway;
	return &none;
}

static int refuse_gateway(struct cni_call *c, const struct ip_route *want)
{
	char dst[PREFIX_TEXT], gateway[ADDR_TEXT];

	err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "adding route %s via %s to %s: the gateway is of the other family", prefix_text(&want->dst, dst),
	        addr_text(&want->gateway, gateway), c->who.ifname);
	err_detail(&c->err, "routes, of the address plugin (ipam.routes): want \"gw\" of the family of \"dst\"");
	return -EINVAL;
}

int routes_apply(struct cni_call *c, const struct link *pod)
{
	scoped(trace_end) struct trace_span span = trace_begin("routes");

	for_list (const struct ip_route, want, &c->result.routes) {
		int family = want->dst.addr.family, r;
		struct route route = {
			.dst = want->dst, .index = pod->index, .mtu = want->mtu, .advmss = want->advmss,
			.priority = want->priority,
			.table = want->table > 0 ? want->table : 0, .scope = (int)want->scope,
			.gateway = addr_is_set(&want->gateway) ? want->gateway : *gateway_of_family(&c->result, family),
		};
		char text[PREFIX_TEXT];

		if (addr_is_set(&want->gateway) && want->gateway.family != family)
			return refuse_gateway(c, want);
		r = route_add(&c->pod, &route, &c->err);
		if (r == -EEXIST)
			return err_sys(&c->err, CNI_FAILED, r, "adding route %s to %s", prefix_text(&want->dst, text), c->who.ifname);
		if (r < 0)
			return r;
	}
	return 0;
}

void gateways_settle(struct cni_call *c)
{
	for_list (const struct ip_conf, ip, &c->result.ips)
		if (addr_is_set(&ip->gateway))
			address_settle(&c->host, &ip->gateway);
}

void addresses_announce(struct cni_call *c, const struct link *pod, unsigned flags)
{
	scoped(trace_end) struct trace_span span = trace_begin("announcement");

	for_list (const struct ip_conf, ip, &c->result.ips)
		if (!(flags & ADDRESS_DAD))
			address_settle(&c->pod, &ip->address.addr);
	link_announce(&c->pod, pod);
}

int result_note_link(struct cni_call *c, const struct link *l, const char *sandbox)
{
	struct iface *i = result_add_iface(&c->result, &c->arena);
	char mac[MAC_TEXT];

	if (!i)
		return err_nomem(&c->err, "result");
	*i = (struct iface){
		.name = arena_strdup(&c->arena, l->name), .mac = arena_strdup(&c->arena, mac_text(&l->mac, mac)),
		.mtu = l->mtu, .sandbox = sandbox,
	};
	return (int)c->result.ifaces.count - 1;
}

int result_finish(struct cni_call *c, int pod)
{
	for_list (struct ip_conf, ip, &c->result.ips)
		ip->iface = pod;
	if (dns_is_set(&c->net.dns))
		c->result.dns = c->net.dns;
	return result_follow(&c->result, &c->prev, &c->arena);
}

/* ---- Removal ---- */

/* By name in the container's namespace. -ENODEV, without words: there is none. */
static int delete_in_pod(struct cni_call *c)
{
	scoped(netns_leave) int back = -1;
	struct link l;
	int r = pod_open(c);

	if (r == 0)
		r = link_by_name(&c->pod, c->who.ifname, &l, &c->err);
	if (r < 0)
		return r;
	back = netns_enter(c->pod_fd, &c->err);
	return back < 0 ? back : link_delete(&l, &c->err);
}

/* By the name that only this attachment's host end has: the other end goes with it, whatever it is called and wherever it was moved. */
static int delete_on_host(struct cni_call *c)
{
	struct link l;
	int r = call_host(c);

	if (r == 0)
		r = link_by_name(&c->host, c->who.host_ifname, &l, &c->err);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	return link_delete(&l, &c->err);
}

int iface_delete(struct cni_call *c)
{
	int r = c->pod_fd >= 0 ? delete_in_pod(c) : -ENODEV;

	return r == -ENODEV ? delete_on_host(c) : r;
}
