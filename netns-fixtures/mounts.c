/* The world's file system: the machine's, with what must be private mounted over it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

/* In a chroot, "/" is no mount. Joining our own mount namespace leads to its real root, and our root is gone back to afterwards. */
static int make_private_in_chroot(void)
{
	int root = open("/", O_PATH | O_CLOEXEC), here = open(".", O_PATH | O_CLOEXEC);
	int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), r = -1;

	if (root >= 0 && here >= 0 && mounts >= 0 && setns(mounts, CLONE_NEWNS) == 0) {
		r = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(here) < 0)
			r = -1;
	}
	close(root);
	close(here);
	close(mounts);
	return r;
}

static int make_private(struct fault *why)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		return 0;
	if (errno != EINVAL || make_private_in_chroot() < 0)
		return fault_note(why, "making mounts private");
	return 0;
}

/* mkdir -p */
static void make_dirs(const char *path)
{
	char part[4096];

	for (size_t i = 1; path[i - 1] && i < sizeof part; i++)
		if (path[i] == '/' || !path[i]) {
			memcpy(part, path, i);
			part[i] = '\0';
			mkdir(part, 0755);
		}
}

/* An empty directory over dir; where the working directory is below it, that one shines through. */
static int cover(const char *dir, struct fault *why)
{
	size_t len = strlen(dir);
	char here[4096];
	bool below = getcwd(here, sizeof here) && !strncmp(here, dir, len) && here[len] == '/';
	int fd = below ? open(".", O_PATH | O_CLOEXEC) : -1;
	char source[64];

	if (mount("world", dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return fault_note(why, "mounting a tmpfs on %s", dir);
	if (!below)
		return 0;
	snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
	make_dirs(here);
	if (mount(source, here, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(here) < 0)
		fault_note(why, "keeping %s in sight", here);
	close(fd);
	return *why->text ? -1 : 0;
}

int mounts_make(struct fault *why)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (make_private(why) < 0 || cover("/run", why) < 0 || cover("/var/lib", why) < 0)
		return -1;
	if (mount("proc", "/proc", "proc", flags, NULL) < 0)
		return fault_note(why, "mounting /proc");
	mount("sysfs", "/sys", "sysfs", flags, NULL);   /* not every container engine lets us; few programs look there */
	if (mkdir("/run/netns", 0755) < 0 || mkdir("/var/lib/cni", 0755) < 0)
		return fault_note(why, "making directories in /run and /var/lib");
	return 0;
}
