/* What whoever executes plugins has to know, a plugin that delegates and the plumb command alike: where they are, how they fail. */
#ifndef PLUMB_CNI_EXECUTE_H
#define PLUMB_CNI_EXECUTE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "os/spawn.h"

/* The path of the first file of the type in the directories of dirs (parted by ':', as in CNI_PATH), in the arena; NULL: there is none. */
char *plugin_path(struct arena *a, const char *dirs, const char *type);

/* Notes in e what a plugin that failed has said, its error passed on whole; or what can be said of one that left none, with the words
 * given. Returns -EREMOTEIO. (CNI specification 1.1.0, section 5 "Error".) */
int plugin_error_read(const struct spawned *out, const char *wordless, struct err *e);
/* The same of one that succeeded: its result, the caller's; NULL: e says that it cannot be read, with the words given. */
json_t *plugin_result_read(const struct spawned *out, const char *unreadable, struct err *e);

#endif
