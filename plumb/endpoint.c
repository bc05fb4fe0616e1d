#include "endpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "cni/result.h"
#include "cni/version.h"
#include "netinfo.h"
#include "plumb.h"
#include "ports.h"

/* ---- Which namespace ---- */

/* Without empty steps, "." and "..", as far as the text alone can tell. In place; the path is absolute. */
static void path_clean(char *path)
{
	char *to = path, *from = path;

	while (*from) {
		size_t len = strcspn(from += strspn(from, "/"), "/");

		if (len == 2 && !strncmp(from, "..", 2)) {
			while (to > path && *--to != '/')
				;
		} else if (len > 0 && !(len == 1 && *from == '.')) {
			*to++ = '/';
			memmove(to, from, len);
			to += len;
		}
		from += len;
	}
	*to = '\0';
}

/* Two ways to the same directory (/var/run and /run) give one path, and with it one id. Those of /proc are left as they are:
 * "self" would become another process each time. */
static const char *path_settle(struct call *c, const char *given)
{
	char here[PATH_MAX], real[PATH_MAX], *path, *base;

	if (given[0] != '/' && !getcwd(here, sizeof here))
		return NULL;
	path = given[0] == '/' ? arena_strdup(&c->arena, given) : arena_printf(&c->arena, "%s/%s", here, given);
	if (!path)
		return NULL;
	path_clean(path);
	base = strrchr(path, '/');
	if (!base || !strncmp(path, "/proc/", 6))
		return path;
	*base = '\0';
	if (*path && realpath(path, real))
		return arena_printf(&c->arena, "%s/%s", real, base + 1);
	*base = '/';
	return path;
}

static const char *netns_path(struct call *c, const char *text)
{
	if (strchr(text, '/'))
		return path_settle(c, text);
	if (*text && strspn(text, "0123456789") == strlen(text))
		return arena_printf(&c->arena, "/proc/%s/ns/net", text);
	return type_valid(text) ? arena_printf(&c->arena, "/run/netns/%s", text) : NULL;
}

int endpoint_read(struct call *c, const char *netns, struct endpoint *out)
{
	*out = (struct endpoint){ .netns = netns_path(c, netns), .ifname = c->opt.ifname ? c->opt.ifname : "eth0", .container = c->opt.id };
	if (!out->netns || !*out->netns)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "NETNS \"%s\": want a path, a name of /run/netns, or a process's number",
		                   netns);
	if (!out->container)
		out->container = arena_printf(&c->arena, "plumb-%016llx", (unsigned long long)hash_strings(out->netns, NULL));
	return out->container ? 0 : err_nomem(&c->trouble.err, "container id");
}

/* ---- What is asked for ---- */

static void set_capability(struct call *c, struct endpoint *e, const char *name, json_t *value)
{
	if (!e->capability_args)
		e->capability_args = call_keep(c, json_object());
	json_object_set_new(e->capability_args, name, value);
}

/* Old-style arguments reach every plugin; those that do not know them must not mind. */
static void add_cni_arg(struct call *c, struct endpoint *e, const char *key, const char *value)
{
	if (!e->cni_args)
		e->cni_args = call_keep(c, json_pack("[[s, s]]", "IgnoreUnknown", "1"));
	json_array_append_new(e->cni_args, json_pack("[s, s]", key, value));
}

static json_t *texts_json(const struct list *texts)
{
	json_t *list = json_array();

	for_list (const char *, text, texts)
		json_array_append_new(list, json_string(*text));
	return list;
}

static json_t *object_in(json_t *o, const char *key)
{
	json_t *in = json_object_get(o, key);

	if (!json_is_object(in))
		json_object_set_new(o, key, in = json_object());
	return in;
}

/* {"args": {"cni": {"ips": […]}}} in each plugin's configuration. (CNI conventions, "args" in network config.) */
static void put_args_ips(struct network *n, const struct list *ips)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->plugins, i, plugin)
		json_object_set_new(object_in(object_in(plugin, "args"), "cni"), "ips", texts_json(ips));
}

static void wish_ips(struct call *c, struct network *n, struct endpoint *e)
{
	const struct list *ips = &c->opt.ips;

	if (ips->count == 0)
		return;
	if (network_declares(n, "ips"))
		set_capability(c, e, "ips", texts_json(ips));
	else if (ips->count == 1)
		add_cni_arg(c, e, "IP", *(const char **)ips->items);
	else
		put_args_ips(n, ips);
}

