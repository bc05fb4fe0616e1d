#include "sketch.h"

#include <stdarg.h>
#include <string.h>

#include "plumb.h"

/* What stands in an HTML label. */
const char *safe(const struct sketch *k, const char *text)
{
	size_t len = strlen(text);
	char *out = arena_alloc(&k->p->s->c->arena, 6 * len + 1), *at = out;

	for (; out && *text; text++) {
		const char *entity = *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : NULL;

		if (entity)
			at = stpcpy(at, entity);
		else if ((unsigned char)*text >= ' ')
			*at++ = *text;
	}
	if (out)
		utf8_mend(out);
	return out ? out : "";
}

void row(const struct sketch *k, const char *colour, int size, bool bold, const char *text)
{
	fprintf(k->to, "<tr><td align=\"left\"><font color=\"%s\" point-size=\"%d\">%s%s%s</font></td></tr>", colour, size, bold ? "<b>" : "",
		safe(k, text), bold ? "</b>" : "");
}

/* The addresses, one a line. */
void rows(const struct sketch *k, const char *colour, const char *list)
{
	char *rest = arena_strdup(&k->p->s->c->arena, list), *part;

	while (rest && (part = strsep(&rest, ",")))
		if (part[strspn(part, " ")])
			row(k, colour, 10, false, part + strspn(part, " "));
}

/* An attribute list with a table for a label; the table is the caller's to fill and to end. */
void begin_node(const struct sketch *k, const char *kind, size_t id, const char *fill, const char *edge, bool dashed)
{
	fprintf(k->to,
		"\"%s%zu\" [fillcolor=\"%s\" color=\"%s\" style=\"filled,rounded%s\" label=<<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" "
		"cellpadding=\"1\">",
		kind, id, fill, edge, dashed ? ",dashed" : "");
}

void end_node(const struct sketch *k)
{
	fputs("</table>>];\n", k->to);
}

void edge(const struct sketch *k, const char *attributes, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(k->to, fmt, ap);
	va_end(ap);
	fprintf(k->to, " [%s];\n", attributes);
}
