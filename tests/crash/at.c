/* at: runs a command, counts the system calls of all its processes as one sequence, and does something at the n-th.
 *
 *	at N ACTION COMMAND…            at -l FILE COMMAND…     writes the calls to FILE: number, process (0: the command), program, call
 *
 *	kill-before, kill-after         SIGKILL to every process, as the call is about to begin, or has just ended
 *	one-before, one-after           to the process that makes the call, while others go on
 *	root-before, root-after         to the command itself, while those it started go on
 *	term-before                     SIGTERM to the command itself
 *	fail:ERRNO                      the call is not made, and answers ERRNO; it is the n-th or the first behind it that may answer so (calls.c)
 *	lose:ERRNO                      likewise, but the call is made
 *	run:COMMAND                     a shell runs COMMAND while the process stands before the call
 *
 * A name server (dnsmasq) that is started is let go as it begins: it is meant to outlive the command.
 *
 * The exit status is the command's, KILLED where a signal of ours ended it, 128 + the signal where another did. What was done, or that there is no n-th call, is the
 * last line on stderr. All other processes have ended when it ends. */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "at.h"
#include "calls.h"

enum { PROCESSES_MAX = 256 };

struct point {
	unsigned long n;                /* 0: none */
	enum { NOTHING, KILL_ALL, KILL_ONE, KILL_ROOT, TERM_ROOT, FAIL, LOSE, RUN } what;
	bool          after;            /* done when the call has ended; the others when it is about to begin */
	int           error;
	const char   *command, *text;
	char          fits[32];         /* the word for it among a call's errors, " EIO " or " ~EIO " */
};

struct process {
	pid_t pid;                      /* 0: a free place */
	bool  at_point;                 /* it is in the n-th call */
	bool  begun;                    /* its first stop, which tells that it is ours, is behind it */
};

static struct process processes[PROCESSES_MAX];
static struct point point;
static FILE *list;
static pid_t root;
static unsigned long count, struck;
static bool counting, done, killing;
static char where[80];                  /* the n-th call: "openat of bridge" */

static void __attribute__((noreturn)) usage(void)
{
	fputs("usage: at N ACTION COMMAND…, at -l FILE COMMAND…\n", stderr);
	exit(2);
}

static struct process *process_of(pid_t pid)
{
	struct process *unused = NULL;

	for (size_t i = 0; i < PROCESSES_MAX; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
		if (!processes[i].pid && !unused)
			unused = &processes[i];
	}
	if (!unused) {
		fprintf(stderr, "at: more than %d processes at once\n", PROCESSES_MAX);
		exit(2);
	}
	*unused = (struct process){ .pid = pid };
	return unused;
}

/* ---- The registers ---- */

static int set_number(pid_t pid, long number)
{
#if defined(__x86_64__)
	return (int)ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), number);
#elif defined(__aarch64__)
	int n = (int)number;
	struct iovec v = { &n, sizeof n };

	return (int)ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v);
#else
#error "tests/crash/at.c: which register has the number of a system call, and which its answer?"
#endif
}

static int set_answer(pid_t pid, long answer)
{
#if defined(__x86_64__)
	return (int)ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), answer);
#elif defined(__aarch64__)
	struct user_regs_struct regs;
	struct iovec v = { &regs, sizeof regs };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		return -1;
	regs.regs[0] = answer;
	return (int)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
#endif
}

/* ---- What is done at the point ---- */

static void kill_all(void)
{
	killing = true;
	for (size_t i = 0; i < PROCESSES_MAX; i++)
		if (processes[i].pid)
			kill(processes[i].pid, SIGKILL);
}

static void act(struct process *p)
{
	done = true;
	switch (point.what) {
	case NOTHING:                                                           break;
	case KILL_ALL:  kill_all();                                             break;
	case KILL_ONE:  kill(p->pid, SIGKILL);                                  break;
	case KILL_ROOT: kill(root, SIGKILL);                                    break;
	case TERM_ROOT: kill(root, SIGTERM);                                    break;
	case FAIL:      set_number(p->pid, -1);                                 break;
	case LOSE:      set_answer(p->pid, -point.error);                       break;
	case RUN:       if (system(point.command) != 0) fprintf(stderr, "at: %s: it failed\n", point.command); break;
	}
}

static const char *program_of(pid_t pid, char out[32])
{
	char path[32];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(out, 32, f))
		strcpy(out, "?");
	if (f)
		fclose(f);
	out[strcspn(out, "\n")] = '\0';
	return out;
}

/* The n-th; two runs of a program need not make the same calls, and errors are for those that may answer them. */
static bool is_point(const char *call)
{
	char words[160];

	if (point.what != FAIL && point.what != LOSE)
		return count == point.n;
	snprintf(words, sizeof words, " %s ", call_errors(call));
	return !done && where[0] == '\0' && point.n && count >= point.n && strstr(words, point.fits);
}

