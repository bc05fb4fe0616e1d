/* Who an attachment is, by names that are always the same for the same (network, container, interface). */
#ifndef PLUMB_CNI_ATTACH_H
#define PLUMB_CNI_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

enum { OWNER_SIZE = 128 };      /* nft reads comments of at most 127 bytes back in */

/* The host end's name: "veth" and eleven hex digits of a hash. */
void attach_host_ifname(const char *network, const char *container, const char *ifname, char out[16]);

/* "NETWORK/CONTAINER/IFNAME"; a name too long for its share is cut and ended with '~' and a hash of the whole. */
void attach_owner(const char *network, const char *container, const char *ifname, char out[OWNER_SIZE]);
/* "NETWORK/": how the owners of all attachments of a network begin. */
void attach_owner_network(const char *network, char out[OWNER_SIZE]);

/* For people: `container "x" of network "y" (eth0)`, from an owner. */
const char *attach_describe(const char *owner, char *out, size_t size);

#endif
