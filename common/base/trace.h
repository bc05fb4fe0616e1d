/* Where a call's time goes: one JSON line a call, a span a step. Off, a span costs one test of a flag. */
#ifndef PLUMB_BASE_TRACE_H
#define PLUMB_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

extern bool trace_on;

struct trace_span {
	const char *step;
	uint64_t    begin_ns;
};

uint64_t trace_now(void);       /* monotonic, in ns */
void trace_note(const char *step, uint64_t begin_ns);

/* scoped(trace_end) struct trace_span span = trace_begin("lease"); */
static inline struct trace_span trace_begin(const char *step)
{
	return (struct trace_span){ step, trace_on ? trace_now() : 0 };
}
static inline void trace_end(struct trace_span *s)
{
	if (trace_on)
		trace_note(s->step, s->begin_ns);
}

/* From here on steps are noted, to be appended to the file at path (created with mode 0600) by trace_write. */
void trace_start(const char *path);

/* What one line tells besides the steps. */
struct trace_call {
	const char *plugin, *verb, *network, *container, *ifname, *traceparent;
	int         code;       /* of the CNI error, 0 for success */
};

/* Appends the line, in one write; a failure is told on stderr and changes nothing else. Nothing to do when off. */
void trace_write(const struct trace_call *call);

#endif
