/* The index of a store directory: a table in a mapped file under /run/plumb/leases, or in our own memory where that is not to be had.
 * It is a hint. It is right as long as the directory's modification time is the one that we gave it: whoever else makes or removes a
 * file in there changes that. All calls are made under the store's lock. (spec/store.md) */
#ifndef PLUMB_HOST_LOCAL_INDEX_H
#define PLUMB_HOST_LOCAL_INDEX_H

#include <stdbool.h>

#include "host-local/table.h"

struct mapped_table {
	struct table table;                     /* .header NULL: none */
	size_t       size;
};

struct lease_index {
	struct mapped_table now;
	int                 dir;                /* /run/plumb/leases, -1: none */
	char                name[48];           /* the file's */
	char                boot[TABLE_BOOT_SIZE];
};

/* Maps what there is for the directory; ix->now stays empty when that is nothing to be used. Never fails: without, all is scanned. */
void lease_index_open(struct lease_index *ix, int store);
void lease_index_close(struct lease_index *ix);

/* Whether the table tells what is in the directory. */
bool lease_index_is_right(const struct lease_index *ix, int store);
/* Marks the table as not to be trusted; call before each change. */
void lease_index_unseal(struct lease_index *ix);
/* Marks it as right again: directory and table get the same time stamp. */
void lease_index_seal(struct lease_index *ix, int store);

/* An empty table, not yet in use; 0 or -errno. */
int lease_index_make(struct lease_index *ix, uint32_t capacity, struct mapped_table *out);
/* The same, twice as large as another and with its records. */
int lease_index_grow(struct lease_index *ix, const struct mapped_table *from, struct mapped_table *out);
/* Puts a table that was made into use, in place of the one that is. */
void lease_index_use(struct lease_index *ix, struct mapped_table *t);
void mapped_table_free(struct mapped_table *t);

#endif
