#include "firewall/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/attach.h"
#include "os/file.h"

enum { RECORD_LIMIT = 64 << 10 };

#define RECORD_END ".zone"

int binding_push(struct cni_call *c, struct binding *b, char *source)
{
	char **slot = source ? arena_push(&c->arena, &b->sources.items, &b->sources.count, sizeof *slot) : NULL;

	if (!slot)
		return err_nomem(&c->err, "sources");
	*slot = source;
	return 0;
}

static const char *record_name(const char *owner, const char *end, char out[NAME_MAX + 1])
{
	snprintf(out, NAME_MAX + 1, "%s%s", owner, end);
	for (char *s = out; *s; s++)
		if (*s == '/')
			*s = ':';               /* which none of an owner's names can have */
	return out;
}

const char *record_path(const struct cni_call *c, char out[PATH_MAX])
{
	char name[NAME_MAX + 1];

	snprintf(out, PATH_MAX, ZONE_RECORDS "/%s", record_name(c->who.owner, RECORD_END, name));
	return out;
}

/* What a killed call was about to make of the record: the next that writes it takes it over. */
static const char *unfinished_path(const struct cni_call *c, char out[PATH_MAX])
{
	char name[NAME_MAX + 1];

	snprintf(out, PATH_MAX, ZONE_RECORDS "/.%s", record_name(c->who.owner, RECORD_END ".new", name));
	return out;
}

void record_abandon(const struct cni_call *c)
{
	char path[PATH_MAX];

	unlink(unfinished_path(c, path));
}

int record_write(struct cni_call *c, const struct binding *b)
{
	char temporary[PATH_MAX], path[PATH_MAX], *text = arena_strdup(&c->arena, "");
	scoped(fd_close) int fd = -1;
	int r;

	for_list (char *, source, &b->sources)
		if (text)
			text = arena_printf(&c->arena, "%s%s %s\n", text, b->zone, *source);
	if (!text)
		return err_nomem(&c->err, "record");
	mkdir("/run/plumb", 0755);
	mkdir(ZONE_RECORDS, 0700);
	fd = open(unfinished_path(c, temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : file_write(fd, text, strlen(text));
	if (r == 0 && rename(temporary, record_path(c, path)) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_sys(&c->err, CNI_IO, r, "recording what is in firewalld's zone: %s", temporary);
	}
	return 0;
}

int record_read(struct cni_call *c, const char *path, struct binding *b)
{
	size_t len;
	char *line = file_read(&c->arena, path, RECORD_LIMIT, &len), *next;
	int r = line || errno == ENOENT ? 0 : err_sys(&c->err, CNI_IO, -errno, "reading what is in firewalld's zone: %s", path);

	for (; line && r == 0; line = next) {
		char *space;

		if ((next = strchr(line, '\n')))
			*next++ = '\0';
		if (!(space = strrchr(line, ' ')))
			continue;
		*space = '\0';
		b->zone = line;
		r = binding_push(c, b, space + 1);
	}
	return r;
}

static bool record_is_valid(struct cni_call *c, const char *name)
{
	char owner[OWNER_SIZE], valid[NAME_MAX + 1];

	for_list (const struct valid_attachment, a, &c->net.valid) {
		attach_owner(c->who.network, a->container, a->ifname, owner);
		if (!strcmp(name, record_name(owner, RECORD_END, valid)))
			return true;
	}
	return false;
}

bool record_is_stale(struct cni_call *c, const char *name)
{
	char owner[OWNER_SIZE], start[NAME_MAX + 1];

	attach_owner_network(c->who.network, owner);
	record_name(owner, "", start);
	return !strncmp(name, start, strlen(start)) && !record_is_valid(c, name);
}
