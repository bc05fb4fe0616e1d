/* The success result: one form inside, every version's form outside.
 *
 * Conversions are those of the specification's versions 0.1.0 to 1.1.0 as the reference library does them: 0.1.0 and 0.2.0 know one
 * address a family (ip4, ip6) with its routes; 0.3.0 to 0.4.0 give each address its version; 1.0.0 dropped that; 1.1.0 added fields,
 * which 1.0.0 has here too. */
#ifndef PLUMB_CNI_RESULT_H
#define PLUMB_CNI_RESULT_H

#include "base/addr.h"
#include "base/json.h"

struct iface {
	const char *name, *mac, *sandbox;       /* text or NULL; sandbox NULL: on the host */
	const char *socket_path, *pci_id;       /* told from 1.0.0 on */
	uint32_t    mtu;                        /* from 1.0.0 on; 0: not told */
};

struct ip_conf {
	struct prefix address;
	struct addr   gateway;                  /* may be unset */
	long long     iface;                    /* index into the interfaces, -1: not told */
};

struct ip_route {
	struct prefix dst;
	struct addr   gateway;                  /* may be unset */
	uint32_t      mtu, advmss, priority;    /* 0: not told */
	long long     table, scope;             /* -1: not told */
};

struct dns {
	struct list nameservers, search, options;       /* of const char * */
	const char *domain;
};

struct result {
	struct list ifaces;     /* of struct iface */
	struct list ips;        /* of struct ip_conf */
	struct list routes;     /* of struct ip_route */
	struct dns  dns;
};

/* Typed views. */
static inline struct iface *result_ifaces(const struct result *r) { return r->ifaces.items; }
static inline struct ip_conf *result_ips(const struct result *r) { return r->ips.items; }

/* Reads a result of the version that it names, or of otherwise where it names none. Strings are borrowed from json, lists are made in the
 * arena. where is the path for complaints ("prevResult."). 0 or negative with e set (code: what a complaint's code shall be). */
int result_read(const json_t *json, const char *otherwise, const char *where, int code, struct arena *arena, struct result *out, struct err *e);

/* The result in a version's form, the caller's to release; NULL: e says why ("cannot convert: no valid IP addresses" in 0.1.0 and 0.2.0). */
json_t *result_json(const struct result *r, const char *version, struct err *e);

/* Puts what an earlier plugin of the chain answered before what r says: its interfaces, addresses and routes first, its DNS
 * where r has none. 0 or -ENOMEM. */
int result_follow(struct result *r, const struct result *prev, struct arena *a);

/* Adds to a list, in the arena; NULL when there is no memory. */
struct iface *result_add_iface(struct result *r, struct arena *a);
struct ip_conf *result_add_ip(struct result *r, struct arena *a);           /* iface is -1 */
struct ip_route *result_add_route(struct result *r, struct arena *a);       /* table and scope are -1 */

/* Whether an address belongs to the interface of this name in a sandbox, or to none in particular. */
bool result_ip_is_of(const struct result *r, const struct ip_conf *ip, const char *ifname);

/* The first address of a family that belongs to the interface of this name in a sandbox, or to none in particular; NULL: none. (How the
 * reference's portmap picks a container's address.) */
const struct ip_conf *result_pod_ip(const struct result *r, int family, const char *ifname);

/* The host's side of an attachment: the bridge, or the veth of one without; NULL: there is none. */
const char *result_host_link(const struct result *r);

/* How DNS settings are read: in a configuration, in a result. */
extern const struct field dns_fields[];
bool dns_is_set(const struct dns *d);           /* any field given, even an empty list */

extern const struct field route_fields[];       /* of struct ip_route */
extern const struct ip_route route_unset;       /* what a route's fields are before they are read */
field_reader read_route;                        /* as .item of a list of routes: struct ip_route */

#endif