/* The address that a network publishes ports on where the user does not say (plumb network create --opt host-ip). */
static void default_host_ip(const struct network *n, struct list *ports)
{
	json_t *note = json_object_get(n->list, NETWORK_NOTE);
	const char *text = json_is_object(note) ? json_member_string(note, "hostIP") : NULL;
	struct addr a;

	if (!text || !addr_parse(text, &a))
		return;
	for_list (struct port, p, ports)
		if (!addr_is_set(&p->host_ip))
			p->host_ip = a;
}

static int wish_ports(struct call *c, const struct network *n, struct endpoint *e)
{
	if (c->opt.ports.count == 0)
		return 0;
	if (!network_declares(n, "portMappings")) {
		trouble_set(&c->trouble, EXIT_BAD_CONFIG, -ENOTSUP, "no plugin of the network publishes ports");
		if (network_is_internal(n))
			err_detail(&c->trouble.err, "it is internal: nothing comes in from outside");
		else
			err_detail(&c->trouble.err, "add {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}} to its plugins");
		return -ENOTSUP;
	}
	default_host_ip(n, &c->opt.ports);
	set_capability(c, e, "portMappings", ports_json(&c->opt.ports));
	return 0;
}

/* {"NETWORK": ["alias", …]}, as podman has it. */
static void wish_names(struct call *c, const struct network *n, struct endpoint *e)
{
	if (e->name)
		add_cni_arg(c, e, "K8S_POD_NAME", e->name);
	if (c->opt.aliases.count == 0)
		return;
	if (network_declares(n, "aliases"))
		set_capability(c, e, "aliases", json_pack("{s:o}", n->name, texts_json(&c->opt.aliases)));
	else
		fprintf(stderr, "plumb: %s: no plugin of the network gives names (dnsname does): aliases are left out\n", n->name);
}

int endpoint_wish(struct call *c, struct network *n, struct endpoint *e)
{
	int r = wish_ports(c, n, e);

	if (r < 0)
		return r;
	wish_names(c, n, e);
	wish_ips(c, n, e);
	if (c->opt.mac && network_declares(n, "mac"))
		set_capability(c, e, "mac", json_string(c->opt.mac));
	else if (c->opt.mac)
		add_cni_arg(c, e, "MAC", c->opt.mac);
	return 0;
}

const char *endpoint_args(struct call *c, const struct endpoint *e)
{
	const char *text = "";
	json_t *pair;
	size_t i;

	json_array_foreach(e->cni_args, i, pair) {
		const char *key = json_string_value(json_array_get(pair, 0)), *value = json_string_value(json_array_get(pair, 1));

		if (text && key && value)
			text = arena_printf(&c->arena, "%s%s%s=%s", text, *text ? ";" : "", key, value);
	}
	return text;
}

/* ---- Whether it was granted ---- */

static bool has_ip(const struct result *r, const char *wanted)
{
	struct prefix p;

	if (!addr_parse(wanted, &p.addr) && !prefix_parse(wanted, &p))
		return false;
	for_list (const struct ip_conf, ip, &r->ips)
		if (addr_equal(&ip->address.addr, &p.addr))
			return true;
	return false;
}

/* The MAC of the container's interface, NULL where the result does not tell. */
static const char *mac_in(const struct result *r, const char *ifname)
{
	for_list (const struct iface, i, &r->ifaces)
		if (i->sandbox && i->name && !strcmp(i->name, ifname))
			return i->mac;
	return NULL;
}

int endpoint_granted(struct call *c, const struct endpoint *e, const json_t *result)
{
	struct trouble *t = &c->trouble;
	struct mac wanted, got;
	struct result r;
	const char *mac;
	int bad = result_read(result, CNI_NEWEST, "result.", CNI_DECODE, &c->arena, &r, &t->err);

	if (bad < 0)
		return bad;
	for_list (const char *, ip, &c->opt.ips)
		if (!has_ip(&r, *ip))
			return trouble_set(t, EXIT_BAD_CONFIG, -ENOTSUP, "--ip %s: the network's address plugin gave another address", *ip);
	mac = mac_in(&r, e->ifname);
	if (c->opt.mac && mac && mac_parse(c->opt.mac, &wanted) && mac_parse(mac, &got) && !mac_equal(&wanted, &got))
		return trouble_set(t, EXIT_BAD_CONFIG, -ENOTSUP, "--mac %s: the network's plugins made %s with %s", c->opt.mac, e->ifname, mac);
	return 0;
}
