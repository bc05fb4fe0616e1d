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

/* A plugin that is missing, or a value that it refuses, fails the DEL that undoes an ADD by the same words. */
static bool is_told(struct call *c, const char *line)
{
	uint64_t hash = hash_strings(line, NULL);
	size_t room = ARRAY_LEN(c->told), count = c->told_count < room ? c->told_count : room;

	for (size_t i = 0; i < count; i++)
		if (c->told[i] == hash)
			return true;
	c->told[c->told_count++ % room] = hash;
	return false;
}

void trouble_tell(struct call *c, const struct trouble *t)
{
	char line[sizeof t->err + 1024];

	snprintf(line, sizeof line, "%s%s%s%s%s%s%s%s%s", c->command ? c->command->name : "", c->subject ? " " : "", c->subject ? c->subject : "",
	         t->plugin[0] ? ": " : "", t->plugin, c->command ? ": " : "", t->err.msg, t->err.details[0] ? ": " : "", t->err.details);
	tell_once(c, line);
}

void tell_once(struct call *c, const char *line)
{
	if (!is_told(c, line))
		fprintf(stderr, "plumb: %s\n", line);
}

int trouble_pass(struct call *c)
{
	int code = trouble_exit(&c->trouble);

	trouble_tell(c, &c->trouble);
	c->trouble = (struct trouble){ 0 };
	return code;
}

json_t *trouble_json(const struct call *c, const struct trouble *t)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s*, s:s*, s:i}", "cniVersion", CNI_NEWEST, "code", t->err.code, "msg", t->err.msg,
	                 "details", t->err.details, "command", c->command ? c->command->name : "", "network", c->subject,
	                 "plugin", t->plugin[0] ? t->plugin : NULL, "exit", trouble_exit(t));
}
