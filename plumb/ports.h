/* Ports to publish, as -p gives them. */
#ifndef PLUMB_PORTS_H
#define PLUMB_PORTS_H

#include "base/addr.h"
#include "base/json.h"

struct port {
	struct addr host_ip;            /* unset: any of the host's */
	uint16_t    host, container;    /* the first of each, 1 … 65535 */
	uint16_t    count;              /* how many in a row */
	const char *protocol;           /* "tcp", "udp", "sctp" */
};

/* "[HOSTIP:]HOST:CONTAINER[/PROTO]"; an IPv6 HOSTIP in brackets; HOST and CONTAINER may be ranges "8000-8009" of one length. */
bool port_parse(const char *text, struct port *out);

/* The parts of it: a number from 1 to 65535, behind which text is then; "tcp", "udp" or "sctp", NULL: none of them. */
bool port_number(const char **text, unsigned *out);
const char *port_protocol(const char *text);

/* The value of the capability portMappings, the caller's: an entry a port, as the CNI conventions have it. */
json_t *ports_json(const struct list *ports);

#endif
