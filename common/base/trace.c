#include "base/trace.h"

#include <time.h>

#include "base/scoped.h"

bool trace_on;

static uint64_t trace_epoch;
static struct { const char *step; uint64_t begin, end; } steps[64];
static size_t step_count;

uint64_t trace_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

void trace_start(void)
{
	trace_epoch = trace_now();
	trace_on = true;
}

uint64_t trace_elapsed(void)
{
	return trace_now() - trace_epoch;
}

void trace_note(const char *step, uint64_t begin_ns)
{
	if (step_count == ARRAY_LEN(steps))
		return;
	steps[step_count].step = step;
	steps[step_count].begin = begin_ns;
	steps[step_count++].end = trace_now();
}

json_t *trace_steps(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < step_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "step", steps[i].step,
		        "at_us", (json_int_t)((steps[i].begin - trace_epoch) / 1000),
		        "us", (json_int_t)((steps[i].end - steps[i].begin) / 1000)));
	return list;
}
