/* What is on record (records.h), put back into firewalld's zones. What cannot be added is told on stderr, and does not keep the rest out. */
#ifndef PLUMB_FIREWALLD_RESTORE_H
#define PLUMB_FIREWALLD_RESTORE_H

#include "zone.h"

enum answer restore_all(sd_bus *bus);

/* The same where firewalld has forgotten what was there, which one question tells, and for a few seconds at most. `own`, ended by NULL: sources that
 * have just been added and so tell nothing. */
void restore_forgotten(sd_bus *bus, char **own);

/* Restores now, where firewalld runs, and whenever it starts or has reloaded. Returns when the bus is gone: FAILED, with why on stdout. */
enum answer restore_follow(sd_bus *bus);

#endif
