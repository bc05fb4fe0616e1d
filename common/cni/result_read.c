/* Results, and what they consist of, out of JSON of every version. */
#include "cni/result.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/version.h"

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
