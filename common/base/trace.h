/* Where the time goes: a span a step. Off, a span costs one test of a flag. */
#ifndef PLUMB_BASE_TRACE_H
#define PLUMB_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

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

/* From here on steps are noted. */
void trace_start(void);
/* Since then, in ns. */
uint64_t trace_elapsed(void);
/* What has been noted: [{"step": …, "at_us": since the start, "us": how long}, …], the caller's. */
json_t *trace_steps(void);

#endif
