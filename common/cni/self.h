/* What this executable is. self.c is compiled anew for each, with PLUGIN_SELF and BUILD_ID given by the Makefile. */
#ifndef PLUMB_CNI_SELF_H
#define PLUMB_CNI_SELF_H

#include <stdbool.h>

extern const char plugin_self[];        /* the plugin's name; "" in the multi-call binary */
extern const char plumb_version[];

/* Whether the executable open at fd is the plugin `name` of the very same sources as ours: then it may as well run in process. */
bool self_is_build_of(int fd, const char *name);
/* Whether a file is an executable of plumb's, of whatever build. */
bool self_is_plumb(const char *path);

#endif
