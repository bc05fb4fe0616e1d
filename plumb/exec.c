/* plumb exec: a further command beside one of plumb run, in its namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "plumb.h"
#include "runs.h"

static int not_running(struct call *c, const struct run_record *run)
{
	return trouble_set(&c->trouble, EXIT_RUN, -ESRCH, "%s is not running", run->name);
}

/* Its folder in /proc stays that process's, whoever gets the number next. Its root may be another than its mount namespace's: plumb was run in a chroot. */
static int enter(struct call *c, const struct run_record *run, int process)
{
	static const struct { const char *file; int type; } namespaces[] = {
		{ "ns/net", CLONE_NEWNET }, { "ns/uts", CLONE_NEWUTS }, { "ns/mnt", CLONE_NEWNS },
	};
	scoped(fd_close) int root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fds[ARRAY_LEN(namespaces)], r = root < 0 ? -errno : 0;

	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if ((fds[i] = openat(process, namespaces[i].file, O_RDONLY | O_CLOEXEC)) < 0 && r == 0)
			r = -errno;
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		if (r == 0 && setns(fds[i], namespaces[i].type) < 0)
			r = -errno;
		fd_close(&fds[i]);
	}
	if (r == 0 && (fchdir(root) < 0 || chroot(".") < 0))
		r = -errno;
	return r < 0 ? err_sys(&c->trouble.err, CNI_FAILED, r, "the namespaces of %s", run->name) : 0;
}

int exec_run(struct call *c)
{
	char **argv = c->opt.operands + 1, path[32], here[PATH_MAX];
	scoped(fd_close) int process = -1;
	struct run_record run;
	const char *cwd = getcwd(here, sizeof here);
	int r = run_named(c, c->opt.operands[0], &run);

	if (r < 0)
		return r;
	if (!strcmp(argv[0], "--"))
		argv++;
	if (!argv[0])
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "want NAME -- COMMAND [ARG...]");
	snprintf(path, sizeof path, "/proc/%d", (int)run.pid);
	process = run.alive && run.pid ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (process < 0 || process_start(run.pid) != run.pid_start)
		return not_running(c, &run);
	if ((r = enter(c, &run, process)) < 0)
		return r;
	if ((!cwd || chdir(cwd) < 0) && chdir("/") < 0)
		return err_sys(&c->trouble.err, CNI_IO, -errno, "/");
	return command_become(c, argv);
}
