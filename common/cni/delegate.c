#include "cni/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/trace.h"
#include "cni/execute.h"
#include "cni/self.h"
#include "cni/version.h"

enum { OUTPUT_LIMIT = 4 << 20, DEADLINE_MS = 120 * 1000 };

static bool is_our_build(const char *path, const char *type)
{
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd >= 0 && self_is_build_of(fd, type);
}

/* As if it had been executed: a call of its own, with its own reading of the configuration. What fails there is noted in our err. */
static int run_inside(struct cni_call *c, const struct cni_plugin *plugin, enum verb verb, struct result *result)
{
	struct cni_call inner = *c;
	int r;

	inner.plugin = plugin;
	inner.verb = verb;
	inner.result = (struct result){ 0 };
	r = plugin_read_conf(&inner);
	if (r == 0)
		r = plugin_run(&inner);
	c->arena = inner.arena;         /* what was made in there stays with the call */
	c->answers = inner.answers;
	c->host = inner.host;
	if (!c->err.code)
		c->err = inner.err;
	if (r < 0)
		return err_set(&c->err, CNI_FAILED, r, "%s: %s", plugin->name, strerror(-r));
	if (result)
		*result = inner.result;
	return 0;
}

/* Our environment with another CNI_COMMAND. */
static char **environment(struct cni_call *c, enum verb verb)
{
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = arena_alloc(&c->arena, (n + 2) * sizeof *env);
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "CNI_COMMAND=", 12))
			env[kept++] = environ[i];
	env[kept] = arena_printf(&c->arena, "CNI_COMMAND=%s", verb_names[verb]);
	return env[kept] ? env : NULL;
}

static int pass_on_error(struct cni_call *c, const char *type, const struct spawned *out)
{
	char words[320];

	text_format(words, sizeof words, "plugin \"%s\" failed with no error message", type);
	return plugin_error_read(out, words, &c->err);
}

static int take_result(struct cni_call *c, const char *type, const struct spawned *out, struct result *result)
{
	const char *version = *c->net.cni_version ? c->net.cni_version : cni_versions[0];
	char words[320];
	json_t *j;

	text_format(words, sizeof words, "plugin \"%s\" printed no result that can be read", type);
	j = plugin_result_read(out, words, &c->err);
	if (!j)
		return -EBADMSG;
	if (!c->answers)
		c->answers = json_array();
	json_array_append_new(c->answers, j);
	return result_read(j, version, arena_printf(&c->arena, "result of %s: ", type), CNI_DECODE, &c->arena, result, &c->err);
}

static int run_outside(struct cni_call *c, const char *type, const char *path, enum verb verb, struct result *result);

/* What a failed ADD has left, or one that succeeded without an answer that can be read, goes by DEL. (CNI specification 1.1.0, section 4.)
 * What ran in process has cleaned up after itself. */
static void undo_outside(struct cni_call *c, const char *type, const char *path)
{
	struct err cause = c->err;

	run_outside(c, type, path, VERB_DEL, NULL);
	c->err = cause;
}

static int run_outside(struct cni_call *c, const char *type, const char *path, enum verb verb, struct result *result)
{
	char *argv[] = { (char *)path, NULL };
	struct spawn s = {
		.path = path, .argv = argv, .env = environment(c, verb), .input = c->input, .input_len = c->input_len,
		.output_limit = OUTPUT_LIMIT, .deadline_ms = DEADLINE_MS,
	};
	struct spawned out;
	int r;

	if (!s.env)
		return err_nomem(&c->err, type);
	r = spawn_run(&s, &out, &c->err);
	if (r == 0 && out.status != 0)
		r = pass_on_error(c, type, &out);
	else if (r == 0 && result)
		r = take_result(c, type, &out, result);
	free(out.output);
	if (r < 0 && verb == VERB_ADD)
		undo_outside(c, type, path);
	return r;
}

int delegate_run(struct cni_call *c, const char *type, enum verb verb, struct result *result)
{
	scoped(trace_end) struct trace_span span = trace_begin(type);
	const struct cni_plugin *inside = plugin_find(type);
	char *path;

	if (!type_valid(type))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "\"%s\": want the plain name of a plugin, no path", type);
	path = plugin_path(&c->arena, c->path, type);
	if (!path)
		return err_set(&c->err, CNI_FAILED, -ENOENT, "failed to find plugin \"%s\" in path [%s]", type, c->path);
	if (inside && inside != c->plugin && is_our_build(path, type))
		return run_inside(c, inside, verb, result);
	if (verb == VERB_GC && c->net.dry_run && !self_is_plumb(path)) {        /* it would pass dryRun over */
		fprintf(stderr, "%s: %s is not asked what it would remove: it is not of plumb, and would remove it\n", c->plugin->name, path);
		return 0;
	}
	return run_outside(c, type, path, verb, result);
}
