/* Files below a directory as lines: what kind, and what a short one holds. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

/* Text with what would break a line made visible. */
static const char *shown(const char *text)
{
	char out[400];
	size_t n = 0;

	for (; *text && n < sizeof out - 5; text++) {
		if (*text == '\n')
			n += sprintf(out + n, "\\n");
		else if (*text == '\r')
			n += sprintf(out + n, "\\r");
		else if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			n += sprintf(out + n, "\\x%02x", (unsigned char)*text);
		else
			out[n++] = *text;
	}
	out[n] = '\0';
	return keep("%s%s", out, *text ? "…" : "");
}

static void snapshot_file(struct snapshot *s, const char *path, const struct stat *st)
{
	if (S_ISDIR(st->st_mode)) {
		snapshot_add(s, "dir %s", path);
		snapshot_files(s, path);
	} else if (S_ISREG(st->st_mode)) {
		const char *text = file_read(path);

		snapshot_add(s, "file %s = %s", path, shown(text ? text : "(unreadable)"));
	} else {
		snapshot_add(s, "%s %s", S_ISSOCK(st->st_mode) ? "socket" : S_ISLNK(st->st_mode) ? "symlink" : "special", path);
	}
}

/* /run/netns holds the namespaces, which are looked into otherwise: their files by name only. */
void snapshot_files(struct snapshot *s, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	struct stat st;

	while (d && (entry = readdir(d))) {
		const char *path;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		path = keep("%s/%s", dir, entry->d_name);
		if (!strcmp(dir, "/run/netns"))
			snapshot_add(s, "namespace %s", entry->d_name);
		else if (lstat(path, &st) == 0)
			snapshot_file(s, path, &st);
	}
	if (d)
		closedir(d);
}
