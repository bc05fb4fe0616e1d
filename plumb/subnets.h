/* Which subnets are taken on this host, and picking one that is not. */
#ifndef PLUMB_SUBNETS_H
#define PLUMB_SUBNETS_H

#include "base/addr.h"
#include "base/json.h"

struct call;

struct taken {
	struct prefix subnet;
	const char   *by;               /* in words: "network app", "route 10.0.0.0/8 by tun0" */
	bool          by_network;       /* a configuration says so, not the kernel */
};

/* What networks of the configuration directory have, netavark's (podman's) configurations, the host's routes (the default one aside) and
 * addresses, Docker's with them: of struct taken. 0, or negative with c->trouble set. */
int subnets_taken(struct call *c, struct list *out);
/* The first of them that overlaps; NULL: none. */
const struct taken *subnet_taken(const struct list *taken, const struct prefix *p, bool networks_only);

/* Where subnets are picked from. */
struct pool {
	struct prefix base;
	uint8_t       size;             /* the length of each subnet's prefix */
};
#define POOLS_FILE "/etc/plumb/pools.json"

/* "10.200.0.0/16,24" (24, for IPv6 64, where no size is said). */
bool pool_parse(const char *text, struct pool *out);
/* Of struct pool: from POOLS_FILE, {"default-address-pools": [{"base", "size"}, …]} as Docker's daemon.json has it, else 10.89.0.0/24 and what
 * follows, as podman has it. Where no pool of a family is there, IPv6 has one made from the machine's id. 0, or negative with c->trouble set. */
int pools_read(struct call *c, struct list *out);
/* The first subnet of the pools that is not taken. -EADDRNOTAVAIL with c->trouble set. */
int subnet_pick(struct call *c, int family, const struct list *pools, const struct list *taken, struct prefix *out);

#endif
