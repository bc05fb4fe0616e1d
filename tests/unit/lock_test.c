/* plumb: who may work on attachments at the same time. */
#include "unit.h"

#include <sys/wait.h>

#include "plumb/lock.c"

static struct call call_in(const char *dir)
{
	return (struct call){ .opt.cache_dir = dir, .lock_fd = -1 };
}

static void end(struct call *c)
{
	fd_close(&c->lock_fd);
	arena_free(&c->arena);
}

static pid_t hold(const char *dir, const char *container)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct call c = call_in(dir);

		if (lock_container(&c, container) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		sleep(20);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void a_lock_held_too_long_names_the_holder_and_the_remedy(void **state)
{
	char dir[] = "/tmp/plumb-lock-test-XXXXXX", file[64], want[64];
	struct call c = call_in(dir);
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	pid = hold(dir, "pod1");
	assert_int_equal(lock_container(&c, "pod2"), 0);        /* another container's is free */
	lock_release(&c);
	assert_int_equal(wait_for(&c, F_WRLCK, EVERYTHING, "the networks", 150), -ETIME);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(c.trouble.err.code, CNI_TRY_LATER);
	snprintf(want, sizeof want, "the networks: process %d has worked on it for 0.15 s", (int)pid);
	assert_string_equal(c.trouble.err.msg, want);
	assert_string_equal(c.trouble.err.details, "try again; if that process hangs, see why, or end it");
	assert_int_equal(lock_all(&c), 0);
	end(&c);
	snprintf(file, sizeof file, "%s/plumb.lock", dir);
	unlink(file);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_held_too_long_names_the_holder_and_the_remedy),
	};

	return cmocka_run_group_tests_name("plumb lock", tests, NULL, NULL);
}
