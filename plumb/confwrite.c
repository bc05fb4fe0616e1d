#include "confwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "os/file.h"
#include "os/patience.h"
#include "plumb.h"

enum { DEADLINE_MS = 60 * 1000 };

/* With all directories on the way. */
static int make_path(const char *path)
{
	char part[4096];

	if (!text_format(part, sizeof part, "%s", path))
		return -ENAMETOOLONG;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
	return mkdir(part, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int confdir_lock(struct call *c)
{
	const char *dir = c->opt.conf_dir;
	struct patience patience;
	int fd, r = make_path(dir);

	fd = r < 0 ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(&c->trouble.err, CNI_IO, r < 0 ? r : -errno, "%s", dir);
	patience_begin(&patience, DEADLINE_MS);
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR && !patience_is_over(&patience));
	patience_end(&patience);
	if (r == 0)
		return fd;
	close(fd);
	if (r == -EINTR)
		return err_set(&c->trouble.err, CNI_TRY_LATER, -ETIME, "%s: another process has it locked for %d s now", dir, DEADLINE_MS / 1000);
	return err_sys(&c->trouble.err, CNI_IO, r, "locking %s", dir);
}

const char *confdir_path(struct call *c, const char *name)
{
	return arena_printf(&c->arena, "%s/plumb-%s.conflist", c->opt.conf_dir, name);
}

/* A name that no runtime takes for a configuration. */
static int write_unnamed(const char *path, const json_t *list)
{
	scoped(mem_free) char *text = json_dumps(list, JSON_INDENT(2));
	scoped(fd_close) int fd = -1;
	int r;

	unlink(path);                   /* of one that was killed; it may be its network's file by now */
	fd = text ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return text ? -errno : -ENOMEM;
	r = file_write(fd, text, strlen(text));
	if (r == 0)
		r = file_write(fd, "\n", 1);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r < 0)
		unlink(path);
	return r;
}

int confdir_write(struct call *c, const char *path, const json_t *list)
{
	const char *unnamed = arena_printf(&c->arena, "%s/.plumb-new", c->opt.conf_dir);
	int r = unnamed ? write_unnamed(unnamed, list) : -ENOMEM;

	if (r < 0)
		return err_sys(&c->trouble.err, CNI_IO, r, "%s", path);
	if (link(unnamed, path) < 0)
		r = -errno;
	unlink(unnamed);
	if (r == -EEXIST) {
		trouble_set(&c->trouble, EXIT_FAILED, r, "%s is there already, and has no network of this name", path);
		err_detail(&c->trouble.err, "move it away");
		return r;
	}
	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "%s", path) : 0;
}
