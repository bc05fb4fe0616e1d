/* The last plugin call of a test, for the words of a failure. */
#ifndef PLUMB_TEST_LAST_H
#define PLUMB_TEST_LAST_H

struct last_call {
	const char *what, *input, *out, *err;
	int         status;
};
void last_call_note(const struct last_call *call);

#endif
