/* How the library's files help each other. */
#ifndef NETNS_FIXTURE_INSIDE_H
#define NETNS_FIXTURE_INSIDE_H

#include <stdint.h>

#include "fixture.h"

/* mounts.c: the calling process, alone in a new mount namespace, gets /proc, /sys, /run and /var/lib of its own. */
int mounts_make(struct fault *why);

/* rtnl.c: the few requests that a LAN takes. Each is about the caller's network namespace, by a socket of its own. */
int rtnl_veth(const char *name, int index, const char *peer, int peer_netns, struct fault *why);
int rtnl_up(const char *name, struct fault *why);
int rtnl_address(const char *name, const char *address, uint8_t prefix_len, struct fault *why);      /* no duplicate detection */
int rtnl_default_route(const char *gateway, struct fault *why);

#endif
