/* What this host has of container networks: its links, the networks of the configuration directory, and who is attached to what, whatever runtime did
 * it. Read from the kernel, from the records that libcni keeps (cache.h) and from configurations. Everything is the call's. */
#ifndef PLUMB_SURVEY_H
#define PLUMB_SURVEY_H

#include "attachments.h"
#include "cni/result.h"
#include "os/link.h"
#include "os/route.h"

struct seen_link {
	struct link link;
	struct list addresses;          /* of struct prefix; link-local ones are left out */
};

struct seen_subnet {
	struct prefix net;
	struct addr   gateway;          /* unset: not told */
	struct addr   first, last;      /* of what is given; unset: all of it */
	size_t        set;              /* a container gets one address of each set of ranges */
};

struct seen_network {
	const char             *name;
	struct network          conf;           /* list NULL: known by its name alone */
	bool                    configured;     /* in the configuration directory; else only its attachments are left */
	const char             *type;           /* of the first plugin */
	const char             *link_name;      /* its bridge, or a macvlan's parent, as configured or as found; NULL: none */
	const struct seen_link *link;           /* the same in the kernel; NULL: not there */
	struct list             subnets;        /* of struct seen_subnet */
	bool                    masquerades, internal;
	const char             *policy;         /* firewall's ingressPolicy; NULL: open */
	const char             *lease_dir;      /* host-local's; NULL: another address plugin */
	struct list             attachments;    /* of struct seen_attachment * */
};

struct seen_attachment {
	struct cached             record;
	const char               *name;         /* what people call the container */
	struct result             result;       /* of ADD */
	const char               *fault;        /* why it is dead ("its namespace … is gone"); NULL: it lives */
	bool                      has_pod;      /* the container's interface is there: */
	struct link               pod;
	struct list               addresses;    /* of struct prefix: those on it now */
	const struct seen_link   *near;         /* the host's end, or a macvlan's parent; NULL: not there */
	struct seen_network      *network;
};

/* A file of the configuration directory that is no network. */
struct broken_conf {
	const char *path, *why;
};

struct survey {
	struct call   *c;
	char           host[64];        /* the host's name */
	struct netlink nl;              /* of the host's namespace */
	struct list    links;           /* of struct seen_link */
	struct list    routes;          /* of struct route, the main tables' */
	struct list    networks;        /* of struct seen_network */
	struct list    attachments;     /* of struct seen_attachment */
	struct list    broken;          /* of struct broken_conf */
};

/* 0, or negative with c->trouble set; survey_close in any case. */
int survey_read(struct call *c, struct survey *out);
void survey_close(struct survey *s);

struct seen_network *survey_network(const struct survey *s, const char *name);
const struct seen_link *survey_link(const struct survey *s, const char *name);
const struct seen_link *survey_link_at(const struct survey *s, int index);
/* The living attachment with an address; NULL: none. */
const struct seen_attachment *survey_owner(const struct survey *s, const struct addr *a);
/* Whether an address is one of the host's own, and of which link. */
const struct seen_link *survey_local(const struct survey *s, const struct addr *a);
/* Links with an address that are neither lo nor a network's nor an attachment's: what leads out. */
bool survey_is_uplink(const struct survey *s, const struct seen_link *l);

/* Whether a text means the attachment's container: its name here, or what attached_is takes. */
bool attachment_is(const struct seen_attachment *a, const char *text);
/* Whether its container is on another network besides. */
bool attachment_is_elsewhere_too(const struct survey *s, const struct seen_attachment *a);
bool attachment_same_container(const struct seen_attachment *a, const struct seen_attachment *b);
/* Its first address of a family; NULL: none. As it is now, else as it was made. */
const struct addr *attachment_address(const struct seen_attachment *a, int family);
/* Runs a look inside its namespace, with a netlink socket of there. Negative: it cannot be entered. */
int attachment_enter(const struct seen_attachment *a, int (*look)(struct netlink *pod, void *arg), void *arg);

/* survey_conf.c: what a network's configuration says. */
int survey_networks(struct survey *s);
void survey_describe(struct survey *s, struct seen_network *n);

#endif
