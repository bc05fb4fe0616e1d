/* Which sources are to be in which zone, as the firewall plugin notes it (plugins/firewall/zone.c): a file an attachment,
 * NETWORK:CONTAINER:IFNAME.zone, whose lines are "ZONE SOURCE". */
#ifndef PLUMB_FIREWALLD_RECORDS_H
#define PLUMB_FIREWALLD_RECORDS_H

#include <stdbool.h>

#define RECORDS "/run/plumb/zones"

struct binding {
	const char *record;             /* the file's name */
	const char *zone, *source;
};

enum records_order { FIRST_TO_LAST, LAST_TO_FIRST };    /* of files, by name */

/* Calls each for all that is on record; stops at other than 0 and returns that. */
typedef int binding_each(const struct binding *b, void *arg);
int records_each(enum records_order order, binding_each *each, void *arg);

/* Whether any record has the source in the zone. */
bool records_have(const char *zone, const char *source);
/* Whether the file is still there. */
bool record_is_there(const char *record);

#endif
