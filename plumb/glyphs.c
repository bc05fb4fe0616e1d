#include "glyphs.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool unicode, colours;

void glyphs_begin(void)
{
	const char *no_colour = getenv("NO_COLOR");

	unicode = setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
	colours = isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
}

const char *glyph(enum glyph g)
{
	static const char *const signs[][2] = {
		[GLYPH_GOOD] = {"✓", "ok"},   [GLYPH_BAD] = {"✗", "!!"},       [GLYPH_MAYBE] = {"?", "??"},   [GLYPH_FACT] = {"·", " -"},
		[GLYPH_ARROW] = {"→", "->"},  [GLYPH_BRANCH] = {"├─ ", "|- "}, [GLYPH_LAST] = {"└─ ", "`- "}, [GLYPH_TRUNK] = {"│  ", "|  "},
		[GLYPH_GAP] = {"   ", "   "}, [GLYPH_DASH] = {"–", "-"},
	};

	return signs[g][!unicode];
}

const char *ink(enum ink i)
{
	static const char *const codes[] = {
		[INK_PLAIN] = "\033[0m",  [INK_BOLD] = "\033[1m",    [INK_DIM] = "\033[2m",   [INK_RED] = "\033[31m",
		[INK_GREEN] = "\033[32m", [INK_YELLOW] = "\033[33m", [INK_BLUE] = "\033[34m",
	};

	return colours ? codes[i] : "";
}
