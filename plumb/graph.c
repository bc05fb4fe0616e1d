/* plumb graph: draws this host's networks and who is on them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "glyphs.h"
#include "picture.h"
#include "plumb.h"
#include "program.h"

static const char *const formats[] = { "svg", "png", "dot" };

/* What the file's name ends in; NULL: none that we can write. */
static const char *format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(formats); i++)
		if (!strcmp(dot + 1, formats[i]))
			return formats[i];
	return NULL;
}

static int look(struct call *c, struct survey *s, struct ruleset *rs, struct picture *p)
{
	int r = survey_read(c, s);

	if (r < 0)
		return r;
	rules_read(c, s, rs);
	return picture_make(s, rs, c->opt.operands, p);
}

/* Once. What it takes is given back: a watch lasts. */
static int draw_text(struct call *outer, bool again)
{
	struct call c = *outer;
	struct survey s = { .c = NULL };
	struct ruleset rs;
	struct picture p;
	int r;

	c.arena = (struct arena){ 0 };
	c.trees = json_array();
	r = look(&c, &s, &rs, &p);
	if (r == 0) {
		if (again)
			fputs(isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "\n", stdout);
		picture_text(&p);
		fflush(stdout);
	}
	outer->trouble = c.trouble;
	survey_close(&s);
	json_decref(c.trees);
	arena_free(&c.arena);
	return r;
}

static int watch(struct call *c)
{
	struct timespec second = { .tv_sec = 1 };
	int r = 0;

	for (bool again = false; r == 0; again = true) {
		r = draw_text(c, again || isatty(STDOUT_FILENO));
		if (r == 0 && ferror(stdout))
			return trouble_set(&c->trouble, EXIT_FAILED, -EPIPE, "nobody reads what is written to stdout any more");
		nanosleep(&second, NULL);
	}
	return r;
}

static int render(struct call *c, const char *text, const char *format, const char *path)
{
	const char *argv[] = { "dot", arena_printf(&c->arena, "-T%s", format), "-o", path, NULL };
	struct err *e = &c->trouble.err;

	if (program_output(c, argv, text, false, e))
		return 0;
	err_detail(e, "%s",
		   e->code == CNI_UNAVAILABLE ? "it is Graphviz' program (Debian: graphviz); -o FILE.dot needs none" : "Graphviz could not draw it");
	return -EREMOTEIO;
}

static int write_dot(struct call *c, const char *text, const char *path)
{
	FILE *f = fopen(path, "we");
	bool failed = !f || fputs(text, f) < 0;

	if (f && fclose(f) != 0)
		failed = true;
	return failed ? err_sys(&c->trouble.err, CNI_IO, -errno, "%s", path) : 0;
}

/* The file is the old or the new one at any time. */
static int draw_file(struct call *c, const struct picture *p)
{
	const char *format = format_of(c->opt.output), *unfinished = arena_printf(&c->arena, "%s.%d.%s", c->opt.output, (int)getpid(), format);
	scoped(mem_free) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r;

	if (f) {
		picture_dot(p, f);
		fclose(f);
	}
	if (!text || !format || !unfinished)
		return err_nomem(&c->trouble.err, c->opt.output);
	r = !strcmp(format, "dot") ? write_dot(c, text, unfinished) : render(c, text, format, unfinished);
	if (r == 0 && rename(unfinished, c->opt.output) < 0)
		r = err_sys(&c->trouble.err, CNI_IO, -errno, "%s", c->opt.output);
	if (r < 0)
		unlink(unfinished);
	return r;
}

static int check_options(struct call *c)
{
	if (c->opt.output && !format_of(c->opt.output))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--output %s: want a name that ends in .svg, .png or .dot", c->opt.output);
	if (c->opt.output && c->opt.watch)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--watch draws on stdout: --output does not go with it");
	return 0;
}

int graph_run(struct call *c)
{
	struct survey s = { .c = NULL };
	struct ruleset rs;
	struct picture p;
	int r = check_options(c);

	if (r < 0)
		return r;
	glyphs_begin();
	if (!c->opt.output)
		return c->opt.watch ? watch(c) : draw_text(c, false);
	r = look(c, &s, &rs, &p);
	if (r == 0)
		r = draw_file(c, &p);
	survey_close(&s);
	return r < 0 ? r : EXIT_DONE;
}
