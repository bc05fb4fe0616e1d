/* Whole files: read with a limit, written to the end. */
#ifndef PLUMB_OS_FILE_H
#define PLUMB_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The bytes of a plain file in the arena, ended by '\0', which *len does not count. NULL: errno says why; EFBIG: longer than limit;
 * EINVAL: no plain file. Never waits for a device or a pipe. */
char *file_read(struct arena *a, const char *path, size_t limit, size_t *len);

/* Writes all of it; 0 or -errno. */
int file_write(int fd, const char *text, size_t len);

/* Whether two paths lead to one file: a namespace has several. False where one of them leads nowhere. */
bool file_is_same(const char *a, const char *b);

/* What to do about an error of a file system, NULL where that does not follow from it. */
const char *file_remedy(int r);

#endif
