/* What the parts of the firewall plugin share. */
#ifndef PLUMB_PLUGINS_FIREWALL_H
#define PLUMB_PLUGINS_FIREWALL_H

#include "cni/chains.h"
#include "cni/plugin.h"

enum ingress { INGRESS_OPEN, INGRESS_SAME_BRIDGE, INGRESS_ISOLATED };

struct firewall_conf {
	const char *backend, *admin_chain, *zone;
	const char *ingress_policy, *unpublished, *foreign;
	bool        internal, host_reachable, log_drops;
	struct list allow_words, deny_words;    /* egressAllow, egressDeny as given: of const char * */

	enum ingress ingress;                   /* from here on: settled */
	bool        unpublished_drop;           /* of what is not published, nothing comes in from outside */
	struct list allow, deny;                /* of struct prefix */
	struct list deny_local;                 /* of deny, what is denied also where the address is the host's own: all but the preset "lan" */
	bool        allow_host, deny_host;      /* the preset "host" is among them */
	enum { ZONE_NOT_ASKED, ZONE_WANTED, ZONE_NOT_WANTED } zone_wanted;      /* zone_is_wanted's answer: it may take asking on D-Bus */
};
extern const struct field firewall_fields[];
int firewall_settle(struct cni_call *c);

/* ---- Policy: chains of a network, and who is under them (policy.c) ---- */

int  policy_add(struct cni_call *c);
int  policy_del(struct cni_call *c);
int  policy_check(struct cni_call *c);
int  policy_gc(struct cni_call *c);

/* Whether a chain is there because containers of the call's network are under a policy. */
bool policy_chain_is_of(const struct cni_call *c, const char *chain);

/* ---- Other programs' tables (foreign.c) ---- */

/* ADD, with "foreignFirewall": "accept": what goes to and from the network's link is let pass where a chain of others would drop it. */
int foreign_accept(struct cni_call *c);
/* DEL, GC: with the last container that is taken away. */
int foreign_leave(struct cni_call *c);
/* ADD, CHECK, STATUS: says on stderr which chain of others would drop a container's traffic. */
int foreign_tell(struct cni_call *c);

/* ---- Inside one bridge: port isolation (isolation.c) ---- */

int isolation_add(struct cni_call *c);
int isolation_check(struct cni_call *c);

/* ---- firewalld, where that runs (zone.c) ---- */

/* Whether the addresses are to be bound to a zone: by "backend", or because firewalld is there; DEL: or because they have been. */
bool zone_is_wanted(struct cni_call *c);
int  zone_add(struct cni_call *c);
int  zone_del(struct cni_call *c);
int  zone_check(struct cni_call *c);
int  zone_gc(struct cni_call *c);

#endif
