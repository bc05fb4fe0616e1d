/* plumb publish, unpublish: the published ports of a container that is running, whoever runs it.
 *
 * The network's portmap plugin is asked to ADD once more, with all the ports that there shall be; it changes from one set to the other in one step. What
 * runtimes have on record (libcni's cache) is kept true, so that CHECK and DEL of theirs know of it. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "attachment.h"
#include "attachments.h"
#include "chain.h"
#include "cni/self.h"
#include "invoke.h"
#include "lock.h"
#include "network.h"
#include "plumb.h"
#include "ports.h"

struct publishing {
	struct cached  attachment;
	struct network network;
	size_t         portmap;         /* the plugin's place in the chain */
	json_t        *now;             /* the mappings as they shall be */
};

/* ---- Whose ports ---- */

/* -1: the network has no plugin that publishes ports. */
static int place_of_portmap(const struct network *n)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->plugins, i, plugin)
		if (json_is_true(json_object_get(json_member(plugin, "capabilities"), "portMappings")))
			return (int)i;
	return -1;
}

static bool is_wanted(struct call *c, const struct cached *a)
{
	if (a->unfinished || !a->config || !a->result || !attached_is(a, c->opt.operands[0]))
		return false;
	return c->opt.networks.count == 0 || !strcmp(a->network, *(const char **)c->opt.networks.items);
}

static int refuse_ambiguous(struct call *c, const struct cached *a, const struct cached *b)
{
	if (!attached_same(a, b)) {
		trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container \"%s\": several are meant: %s and %s", c->opt.operands[0],
		            a->endpoint.container, b->endpoint.container);
		return -EEXIST;
	}
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container %s is on networks %s and %s, which both publish ports", attached_name(a), a->network, b->network);
	err_detail(&c->trouble.err, "choose one with --network");
	return -EEXIST;
}

static int refuse_unknown(struct call *c, const struct cached *attached)
{
	if (attached) {
		trouble_set(&c->trouble, EXIT_BAD_CONFIG, -ENOTSUP, "network %s of container %s publishes no ports", attached->network, attached_name(attached));
		err_detail(&c->trouble.err, "it takes a plugin with \"capabilities\": {\"portMappings\": true} in its list, as portmap");
		return -ENOTSUP;
	}
	return attached_refuse_unknown(c, c->opt.operands[0]);
}

/* The one attachment of the container whose network publishes ports; where several do, the one that has some already. */
static int find(struct call *c, struct publishing *p)
{
	const struct cached *found = NULL, *attached = NULL;
	struct list all;
	int r = attachments_of(c, NULL, &all);

	for_list (const struct cached, a, &all) {
		struct network n;

		if (r < 0 || !is_wanted(c, a))
			continue;
		attached = a;
		if ((r = network_read(c, a->config, a->path, &n, &c->trouble.err)) < 0 || place_of_portmap(&n) < 0)
			continue;
		if (found && (!attached_same(found, a) || !attached_ports(found) == !attached_ports(a)))
			return refuse_ambiguous(c, found, a);
		if (!found || attached_ports(a))
			found = a;
	}
	if (r < 0 || !found)
		return r < 0 ? r : refuse_unknown(c, attached);
	p->attachment = *found;
	if ((r = network_read(c, found->config, found->path, &p->network, &c->trouble.err)) < 0)
		return r;
	p->portmap = (size_t)place_of_portmap(&p->network);
	p->now = call_keep(c, attached_ports(found) ? json_deep_copy(attached_ports(found)) : json_array());
	return 0;
}

/* ---- Mappings, as runtimes write them ---- */

static bool protocol_is(const json_t *mapping, const char *protocol)
{
	const char *own = json_member_string(mapping, "protocol");

	return !strcasecmp(own && *own ? own : "tcp", protocol);
}

static bool address_is(const json_t *mapping, const struct addr *wanted)
{
	const char *own = json_member_string(mapping, "hostIP");
	struct addr a = { 0 };

	if (!own || !*own)
		return !addr_is_set(wanted);
	return addr_parse(own, &a) && addr_equal(&a, wanted);
}

static json_int_t port_of(const json_t *mapping, const char *key)
{
	return json_integer_value(json_member(mapping, key));
}

/* ---- Publishing ---- */

static int refuse_text(struct call *c, const char *text, const char *want)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "\"%s\": want %s", text, want);
}

static bool is_there(const struct publishing *p, const json_t *wanted)
{
	struct addr ip = { 0 };
	const char *text = json_member_string(wanted, "hostIP");
	json_t *mapping;
	size_t i;

	if (text)
		addr_parse(text, &ip);
	json_array_foreach(p->now, i, mapping)
		if (port_of(mapping, "hostPort") == port_of(wanted, "hostPort") && protocol_is(mapping, json_member_string(wanted, "protocol")) && address_is(mapping, &ip))
			return true;
	return false;
}

static json_t *sources(struct call *c)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT];

	for_list (const struct prefix, p, &c->opt.allowed)
		json_array_append_new(list, json_string(prefix_text(p, text)));
	return list;
}

