#include "host-local/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "base/text.h"
#include "os/file.h"

/* One name each is enough, as only the lock's holder makes one. */
#define NEW_LEASE ".lease.new"
#define NEW_LAST  ".last_reserved_ip.new"
#define NEW_PROBE ".probe.new"

enum { LAST_NAME = 48 };

/* ---- Names ---- */

bool lease_name_parse(const char *name, struct addr *out)
{
	char full[ADDR_TEXT];

	return addr_parse(name, out) && !strcmp(addr_text(out, full), name);
}

bool lease_name_is_litter(const char *name)
{
	return !strcmp(name, NEW_LEASE) || !strcmp(name, NEW_LAST) || !strcmp(name, NEW_PROBE);
}

/* ---- Reading ---- */

void lease_file_parse(struct lease_file *out, size_t len)
{
	bool whole = len < LEASE_TEXT && !memchr(out->text, '\0', len);
	char *text, *end;

	out->text[whole ? len : 0] = '\0';
	text = text_trim(out->text);
	end = strstr(text, "\r\n");
	out->empty = whole && !*text;
	out->id = text;
	out->ifname = end ? end + 2 : text + strlen(text);
	if (end)
		*end = '\0';
}

/* Why a directory, a link or a socket cannot be read; anything else is a failure to look. */
static bool is_no_file(int error)
{
	return error == EISDIR || error == ELOOP || error == ENXIO || error == EINVAL;
}

int lease_file_read(int dir, const char *name, struct lease_file *out)
{
	scoped(fd_close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	lease_file_parse(out, sizeof out->text);
	out->born = (struct timespec){ 0 };
	if (fd < 0 || fstat(fd, &st) < 0)
		return is_no_file(errno) ? 0 : -errno;
	do
		n = read(fd, out->text, sizeof out->text);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return is_no_file(errno) ? 0 : -errno;
	out->born = st.st_mtim;
	lease_file_parse(out, (size_t)n);
	return 0;
}

/* ---- Writing ---- */

/* A file without a name that gets one when it is whole. */
static int make_unnamed(int dir, const char *name, const char *text, size_t len)
{
	scoped(fd_close) int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char path[64];
	int r;

	if (fd < 0)
		return -errno;
	r = file_write(fd, text, len);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int write_new(int dir, const char *name, const char *text, size_t len)
{
	scoped(fd_close) int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	return fd < 0 ? -errno : file_write(fd, text, len);
}

static int make_named(int dir, const char *name, const char *text, size_t len)
{
	int r = write_new(dir, NEW_LEASE, text, len);

	if (r == 0 && linkat(dir, NEW_LEASE, dir, name, 0) < 0)
		r = -errno;
	unlinkat(dir, NEW_LEASE, 0);
	return r;
}

static bool is_there(int dir, const char *name, const char *id, const char *ifname)
{
	struct lease_file there;

	return lease_file_read(dir, name, &there) == 0 && !strcmp(there.id, id) && !strcmp(there.ifname, ifname);
}

int lease_file_make(int dir, const char *name, const char *id, const char *ifname)
{
	char text[LEASE_TEXT];
	size_t len;
	int r;

	if (!text_format(text, sizeof text, "%s\r\n%s", id, ifname))
		return -ENAMETOOLONG;
	len = strlen(text);
	r = make_unnamed(dir, name, text, len);
	if (r == 0 || r == -EEXIST)
		return r;
	r = make_named(dir, name, text, len);           /* not every file system has files without a name */
	return r < 0 && is_there(dir, name, id, ifname) ? 0 : r;        /* a file system said no, and had done it */
}

int lease_file_probe(int dir)
{
	static const char text[LEASE_TEXT] = "";
	scoped(fd_close) int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int r;

	if (fd >= 0)
		return file_write(fd, text, sizeof text);
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	r = write_new(dir, NEW_PROBE, text, sizeof text);
	unlinkat(dir, NEW_PROBE, 0);
	return r;
}

/* ---- The round robin's memory ---- */

static const char *last_name(size_t n, char out[LAST_NAME])
{
	snprintf(out, LAST_NAME, "last_reserved_ip.%zu", n);
	return out;
}

struct addr last_reserved_read(int dir, size_t n)
{
	char name[LAST_NAME], text[ADDR_TEXT + 16];
	scoped(fd_close) int fd = openat(dir, last_name(n, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	struct addr a = { 0 };

	if (len > 0) {
		text[len] = '\0';
		addr_parse(text_trim(text), &a);
	}
	return a;
}

void last_reserved_write(int dir, size_t n, const struct addr *a)
{
	char name[LAST_NAME], text[ADDR_TEXT];

	addr_text(a, text);
	if (write_new(dir, NEW_LAST, text, strlen(text)) < 0 || renameat(dir, NEW_LAST, dir, last_name(n, name)) < 0)
		unlinkat(dir, NEW_LAST, 0);
}
