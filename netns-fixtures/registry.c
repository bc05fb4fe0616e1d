#include "registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	int  fd;
	char path[512];
} taken = { .fd = -1 };

/* The user's own directory, as others must not plant worlds in it. */
static int directory(char *out, size_t size, struct fault *why)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (runtime && *runtime)
		snprintf(out, size, "%s/netns-fixture", runtime);
	else
		snprintf(out, size, "%s/netns-fixture-%u", geteuid() == 0 ? "/run" : "/tmp", geteuid());
	mkdir(out, 0700);
	if (lstat(out, &st) < 0)
		return fault_note(why, "%s", out);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022))
		return 0;
	errno = 0;
	return fault_note(why, "%s is not a directory of our own", out);
}

static int path_of(const char *name, char *out, size_t size, struct fault *why)
{
	char dir[256];

	if (!*name || strchr(name, '/') || *name == '.' || strlen(name) > 64) {
		errno = 0;
		return fault_note(why, "a world's name is 1 to 64 characters, no '/', no '.' at its start: \"%s\"", name);
	}
	if (directory(dir, sizeof dir, why) < 0)
		return -1;
	snprintf(out, size, "%s/%s", dir, name);
	return 0;
}

static int holder_of(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

int registry_take(const char *name, struct fault *why)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (path_of(name, taken.path, sizeof taken.path, why) < 0)
		return -1;
	taken.fd = open(taken.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (taken.fd < 0)
		return fault_note(why, "%s", taken.path);
	if (fcntl(taken.fd, F_SETLK, &lock) == 0)
		return 0;
	errno = 0;
	return fault_note(why, "world \"%s\" is held open by process %d; end it, or give another --name", name, holder_of(taken.fd));
}

int registry_note(pid_t world, struct fault *why)
{
	if (ftruncate(taken.fd, 0) < 0 || dprintf(taken.fd, "%d\n", world) < 0)
		return fault_note(why, "%s", taken.path);
	return 0;
}

void registry_drop(void)
{
	if (taken.fd >= 0)
		unlink(taken.path);
}

static int read_held(const char *path, struct held *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[32] = "";

	if (fd < 0)
		return -1;
	out->holder = holder_of(fd);
	out->world = read(fd, text, sizeof text - 1) > 0 ? atoi(text) : 0;
	close(fd);
	return out->holder > 0 && out->world > 0 ? 0 : -1;
}

int registry_find(const char *name, struct held *out, struct fault *why)
{
	char path[512];

	if (path_of(name, path, sizeof path, why) < 0)
		return -1;
	if (read_held(path, out) == 0)
		return 0;
	errno = 0;
	return fault_note(why, "no world \"%s\" is held open", name);
}

void registry_each(void (*each)(const char *name, const struct held *h))
{
	struct fault ignored;
	struct dirent *entry;
	struct held held;
	char dir[256], path[600];
	DIR *d;

	if (directory(dir, sizeof dir, &ignored) < 0 || !(d = opendir(dir)))
		return;
	while ((entry = readdir(d))) {
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		if (*entry->d_name != '.' && read_held(path, &held) == 0)
			each(entry->d_name, &held);
	}
	closedir(d);
}
