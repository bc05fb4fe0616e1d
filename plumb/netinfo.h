/* What a network is, in the words of `plumb network`: read from its configuration, whoever wrote that. Strings and trees are borrowed or the
 * call's. */
#ifndef PLUMB_NETINFO_H
#define PLUMB_NETINFO_H

#include "base/addr.h"
#include "network.h"

/* A list that `plumb network create` wrote has this object beside its plugins: {"created", "driver", "labels", "options"}. */
#define NETWORK_NOTE "plumb"

struct subnet {
	struct prefix net;
	struct addr   gateway;          /* unset: the configuration does not say */
	struct addr   first, last;      /* of an --ip-range; unset: the whole subnet */
};

enum { NETWORK_ID = 64 };               /* hex digits */
const char *network_id(struct call *c, const struct network *n);

bool network_is_ours(const struct network *n);
const char *network_driver(const struct network *n);            /* as it was asked for; of others' the first plugin's type */
const char *network_created(const struct network *n);           /* RFC 3339; "" when not known */
bool network_is_internal(const struct network *n);
json_t *network_labels(const struct network *n);                /* an object; NULL: none */
json_t *network_options(const struct network *n);

/* The bridge that its containers are ports of; NULL: none. */
const char *network_bridge(const struct network *n);
/* The ipam object of the first plugin that has one, and the folder of its leases, where that is host-local's; NULL: none. */
json_t *network_ipam(const struct network *n);
const char *network_lease_dir(struct call *c, const struct network *n);
/* Of struct subnet: those that ipam has, in whichever form; what cannot be read is passed over. */
int network_subnets(struct call *c, const struct network *n, struct list *out);

/* By its name, its id, or the beginning of its id (4 digits at least). -ENOENT with "network NAME not found" and EXIT_FAILED. */
int network_named(struct call *c, const char *text, struct network *out);

/* Whether it is as all filters (of struct pair) say. An unknown filter has been refused by network_filters_check. */
bool network_matches(struct call *c, const struct network *n, const struct list *filters, bool is_used);
int network_filters_check(struct call *c);

#endif
