/* Who has an address: neighbours learn at once that it moved. */
#ifndef PLUMB_OS_NEIGH_H
#define PLUMB_OS_NEIGH_H

#include "base/addr.h"
#include "base/err.h"
#include "os/netlink.h"

/* Sets the MAC in the link's neighbour entry for the address; does nothing when there is no entry. Errors are ignored. */
void neigh_correct(struct netlink *nl, int index, const struct addr *a, const struct mac *mac);

/* A socket of the calling thread's namespace for neigh_announce; -errno. */
int neigh_socket(void);
/* Tells everybody on the link that the address is at this MAC: gratuitous ARP (RFC 5227, section 3: an announcement), or an unsolicited
 * neighbour advertisement to all nodes (RFC 4861, section 7.2.6). 0 or -errno. */
int neigh_announce(int fd, int index, const struct addr *a, const struct mac *mac);

#endif
