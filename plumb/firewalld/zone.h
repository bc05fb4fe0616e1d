/* firewalld on the system bus, and one source in a zone of its runtime configuration. */
#ifndef PLUMB_FIREWALLD_ZONE_H
#define PLUMB_FIREWALLD_ZONE_H

#include <stdbool.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#define FIREWALLD "org.fedoraproject.FirewallD1"
#define FIREWALLD_PATH "/org/fedoraproject/FirewallD1"

#define scoped(fn) __attribute__((cleanup(fn)))

enum answer { YES = 0, NO = 1, FAILED = 2 };    /* also what the program ends with */

enum answer firewalld_is_running(sd_bus *bus);

/* FAILED: a line on `complaints` says why. None of them has the bus start firewalld. */
enum answer zone_query(sd_bus *bus, const char *zone, const char *source, FILE *complaints);
/* In the zone already: YES. */
enum answer zone_add(sd_bus *bus, const char *zone, const char *source, FILE *complaints);
/* Whatever firewalld says to it: it may have been stopped or reloaded since. */
void zone_remove(sd_bus *bus, const char *zone, const char *source);

#endif
