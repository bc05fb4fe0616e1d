#include "invoke.h"

#include <errno.h>
#include <string.h>

#include "cni/execute.h"
#include "plumb.h"

enum { OUTPUT_LIMIT = 4 << 20, DEADLINE_MS = 240 * 1000 };       /* longer than a plugin gives its delegates */

const char *plugin_find_file(struct call *c, const char *type, struct trouble *t)
{
	const char *path = plugin_path(&c->arena, c->opt.bin_path, type);

	if (path)
		return path;
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

static int plugin_refused(const char *type, const struct spawned *out, struct trouble *t)
{
	text_format(t->plugin, sizeof t->plugin, "%s", type);
	return plugin_error_read(out, "failed without an error that can be read", &t->err);
}

static int take_answer(struct call *c, const char *type, const struct spawned *out, json_t **answer, struct trouble *t)
{
	*answer = call_keep(c, plugin_result_read(out, "printed no result that can be read", &t->err));
	if (*answer)
		return 0;
	text_format(t->plugin, sizeof t->plugin, "%s", type);
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
