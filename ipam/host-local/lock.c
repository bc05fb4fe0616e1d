#include "host-local/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/scoped.h"
#include "os/patience.h"

enum { SILENT_MS = 2000 };      /* a wait that is longer is told */

/* 0 or -errno; -ETIME when the deadline has passed. */
static int wait_for(int fd, int deadline_ms)
{
	struct patience patience;
	int r;

	patience_begin(&patience, deadline_ms);
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR && !patience_is_over(&patience));
	patience_end(&patience);
	return r == -EINTR ? -ETIME : r;
}

/* ---- Who holds it ---- */

/* Of a line of /proc/locks, "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". 0: not this file's, or of one who waits ("1: -> FLOCK"). */
static int holder_in(const char *line, const struct stat *file)
{
	unsigned major_no, minor_no;
	unsigned long long inode;
	int pid;

	if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_no, &minor_no, &inode) != 4)
		return 0;
	return inode == file->st_ino && major_no == major(file->st_dev) && minor_no == minor(file->st_dev) ? pid : 0;
}

static int holder_pid(int fd)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	struct stat st;
	int pid = 0;

	if (!locks)
		return 0;
	if (fstat(fd, &st) == 0)
		while (pid == 0 && fgets(line, sizeof line, locks))
			pid = holder_in(line, &st);
	fclose(locks);
	return pid;
}

/* The command line with spaces between the words. */
static void command_of(int pid, char *out, size_t size)
{
	char path[64];
	scoped(fd_close) int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, out, size - 1);
	n = n < 0 ? 0 : n;
	while (n > 0 && out[n - 1] == '\0')
		n--;
	out[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (out[i] == '\0')
			out[i] = ' ';
}

enum { HOLDER_TEXT = 320 };

static const char *holder_text(int fd, char out[HOLDER_TEXT])
{
	int pid = holder_pid(fd);
	char command[256];

	if (pid <= 0)
		return "somebody who cannot be told from /proc/locks";
	command_of(pid, command, sizeof command);
	if (*command)
		snprintf(out, HOLDER_TEXT, "process %d (%s)", pid, command);
	else
		snprintf(out, HOLDER_TEXT, "a process that has it from process %d, which is gone", pid);
	return out;
}

static int refuse(int fd, const char *path, int deadline_ms, struct err *e)
{
	char holder[HOLDER_TEXT];

	err_set(e, CNI_TRY_LATER, -ETIME, "leases in %s: still locked after %g seconds", path, deadline_ms / 1000.0);
	err_detail(e, "the lock %s/lock is held by %s", path, holder_text(fd, holder));
	err_detail(e, "try again; if that process hangs, see why, or end it");
	return -ETIME;
}

/* Says what it waits for, once that takes long. */
static int wait_and_tell(int fd, const char *path, int deadline_ms)
{
	int silent = deadline_ms < SILENT_MS ? deadline_ms : SILENT_MS, r = wait_for(fd, silent);
	char holder[HOLDER_TEXT];

	if (r != -ETIME || silent == deadline_ms)
		return r;
	fprintf(stderr, "leases in %s: waiting, another %d seconds at most, for the lock %s/lock that %s holds\n", path, (deadline_ms - silent) / 1000, path,
	        holder_text(fd, holder));
	return wait_for(fd, deadline_ms - silent);
}

int store_lock(int dir, const char *path, int deadline_ms, struct err *e)
{
	scoped(fd_close) int fd = openat(dir, "lock", O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0750);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? -ESTALE : err_sys(e, CNI_IO, -errno, "lock file %s/lock", path);
	r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (r == -EWOULDBLOCK || r == -EINTR)
		r = wait_and_tell(fd, path, deadline_ms);
	if (r == -ETIME)
		return refuse(fd, path, deadline_ms, e);
	if (r < 0)
		return err_sys(e, CNI_IO, r, "lock file %s/lock", path);
	return fstat(fd, &st) == 0 && st.st_nlink > 0 ? fd_keep(&fd) : -ESTALE;
}
