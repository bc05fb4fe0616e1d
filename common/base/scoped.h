/* Cleanup that follows the scope. A releasing function takes the empty value too; handing over is a visible word (fd_keep, …). */
#ifndef PLUMB_BASE_SCOPED_H
#define PLUMB_BASE_SCOPED_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define scoped(fn) __attribute__((cleanup(fn), unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* The descriptor becomes the caller's: the guard forgets it. */
static inline int fd_keep(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

/* For `scoped(mem_free) char *p`. */
static inline void mem_free(void *slot)
{
	free(*(void **)slot);
}

static inline void dir_close(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The first failure of two steps that are both done whatever happens: DEL and GC go on to the end. */
static inline int first_failure(int first, int second)
{
	return first < 0 ? first : second;
}

#endif
