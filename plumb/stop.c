/* plumb stop, rm: ends commands of plumb run, and forgets those that have ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "plumb.h"
#include "runs.h"

enum { LAST_PATIENCE_S = 60 };          /* for the keeper to take all down once its command is dead */

/* The command; while there is none yet, whoever is about to start it. */
static void send(const struct run_record *run, int signal)
{
	if (run->pid)
		process_signal(run->pid, run->pid_start, signal);
	else
		process_signal(run->keeper, run->keeper_start, signal);
}

static int still_there(struct call *c, const struct run_record *run)
{
	err_set(&c->trouble.err, CNI_TRY_LATER, -ETIME, "%s: process %d still has not taken it down", run->name, (int)run->keeper);
	err_detail(&c->trouble.err, "see what that process waits for");
	return -ETIME;
}

/* Until its keeper has ended: TERM, then after a while KILL. The descriptor of its folder, locked; -ENOENT: it is gone. */
static int end(struct call *c, const struct run_record *run, unsigned patience_s)
{
	int fd = run_lock(c, run, 0);

	if (fd != -ETIME)
		return fd;
	send(run, patience_s ? SIGTERM : SIGKILL);
	fd = run_lock(c, run, patience_s ? patience_s : LAST_PATIENCE_S);
	if (fd == -ETIME && patience_s) {
		send(run, run->pid ? SIGKILL : SIGTERM);
		fd = run_lock(c, run, LAST_PATIENCE_S);
	}
	return fd == -ETIME ? still_there(c, run) : fd;
}

static int stop_one(struct call *c, const char *name)
{
	scoped(fd_close) int fd = -1;
	struct run_record run;
	int r = run_named(c, name, &run);

	if (r < 0)
		return r;
	fd = end(c, &run, c->opt.patience_s);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	puts(name);
	return 0;
}

static int refuse_running(struct call *c, const struct run_record *run)
{
	trouble_set(&c->trouble, EXIT_FAILED, -EBUSY, "%s is running", run->name);
	err_detail(&c->trouble.err, "end it first (plumb stop %s), or use -f", run->name);
	return -EBUSY;
}

static int rm_one(struct call *c, const char *name)
{
	scoped(fd_close) int fd = -1;
	struct run_record run;
	int r = c->opt.force && run_read(c, name, &run) == -ENOENT ? 1 : run_named(c, name, &run);

	if (r != 0)
		return r < 0 ? r : 0;
	if (run.alive && !c->opt.force)
		return refuse_running(c, &run);
	fd = end(c, &run, 0);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0 && run_read(c, name, &run) == 0) {
		fd_close(&fd);
		fd = -1;
		runs_mend(c);           /* of one that was killed, more than the record is left */
		if (run_read(c, name, &run) == 0 && (fd = run_lock(c, &run, 0)) >= 0)
			run_forget(c, &run);
	}
	puts(name);
	return 0;
}

static int each(struct call *c, int (*one)(struct call *c, const char *name))
{
	int code = EXIT_DONE;

	for (char **name = c->opt.operands; *name; name++)
		if (one(c, *name) < 0)
			code = trouble_pass(c);
	return code;
}

int stop_run(struct call *c)
{
	return each(c, stop_one);
}

int rm_run(struct call *c)
{
	return each(c, rm_one);
}
