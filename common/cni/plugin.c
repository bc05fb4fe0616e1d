#include "cni/plugin.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "cni/conf.h"
#include "cni/env.h"
#include "cni/self.h"
#include "cni/trace.h"
#include "cni/version.h"

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

static json_t *versions_json(const struct cni_plugin *p)
{
	json_t *list = json_array();

	for (const char *const *v = cni_versions; *v; v++)
		if (conf_version_fits(p, *v))
			json_array_append_new(list, json_string(*v));
	return list;
}

/* (Section 5 "VERSION Success": cniVersion is the one given on input.) */
static int print_versions(struct cni_call *c)
{
	scoped(json_put) json_t *asked = NULL;
	const char *version = NULL;
	struct err ignored = { 0 };

	if (conf_input(c) == 0 && c->input_len > 0 && (asked = json_read_object(c->input, c->input_len, "input", &ignored)))
		version = json_member_string(asked, "cniVersion");
	err_clear(&c->err);
	print_json(json_pack("{s:s, s:o}", "cniVersion", version ? version : CNI_NEWEST, "supportedVersions",
	                     versions_json(c->plugin)));
	return 0;
}

static int serve(struct cni_call *c)
{
	json_t *answer;
	int r;

	if ((r = env_read(c)) < 0)
		return r;
	if (c->verb == VERB_VERSION)
		return print_versions(c);
	if ((r = conf_input(c)) < 0 || (r = conf_read(c)) < 0 || (r = env_open_netns(c)) < 0)
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
	c->verb = VERB_DEL;     /* an answer without a form in this version, or that did not arrive: undone, as nobody would know of it */
	c->prev = c->result;    /* what DEL goes by, where there was a prevResult too */
	c->has_prev = true;
	plugin_run(c);
	return -EIO;
}

/* Most of what a call has goes with the process, at once, which is much cheaper; the sanitizer's search for leaks wants it given back. */
#ifdef __SANITIZE_ADDRESS__
static const bool piece_by_piece = true;
#else
static const bool piece_by_piece = false;
#endif

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
		if (conf_version_fits(p, *v))
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
		trace_to(env("PLUMB_TRACE"));
	r = serve(&c);
	if (r < 0) {
		err_set(&c.err, CNI_FAILED, r, "%s: %s", c.plugin->name, strerror(-r));
		print_error(&c);
	}
	trace_write(&c);
	if (piece_by_piece)
		release(&c);
	return fflush(stdout) != 0 || r < 0;
}
