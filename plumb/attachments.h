/* Who is attached to what: the records of the cache, whoever made them (plumb, or any runtime with libcni), seen from the network and from the
 * container. */
#ifndef PLUMB_ATTACHMENTS_H
#define PLUMB_ATTACHMENTS_H

#include "cache.h"

/* The attachments of a network (NULL: of all), unfinished ones too: of struct cached, in the arena. 0, or negative with c->trouble set. */
int attachments_of(struct call *c, const char *network, struct list *out);

/* What its runtime gave as an argument (CNI_ARGS), borrowed; NULL: nothing. */
const char *attached_arg(const struct cached *a, const char *key);
/* What people call the container: the name that its runtime gave (K8S_POD_NAME of CNI_ARGS; podman and plumb run set it), else its id. */
const char *attached_name(const struct cached *a);
/* Whether text means the attachment's container: its id, the beginning of it (4 letters at least), its name, the path or name of its namespace, or a
 * process's number. */
bool attached_is(const struct cached *a, const char *text);
/* Whether two attachments are of one container. */
bool attached_same(const struct cached *a, const struct cached *b);

/* Says that no attachment, of the network of --network where one is given, is of a container that text means. -ENOENT with c->trouble set. */
int attached_refuse_unknown(struct call *c, const char *text);

/* The ports that it has published: the list of the capability portMappings, borrowed; NULL: none. */
json_t *attached_ports(const struct cached *a);
/* The MAC of its interface, and its first address of a family with its length, as texts in the arena; "" where the record does not tell. */
const char *attached_mac(struct call *c, const struct cached *a);
const char *attached_address(struct call *c, const struct cached *a, int family);
/* "web (eth0)", in the arena. */
const char *attached_words(struct call *c, const struct cached *a);

/* The container that text means, as an endpoint without an interface's name: one of plumb run by its name; one on record; else a namespace by
 * path, by its name in /run/netns, or by a process's number, under an id made from the path. -ENOENT or -EEXIST (several are meant) with
 * c->trouble set. */
int container_find(struct call *c, const char *text, struct endpoint *out);
/* The first of eth0, eth1, … that neither the namespace nor a record of the container has, in the arena; NULL with c->trouble set. */
const char *container_free_ifname(struct call *c, const struct endpoint *container);

#endif
