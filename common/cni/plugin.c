#include "cni/plugin.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/trace.h"
#include "cni/attach.h"
#include "cni/self.h"
#include "cni/version.h"
#include "os/netns.h"

enum { INPUT_LIMIT = 16 << 20 };

const char *const verb_names[] = { "ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION", NULL };

extern const struct cni_plugin *const __start_cni_plugins[], *const __stop_cni_plugins[];

const struct cni_plugin *plugin_find(const char *name)
{
	for (const struct cni_plugin *const *p = __start_cni_plugins; p < __stop_cni_plugins; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

int call_host(struct cni_call *c)
{
	return c->host.sk ? 0 : netlink_open(&c->host, NETLINK_ROUTE, &c->err);
}

/* ---- The environment ---- */

enum { ON_ADD = 1 << VERB_ADD, ON_DEL = 1 << VERB_DEL, ON_CHECK = 1 << VERB_CHECK, ON_STATUS = 1 << VERB_STATUS, ON_GC = 1 << VERB_GC };

static const char *env(const char *name)
{
	const char *v = getenv(name);

	return v ? v : "";
}

static int verb_of(const char *name)
{
	for (int v = 0; verb_names[v]; v++)
		if (!strcmp(verb_names[v], name))
			return v;
	return -1;
}

/* (CNI specification 1.1.0, section 2 "CNI operations": required parameters; STATUS takes none, the reference wants CNI_PATH.) */
static int read_env(struct cni_call *c)
{
	const struct { const char *name, **slot; unsigned required; } vars[] = {
		{ "CNI_CONTAINERID", &c->who.container, ON_ADD | ON_DEL | ON_CHECK },
		{ "CNI_NETNS",       &c->who.netns,     ON_ADD | ON_CHECK },
		{ "CNI_IFNAME",      &c->who.ifname,    ON_ADD | ON_DEL | ON_CHECK },
		{ "CNI_ARGS",        &c->args,          0 },
		{ "CNI_PATH",        &c->path,          ON_ADD | ON_DEL | ON_CHECK | ON_STATUS | ON_GC },
	};
	const char *command = env("CNI_COMMAND"), *fault;
	int verb = verb_of(command);
	char missing[128] = "";

	if (verb < 0)
		return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "unknown CNI_COMMAND: %s", command);
	c->verb = verb;
	for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
		*vars[i].slot = env(vars[i].name);
		if (!**vars[i].slot && (vars[i].required & 1u << verb))
			snprintf(missing + strlen(missing), sizeof missing - strlen(missing), "%s%s", *missing ? "," : "", vars[i].name);
	}
	if (*missing)
		return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "required env variables [%s] missing", missing);
	if (!((ON_ADD | ON_DEL | ON_CHECK) & 1u << verb))
		return 0;
	if (!name_valid(c->who.container)) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "invalid characters in containerID");
		err_detail(&c->err, "CNI_CONTAINERID=%s: want a letter or digit, then letters, digits, '_', '.', '-', at most %d", c->who.container, NAME_MAX_LEN);
		return -EINVAL;
	}
	fault = ifname_fault(c->who.ifname);
	if (fault) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "%s", fault);
		err_detail(&c->err, "CNI_IFNAME=%s: want 1 to 15 characters", c->who.ifname);
		return -EINVAL;
	}
	return 0;
}

/* Our namespace and the container's must differ, or the host's own links would be taken for the container's. */
static int open_netns(struct cni_call *c)
{
	const char *override = env("CNI_NETNS_OVERRIDE");
	bool may_be_same = !strcasecmp(override, "true") || !strcmp(override, "1") || (c->plugin->flags & PLUGIN_HOST_NETNS);
	bool needed = (c->verb == VERB_ADD || c->verb == VERB_CHECK) && !(c->plugin->flags & PLUGIN_NO_NETNS);
	scoped(fd_close) int own = -1;
	struct err ignored = { 0 };

	if (!*c->who.netns || c->verb == VERB_STATUS || c->verb == VERB_GC)
		return 0;
	c->pod_fd = netns_open(c->who.netns, needed ? &c->err : &ignored);
	if (c->pod_fd < 0)
		return needed ? c->pod_fd : 0;
	own = netns_open_self(&c->err);
	if (own < 0)
		return own;
	if (!may_be_same && netns_same(own, c->pod_fd))
		return err_set(&c->err, CNI_BAD_NETNS, -EINVAL, "plugin's netns and netns from CNI_NETNS should not be the same");
	return 0;
}

