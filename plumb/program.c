#include "program.h"

#include <errno.h>
#include <string.h>

#include "cni/execute.h"
#include "plumb.h"

enum { OUTPUT_LIMIT = 256 << 20, DEADLINE_MS = 60 * 1000 };     /* a ruleset of 100,000 elements is 20 MiB of JSON */

const char *program_find(struct call *c, const char *name)
{
	const char *path = getenv("PATH");
	char *found = path ? plugin_path(&c->arena, path, name) : NULL;

	return found ? found : plugin_path(&c->arena, "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin", name);
}

char *program_output(struct call *c, const char *const *argv, const char *input, bool quiet, struct err *e)
{
	const char *path = program_find(c, argv[0]);
	struct spawned out = { 0 };
	char *text = NULL;
	int r;

	if (!path) {
		err_set(e, CNI_UNAVAILABLE, -ENOENT, "no program %s in $PATH", argv[0]);
		return NULL;
	}
	r = spawn_run(&(struct spawn){ .path = path,
				      .argv = (char *const *)argv,
				      .env = environ,
				      .input = input ? input : "",
				      .input_len = input ? strlen(input) : 0,
				      .output_limit = OUTPUT_LIMIT,
				      .deadline_ms = DEADLINE_MS,
				      .quiet = quiet},
		      &out, e);
	if (r == 0 && out.status != 0)
		err_set(e, CNI_FAILED, -EREMOTEIO, "%s failed (exit code %d)", argv[0], out.status);
	else if (r == 0 && (text = arena_alloc(&c->arena, out.output_len + 1)))
		memcpy(text, out.output ? out.output : "", out.output_len);
	else if (r == 0)
		err_nomem(e, argv[0]);
	free(out.output);
	return text;
}
