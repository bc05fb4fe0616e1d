/* Signs and colours for people at a terminal: Unicode where the locale has it, colours where stdout is a terminal. */
#ifndef PLUMB_GLYPHS_H
#define PLUMB_GLYPHS_H

#include <stdbool.h>

enum glyph { GLYPH_GOOD, GLYPH_BAD, GLYPH_MAYBE, GLYPH_FACT, GLYPH_ARROW, GLYPH_BRANCH, GLYPH_LAST, GLYPH_TRUNK, GLYPH_GAP, GLYPH_DASH };
enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_RED, INK_GREEN, INK_YELLOW, INK_BLUE };

void glyphs_begin(void);        /* looks at the locale and at stdout; to be called once before */
const char *glyph(enum glyph g);
const char *ink(enum ink i);    /* "" where there are no colours */

#endif