/* ---- The configuration ---- */

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
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "cni.dev/valid-attachments: missing; GC needs the list of attachments to keep, [] for none");
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
	if (!c->net.name)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "missing network name");
	if (!name_valid(c->net.name)) {
		err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "invalid characters found in network name");
		err_detail(&c->err, "name: %s: want a letter or digit, then letters, digits, '_', '.', '-', at most %d", c->net.name, NAME_MAX_LEN);
		return -EINVAL;
	}
	if (c->net.ipam.type && !type_valid(c->net.ipam.type))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ipam.type: \"%s\": want the plain name of a plugin, no path", c->net.ipam.type);
	return 0;
}

static const char *oldest_of(const struct cni_plugin *p)
{
	return p->oldest ? p->oldest : cni_versions[0];
}

static json_t *versions_json(const struct cni_plugin *p)
{
	json_t *list = json_array();

	for (const char *const *v = cni_versions; *v; v++)
		if (version_at_least(*v, oldest_of(p)))
			json_array_append_new(list, json_string(*v));
	return list;
}

static int check_version(struct cni_call *c)
{
	static const char *const since[] = { [VERB_CHECK] = "0.4.0", [VERB_GC] = "1.1.0", [VERB_STATUS] = "1.1.0", [VERB_VERSION] = NULL };
	const char *version = c->net.cni_version;
	char list[128] = "";

	if (!version_well_formed(version))
		return err_set(&c->err, CNI_DECODE, -EINVAL, "cniVersion: \"%s\": want a version such as %s", version, CNI_NEWEST);
	if (since[c->verb] && !version_at_least(version, since[c->verb]))
		return err_set(&c->err, CNI_BAD_VERSION, -EINVAL, "config version does not allow %s", verb_names[c->verb]);
	if (version_known(version) && version_at_least(version, oldest_of(c->plugin)))
		return 0;
	for (const char *const *v = cni_versions; *v; v++)
		if (version_at_least(*v, oldest_of(c->plugin)))
			snprintf(list + strlen(list), sizeof list - strlen(list), "%s\"%s\"", *list ? " " : "", *v);
	err_set(&c->err, CNI_BAD_VERSION, -EINVAL, "incompatible CNI versions");
	err_detail(&c->err, "config is \"%s\", plugin supports [%s]", version, list);
	return -EINVAL;
}

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

static int read_config(struct cni_call *c)
{
	struct reading r = { .arena = &c->arena, .err = &c->err };
	int bad;

	c->json = json_read_object(c->input, c->input_len, "network configuration", &c->err);
	if (!c->json)
		return -EINVAL;
	if ((bad = read_net_conf(c)) < 0 || (bad = check_version(c)) < 0)
		return bad;
	if (c->net.trace)
		trace_start(c->net.trace);
	if (c->verb == VERB_GC && (bad = read_valid_attachments(c, &r)) < 0)
		return bad;
	c->who.network = c->net.name;
	attach_host_ifname(c->who.network, c->who.container, c->who.ifname, c->who.host_ifname);
	attach_owner(c->who.network, c->who.container, c->who.ifname, c->who.owner);
	if ((bad = read_prev(c)) < 0)
		return bad;
	if (!c->has_prev && (c->plugin->flags & PLUGIN_NEEDS_PREV) && c->verb == VERB_ADD)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "must be called as chained plugin: prevResult is missing");
	if (!c->has_prev && c->verb == VERB_CHECK && ((c->plugin->flags & PLUGIN_NEEDS_PREV) || !(c->plugin->flags & (PLUGIN_NO_NETNS | PLUGIN_MAY_LACK_TYPE))))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "Required prevResult missing");
	return plugin_read_conf(c);
}

static int read_input(struct cni_call *c)
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

/* ---- CNI_ARGS ---- */

static int ignore_unknown(struct cni_call *c, const char *pair, const char *value, bool *on)
{
	*on = !strcmp(value, "1") || !strcasecmp(value, "true");
	if (*on || !strcmp(value, "0") || !strcasecmp(value, "false"))
		return 0;
	return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: error parsing value of pair \"%s\": boolean unmarshal error: invalid input %s", pair, value);
}

int args_read(struct cni_call *c, const struct arg *args)
{
	char *rest, *pair, unknown[256] = "";
	bool ignore = false;

	if (!*c->args)
		return 0;
	rest = arena_strdup(&c->arena, c->args);
	while ((pair = strsep(&rest, ";"))) {
		char *value = strchr(pair, '=');
		const struct arg *a = args;
		int bad = 0;

		if (!value || strchr(value + 1, '='))
			return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: invalid pair \"%s\"", pair);
		for (*value++ = '\0'; a->key && strcmp(a->key, pair); a++)
			;
		if (a->key)
			*a->value = value;
		else if (!strcmp(pair, "IgnoreUnknown"))
			bad = ignore_unknown(c, pair, value, &ignore);
		else
			snprintf(unknown + strlen(unknown), sizeof unknown - strlen(unknown), "%s\"%s=%s\"", *unknown ? " " : "", pair, value);
		if (bad < 0)
			return bad;
	}
	if (*unknown && !ignore)
		return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: unknown args [%s]", unknown);
	return 0;
}

