/* What the reference plugins left for an attachment that they set up and we take down. A node may change from them to us while its containers run.
 *
 * Each removes what is there for c->who (c->prev tells the addresses), by the reference's way of naming things, and nothing else.
 * 1: there was something; 0: there was not; negative with c->err set: it could not be removed. When there is nothing of theirs, a few questions to
 * the kernel are all it takes. */
#ifndef PLUMB_CNI_TAKEOVER_H
#define PLUMB_CNI_TAKEOVER_H

#include "cni/plugin.h"

int takeover_ports(struct cni_call *c);         /* portmap */
int takeover_masquerade(struct cni_call *c);    /* ipMasq of bridge and ptp */
int takeover_spoof_guard(struct cni_call *c);   /* macspoofchk of bridge */
int takeover_firewall(struct cni_call *c);      /* firewall, for the addresses of prevResult; the chain and the admin's stay */

/* GC: portmap's of containers that are on no valid attachment, by what their rules in iptables say: network and container. (In nftables they do not
 * say the network.) 0 or negative. */
int takeover_ports_gc(struct cni_call *c);

/* A step of DEL, for where nothing of our own was found; does nothing in other verbs. 0 or negative. */
int takeover_in_del(struct cni_call *c, cni_step *takeover);

#endif
