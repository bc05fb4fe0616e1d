#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t              size, used;
	max_align_t         data[];
};

#if defined(__SANITIZE_ADDRESS__)
enum { BLOCK = 0, ALIGN = 1 };          /* a block each, to the byte, so that the sanitizer sees a step past its end */
#else
enum { BLOCK = 4096 - sizeof(struct arena_block), ALIGN = _Alignof(max_align_t) };
#endif

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->first;
	void *p;

	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		b = calloc(1, sizeof *b + room);
		if (!b)
			return NULL;
		b->size = room;
		b->next = a->first;
		a->first = b;
	}
	p = (char *)b->data + b->used;
	b->used += size;
	return p;
}

/* Room doubles at 0, 1, 2, 4, 8 … items, so the count alone says when the array is full. */
void *arena_push(struct arena *a, void *items, size_t *count, size_t size)
{
	size_t n = *count;
	char *now;

	memcpy(&now, items, sizeof now);
	if ((n & (n - 1)) == 0) {
		char *moved = arena_alloc(a, (n ? n * 2 : 1) * size);

		if (!moved)
			return NULL;
		if (n)
			memcpy(moved, now, n * size);
		now = moved;
		memcpy(items, &now, sizeof now);
	}
	*count = n + 1;
	return now + n * size;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = arena_alloc(a, size);

	return copy ? memcpy(copy, s, size) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && (text = arena_alloc(a, n + 1)))
		vsnprintf(text, n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void arena_free(struct arena *a)
{
	while (a->first) {
		struct arena_block *next = a->first->next;

		free(a->first);
		a->first = next;
	}
}