/* ---- The call ---- */

int plugin_run(struct cni_call *c)
{
	cni_step *const steps[] = {
		[VERB_ADD] = c->plugin->add, [VERB_DEL] = c->plugin->del, [VERB_CHECK] = c->plugin->check,
		[VERB_STATUS] = c->plugin->status, [VERB_GC] = c->plugin->gc,
	};

	return steps[c->verb] ? steps[c->verb](c) : 0;
}

static void print_json(json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(4));
	putchar('\n');
	json_decref(j);
}

static void print_error(const struct cni_call *c)
{
	const char *version = c->net.cni_version && *c->net.cni_version ? c->net.cni_version : CNI_NEWEST;
	json_t *j = json_pack("{s:s, s:i, s:s}", "cniVersion", version, "code", c->err.code, "msg", c->err.msg);

	if (c->err.details[0])
		json_object_set_new(j, "details", json_string(c->err.details));
	print_json(j);
}

/* (Section 5 "VERSION Success": cniVersion is the one given on input.) */
static int print_versions(struct cni_call *c)
{
	scoped(json_put) json_t *asked = NULL;
	const char *version = NULL;
	struct err ignored = { 0 };

	if (read_input(c) == 0 && c->input_len > 0 && (asked = json_read_object(c->input, c->input_len, "input", &ignored)))
		version = json_member_string(asked, "cniVersion");
	err_clear(&c->err);
	print_json(json_pack("{s:s, s:o}", "cniVersion", version ? version : CNI_NEWEST, "supportedVersions", versions_json(c->plugin)));
	return 0;
}

static int serve(struct cni_call *c)
{
	json_t *answer;
	int r;

	if ((r = read_env(c)) < 0)
		return r;
	if (c->verb == VERB_VERSION)
		return print_versions(c);
	if ((r = read_input(c)) < 0 || (r = read_config(c)) < 0 || (r = open_netns(c)) < 0)
		return r;
	r = plugin_run(c);
	if (r < 0 || c->verb != VERB_ADD)
		return r;
	answer = result_json(&c->result, c->net.cni_version, &c->err);
	if (answer) {
		print_json(answer);
		if (fflush(stdout) == 0)
			return 0;
		err_sys(&c->err, CNI_IO, -errno, "writing the result to stdout");
	}
	c->verb = VERB_DEL;             /* an answer without a form in this version, or that did not arrive: undone, as nobody would know of it */
	plugin_run(c);
	return -EIO;
}

static void release(struct cni_call *c)
{
	netlink_close(&c->host);
	netlink_close(&c->pod);
	fd_close(&c->pod_fd);
	json_decref(c->answers);
	json_decref(c->json);
	free(c->input);
	arena_free(&c->arena);
}

static void tell_about(FILE *to, const struct cni_plugin *p)
{
	fprintf(to, "CNI plugin %s %s (plumb)%s%s\n", p->name, plumb_version, p->about ? ": " : "", p->about ? p->about : "");
	fputs("CNI protocol versions supported: ", to);
	for (const char *const *v = cni_versions; *v; v++)
		if (version_at_least(*v, oldest_of(p)))
			fprintf(to, "%s%s", *v, v[1] ? ", " : "\n");
}

/* An executable of one plugin is that plugin under any name; the multi-call binary goes by the name it is called. */
static const struct cni_plugin *plugin_called(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return plugin_find(*plugin_self ? plugin_self : slash ? slash + 1 : argv0);
}

int main(int argc, char **argv)
{
	struct cni_call c = { .plugin = plugin_called(argc > 0 ? argv[0] : ""), .pod_fd = -1 };
	int r;

	if (!c.plugin) {
		fprintf(stderr, "%s: no plugin of plumb; call this file by a plugin's name\n", argc > 0 ? argv[0] : "plumb");
		return 1;
	}
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-version") || !strcmp(argv[1], "-v"))) {
		tell_about(stdout, c.plugin);
		return 0;
	}
	if (!*env("CNI_COMMAND")) {
		tell_about(stderr, c.plugin);
		return 0;
	}
	if (*env("PLUMB_TRACE"))
		trace_start(env("PLUMB_TRACE"));
	r = serve(&c);
	if (r < 0) {
		err_set(&c.err, CNI_FAILED, r, "%s: %s", c.plugin->name, strerror(-r));
		print_error(&c);
	}
	trace_write(&(struct trace_call){ c.plugin->name, verb_names[c.verb], c.net.name, c.who.container, c.who.ifname,
	                                  getenv("TRACEPARENT"), c.err.code });
	release(&c);
	return fflush(stdout) != 0 || r < 0;
}
