#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/patience.h"
#include "plumb.h"

enum { DEADLINE_MS = 120 * 1000, SILENT_MS = 2000 };    /* a wait that is longer than the second is told */

/* Which byte of the file is locked for what. */
enum { EVERYTHING, CONTAINERS, SPREAD = 1 << 30 };     /* two containers on one byte merely wait for each other */

/* CHECK changes nothing: where nothing can be written, nobody else changes anything either. */
static bool reads_only(const struct call *c, int error)
{
	return c->command && c->command->bit == CMD_CHECK && (error == EROFS || error == EACCES || error == ENOENT);
}

/* 0; 1: there is no lock to be had, and it goes without; negative. */
static int lock_open(struct call *c)
{
	const char *path = arena_printf(&c->arena, "%s/plumb.lock", c->opt.cache_dir);

	if (c->lock_fd >= 0)
		return 0;
	if (!path)
		return err_nomem(&c->trouble.err, "lock");
	mkdir(c->opt.cache_dir, 0755);          /* whether it is there shows at once */
	c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->lock_fd < 0 && reads_only(c, errno))
		return 1;
	return c->lock_fd < 0 ? err_sys(&c->trouble.err, CNI_IO, -errno, "%s", path) : 0;
}

static int lock_byte(struct call *c, int command, short type, off_t at)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(c->lock_fd, command, &l) < 0 ? -errno : 0;
}

/* The process that keeps us from the lock, 0: none. */
static pid_t holder_of(struct call *c, short type, off_t at)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(c->lock_fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? l.l_pid : 0;
}

static int lock_within(struct call *c, short type, off_t at, int ms)
{
	struct patience patience;
	int r;

	patience_begin(&patience, ms);
	do
		r = lock_byte(c, F_SETLKW, type, at);
	while (r == -EINTR && !patience_is_over(&patience));
	patience_end(&patience);
	return r;
}

static int wait_for(struct call *c, short type, off_t at, const char *what, int deadline_ms)
{
	int silent = deadline_ms < SILENT_MS ? deadline_ms : SILENT_MS, r = lock_within(c, type, at, silent);

	if (r == -EINTR && silent < deadline_ms) {
		fprintf(stderr, "plumb: %s: waiting for process %d, which works on it, %d s at most\n", what, (int)holder_of(c, type, at),
		        (deadline_ms - silent) / 1000);
		r = lock_within(c, type, at, deadline_ms - silent);
	}
	if (r == -EINTR) {
		r = err_set(&c->trouble.err, CNI_TRY_LATER, -ETIME, "%s: process %d has worked on it for %g s", what,
		            (int)holder_of(c, type, at), deadline_ms / 1000.0);
		err_detail(&c->trouble.err, "try again; if that process hangs, see why, or end it");
		return r;
	}
	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "locking %s/plumb.lock", c->opt.cache_dir) : 0;
}

int lock_container(struct call *c, const char *container)
{
	int r = lock_open(c);

	if (r > 0)
		return 0;
	if (r == 0)
		r = wait_for(c, F_RDLCK, EVERYTHING, "the networks", DEADLINE_MS);
	if (r == 0)
		r = wait_for(c, F_WRLCK, CONTAINERS + (off_t)(hash_strings(container, NULL) % SPREAD), container, DEADLINE_MS);
	return r;
}

int lock_all(struct call *c)
{
	int r = lock_open(c);

	return r == 0 ? wait_for(c, F_WRLCK, EVERYTHING, "the networks", DEADLINE_MS) : r;
}

void lock_release(struct call *c)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = EVERYTHING, .l_len = CONTAINERS + SPREAD };

	if (c->lock_fd >= 0)
		fcntl(c->lock_fd, F_SETLK, &l);
}
