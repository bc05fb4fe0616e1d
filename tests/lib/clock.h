/* Deadlines. */
#ifndef PLUMB_TEST_CLOCK_H
#define PLUMB_TEST_CLOCK_H

#include <time.h>

static inline long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

#endif
