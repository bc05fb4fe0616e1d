#include "netinfo.h"

#include <errno.h>
#include <string.h>

#include "base/sha512.h"
#include "plumb.h"

enum { ID_BEGINNING = 4 };

/* ---- The note ---- */

static json_t *note_of(const struct network *n)
{
	json_t *note = json_object_get(n->list, NETWORK_NOTE);

	return json_is_object(note) ? note : NULL;
}

static json_t *object_of(const struct network *n, const char *key)
{
	json_t *note = note_of(n), *o = note ? json_object_get(note, key) : NULL;

	return json_is_object(o) ? o : NULL;
}

static const char *text_of(const struct network *n, const char *key)
{
	json_t *note = note_of(n);

	return note ? json_string_value(json_object_get(note, key)) : NULL;
}

const char *network_id(struct call *c, const struct network *n)
{
	char hex[SHA512_HEX];
	const char *id;

	sha512_hex(n->name, hex);
	id = arena_printf(&c->arena, "%.*s", NETWORK_ID, hex);
	return id ? id : "";
}

bool network_is_ours(const struct network *n)
{
	return note_of(n) != NULL;
}

const char *network_driver(const struct network *n)
{
	const char *driver = text_of(n, "driver");

	return driver ? driver : plugin_type(json_array_get(n->plugins, 0));
}

const char *network_created(const struct network *n)
{
	const char *created = text_of(n, "created");

	return created ? created : "";
}

json_t *network_labels(const struct network *n)
{
	return object_of(n, "labels");
}

json_t *network_options(const struct network *n)
{
	return object_of(n, "options");
}

bool network_is_internal(const struct network *n)
{
	json_t *note = note_of(n), *plugin;
	size_t i;

	if (note && json_is_true(json_object_get(note, "internal")))
		return true;
	json_array_foreach(n->plugins, i, plugin)
		if (!strcmp(plugin_type(plugin), "firewall") && json_is_true(json_member(plugin, "internal")))
			return true;
	return false;
}

/* ---- The plugins ---- */

const char *network_bridge(const struct network *n)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->plugins, i, plugin) {
		const char *name = json_member_string(plugin, "bridge");

		if (!strcmp(plugin_type(plugin), "bridge"))
			return name ? name : "cni0";
	}
	return NULL;
}

json_t *network_ipam(const struct network *n)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->plugins, i, plugin) {
		json_t *ipam = json_member(plugin, "ipam");

		if (json_is_object(ipam) && json_object_size(ipam) > 0)
			return ipam;
	}
	return NULL;
}

const char *network_lease_dir(struct call *c, const struct network *n)
{
	json_t *ipam = network_ipam(n);
	const char *type = ipam ? json_member_string(ipam, "type") : NULL, *dir = ipam ? json_member_string(ipam, "dataDir") : NULL;

	if (!type || strcmp(type, "host-local"))
		return NULL;
	return arena_printf(&c->arena, "%s/%s", dir ? dir : "/var/lib/cni/networks", n->name);
}

/* ---- Subnets ---- */

static bool address_in(const json_t *o, const char *key, struct addr *out)
{
	const char *text = json_member_string(o, key);

	return text && addr_parse(text, out);
}

/* {"subnet", "gateway", "rangeStart", "rangeEnd"}, or static's {"address", "gateway"}. */
static int add_subnet(struct call *c, const json_t *o, struct list *out)
{
	const char *text = json_member_string(o, "subnet");
	struct subnet s = { 0 }, *slot;

	if (!text)
		text = json_member_string(o, "address");
	if (!text || !prefix_parse(text, &s.net))
		return 0;
	s.net = prefix_network(&s.net);
	address_in(o, "gateway", &s.gateway);
	address_in(o, "rangeStart", &s.first);
	address_in(o, "rangeEnd", &s.last);
	slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&c->trouble.err, "subnets");
	*slot = s;
	return 0;
}

