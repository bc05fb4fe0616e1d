/* plumb logs: what a command of plumb run -d has printed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "os/file.h"
#include "plumb.h"
#include "runs.h"

int logs_run(struct call *c)
{
	scoped(fd_close) int fd = -1;
	struct run_record run;
	char buffer[64 << 10];
	const char *path;
	ssize_t n;
	int r = run_named(c, c->opt.operands[0], &run);

	if (r < 0)
		return r;
	path = arena_printf(&c->arena, "%s/log", run.dir);
	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 && errno == ENOENT && !run.detached)
		return trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "%s runs without -d: it prints where it was started", run.name);
	if (fd < 0)
		return err_sys(&c->trouble.err, CNI_IO, path ? -errno : -ENOMEM, "%s", path ? path : run.name);
	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		if ((r = file_write(STDOUT_FILENO, buffer, n)) < 0)
			return err_sys(&c->trouble.err, CNI_IO, r, "writing to stdout");
	return n < 0 ? err_sys(&c->trouble.err, CNI_IO, -errno, "%s", path) : EXIT_DONE;
}