static int add_ports(struct call *c, struct publishing *p, const char *text)
{
	struct port port;
	struct list one = { .items = &port, .count = 1 };
	json_t *wanted, *mapping;
	size_t i;

	if (!port_parse(text, &port))
		return refuse_text(c, text, "[HOSTIP:]HOST[-HOST]:CONTAINER[-CONTAINER][/PROTO], such as 8080:80");
	wanted = call_keep(c, ports_json(&one));
	json_array_foreach(wanted, i, mapping) {
		if (is_there(p, mapping)) {
			trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "host port %d/%s is published for container %s already", (int)port_of(mapping, "hostPort"), port.protocol,
			            attached_name(&p->attachment));
			err_detail(&c->trouble.err, "plumb unpublish %s %d/%s first", c->opt.operands[0], (int)port_of(mapping, "hostPort"), port.protocol);
			return -EEXIST;
		}
		if (c->opt.allowed.count)
			json_object_set_new(mapping, "allowFrom", sources(c));
	}
	json_array_extend(p->now, wanted);
	return 0;
}

/* Other portmap plugins would publish it to everybody. */
static int check_allowed(struct call *c, const struct publishing *p)
{
	const char *type = plugin_type(json_array_get(p->network.plugins, p->portmap)), *path;

	if (!c->opt.allowed.count)
		return 0;
	path = plugin_find_file(c, type, &c->trouble);
	if (!path || self_is_plumb(path))
		return path ? 0 : -ENOENT;
	return trouble_set(&c->trouble, EXIT_NO_PLUGIN, -ENOTSUP, "--allow-from: %s is not plumb's, and would let everybody in", path);
}

/* ---- Unpublishing ---- */

/* "8080", "8080/udp", "127.0.0.1:8080:80" and so on: with the port of the container or without. */
static bool read_host_ports(struct call *c, const char *text, struct port *out, bool *inner)
{
	size_t len = strcspn(text, "/");
	const char *colon = memrchr(text, ':', len), *port = colon ? colon + 1 : text, *with_both;

	*inner = port_parse(text, out);
	if (*inner)
		return true;
	with_both = arena_printf(&c->arena, "%.*s:%.*s%s", (int)len, text, (int)(text + len - port), port, text + len);
	return with_both && port_parse(with_both, out);
}

static bool is_meant(const json_t *mapping, const struct port *port, unsigned nth, bool inner)
{
	return port_of(mapping, "hostPort") == port->host + nth && protocol_is(mapping, port->protocol) &&
	       (!addr_is_set(&port->host_ip) || address_is(mapping, &port->host_ip)) &&
	       (!inner || port_of(mapping, "containerPort") == port->container + nth);
}

static int remove_ports(struct call *c, struct publishing *p, const char *text)
{
	struct port port;
	bool inner;

	if (!read_host_ports(c, text, &port, &inner))
		return refuse_text(c, text, "[HOSTIP:]HOST[-HOST][:CONTAINER][/PROTO], such as 8080");
	for (unsigned nth = 0; nth < port.count; nth++) {
		size_t before = json_array_size(p->now);

		for (size_t i = before; i-- > 0;)
			if (is_meant(json_array_get(p->now, i), &port, nth, inner))
				json_array_remove(p->now, i);
		if (json_array_size(p->now) == before)
			return trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "host port %u/%s is not published for container %s", port.host + nth, port.protocol,
			                   attached_name(&p->attachment));
	}
	return 0;
}

/* ---- Both ---- */

/* An empty list is told too: it says that there are none any more. */
static int settle(struct call *c, struct publishing *p)
{
	struct endpoint *e = &p->attachment.endpoint;
	json_t *prev = result_in_version(c, p->attachment.result, p->network.version, &c->trouble);
	const char *key;
	json_t *ignored;
	void *next;
	int r;

	e->capability_args = call_keep(c, e->capability_args ? json_copy(e->capability_args) : json_object());
	json_object_foreach_safe(e->capability_args, next, key, ignored)
		if (!strcasecmp(key, "portMappings"))
			json_object_del(e->capability_args, key);
	json_object_set(e->capability_args, "portMappings", p->now);
	r = prev ? chain_again(c, &p->network, e, p->portmap, prev) : -EBADMSG;
	return r < 0 ? r : cache_write(c, &p->network, e, p->attachment.result);
}

static int change(struct call *c, int (*each)(struct call *c, struct publishing *p, const char *text))
{
	struct publishing p;
	int r = find(c, &p);

	if (r < 0)
		return r;
	c->subject = p.attachment.network;
	/* it may have changed while we waited */
	if ((r = lock_container(c, p.attachment.endpoint.container)) < 0 || (r = find(c, &p)) < 0 || (r = check_allowed(c, &p)) < 0)
		return r;
	for (char **text = c->opt.operands + 1; *text && r == 0; text++)
		r = each(c, &p, *text);
	if (r == 0 && c->opt.all)
		json_array_clear(p.now);
	if (r == 0)
		r = settle(c, &p);
	return r < 0 ? r : EXIT_DONE;
}

int publish_run(struct call *c)
{
	return change(c, add_ports);
}

int unpublish_run(struct call *c)
{
	if (c->opt.operand_count == 1 && !c->opt.all)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "want ports, such as 8080/tcp, or --all");
	return change(c, remove_ports);
}
