/* Versions of the CNI specification. */
#ifndef PLUMB_CNI_VERSION_H
#define PLUMB_CNI_VERSION_H

#include <stdbool.h>

#define CNI_NEWEST "1.1.0"

/* From the oldest on, ended by NULL. */
extern const char *const cni_versions[];

/* "" counts as 0.1.0. Known: one of cni_versions. */
bool version_known(const char *version);
/* "1.0", "1.1.0": numbers parted by dots, at most three. */
bool version_well_formed(const char *version);
/* Below 0, 0 or above, as a is older than, the same as or newer than b. Both well formed. */
int version_compare(const char *a, const char *b);
static inline bool version_at_least(const char *v, const char *least) { return version_compare(v, least) >= 0; }

#endif
