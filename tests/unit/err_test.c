/* base/err: filled once, where the cause is known. */
#include "unit.h"

#include <errno.h>
#include <jansson.h>

#include "base/err.h"

static void the_first_failure_stays(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, CNI_BAD_CONFIG, -EINVAL, "mtu: %d", 7), -EINVAL);
	assert_int_equal(err_set(&e, CNI_IO, -EIO, "noise"), -EIO);
	assert_int_equal(err_sys(&e, CNI_IO, -EIO, "noise"), -EIO);
	assert_int_equal(e.code, CNI_BAD_CONFIG);
	assert_string_equal(e.msg, "mtu: 7");
	assert_string_equal(e.details, "");
}

static void details_are_joined(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_detail(&e, "of nothing");
	assert_string_equal(e.details, "");
	assert_int_equal(err_sys(&e, CNI_IO, -ENOENT, "opening %s", "x"), -ENOENT);
	err_detail(&e, "held by %s", "y");
	assert_string_equal(e.msg, "opening x");
	assert_string_equal(e.details, "No such file or directory; held by y");
	err_clear(&e);
	assert_int_equal(e.code, 0);
	assert_string_equal(e.msg, "");
	assert_string_equal(e.details, "");
}

static void no_slot_is_fine(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, CNI_IO, -EIO, "x"), -EIO);
	assert_int_equal(err_sys(NULL, CNI_IO, -EIO, "x"), -EIO);
	assert_int_equal(err_nomem(NULL, "x"), -ENOMEM);
	err_detail(NULL, "x");
}

static void memory_has_its_words(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_nomem(&e, "result"), -ENOMEM);
	assert_int_equal(e.code, CNI_FAILED);
	assert_string_equal(e.msg, "result");
	assert_string_equal(e.details, strerror(ENOMEM));
}

/* However long or broken the text, jansson must be able to print it: it answers NULL for what is not UTF-8. */
static void text_is_always_utf8(void **state)
{
	struct err e = { 0 };
	char text[3000];
	json_t *j;

	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof text; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);    /* € */
		text[sizeof text - 4] = '\0';
		err_clear(&e);
		err_set(&e, CNI_FAILED, -1, "%s", text);
		err_detail(&e, "%s", text);
		err_detail(&e, "\xff more");
		assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
		assert_int_equal(strlen(e.details), sizeof e.details - 1);
		j = json_pack("{s:s, s:s}", "msg", e.msg, "details", e.details);
		assert_non_null(j);
		json_decref(j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_stays),
		cmocka_unit_test(details_are_joined),
		cmocka_unit_test(no_slot_is_fine),
		cmocka_unit_test(memory_has_its_words),
		cmocka_unit_test(text_is_always_utf8),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
