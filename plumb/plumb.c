/* plumb: does for people and scripts what a container runtime does with CNI plugins. */
#include "plumb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/self.h"
#include "cni/version.h"

static const struct subcommand commands[] = {
	{ "add",     "NAME NETNS",            CMD_ADD,     SUB_NETWORK, 2, 2,  add_run,     "attach a network namespace to a network" },
	{ "del",     "NAME NETNS",            CMD_DEL,     SUB_NETWORK, 2, 2,  del_run,     "detach it" },
	{ "check",   "NAME NETNS",            CMD_CHECK,   SUB_NETWORK, 2, 2,  check_run,   "see whether the attachment is as it was made" },
	{ "gc",      "NAME",                  CMD_GC,      SUB_NETWORK, 1, 1,  gc_run,      "remove what attachments left behind that are no more" },
	{ "status",  "NAME",                  CMD_STATUS,  SUB_NETWORK, 1, 1,  status_run,  "ask a network's plugins whether they could attach now" },
	{ "restore", "",                      CMD_RESTORE, 0,           0, 0,  restore_run, "bring nftables back after a flush, from what is on record" },
	{ "publish", "CONTAINER PORTS...",    CMD_PUBLISH, 0,           2, -1, publish_run, "publish ports of a container that is running" },
	{ "unpublish", "CONTAINER [PORTS...]", CMD_UNPUBLISH, 0,        1, -1, unpublish_run, "take published ports back" },
	{ "ports",   "[CONTAINER]",           CMD_PORTS,   0,           0, 1,  ports_run,   "list published ports, and whose they are" },
	{ "run",     "-- COMMAND [ARG...]",   CMD_RUN,     SUB_COMMAND, 1, -1, run_run,     "run a command in a new namespace attached to networks" },
	{ "ps",      "",                      CMD_PS,      0,           0, 0,  ps_run,      "list what plumb run runs" },
	{ "stop",    "NAME...",               CMD_STOP,    0,           1, -1, stop_run,    "end commands of plumb run" },
	{ "rm",      "NAME...",               CMD_RM,      0,           1, -1, rm_run,      "forget commands of plumb run -d that have ended" },
	{ "exec",    "NAME -- COMMAND [ARG...]", CMD_EXEC, SUB_COMMAND, 2, -1, exec_run,    "run a further command beside one of plumb run" },
	{ "logs",    "NAME",                  CMD_LOGS,    0,           1, 1,  logs_run,    "show what a command of plumb run -d has printed" },
	{ "network create",     "NAME",              CMD_NET_CREATE,  SUB_NETWORK, 1, 1,  network_create_run,     "make a network, for every CNI runtime" },
	{ "network ls",         "",                  CMD_NET_LS,      0,           0, 0,  network_ls_run,         "list networks" },
	{ "network list",       "",                  CMD_NET_LS,      0,           0, 0,  network_ls_run,         NULL },
	{ "network inspect",    "NAME...",           CMD_NET_INSPECT, 0,           1, -1, network_inspect_run,    "tell all about networks, in JSON" },
	{ "network rm",         "NAME...",           CMD_NET_RM,      0,           1, -1, network_rm_run,         "remove networks that nobody uses" },
	{ "network remove",     "NAME...",           CMD_NET_RM,      0,           1, -1, network_rm_run,         NULL },
	{ "network prune",      "",                  CMD_NET_PRUNE,   0,           0, 0,  network_prune_run,      "remove all that nobody uses" },
	{ "network connect",    "NETWORK CONTAINER", CMD_NET_CONNECT, 0,           2, 2,  network_connect_run,    "attach a container to a network more" },
	{ "network disconnect", "NETWORK CONTAINER", CMD_NET_DISCONNECT, 0,        2, 2,  network_disconnect_run, "detach it" },
	{ "graph",   "[NETWORK...]",          CMD_GRAPH,   0,           0, -1, graph_run,   "draw this host's networks and who is on them" },
	{ "explain", "CONTAINER|NETNS",       CMD_EXPLAIN, 0,           1, 1,  explain_run, "tell all that belongs to a container, and what becomes of a connection" },
	{ "doctor",  "",                      CMD_DOCTOR,  0,           0, 0,  doctor_run,  "look for what is wrong on this host, and say what to do" },
	{ .name = NULL }
};

/* The command of argv: by its first two words, or by the first alone. *words tells how many. */
static const struct subcommand *command_find(char **argv, int *words)
{
	const char *first = argv[0] ? argv[0] : "", *second = argv[0] && argv[1] ? argv[1] : "";
	size_t len = strlen(first);

	for (const struct subcommand *s = commands; s->name; s++) {
		bool both = !strncmp(s->name, first, len) && s->name[len] == ' ' && !strcmp(s->name + len + 1, second);

		*words = both ? 2 : 1;
		if (both || !strcmp(s->name, first))
			return s;
	}
	return NULL;
}

/* Whether there are commands of two words that begin with this one. */
static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (const struct subcommand *s = commands; s->name; s++)
		if (len > 0 && !strncmp(s->name, word, len) && s->name[len] == ' ')
			return true;
	return false;
}

/* group: only the commands that begin with this word; "": all. */
static void tell_usage(FILE *to, const char *group)
{
	size_t len = strlen(group);

	fprintf(to, "usage: plumb %s%sCOMMAND [OPTION]... ...\n\n", group, *group ? " " : "");
	for (const struct subcommand *s = commands; s->name; s++)
		if (s->about && !strncmp(s->name, group, len) && (!len || s->name[len] == ' '))
			fprintf(to, "  plumb %-18s %-24s %s\n", s->name, s->operands, s->about);
	fprintf(to, "\nplumb %s%sCOMMAND --help lists a command's options; plumb(1) tells the rest.\n", group, *group ? " " : "");
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
	return (c->command->flags & SUB_COMMAND) && code < EXIT_RUN ? EXIT_RUN : code;
}

/* The network's name becomes part of paths. */
static int run_command(struct call *c)
{
	const char *name = c->opt.operands[0];

	if (!(c->command->flags & SUB_NETWORK))
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

static bool asks_for_help(const char *word)
{
	return word && (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"));
}

/* What is no command: help, the version, or a mistake. */
static int answer_without_command(char **words)
{
	const char *name = words[0] ? words[0] : "", *group = is_group(name) ? name : "";

	if (asks_for_help(name) || (*group && asks_for_help(words[1]))) {
		tell_usage(stdout, group);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--version")) {
		tell_version();
		return EXIT_DONE;
	}
	if (*group && words[1])
		fprintf(stderr, "plumb: no command \"%s %s\"\n", name, words[1]);
	else if (*name && !*group)
		fprintf(stderr, "plumb: no command \"%s\"\n", name);
	tell_usage(stderr, group);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct call c = { .lock_fd = -1 };
	int words = 0, code;

	(void)argc;
	c.command = command_find(argv + 1, &words);
	if (!c.command)
		return answer_without_command(argv + 1);
	c.trees = json_array();
	code = serve(&c, argv + 1 + words);
	json_decref(c.trees);
	arena_free(&c.arena);
	fd_close(&c.lock_fd);
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code != EXIT_DONE)
		return code;
	fprintf(stderr, "plumb: %s: writing to stdout: %s\n", c.command->name, strerror(errno));
	return EXIT_FAILED;
}
