/* A test's process: its world, its expectations, its end. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "last.h"
#include "runner.h"
#include "test.h"

const char *const all_versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL };
const char *const versions_since_0_3_0[] = { "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL };
const char *const versions_since_0_4_0[] = { "0.4.0", "1.0.0", "1.1.0", NULL };

bool version_since(const char *version, const char *first)
{
	return strcmp(version, first) >= 0;     /* every part has one digit */
}

/* ---- Text ---- */

static char *format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	return text;
}

char *keep(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	return text;
}

char *json_quotes(const char *text)
{
	char *copy = keep("%s", text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

char *json(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = format(json_quotes(fmt), ap);
	va_end(ap);
	return text;
}

/* ---- Ends ---- */

static const char *where_file = "?";
static int where_line;
static char *noted;
static struct last_call last;

void test_at(const char *file, int line)
{
	where_file = file;
	where_line = line;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	noted = format(fmt, ap);
	va_end(ap);
}

void last_call_note(const struct last_call *call)
{
	last = *call;
}

static void tell_last_call(void)
{
	if (!last.what)
		return;
	fprintf(stderr, "the last call was %s, exit status %d\n", last.what, last.status);
	if (*last.input)
		fprintf(stderr, "stdin:\n%.4000s\n", last.input);
	if (*last.out)
		fprintf(stderr, "stdout:\n%.8000s\n", last.out);
	if (*last.err)
		fprintf(stderr, "stderr:\n%.8000s\n", last.err);
}

void fail_(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", where_file, where_line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (noted)
		fprintf(stderr, "where: %s\n", noted);
	tell_last_call();
	fflush(NULL);
	_exit(TEST_FAILED);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	fputs(SKIP_WORD, stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fflush(NULL);
	_exit(TEST_SKIPPED);
}

/* ---- The world ---- */

struct world world_begin(const char *names)
{
	struct fault why;
	struct world w;

	if (world_furnish(names, &why) < 0)
		fail_("no world \"%s\": %s", names, why.text);
	world_settled(&w);
	return w;
}

void world_settled(struct world *w)
{
	w->start = snapshot_take();
}

bool wait_a_little(int *turn)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	return ++*turn < 1000;
}

/* ---- Expectations ---- */

void expect_(bool holds, const char *what)
{
	if (!holds)
		fail_("expected %s", what);
}

void expect_text_(const char *got, const char *want, const char *what)
{
	if (!got || strcmp(got, want))
		fail_("%s\n  is     %s\n  wanted %s", what, got ? got : "(nothing)", want);
}

void expect_number_(long long got, long long want, const char *what)
{
	if (got != want)
		fail_("%s is %lld, wanted %lld", what, got, want);
}

void expect_contains_(const char *text, const char *part, const char *what)
{
	if (!text || !strstr(text, part))
		fail_("%s\n  is     %s\n  wanted …%s…", what, text ? text : "(nothing)", part);
}

void expect_missing_(const char *path)
{
	if (access(path, F_OK) == 0)
		fail_("%s is there, and should not be", path);
}

void expect_sysctl_(const char *netns, const char *name, const char *want)
{
	const char *got = sysctl_in(netns, name);

	if (strcmp(got, want))
		fail_("setting %s in %s is %s, wanted %s", name, netns, got, want);
}

void expect_untouched_(struct world *w, const char *const allowed[])
{
	struct snapshot now = snapshot_take();
	char *difference = snapshot_difference(&w->start, &now, allowed);

	if (*difference)
		fail_("the world is not as it was (- gone, + new):\n%s", difference);
}
