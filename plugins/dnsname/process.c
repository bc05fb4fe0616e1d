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

enum { STOP_MS = 2000, KILL_MS = 15 * 1000, COMMAND_SIZE = 64 << 10, PID_MAX = 1 << 22 };

/* ---- Whose it is ---- */

/* A process that is looked for, and its command line once it is found. */
struct process {
	struct cni_call *c;
	const char      *said;                  /* a word of that line, by which it is known */
	long             pid;
	bool             by_file;               /* a pid file told of it */
	ssize_t          len;
	char             command[COMMAND_SIZE]; /* words, each ended by NUL */
};

/* For scoped(mem_free); NULL: no memory. */
static struct process *process_of(struct cni_call *c, const char *said)
{
	struct process *p = said ? calloc(1, sizeof *p) : NULL;

	if (p) {
		p->c = c;
		p->said = said;
	} else {
		err_nomem(&c->err, "name server");
	}
	return p;
}

static struct process *server_process(struct cni_call *c, const char *view)
{
	const char *file = server_path(c, view, "pid");

	return process_of(c, file ? arena_printf(&c->arena, "--pid-file=%s", file) : NULL);
}

/* 0, and the line's length, 0: there is no such process; or -errno. */
static int read_command(struct process *p)
{
	char path[64];
	scoped(fd_close) int fd = -1;

	snprintf(path, sizeof path, "/proc/%ld/cmdline", p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	do
		p->len = fd < 0 ? -1 : read(fd, p->command, COMMAND_SIZE - 1);
	while (fd >= 0 && p->len < 0 && errno == EINTR);
	if (p->len < 0 && errno != ENOENT && errno != ESRCH)
		return -errno;
	p->len = p->len < 0 ? 0 : p->len;
	p->command[p->len] = '\0';
	return 0;
}

static bool has_word(const struct process *p)
{
	for (const char *at = p->command; at < p->command + p->len; at += strlen(at) + 1)
		if (!strcmp(at, p->said))
			return true;
	return false;
}

/* Whether the process of p->pid is the one. */
static int is_it(struct process *p)
{
	int r = read_command(p);

	return r < 0 ? err_sys(&p->c->err, CNI_IO, r, "/proc/%ld/cmdline", p->pid) : has_word(p);
}

/* What we may not look at is not ours. */
static int try_pid(const char *entry, void *process)
{
	struct process *p = process;
	int r;

	p->pid = number_of(entry, PID_MAX);
	r = p->pid ? read_command(p) : -EPERM;
	if (r == -EPERM || r == -EACCES)
		return 0;
	return r < 0 ? err_sys(&p->c->err, CNI_IO, r, "/proc/%ld/cmdline", p->pid) : has_word(p);
}

/* 1; 0: it does not run; negative: that cannot be told. A pid file may be of a process that has ended, damaged, or lost; the command line tells whose a
 * process is. */
static int find(struct process *p, const char *view, bool look_everywhere)
{
	int r = names_number(p->c, server_path(p->c, view, "pid"), PID_MAX, &p->pid);

	if (r == 1)
		r = is_it(p);
	p->by_file = r == 1;
	if (r != 0 && r != -EBADMSG)
		return r;
	return look_everywhere ? names_each(p->c, "/proc", try_pid, p) : 0;
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

int server_runs(struct cni_call *c, const struct server *s)
{
	scoped(mem_free) struct process *p = server_process(c, s->view);

	return p ? find(p, s->view, false) : -ENOMEM;
}

int process_obeys(struct cni_call *c, const char *view, char *const *argv)
{
	scoped(mem_free) struct process *p = server_process(c, view);
	int r = p ? find(p, view, false) : -ENOMEM;

	return r == 1 ? is_command(p->command, p->len, argv) : r;
}

/* ---- Signals ---- */

/* It is looked at anew behind the descriptor, which cannot become another process's. 1; 0: it has ended. */
static int pidfd_of(struct process *p, int *out)
{
	scoped(fd_close) int fd = (int)syscall(SYS_pidfd_open, (pid_t)p->pid, 0);
	int r;

	if (fd < 0)
		return errno == ESRCH ? 0 : err_sys(&p->c->err, CNI_FAILED, -errno, "a descriptor of process %ld", p->pid);
	r = is_it(p);
	if (r == 1)
		*out = fd_keep(&fd);
	return r;
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

static int end_one(struct process *p, const char *view)
{
	scoped(fd_close) int pidfd = -1;
	int r = pidfd_of(p, &pidfd);

	if (r != 1)
		return r;
	r = end_by(pidfd, SIGTERM, STOP_MS);
	if (r == -ETIMEDOUT)
		r = end_by(pidfd, SIGKILL, KILL_MS);
	if (r == 0)
		return 0;
	err_sys(&p->c->err, CNI_FAILED, r, "name server of %s: ending process %ld", view, p->pid);
	if (r == -EPERM)
		err_detail(&p->c->err, "it runs under a user of its own, so ending it takes CAP_KILL");
	return r;
}

/* Where no pid file tells of it there may be several: one that is being started is two processes for a moment. */
int process_end(struct cni_call *c, const char *view)
{
	scoped(mem_free) struct process *p = server_process(c, view);
	int r = p ? 0 : -ENOMEM;

	while (p && (r = find(p, view, true)) == 1)
		if ((r = end_one(p, view)) < 0 || p->by_file)
			return r;
	return r;
}

static int send_signal(struct process *p, int sig)
{
	scoped(fd_close) int pidfd = -1;
	int r = pidfd_of(p, &pidfd);

	if (r == 1 && syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(&p->c->err, CNI_FAILED, -errno, "signalling process %ld", p->pid);
	return first_failure(r, 0);
}

int process_tell(struct cni_call *c, const char *view)
{
	scoped(mem_free) struct process *p = server_process(c, view);
	int r = p ? find(p, view, true) : -ENOMEM;

	return r == 1 ? send_signal(p, SIGHUP) : r;
}

int program_signal(struct cni_call *c, pid_t pid, const char *said, int sig)
{
	scoped(mem_free) struct process *p = process_of(c, said);

	if (!p)
		return -ENOMEM;
	p->pid = pid;
	return send_signal(p, sig);
}
