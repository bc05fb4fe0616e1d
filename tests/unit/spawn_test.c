/* Running a program: its deadline, its end, what it writes. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "os/spawn.h"

static struct spawned out;
static struct err err;

/* What spawn_run answers for a shell's script that is given input_len blanks on stdin. */
static int run(const char *script, size_t input_len, int deadline_ms)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL }, *env[] = { "PATH=/usr/bin:/bin", NULL };
	char *input = calloc(1, input_len + 1);
	struct spawn s = {
		.path = "/bin/sh", .argv = argv, .env = env, .input = memset(input, ' ', input_len), .input_len = input_len,
		.output_limit = 1000, .deadline_ms = deadline_ms,
	};
	int r;

	free(out.output);
	err_clear(&err);
	r = spawn_run(&s, &out, &err);
	free(input);
	return r;
}

static void what_it_writes_and_how_it_ends_is_told(void **state)
{
	(void)state;
	assert_int_equal(run("wc -c | tr -d ' '; exit 3", 300000, 10000), 0);
	assert_string_equal(out.output, "300000\n");
	assert_int_equal(out.status, 3);
	assert_int_equal(run("kill -9 $$", 0, 10000), 0);
	assert_int_equal(out.status, 128 + SIGKILL);
}

static void what_writes_too_much_is_ended(void **state)
{
	(void)state;
	assert_int_equal(run("yes", 0, 10000), -EFBIG);
	assert_int_equal(out.status, 128 + SIGKILL);
}

static void the_deadline_counts_with_stdout_open_and_closed(void **state)
{
	static const char *const scripts[] = { "exec sleep 20", "exec sleep 20 >&-", "exec >&-; kill -STOP $$" };
	time_t begin = time(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		assert_int_equal(run(scripts[i], 0, 300), -ETIME);
		assert_string_equal(err.msg, "/bin/sh: did not end within 0.3 s, and was ended");
		assert_int_equal(out.status, 128 + SIGKILL);
	}
	assert_true(time(NULL) - begin < 10);
}

/* More than a pipe holds, and nobody reads what is left of stdout: each would wait for the other. */
static void what_reads_its_stdin_to_the_end_sees_one(void **state)
{
	(void)state;
	assert_int_equal(run("exec >&-; sleep 0.2; cat >/dev/null; exit 3", 300000, 5000), 0);
	assert_int_equal(out.status, 3);
}

static int end(void **state)
{
	(void)state;
	free(out.output);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_writes_and_how_it_ends_is_told),
		cmocka_unit_test(what_writes_too_much_is_ended),
		cmocka_unit_test(the_deadline_counts_with_stdout_open_and_closed),
		cmocka_unit_test(what_reads_its_stdin_to_the_end_sees_one),
	};

	return cmocka_run_group_tests_name("spawn", tests, NULL, end);
}
