/* Signals as things to wait for. */
#ifndef PLUMB_SIGNALS_H
#define PLUMB_SIGNALS_H

#include <stdbool.h>

struct caught {
	int  number;
	bool sent;              /* by a process: the terminal's own go to all that are in the foreground, the command too */
};

/* From here on CHLD, and what would end us, are caught; those that we were started to ignore stay ignored. 0 or -errno. */
int signals_catch(void);
/* INT, TERM, HUP, QUIT, USR1 and USR2 mean the command; the others mean us. */
bool signals_are_for_the_command(int number);
/* The next one. Waits for it, or with wait false answers false when there is none. */
bool signals_next(struct caught *out, bool wait);
/* In a child, between fork and exec: as they were before. To be called with all signals blocked. */
void signals_reset(void);
/* Taking down is not to be interrupted, nor are the plugins that do it, by somebody's impatience at the keyboard. */
void signals_finish(void);

#endif
