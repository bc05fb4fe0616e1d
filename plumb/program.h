/* Other programs that show what we do not read ourselves: nft, iptables-save, dot. */
#ifndef PLUMB_PROGRAM_H
#define PLUMB_PROGRAM_H

#include <stdbool.h>

#include "base/err.h"

struct call;

/* The path of a program of $PATH, or of where the system's administration programs are; NULL: not installed. In the arena. */
const char *program_find(struct call *c, const char *name);

/* Its stdout, in the arena, ended by '\0'; argv[0] is the program's name. NULL with e set: it is not there (CNI_UNAVAILABLE), cannot be run, or
 * failed. quiet: its stderr goes nowhere. */
char *program_output(struct call *c, const char *const *argv, const char *input, bool quiet, struct err *e);

#endif
