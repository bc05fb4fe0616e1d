/* The tables of iptables-legacy, looked into without running it. */
#ifndef PLUMB_OS_XTABLES_H
#define PLUMB_OS_XTABLES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are anywhere in a table (the name of a chain with its end, an address). False where the namespace has no such table; none is
 * made by asking. False, too, where it may not be read: then iptables-legacy cannot have written it from here either. */
bool xtables_contain(int family, const char *table, const void *what, size_t len);

/* Whether what is forwarded and picked by no rule is dropped: by the policy of table filter's chain FORWARD, or by a rule of it that takes all.
 * Chains that it leads to are not looked into. False as above. */
bool xtables_forward_drops(int family);

#endif
