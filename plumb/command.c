#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "plumb.h"
#include "signals.h"

/* What the child tells of a failed step; nothing comes through when it has become the command. */
struct report {
	int  error;
	char step[64];
};

static int exec_exit(int error)
{
	return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* ---- The child ---- */

/* Mounts of ours stay ours; those that the host makes later still come in. */
static const char *enter(const struct command *cmd)
{
	if (setns(cmd->netns, CLONE_NEWNET) < 0)
		return "entering the network namespace";
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return "a new mount namespace";
	if (cmd->resolv && mount(cmd->resolv, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		return "/etc/resolv.conf of the network";
	if (cmd->hosts && mount(cmd->hosts, "/etc/hosts", NULL, MS_BIND, NULL) < 0)
		return "/etc/hosts of its own";
	if (cmd->hostname && (unshare(CLONE_NEWUTS) < 0 || sethostname(cmd->hostname, strlen(cmd->hostname)) < 0))
		return "a host name of its own";
	return NULL;
}

static void child(const struct command *cmd, pid_t parent, int out, const sigset_t *mask)
{
	struct report report = { 0 };
	const char *step;
	ssize_t n;

	signals_reset();
	prctl(PR_SET_PDEATHSIG, SIGKILL);       /* a run that is killed does not leave its command behind */
	if (getppid() != parent)
		_exit(EXIT_RUN);
	step = cmd->netns >= 0 ? enter(cmd) : NULL;
	if (!step) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(cmd->argv[0], cmd->argv);
	}
	report.error = errno;
	text_format(report.step, sizeof report.step, "%s", step ? step : "");
	n = write(out, &report, sizeof report);
	(void)n;
	_exit(EXIT_RUN);
}

/* ---- The parent ---- */

int command_start(struct call *c, const struct command *cmd, pid_t *pid)
{
	scoped(fd_close) int in = -1;
	struct report report;
	sigset_t all, mask;
	pid_t parent = getpid();
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(&c->trouble.err, CNI_FAILED, -errno, "starting %s", cmd->argv[0]);
	in = fds[0];
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	*pid = fork();
	if (*pid == 0)
		child(cmd, parent, fds[1], &mask);
	n = -errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(fds[1]);
	if (*pid < 0)
		return err_sys(&c->trouble.err, CNI_FAILED, (int)n, "starting %s", cmd->argv[0]);
	do
		n = read(in, &report, sizeof report);
	while (n < 0 && errno == EINTR);
	if (n != sizeof report)
		return 0;
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (report.step[0])
		return err_sys(&c->trouble.err, CNI_FAILED, -report.error, "%s", report.step);
	return trouble_set(&c->trouble, exec_exit(report.error), -report.error, "%s: %s", cmd->argv[0], strerror(report.error));
}

/* Until it has ended; children of plugins that land on us are none of our business. A signal that would end us ends the command first. */
int command_attend(pid_t pid)
{
	struct caught signal;
	int status = 0, ours = 0;

	while (signals_next(&signal, true)) {
		if (signal.number == SIGCHLD) {
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
		} else if (!signals_are_for_the_command(signal.number)) {
			ours = signal.number;
			kill(pid, SIGTERM);
		} else if (signal.sent) {
			kill(pid, signal.number);
		}
	}
	if (ours)
		return 128 + ours;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int command_become(struct call *c, char **argv)
{
	execvp(argv[0], argv);
	return trouble_set(&c->trouble, exec_exit(errno), -errno, "%s: %s", argv[0], strerror(errno));
}
