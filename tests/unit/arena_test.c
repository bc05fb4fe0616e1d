/* base/arena: memory of one call. */
#include "unit.h"

#include "base/arena.h"

static void memory_is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = { 1, 7, 16, 17, 100, 4000, 4096, 100000, 1, 3 };
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unsigned char *p = arena_alloc(&a, sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xa5, sizes[i]);      /* whoever else had these bytes would see */
	}
	arena_free(&a);
}

static void nothing_is_given_twice(void **state)
{
	struct arena a = { 0 };
	int *p[2000];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		p[i] = arena_alloc(&a, sizeof(int));
		*p[i] = i;
	}
	for (int i = 0; i < 2000; i++)
		assert_int_equal(*p[i], i);
	arena_free(&a);
}

static void arrays_grow_by_one(void **state)
{
	struct item { int number; char pad[5]; } *items = NULL, *last;
	struct arena a = { 0 };
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		last = arena_push(&a, &items, &count, sizeof *items);
		assert_ptr_equal(last, &items[i]);
		assert_int_equal(last->number, 0);
		last->number = i;
		assert_int_equal(count, i + 1);
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i].number, i);
	arena_free(&a);
}

static void text_is_copied(void **state)
{
	struct arena a = { 0 };
	char text[] = "eth0";
	char *copy = arena_strdup(&a, text), *made = arena_printf(&a, "%s/%d", "net", 7), *empty = arena_printf(&a, "%s", "");

	(void)state;
	text[0] = 'x';
	assert_string_equal(copy, "eth0");
	assert_string_equal(made, "net/7");
	assert_string_equal(empty, "");
	arena_free(&a);
}

static void an_arena_is_usable_again(void **state)
{
	struct arena a = { 0 };

	(void)state;
	arena_free(&a);
	assert_non_null(arena_alloc(&a, 10));
	arena_free(&a);
	assert_null(a.first);
	assert_string_equal(arena_strdup(&a, "again"), "again");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(nothing_is_given_twice),
		cmocka_unit_test(arrays_grow_by_one),
		cmocka_unit_test(text_is_copied),
		cmocka_unit_test(an_arena_is_usable_again),
	};

	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
