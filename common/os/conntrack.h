/* The kernel's table of connections. */
#ifndef PLUMB_OS_CONNTRACK_H
#define PLUMB_OS_CONNTRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

/* Connections by what was asked for and who answers. */
struct conntrack_match {
	int         family;
	uint8_t     protocol;           /* IPPROTO_… */
	uint16_t    port, port_last;    /* of the original destination, from and to; 0 and UINT16_MAX: any */
	struct addr from;               /* who asked; unset: anybody */
	struct addr to;                 /* the original destination; unset: any that is_local says yes to */
	uint16_t    target_port;        /* by which port, 0: any */
	struct addr target;             /* who answers … */
	bool        others;             /* … or, when true, anybody else answers */
	bool        answered;           /* only where an answer has come */
	bool        translated;         /* with others: only where the one who answers is not the one who was asked */
};

/* Whether an address is the host's own. */
typedef bool conntrack_is_local(const struct addr *a, void *arg);

/* Forgets every entry that matches one of n. 0, or negative with e set. Nothing, and no time, where the table is empty or absent; else the kernel
 * goes through its whole table, all network namespaces' together, which takes milliseconds where its own filter cannot say what is meant: IPv6, `others`,
 * `from`, `target_port`, `answered`, a range of ports that is not all, more than eight. */
int conntrack_forget(const struct conntrack_match *matches, unsigned n, conntrack_is_local *is_local, void *arg, struct err *e);

/* How many entries an address is a part of, as who asks, who is asked or who answers; negative with e set. */
int conntrack_count(const struct addr *a, struct err *e);

#endif
