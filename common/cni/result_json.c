/* Results into JSON of every version. */
#include "cni/result.h"

#include <errno.h>
#include <sys/socket.h>

#include "cni/version.h"

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
