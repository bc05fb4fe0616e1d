#include "base/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/scoped.h"

bool trace_on;

static const char *trace_path;
static uint64_t trace_epoch;
static struct { const char *step; uint64_t begin, end; } steps[64];
static size_t step_count;

uint64_t trace_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

void trace_start(const char *path)
{
	if (trace_on)
		return;
	trace_path = path;
	trace_epoch = trace_now();
	trace_on = true;
}

void trace_note(const char *step, uint64_t begin_ns)
{
	if (step_count == ARRAY_LEN(steps))
		return;
	steps[step_count].step = step;
	steps[step_count].begin = begin_ns;
	steps[step_count++].end = trace_now();
}

static json_t *steps_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < step_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "step", steps[i].step,
		        "at_us", (json_int_t)((steps[i].begin - trace_epoch) / 1000),
		        "us", (json_int_t)((steps[i].end - steps[i].begin) / 1000)));
	return list;
}

void trace_write(const struct trace_call *t)
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
	                 "plugin", t->plugin, "verb", t->verb, "network", t->network, "container", t->container,
	                 "ifname", t->ifname, "traceparent", t->traceparent, "code", t->code,
	                 "us", (json_int_t)((trace_now() - trace_epoch) / 1000), "steps", steps_json());
	text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (!text)
		return;
	len = strlen(text);
	text[len] = '\n';       /* json_dumps' end becomes the line's: one write, so that lines of parallel calls do not mix */
	fd = open(trace_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0 || write(fd, text, len + 1) < 0)
		fprintf(stderr, "trace: %s: %s\n", trace_path, strerror(errno));
}