static void on_entry(struct process *p, long number)
{
	char program[32];

	if (!counting)
		return;
	count++;
	if (list)
		fprintf(list, "%lu %d %s %s\n", count, p->pid == root ? 0 : 1, program_of(p->pid, program), call_name(number));
	if (!is_point(call_name(number)))
		return;
	snprintf(where, sizeof where, "%s of %s", call_name(number), program_of(p->pid, program));
	struck = count;
	p->at_point = true;
	if (!point.after)
		act(p);
}

static void on_exit_of(struct process *p)
{
	if (!p->at_point)
		return;
	p->at_point = false;
	if (point.what == FAIL)
		set_answer(p->pid, -point.error);
	if (point.after)
		act(p);
}

static void on_call(struct process *p)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_entry(p, (long)info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		on_exit_of(p);
}

/* ---- Tracing ---- */

static void __attribute__((noreturn)) become(char **command)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execv(command[0], command);
	fprintf(stderr, "at: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

/* A stop; the signal that the process is to get with it. */
static int on_stop(struct process *p, int status)
{
	int event = status >> 16, number = WSTOPSIG(status);

	if (number == (SIGTRAP | 0x80)) {
		on_call(p);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC && p->pid == root)
		counting = true;                /* from the first call that is the command's own */
	if (event)
		return 0;
	if (!p->begun && number == SIGSTOP) {
		p->begun = true;
		return 0;
	}
	return number;
}

static bool outlives(const struct process *p, int status)
{
	char program[32];

	return status >> 16 == PTRACE_EVENT_EXEC && !strcmp(program_of(p->pid, program), "dnsmasq");
}

/* Until all have ended; how the command did. */
static int follow(void)
{
	int status, root_status = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		struct process *p;
		int number;

		if (pid < 0)
			continue;
		p = process_of(pid);
		if (!WIFSTOPPED(status)) {
			if (pid == root)
				root_status = status;
			p->pid = 0;
			continue;
		}
		if (killing)
			kill(pid, SIGKILL);
		if (outlives(p, status)) {
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
			p->pid = 0;
			continue;
		}
		number = on_stop(p, status);
		ptrace(PTRACE_SYSCALL, pid, NULL, (long)number);
	}
	return root_status;
}

static int run(char **command)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
	int status;

	root = fork();
	if (root == 0)
		become(command);
	if (root < 0 || waitpid(root, &status, __WALL) != root || ptrace(PTRACE_SETOPTIONS, root, NULL, options) < 0) {
		fprintf(stderr, "at: tracing %s: %s\n", command[0], strerror(errno));
		exit(2);
	}
	process_of(root)->begun = true;
	ptrace(PTRACE_SYSCALL, root, NULL, NULL);
	return follow();
}

/* ---- The command line ---- */

static void point_read(const char *n, const char *action)
{
	static const struct { const char *word; int what; bool after; } kills[] = {
		{ "kill-before", KILL_ALL, false }, { "kill-after", KILL_ALL, true }, { "one-before", KILL_ONE, false }, { "one-after", KILL_ONE, true },
		{ "root-before", KILL_ROOT, false }, { "root-after", KILL_ROOT, true }, { "term-before", TERM_ROOT, false },
	};

	point = (struct point){ .n = strtoul(n, NULL, 10), .text = action };
	for (size_t i = 0; i < sizeof kills / sizeof *kills; i++)
		if (!strcmp(kills[i].word, action)) {
			point.what = kills[i].what;
			point.after = kills[i].after;
		}
	if (!strncmp(action, "fail:", 5) || !strncmp(action, "lose:", 5)) {
		point.what = *action == 'f' ? FAIL : LOSE;
		point.after = point.what == LOSE;
		point.error = error_number(action + 5);
		snprintf(point.fits, sizeof point.fits, " %s%s ", point.what == LOSE ? "~" : "", action + 5);
	} else if (!strncmp(action, "run:", 4)) {
		point.what = RUN;
		point.command = action + 4;
	}
	if (!point.n || point.what == NOTHING || ((point.what == FAIL || point.what == LOSE) && !point.error))
		usage();
}

int main(int argc, char **argv)
{
	bool killed;
	int status;

	if (argc < 4)
		usage();
	if (strcmp(argv[1], "-l"))
		point_read(argv[1], argv[2]);
	else if (!(list = fopen(argv[2], "we")))
		usage();
	status = run(argv + 3);
	if (list && fclose(list) != 0)
		return 2;
	if (point.n && done)
		fprintf(stderr, AT_REACHED "%lu %s: %s\n", struck, point.text, where);
	else
		fprintf(stderr, AT_NOT_REACHED "%lu calls\n", count);
	killed = done && WIFSIGNALED(status) && point.what != FAIL && point.what != LOSE && point.what != RUN;
	return killed ? AT_KILLED : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
