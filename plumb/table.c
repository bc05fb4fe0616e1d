#include "table.h"

#include <stdio.h>
#include <string.h>

#include "plumb.h"

struct cells {
	const char *text[TABLE_COLUMNS];
};

void table_row(struct call *c, struct table *t, const char *const cells[])
{
	struct cells *row = arena_push(&c->arena, &t->rows.items, &t->rows.count, sizeof *row);

	for (size_t i = 0; row && i < t->columns; i++)
		row->text[i] = cells[i] ? cells[i] : "";
}

void table_print(const struct table *t)
{
	int width[TABLE_COLUMNS] = { 0 };

	for_list (const struct cells, row, &t->rows)
		for (size_t i = 0; i < t->columns; i++)
			if (row->text[i] && (int)strlen(row->text[i]) > width[i])
				width[i] = (int)strlen(row->text[i]);
	for_list (const struct cells, row, &t->rows) {
		size_t last = t->columns;

		while (last > 1 && (!row->text[last - 1] || !*row->text[last - 1]))
			last--;
		for (size_t i = 0; i < last; i++)
			printf(i + 1 < last ? "%-*s" : "%.0d%s", i + 1 < last ? width[i] + 3 : 0, row->text[i] ? row->text[i] : "");
		putchar('\n');
	}
}
