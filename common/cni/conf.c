#include "cni/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/attach.h"
#include "cni/trace.h"
#include "cni/version.h"

enum { INPUT_LIMIT = 16 << 20 };

int conf_input(struct cni_call *c)
{
	size_t room = 0;
	ssize_t n;

	for (;;) {
		if (room - c->input_len < 2) {
			char *more = realloc(c->input, room = room ? room * 2 : 8192);

			if (!more)
				return err_nomem(&c->err, "network configuration");
			c->input = more;
		}
		n = read(STDIN_FILENO, c->input + c->input_len, room - c->input_len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(&c->err, CNI_IO, -errno, "error reading from stdin");
		if (n == 0)
			break;
		c->input_len += n;
		if (c->input_len > INPUT_LIMIT)
			return err_set(&c->err, CNI_IO, -EFBIG, "network configuration on stdin: longer than %d MiB", INPUT_LIMIT >> 20);
	}
	c->input[c->input_len] = '\0';
	return 0;
}

/* ---- What every configuration has ---- */

static int read_valid(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	static const struct field entry[] = {
		FIELD(struct valid_attachment, container, "containerID", read_string),
		FIELD(struct valid_attachment, ifname,    "ifname",      read_string),
		FIELD_END
	};
	struct field object = { .key = f->key, .sub = entry };
	struct valid_attachment *a = slot;
	int bad = read_object(&object, v, slot, r);

	if (bad == 0 && (!a->container || !a->ifname))
		return field_refuse(f, r, "want \"containerID\" and \"ifname\"");
	return bad;
}

#define VALID_LIST(key) FIELD(struct net_conf, valid, key, read_list, .item = read_valid, .size = sizeof(struct valid_attachment))

static const struct field ipam_type_field[] = { { .key = "type", .read = read_string, .offset = 0, .max = NAME_MAX_LEN }, FIELD_END };
static const struct field net_fields[] = {
	FIELD(struct net_conf, cni_version, "cniVersion", read_string),
	FIELD(struct net_conf, name,        "name",       read_string),
	FIELD(struct net_conf, type,        "type",       read_string),
	FIELD(struct net_conf, ipam,        "ipam",       read_object, .sub = ipam_type_field),
	FIELD(struct net_conf, dns,         "dns",        read_object, .sub = dns_fields),
	FIELD(struct net_conf, prev_result, "prevResult", read_json),
	FIELD(struct net_conf, trace,       "trace",      read_string),
	FIELD(struct net_conf, dry_run,     "dryRun",     read_bool),
	FIELD_END
};
/* The older key is read where the newer one is absent; libcni sends both. */
static const struct field valid_field[] = { VALID_LIST("cni.dev/valid-attachments"), FIELD_END };
static const struct field older_valid_field[] = { VALID_LIST("cni.dev/attachments"), FIELD_END };

/* GC without the list must not mean "nothing is valid". An explicit null does: it is how libcni sends an empty one. */
static int read_valid_attachments(struct cni_call *c, struct reading *r)
{
	bool newer = json_object_get(c->json, valid_field[0].key), older = json_object_get(c->json, older_valid_field[0].key);

	if (!newer && !older)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL,
		               "cni.dev/valid-attachments: missing; GC needs the list of attachments to keep, [] for none");
	return fields_read(newer ? valid_field : older_valid_field, c->json, &c->net, r);
}

static int read_net_conf(struct cni_call *c)
{
	struct reading r = { .arena = &c->arena, .err = &c->err };
	int bad = fields_read(net_fields, c->json, &c->net, &r);

	if (bad < 0)
		return bad;
	if (!c->net.cni_version)
		c->net.cni_version = "";
	if (!c->net.name) {
		err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "missing network name");
		err_detail(&c->err, "name: missing; want what the network is called, such as \"app-network\"");
		return -EINVAL;
	}
	if (!name_valid(c->net.name)) {
		err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "invalid characters found in network name");
		err_detail(&c->err, "name: %s: want a letter or digit, then letters, digits, '_', '.', '-', at most %d characters", c->net.name,
		           NAME_MAX_LEN);
		return -EINVAL;
	}
	if (c->net.ipam.type && !type_valid(c->net.ipam.type))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ipam.type: \"%s\": want the plain name of a plugin, no path", c->net.ipam.type);
	return 0;
}

/* ---- Its version ---- */

bool conf_version_fits(const struct cni_plugin *p, const char *version)
{
	return version_known(version) && (!p->oldest || version_at_least(version, p->oldest));
}

static const char *version_in_words(const char *version, char out[64])
{
	snprintf(out, 64, *version ? "\"%.40s\"" : "\"%.40s\" (no cniVersion is given)", *version ? version : cni_versions[0]);
	return out;
}

