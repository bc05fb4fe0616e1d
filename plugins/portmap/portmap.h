/* What the parts of the portmap plugin share. */
#ifndef PLUMB_PLUGINS_PORTMAP_H
#define PLUMB_PLUGINS_PORTMAP_H

#include "cni/nftables.h"
#include "cni/plugin.h"

/* ---- What is asked for (conf.c) ---- */

struct mapping {
	uint32_t    host_port, container_port;
	uint8_t     protocol;           /* IPPROTO_TCP, _UDP or _SCTP */
	struct addr host_ip;            /* unset: any of the host's, in both families; 0.0.0.0 or ::, any of that one */
};

struct portmap_conf {
	bool        snat, masq_all;
	const char *backend, *external_chain;
	uint32_t    mark_bit;
	struct list conditions4, conditions6;
	struct { struct list mappings; } runtime;       /* of struct mapping */
};
extern const struct field portmap_fields[];
int portmap_settle(struct cni_call *c);

/* "127.0.0.1:8080/tcp", for words. */
const char *mapping_text(const struct mapping *m, char out[80]);
/* Whether an equal one stands before it in the list. */
bool mapping_is_repeated(const struct cni_call *c, const struct mapping *m);

static inline const struct list *mappings_of(const struct cni_call *c)
{
	return &((const struct portmap_conf *)c->conf)->runtime.mappings;
}

/* ---- A container's address and its mappings, as nftables elements (elements.c) ---- */

/* One address of the container, with the link that leads to it. */
struct target {
	const struct prefix *address;
	char                 link[IFNAME_SIZE];         /* "": unknown */
};

bool mapping_concerns(const struct mapping *m, int family);
const struct nft_set *publish_map(const struct mapping *m, int family);
struct nft_element publish_element(const struct cni_call *c, const struct mapping *m, const struct target *t);

/* The elements that give a connection to the container the host's address: calls each for every one that the configuration asks for, until it answers other than
 * 0, and returns that. By address alone: from everywhere (masqAll), or from the container itself and from 127.0.0.0/8. */
typedef int snat_fn(const struct nft_set *set, struct nft_element *el, void *arg);
int snat_each(struct cni_call *c, const struct target *t, snat_fn *each, void *arg);
/* By the link that leads to the container: from others that are behind it too. */
int snat_by_link(struct cni_call *c, const struct target *t, snat_fn *each, void *arg);

/* ---- Targets and connections (target.c) ---- */

/* What a transaction works on. */
struct job {
	struct cni_call *c;
	struct nft      *nft;
	struct target    targets[2];    /* the container's first address of each family */
	size_t           n_targets;
	char             what[80];      /* the port at hand, for words */
};

/* Fills in the targets from prevResult. */
int targets_find(struct job *j);
/* ADD: forgets connections to the published ports that somebody else answers; DEL: those that this container did. Best effort: what stays costs a client of
 * UDP its patience, no more. */
void connections_forget(struct job *j, bool others);

/* ---- Taking away (unpublish.c) ---- */

nft_decide unpublish_all;       /* DEL; of a struct job */
nft_decide sweep_all;           /* GC, or DEL without keys; of a struct cni_call */

/* Every set and map of ours, ended by NULL. */
extern const struct nft_set *const portmap_sets[];

#endif
