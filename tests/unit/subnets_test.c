/* Picking a subnet that nobody has. */
#include <sys/socket.h>

#include "plumb/plumb.h"
#include "plumb/subnets.h"
#include "unit.h"

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_true(prefix_parse(text, &p));
	return p;
}

/* What is picked from one pool when these are taken (texts, ended by NULL); "none". */
static void expect_pick(const char *pool, const char *const taken[], const char *wanted)
{
	struct call c = { .lock_fd = -1 };
	struct taken list[8];
	struct list all = { list, 0, true };
	struct pool p;
	struct prefix got;
	char text[PREFIX_TEXT];

	assert_true(pool_parse(pool, &p));
	for (; taken[all.count]; all.count++)
		list[all.count] = (struct taken){ prefix(taken[all.count]), "somebody", false };
	if (subnet_pick(&c, p.base.addr.family, &(struct list){ &p, 1, true }, &all, &got) < 0) {
		assert_string_equal("none", wanted);
		assert_int_not_equal(c.trouble.err.code, 0);
	} else {
		assert_string_equal(prefix_text(&got, text), wanted);
		assert_null(subnet_taken(&all, &got, false));
	}
	arena_free(&c.arena);
}
#define PICK(pool, wanted, ...) expect_pick(pool, (const char *const[]){ __VA_ARGS__, NULL }, wanted)

static void picks_the_first_that_is_free(void **state)
{
	(void)state;
	PICK("10.89.0.0/16,24", "10.89.0.0/24", "10.88.0.0/16");
	PICK("10.89.0.0/16,24", "10.89.1.0/24", "10.89.0.0/24");
	PICK("10.89.0.0/16,24", "10.89.0.0/24", "10.89.1.0/24", "10.89.3.0/24");
	PICK("10.89.0.0/16,24", "10.89.4.0/24", "10.89.0.128/25", "10.89.2.0/23", "10.89.1.7/32");
	PICK("10.89.0.0/16,24", "10.89.64.0/24", "10.89.0.0/18");
	PICK("fd77::/56,64", "fd77:0:0:2::/64", "fd77::/64", "fd77:0:0:1::5/128");
	PICK("fd77::/56,64", "fd77::/64", "10.0.0.0/8");
}

static void ends_where_the_pool_ends(void **state)
{
	(void)state;
	PICK("10.89.0.0/16,24", "none", "10.0.0.0/8");
	PICK("10.89.0.0/24,24", "none", "10.89.0.255/32");
	PICK("10.89.0.0/30,30", "10.89.0.0/30", "10.89.0.4/30");
	PICK("255.255.255.0/24,25", "255.255.255.128/25", "255.255.255.0/25");
	PICK("255.255.255.0/24,25", "none", "255.255.255.0/25", "255.255.255.200/32");
	PICK("ffff:ffff:ffff:ffff::/64,64", "none", "ffff:ffff:ffff:ffff::1/128");
	PICK("10.0.0.0/8,30", "10.128.0.0/30", "10.0.0.0/9");
}

static void pools_by_their_grammar(void **state)
{
	static const char *const bad[] = {
		"", "10.0.0.0", "10.0.0.0/16,", "10.0.0.0/16,8", "10.0.0.0/16,31", "10.0.0.1/16,24", "10.0.0.0/16,24x", "10.0.0.0/16,-1", "fd00::/48,127",
		"fd00::/48,999", ",24", "x/16,24",
	};
	struct pool p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(pool_parse(bad[i], &p));
	assert_true(pool_parse("10.0.0.0/16", &p));
	assert_int_equal(p.size, 24);
	assert_true(pool_parse("fd00::/48", &p));
	assert_int_equal(p.size, 64);
	assert_true(pool_parse("10.0.0.0/24,30", &p));
	assert_int_equal(p.size, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(picks_the_first_that_is_free),
		cmocka_unit_test(ends_where_the_pool_ends),
		cmocka_unit_test(pools_by_their_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
