#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "test.h"

enum { OUTPUT_LIMIT = 8 << 20 };

static int input_file(const struct run *r)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || (r->input_len > 0 && write(fd, r->input, r->input_len) != (ssize_t)r->input_len) || lseek(fd, 0, SEEK_SET) < 0)
		fail("input of %zu bytes: %s", r->input_len, strerror(errno));
	return fd;
}

static void __attribute__((noreturn)) become(const struct run *r, int in, int out, int err)
{
	int ns = strcmp(r->netns, "host") ? world_netns(r->netns) : -2;

	if (ns == -1 || (ns >= 0 && world_enter_netns(ns) < 0)) {
		dprintf(err, "namespace %s: %s\n", r->netns, strerror(errno));
		_exit(127);
	}
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (r->env)
		environ = (char **)r->env;
	execvp(r->argv[0], (char *const *)r->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", r->argv[0], strerror(errno));
	_exit(127);
}

/* Reads both pipes to their ends; false: the deadline came first. */
static bool drain(int fds[2], char *text[2], size_t len[2], long long deadline)
{
	struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		long long left = deadline - now_ms();

		if (left <= 0 || (poll(p, 2, (int)left) < 0 && errno != EINTR))
			return false;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (p[i].fd < 0 || !p[i].revents)
				continue;
			n = read(p[i].fd, text[i] + len[i], OUTPUT_LIMIT - len[i] - 1);
			if (n <= 0)
				p[i].fd = -1;
			else
				len[i] += n;
		}
	}
	return true;
}

struct ran run_program(const struct run *r)
{
	long long deadline = now_ms() + r->deadline_ms;
	char *text[2] = { malloc(OUTPUT_LIMIT), malloc(OUTPUT_LIMIT) };     /* not cleared: most of it is never touched */
	int in = input_file(r), out[2], err[2], status = 0;
	size_t len[2] = { 0, 0 };
	struct ran ran;
	bool ended;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		fail("running %s: %s", r->argv[0], strerror(errno));
	if (pid == 0)
		become(r, in, out[1], err[1]);
	close(in);
	close(out[1]);
	close(err[1]);
	ended = drain((int[]){ out[0], err[0] }, text, len, deadline);
	if (!ended)
		kill(pid, SIGKILL);
	close(out[0]);
	close(err[0]);
	waitpid(pid, &status, 0);
	ran.status = !ended ? -1 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	text[0][len[0]] = text[1][len[1]] = '\0';
	ran.out = keep("%s", text[0]);
	ran.err = keep("%s", text[1]);
	free(text[0]);
	free(text[1]);
	return ran;
}
