#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scoped.h"
#include "base/trace.h"
#include "os/patience.h"

struct talk {
	const struct spawn *s;
	struct spawned     *out;
	int                 to, from;           /* its stdin and stdout, -1 when closed */
	size_t              sent, room;
	uint64_t            end_ns;             /* the deadline */
};

static int ms_left(const struct talk *t)
{
	uint64_t now = trace_now();

	return t->end_ns > now ? (int)((t->end_ns - now) / 1000000) : 0;
}

static void feed(struct talk *t)
{
	ssize_t n = write(t->to, t->s->input + t->sent, t->s->input_len - t->sent);

	if (n > 0)
		t->sent += n;
	if (t->sent == t->s->input_len || (n < 0 && errno != EAGAIN && errno != EINTR)) {        /* it need not read to the end */
		close(t->to);
		t->to = -1;
	}
}

static int drain(struct talk *t)
{
	struct spawned *out = t->out;
	ssize_t n;

	if (t->room - out->output_len < 2) {
		char *more = realloc(out->output, t->room = t->room ? t->room * 2 : 4096);

		if (!more)
			return -ENOMEM;
		out->output = more;
	}
	n = read(t->from, out->output + out->output_len, t->room - out->output_len - 1);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (n == 0) {
		close(t->from);
		t->from = -1;
	}
	out->output_len += n;
	out->output[out->output_len] = '\0';
	return out->output_len > t->s->output_limit ? -EFBIG : 0;
}

/* Until it closes its stdout. */
static int converse(struct talk *t)
{
	int r = 0;

	while (r == 0 && t->from >= 0) {
		struct pollfd p[2] = { { .fd = t->from, .events = POLLIN }, { .fd = t->to, .events = POLLOUT } };
		int left = ms_left(t);

		if (left == 0 || poll(p, 2, left) == 0)
			return -ETIME;
		if (t->to >= 0 && p[1].revents)
			feed(t);
		if (p[0].revents)
			r = drain(t);
	}
	return r;
}

/* It may have closed its stdout long before it ends, and may still wait for the end of its stdin. r: how the talk went; the same, or -ETIME. */
static int see_it_end(struct talk *t, pid_t pid, int r)
{
	struct patience patience;
	int status = 0, got;

	fd_close(&t->to);
	t->to = -1;
	patience_begin(&patience, ms_left(t));
	do
		got = r < 0 ? 0 : waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR && !patience_is_over(&patience));
	patience_end(&patience);
	if (got != pid) {
		r = r < 0 ? r : -ETIME;
		kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	t->out->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return r;
}

static int start(const struct spawn *s, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int r;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (s->quiet)
		posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	else if (s->both)
		posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);          /* we ignore it while we write; an ignored signal would stay so across exec */
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn(pid, s->path, &files, &attr, s->argv, s->env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

int spawn_run(const struct spawn *s, struct spawned *out, struct err *e)
{
	int in[2] = { -1, -1 }, from[2] = { -1, -1 }, r = 0;
	struct talk t = { .s = s, .out = out, .end_ns = trace_now() + s->deadline_ms * 1000000ull };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t pid;

	*out = (struct spawned){ 0 };
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0)
		r = -errno;
	sigaction(SIGPIPE, &ignore, &before);
	if (r == 0)
		r = start(s, in[0], from[1], &pid);
	fd_close(&in[0]);
	fd_close(&from[1]);
	t.to = in[1];
	t.from = from[0];
	if (r == 0) {
		fcntl(t.to, F_SETFL, O_NONBLOCK);
		r = see_it_end(&t, pid, converse(&t));
	}
	fd_close(&t.to);
	fd_close(&t.from);
	sigaction(SIGPIPE, &before, NULL);
	if (r == -ETIME)
		return err_set(e, CNI_FAILED, r, "%s: did not end within %g s, and was ended", s->path, s->deadline_ms / 1000.0);
	if (r == -EFBIG)
		return err_set(e, CNI_FAILED, r, "%s: wrote more than %zu bytes, and was ended", s->path, s->output_limit);
	return r < 0 ? err_sys(e, CNI_FAILED, r, "running %s", s->path) : 0;
}
