/* One point of a scenario: a verb that comes to grief at its n-th system call, and what must be so afterwards. */
#ifndef PLUMB_CRASH_POINT_H
#define PLUMB_CRASH_POINT_H

#include "scenario.h"

enum recovery { BY_DEL, BY_GC };

struct point {
	unsigned long n;
	char          action[80];               /* a word for tests/crash/at */
	enum recovery by;
};

struct plan {
	struct point *points;
	size_t        count;
};

/* The points that the verb has, from one run of it that is left in peace. */
struct plan plan_make(const struct scenario *s, const char *verb);

/* What is there while points are tried: for a verb that only reads, the attachment that it reads of. */
struct attachment point_prepare(const struct scenario *s, const char *verb, struct world *w);

/* Tries one point in a world that is as world_settled() left it, and leaves it so. The first thing that is not as it must be ends the process (fail()).
 * False: the verb had ended before. */
bool point_try(const struct attachment *a, const char *verb, const struct point *p, struct world *w);

/* Makes the scenario's world. */
struct world point_world(const struct scenario *s);

#endif
