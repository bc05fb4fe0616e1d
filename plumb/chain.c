#include "chain.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cni/result.h"
#include "cni/version.h"
#include "invoke.h"

/* ---- What a plugin reads on stdin (section 3, "Deriving request configuration") ---- */

/* Keys that are ours to set, whatever their case, or for us alone to read. */
static bool is_reserved(const char *key)
{
	static const char *const names[] = { "cniVersion", "name", "prevResult", "capabilities" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcasecmp(key, names[i]))
			return true;
	return !strncasecmp(key, "cni.dev/", 8);
}

/* What of the capability arguments this plugin declares; it replaces a runtimeConfig of the file's only where there is something. */
static void put_runtime_config(json_t *request, const json_t *plugin, const struct endpoint *e)
{
	json_t *declared = json_member(plugin, "capabilities"), *chosen, *wanted;
	const char *key;

	if (!e || !e->capability_args)
		return;
	chosen = json_object();
	json_object_foreach(e->capability_args, key, wanted)
		if (json_is_true(json_object_get(declared, key)))
			json_object_set(chosen, key, wanted);
	if (json_object_size(chosen) > 0) {
		const char *old;
		void *next;
		json_t *ignored;

		json_object_foreach_safe(request, next, old, ignored)
			if (!strcasecmp(old, "runtimeConfig"))
				json_object_del(request, old);
		json_object_set(request, "runtimeConfig", chosen);
	}
	json_decref(chosen);
}

static json_t *derive(struct call *c, const struct network *n, const json_t *plugin, const struct endpoint *e, json_t *prev)
{
	json_t *request = call_keep(c, json_object()), *value;
	const char *key;

	json_object_foreach((json_t *)plugin, key, value)
		if (!is_reserved(key))
			json_object_set(request, key, value);
	json_object_set_new(request, "cniVersion", json_string(n->version));
	json_object_set_new(request, "name", json_string(n->name));
	put_runtime_config(request, plugin, e);
	if (prev)
		json_object_set(request, "prevResult", prev);
	return request;
}

static int execute(struct call *c, const struct network *n, size_t index, const char *verb, const struct endpoint *e,
                   const json_t *prev, json_t **answer, struct trouble *t)
{
	const json_t *plugin = json_array_get(n->plugins, index);
	struct invocation i = {
		.verb = verb, .type = plugin_type(plugin), .endpoint = e, .request = derive(c, n, plugin, e, (json_t *)prev),
	};

	return plugin_execute(c, &i, answer, t);
}

/* ---- Results ---- */

json_t *result_in_version(struct call *c, json_t *result, const char *version, struct trouble *t)
{
	const char *own = json_member_string(result, "cniVersion");
	struct result r;

	if (own && !strcmp(own, version))
		return result;
	if (result_read(result, version, "result.", CNI_DECODE, &c->arena, &r, &t->err) < 0)
		return NULL;
	return call_keep(c, result_json(&r, version, &t->err));
}

/* A result that can be read, and that says which version it is of. */
static json_t *settle_result(struct call *c, const struct network *n, size_t index, json_t *answer)
{
	struct trouble *t = &c->trouble;
	struct result r;

	if (result_read(answer, n->version, "result.", CNI_DECODE, &c->arena, &r, &t->err) < 0) {
		text_format(t->plugin, sizeof t->plugin, "%s", plugin_type(json_array_get(n->plugins, index)));
		return NULL;
	}
	if (!json_member_string(answer, "cniVersion"))
		json_object_set_new(answer, "cniVersion", json_string(n->version));
	return answer;
}

/* ---- The verbs ---- */

int chain_complete(struct call *c, const struct network *n)
{
	for (size_t i = 0; i < json_array_size(n->plugins); i++)
		if (!plugin_find_file(c, plugin_type(json_array_get(n->plugins, i)), &c->trouble))
			return -ENOENT;
	return 0;
}

int chain_add(struct call *c, const struct network *n, const struct endpoint *e, json_t **result)
{
	json_t *answer = NULL;

	*result = NULL;
	for (size_t i = 0; i < json_array_size(n->plugins); i++) {
		int r = execute(c, n, i, "ADD", e, *result, &answer, &c->trouble);

		if (r < 0)
			return r;
		*result = settle_result(c, n, i, answer);
		if (!*result)
			return -EBADMSG;
	}
	return 0;
}

int chain_again(struct call *c, const struct network *n, const struct endpoint *e, size_t index, const json_t *prev)
{
	json_t *answer;

	return execute(c, n, index, "ADD", e, prev, &answer, &c->trouble);
}

int chain_del(struct call *c, const struct network *n, const struct endpoint *e, const json_t *prev, bool to_the_end,
              struct trouble *t)
{
	int first = 0;

	for (size_t i = json_array_size(n->plugins); i-- > 0;) {
		struct trouble again = { 0 };
		int r = execute(c, n, i, "DEL", e, prev, NULL, first < 0 ? &again : t);

		if (r < 0 && !to_the_end)
			return r;
		if (r < 0 && first < 0)
			trouble_tell(c, &again);
		first = first_failure(first, r);
	}
	return first;
}

int chain_check(struct call *c, const struct network *n, const struct endpoint *e, const json_t *prev)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(n->plugins); i++)
		r = execute(c, n, i, "CHECK", e, prev, NULL, &c->trouble);
	return r;
}

int chain_ask(struct call *c, const struct network *n, size_t index, const json_t *valid, struct trouble *t)
{
	const json_t *plugin = json_array_get(n->plugins, index);
	json_t *request = derive(c, n, plugin, NULL, NULL);
	struct invocation i = { .verb = valid ? "GC" : "STATUS", .type = plugin_type(plugin), .request = request };

	if (valid) {                    /* libcni sends the older name too, and so plugins may know that one only */
		json_object_set(request, "cni.dev/valid-attachments", (json_t *)valid);
		json_object_set(request, "cni.dev/attachments", (json_t *)valid);
		if (c->opt.dry_run)
			json_object_set_new(request, "dryRun", json_true());
	}
	return plugin_execute(c, &i, NULL, t);
}
