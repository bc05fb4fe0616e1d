#include "cni/version.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char *const cni_versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", CNI_NEWEST, NULL };

bool version_known(const char *version)
{
	for (const char *const *v = cni_versions; *v; v++)
		if (!strcmp(*v, *version ? version : cni_versions[0]))
			return true;
	return false;
}

bool version_well_formed(const char *version)
{
	int parts = 1, digits = 0;

	if (!*version)
		return true;
	for (const char *p = version; *p; p++) {
		if (*p == '.') {
			if (digits == 0 || ++parts > 3)
				return false;
			digits = 0;
		} else if (*p < '0' || *p > '9' || ++digits > 6) {
			return false;
		}
	}
	return digits > 0;
}

int version_compare(const char *a, const char *b)
{
	if (!*a)
		a = cni_versions[0];
	if (!*b)
		b = cni_versions[0];
	for (int part = 0; part < 3; part++) {
		char *after_a, *after_b;
		long x = strtol(a, &after_a, 10), y = strtol(b, &after_b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a = *after_a == '.' ? after_a + 1 : after_a;
		b = *after_b == '.' ? after_b + 1 : after_b;
	}
	return 0;
}

int version_refuse_families(const char *version, int n_ipv4, int n_ipv6, const char *what, struct err *e)
{
	if ((n_ipv4 <= 1 && n_ipv6 <= 1) || version_at_least(version, "0.3.0"))
		return 0;
	err_set(e, CNI_BAD_CONFIG, -EINVAL, "CNI version %s does not support more than 1 address per family", version);
	err_detail(e, "%d IPv4 and %d IPv6 %s; want one of each, or cniVersion 0.3.0 or newer", n_ipv4, n_ipv6, what);
	return -EINVAL;
}
