#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cni/execute.h"
#include "dnsname/dnsname.h"
#include "os/spawn.h"

/* Where PATH says, and where they usually are: some runtimes give plugins no PATH. */
const char *tool_find(struct cni_call *c, const char *name)
{
	const char *path = getenv("PATH");
	char *dirs = arena_printf(&c->arena, "%s:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin", path ? path : "");

	return dirs ? plugin_path(&c->arena, dirs, name) : NULL;
}

void word(struct words *w, const char *fmt, ...)
{
	char **slot = arena_push(&w->c->arena, &w->words.items, &w->words.count, sizeof *slot), text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (slot)
		*slot = arena_strdup(&w->c->arena, text);
	w->no_memory |= !slot || !*slot;
}

char **words_argv(struct words *w)
{
	char **end = arena_push(&w->c->arena, &w->words.items, &w->words.count, sizeof *end);

	return end && !w->no_memory ? w->words.items : NULL;
}

int tool_run(char *const *argv, int deadline_ms, struct err *e)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	struct spawn s = { .env = (char *const *)env, .argv = argv, .input = "", .both = true, .output_limit = 1 << 16, .deadline_ms = deadline_ms };
	struct spawned out;
	int r;

	if (!argv)
		return err_nomem(e, "command line");
	s.path = argv[0];
	r = spawn_run(&s, &out, e);
	if (r == 0 && out.status != 0)
		r = err_set(e, CNI_FAILED, -EREMOTEIO, "%s: %s", argv[0], out.output_len ? text_trim(out.output) : "failed, and does not say why");
	free(out.output);
	return r;
}
