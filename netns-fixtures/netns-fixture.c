/* netns-fixture: worlds to try network programs in, by hand and from scripts. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "registry.h"

static const char usage[] =
	"usage: netns-fixture run   [--pods N] [--lan] [--users] [--] COMMAND...\n"
	"       netns-fixture hold  [--pods N] [--lan] [--users] [--name WORLD] [--background]\n"
	"       netns-fixture enter WORLD [host|pod1|lan...] [-- COMMAND...]\n"
	"       netns-fixture end   WORLD\n"
	"       netns-fixture list\n"
	"\n"
	"A world is a throwaway host: its own network, processes, /run and /var/lib. Nothing in it touches this machine's\n"
	"network, and at its end all in it is gone.\n"
	"\n"
	"  run    runs COMMAND in a new world, which ends with it; the exit status is COMMAND's\n"
	"  hold   keeps a new world open until Ctrl-C, or `end`; its name is WORLD, \"world\" if not given\n"
	"  enter  runs COMMAND, a shell if not given, in one of a held world's network namespaces\n"
	"\n"
	"  --pods N      network namespaces pod1 … podN for containers, empty, lo down\n"
	"  --lan         a second machine, lan, 192.0.2.2 and 2001:db8:1::2, that the host reaches by lan0\n"
	"  --users       a user namespace too, even for root\n"
	"  --background  return once the world is there\n";

void __attribute__((noreturn)) die(const struct fault *why)
{
	fprintf(stderr, "netns-fixture: %s\n", why->text);
	exit(125);
}

void __attribute__((noreturn)) misuse(void)
{
	fputs(usage, stderr);
	exit(2);
}

/* A decimal number of at most most. */
static int number(const char *text, int most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 0 || n > most)
		misuse();
	return (int)n;
}

struct options options_read(int argc, char **argv)
{
	static const struct option known[] = {
		{ "pods", required_argument, NULL, 'p' }, { "lan", no_argument, NULL, 'l' }, { "users", no_argument, NULL, 'u' },
		{ "name", required_argument, NULL, 'n' }, { "background", no_argument, NULL, 'b' }, { 0 },
	};
	struct options o = { .name = "world" };
	int c;

	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (c) {
		case 'p': o.pods = number(optarg, 1000); break;
		case 'l': o.lan = true; break;
		case 'u': o.flags |= WORLD_USERS; break;
		case 'n': o.name = optarg; break;
		case 'b': o.background = true; break;
		default: misuse();
		}
	}
	return o;
}

void furnish(const struct options *o)
{
	struct fault why = { "" };
	char name[16];

	for (int i = 1; i <= o->pods; i++) {
		snprintf(name, sizeof name, "pod%d", i);
		if (world_furnish(name, &why) < 0)
			die(&why);
	}
	if (o->lan && world_furnish("lan", &why) < 0)
		die(&why);
}

static void __attribute__((noreturn)) run_command(char **argv)
{
	char *shell[] = { getenv("SHELL") ? getenv("SHELL") : "/bin/sh", NULL };

	if (!*argv)
		argv = shell;
	execvp(*argv, argv);
	fprintf(stderr, "netns-fixture: %s: %s\n", *argv, strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 125;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int command_run(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	struct fault why;
	pid_t pid;

	if (optind == argc)
		misuse();
	pid = world_fork(o.flags, &why);
	if (pid < 0)
		die(&why);
	if (pid == 0) {
		furnish(&o);
		run_command(argv + optind);
	}
	signal(SIGINT, SIG_IGN);        /* the command's to decide: it has got it too */
	signal(SIGQUIT, SIG_IGN);
	return wait_for(pid);
}

/* ---- enter, end, list ---- */

static struct held held_by_name(const char *name)
{
	struct fault why;
	struct held held;

	if (registry_find(name, &held, &why) < 0)
		die(&why);
	return held;
}

static int command_enter(int argc, char **argv)
{
	const char *where = argc > 2 && strcmp(argv[2], "--") ? argv[2] : "host";
	int next = argc > 2 && strcmp(argv[2], "--") ? 3 : 2, ns;
	struct fault why;
	pid_t pid;

	if (argc < 2 || (next < argc && strcmp(argv[next], "--")))
		misuse();
	if (next < argc)
		next++;
	if (world_join(held_by_name(argv[1]).world, &why) < 0)
		die(&why);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ns = world_netns(where);
		if (ns < 0 || world_enter_netns(ns) < 0) {
			fault_note(&why, "network namespace %s", where);
			die(&why);
		}
		close(ns);
		run_command(argv + next);
	}
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	/* Children of ours are among the world's processes and we are not: what LeakSanitizer would start at exit() could never find us. */
	_exit(pid < 0 ? 125 : wait_for(pid));
}

static int command_end(int argc, char **argv)
{
	struct held held;
	struct fault why;

	if (argc != 2)
		misuse();
	held = held_by_name(argv[1]);
	kill(held.holder, SIGTERM);
	while (registry_find(argv[1], &held, &why) == 0)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	return 0;
}

static void print_held(const char *name, const struct held *h)
{
	printf("%s\t(first process %d, held by process %d)\n", name, h->world, h->holder);
}

static int command_list(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		misuse();
	registry_each(print_held);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int (*run)(int argc, char **argv); } commands[] = {
		{ "run", command_run }, { "hold", command_hold }, { "enter", command_enter }, { "end", command_end }, { "list", command_list },
	};

	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(commands[i].name, argv[1]))
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return fputs(usage, stdout) < 0;
	misuse();
}
