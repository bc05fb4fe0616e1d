/* plumb: does for people and scripts what a container runtime does with CNI plugins. */
#include "plumb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/self.h"
#include "cni/version.h"

static const struct subcommand commands[] = {
	{ "add",    "NAME NETNS",        CMD_ADD,    2, 2,  add_run,    "attach a network namespace to a network" },
	{ "del",    "NAME NETNS",        CMD_DEL,    2, 2,  del_run,    "detach it" },
	{ "check",  "NAME NETNS",        CMD_CHECK,  2, 2,  check_run,  "see whether the attachment is as it was made" },
	{ "gc",     "NAME",              CMD_GC,     1, 1,  gc_run,     "remove what attachments left behind that are no more" },
	{ "status", "NAME",              CMD_STATUS, 1, 1,  status_run, "ask a network's plugins whether they could attach now" },
	{ "run",    "-- COMMAND [ARG...]", CMD_RUN,    1, -1, run_run,    "run a command in a new namespace attached to networks" },
	{ "restore", "",                 CMD_RESTORE, 0, 0, restore_run, "bring nftables back after a flush, from what is on record" },
	{ .name = NULL }
};

static const struct subcommand *command_find(const char *name)
{
	for (const struct subcommand *s = commands; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static void tell_usage(FILE *to)
{
	fputs("usage: plumb COMMAND [OPTION]... ...\n\n", to);
	for (const struct subcommand *s = commands; s->name; s++)
		fprintf(to, "  plumb %-7s %-20s %s\n", s->name, s->operands, s->about);
	fputs("\nplumb COMMAND --help lists a command's options; plumb(1) tells the rest.\n", to);
}

static void tell_command(FILE *to, const struct subcommand *s)
{
	fprintf(to, "usage: plumb %s [OPTION]... %s\n%s.\n\n", s->name, s->operands, s->about);
	options_help(to, s);
}

static void tell_version(void)
{
	printf("plumb %s, CNI %s\n", plumb_version, CNI_NEWEST);
}

json_t *call_keep(struct call *c, json_t *tree)
{
	if (tree)
		json_array_append_new(c->trees, tree);
	return tree;
}

void print_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* A run that did not come to its command has one exit code of its own, whatever stopped it: the others are the command's. */
static int fail(struct call *c)
{
	int code = trouble_exit(&c->trouble);

	trouble_tell(c, &c->trouble);
	if (c->opt.json) {
		scoped(json_put) json_t *j = trouble_json(c, &c->trouble);

		print_json(j);
	}
	return c->command->bit == CMD_RUN && code < EXIT_RUN ? EXIT_RUN : code;
}

/* The network's name becomes part of paths. */
static int run_command(struct call *c)
{
	const char *name = c->opt.operands[0];

	if (c->command->bit == CMD_RUN || c->command->bit == CMD_RESTORE)
		return c->command->run(c);
	if (!name_valid(name))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL,
		                   "\"%.*s%s\": a network's name is a letter or digit, then letters, digits, '_', '.', '-', at most %d characters",
		                   NAME_MAX_LEN, name, strlen(name) > NAME_MAX_LEN ? "..." : "", NAME_MAX_LEN);
	c->subject = name;
	return c->command->run(c);
}

static int serve(struct call *c, char **argv)
{
	int r = options_read(c, argv);

	if (r == 0 && c->opt.help)
		tell_command(stdout, c->command);
	else if (r == 0 && c->opt.version)
		tell_version();
	else if (r == 0)
		r = run_command(c);
	if (r < 0) {
		err_set(&c->trouble.err, CNI_FAILED, r, "%s", strerror(-r));
		r = fail(c);
	}
	return r;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	struct call c = { .command = command_find(name), .lock_fd = -1 };
	int code;

	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		tell_usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--version")) {
		tell_version();
		return EXIT_DONE;
	}
	if (!c.command) {
		if (*name)
			fprintf(stderr, "plumb: no command \"%s\"\n", name);
		tell_usage(stderr);
		return EXIT_USAGE;
	}
	c.trees = json_array();
	code = serve(&c, argv + 2);
	json_decref(c.trees);
	arena_free(&c.arena);
	fd_close(&c.lock_fd);
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != EXIT_DONE)
		return code;
	fprintf(stderr, "plumb: %s: writing to stdout: %s\n", c.command->name, strerror(errno));
	return EXIT_FAILED;
}
