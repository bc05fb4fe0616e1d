/* Settings under /proc/sys. Those of net/ are of the network namespace that the calling thread is in. */
#ifndef PLUMB_OS_SYSCTL_H
#define PLUMB_OS_SYSCTL_H

#include <stddef.h>

/* The printf-like name has '/' between its parts, so that "net/ipv4/conf/eth0.5/arp_notify" is clear. */

/* Writes unless the value is there already: a read-only /proc/sys that says the right thing is no failure. 0 or -errno. */
int sysctl_set(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes without looking first: for a device just made, whose settings are the defaults. A failure is none where the value is there. */
int sysctl_put(const char *value, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number, or the given one where there is none. */
long sysctl_number(long otherwise, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
