/* host-local's folder, whatever is in it: files ("NAME\tCONTENT", a line each; the \r\n in a content is written as "||"), then a container's ADD, CHECK and
 * DEL there. (The index of the folder: index_table.c.) */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/call.h"
#include "lib/fuzz.h"

#define FOLDER "/var/lib/cni/networks/net"

static const char conf[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\",\"ipam\":{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.1.0.0/29\"}],"
                           "[{\"subnet\":\"fd00:1::/124\"}]]}}";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir("/var/lib/cni", 0755);
	mkdir("/var/lib/cni/networks", 0755);
	mkdir("/run/plumb", 0755);
	mkdir("/run/plumb/leases", 0700);
	return 0;
}

static void empty(const char *path)
{
	scoped(dir_close) DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, "..") && unlinkat(dirfd(dir), d->d_name, 0) < 0)
			unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR);
}

static void furnish(char *text)
{
	char *line;

	while ((line = line_of(&text))) {
		char *name = strsep(&line, "\t"), path[256];
		size_t len = line ? strlen(line) : 0;

		for (char *p = line; p && (p = strstr(p, "||")); p += 2)
			memcpy(p, "\r\n", 2);
		if (*name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..") && strcmp(name, "lock") && strlen(name) < 64) {
			snprintf(path, sizeof path, FOLDER "/%s", name);
			write_file(path, line ? line : "", len);
		}
	}
}

static int run(enum verb verb)
{
	struct cni_call c;
	int r = call_begin(&c, verb, "host-local", "", conf, strlen(conf));

	require(r == 0 || verb == VERB_GC);
	if (r == 0)
		r = plugin_run(&c);
	require_outcome(r, &c.err);
	call_end(&c);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);

	mkdir(FOLDER, 0755);
	empty("/run/plumb/leases");
	empty(FOLDER);
	furnish(text);
	if (run(VERB_ADD) == 0)
		require(run(VERB_CHECK) == 0);
	require(run(VERB_DEL) == 0);
	require(run(VERB_CHECK) < 0);
	return 0;
}
