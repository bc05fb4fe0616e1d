#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/scoped.h"

enum { ROOM_FOR_PROC = 64 << 10 };      /* files in /proc do not tell their size */

/* Until the end, or room is used up; the bytes read, or -1 with errno set. */
static ssize_t read_all(int fd, char *out, size_t room)
{
	size_t used = 0;

	while (used < room) {
		ssize_t n = read(fd, out + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += n;
	}
	return (ssize_t)used;
}

char *file_read(struct arena *a, const char *path, size_t limit, size_t *len)
{
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	size_t room;
	ssize_t n;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size > limit) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	room = st.st_size > 0 ? (size_t)st.st_size : limit < ROOM_FOR_PROC ? limit : ROOM_FOR_PROC;
	text = arena_alloc(a, room + 1);
	n = text ? read_all(fd, text, room) : -1;
	*len = n > 0 ? (size_t)n : 0;
	return n < 0 ? NULL : text;
}

bool file_is_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int file_write(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

const char *file_remedy(int r)
{
	switch (r) {
	case -ENOSPC:
	case -EDQUOT:
		return "make room on its file system";
	case -EROFS:
		return "mount its file system writable";
	default:
		return NULL;
	}
}
