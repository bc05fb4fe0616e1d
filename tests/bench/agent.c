/* Plays the container runtime in a world (netns-fixtures), told by lines on stdin, fields parted by tabs; answers on stdout.
 *
 *   run VERB ID IFNAME POD STEPS   a chain of plugins; a line for each step follows: PROGRAM, ARGUMENTS, JSON
 *   par N                          N such runs follow, to be run at once
 *   count 0|1                      whether execs, system calls and page faults are counted, which slows things down
 *   put PATH SIZE                  SIZE bytes follow, to be written to a file
 *   sh COMMAND                     a shell command
 *
 * ARGUMENTS "-" is a CNI plugin: it gets the specification's environment, and on ADD the result of the step before as prevResult. Otherwise they are the
 * program's own, parted by spaces. Timed is the chain alone, from before the first step's start to its last one's end. */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS_MAX = 8, COUNTERS = 3, ANSWER_MAX = 1 << 20 };

struct step {
	char         *program, *arguments, *json, *answer;
	int           status;
	long          wall_ns;
	struct rusage used;
};

struct chain {
	char        verb[8], id[80], ifname[16], pod[16];
	int         n_steps, status;
	struct step steps[STEPS_MAX];
	long        wall_ns;
	long long   counts[COUNTERS];
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* ---- Counters: events that a chain's processes inherit; -1 where the kernel or the file system does not let us ---- */

static int counters[COUNTERS] = { -1, -1, -1 };

static uint64_t tracepoint(const char *name)
{
	char path[128];
	uint64_t id = 0;
	FILE *f;

	snprintf(path, sizeof path, "/run/tracing/events/%s/id", name);
	f = fopen(path, "re");
	if (f && fscanf(f, "%lu", &id) != 1)
		id = 0;
	if (f)
		fclose(f);
	return id;
}

static void counters_open(void)
{
	struct perf_event_attr events[COUNTERS] = {
		{ .type = PERF_TYPE_TRACEPOINT, .config = tracepoint("sched/sched_process_exec") },
		{ .type = PERF_TYPE_TRACEPOINT, .config = tracepoint("raw_syscalls/sys_enter") },
		{ .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS },
	};

	for (int i = 0; i < COUNTERS; i++) {
		events[i].size = sizeof events[i];
		events[i].inherit = 1;
		counters[i] = (int)syscall(SYS_perf_event_open, &events[i], 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	}
}

static void counters_close(void)
{
	for (int i = 0; i < COUNTERS; i++) {
		if (counters[i] >= 0)
			close(counters[i]);
		counters[i] = -1;
	}
}

static void counters_read(long long counts[COUNTERS], int sign)
{
	uint64_t value;

	for (int i = 0; i < COUNTERS; i++)
		counts[i] = read(counters[i], &value, sizeof value) == sizeof value ? counts[i] + sign * (long long)value : -1;
}

/* ---- Running a chain ---- */

static bool is_plugin(const struct step *s)
{
	return !strcmp(s->arguments, "-");
}

/* A pipe with all of the input in it, so that nobody has to write while the plugin runs. */
static int input_of(const struct step *s, const char *prev)
{
	size_t size = strlen(s->json) + (prev ? strlen(prev) : 0) + 32;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0 || (size > 60000 && fcntl(ends[1], F_SETPIPE_SZ, (int)size) < 0))
		fail("pipe");
	if (prev)
		dprintf(ends[1], "{\"prevResult\":%s,%s", prev, s->json + 1);
	else if (write(ends[1], s->json, strlen(s->json)) < 0)
		fail("input");
	close(ends[1]);
	return ends[0];
}

static char *read_all(int fd)
{
	size_t len = 0, room = 1 << 16;
	char *text = malloc(room);
	ssize_t n;

	while ((n = read(fd, text + len, room - 1 - len)) > 0) {
		len += (size_t)n;
		if (len + 1 == room && room < ANSWER_MAX)
			text = realloc(text, room *= 2);
	}
	text[len] = '\0';
	return text;
}

/* vfork: a copy of our page tables would be part of what is measured, and so would be posix_spawn's call for each signal.
 * NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork, clang-analyzer-unix.Vfork) */
static pid_t start(const struct step *s, char **argv, char **env, int in, int out)
{
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		execve(s->program, argv, env);
		_exit(127);
	}
	if (pid < 0)
		fail("vfork");
	return pid;
}
/* NOLINTEND(clang-analyzer-security.insecureAPI.vfork, clang-analyzer-unix.Vfork) */

