/* What this process may do. */
#ifndef PLUMB_OS_CAPABILITY_H
#define PLUMB_OS_CAPABILITY_H

#include <stdbool.h>

/* Whether it has the capability (CAP_…, <linux/capability.h>) in its own user namespace. True when that cannot be told. */
bool capability_has(int capability);

#endif
