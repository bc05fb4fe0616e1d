/* Versions of the CNI specification. */
#ifndef PLUMB_CNI_VERSION_H
#define PLUMB_CNI_VERSION_H

#include <stdbool.h>

#include "base/err.h"

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

/* Results older than 0.3.0 have room for one address of each family. -EINVAL with e set when there would be more; what they are, for words:
 * "addresses". */
int version_refuse_families(const char *version, int n_ipv4, int n_ipv6, const char *what, struct err *e);

#endif
