#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "os/file.h"

static void give_up(const char *what)
{
	printf("1..0 # SKIP namespaces of its own cannot be had here: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(0);
}

static void map_ids(const char *path, unsigned id)
{
	char text[32];
	int n = snprintf(text, sizeof text, "0 %u 1", id), fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, n) != n)
		give_up(path);
	close(fd);
}

/* As another user than root, in a user namespace. */
static void enter(void)
{
	unsigned uid = geteuid(), gid = getegid();
	int own = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC;

	if (uid == 0 && unshare(own) == 0)
		return;
	if (unshare(own | CLONE_NEWUSER) < 0)
		give_up("unshare");
	if (access("/proc/self/setgroups", F_OK) == 0)
		write_file("/proc/self/setgroups", "deny", 4);
	map_ids("/proc/self/uid_map", uid);
	map_ids("/proc/self/gid_map", gid);
}

/* Programs, corpus and findings may be under /tmp or the like: only folders that plumb writes to are emptied. */
void world_of_our_own(void)
{
	static const char *const emptied[] = { "/run", "/var/lib", "/etc/cni" };

	enter();
	if (mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		give_up("a mount namespace");
	for (size_t i = 0; i < sizeof emptied / sizeof *emptied; i++)
		if (access(emptied[i], F_OK) == 0 && mount("none", emptied[i], "tmpfs", 0, "size=64m") < 0)
			give_up(emptied[i]);
}

void write_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0);
	require(file_write(fd, data, size) == 0);
	close(fd);
}
