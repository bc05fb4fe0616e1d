/* What the parts of the portmap plugin share. */
#ifndef PLUMB_PLUGINS_PORTMAP_H
#define PLUMB_PLUGINS_PORTMAP_H

#include "cni/chains.h"
#include "cni/plugin.h"
#include "os/nft_rule.h"

/* ---- What is asked for (conf.c) ---- */

struct ports {
	uint32_t first, last;           /* 0: not given */
};

struct mapping {
	struct ports host, container;
	uint32_t     host_last;         /* the key hostPortEnd */
	uint8_t      protocol;          /* IPPROTO_TCP, _UDP or _SCTP */
	struct addr  host_ip;           /* unset: any of the host's, in both families; 0.0.0.0 or ::, any of that one */
	struct list  allow_from;        /* of struct prefix; empty: everybody */
	size_t       index;             /* in portMappings, for words */
	bool         repeated;          /* an equal one stands before it */
};

struct portmap_conf {
	bool        snat, masq_all, strict_host_ip, check_listeners;
	const char *backend, *external_chain;
	uint32_t    mark_bit;
	struct list conditions4, conditions6;           /* of const char * */
	struct list gates4, gates6;                     /* what they say: of struct condition */
	struct { struct list mappings; } runtime;       /* of struct mapping, as given */
	struct list mappings;                           /* of struct mapping: each one port, or a range that is one element */
};
extern const struct field portmap_fields[];
int portmap_settle(struct cni_call *c);

/* ---- Mappings (mapping.c) ---- */

extern const struct field mapping_fields[];
field_reader read_mapping;

/* Fills in conf->mappings from what was given: ranges that cannot be one element become single ports. Repetitions are marked; contradictions refused. */
int mappings_settle(struct cni_call *c);

static inline const struct list *mappings_of(const struct cni_call *c)
{
	return &((const struct portmap_conf *)c->conf)->mappings;
}

enum { MAPPING_TEXT = 96 };
/* "host port 127.0.0.1:8080/tcp", for words. */
const char *mapping_text(const struct mapping *m, char out[MAPPING_TEXT]);
bool mapping_concerns(const struct mapping *m, int family);
/* On an address of the host that is named. */
static inline bool mapping_is_exact(const struct mapping *m) { return addr_is_set(&m->host_ip) && !addr_is_unspecified(&m->host_ip); }
static inline bool mapping_is_range(const struct mapping *m) { return m->host.first != m->host.last; }

/* ---- Conditions (condition.c) ---- */

/* What a new connection must be like; several are all to be met. */
struct condition {
	enum nft_side side;
	bool          other;            /* all but … */
	struct list   prefixes;         /* … of struct prefix: one of them; or */
	const char   *link;             /* the interface it comes in by, maybe with '*' at its end */
};

/* Reads conditionsV4 or conditionsV6: the words of nft or of iptables. */
int conditions_read(struct cni_call *c, const char *key, int family, const struct list *words, struct list *out);
/* Whether a mapping is under conditions in the family. */
bool mapping_is_gated(const struct cni_call *c, const struct mapping *m, int family);
/* The chain with its conditions, by a name that stands for these conditions; made where it is not there. */
void gate_name(const struct cni_call *c, const struct mapping *m, int family, char out[NFT_NAME]);
/* Whether nobody of the family is on allowFrom: there the chain has no rules. */
bool gate_is_shut(const struct mapping *m, int family);
int  gate_ensure(struct cni_call *c, struct nft *nft, const struct mapping *m, int family);

/* ---- A container's address and its mappings, as nftables elements (elements.c) ---- */

/* One address of the container, with the link that leads to it. */
struct target {
	const struct prefix *address;
	char                 link[IFNAME_SIZE];         /* "": unknown */
};

/* Calls each for elements until it answers other than 0, and returns that. */
typedef int element_fn(const struct nft_set *set, struct nft_element *el, void *arg);
/* What a mapping to a target consists of. */
int publish_each(struct cni_call *c, const struct mapping *m, const struct target *t, element_fn *each, void *arg);
/* Whether a set is about ::1. CHECK does not ask for it: what an older edition has published is not there. */
bool publish_is_at_loopback(const struct nft_set *set);
/* The places where an element of somebody else would catch what is meant for the mapping: calls each with the key and set of each. */
int publish_rivals(struct cni_call *c, const struct mapping *m, int family, element_fn *each, void *arg);
/* ADD of a port on any address: what dead attachments have of that port on one address of the host goes, as it would catch what comes for that address. */
struct job;
int shadows_evict(struct job *j);
/* ADD of a range: an error where an element of somebody else's lies in it. */
int range_is_free(struct job *j);
/* What gives a connection to the container the host's address, by the container's address alone: from everywhere (masqAll), or from the container
 * itself and from 127.0.0.0/8. */
int snat_each(struct cni_call *c, const struct target *t, element_fn *each, void *arg);
/* By the link that leads to the container: from others that are behind it too. */
int snat_by_link(struct cni_call *c, const struct target *t, element_fn *each, void *arg);

/* Every set and map of ours, ended by NULL. */
extern const struct nft_set *const portmap_sets[];

/* ---- Targets and connections (target.c), listeners (listeners.c) ---- */

/* What a transaction works on. */
struct job {
	struct cni_call *c;
	struct nft      *nft;
	struct leaving   leaving;               /* DEL, GC */
	struct target    targets[2];            /* the container's first address of each family */
	size_t           n_targets;
	const struct mapping *mapping;          /* the one at hand, */
	const struct target  *target;           /* to this; */
	const struct nft_set *set;              /* and the set that is looked through */
	struct list           host_addresses;   /* of struct addr, once they are needed */
	char             what[MAPPING_TEXT];    /* for words */
	struct list      before, claimed;       /* ADD: what is on record, and what it has now, of struct set_element */
	struct list      gone;                  /* of struct conntrack_match, ports that were removed */
};

/* Fills in the targets from prevResult. */
int targets_find(struct job *j);
/* Deletes conntrack entries: ADD those of its ports that lead to another container; DEL those that lead to this one, by the ports that it has removed and
 * those that it is told. Best effort: a left-over entry delays a UDP client until it times out. */
void connections_to_others_forget(struct job *j);
void connections_to_own_forget(struct job *j);
/* Notes a port that is removed, and (ADD, GC) forgets the connections to all that were noted. */
void port_note_gone(const struct nft_set *set, const struct nft_element *el, void *job);
void connections_to_gone_forget(struct job *j);
/* checkListeners: an error where a process of the host listens on a port of the mappings. */
int listeners_check(struct job *j);

/* ---- What the host has to allow (loopback.c) ---- */

/* ADD: ports are reached from 127.0.0.0/8, ::1 and the container's own bridge. ::1 and the bridge as well as may be; negative with c->err set for
 * 127.0.0.0/8. */
int loopback_enable(struct job *j);

/* ---- Taking away (unpublish.c) ---- */

nft_decide unpublish_all;       /* DEL; of a struct job */
nft_decide sweep_all;           /* GC, or DEL without keys; of a struct job */

#endif
