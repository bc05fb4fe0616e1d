/* How a world begins: one clone() into all new namespaces. Its first process becomes the world's init: it sets the scene, forks the process
 * that the caller will know as the child, and reaps until that one ends; with init's end the kernel ends all others. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"

int fault_note(struct fault *why, const char *fmt, ...)
{
	int error = errno;
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof why->text, fmt, ap);
	va_end(ap);
	used = strlen(why->text);
	if (error)
		snprintf(why->text + used, sizeof why->text - used, ": %s", strerror(error));
	errno = error;
	return -1;
}

static int write_file(const char *path, const char *text, struct fault *why)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (n < 0)
		fault_note(why, "writing \"%s\" to %s", text, path);
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* We are nobody in a user namespace until ids are mapped; an unprivileged caller may map its own only, and must give up setgroups. */
static int become_root(uid_t uid, gid_t gid, struct fault *why)
{
	char users[32], groups[32];

	snprintf(users, sizeof users, "0 %u 1", uid);
	snprintf(groups, sizeof groups, "0 %u 1", gid);
	if (write_file("/proc/self/setgroups", "deny", why) < 0 || write_file("/proc/self/uid_map", users, why) < 0 ||
	    write_file("/proc/self/gid_map", groups, why) < 0)
		return -1;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return fault_note(why, "becoming root of the user namespace");
	return 0;
}

static int lo_up(struct fault *why)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &lo);

	if (r < 0)
		fault_note(why, "bringing lo up");
	if (fd >= 0)
		close(fd);
	return r;
}

/* Ends with the child's status, whoever else has ended by then. */
static void __attribute__((noreturn)) reap_until(pid_t child)
{
	for (;;) {
		int status;
		pid_t pid = wait(&status);

		if (pid == child)
			_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
		if (pid < 0 && errno != EINTR)
			_exit(127);
	}
}

struct birth {
	unsigned namespaces;
	uid_t    uid;
	gid_t    gid;
	int      told[2];       /* a pipe: what went wrong, or its end */
};

static int set_the_scene(const struct birth *b, struct fault *why)
{
	if ((b->namespaces & CLONE_NEWUSER) && become_root(b->uid, b->gid, why) < 0)
		return -1;
	return mounts_make(why) < 0 ? -1 : lo_up(why);
}

/* The world's first process. Returns in the second one only. */
static pid_t init(const struct birth *b)
{
	struct fault why = { "" };
	pid_t child = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);       /* outlives no caller; a change of ids would clear it, so again below */
	if (set_the_scene(b, &why) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fflush(NULL);
		child = fork();
		if (child < 0)
			fault_note(&why, "fork");
	}
	if (child < 0) {
		if (write(b->told[1], why.text, strlen(why.text)) < 0)
			_exit(126);
		_exit(127);
	}
	close(b->told[0]);
	close(b->told[1]);
	if (child > 0)
		reap_until(child);
	return 0;
}

/* The raw call, as glibc's wants a stack: like fork(), on a copy of ours. */
static pid_t clone_into(unsigned namespaces)
{
	fflush(NULL);
	return (pid_t)syscall(SYS_clone, (unsigned long)namespaces | SIGCHLD, NULL, NULL, NULL, 0UL);
}

static pid_t birth_try(struct birth *b, struct fault *why)
{
	ssize_t n;
	pid_t pid;

	if (pipe2(b->told, O_CLOEXEC) < 0)
		return fault_note(why, "pipe");
	pid = clone_into(b->namespaces);
	if (pid == 0)
		return init(b);
	if (pid < 0)
		fault_note(why, "clone into new namespaces%s", b->namespaces & CLONE_NEWUSER ? ", users too" : "");
	close(b->told[1]);
	n = pid < 0 ? 0 : read(b->told[0], why->text, sizeof why->text - 1);
	close(b->told[0]);
	if (n <= 0)
		return pid;
	why->text[n] = '\0';
	waitpid(pid, NULL, 0);
	errno = EPERM;
	return -1;
}

pid_t world_fork(unsigned flags, struct fault *why)
{
	struct birth b = {
		.namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
		.uid = geteuid(), .gid = getegid(),
	};
	pid_t pid = -1;

	if (b.uid == 0 && !(flags & WORLD_USERS)) {
		pid = birth_try(&b, why);
		if (pid >= 0 || errno != EPERM)
			return pid;
	}
	b.namespaces |= CLONE_NEWUSER;
	return birth_try(&b, why);
}
