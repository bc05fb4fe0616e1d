/* Who has an address: neighbours learn at once that it moved. */
#ifndef PLUMB_OS_NEIGH_H
#define PLUMB_OS_NEIGH_H

#include "base/addr.h"
#include "base/err.h"
#include "os/netlink.h"

/* Sets the MAC in the link's neighbour entry for the address; does nothing when there is no entry. Errors are ignored. */
void neigh_correct(struct netlink *nl, int index, const struct addr *a, const struct mac *mac);

#endif
