/* Rows of text for people, each column as wide as its widest cell. */
#ifndef PLUMB_TABLE_H
#define PLUMB_TABLE_H

#include <stddef.h>

#include "base/json.h"

struct call;

enum { TABLE_COLUMNS = 8 };

struct table {
	size_t      columns;            /* at most TABLE_COLUMNS */
	struct list rows;               /* of const char *[TABLE_COLUMNS] */
};

/* cells: as many as there are columns, borrowed; NULL counts as "". A row that there is no memory for is left out. */
void table_row(struct call *c, struct table *t, const char *const cells[]);
/* On stdout, without white space at the lines' ends. */
void table_print(const struct table *t);

#endif
