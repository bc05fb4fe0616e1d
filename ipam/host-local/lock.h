/* The store's lock, shared with the reference plugin: flock on the file "lock" in the directory. */
#ifndef PLUMB_HOST_LOCAL_LOCK_H
#define PLUMB_HOST_LOCAL_LOCK_H

#include "base/err.h"

/* Waits at most deadline_ms; when that takes longer than two seconds, says on stderr for whom, and until when. Returns the
 * descriptor that holds the lock, the caller's to close; -ESTALE, without a word, when the file was removed while we waited (look for the
 * directory anew); -ETIME: e names the holder (CNI_TRY_LATER). path: the directory's, for words. */
int store_lock(int dir, const char *path, int deadline_ms, struct err *e);

#endif
