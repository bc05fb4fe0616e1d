/* plumb logs: what a command of plumb run -d has printed, and with -f prints. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "os/file.h"
#include "plumb.h"
#include "runs.h"

enum { LOOK_AGAIN_MS = 1000 };          /* nothing tells of a keeper that was killed */

static int open_log(struct call *c, const struct run_record *run)
{
	const char *path = arena_printf(&c->arena, "%s/log", run->dir);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0)
		return fd;
	if (errno == ENOENT && !run->detached)
		return trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "%s runs without -d: it prints where it was started", run->name);
	return err_sys(&c->trouble.err, CNI_IO, path ? -errno : -ENOMEM, "%s", path ? path : run->name);
}

/* From where it has been read to, to the end that it has now. */
static int copy(struct call *c, int fd)
{
	char buffer[64 << 10];
	ssize_t n;
	int r;

	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		if ((r = file_write(STDOUT_FILENO, buffer, n)) < 0)
			return err_sys(&c->trouble.err, CNI_IO, r, "writing to stdout");
	return n < 0 ? err_sys(&c->trouble.err, CNI_IO, -errno, "reading the log") : 0;
}

/* The folder tells of the log's growth, and of the record that is written at the end. */
static void wait_for_more(int told)
{
	struct pollfd p = { .fd = told, .events = POLLIN };
	char events[4096];
	ssize_t n = poll(&p, 1, LOOK_AGAIN_MS) > 0 ? read(told, events, sizeof events) : 0;

	(void)n;
}

static int follow(struct call *c, const struct run_record *run, int fd)
{
	scoped(fd_close) int told = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct stat st;
	bool ended;
	int r;

	r = told < 0 || inotify_add_watch(told, run->dir, IN_MODIFY | IN_MOVED_TO | IN_DELETE) < 0 ? -errno : 0;
	if (r == -ENOENT)
		return copy(c, fd);     /* it has ended, and left nothing behind */
	if (r < 0)
		return err_sys(&c->trouble.err, CNI_IO, r, "watching %s", run->dir);
	do {
		wait_for_more(told);
		ended = !run_is_alive(run) || fstat(fd, &st) < 0 || st.st_nlink == 0;
		r = copy(c, fd);        /* behind the look: what was printed last is not missed */
	} while (r == 0 && !ended);
	return r;
}

int logs_run(struct call *c)
{
	scoped(fd_close) int fd = -1;
	struct run_record run;
	int r = run_named(c, c->opt.operands[0], &run);

	if (r < 0 || (r = fd = open_log(c, &run)) < 0 || (r = copy(c, fd)) < 0)
		return r;
	if (c->opt.follow)
		r = follow(c, &run, fd);
	return r < 0 ? r : EXIT_DONE;
}
