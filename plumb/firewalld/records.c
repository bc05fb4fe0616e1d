#include "records.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is being written has a dot before its name. */
static int is_record(const struct dirent *d)
{
	const char *end = strrchr(d->d_name, '.');

	return d->d_name[0] != '.' && end && !strcmp(end, ".zone");
}

/* Splits "ZONE SOURCE\n" at its last space. */
static bool read_line(char *line, struct binding *b)
{
	char *space;

	line[strcspn(line, "\n")] = '\0';
	space = strrchr(line, ' ');
	if (!space || space == line || !space[1])
		return false;
	*space = '\0';
	b->zone = line;
	b->source = space + 1;
	return true;
}

static int each_of_file(const char *name, binding_each *each, void *arg)
{
	struct binding b = { .record = name };
	char path[PATH_MAX], line[512];
	FILE *f;
	int r = 0;

	snprintf(path, sizeof path, RECORDS "/%s", name);
	f = fopen(path, "re");
	while (f && r == 0 && fgets(line, sizeof line, f))
		if (read_line(line, &b))
			r = each(&b, arg);
	if (f)
		fclose(f);
	return r;
}

int records_each(enum records_order order, binding_each *each, void *arg)
{
	struct dirent **files;
	int n = scandir(RECORDS, &files, is_record, alphasort), r = 0;

	for (int i = 0; i < n; i++)
		if (r == 0)
			r = each_of_file(files[order == FIRST_TO_LAST ? i : n - 1 - i]->d_name, each, arg);
	for (int i = 0; i < n; i++)
		free(files[i]);
	if (n >= 0)
		free(files);
	return r;
}

static int is_same(const struct binding *b, void *arg)
{
	const struct binding *wanted = arg;

	return !strcmp(b->zone, wanted->zone) && !strcmp(b->source, wanted->source);
}

bool records_have(const char *zone, const char *source)
{
	struct binding wanted = { .zone = zone, .source = source };

	return records_each(FIRST_TO_LAST, is_same, &wanted) != 0;
}

bool record_is_there(const char *record)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, RECORDS "/%s", record);
	return access(path, F_OK) == 0;
}
