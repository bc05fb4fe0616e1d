/* Addresses of a link. */
#ifndef PLUMB_OS_ADDRESS_H
#define PLUMB_OS_ADDRESS_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"
#include "os/netlink.h"

enum address_flags {
	ADDRESS_DAD = 1,                /* let the kernel detect duplicates first (IPv6; off, as addresses come from a pool) */
	ADDRESS_NO_ROUTE = 2,           /* no route to the address's own prefix */
};

/* -EEXIST without a word in e when it is there. Where IPv6 is switched off the error says by which setting. name is the link's, for words. */
int address_add(struct netlink *nl, int index, const char *name, const struct prefix *p, unsigned flags, struct err *e);
int address_del(struct netlink *nl, int index, const struct prefix *p, struct err *e);       /* 0 also when it is not there */

/* Waits until an IPv6 address that was added without duplicate detection is in use; best effort, a second at most. The kernel answers address_add
 * first, and makes the address its own, and neighbours' questions for it heard, when a worker gets round to it: who asks before is heard at the next
 * try, a second later. */
void address_settle(struct netlink *nl, const struct addr *a);

/* Calls each for every address of the link, or with index 0 of all links, of family or 0 for both; stops at other than 0 and returns that. */
int address_each(struct netlink *nl, int index, int family, int (*each)(const struct prefix *p, void *arg), void *arg, struct err *e);
/* 1, 0 or negative. */
int address_has(struct netlink *nl, int index, const struct prefix *p, struct err *e);

#endif
