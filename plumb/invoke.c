#include "invoke.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/spawn.h"
#include "plumb.h"

enum { OUTPUT_LIMIT = 4 << 20, DEADLINE_MS = 240 * 1000 };       /* longer than a plugin gives its delegates */

const char *plugin_find_file(struct call *c, const char *type, struct trouble *t)
{
	const char *dir = c->opt.bin_path;

	while (*dir) {
		size_t len = strcspn(dir, ":");
		const char *path = len > 0 ? arena_printf(&c->arena, "%.*s/%s", (int)len, dir, type) : NULL;
		struct stat st;

		if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
		dir += len + (dir[len] == ':');
	}
	trouble_set(t, EXIT_NO_PLUGIN, -ENOENT, "no plugin \"%s\" in %s", type, c->opt.bin_path);
	err_detail(&t->err, "--bin-dir or $CNI_PATH says where plugins are");
	return NULL;
}

/* Our environment, with CNI's variables being those of this execution and no other. */
static char **environment(struct call *c, const struct invocation *i)
{
	static const char *const ours[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH" };
	const struct endpoint none = { "", "", "", NULL, NULL }, *e = i->endpoint ? i->endpoint : &none;
	const char *const values[] = { i->verb, e->container, e->netns, e->ifname, endpoint_args(c, e), c->opt.bin_path };
	size_t n = 0, kept = 0;
	char **env;

	while (environ[n])
		n++;
	env = arena_alloc(&c->arena, (n + ARRAY_LEN(ours) + 1) * sizeof *env);
	for (size_t k = 0; env && k < n; k++) {
		bool replaced = false;

		for (size_t o = 0; o < ARRAY_LEN(ours); o++)
			replaced |= !strncmp(environ[k], ours[o], strlen(ours[o])) && environ[k][strlen(ours[o])] == '=';
		if (!replaced)
			env[kept++] = environ[k];
	}
	for (size_t o = 0; env && o < ARRAY_LEN(ours); o++)
		if (!values[o] || !(env[kept++] = arena_printf(&c->arena, "%s=%s", ours[o], values[o])))
			return NULL;
	return env;
}

/* What it printed that is no JSON, in one line, for words. */
static void quote_output(struct err *e, const struct spawned *out)
{
	char text[256];

	if (out->output_len == 0)
		return;
	snprintf(text, sizeof text, "%s", out->output);
	err_detail(e, "it printed: %s", text_trim(text));
}

static int plugin_refused(const char *type, const struct spawned *out, struct trouble *t)
{
	struct err ignored = { 0 };
	scoped(json_put) json_t *j = out->output_len ? json_read_object(out->output, out->output_len, type, &ignored) : NULL;
	const char *msg = j ? json_member_string(j, "msg") : NULL, *details = j ? json_member_string(j, "details") : NULL;
	json_t *code = j ? json_member(j, "code") : NULL;

	text_format(t->plugin, sizeof t->plugin, "%s", type);
	if (msg || json_is_integer(code)) {
		int number = json_is_integer(code) ? (int)json_integer_value(code) : CNI_FAILED;

		err_set(&t->err, number > 0 ? number : CNI_FAILED, -EREMOTEIO, "%s", msg ? msg : "failed without a word");
		if (details)
			err_detail(&t->err, "%s", details);
		return -EREMOTEIO;
	}
	err_set(&t->err, CNI_FAILED, -EREMOTEIO, "failed without an error that can be read");
	err_detail(&t->err, out->status > 128 ? "ended by signal %d" : "exit status %d", out->status > 128 ? out->status - 128 : out->status);
	quote_output(&t->err, out);
	return -EREMOTEIO;
}

static int take_answer(struct call *c, const char *type, const struct spawned *out, json_t **answer, struct trouble *t)
{
	struct err why = { 0 };

	*answer = call_keep(c, json_read_object(out->output ? out->output : "", out->output_len, "result", &why));
	if (*answer)
		return 0;
	text_format(t->plugin, sizeof t->plugin, "%s", type);
	err_set(&t->err, CNI_DECODE, -EBADMSG, "printed no result that can be read");
	err_detail(&t->err, "%s", why.details[0] ? why.details : why.msg);
	quote_output(&t->err, out);
	return -EBADMSG;
}

int plugin_execute(struct call *c, const struct invocation *i, json_t **answer, struct trouble *t)
{
	scoped(mem_free) char *input = json_dumps(i->request, JSON_COMPACT);
	const char *path = plugin_find_file(c, i->type, t);
	char *argv[] = { (char *)path, NULL };
	struct spawned out = { 0 };
	int r;

	if (!path)
		return -ENOENT;
	if (!input)
		return err_nomem(&t->err, i->type);
	r = spawn_run(&(struct spawn){ .path = path, .argv = argv, .env = environment(c, i), .input = input, .input_len = strlen(input),
	                               .output_limit = OUTPUT_LIMIT, .deadline_ms = DEADLINE_MS }, &out, &t->err);
	if (r == 0 && out.status != 0)
		r = plugin_refused(i->type, &out, t);
	else if (r == 0 && answer)
		r = take_answer(c, i->type, &out, answer, t);
	free(out.output);
	return r;
}
