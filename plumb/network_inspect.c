/* plumb network inspect: tells all about networks, in the words of `docker network inspect`. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "attachments.h"
#include "base/sha512.h"
#include "cni/attach.h"
#include "netinfo.h"
#include "plumb.h"

/* ---- IPAM ---- */

static void put_address(json_t *o, const char *key, const struct addr *a)
{
	char text[ADDR_TEXT];

	if (addr_is_set(a))
		json_object_set_new(o, key, json_string(addr_text(a, text)));
}

/* A range that is the addresses of a prefix is told as one; else by its ends. */
static void put_range(json_t *o, const struct subnet *s)
{
	char first[ADDR_TEXT], last[ADDR_TEXT], text[2 * ADDR_TEXT + 2];
	unsigned bits = addr_size(s->net.addr.family) * 8;

	if (!addr_is_set(&s->first) && !addr_is_set(&s->last))
		return;
	if (addr_is_set(&s->first) && addr_is_set(&s->last))
		for (unsigned len = bits; len > s->net.len; len--) {
			struct prefix p = { s->first, (uint8_t)len };
			struct addr end = addr_last(&p), before = s->last;

			p = prefix_network(&p);
			addr_next(&before);     /* the broadcast address is left out of a range */
			if (!addr_equal(&end, &s->last) && !(addr_equal(&end, &before) && prefix_contains(&s->net, &end)))
				continue;
			json_object_set_new(o, "IPRange", json_string(prefix_text(&p, text)));
			return;
		}
	snprintf(text, sizeof text, "%s-%s", addr_is_set(&s->first) ? addr_text(&s->first, first) : "",
	         addr_is_set(&s->last) ? addr_text(&s->last, last) : "");
	json_object_set_new(o, "IPRange", json_string(text));
}

static json_t *ipam_json(struct call *c, const struct network *n, bool family[2])
{
	json_t *configs = json_array(), *ipam = network_ipam(n);
	const char *type = ipam ? plugin_type(ipam) : NULL;
	char text[PREFIX_TEXT];
	struct list subnets;

	if (network_subnets(c, n, &subnets) == 0)
		for_list (const struct subnet, s, &subnets) {
			json_t *o = json_pack("{s:s}", "Subnet", prefix_text(&s->net, text));

			put_range(o, s);
			put_address(o, "Gateway", &s->gateway);
			json_array_append_new(configs, o);
			family[s->net.addr.family == AF_INET6] = true;
		}
	return json_pack("{s:s, s:{}, s:o}", "Driver", type ? type : "default", "Options", "Config", configs);
}

/* ---- Containers ---- */

/* {"80/tcp": [{"HostIp", "HostPort"}]}, as `docker container inspect` has it. */
static json_t *ports_json(struct call *c, const struct cached *a)
{
	json_t *ports = json_object(), *mapping;
	size_t i;

	json_array_foreach(attached_ports(a), i, mapping) {
		const char *ip = json_member_string(mapping, "hostIP"), *protocol = json_member_string(mapping, "protocol");
		const char *key = arena_printf(&c->arena, "%lld/%s", (long long)json_integer_value(json_member(mapping, "containerPort")),
		                               protocol ? protocol : "tcp");
		const char *port = arena_printf(&c->arena, "%lld", (long long)json_integer_value(json_member(mapping, "hostPort")));
		json_t *places = key ? json_object_get(ports, key) : NULL;

		if (key && port && !places)
			json_object_set_new(ports, key, places = json_array());
		if (places)
			json_array_append_new(places, json_pack("{s:s, s:s}", "HostIp", ip ? ip : "", "HostPort", port));
	}
	return ports;
}

static json_t *container_json(struct call *c, const struct cached *a)
{
	char owner[OWNER_SIZE], id[SHA512_HEX];

	attach_owner(a->network, a->endpoint.container, a->endpoint.ifname, owner);
	sha512_hex(owner, id);
	id[NETWORK_ID] = '\0';
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "Name", attached_name(a), "EndpointID", id, "MacAddress", attached_mac(c, a),
	                 "IPv4Address", attached_address(c, a, AF_INET), "IPv6Address", attached_address(c, a, AF_INET6),
	                 "Interface", a->endpoint.ifname, "Sandbox", a->endpoint.netns, "Ports", ports_json(c, a));
}

/* By the container's id; a second interface of it in the network by id and interface. */
static int add_container(struct call *c, const struct cached *a, void *containers)
{
	const char *id = a->endpoint.container;

	if (json_object_get(containers, id))
		id = arena_printf(&c->arena, "%s/%s", id, a->endpoint.ifname);
	if (id)
		json_object_set_new(containers, id, container_json(c, a));
	return 0;
}

/* ---- The network ---- */

static json_t *object_or_empty(json_t *o)
{
	return o ? json_incref(o) : json_object();
}

static json_t *network_json(struct call *c, const struct network *n)
{
	json_t *containers = json_object(), *ipam;
	bool family[2] = { false, false };
	int r = cache_each(c, n->name, add_container, containers);

	if (r < 0) {
		json_decref(containers);
		return NULL;
	}
	ipam = ipam_json(c, n, family);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:b, s:o, s:o, s:o, s:s}", "Name", n->name, "Id", network_id(c, n),
	                 "Created", network_created(n), "Scope", "local", "Driver", network_driver(n), "EnableIPv4", family[0], "EnableIPv6", family[1],
	                 "IPAM", ipam, "Internal", network_is_internal(n), "Containers", containers, "Options", object_or_empty(network_options(n)),
	                 "Labels", object_or_empty(network_labels(n)), "Path", n->path);
}

int network_inspect_run(struct call *c)
{
	json_t *all = call_keep(c, json_array());
	int code = EXIT_DONE;

	for (char **name = c->opt.operands; *name; name++) {
		struct network n;
		json_t *one = network_named(c, *name, &n) < 0 ? NULL : network_json(c, &n);

		if (one)
			json_array_append_new(all, one);
		else
			code = trouble_pass(c);
	}
	print_json(all);
	return code;
}
