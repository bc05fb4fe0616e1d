/* The configuration list of a network that is made. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "cni/execute.h"
#include "cni/self.h"
#include "netmake.h"
#include "plumb.h"

#define DNS_DOMAIN "dns.plumb"

static void put_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static void put_address(json_t *o, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		put_text(o, key, addr_text(a, text));
}

static json_t *subnet_json(const struct subnet *s)
{
	char text[PREFIX_TEXT];
	json_t *o = json_pack("{s:s}", "subnet", prefix_text(&s->net, text));

	put_address(o, "rangeStart", &s->first);
	put_address(o, "rangeEnd", &s->last);
	put_address(o, "gateway", &s->gateway);
	return o;
}

static struct addr first_address(const struct prefix *net)
{
	struct addr a = net->addr;

	addr_next(&a);
	return a;
}

static json_t *ipam_json(const struct plan *p)
{
	json_t *ranges = json_array(), *routes = json_array(), *ipam = json_pack("{s:s, s:o}", "type", "host-local", "ranges", ranges);

	for_list (const struct subnet, given, &p->subnets) {
		struct subnet s = *given;

		if (!addr_is_set(&s.gateway) && !p->internal)
			s.gateway = first_address(&s.net);
		json_array_append_new(ranges, json_pack("[o]", subnet_json(&s)));
		json_array_append_new(routes, json_pack("{s:s}", "dst", s.net.addr.family == AF_INET ? "0.0.0.0/0" : "::/0"));
	}
	if (!p->internal)
		json_object_set(ipam, "routes", routes);
	json_decref(routes);
	return ipam;
}

/* The plugin that makes the interface. */
static json_t *interface_json(const struct plan *p)
{
	json_t *o = json_pack("{s:s}", "type", p->driver_name);
	bool bridge = p->driver == DRIVER_BRIDGE, masquerades = (bridge || p->driver == DRIVER_PTP) && p->masquerade && !p->internal;

	put_text(o, "bridge", p->bridge);
	put_text(o, "master", p->parent);
	put_text(o, "mode", p->mode);
	if (bridge)
		json_object_set_new(o, "isGateway", json_true());
	if (masquerades)
		json_object_set_new(o, "ipMasq", json_true());
	if (bridge && p->hairpin)
		json_object_set_new(o, "hairpinMode", json_true());
	if (p->vlan)
		json_object_set_new(o, "vlan", json_integer(p->vlan));
	if (p->mtu)
		json_object_set_new(o, "mtu", json_integer(p->mtu));
	if (p->subnets.count)
		json_object_set_new(o, "ipam", ipam_json(p));
	return o;
}

/* icc=false keeps containers of the one network apart too. */
static json_t *firewall_json(const struct plan *p)
{
	json_t *o = json_pack("{s:s}", "type", "firewall");

	if (!p->icc || p->isolate)
		put_text(o, "ingressPolicy", p->icc ? "same-bridge" : "isolated");
	if (p->internal)
		json_object_set_new(o, "internal", json_true());
	else if (!p->open && p->masquerade)             /* who is not masqueraded is routed to */
		put_text(o, "unpublishedPorts", "drop");
	return o;
}

static json_t *dns_json(struct call *c, const struct plan *p)
{
	json_t *o = json_pack("{s:s, s:s, s:{s:b}}", "type", "dnsname", "domainName", DNS_DOMAIN, "capabilities", "aliases", true);
	json_t *servers = json_array();

	for_list (const char *, server, &c->opt.dns)
		json_array_append_new(servers, json_string(*server));
	if (json_array_size(servers) > 0)
		json_object_set(o, "servers", servers);
	json_decref(servers);
	if (p->internal)
		json_object_set_new(o, "internal", json_true());
	return o;
}

static bool is_installed(struct call *c, const char *type)
{
	return plugin_path(&c->arena, c->opt.bin_path, type) != NULL;
}

/* Without dnsname a network is still one; without any other of its plugins it is of no use yet. */
static bool has_dns(struct call *c, const struct plan *p)
{
	if (!p->dns || is_installed(c, "dnsname"))
		return p->dns;
	fprintf(stderr, "plumb: network create %s: no plugin \"dnsname\" in %s: containers will not find each other by name "
	        "(--no-dns: without this word)\n", p->name, c->opt.bin_path);
	return false;
}

static void tell_if_missing(struct call *c, const struct plan *p, const char *type)
{
	if (type && !is_installed(c, type))
		fprintf(stderr, "plumb: network create %s: no plugin \"%s\" in %s: nothing can be attached before it is there\n", p->name, type,
		        c->opt.bin_path);
}

static void tell_missing(struct call *c, const struct plan *p, const json_t *plugins)
{
	json_t *plugin, *ipam = json_object_get(json_array_get(plugins, 0), "ipam");
	size_t i;

	json_array_foreach(plugins, i, plugin)
		tell_if_missing(c, p, plugin_type(plugin));
	if (ipam)
		tell_if_missing(c, p, plugin_type(ipam));
}

static json_t *plugins_json(struct call *c, const struct plan *p)
{
	bool veths = p->driver == DRIVER_BRIDGE || p->driver == DRIVER_PTP;
	json_t *plugins = json_pack("[o]", interface_json(p));

	/* where nothing comes in, nothing is published: a container with a second network has its ports there */
	if (veths && !p->internal)
		json_array_append_new(plugins, json_pack("{s:s, s:{s:b}}", "type", "portmap", "capabilities", "portMappings", true));
	if (veths)
		json_array_append_new(plugins, firewall_json(p));
	if (has_dns(c, p))
		json_array_append_new(plugins, dns_json(c, p));
	return plugins;
}

static json_t *pairs_json(const struct list *pairs)
{
	json_t *o = json_object();

	for_list (const struct pair, p, pairs)
		json_object_set_new(o, p->key, json_string(p->value ? p->value : ""));
	return o;
}

static json_t *note_json(struct call *c, const struct plan *p)
{
	time_t now = time(NULL);
	char created[32] = "";
	struct tm t;

	if (gmtime_r(&now, &t))
		strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &t);
	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:s*}", "created", created, "driver", p->driver_name, "internal", p->internal,
	                 "labels", pairs_json(&c->opt.labels), "options", pairs_json(&c->opt.opts), "hostIP", p->host_ip);
}

static bool is_ours(struct call *c, const char *type)
{
	const char *path = type ? plugin_path(&c->arena, c->opt.bin_path, type) : NULL;

	return path && self_is_plumb(path);
}

/* Others may not know 1.1.0, which GC and STATUS came with. */
static bool all_are_ours(struct call *c, const json_t *plugins)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) {
		json_t *ipam = json_object_get(plugin, "ipam");

		if (!is_ours(c, plugin_type(plugin)) || (ipam && !is_ours(c, plugin_type(ipam))))
			return false;
	}
	return true;
}

json_t *plan_json(struct call *c, const struct plan *p)
{
	json_t *plugins = plugins_json(c, p), *list;

	tell_missing(c, p, plugins);
	list = call_keep(c, json_pack("{s:s, s:o*, s:s, s:o, s:o}", "cniVersion", p->version ? p->version : "1.0.0", "cniVersions",
	                              !p->version && all_are_ours(c, plugins) ? json_pack("[s, s]", "1.0.0", "1.1.0") : NULL, "name", p->name, NETWORK_NOTE, note_json(c, p),
	                              "plugins", plugins));
	if (!list)              /* a label that is not UTF-8 */
		trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "a name or value is not UTF-8");
	return list;
}
