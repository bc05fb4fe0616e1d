/* Network namespaces: opened by path, told apart by identity, entered for the length of a scope. */
#ifndef PLUMB_OS_NETNS_H
#define PLUMB_OS_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* The path's namespace as a descriptor, the caller's to close. -ENOENT (CNI_UNKNOWN_CONTAINER) when nothing is at the path; -EINVAL
 * (CNI_BAD_ENV) when it is no network namespace; other errors are CNI_IO. */
int netns_open(const char *path, struct err *e);
/* Our own. */
int netns_open_self(struct err *e);

bool netns_same(int a, int b);
/* The namespace's inode number, 0 when it cannot be told. */
uint64_t netns_inode(int fd);

/* Enters; the descriptor that is returned leads back and belongs into a `scoped(netns_leave) int back`. Negative: e says why. */
int netns_enter(int fd, struct err *e);
/* The same with a new one of nobody else. */
int netns_enter_new(struct err *e);
/* Back; nothing for a negative *back. A process that cannot go back ends, as what it did next would hit the wrong namespace. */
void netns_leave(int *back);

#endif
