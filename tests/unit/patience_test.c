/* Patience with calls that know no deadline. */
#include "unit.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "os/patience.h"

static void a_call_is_cut_short_and_all_is_as_before(void **state)
{
	struct sigaction was, is;
	struct itimerval timer;
	struct patience p;
	int pipes[2];
	char c;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	sigaction(SIGALRM, NULL, &was);
	patience_begin(&p, 50);
	assert_false(patience_is_over(&p));
	assert_int_equal(read(pipes[0], &c, 1), -1);
	assert_int_equal(errno, EINTR);
	assert_true(patience_is_over(&p));
	patience_end(&p);
	sigaction(SIGALRM, NULL, &is);
	assert_ptr_equal(was.sa_handler, is.sa_handler);
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_int_equal(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* The first signal may come between a look at the clock and the call. */
static void a_call_that_begins_after_the_deadline_is_cut_short_too(void **state)
{
	struct timespec nap = { 0, 200000000 };
	struct patience p;
	int pipes[2];
	char c;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	patience_begin(&p, 20);
	assert_int_equal(nanosleep(&nap, &nap), -1);
	assert_int_equal(read(pipes[0], &c, 1), -1);
	assert_int_equal(errno, EINTR);
	patience_end(&p);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_cut_short_and_all_is_as_before),
		cmocka_unit_test(a_call_that_begins_after_the_deadline_is_cut_short_too),
	};

	return cmocka_run_group_tests_name("patience", tests, NULL, NULL);
}
