#include "cni/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *trace_path;

void trace_to(const char *path)
{
	if (trace_on)
		return;
	trace_path = path;
	trace_start();
}

void trace_write(const struct cni_call *c)
{
	scoped(json_put) json_t *line = NULL;
	scoped(mem_free) char *text = NULL;
	scoped(fd_close) int fd = -1;
	struct timespec now;
	size_t len;

	if (!trace_on)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	line = json_pack("{s:I, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:i, s:I, s:o}",
	                 "time_ns", (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec,
	                 "plugin", c->plugin->name, "verb", verb_names[c->verb], "network", c->net.name, "container", c->who.container,
	                 "ifname", c->who.ifname, "traceparent", getenv("TRACEPARENT"), "code", c->err.code,
	                 "us", (json_int_t)(trace_elapsed() / 1000), "steps", trace_steps());
	text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n';       /* json_dumps' end becomes the line's: one write, so that lines of parallel calls do not mix */
	fd = open(trace_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0 || write(fd, text, len + 1) < 0)
		fprintf(stderr, "trace: %s: %s\n", trace_path, strerror(errno));
}
