/* The configuration folder of the plumb command: files ("NAME\tCONTENT", a line each; "/NAME" is in the network's own folder), in which a network is looked for. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "lib/fuzz.h"
#include "plumb/netinfo.h"
#include "plumb/plumb.h"

#define FOLDER "/run/net.d"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir(FOLDER, 0755);
	mkdir(FOLDER "/net", 0755);
	return 0;
}

static void empty(const char *path)
{
	scoped(dir_close) DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
}

static void furnish(char *text)
{
	char *line;

	while ((line = line_of(&text))) {
		char *name = strsep(&line, "\t"), path[256];
		bool own = *name == '/';

		name += own;
		if (!*name || strchr(name, '/') || strlen(name) > 64 || !strcmp(name, ".") || !strcmp(name, "..") || (!own && !strcmp(name, "net")))
			continue;
		snprintf(path, sizeof path, FOLDER "%s/%s", own ? "/net" : "", name);
		write_file(path, line ? line : "", line ? strlen(line) : 0);
	}
}

static void look_for(const char *name)
{
	struct call c = { .lock_fd = -1, .opt = { .conf_dir = FOLDER }, .trees = json_array() };
	struct network n;
	int r = network_find(&c, name, &n);

	require_outcome(r, &c.trouble.err);
	if (r == 0) {
		require(!name || !strcmp(n.name, name));
		require(name_valid(n.name) && json_array_size(n.plugins) > 0 && n.version);
		require_prints(n.list);
	}
	json_decref(c.trees);
	arena_free(&c.arena);
}

static int look_at(struct call *c, const struct network *n, void *arg)
{
	struct pair filters[] = { { "label", "a=b" }, { "driver", "bridge" }, { "name", "n" } };
	struct list subnets;

	(void)arg;
	require(network_driver(n) && network_created(n) && strlen(network_id(c, n)) == NETWORK_ID);
	require(network_subnets(c, n, &subnets) == 0);
	for_list (const struct subnet, s, &subnets)
		require(addr_is_set(&s->net.addr));
	network_matches(c, n, &(struct list){ filters, ARRAY_LEN(filters), true }, false);
	network_bridge(n);
	network_lease_dir(c, n);
	network_is_internal(n);
	return 0;
}

static void look_at_all(void)
{
	struct call c = { .lock_fd = -1, .opt = { .conf_dir = FOLDER }, .trees = json_array() };

	require_outcome(network_each(&c, look_at, NULL), &c.trouble.err);
	json_decref(c.trees);
	arena_free(&c.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);

	empty(FOLDER);
	empty(FOLDER "/net");
	furnish(text);
	look_for("net");
	look_for(NULL);
	look_at_all();
	return 0;
}
