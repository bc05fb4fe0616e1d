#include "cni/execute.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "base/text.h"

char *plugin_path(struct arena *a, const char *dirs, const char *type)
{
	while (*dirs) {
		size_t len = strcspn(dirs, ":");
		char *path = len > 0 ? arena_printf(a, "%.*s/%s", (int)len, dirs, type) : NULL;
		struct stat st;

		if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return path;
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

/* The beginning of what it printed, for words. */
static void quote(const struct spawned *out, struct err *e)
{
	char text[256];

	if (out->output_len == 0)
		return;
	snprintf(text, sizeof text, "%s", out->output);
	err_detail(e, "it printed: %s", text_trim(text));
}

int plugin_error_read(const struct spawned *out, const char *wordless, struct err *e)
{
	struct err ignored = { 0 };
	scoped(json_put) json_t *j = out->output_len ? json_read_object(out->output, out->output_len, "error", &ignored) : NULL;
	const char *msg = j ? json_member_string(j, "msg") : NULL, *details = j ? json_member_string(j, "details") : NULL;
	json_t *code = j ? json_member(j, "code") : NULL;
	int number = json_is_integer(code) ? (int)json_integer_value(code) : CNI_FAILED;

	err_set(e, number > 0 ? number : CNI_FAILED, -EREMOTEIO, "%s", msg ? msg : wordless);
	if (details)
		err_detail(e, "%s", details);
	if (msg || json_is_integer(code))
		return -EREMOTEIO;
	err_detail(e, out->status > 128 ? "ended by signal %d" : "exit status %d", out->status > 128 ? out->status - 128 : out->status);
	quote(out, e);
	return -EREMOTEIO;
}

json_t *plugin_result_read(const struct spawned *out, const char *unreadable, struct err *e)
{
	struct err why = { 0 };
	json_t *j = json_read_object(out->output ? out->output : "", out->output_len, "result", &why);

	if (j)
		return j;
	err_set(e, CNI_DECODE, -EBADMSG, "%s", unreadable);
	err_detail(e, "%s", why.details[0] ? why.details : why.msg);
	quote(out, e);
	return NULL;
}
