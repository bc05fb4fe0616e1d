/* Pieces of a picture in Graphviz' language: boxes with lines of text, edges, one palette. */
#ifndef PLUMB_SKETCH_H
#define PLUMB_SKETCH_H

#include "picture.h"

#define INK    "#1f2933"
#define MUTED  "#7b8794"
#define LINE   "#9aa5b1"
#define PAPER  "#f5f7fa"
#define BLUE   "#2563b0"
#define SKY    "#eaf2fb"
#define GREEN  "#23804e"
#define LEAF   "#e6f5ec"
#define ORANGE "#c06a12"
#define RED    "#c0322b"
#define ROSE   "#fdeceb"

struct sketch {
	const struct picture *p;
	FILE                 *to;
};

/* Text that may stand in an HTML label, in the arena. */
const char *safe(const struct sketch *k, const char *text);
/* A line of a box; and one for each part of a list that commas part. */
void row(const struct sketch *k, const char *colour, int size, bool bold, const char *text);
void rows(const struct sketch *k, const char *colour, const char *list);
/* A box, called by its kind and a number; its lines are the caller's to write in between. */
void begin_node(const struct sketch *k, const char *kind, size_t id, const char *fill, const char *edge, bool dashed);
void end_node(const struct sketch *k);
/* An edge, "from -> to" being the printf-like text. */
void edge(const struct sketch *k, const char *attributes, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
