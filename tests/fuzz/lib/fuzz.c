#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void require_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

char *text_of(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	require(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

char *line_of(char **text)
{
	char *line = *text, *end = line ? strchr(line, '\n') : NULL;

	*text = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return line;
}

/* jansson checks: it answers NULL for what is not UTF-8. */
void require_utf8(const char *text)
{
	json_t *j = json_string(text);

	require(j);
	json_decref(j);
}

void require_prints(const json_t *j)
{
	struct err e = { 0 };
	char *text = json_dumps(j, JSON_COMPACT);
	json_t *again;

	require(text);
	again = json_read_object(text, strlen(text), "what was printed", &e);
	require(again);
	require(json_equal(again, (json_t *)j));
	json_decref(again);
	free(text);
}

static void require_words(const struct err *e)
{
	json_t *j = json_pack("{s:i, s:s, s:s}", "code", e->code, "msg", e->msg, "details", e->details);

	require(e->code > 0);
	require(e->msg[0]);
	require(j);
	require_prints(j);
	json_decref(j);
}

void require_outcome_or_silence(int r, const struct err *e)
{
	if (r >= 0)
		require(e->code == 0);
	else if (e->code)
		require_words(e);
}

void require_outcome(int r, const struct err *e)
{
	require(r >= 0 || e->code);
	require_outcome_or_silence(r, e);
}