/* Of a list of objects, or of lists of them. */
static int add_subnets(struct call *c, const json_t *list, struct list *out)
{
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, item)
		if (r == 0)
			r = json_is_array(item) ? add_subnets(c, item, out) : json_is_object(item) ? add_subnet(c, item, out) : 0;
	return r;
}

int network_subnets(struct call *c, const struct network *n, struct list *out)
{
	json_t *plugin;
	size_t i;
	int r = 0;

	*out = (struct list){ 0 };
	json_array_foreach(n->plugins, i, plugin) {
		json_t *ipam = json_member(plugin, "ipam");

		if (!json_is_object(ipam) || r < 0)
			continue;
		if ((r = add_subnet(c, ipam, out)) == 0 && (r = add_subnets(c, json_member(ipam, "ranges"), out)) == 0)
			r = add_subnets(c, json_member(ipam, "addresses"), out);
	}
	return r;
}

/* ---- By name, by id ---- */

struct wanted {
	const char     *text;
	struct network *out;
	size_t          count;
};

static int compare_id(struct call *c, const struct network *n, void *arg)
{
	struct wanted *w = arg;

	if (strncmp(network_id(c, n), w->text, strlen(w->text)))
		return 0;
	*w->out = *n;
	w->count++;
	return 0;
}

static int compare_name(struct call *c, const struct network *n, void *arg)
{
	struct wanted *w = arg;

	(void)c;
	if (strcmp(n->name, w->text))
		return 0;
	*w->out = *n;
	return 1;
}

int network_named(struct call *c, const char *text, struct network *out)
{
	struct wanted w = { text, out, 0 };
	int r = network_each(c, compare_name, &w);

	if (r == 0 && strlen(text) >= ID_BEGINNING && strlen(text) <= NETWORK_ID && !text[strspn(text, "0123456789abcdef")])
		r = network_each(c, compare_id, &w);
	if (r < 0)
		return r;
	if (r == 1 || w.count == 1)
		return 0;
	if (w.count > 1)
		return trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "network %s is ambiguous (%zu matches found on ID prefix)", text, w.count);
	trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "network %.*s not found", NAME_MAX_LEN, text);
	err_detail(&c->trouble.err, "looked for in %s", c->opt.conf_dir);
	return -ENOENT;
}

/* ---- Filters ---- */

static bool has_label(const struct network *n, const char *wanted)
{
	const char *equals = strchr(wanted, '='), *value;
	size_t len = equals ? (size_t)(equals - wanted) : strlen(wanted);
	json_t *labels = network_labels(n), *label;
	const char *key;

	if (!labels)
		return false;
	json_object_foreach(labels, key, label) {
		value = json_string_value(label);
		if (strlen(key) == len && !strncmp(key, wanted, len) && (!equals || (value && !strcmp(value, equals + 1))))
			return true;
	}
	return false;
}

static bool matches(struct call *c, const struct network *n, const struct pair *f, bool is_used)
{
	if (!strcmp(f->key, "name"))
		return strstr(n->name, f->value) != NULL;
	if (!strcmp(f->key, "id"))
		return !strncmp(network_id(c, n), f->value, strlen(f->value));
	if (!strcmp(f->key, "driver"))
		return !strcmp(network_driver(n), f->value);
	if (!strcmp(f->key, "label"))
		return has_label(n, f->value);
	return is_used == (!strcmp(f->value, "false") || !strcmp(f->value, "0"));       /* dangling */
}

bool network_matches(struct call *c, const struct network *n, const struct list *filters, bool is_used)
{
	for_list (const struct pair, f, filters)
		if (!matches(c, n, f, is_used))
			return false;
	return true;
}

int network_filters_check(struct call *c)
{
	static const char *const known[] = { "name", "id", "driver", "label", "dangling" };

	for_list (const struct pair, f, &c->opt.filters) {
		bool is_known = false;

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			is_known |= !strcmp(known[i], f->key);
		if (!is_known)
			return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--filter %s: want name=, id=, driver=, label= or dangling=", f->key);
	}
	return 0;
}