static int check_version(struct cni_call *c)
{
	static const char *const since[] = { [VERB_CHECK] = "0.4.0", [VERB_GC] = "1.1.0", [VERB_STATUS] = "1.1.0", [VERB_VERSION] = NULL };
	const char *version = c->net.cni_version;
	char list[128] = "", words[64];

	if (!version_well_formed(version))
		return err_set(&c->err, CNI_DECODE, -EINVAL, "cniVersion: \"%s\": want a version such as %s", version, CNI_NEWEST);
	if (since[c->verb] && !version_at_least(version, since[c->verb])) {
		err_set(&c->err, CNI_BAD_VERSION, -EINVAL, "config version does not allow %s", verb_names[c->verb]);
		err_detail(&c->err, "cniVersion is %s; %s needs %s or newer", version_in_words(version, words), verb_names[c->verb], since[c->verb]);
		return -EINVAL;
	}
	if (conf_version_fits(c->plugin, version))
		return 0;
	for (const char *const *v = cni_versions; *v; v++)
		if (conf_version_fits(c->plugin, *v))
			snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"%s\"", *list ? " " : "", *v);
	err_set(&c->err, CNI_BAD_VERSION, -EINVAL, "incompatible CNI versions");
	err_detail(&c->err, "config is %s, plugin supports [%s]", version_in_words(version, words), list);
	return -EINVAL;
}

/* ---- prevResult, and the plugin's own ---- */

static int read_prev(struct cni_call *c)
{
	int bad;

	if (!c->net.prev_result)
		return 0;
	if (!json_is_object(c->net.prev_result))
		return err_set(&c->err, CNI_DECODE, -EINVAL, "prevResult: want an object");
	bad = result_read(c->net.prev_result, *c->net.cni_version ? c->net.cni_version : cni_versions[0], "prevResult.", CNI_DECODE,
	                  &c->arena, &c->prev, &c->err);
	c->has_prev = bad == 0;
	return bad;
}

int refuse_check_without_prev(struct cni_call *c)
{
	err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "Required prevResult missing");
	err_detail(&c->err, "prevResult: CHECK compares with what ADD answered; want that answer, as runtimes keep it");
	return -EINVAL;
}

int refuse_without_ipam(struct cni_call *c)
{
	err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "IPAM config missing 'ipam' key");
	err_detail(&c->err, "ipam: missing; want an object with \"type\": \"%s\"", c->plugin->name);
	return -EINVAL;
}

/* A plugin that only works in a chain needs it on ADD too; address plugins and those that say so do without. */
static int need_prev(struct cni_call *c)
{
	unsigned flags = c->plugin->flags;
	bool chained = flags & PLUGIN_NEEDS_PREV;

	if (c->has_prev || !(c->verb == VERB_ADD ? chained : c->verb == VERB_CHECK && (chained || !(flags & (PLUGIN_NO_NETNS | PLUGIN_CHECK_NEEDS_NO_PREV)))))
		return 0;
	if (c->verb == VERB_CHECK)
		return refuse_check_without_prev(c);
	err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "must be called as chained plugin: prevResult is missing");
	err_detail(&c->err, "list \"%s\" behind the plugin that makes the container's interface, such as \"bridge\"", c->plugin->name);
	return -EINVAL;
}

int plugin_read_conf(struct cni_call *c)
{
	struct reading r = { .arena = &c->arena, .err = &c->err };
	int bad;

	c->conf = arena_alloc(&c->arena, c->plugin->conf_size ? c->plugin->conf_size : 1);
	if (!c->conf)
		return err_nomem(&c->err, "configuration");
	bad = c->plugin->fields ? fields_read(c->plugin->fields, c->json, c->conf, &r) : 0;
	return bad == 0 && c->plugin->settle ? c->plugin->settle(c) : bad;
}

int conf_read(struct cni_call *c)
{
	struct reading r = { .arena = &c->arena, .err = &c->err };
	int bad;

	c->json = json_read_object(c->input, c->input_len, "network configuration", &c->err);
	if (!c->json)
		return -EINVAL;
	if ((bad = read_net_conf(c)) < 0 || (bad = check_version(c)) < 0)
		return bad;
	if (c->net.trace)
		trace_to(c->net.trace);
	if (c->verb == VERB_GC && (bad = read_valid_attachments(c, &r)) < 0)
		return bad;
	c->who.network = c->net.name;
	attach_host_ifname(c->who.network, c->who.container, c->who.ifname, c->who.host_ifname);
	attach_owner(c->who.network, c->who.container, c->who.ifname, c->who.owner);
	bad = read_prev(c);
	return bad < 0 || (bad = need_prev(c)) < 0 ? bad : plugin_read_conf(c);
}
