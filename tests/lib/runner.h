/* Between a test's process and the runner. */
#ifndef PLUMB_TEST_RUNNER_H
#define PLUMB_TEST_RUNNER_H

enum { TEST_PASSED = 0, TEST_FAILED = 1, TEST_SKIPPED = 77 };

/* How a skipped test's reason begins, a line of its output. */
#define SKIP_WORD "skipped: "

#endif
