/* plumb status: asks each plugin of a network whether it could attach now. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "cni/version.h"
#include "invoke.h"
#include "network.h"

/* STATUS came with CNI 1.1.0; before, all that can be said is that the plugin is there. */
static int ask(struct call *c, const struct network *n, size_t index, const char **path, struct trouble *t)
{
	*path = plugin_find_file(c, plugin_type(json_array_get(n->plugins, index)), t);
	if (!*path)
		return -ENOENT;
	return version_at_least(n->version, "1.1.0") ? chain_ask(c, n, index, NULL, t) : 0;
}

static const char *state_of(const struct network *n, const struct trouble *t)
{
	if (!t->err.code)
		return version_at_least(n->version, "1.1.0") ? "ready" : "present";
	if (t->exit == EXIT_NO_PLUGIN)
		return "missing";
	return trouble_exit(t) == EXIT_NOT_READY ? "not ready" : "failed";
}

static void tell(struct call *c, const struct network *n, const char *type, const char *path, const struct trouble *t,
                 json_t *list)
{
	if (c->opt.json)
		json_array_append_new(list, json_pack("{s:s, s:s*, s:s, s:o*}", "type", type, "path", path, "status", state_of(n, t),
		                                      "error", t->err.code ? trouble_json(c, t) : NULL));
	else
		printf("%-12s %-9s %s\n", type, state_of(n, t), path ? path : "");
	if (t->err.code)
		trouble_tell(c, t);
}

int status_run(struct call *c)
{
	scoped(json_put) json_t *list = json_array();
	int code = EXIT_DONE, r;
	struct network n;

	if ((r = network_find(c, c->subject, &n)) < 0)
		return r;
	for (size_t i = 0; i < json_array_size(n.plugins); i++) {
		const char *type = plugin_type(json_array_get(n.plugins, i)), *path = NULL;
		struct trouble t = { 0 };

		if (ask(c, &n, i, &path, &t) < 0 && code == EXIT_DONE)
			code = trouble_exit(&t);
		tell(c, &n, type, path, &t, list);
	}
	if (c->opt.json) {
		scoped(json_put) json_t *j = json_pack("{s:s, s:s, s:O}", "network", n.name, "cniVersion", n.version, "plugins", list);

		print_json(j);
	}
	return code;
}
