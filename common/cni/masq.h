/* Masquerading, a container's address at a time: what leaves for outside its own subnet, multicast excepted, gets the host's address. The keys are in the
 * configuration of every plugin that does it:
 *
 *	ipMasqExclude           subnets to which the container's own address is kept
 *	ipMasqSource            the host's address to use, one of each family (a string, or a list); without: that of the interface it leaves by
 *	ipMasqRandomPorts       source ports by chance, for hosts that open many connections to one place */
#ifndef PLUMB_CNI_MASQ_H
#define PLUMB_CNI_MASQ_H

#include "cni/plugin.h"

int masq_settle(struct cni_call *c);    /* reads the keys; their faults, for the plugin's settle */
int masq_add(struct cni_call *c);       /* for every address of c->result */
int masq_del(struct cni_call *c);       /* by prevResult's addresses where given, else by owner; what is not there is no failure */
int masq_check(struct cni_call *c);     /* for every address of prevResult */
int masq_gc(struct cni_call *c);

/* The field ipMasqBackend, for each plugin's table; we have one backend and say so. */
field_reader read_masq_backend;         /* const char * */

#endif
