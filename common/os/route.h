/* Routes. */
#ifndef PLUMB_OS_ROUTE_H
#define PLUMB_OS_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"
#include "os/netlink.h"

struct route {
	struct prefix dst;              /* 0.0.0.0/0, ::/0: default */
	struct addr   gateway, source;  /* unset: none */
	int           index;            /* the link's */
	uint32_t      mtu, advmss;      /* 0: none */
	uint32_t      priority;         /* metric, 0: the kernel's default */
	uint32_t      table;            /* 0: main */
	int           scope;            /* RT_SCOPE_…; -1: link where there is no gateway (IPv4), else universe */
	uint8_t       type, origin;     /* RTN_…, RTPROT_… of one that is there; what is added is type, else RTN_UNICAST, and RTPROT_BOOT */
};

/* Adds beside others to the same destination (equal-cost ones too). -EEXIST, with no word in e, for one that is there to the letter. */
int route_add(struct netlink *nl, const struct route *r, struct err *e);

/* Calls each for every route of the family, of any type, in all tables but local; stops at other than 0 and returns that. */
int route_each(struct netlink *nl, int family, int (*each)(const struct route *r, void *arg), void *arg, struct err *e);

/* The way that a packet from here to an address would take: its gateway, source, link and type (RTN_LOCAL: it stays here). False: there is none. */
bool route_get(struct netlink *nl, const struct addr *to, struct route *out);
/* The link that a packet to some far place would leave by: its index, 0 where there is no way, or negative: the kernel could not be asked. */
int route_default_link(struct netlink *nl, int family);
/* Whether an address is one of this namespace's own. */
bool route_is_local(struct netlink *nl, const struct addr *a);
/* The same, for an address. */
int route_link_to(struct netlink *nl, const struct addr *to);

#endif
