/* base/text: names by their grammar, UTF-8, hashes. */
#include "unit.h"

#include "base/text.h"

static char *repeat(char c, size_t n)
{
	static char text[512];

	memset(text, c, n);
	text[n] = '\0';
	return text;
}

static void format_says_whether_it_fit(void **state)
{
	char out[6];

	(void)state;
	assert_true(text_format(out, sizeof out, "%s", "12345"));
	assert_string_equal(out, "12345");
	assert_false(text_format(out, sizeof out, "%s", "123456"));
	assert_string_equal(out, "12345");
}

static void names_follow_the_specification(void **state)
{
	static const struct { const char *name; bool valid; } rows[] = {
		{ "a", true }, { "0", true }, { "net-1_b.c", true }, { "UPPER", true },
		{ "", false }, { "-a", false }, { "_a", false }, { ".a", false }, { "..", false }, { "a/b", false }, { "a b", false },
		{ "a\n", false }, { "a:b", false }, { "caf\xc3\xa9", false }, { "a;b", false }, { "a\\b", false },
	}, *row;

	(void)state;
	for_rows(row, rows)
		row_number(row->name, name_valid(row->name), row->valid);
	assert_true(name_valid(repeat('a', NAME_MAX_LEN)));
	assert_false(name_valid(repeat('a', NAME_MAX_LEN + 1)));
}

static void types_are_plain_file_names(void **state)
{
	static const struct { const char *type; bool valid; } rows[] = {
		{ "bridge", true }, { "host-local", true }, { "my plugin", true }, { "a..b", true },
		{ "", false }, { ".", false }, { "..", false }, { "../bridge", false }, { "/bin/sh", false }, { "a\\b", false }, { "a\nb", false }, { "a\x7f", false },
	}, *row;

	(void)state;
	for_rows(row, rows)
		row_number(row->type, type_valid(row->type), row->valid);
	assert_false(type_valid(repeat('a', NAME_MAX_LEN + 1)));
}

static void interface_names_follow_the_kernel(void **state)
{
	static const struct { const char *name, *fault; } rows[] = {
		{ "eth0", NULL }, { "123456789012345", NULL }, { "a.b-c_d@e", NULL }, { "...", NULL },
		{ "", "empty" }, { "1234567890123456", "too long" }, { ".", ". or .." }, { "..", ". or .." },
		{ "a/b", "contains" }, { "a:b", "contains" }, { "a b", "contains" }, { "a\tb", "contains" }, { "a\n", "contains" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		const char *fault = ifname_fault(row->name);

		if (!row->fault)
			row_text(row->name, fault, NULL);
		else
			row_contains(row->name, fault ? fault : "no fault", row->fault);
	}
}

static void utf8_is_mended(void **state)
{
	static const struct { const char *text, *mended; } rows[] = {
		{ "", "" }, { "plain", "plain" }, { "caf\xc3\xa9", "caf\xc3\xa9" }, { "\xe2\x82\xac", "\xe2\x82\xac" },
		{ "\xf0\x9f\x90\xb3", "\xf0\x9f\x90\xb3" }, { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "cut \xc3", "cut ?" }, { "cut \xe2\x82", "cut ??" }, { "cut \xf0\x9f\x90", "cut ???" },
		{ "lone \xa9", "lone ?" }, { "overlong \xc0\xaf", "overlong ??" }, { "overlong \xe0\x80\xaf", "overlong ???" },
		{ "surrogate \xed\xa0\x80", "surrogate ???" }, { "too high \xf4\x90\x80\x80", "too high ????" }, { "\xff\xfe", "??" },
		{ "\xc3(", "?(" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		char text[64];

		strcpy(text, row->text);
		utf8_mend(text);
		row_text(row->mended, text, row->mended);
	}
}

static void hashes_tell_boundaries_apart(void **state)
{
	(void)state;
	assert_true(hash_strings("a", "bc", NULL) != hash_strings("ab", "c", NULL));
	assert_true(hash_strings("a", NULL) != hash_strings("a", "", NULL));
	assert_true(hash_strings("a", "b", NULL) != hash_strings("b", "a", NULL));
	assert_true(hash_strings("a", "b", NULL) == hash_strings("a", "b", NULL));
	/* names of links are made of it: it must never change. FNV-1a of the bytes "a\0". */
	assert_true(hash_strings("a", NULL) == 0x089be207b544f1e4u);
}

static void trim_takes_blanks_at_both_ends(void **state)
{
	static const struct { const char *text, *trimmed; } rows[] = {
		{ "", "" }, { " ", "" }, { "\r\n\t ", "" }, { "a", "a" }, { "  a b \r\n", "a b" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		char text[32];

		strcpy(text, row->text);
		row_text(row->trimmed, text_trim(text), row->trimmed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_says_whether_it_fit),
		cmocka_unit_test(names_follow_the_specification),
		cmocka_unit_test(types_are_plain_file_names),
		cmocka_unit_test(interface_names_follow_the_kernel),
		cmocka_unit_test(utf8_is_mended),
		cmocka_unit_test(hashes_tell_boundaries_apart),
		cmocka_unit_test(trim_takes_blanks_at_both_ends),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
