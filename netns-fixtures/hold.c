/* hold: a world that stays open until it is told to end. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "registry.h"

/* The world is there once `ready` is closed by its process. */
static pid_t hold_begin(const struct options *o)
{
	struct fault why;
	int ready[2];
	char nothing;
	pid_t pid;

	if (registry_take(o->name, &why) < 0)
		die(&why);
	if (pipe2(ready, O_CLOEXEC) < 0)
		exit(125);
	pid = world_fork(o->flags, &why);
	if (pid < 0)
		die(&why);
	if (pid == 0) {
		furnish(o);
		close(ready[0]);
		if (write(ready[1], "", 1) < 0)
			_exit(125);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &nothing, 1) != 1)   /* it has said why */
		exit(wait_for(pid));
	close(ready[0]);
	if (registry_note(pid, &why) < 0)
		die(&why);
	return pid;
}

static void tell_held(const struct options *o)
{
	printf("world \"%s\" is open. Try:\n  netns-fixture enter %s host -- ip address\n", o->name, o->name);
	if (o->pods > 0)
		printf("  netns-fixture enter %s pod1\n", o->name);
	printf("  netns-fixture end %s%s\n", o->name, o->background ? "" : "    (or Ctrl-C here)");
	if (o->background)
		putchar('\0');          /* all is said */
	fflush(stdout);
}

static int hold(int argc, char **argv)
{
	struct options o = options_read(argc, argv);
	sigset_t end;
	pid_t pid;
	int which;

	if (optind != argc)
		misuse();
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGHUP);
	sigaddset(&end, SIGCHLD);
	sigprocmask(SIG_BLOCK, &end, NULL);
	pid = hold_begin(&o);
	tell_held(&o);
	sigwait(&end, &which);
	registry_drop();
	kill(pid, SIGKILL);
	wait_for(pid);
	return 0;
}

/* The holder is a child in a session of its own. It and the world have a pipe to us for all that they say, not our own stdout and stderr, so
 * that nobody waits for those to be closed. */
static int hold_in_background(int argc, char **argv)
{
	int said[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[4096];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (null < 0 || pipe2(said, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return 125;
	if (pid == 0) {
		setsid();
		dup2(null, STDIN_FILENO);
		dup2(said[1], STDOUT_FILENO);
		dup2(said[1], STDERR_FILENO);
		close(said[0]);
		close(said[1]);
		return hold(argc, argv);
	}
	close(said[1]);
	while (len < sizeof text && (n = read(said[0], text + len, sizeof text - len)) > 0) {
		len += n;
		if (memchr(text, '\0', len))
			return fputs(text, stdout) < 0;
	}
	fwrite(text, 1, len, stderr);
	return wait_for(pid);
}

int command_hold(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--background"))
			return hold_in_background(argc, argv);
	return hold(argc, argv);
}
