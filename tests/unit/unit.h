/* cmocka, and what table-driven tests need besides. A failing row tells its name. */
#ifndef PLUMB_TESTS_UNIT_H
#define PLUMB_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Equal strings, or a failure that tells the row too. */
#define row_text(row, got, want) \
	do { \
		const char *got_ = (got), *want_ = (want); \
		if (!got_ || !want_ ? got_ != want_ : strcmp(got_, want_) != 0) \
			fail_msg("row %s: is \"%s\", wanted \"%s\"", (row), got_ ? got_ : "(null)", want_ ? want_ : "(null)"); \
	} while (0)
#define row_number(row, got, want) \
	do { \
		long long got_ = (got), want_ = (want); \
		if (got_ != want_) \
			fail_msg("row %s: %s is %lld, wanted %lld", (row), #got, got_, want_); \
	} while (0)
#define row_contains(row, text, part) \
	do { \
		if (!strstr((text), (part))) \
			fail_msg("row %s: is \"%s\", wanted …%s…", (row), (text), (part)); \
	} while (0)

#define for_rows(row, table) for (size_t row##_i = 0; row##_i < sizeof(table) / sizeof *(table) && ((row) = &(table)[row##_i]); row##_i++)

#endif
