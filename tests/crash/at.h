/* What `at` says, for those who run it. */
#ifndef PLUMB_CRASH_AT_H
#define PLUMB_CRASH_AT_H

enum { AT_KILLED = 75 };                /* the exit status where the command was killed as asked */
#define AT_REACHED      "at: "
#define AT_NOT_REACHED  "at: ended after "

#endif
