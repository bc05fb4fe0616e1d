/* The command of a run, in its namespaces. */
#ifndef PLUMB_COMMAND_H
#define PLUMB_COMMAND_H

#include <sys/types.h>

struct call;

struct command {
	char      **argv;
	int         netns;              /* -1: ours; else it has a mount namespace of its own, too */
	const char *resolv, *hosts;     /* files to stand in for /etc/resolv.conf and /etc/hosts; NULL: none */
	const char *hostname;           /* in a UTS namespace of its own; NULL: ours */
};

/* Starts it, with our stdin, stdout and stderr: 0, and *pid, or negative with c->trouble set. (signals_catch comes first.) */
int command_start(struct call *c, const struct command *cmd, pid_t *pid);
/* Waits for its end; signals that are sent to us are sent on to it, and those that would end us end it. Its exit code, or 128 + the signal that
 * ended it or us. */
int command_attend(pid_t pid);
/* Becomes the command: no namespace, nothing to take down. Returns only when it cannot. */
int command_become(struct call *c, char **argv);

#endif
