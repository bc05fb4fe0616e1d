/* The plumb command's line: its words, each ended by '\0', the subcommand first; what is asked of a network, settled. */
#include <string.h>

#include "lib/fuzz.h"

#define main plumb_main
int plumb_main(int argc, char **argv);
#include "plumb/plumb.c"
#include "plumb/netmake.h"
#include "plumb/ports.h"

enum { WORDS = 64 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void look_at(struct call *c)
{
	const struct options *o = &c->opt;
	json_t *ports;
	int n = 0;

	while (o->operands[n])
		n++;
	require(n == o->operand_count);
	if (o->help || o->version)
		return;
	require(o->conf_dir && o->cache_dir && o->bin_path);
	if (o->ports.count > 16)
		return;
	ports = ports_json(&o->ports);
	require(ports);
	json_decref(ports);
}

static void look_at_plan(struct call *c)
{
	struct plan plan;
	json_t *list;
	int r;

	c->trees = json_array();
	c->subject = "net";
	r = plan_read(c, &plan);
	require_outcome(r, &c->trouble.err);
	plan.bridge = plan.bridge ? plan.bridge : "plumb0";
	list = r == 0 ? plan_json(c, &plan) : NULL;
	if (list)
		require_prints(list);
	json_decref(c->trees);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	char *argv[WORDS + 1] = { NULL }, *end = text + size;
	struct call c = { .lock_fd = -1 };
	int argc = 0, words = 0, r;

	for (char *word = text; word < end && argc < WORDS; word += strlen(word) + 1)
		argv[argc++] = word;
	c.command = command_find(argv, &words);
	if (!c.command) {
		c.command = &commands[size % (ARRAY_LEN(commands) - 1)];
		words = argc > 0;
	}
	r = options_read(&c, argv + words);
	require_outcome(r, &c.trouble.err);
	if (r == 0)
		look_at(&c);
	if (r == 0 && c.command->bit == CMD_NET_CREATE && !c.opt.help && !c.opt.version)
		look_at_plan(&c);
	arena_free(&c.arena);
	return 0;
}
