/* crash: every plugin, every verb, comes to grief at every system call, in every way that fits the call; and nothing is lost, and nothing left.
 *
 *	crash [-k EVERY] [-u EVERY] [-t TURN] [-j JOBS] [-m MOST] [PATTERN]…     "bridge ADD" and the like; all without
 *	crash -p "57 kill-before del" "bridge ADD"           one point, with what was said
 *	crash -l                                             the names
 *
 * Points are tried one after another in a world (netns-fixtures) that each leaves as it was; where one fails, the world is given up for a new one. With -k only every
 * EVERY-th is tried, with -u only of every EVERY-th plugin and verb; others each day, or as TURN says. What fails MOST times (10) is given up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "point.h"
#include "runner.h"

enum { JOBS_MAX = 16, UNITS_MAX = 200 };

/* A verb of a scenario, and how it went; in memory that all processes share. */
struct unit {
	const struct scenario *s;
	const char *verb;
	pid_t       pid;                        /* its world's first process */
	size_t      next;                       /* the point to go on with */
	size_t      planned, tried, reached, failed, restarts;
	bool        ended;                      /* it came to the end of its plan */
	bool        skipped;
	long long   begun, took_ms;
	int         output;
};

static struct unit *units;
static size_t unit_count;
static unsigned long every = 1, every_unit = 1, turn, most = 10;
static const struct point *only;

static const char *name_of(const struct unit *u)
{
	return keep("%s %s", u->s->name, u->verb);
}

static const char *recovery_word(const struct point *p)
{
	return p->by == BY_DEL ? "del" : "gc";
}

/* ---- In the world ---- */

/* In a process of its own: the first thing amiss ends it, and what it used goes with it. 0: all well, 1: amiss, 2: not reached. */
static int try_apart(struct unit *u, const struct attachment *a, const struct point *p, struct world *w)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(u->output, STDOUT_FILENO);
		dup2(u->output, STDERR_FILENO);
		note("crash -p \"%lu %s %s\" \"%s %s\"", p->n, p->action, recovery_word(p), u->s->name, u->verb);
		_exit(point_try(a, u->verb, p, w) ? 0 : 2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2) ? WEXITSTATUS(status) : 1;
}

static bool is_chosen(const struct unit *u, size_t i)
{
	return (i + turn + (size_t)(u - units)) % every == 0;
}

/* From where the last world ended, until a point fails. */
static void live(struct unit *u)
{
	struct attachment a;
	struct world w;
	struct plan plan;

	dup2(u->output, STDERR_FILENO);
	note("%s %s, which is left in peace", u->s->name, u->verb);
	w = point_world(u->s);
	plan = only ? (struct plan){ (struct point *)only, 1 } : plan_make(u->s, u->verb);
	u->planned = plan.count;
	a = point_prepare(u->s, u->verb, &w);
	for (; u->next < plan.count; u->next++) {
		int r = only || is_chosen(u, u->next) ? try_apart(u, &a, &plan.points[u->next], &w) : -1;

		if (r < 0)
			continue;
		u->tried++;
		u->reached += r != 2;
		if (r == 1) {
			u->failed++;
			u->next++;
			return;
		}
	}
	u->ended = true;
}

/* ---- Outside ---- */

static void start(struct unit *u)
{
	struct fault why;
	pid_t pid = world_fork(getenv("WORLD_USERNS") ? WORLD_USERS : 0, &why);

	if (pid == 0) {
		live(u);
		fflush(NULL);
		_exit(0);
	}
	if (pid < 0) {
		printf("Bail out! no world: %s\n", why.text);
		exit(1);
	}
	u->pid = pid;                           /* the child must not: they share the unit */
}

static void print_output(const struct unit *u)
{
	off_t len = lseek(u->output, 0, SEEK_END);
	char *text = calloc(1, len + 1), *rest = text, *line;

	if (!text || pread(u->output, text, len, 0) < 0)
		return;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("#   %s\n", line);
	free(text);
}

static void report(struct unit *u, size_t number)
{
	bool well = u->ended && u->failed == 0;

	u->took_ms = now_ms() - u->begun;
	if (u->skipped) {
		char words[200] = "";

		if (pread(u->output, words, sizeof words - 1, 0) < 0)
			*words = '\0';
		printf("ok %zu - %s # SKIP %.*s\n", number, name_of(u), (int)strcspn(words, "\n"), words + strlen(SKIP_WORD));
		return;
	}
	printf("%s %zu - %s: %zu of %zu points, %zu failed", well ? "ok" : "not ok", number, name_of(u), u->tried, u->planned, u->failed);
	if (u->tried > u->reached)
		printf(", %zu not reached", u->tried - u->reached);
	printf(" # %.1f s\n", u->took_ms / 1000.0);
	if (!well || only)
		print_output(u);
	fflush(stdout);
}

