#include "os/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scoped.h"

struct path { char text[256]; };

static struct path path_of(const char *fmt, va_list ap)
{
	struct path p = { "/proc/sys/" };
	size_t used = strlen(p.text);

	vsnprintf(p.text + used, sizeof p.text - used, fmt, ap);
	return p;
}

static int read_at(const char *path, char *out, size_t size)
{
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static bool has(const char *path, const char *value)
{
	char now[64];

	return read_at(path, now, sizeof now) == 0 && !strcmp(now, value);
}

static int write_at(const char *path, const char *value)
{
	scoped(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int sysctl_set(const char *value, const char *fmt, ...)
{
	struct path p;
	va_list ap;

	va_start(ap, fmt);
	p = path_of(fmt, ap);
	va_end(ap);
	return has(p.text, value) ? 0 : write_at(p.text, value);
}

int sysctl_put(const char *value, const char *fmt, ...)
{
	struct path p;
	va_list ap;
	int r;

	va_start(ap, fmt);
	p = path_of(fmt, ap);
	va_end(ap);
	r = write_at(p.text, value);
	return r < 0 && has(p.text, value) ? 0 : r;
}

long sysctl_number(long otherwise, const char *fmt, ...)
{
	char text[32], *end;
	struct path p;
	long n;
	va_list ap;

	va_start(ap, fmt);
	p = path_of(fmt, ap);
	va_end(ap);
	if (read_at(p.text, text, sizeof text) < 0)
		return otherwise;
	n = strtol(text, &end, 10);
	return end == text ? otherwise : n;
}
