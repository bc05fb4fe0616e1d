/* Where a call's time goes: one JSON line a call, appended to a file, with the spans of base/trace.h. */
#ifndef PLUMB_CNI_TRACE_H
#define PLUMB_CNI_TRACE_H

#include "base/trace.h"
#include "cni/plugin.h"

/* From here on steps are noted, for the file at path (created with mode 0600). Once it is on, another path changes nothing. */
void trace_to(const char *path);

/* Appends the call's line, in one write; a failure is told on stderr and changes nothing else. Nothing to do when off. */
void trace_write(const struct cni_call *c);

#endif
