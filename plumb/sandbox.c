#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "os/link.h"
#include "os/netlink.h"
#include "os/netns.h"
#include "plumb.h"

#define NETNS_DIR "/run/netns"
#define PREFIX    "plumb-"
#define OWN_ID    "run-"

const char *sandbox_new_id(struct call *c)
{
	unsigned long long n = 0;

	if (getrandom(&n, sizeof n, 0) != sizeof n)
		return NULL;
	return arena_printf(&c->arena, OWN_ID "%016llx", n);
}

/* ---- Made ---- */

static int lo_up(struct err *e)
{
	struct netlink nl;
	struct link lo;
	int r = netlink_open(&nl, NETLINK_ROUTE, e);

	if (r < 0)
		return r;
	r = link_by_name(&nl, "lo", &lo, e);
	if (r == 0)
		r = link_up(&nl, lo.index, e);
	netlink_close(&nl);
	return r < 0 ? err_sys(e, CNI_FAILED, r, "lo") : 0;
}

/* We go there and back. The descriptor is of a namespace that ends with it, unless something else holds it. */
static int new_netns(struct err *e)
{
	scoped(netns_leave) int back = netns_open_self(e);
	scoped(fd_close) int fd = -1;
	int r;

	if (back < 0)
		return back;
	if (unshare(CLONE_NEWNET) < 0) {
		r = -errno;
		return err_sys(e, CNI_FAILED, r, "a new network namespace");
	}
	fd = netns_open_self(e);
	r = fd < 0 ? fd : lo_up(e);
	return r < 0 ? r : fd_keep(&fd);
}

/* Binds the namespace to a name. The file is born here: a name that is there is somebody's. */
static int pin(struct call *c, int fd, const char *path)
{
	struct err *e = &c->trouble.err;
	char from[32];
	int file, r;

	mkdir(NETNS_DIR, 0755);
	file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0000);
	if (file < 0 && errno == EEXIST) {
		trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "%s is there already", path);
		err_detail(e, "another run has this id, or one was killed and plumb gc has not been called since");
		return -EEXIST;
	}
	if (file < 0)
		return err_sys(e, CNI_IO, -errno, "%s", path);
	close(file);
	snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
	if (mount(from, path, NULL, MS_BIND, NULL) == 0)
		return 0;
	r = -errno;
	unlink(path);
	return err_sys(e, CNI_IO, r, "binding the namespace to %s", path);
}

const char *sandbox_path(struct call *c, const char *id)
{
	return arena_printf(&c->arena, NETNS_DIR "/" PREFIX "%s", id);
}

int sandbox_make(struct call *c, const char *id, struct sandbox *out)
{
	const char *path = sandbox_path(c, id);
	scoped(fd_close) int fd = path ? new_netns(&c->trouble.err) : -ENOMEM;
	int r;

	if (fd < 0)
		return fd;
	flock(fd, LOCK_EX | LOCK_NB);   /* before it has a name, so that nobody takes it for abandoned */
	if ((r = pin(c, fd, path)) < 0)
		return r;
	*out = (struct sandbox){ .path = path, .fd = fd_keep(&fd) };
	return 0;
}

/* ---- Removed ---- */

void sandbox_discard(const char *path)
{
	umount2(path, MNT_DETACH);
	unlink(path);
}

void sandbox_remove(struct sandbox *s)
{
	if (!s->path)
		return;
	sandbox_discard(s->path);
	fd_close(&s->fd);
	*s = (struct sandbox){ .fd = -1 };
}

/* ---- Abandoned ---- */

static bool is_abandoned(const char *path)
{
	struct err ignored = { 0 };
	scoped(fd_close) int fd = netns_open(path, &ignored);

	return fd == -EINVAL || (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
}

bool sandbox_is_of(const char *path, const char *id)
{
	static const char begin[] = NETNS_DIR "/" PREFIX;

	return !strncmp(path, begin, sizeof begin - 1) && !strcmp(path + sizeof begin - 1, id);
}

bool sandbox_abandoned(const char *path, const char *id)
{
	return sandbox_is_of(path, id) && is_abandoned(path);
}

void sandbox_sweep(struct call *c)
{
	static const char begin[] = PREFIX OWN_ID;
	scoped(dir_close) DIR *d = opendir(NETNS_DIR);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		const char *id = entry->d_name + sizeof begin - 1, *path;

		if (strncmp(entry->d_name, begin, sizeof begin - 1) || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
			continue;
		path = arena_printf(&c->arena, NETNS_DIR "/%s", entry->d_name);
		if (path && is_abandoned(path))
			sandbox_discard(path);
	}
}
