#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cni/version.h"
#include "plumb.h"

int trouble_set(struct trouble *t, int exit, int ret, const char *fmt, ...)
{
	char words[sizeof t->err.msg];
	va_list ap;

	if (t->err.code)
		return ret;
	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	t->exit = exit;
	return err_set(&t->err, CNI_FAILED, ret, "%s", words);
}

int trouble_exit(const struct trouble *t)
{
	if (t->exit)
		return t->exit;
	if (t->err.code == CNI_TRY_LATER || t->err.code == CNI_UNAVAILABLE || t->err.code == CNI_LIMITED)
		return EXIT_NOT_READY;
	return EXIT_FAILED;
}

void trouble_tell(const struct call *c, const struct trouble *t)
{
	fprintf(stderr, "plumb: %s", c->command ? c->command->name : "");
	if (c->subject)
		fprintf(stderr, " %s", c->subject);
	if (t->plugin[0])
		fprintf(stderr, ": %s", t->plugin);
	fprintf(stderr, "%s%s%s%s\n", c->command ? ": " : "", t->err.msg, t->err.details[0] ? ": " : "", t->err.details);
}

json_t *trouble_json(const struct call *c, const struct trouble *t)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s*, s:s*, s:i}", "cniVersion", CNI_NEWEST, "code", t->err.code, "msg", t->err.msg,
	                 "details", t->err.details, "command", c->command ? c->command->name : "", "network", c->subject,
	                 "plugin", t->plugin[0] ? t->plugin : NULL, "exit", trouble_exit(t));
}
