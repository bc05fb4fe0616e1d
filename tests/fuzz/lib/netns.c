/* A new network namespace is the one that there is: targets are in one of their own, and one for each input would take most of the time. */
#include <sched.h>

#define unshare(flags) ((void)(flags), 0)
#include "common/os/netns.c"
