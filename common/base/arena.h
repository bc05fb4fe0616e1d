/* Memory that lives as long as one call of a plugin: taken piece by piece, given back all at once. */
#ifndef PLUMB_BASE_ARENA_H
#define PLUMB_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *first;
};

/* Zeroed memory, aligned for any type; NULL when there is none. */
void *arena_alloc(struct arena *a, size_t size);

/* An array grown by one: *items (count of them, each of size bytes) moves when needed; the new, zeroed last item is
 * returned and *count raised, or NULL. Start with *items NULL and *count 0. */
void *arena_push(struct arena *a, void *items, size_t *count, size_t size);

char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void arena_free(struct arena *a);       /* everything; the arena is empty and usable again */

#endif
