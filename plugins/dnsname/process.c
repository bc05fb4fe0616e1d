/* The process of a name server: found by its command line, which names its pid file, as a pid may be another process's by now. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/trace.h"
#include "dnsname/dnsname.h"

enum { STOP_MS = 2000, KILL_MS = 15 * 1000 };

/* ---- Whose it is ---- */

/* Words of a process's command line, each ended by NUL; how many bytes. */
static ssize_t command_of(pid_t pid, char *out, size_t size)
{
	char path[64];
	scoped(fd_close) int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : read(fd, out, size);
}

enum { COMMAND_SIZE = 64 << 10 };

static bool has_word(const char *command, ssize_t len, const char *wanted)
{
	for (const char *at = command; at < command + len; at += strlen(at) + 1)
		if (!strcmp(at, wanted))
			return true;
	return false;
}

static bool is_of_view(struct cni_call *c, const char *view, pid_t pid, char command[COMMAND_SIZE], ssize_t *len)
{
	*len = command_of(pid, command, COMMAND_SIZE - 1);
	if (*len <= 0)
		return false;
	command[*len] = '\0';
	return has_word(command, *len, arena_printf(&c->arena, "--pid-file=%s", server_path(c, view, "pid")));
}

struct pid_search {
	struct cni_call *c;
	const char      *view;
	char            *command;
	ssize_t          len;
	pid_t            pid;
};

static int try_pid(const char *entry, void *search)
{
	struct pid_search *k = search;

	k->pid = atoi(entry);
	return k->pid > 0 && is_of_view(k->c, k->view, k->pid, k->command, &k->len);
}

/* Its pid, 0: none. A pid file may be of a process that has ended, or be lost; the command line tells whose a process is. */
static pid_t pid_of(struct cni_call *c, const char *view, char command[COMMAND_SIZE], ssize_t *len, bool look_everywhere)
{
	const char *text = names_read(c, server_path(c, view, "pid"));
	struct pid_search k = { .c = c, .view = view, .command = command };

	if (text && atoi(text) > 0 && is_of_view(c, view, atoi(text), command, len))
		return atoi(text);
	if (!look_everywhere || names_each("/proc", try_pid, &k) != 1)
		return 0;
	*len = k.len;
	return k.pid;
}

static bool is_command(const char *command, ssize_t len, char *const *argv)
{
	const char *at = command;

	for (; *argv; argv++) {
		if (at >= command + len || strcmp(at, *argv))
			return false;
		at += strlen(at) + 1;
	}
	return at >= command + len;
}

/* ---- Whether it runs ---- */

bool server_runs(struct cni_call *c, const struct server *s)
{
	scoped(mem_free) char *command = malloc(COMMAND_SIZE);
	ssize_t len;

	return command && pid_of(c, s->view, command, &len, false) > 0;
}

int process_obeys(struct cni_call *c, const char *view, char *const *argv)
{
	scoped(mem_free) char *command = malloc(COMMAND_SIZE);
	ssize_t len;

	if (!command)
		return err_nomem(&c->err, "name server");
	return pid_of(c, view, command, &len, false) && is_command(command, len, argv);
}

/* ---- Signals ---- */

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* 0: it has ended; -ETIMEDOUT; or why it may not be signalled. */
static int end_by(int pidfd, int sig, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	uint64_t end = trace_now() + ms * 1000000ull, now;

	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	while ((now = trace_now()) < end)
		if (poll(&p, 1, (int)((end - now) / 1000000) + 1) == 1)
			return 0;
	return -ETIMEDOUT;
}

/* The pid is looked at anew behind the descriptor, which cannot become another process's. */
int process_end(struct cni_call *c, const char *view)
{
	scoped(mem_free) char *command = malloc(COMMAND_SIZE);
	ssize_t len;
	pid_t pid = command ? pid_of(c, view, command, &len, true) : 0;
	scoped(fd_close) int pidfd = pid ? pidfd_of(pid) : -1;
	int r;

	if (pidfd < 0 || !is_of_view(c, view, pid, command, &len))
		return 0;
	r = end_by(pidfd, SIGTERM, STOP_MS);
	if (r == -ETIMEDOUT)
		r = end_by(pidfd, SIGKILL, KILL_MS);
	if (r == 0)
		return 0;
	err_sys(&c->err, CNI_FAILED, r, "name server of %s: ending process %d", view, pid);
	if (r == -EPERM)
		err_detail(&c->err, "it runs under a user of its own, so ending it takes CAP_KILL");
	return r;
}

bool program_signal(pid_t pid, const char *said, int sig)
{
	scoped(mem_free) char *command = malloc(COMMAND_SIZE);
	scoped(fd_close) int pidfd = pid > 0 ? pidfd_of(pid) : -1;
	ssize_t len = pidfd >= 0 && command ? command_of(pid, command, COMMAND_SIZE - 1) : -1;

	if (len <= 0)
		return false;
	command[len] = '\0';
	return has_word(command, len, said) && syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0;
}
