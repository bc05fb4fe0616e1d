/* Running a program to its end, its output kept. */
#ifndef PLUMB_TEST_RUN_H
#define PLUMB_TEST_RUN_H

#include <stddef.h>

struct run {
	const char *const *argv, *const *env;   /* ended by NULL; env NULL: ours */
	const char *input;
	size_t      input_len;
	const char *netns;                      /* where it runs */
	int         deadline_ms;
};

struct ran {
	int         status;                     /* exit code, 128 + signal, or -1: it ran past the deadline, or left its stdout open */
	const char *out, *err;                  /* for the test's length */
};

struct ran run_program(const struct run *r);

#endif
