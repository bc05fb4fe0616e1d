#include "cni/result.h"

#include <errno.h>
#include <string.h>

struct iface *result_add_iface(struct result *r, struct arena *a)
{
	return arena_push(a, &r->ifaces.items, &r->ifaces.count, sizeof(struct iface));
}

struct ip_conf *result_add_ip(struct result *r, struct arena *a)
{
	struct ip_conf *ip = arena_push(a, &r->ips.items, &r->ips.count, sizeof *ip);

	if (ip)
		ip->iface = -1;
	return ip;
}

struct ip_route *result_add_route(struct result *r, struct arena *a)
{
	struct ip_route *route = arena_push(a, &r->routes.items, &r->routes.count, sizeof *route);

	if (route)
		*route = route_unset;
	return route;
}

static int append(struct list *to, const struct list *from, size_t size, struct arena *a)
{
	for (size_t i = 0; i < from->count; i++) {
		void *slot = arena_push(a, &to->items, &to->count, size);

		if (!slot)
			return -ENOMEM;
		memcpy(slot, (const char *)from->items + i * size, size);
	}
	return 0;
}

int result_follow(struct result *r, const struct result *prev, struct arena *a)
{
	struct result both = { .dns = dns_is_set(&r->dns) ? r->dns : prev->dns };
	size_t before = prev->ifaces.count;

	if (append(&both.ifaces, &prev->ifaces, sizeof(struct iface), a) < 0 || append(&both.ifaces, &r->ifaces, sizeof(struct iface), a) < 0 ||
	    append(&both.ips, &prev->ips, sizeof(struct ip_conf), a) < 0 || append(&both.ips, &r->ips, sizeof(struct ip_conf), a) < 0 ||
	    append(&both.routes, &prev->routes, sizeof(struct ip_route), a) < 0 || append(&both.routes, &r->routes, sizeof(struct ip_route), a) < 0)
		return -ENOMEM;
	for (size_t i = prev->ips.count; i < both.ips.count; i++)
		if (result_ips(&both)[i].iface >= 0)
			result_ips(&both)[i].iface += before;
	*r = both;
	return 0;
}

bool dns_is_set(const struct dns *d)
{
	return d->nameservers.given || d->search.given || d->options.given || d->domain;
}

bool result_ip_is_of(const struct result *r, const struct ip_conf *ip, const char *ifname)
{
	const struct iface *i = ip->iface >= 0 && (size_t)ip->iface < r->ifaces.count ? &result_ifaces(r)[ip->iface] : NULL;

	return !i || (i->sandbox && i->name && !strcmp(i->name, ifname));
}

const struct ip_conf *result_pod_ip(const struct result *r, int family, const char *ifname)
{
	for_list (const struct ip_conf, ip, &r->ips)
		if (ip->address.addr.family == family && result_ip_is_of(r, ip, ifname))
			return ip;
	return NULL;
}

const char *result_host_link(const struct result *r)
{
	for_list (const struct iface, i, &r->ifaces)
		if (i->name && *i->name && !i->sandbox)
			return i->name;
	return NULL;
}
