/* host-local: resolv.conf. */
#include "unit.h"

#include "host-local/resolv.h"

static const char *words(const struct list *l)
{
	static char all[512];

	all[0] = '\0';
	for_list (const char *, w, l)
		strcat(strcat(all, *all ? " " : ""), *w);
	return all;
}

static void settings_are_read_as_the_reference_plugin_does(void **state)
{
	static const struct { const char *text, *servers, *domain, *search, *options; } rows[] = {
		{ "\n\t\tnameserver 192.0.2.0\n\t\tnameserver 192.0.2.1\n\t\t", "192.0.2.0 192.0.2.1", NULL, "", "" },
		{ "\nnameserver 192.0.2.0\n;nameserver 192.0.2.1\n", "192.0.2.0", NULL, "", "" },
		{ "nameserver 192.0.2.0\nnameserver 192.0.2.2\ndomain example.com\n;nameserver comment\n#nameserver comment\n"
		  "search example.net example.org\nsearch example.gov\noptions one two three\noptions four\n",
		  "192.0.2.0 192.0.2.2", "example.com", "example.net example.org example.gov", "one two three four" },
		{ "nameserver\nsearch\nsortlist 1.2.3.4\n", "", NULL, "", "" },
		{ "nameserver 192.0.2.0 192.0.2.9\r\ndomain a b\ndomain c", "192.0.2.0", "c", "", "" },
		{ "", "", NULL, "", "" },
	}, *row;
	struct arena arena = { 0 };

	(void)state;
	for_rows(row, rows) {
		struct dns dns;

		assert_int_equal(resolv_conf_parse(arena_strdup(&arena, row->text), &arena, &dns), 0);
		row_text(row->text, words(&dns.nameservers), row->servers);
		row_text(row->text, dns.domain, row->domain);
		row_text(row->text, words(&dns.search), row->search);
		row_text(row->text, words(&dns.options), row->options);
		assert_int_equal(dns.nameservers.given, dns.nameservers.count > 0);     /* a list alone is settings too */
	}
	arena_free(&arena);
}

static void what_is_no_plain_file_is_refused(void **state)
{
	struct arena arena = { 0 };
	struct err e = { 0 };
	struct dns dns;

	(void)state;
	assert_true(resolv_conf_read("/nowhere/at/all", "ipam.resolvConf", &arena, &dns, &e) < 0);
	assert_int_equal(e.code, CNI_IO);
	assert_string_equal(e.msg, "ipam.resolvConf: /nowhere/at/all");
	err_clear(&e);
	assert_true(resolv_conf_read("/dev/zero", "ipam.resolvConf", &arena, &dns, &e) < 0);
	assert_string_equal(e.msg, "ipam.resolvConf: /dev/zero: want a plain file of at most 64 KiB");
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_read_as_the_reference_plugin_does),
		cmocka_unit_test(what_is_no_plain_file_is_refused),
	};

	return cmocka_run_group_tests_name("host-local resolv.conf", tests, NULL, NULL);
}
