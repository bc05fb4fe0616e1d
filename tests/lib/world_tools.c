/* What tests do in their worlds: commands, files, settings. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "run.h"
#include "test.h"

static struct ran shell(const char *netns, const char *command)
{
	const char *argv[] = { "/bin/sh", "-c", command, NULL };

	return run_program(&(struct run){ .argv = argv, .netns = netns, .deadline_ms = 100000 });
}

const char *sh_(const char *netns, const char *fmt, ...)
{
	struct ran ran;
	char *command;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&command, fmt, ap) < 0)
		abort();
	va_end(ap);
	ran = shell(netns, command);
	if (ran.status != 0)
		fail_("in %s: %s\nexit status %d\n%s%s", netns, command, ran.status, ran.out, ran.err);
	return ran.out;
}

bool sh_try(const char *netns, const char *fmt, ...)
{
	char *command;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&command, fmt, ap) < 0)
		abort();
	va_end(ap);
	return shell(netns, command).status == 0;
}

void file_write(const char *path, const char *text)
{
	char *parent = keep("%s", path);
	int fd;

	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(parent, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail_("%s: %s", path, strerror(errno));
	close(fd);
}

const char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[65536];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return keep("%s", text);
}

/* The setting's file is the namespace's that we are in when it is opened. */
static int sysctl_open(const char *netns, const char *name, int flags)
{
	int ns = world_netns(netns), host = world_netns("host"), fd;
	char path[256];

	if (ns < 0 || host < 0 || world_enter_netns(ns) < 0)
		fail_("namespace %s: %s", netns, strerror(errno));
	snprintf(path, sizeof path, "/proc/sys/%s", name);
	fd = open(path, flags | O_CLOEXEC);
	if (world_enter_netns(host) < 0)
		abort();
	close(ns);
	close(host);
	return fd;
}

const char *sysctl_in(const char *netns, const char *name)
{
	int fd = sysctl_open(netns, name, O_RDONLY);
	char text[256];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return "absent";
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return keep("%s", text);
}

void sysctl_put(const char *netns, const char *name, const char *value)
{
	int fd = sysctl_open(netns, name, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail_("setting %s in %s: %s", name, netns, strerror(errno));
	close(fd);
}
