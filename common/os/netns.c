#include "os/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/scoped.h"

enum { TRIES = 100 };                   /* to come back, a millisecond apart: the kernel may be short of memory for a moment */

/* Any namespace, or a file of procfs on a kernel without nsfs ioctls, would pass a test of the file system alone. */
static int is_netns(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == NSFS_MAGIC && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

int netns_open(const char *path, struct err *e)
{
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return err_sys(e, errno == ENOENT ? CNI_UNKNOWN_CONTAINER : CNI_IO, -errno, "failed to open netns \"%s\"", path);
	r = is_netns(fd);
	if (r < 0)
		return err_sys(e, CNI_IO, r, "failed to open netns \"%s\"", path);
	if (!r)
		return err_set(e, CNI_BAD_ENV, -EINVAL, "CNI_NETNS: \"%s\" is no network namespace", path);
	return fd_keep(&fd);
}

int netns_open_self(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, CNI_IO, -errno, "our own network namespace (/proc/self/ns/net)") : fd;
}

bool netns_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

uint64_t netns_inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

int netns_enter(int fd, struct err *e)
{
	scoped(fd_close) int back = netns_open_self(e);

	if (back < 0)
		return back;
	if (setns(fd, CLONE_NEWNET) < 0) {
		int r = err_sys(e, CNI_FAILED, -errno, "entering the container's network namespace");

		if (r == -EPERM)
			err_detail(e, "that takes the capability CAP_SYS_ADMIN there and here: run plugins as root, and not under a filter of system calls (seccomp) without setns");
		return r;
	}
	return fd_keep(&back);
}

int netns_enter_new(struct err *e)
{
	scoped(fd_close) int back = netns_open_self(e);

	if (back < 0)
		return back;
	return unshare(CLONE_NEWNET) < 0 ? err_sys(e, CNI_FAILED, -errno, "making a network namespace") : fd_keep(&back);
}

void netns_leave(int *back)
{
	if (*back < 0)
		return;
	for (int tries = 0; setns(*back, CLONE_NEWNET) < 0; tries++) {
		if (tries == TRIES) {
			perror("returning to our own network namespace");
			_exit(1);       /* what came next would hit the container's */
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	close(*back);
	*back = -1;
}
