/* Into a world from outside. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inside.h"

static bool shares(pid_t pid, const char *kind)
{
	struct stat ours, theirs;
	char a[64], b[64];

	snprintf(a, sizeof a, "/proc/self/ns/%s", kind);
	snprintf(b, sizeof b, "/proc/%d/ns/%s", pid, kind);
	return stat(a, &ours) == 0 && stat(b, &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

/* A mount namespace's root is not the world's where the world began in a chroot. */
static int root_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/root", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int world_join(pid_t pid, struct fault *why)
{
	int kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	char here[4096], *path = getcwd(here, sizeof here);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), root = root_of(pid), r;

	if (fd < 0) {
		fault_note(why, "process %d", pid);
		close(root);
		return -1;
	}
	if (!shares(pid, "user"))
		kinds |= CLONE_NEWUSER;
	r = setns(fd, kinds);
	if (r < 0)
		fault_note(why, "entering the namespaces of process %d", pid);
	close(fd);
	if (r == 0 && (root < 0 || fchdir(root) < 0 || chroot(".") < 0))
		r = fault_note(why, "entering the root directory of process %d", pid);
	close(root);
	if (r == 0 && (kinds & CLONE_NEWUSER) && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		r = fault_note(why, "becoming root of the world");
	if (r == 0 && (!path || chdir(path) < 0))
		r = chdir("/");
	return r;
}
