/* The system calls that plumb makes, and how each may fail. */
#ifndef PLUMB_CRASH_CALLS_H
#define PLUMB_CRASH_CALLS_H

/* A call's name by its number, "call 123" for one that is not in the table. */
const char *call_name(long number);

/* The errors that fit a call, parted by spaces: "EINTR ~ENOBUFS"; ~: the call is performed, and its answer lost. "": it cannot fail, or what it
 * answers is of no interest. */
const char *call_errors(const char *name);

/* An errno by its name, 0: there is none. */
int error_number(const char *name);

#endif
