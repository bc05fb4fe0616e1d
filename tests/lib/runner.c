/* Runs the tests of a program, each in a world, some at once, and reports in TAP (https://testanything.org). */
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "runner.h"
#include "test.h"

extern const struct test *const __start_plumb_tests[], *const __stop_plumb_tests[];

enum { JOBS_MAX = 16, CASES_MAX = 4000 };

struct test_case {
	const struct test *test;
	const char        *variant;
	size_t             number;      /* of the variant */
};
static struct test_case cases[CASES_MAX];
static size_t case_count;

struct job {
	const struct test_case *what;   /* NULL: free */
	pid_t     pid;
	int       pidfd, output;
	long long begun, deadline;
};
static struct job jobs[JOBS_MAX];

static bool verbose;
static unsigned reported, failed;

static int number_env(const char *name, int otherwise)
{
	const char *text = getenv(name);

	return text && atoi(text) > 0 ? atoi(text) : otherwise;
}

static const char *case_name(const struct test_case *c, char out[200])
{
	snprintf(out, 200, c->variant ? "%s[%s]" : "%s", c->test->name, c->variant);
	return out;
}

/* ---- Reporting ---- */

static char *output_of(const struct job *j)
{
	off_t len = lseek(j->output, 0, SEEK_END);
	char *text = calloc(1, len + 1);

	if (pread(j->output, text, len, 0) < 0)
		*text = '\0';
	return text;
}

/* The output as a comment, in one write: tests of other programs report at the same time. */
static void print_output(FILE *to, const char *name, const char *heading, char *text)
{
	size_t size;
	char *block = NULL, *line;
	FILE *f = open_memstream(&block, &size);

	fprintf(f, "# ---- %s %s\n", name, heading);
	while ((line = strsep(&text, "\n")))
		if (*line || text)
			fprintf(f, "#   %s\n", line);
	fclose(f);
	fflush(NULL);
	if (write(fileno(to), block, size) < 0)
		failed++;
	free(block);
}

static void report(const struct job *j, int status, bool late)
{
	char name[200], *text = output_of(j), *reason;

	case_name(j->what, name);
	reported++;
	if (status == TEST_SKIPPED && (reason = strstr(text, SKIP_WORD))) {
		printf("ok %u - %s # SKIP %.*s\n", reported, name, (int)strcspn(reason + strlen(SKIP_WORD), "\n"), reason + strlen(SKIP_WORD));
	} else if (status == TEST_PASSED && !late) {
		printf(verbose ? "ok %u - %s # %lld ms\n" : "ok %u - %s\n", reported, name, now_ms() - j->begun);
		if (verbose && *text)
			print_output(stdout, name, "said", text);
	} else {
		char heading[64] = "failed";

		failed++;
		if (late)
			snprintf(heading, sizeof heading, "failed: it ran out of time");
		else if (status != TEST_FAILED)
			snprintf(heading, sizeof heading, "failed: exit status %d", status);
		printf("not ok %u - %s\n", reported, name);
		print_output(stderr, name, heading, text);
	}
	fflush(stdout);
	free(text);
}

/* ---- Running ---- */

static void __attribute__((noreturn)) no_world(const struct fault *why)
{
	if (geteuid() != 0) {
		printf("1..0 # SKIP no world for tests: %s\n", why->text);
		exit(0);
	}
	printf("Bail out! no world for tests: %s\n", why->text);
	exit(1);
}

static void start(struct job *j, const struct test_case *c)
{
	struct fault why;

	j->what = c;
	j->output = memfd_create("output", MFD_CLOEXEC);
	j->pid = world_fork(getenv("WORLD_USERNS") ? WORLD_USERS : 0, &why);
	if (j->pid < 0)
		no_world(&why);
	if (j->pid == 0) {
		dup2(j->output, STDOUT_FILENO);
		dup2(j->output, STDERR_FILENO);
		c->test->run(c->variant);
		fflush(NULL);
		_exit(TEST_PASSED);
	}
	j->pidfd = (int)syscall(SYS_pidfd_open, j->pid, 0);
	j->begun = now_ms();
	j->deadline = j->begun + number_env("TEST_TIMEOUT", 120) * 1000LL;
}

static void finish(struct job *j)
{
	bool late = now_ms() >= j->deadline;
	int status;

	if (late)
		kill(j->pid, SIGKILL);
	waitpid(j->pid, &status, 0);
	report(j, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), late);
	close(j->pidfd);
	close(j->output);
	j->what = NULL;
}

/* Waits until at least one job is done, or has run out of time. */
static void wait_for_some(int count)
{
	struct pollfd p[JOBS_MAX];
	long long first = now_ms() + 1000;

	for (int i = 0; i < count; i++) {
		p[i] = (struct pollfd){ jobs[i].what ? jobs[i].pidfd : -1, POLLIN, 0 };
		if (jobs[i].what && jobs[i].deadline < first)
			first = jobs[i].deadline;
	}
	first -= now_ms();
	poll(p, count, first > 0 ? (int)first : 0);
	for (int i = 0; i < count; i++)
		if (jobs[i].what && (p[i].revents || now_ms() >= jobs[i].deadline))
			finish(&jobs[i]);
}

static void run_all(int job_count)
{
	size_t next = 0;

	printf("1..%zu\n", case_count);
	while (reported < case_count) {
		for (int i = 0; i < job_count && next < case_count; i++)
			if (!jobs[i].what)
				start(&jobs[i], &cases[next++]);
		wait_for_some(job_count);
	}
}

/* ---- What to run ---- */

static bool wanted(const struct test_case *c, char **patterns)
{
	char name[200];

	if (!*patterns)
		return true;
	case_name(c, name);
	for (; *patterns; patterns++)
		if (strstr(name, *patterns) || fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

/* The linker keeps no order; the files' is the readable one. */
static int by_place(const void *a, const void *b)
{
	const struct test_case *x = a, *y = b;
	int order = strcmp(x->test->file ? x->test->file : "", y->test->file ? y->test->file : "");

	if (order == 0)
		order = x->test->line - y->test->line;
	if (order == 0)
		order = (x->test > y->test) - (x->test < y->test);
	return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void gather(char **patterns)
{
	for (const struct test *const *t = __start_plumb_tests; t < __stop_plumb_tests; t++) {
		size_t i = 0;

		do {
			struct test_case c = { *t, (*t)->variants ? (*t)->variants[i] : NULL, i };

			if (case_count < CASES_MAX && wanted(&c, patterns))
				cases[case_count++] = c;
		} while ((*t)->variants && (*t)->variants[++i]);
	}
	qsort(cases, case_count, sizeof *cases, by_place);
}

static int list(void)
{
	char name[200];

	for (size_t i = 0; i < case_count; i++)
		puts(case_name(&cases[i], name));
	return 0;
}

int main(int argc, char **argv)
{
	int job_count = number_env("TEST_JOBS", 2);
	bool only_list = argc > 1 && !strcmp(argv[1], "--list");

	verbose = argc > 1 && !strcmp(argv[1], "-v");
	gather(argv + 1 + (only_list || verbose));
	if (only_list)
		return list();
	run_all(job_count < JOBS_MAX ? job_count : JOBS_MAX);
	return failed > 0;
}
