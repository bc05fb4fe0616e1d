#include "cni/check.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "cni/iface.h"
#include "os/address.h"
#include "os/route.h"
#include "os/sysctl.h"

int check_differs(struct cni_call *c, const char *fmt, ...)
{
	char words[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	err_set(&c->err, CNI_FAILED, -ENOENT, "%s", words);
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -ENOENT;
}

static const struct iface *pod_iface(const struct cni_call *c)
{
	for_list (const struct iface, i, &c->prev.ifaces)
		if (i->name && i->sandbox && !strcmp(i->name, c->who.ifname) && !strcmp(i->sandbox, c->who.netns))
			return i;
	return NULL;
}

static int check_link(struct cni_call *c, const char *kind, struct link *pod)
{
	const struct iface *told = pod_iface(c);
	char mac[MAC_TEXT];
	int r;

	if (!told)
		return check_differs(c, "prevResult has no interface \"%s\" with sandbox %s", c->who.ifname, c->who.netns);
	r = pod_open(c);
	if (r == 0)
		r = link_by_name(&c->pod, c->who.ifname, pod, &c->err);
	if (r == -ENODEV)
		return check_differs(c, "interface %s not found in the container", c->who.ifname);
	if (r < 0)
		return r;
	if (strcmp(pod->kind, kind))
		return check_differs(c, "container interface %s is no %s but a %s", c->who.ifname, kind, *pod->kind ? pod->kind : "device");
	if (told->mac && strcasecmp(told->mac, mac_text(&pod->mac, mac)))
		return check_differs(c, "interface %s: MAC %s does not match prevResult's %s", c->who.ifname, mac, told->mac);
	return 0;
}

/* ---- Addresses and routes ---- */

struct route_query {
	struct prefix dst;
	struct addr   gateway;          /* unset: any */
};

static int matches(const struct route *r, void *arg)
{
	const struct route_query *q = arg;
	struct prefix dst = prefix_network(&q->dst);

	return r->type == RTN_UNICAST && prefix_equal(&r->dst, &dst) && (!addr_is_set(&q->gateway) || addr_equal(&r->gateway, &q->gateway));
}

static int has_route(struct cni_call *c, const struct prefix *dst, const struct addr *gateway)
{
	struct route_query q = { *dst, *gateway };

	return route_each(&c->pod, dst->addr.family, matches, &q, &c->err);
}

static int check_addresses(struct cni_call *c, const struct link *pod)
{
	static const struct addr any;
	char text[PREFIX_TEXT];

	for_list (const struct ip_conf, ip, &c->prev.ips) {
		int there;

		if (!result_ip_is_of(&c->prev, ip, c->who.ifname))
			continue;
		there = address_has(&c->pod, pod->index, &ip->address, &c->err);
		if (there == 0)
			return check_differs(c, "Failed to match addr %s on interface %s", prefix_text(&ip->address, text), c->who.ifname);
		if (there > 0 && ip->address.len < addr_size(ip->address.addr.family) * 8)
			there = has_route(c, &ip->address, &any);
		if (there == 0)
			return check_differs(c, "no route to the subnet of address %s on interface %s", prefix_text(&ip->address, text), c->who.ifname);
		if (there < 0)
			return there;
	}
	return 0;
}

static int check_routes(struct cni_call *c)
{
	char dst[PREFIX_TEXT], gw[ADDR_TEXT];

	for_list (const struct ip_route, route, &c->prev.routes) {
		int there = has_route(c, &route->dst, &route->gateway);

		if (there < 0)
			return there;
		addr_text(&route->gateway, gw);
		if (there == 0)
			return check_differs(c, "Expected Route %s%s%s not found in routing table", prefix_text(&route->dst, dst), *gw ? " via " : "", gw);
	}
	return 0;
}

int check_attachment(struct cni_call *c, const char *kind, struct link *pod)
{
	struct link there;
	int r = check_link(c, kind, pod ? pod : &there);

	if (r == 0)
		r = check_addresses(c, pod ? pod : &there);
	return r == 0 ? check_routes(c) : r;
}

/* ---- The host's side ---- */

int check_host_end(struct cni_call *c, const struct link *pod, struct link *near)
{
	struct link there;
	int r = call_host(c);

	if (r == 0)
		r = link_by_index(&c->host, pod->peer, &there, &c->err);
	if (r < 0 && r != -ENODEV)
		return r;
	for_list (const struct iface, i, &c->prev.ifaces)
		if (r == 0 && i->name && !i->sandbox && !strcmp(i->name, there.name) && there.peer == pod->index) {
			if (near)
				*near = there;
			return there.flags & IFF_UP ? 0 : check_differs(c, "%s, the host's end of %s, is down", there.name, c->who.ifname);
		}
	return check_differs(c, "no interface of prevResult on the host is the other end of %s", c->who.ifname);
}

static int check_sysctl(struct cni_call *c, long value, const char *name)
{
	long now = sysctl_number(value, "%s", name);

	return now == value ? 0 : check_differs(c, "sysctl %s is %ld, want %ld", name, now, value);
}

int check_forwarding(struct cni_call *c)
{
	int r = 0;

	if (has_family(&c->prev, AF_INET))
		r = check_sysctl(c, 1, "net/ipv4/ip_forward");
	if (r == 0 && has_family(&c->prev, AF_INET6))
		r = check_sysctl(c, 1, "net/ipv6/conf/all/forwarding");
	return r;
}
