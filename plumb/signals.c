#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/scoped.h"

/* Behind CHLD: those that would end us with all of it standing. */
static const int watched[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD,
	SIGALRM, SIGPIPE, SIGVTALRM, SIGPROF, SIGXCPU, SIGIO, SIGPWR, SIGSTKFLT, SIGTRAP, SIGSYS,
};
static const size_t passed_on = 6;
static bool ours[ARRAY_LEN(watched)];
static int pipe_fds[2] = { -1, -1 };

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct caught c = { number, info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL };
	int saved = errno;
	ssize_t n = write(pipe_fds[1], &c, sizeof c);   /* smaller than PIPE_BUF: whole or, when nobody has read for ages, not at all */

	(void)n, (void)context;
	errno = saved;
}

int signals_catch(void)
{
	struct sigaction catch = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP }, before;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(watched); i++) {
		sigaction(watched[i], NULL, &before);
		ours[i] = before.sa_handler != SIG_IGN || watched[i] == SIGCHLD;
		if (ours[i])
			sigaction(watched[i], &catch, NULL);
	}
	return 0;
}

bool signals_are_for_the_command(int number)
{
	for (size_t i = 0; i < passed_on; i++)
		if (watched[i] == number)
			return true;
	return false;
}

bool signals_next(struct caught *out, bool wait)
{
	struct pollfd p = { .fd = pipe_fds[0], .events = POLLIN };

	while (read(pipe_fds[0], out, sizeof *out) != sizeof *out) {
		if (!wait)
			return false;
		poll(&p, 1, -1);
	}
	return true;
}

void signals_reset(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < ARRAY_LEN(watched); i++)
		if (ours[i])
			sigaction(watched[i], &usual, NULL);
}

/* TERM and HUP stay caught, and unheard: to ignore them would make what plugins leave running ignore them too. */
void signals_finish(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGQUIT, &ignore, NULL);
}
