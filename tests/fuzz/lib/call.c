#include "call.h"

#include "fuzz.h"

#define main plugin_main
int plugin_main(int argc, char **argv);
#include "common/cni/plugin.c"

int call_begin(struct cni_call *c, enum verb verb, const char *name, const char *args, const char *json, size_t len)
{
	int r;

	*c = (struct cni_call){
		.plugin = plugin_find(name), .verb = verb, .pod_fd = -1, .args = args, .path = "", .input = text_of(json, len), .input_len = len,
		.who = { .container = "c1", .ifname = "eth0", .netns = "/run/netns/nowhere" },
	};
	require(c->plugin);
	r = conf_read(c);
	require_outcome(r, &c->err);
	return r;
}

void call_end(struct cni_call *c)
{
	release(c);
}

/* ---- From one text ---- */

static enum verb verb_of(const char *word)
{
	for (int v = 0; verb_names[v] && v < VERB_VERSION; v++)
		if (word && !strcmp(word, verb_names[v]))
			return v;
	return word ? (unsigned char)*word % VERB_VERSION : VERB_ADD;
}

static const char *plugin_of(const char *word)
{
	size_t n = __stop_cni_plugins - __start_cni_plugins;

	return word && plugin_find(word) ? word : __start_cni_plugins[word ? (unsigned char)*word % n : 0]->name;
}

static char *args;      /* of the call at hand */

int call_of_input(struct cni_call *c, const uint8_t *data, size_t size)
{
	scoped(mem_free) char *copy = text_of(data, size);
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t head = end ? (size_t)(end - data) + 1 : size;
	char *rest = copy, *words = line_of(&rest), *verb = strsep(&words, " "), *plugin = strsep(&words, " ");

	free(args);
	args = words ? strdup(words) : NULL;
	return call_begin(c, verb_of(verb), plugin_of(plugin), args ? args : "", (const char *)data + head, size - head);
}