/* A world has ended: the unit is done, or goes on in another one. */
static bool is_done(struct unit *u)
{
	size_t before = u->restarts++;

	return u->ended || u->tried == 0 || u->failed <= before || u->failed >= most;
}

static void run_all(int jobs)
{
	size_t next = 0, done = 0;
	int running = 0;

	printf("1..%zu\n", unit_count);
	while (done < unit_count) {
		int status;
		pid_t pid;

		for (; running < jobs && next < unit_count; next++, running++) {
			units[next].output = memfd_create("output", MFD_CLOEXEC);
			units[next].begun = now_ms();
			start(&units[next]);
		}
		pid = wait(&status);
		for (size_t i = 0; i < next; i++) {
			if (units[i].pid != pid)
				continue;
			units[i].skipped = WIFEXITED(status) && WEXITSTATUS(status) == TEST_SKIPPED;
			if (!is_done(&units[i])) {
				start(&units[i]);
				break;
			}
			running--;
			report(&units[i], ++done);
		}
	}
}

static int closing(void)
{
	size_t tried = 0, failed = 0, broken = 0;

	for (size_t i = 0; i < unit_count; i++) {
		tried += units[i].tried;
		failed += units[i].failed;
		broken += !units[i].ended && !units[i].skipped;
	}
	printf("# %zu points: %zu passed, %zu failed", tried, tried - failed, failed);
	if (every > 1)
		printf("; every %lu. of them, turn %lu (-t %lu tries the same again)", every, turn, turn);
	printf("\n");
	return failed > 0 || broken > 0;
}

/* ---- The command line ---- */

static void gather(char **patterns)
{
	size_t place = 0;

	units = mmap(NULL, UNITS_MAX * sizeof *units, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < scenario_count; i++)
		for (const char *const *verb = verbs; *verb; verb++) {
			struct unit u = { .s = &scenarios[i], .verb = *verb };
			bool wanted = !*patterns;

			for (char **p = patterns; *p; p++)
				wanted |= only || strchr(*p, ' ') ? !strcmp(name_of(&u), *p) : strstr(name_of(&u), *p) != NULL;
			wanted &= (place++ + turn) % every_unit == 0;
			if (wanted && unit_count < UNITS_MAX)
				units[unit_count++] = u;
		}
}

static const struct point *point_read(const char *text)
{
	static struct point p;
	char by[8] = "";
	const char *space = strrchr(text, ' ');

	if (sscanf(text, "%lu", &p.n) != 1 || !space || space == strchr(text, ' ') || sscanf(space, " %7s", by) != 1) {
		fprintf(stderr, "crash: -p \"%s\": want \"57 kill-before del\"\n", text);
		exit(2);
	}
	snprintf(p.action, sizeof p.action, "%.*s", (int)(space - strchr(text, ' ') - 1), strchr(text, ' ') + 1);
	p.by = strcmp(by, "gc") ? BY_DEL : BY_GC;
	return &p;
}

int main(int argc, char **argv)
{
	int option, jobs = getenv("TEST_JOBS") ? atoi(getenv("TEST_JOBS")) : 2;
	bool list = false;

	turn = (unsigned long)(time(NULL) / 86400);
	while ((option = getopt(argc, argv, "k:u:t:j:m:p:l")) != -1) {
		switch (option) {
		case 'k': every = strtoul(optarg, NULL, 10); break;
		case 'u': every_unit = strtoul(optarg, NULL, 10); break;
		case 't': turn = strtoul(optarg, NULL, 10); break;
		case 'j': jobs = atoi(optarg); break;
		case 'm': most = strtoul(optarg, NULL, 10); break;
		case 'p': only = point_read(optarg); break;
		case 'l': list = true; break;
		default:
			fprintf(stderr, "usage: crash [-k EVERY] [-u EVERY] [-t TURN] [-j JOBS] [-m MOST] [-p POINT] [-l] [PATTERN]…\n");
			return 2;
		}
	}
	if (every < 1 || every_unit < 1 || jobs < 1 || jobs > JOBS_MAX) {
		fprintf(stderr, "crash: -k, -u and -j want a number from 1\n");
		return 2;
	}
	gather(argv + optind);
	if (list) {
		for (size_t i = 0; i < unit_count; i++)
			puts(name_of(&units[i]));
		return 0;
	}
	run_all(jobs);
	return closing();
}
