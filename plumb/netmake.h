/* What `plumb network create` asks for, settled, and the configuration that it makes. */
#ifndef PLUMB_NETMAKE_H
#define PLUMB_NETMAKE_H

#include "netinfo.h"

enum driver { DRIVER_BRIDGE, DRIVER_PTP, DRIVER_MACVLAN, DRIVER_IPVLAN, DRIVER_HOST, DRIVER_NONE };

struct plan {
	const char *name, *version;     /* version NULL: 1.0.0, and 1.1.0 for runtimes and plugins that know it */
	enum driver driver;
	const char *driver_name;        /* also the type of the first plugin */
	const char *bridge;             /* bridge; NULL: still to be picked */
	const char *parent, *mode;      /* macvlan, ipvlan; NULL: the plugin's own choice */
	const char *host_ip;            /* what ports are published on where the user does not say; NULL: all */
	uint32_t    mtu, vlan;          /* 0: not said */
	bool        masquerade, hairpin, internal, isolate, icc, dns;
	bool        open;               /* whoever has a route reaches all ports, not the published ones alone */
	struct list subnets;            /* of struct subnet */
	struct list pools;              /* of struct pool: by --opt pool; else empty */
	bool        wants_ipv4, wants_ipv6;     /* a subnet is to be picked */
};

/* From the options. Negative with c->trouble set (EXIT_USAGE). */
int plan_read(struct call *c, struct plan *out);
/* Subnets and the bridge's name, those asked for or picked, none of them anyone else's. The caller holds the directory's lock. */
int plan_settle(struct call *c, struct plan *p);
/* The configuration list, the call's. Plugins that are not in --bin-dir are told on stderr; dnsname is left out then. NULL with c->trouble set. */
json_t *plan_json(struct call *c, const struct plan *p);

/* ---- Among its parts ---- */

struct pair;

/* One --opt, into the plan, whose driver is known. What only Docker has is told on stderr and left out. Negative with c->trouble set (EXIT_USAGE). */
int plan_option(struct call *c, struct plan *p, const struct pair *given);
/* When all are read: whether the driver has the mode. */
int plan_mode_check(struct call *c, const struct plan *p);
int plan_subnet_add(struct call *c, struct plan *p, const struct prefix *net);

#endif
