/* The command of a run, in its namespaces. */
#ifndef PLUMB_COMMAND_H
#define PLUMB_COMMAND_H

struct call;

struct command {
	char      **argv;
	int         netns;              /* -1: ours */
	const char *resolv;             /* a file to stand in for /etc/resolv.conf, NULL: none; removed once it does */
};

/* Runs it to its end, with our stdin, stdout and stderr; signals that are sent to us are sent on to it, and those that would end us end it.
 * (signals_catch comes first.) Its exit code, 128 + the signal that ended it, or negative with c->trouble set when it could not be started. */
int command_run(struct call *c, const struct command *cmd);
/* Becomes the command: no namespace, nothing to take down. Returns only when it cannot. */
int command_become(struct call *c, char **argv);

#endif
