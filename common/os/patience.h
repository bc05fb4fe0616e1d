/* Patience with calls that know no deadline (flock, fcntl F_SETLKW, waitpid): from the deadline on a timer's signal cuts them short.
 *
 *	patience_begin(&p, 30 * 1000);
 *	do
 *		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
 *	while (r == -EINTR && !patience_is_over(&p));
 *	patience_end(&p);                               // r is -EINTR when it took too long
 */
#ifndef PLUMB_OS_PATIENCE_H
#define PLUMB_OS_PATIENCE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

/* The deadline, and what there was before, for patience_end. */
struct patience {
	uint64_t         end_ns;
	struct sigaction handler;
	struct itimerval timer;
	sigset_t         mask;
};

/* Takes SIGALRM and the real-time timer. ms: from now; 0 or less has passed at once. */
void patience_begin(struct patience *p, int ms);
bool patience_is_over(const struct patience *p);
void patience_end(const struct patience *p);

#endif
