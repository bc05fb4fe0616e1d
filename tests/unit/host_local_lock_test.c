/* host-local: the store's lock. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scoped.h"
#include "host-local/lock.h"

static int dir;
static char path[64];

static int begin(void **state)
{
	(void)state;
	strcpy(path, "/tmp/plumb-lock-test-XXXXXX");
	dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return dir < 0;
}

static int end(void **state)
{
	char command[80];

	(void)state;
	close(dir);
	snprintf(command, sizeof command, "rm -rf %s", path);
	return system(command) != 0;
}

/* A process that has the lock, and after ms removes the lock's file (where it shall) and ends. */
static pid_t hold(int ms, bool removes)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int fd = openat(dir, "lock", O_RDONLY | O_CREAT, 0750);

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep(ms * 1000);
		_exit(removes ? unlinkat(dir, "lock", 0) : 0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void a_free_lock_is_taken_at_once_and_given_back_by_closing(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		scoped(fd_close) int fd = store_lock(dir, path, 0, NULL);

		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
}

static void a_lock_that_comes_free_in_time_is_waited_for(void **state)
{
	struct sigaction was, is;
	struct itimerval timer;
	pid_t pid = hold(200, false);
	scoped(fd_close) int fd = -1;

	(void)state;
	sigaction(SIGALRM, NULL, &was);
	fd = store_lock(dir, path, 10000, NULL);
	assert_true(fd >= 0);
	sigaction(SIGALRM, NULL, &is);
	assert_ptr_equal(was.sa_handler, is.sa_handler);
	assert_int_equal(getitimer(ITIMER_REAL, &timer), 0);
	assert_int_equal(timer.it_value.tv_sec + timer.it_value.tv_usec, 0);
	waitpid(pid, NULL, 0);
}

static void a_deadline_that_passes_names_the_holder(void **state)
{
	pid_t pid = hold(20000, false);
	struct err e = { 0 };
	char want[128];

	(void)state;
	assert_int_equal(store_lock(dir, path, 150, &e), -ETIME);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(e.code, CNI_TRY_LATER);
	snprintf(want, sizeof want, "leases in %s: still locked after 0.15 seconds", path);
	assert_string_equal(e.msg, want);
	if (strstr(e.details, "cannot be told"))        /* file systems whose device is not the one in /proc/locks */
		skip();
	snprintf(want, sizeof want, "is held by process %d (", pid);
	assert_non_null(strstr(e.details, want));
}

static void the_lock_of_a_removed_file_is_no_lock(void **state)
{
	pid_t pid = hold(100, true);

	(void)state;
	assert_int_equal(store_lock(dir, path, 10000, NULL), -ESTALE);
	waitpid(pid, NULL, 0);
}

static void a_removed_directory_is_told(void **state)
{
	(void)state;
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(store_lock(dir, path, 0, NULL), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define lock_test(f) cmocka_unit_test_setup_teardown(f, begin, end)
		lock_test(a_free_lock_is_taken_at_once_and_given_back_by_closing),
		lock_test(a_lock_that_comes_free_in_time_is_waited_for),
		lock_test(a_deadline_that_passes_names_the_holder),
		lock_test(the_lock_of_a_removed_file_is_no_lock),
		lock_test(a_removed_directory_is_told),
	};

	return cmocka_run_group_tests_name("host-local lock", tests, NULL, NULL);
}
