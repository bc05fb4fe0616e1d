#include "cni/result.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/version.h"

/* ---- Reading ---- */

const struct field dns_fields[] = {
	FIELD(struct dns, nameservers, "nameservers", read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct dns, domain,      "domain",      read_string),
	FIELD(struct dns, search,      "search",      read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct dns, options,     "options",     read_list, .item = read_string, .size = sizeof(char *)),
	FIELD_END
};

const struct field route_fields[] = {
	FIELD(struct ip_route, dst,      "dst",      read_prefix),
	FIELD(struct ip_route, gateway,  "gw",       read_addr),
	FIELD(struct ip_route, mtu,      "mtu",      read_uint, .max = UINT32_MAX),
	FIELD(struct ip_route, advmss,   "advmss",   read_uint, .max = UINT32_MAX),
	FIELD(struct ip_route, priority, "priority", read_uint, .max = UINT32_MAX),
	FIELD(struct ip_route, table,    "table",    read_int,  .max = UINT32_MAX),
	FIELD(struct ip_route, scope,    "scope",    read_int,  .max = 255),
	FIELD_END
};
const struct ip_route route_unset = { .table = -1, .scope = -1 };

static const struct field iface_fields[] = {
	FIELD(struct iface, name,        "name",       read_string),
	FIELD(struct iface, mac,         "mac",        read_string),
	FIELD(struct iface, sandbox,     "sandbox",    read_string),
	FIELD(struct iface, mtu,         "mtu",        read_uint, .max = UINT32_MAX),
	FIELD(struct iface, socket_path, "socketPath", read_string),
	FIELD(struct iface, pci_id,      "pciID",      read_string),
	FIELD_END
};

static const struct field ip_fields[] = {
	FIELD(struct ip_conf, address, "address",   read_prefix),
	FIELD(struct ip_conf, gateway, "gateway",   read_addr),
	FIELD(struct ip_conf, iface,   "interface", read_int, .min = -1, .max = INT32_MAX),
	FIELD_END
};

int read_route(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field object = { .key = f->key, .sub = route_fields };
	struct ip_route *route = slot;
	int bad;

	*route = route_unset;
	bad = read_object(&object, v, slot, r);
	if (bad == 0 && !addr_is_set(&route->dst.addr))
		return field_refuse(f, r, "a route needs its \"dst\", such as 0.0.0.0/0");
	return bad;
}

static int read_ip(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field object = { .key = f->key, .sub = ip_fields };
	struct ip_conf *ip = slot;
	int bad;

	ip->iface = -1;
	bad = read_object(&object, v, slot, r);
	if (bad == 0 && !addr_is_set(&ip->address.addr))
		return field_refuse(f, r, "an address needs \"address\", such as 10.1.2.3/24");
	return bad;
}

static const struct field result_fields[] = {
	FIELD(struct result, ifaces, "interfaces", read_list, .item = read_object, .sub = iface_fields, .size = sizeof(struct iface)),
	FIELD(struct result, ips,    "ips",        read_list, .item = read_ip,     .size = sizeof(struct ip_conf)),
	FIELD(struct result, routes, "routes",     read_list, .item = read_route,  .size = sizeof(struct ip_route)),
	FIELD(struct result, dns,    "dns",        read_object, .sub = dns_fields),
	FIELD_END
};

/* 0.2.0's ip4 and ip6. */
struct old_ip {
	struct prefix address;
	struct addr   gateway;
	struct list   routes;
};
struct old_result {
	struct old_ip ip4, ip6;
	struct dns    dns;
};
static const struct field old_ip_fields[] = {
	FIELD(struct old_ip, address, "ip",      read_prefix),
	FIELD(struct old_ip, gateway, "gateway", read_addr),
	FIELD(struct old_ip, routes,  "routes",  read_list, .item = read_route, .size = sizeof(struct ip_route)),
	FIELD_END
};
static const struct field old_result_fields[] = {
	FIELD(struct old_result, ip4, "ip4", read_object, .sub = old_ip_fields),
	FIELD(struct old_result, ip6, "ip6", read_object, .sub = old_ip_fields),
	FIELD(struct old_result, dns, "dns", read_object, .sub = dns_fields),
	FIELD_END
};

static int take_old_ip(struct result *out, const struct old_ip *ip, struct arena *arena)
{
	struct ip_conf *to;

	if (!addr_is_set(&ip->address.addr))
		return 0;
	to = result_add_ip(out, arena);
	if (!to)
		return -ENOMEM;
	to->address = ip->address;
	to->gateway = ip->gateway;
	for_list (const struct ip_route, from, &ip->routes) {
		struct ip_route *route = result_add_route(out, arena);

		if (!route)
			return -ENOMEM;
		*route = *from;
	}
	return 0;
}

static int read_old(const json_t *json, struct reading *r, struct result *out)
{
	struct old_result old = { 0 };
	int bad = fields_read(old_result_fields, json, &old, r);

	if (bad < 0)
		return bad;
	out->dns = old.dns;
	if (take_old_ip(out, &old.ip4, r->arena) < 0 || take_old_ip(out, &old.ip6, r->arena) < 0)
		return err_nomem(r->err, "result");
	return 0;
}

int result_read(const json_t *json, const char *otherwise, const char *where, int code, struct arena *arena, struct result *out, struct err *e)
{
	const char *version = json_member_string(json, "cniVersion");
	struct reading r = { .arena = arena, .err = e };
	int bad;

	*out = (struct result){ 0 };
	if (!version)
		version = otherwise;
	if (!version_known(version))
		return err_set(e, code, -EINVAL, "%scniVersion: unsupported CNI result version \"%s\"", where, version);
	strncat(r.path, where, sizeof r.path - 1);
	bad = version_at_least(version, "0.3.0") ? fields_read(result_fields, json, out, &r) : read_old(json, &r, out);
	if (bad < 0)
		e->code = code;
	return bad;
}

