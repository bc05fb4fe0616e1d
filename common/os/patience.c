#include "os/patience.h"

#include <stddef.h>

#include "base/trace.h"

enum { TICK_MS = 100 };         /* the timer goes on: a signal between two looks at the clock must not be the only one */

static void woken(int sig)
{
	(void)sig;
}

void patience_begin(struct patience *p, int ms)
{
	struct sigaction cut = { .sa_handler = woken };         /* without SA_RESTART: the call returns */
	struct itimerval timer = { .it_interval = { 0, TICK_MS * 1000L } };
	sigset_t alrm;

	ms = ms > 0 ? ms : 1;
	timer.it_value = (struct timeval){ ms / 1000, ms % 1000 * 1000L };
	p->end_ns = trace_now() + ms * 1000000ull;
	sigemptyset(&alrm);
	sigaddset(&alrm, SIGALRM);
	sigaction(SIGALRM, &cut, &p->handler);
	sigprocmask(SIG_UNBLOCK, &alrm, &p->mask);
	setitimer(ITIMER_REAL, &timer, &p->timer);
}

bool patience_is_over(const struct patience *p)
{
	return trace_now() >= p->end_ns;
}

void patience_end(const struct patience *p)
{
	setitimer(ITIMER_REAL, &p->timer, NULL);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
	sigaction(SIGALRM, &p->handler, NULL);
}
