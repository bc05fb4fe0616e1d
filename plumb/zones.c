#include "zones.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/execute.h"
#include "firewalld/records.h"
#include "os/spawn.h"
#include "plumb.h"

enum { DEADLINE_MS = 10 * 60 * 1000 };

static int count_records(void)
{
	scoped(dir_close) DIR *dir = opendir(RECORDS);
	struct dirent *d;
	int n = 0;

	while (dir && (d = readdir(dir)))
		n += d->d_name[0] != '.';
	return n;
}

/* Its exit status, or negative. */
static int helper_run(struct call *c, const char *path, const char *what)
{
	char *argv[] = { (char *)path, (char *)what, NULL };
	struct spawned out = { 0 };
	int r = spawn_run(&(struct spawn){ .path = path, .argv = argv, .env = environ, .input = "", .output_limit = 1 << 16, .deadline_ms = DEADLINE_MS }, &out,
	                  &c->trouble.err);

	if (r == 0 && out.status > 1)
		r = trouble_set(&c->trouble, EXIT_FAILED, -EREMOTEIO, "firewalld: %s", out.output_len ? text_trim(out.output) : "not all zones could be restored");
	free(out.output);
	return r < 0 ? r : out.status;
}

int zones_restore(struct call *c)
{
	int n = count_records(), r;
	const char *path = n ? plugin_path(&c->arena, c->opt.bin_path, "plumb-firewalld") : NULL;

	if (!path)
		return n ? trouble_set(&c->trouble, EXIT_NO_PLUGIN, -ENOENT, "no plumb-firewalld in %s, to restore what is on record in " RECORDS, c->opt.bin_path) : 0;
	if ((r = helper_run(c, path, "running")) != 0)
		return r < 0 ? r : 0;           /* 1: it does not run */
	r = helper_run(c, path, "restore");
	return r < 0 ? r : n;
}
