/* host-local's configuration: the sets of ranges to allocate from, and what was asked for. */
#ifndef PLUMB_HOST_LOCAL_CONF_H
#define PLUMB_HOST_LOCAL_CONF_H

#include "base/json.h"
#include "cni/plugin.h"
#include "host-local/range.h"

struct ipam_conf {
	struct range range;             /* the older way to give one set of one range */
	struct list  ranges;            /* of struct list of struct range */
	struct list  routes;            /* of struct ip_route */
	const char  *data_dir, *resolv_conf;
};

struct host_local_conf {
	struct ipam_conf ipam;
	struct { struct list ips, ranges; } runtime;            /* runtimeConfig: as the two below */
	struct { struct { struct list ips; } cni; } args;       /* of struct addr, asked for */
	/* Settled: */
	struct list sets;               /* of struct range_set */
	struct list wanted;             /* of struct addr, each once */
};

extern const struct field host_local_fields[];

/* Gathers the sets (runtimeConfig's first, then the older way's, then ranges) and checks them. need_ranges: refuse to have none.
 * version: of the configuration; 0.2.0 and older know one address a family. 0 or -EINVAL. */
int host_local_settle(struct host_local_conf *conf, bool need_ranges, const char *version, struct arena *a, struct err *e);

/* Gathers the addresses asked for: env_ip (of CNI_ARGS, may be NULL), then args.cni.ips, then runtimeConfig.ips. 0 or negative. */
int host_local_wanted(struct host_local_conf *conf, const char *env_ip, struct arena *a, struct err *e);

/* "10.1.2.3" or "10.1.2.3/24", whose length plays no part. */
bool host_local_address_parse(const char *text, struct addr *out);

#endif