/* ---- Writing ---- */

static void put_text(json_t *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(o, key, json_string(text));
}

static void put_number(json_t *o, const char *key, long long n, long long unset)
{
	if (n != unset)
		json_object_set_new(o, key, json_integer(n));
}

static void put_addr(json_t *o, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	put_text(o, key, addr_text(a, text));
}

static void put_prefix(json_t *o, const char *key, const struct prefix *p)
{
	char text[PREFIX_TEXT];

	put_text(o, key, prefix_text(p, text));
}

static void put_list(json_t *o, const char *key, json_t *list)
{
	if (json_array_size(list) > 0)
		json_object_set(o, key, list);
	json_decref(list);
}

static json_t *texts_json(const struct list *texts)
{
	json_t *list = json_array();

	for_list (const char *, text, texts)
		json_array_append_new(list, json_string(*text));
	return list;
}

static json_t *dns_json(const struct dns *d)
{
	json_t *o = json_object();

	put_list(o, "nameservers", texts_json(&d->nameservers));
	put_text(o, "domain", d->domain);
	put_list(o, "search", texts_json(&d->search));
	put_list(o, "options", texts_json(&d->options));
	return o;
}

static json_t *route_json(const struct ip_route *r)
{
	json_t *o = json_object();

	put_prefix(o, "dst", &r->dst);
	put_addr(o, "gw", &r->gateway);
	put_number(o, "mtu", r->mtu, 0);
	put_number(o, "advmss", r->advmss, 0);
	put_number(o, "priority", r->priority, 0);
	put_number(o, "table", r->table, -1);
	put_number(o, "scope", r->scope, -1);
	return o;
}

static json_t *iface_json(const struct iface *i, const char *version)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(i->name ? i->name : ""));
	put_text(o, "mac", i->mac);
	if (version_at_least(version, "1.0.0"))
		put_number(o, "mtu", i->mtu, 0);
	put_text(o, "sandbox", i->sandbox);
	if (version_at_least(version, "1.0.0")) {
		put_text(o, "socketPath", i->socket_path);
		put_text(o, "pciID", i->pci_id);
	}
	return o;
}

static json_t *ip_json(const struct ip_conf *ip, const char *version)
{
	json_t *o = json_object();

	if (!version_at_least(version, "1.0.0"))
		put_text(o, "version", ip->address.addr.family == AF_INET ? "4" : "6");
	put_number(o, "interface", ip->iface, -1);
	put_prefix(o, "address", &ip->address);
	put_addr(o, "gateway", &ip->gateway);
	return o;
}

static json_t *lists_json(const struct result *r, const char *version)
{
	json_t *o = json_object(), *ifaces = json_array(), *ips = json_array(), *routes = json_array();

	for_list (const struct iface, i, &r->ifaces)
		json_array_append_new(ifaces, iface_json(i, version));
	for_list (const struct ip_conf, ip, &r->ips)
		json_array_append_new(ips, ip_json(ip, version));
	for_list (const struct ip_route, route, &r->routes)
		json_array_append_new(routes, route_json(route));
	put_list(o, "interfaces", ifaces);
	put_list(o, "ips", ips);
	put_list(o, "routes", routes);
	return o;
}

/* The first address of the family with the family's routes; NULL: none. */
static json_t *old_ip_json(const struct result *r, int family)
{
	const struct ip_conf *first = NULL;
	json_t *o, *routes;

	for_list (const struct ip_conf, ip, &r->ips)
		if (!first && ip->address.addr.family == family)
			first = ip;
	if (!first)
		return NULL;
	o = json_object();
	routes = json_array();
	put_prefix(o, "ip", &first->address);
	put_addr(o, "gateway", &first->gateway);
	for_list (const struct ip_route, route, &r->routes)
		if (route->dst.addr.family == family) {
			struct ip_route plain = route_unset;

			plain.dst = route->dst;
			plain.gateway = route->gateway;
			json_array_append_new(routes, route_json(&plain));
		}
	put_list(o, "routes", routes);
	return o;
}

static json_t *old_json(const struct result *r, struct err *e)
{
	json_t *ip4 = old_ip_json(r, AF_INET), *ip6 = old_ip_json(r, AF_INET6), *o;

	if (!ip4 && !ip6) {
		err_set(e, CNI_FAILED, -EINVAL, "cannot convert: no valid IP addresses");
		return NULL;
	}
	o = json_object();
	if (ip4)
		json_object_set_new(o, "ip4", ip4);
	if (ip6)
		json_object_set_new(o, "ip6", ip6);
	return o;
}

/* The reference prints an empty dns up to 0.4.0 and leaves it out from 1.0.0 on. */
json_t *result_json(const struct result *r, const char *version, struct err *e)
{
	json_t *o = version_at_least(version, "0.3.0") ? lists_json(r, version) : old_json(r, e);
	json_t *dns;

	if (!o)
		return NULL;
	dns = dns_json(&r->dns);
	if (json_object_size(dns) > 0 || !version_at_least(version, "1.0.0"))
		json_object_set(o, "dns", dns);
	json_decref(dns);
	json_object_set_new(o, "cniVersion", json_string(*version ? version : cni_versions[0]));
	return o;
}

/* ---- Building ---- */

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