static void step_run(const struct chain *c, struct step *s, const char *prev)
{
	char env[6][160], *envp[7] = { 0 }, *argv[32] = { s->program }, *rest = is_plugin(s) ? NULL : s->arguments;
	int out[2], in, status;
	long begun = now_ns();
	pid_t pid;

	snprintf(env[0], sizeof env[0], "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	snprintf(env[1], sizeof env[1], "CNI_COMMAND=%s", c->verb);
	snprintf(env[2], sizeof env[2], "CNI_CONTAINERID=%s", c->id);
	snprintf(env[3], sizeof env[3], "CNI_NETNS=/run/netns/%s", c->pod);
	snprintf(env[4], sizeof env[4], "CNI_IFNAME=%s", c->ifname);
	snprintf(env[5], sizeof env[5], "CNI_PATH=%.*s", (int)(strrchr(s->program, '/') - s->program), s->program);
	for (int i = 0; i < 6; i++)
		envp[i] = env[i];
	for (int i = 1; i < 31 && rest; i++)
		argv[i] = strsep(&rest, " ");
	in = input_of(s, prev);
	if (pipe2(out, O_CLOEXEC) < 0)
		fail("pipe");
	pid = start(s, argv, envp, in, out[1]);
	close(in);
	close(out[1]);
	s->answer = read_all(out[0]);
	close(out[0]);
	while (wait4(pid, &status, 0, &s->used) < 0)
		if (errno != EINTR)
			fail("wait");
	s->wall_ns = now_ns() - begun;
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void chain_run(struct chain *c)
{
	bool adds = !strcmp(c->verb, "ADD");
	const char *prev = NULL;
	long begun;

	counters_read(c->counts, -1);
	begun = now_ns();
	for (int i = 0; i < c->n_steps && c->status == 0; i++) {
		step_run(c, &c->steps[i], prev);
		c->status = c->steps[i].status;
		prev = adds && is_plugin(&c->steps[i]) ? c->steps[i].answer : NULL;
		if (c->status)
			c->n_steps = i + 1;
	}
	c->wall_ns = now_ns() - begun;
	counters_read(c->counts, 1);
}

/* ---- Requests ---- */

static char *line_next(void)
{
	static char *line;
	static size_t room;

	return getline(&line, &room, stdin) > 0 ? line : NULL;
}

static char *field_next(char **rest)
{
	char *field = strsep(rest, "\t\n");

	if (!field)
		fail("a request is short");
	return field;
}

static void chain_read(char *rest, struct chain *c)
{
	*c = (struct chain){ 0 };
	snprintf(c->verb, sizeof c->verb, "%s", field_next(&rest));
	snprintf(c->id, sizeof c->id, "%s", field_next(&rest));
	snprintf(c->ifname, sizeof c->ifname, "%s", field_next(&rest));
	snprintf(c->pod, sizeof c->pod, "%s", field_next(&rest));
	c->n_steps = atoi(field_next(&rest));
	if (c->n_steps < 1 || c->n_steps > STEPS_MAX)
		fail("steps");
	for (int i = 0; i < c->n_steps; i++) {
		rest = line_next();
		c->steps[i].program = strdup(field_next(&rest));
		c->steps[i].arguments = strdup(field_next(&rest));
		c->steps[i].json = strdup(field_next(&rest));
	}
}

static long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

static void step_tell(struct step *s)
{
	for (char *p = s->answer; *p; p++)
		if (strchr("\n\t\r", *p))
			*p = ' ';
	printf("step\t%d\t%ld\t%ld\t%ld\t%s\n", s->status, s->wall_ns, microseconds(s->used.ru_utime) + microseconds(s->used.ru_stime),
	       s->used.ru_maxrss, s->answer);
	free(s->answer);
	free(s->program);
	free(s->arguments);
	free(s->json);
}

static void chain_tell(struct chain *c)
{
	printf("chain\t%d\t%ld\t%d", c->status, c->wall_ns, c->n_steps);
	for (int i = 0; i < COUNTERS; i++)
		printf("\t%lld", c->counts[i]);
	putchar('\n');
	for (int i = 0; i < c->n_steps; i++)
		step_tell(&c->steps[i]);
}

static void run(char *rest)
{
	struct chain c;

	chain_read(rest, &c);
	chain_run(&c);
	chain_tell(&c);
}

static pthread_barrier_t gate;

static void *run_at_gate(void *chain)
{
	pthread_barrier_wait(&gate);
	chain_run(chain);
	return NULL;
}

static void run_at_once(unsigned n)
{
	struct chain *chains = calloc(n, sizeof *chains);
	pthread_t *threads = calloc(n, sizeof *threads);
	long begun;

	for (unsigned i = 0; i < n; i++) {
		char *rest = line_next();

		field_next(&rest);
		chain_read(rest, &chains[i]);
	}
	pthread_barrier_init(&gate, NULL, n + 1);
	for (unsigned i = 0; i < n; i++)
		if ((errno = pthread_create(&threads[i], NULL, run_at_gate, &chains[i])))
			fail("thread");
	begun = now_ns();
	pthread_barrier_wait(&gate);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	printf("par\t%ld\n", now_ns() - begun);
	for (unsigned i = 0; i < n; i++)
		chain_tell(&chains[i]);
	free(threads);
	free(chains);
}

static void shell(const char *command)
{
	FILE *f = popen(command, "re");
	char *out = read_all(fileno(f));
	int status = pclose(f);

	printf("sh\t%d\t%zu\n%s", WIFEXITED(status) ? WEXITSTATUS(status) : 255, strlen(out), out);
	free(out);
}

static void file_put(const char *path, size_t size)
{
	char *bytes = malloc(size);
	FILE *f = fopen(path, "we");

	if (!f || fread(bytes, 1, size, stdin) != size || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
		fail(path);
	free(bytes);
	puts("put");
}

static void count(bool on)
{
	counters_close();
	if (on)
		counters_open();
	puts("count");
}

static void serve(char *rest)
{
	const char *what = field_next(&rest);

	if (!strcmp(what, "run"))
		run(rest);
	else if (!strcmp(what, "par"))
		run_at_once((unsigned)atoi(field_next(&rest)));
	else if (!strcmp(what, "count"))
		count(*rest == '1');
	else if (!strcmp(what, "sh"))
		shell(field_next(&rest));
	else if (!strcmp(what, "put")) {
		const char *path = strdup(field_next(&rest));

		file_put(path, (size_t)atol(field_next(&rest)));
	} else {
		fail(what);
	}
	fflush(stdout);
}

int main(void)
{
	struct rlimit files = { 65536, 65536 };
	char *line;

	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	mkdir("/run/store", 0755);
	mkdir("/run/lock", 0755);
	mkdir("/run/tracing", 0755);
	if (mount("tracefs", "/run/tracing", "tracefs", 0, NULL) < 0)
		fprintf(stderr, "agent: no tracefs: processes are not counted\n");
	puts("ready");
	fflush(stdout);
	while ((line = line_next()))
		serve(line);
	return 0;
}
