/* Running another program: text in, text out, both bounded, with a deadline. Spawned, never forked. */
#ifndef PLUMB_OS_SPAWN_H
#define PLUMB_OS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct spawn {
	const char *path;
	char *const *argv, *const *env;         /* each ended by NULL */
	const char *input;                      /* its stdin */
	bool        both;                       /* its stderr goes where its stdout goes; else it is ours */
	size_t      input_len;
	size_t      output_limit;               /* of its stdout, in bytes */
	int         deadline_ms;                /* it is killed when it runs longer */
	bool        quiet;                      /* what it says on stderr is nobody's business */
};

struct spawned {
	char  *output;                          /* the caller's to free; ended by '\0', which is not counted */
	size_t output_len;
	int    status;                          /* the exit code, or 128 + the signal that ended it */
};

/* 0 when the program ran to its end, whatever its status; negative with e set when it could not be run, wrote too much (-EFBIG)
 * or was late (-ETIME), and then it has been ended. */
int spawn_run(const struct spawn *s, struct spawned *out, struct err *e);

#endif
