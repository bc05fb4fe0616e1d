/* base/addr: addresses, prefixes, MACs. */
#include "unit.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/addr.h"

static bool no_random_yet;      /* as early in the boot of a kernel that does not know GRND_INSECURE */

/* The kernel's, in place of the C library's. */
ssize_t getrandom(void *out, size_t size, unsigned flags)
{
	if (no_random_yet && flags != 0) {
		errno = EAGAIN;
		return -1;
	}
	return syscall(SYS_getrandom, out, size, flags);
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	if (!addr_parse(text, &a))
		fail_msg("no address: %s", text);
	return a;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p))
		fail_msg("no prefix: %s", text);
	return p;
}

static const char *text_of(const struct addr *a)
{
	static char text[ADDR_TEXT];

	return addr_text(a, text);
}

static void addresses_are_read_and_written(void **state)
{
	static const struct { const char *text, *written; } rows[] = {
		{ "10.1.2.3", "10.1.2.3" }, { "0.0.0.0", "0.0.0.0" }, { "255.255.255.255", "255.255.255.255" },
		{ "fd00::1", "fd00::1" }, { "FD00:0:0:0::0001", "fd00::1" }, { "::", "::" }, { "::1", "::1" }, { "::ffff:10.1.2.3", "10.1.2.3" },
		{ "2001:db8::10.1.2.3", "2001:db8::a01:203" },
		{ "", NULL }, { "10.1.2", NULL }, { "10.1.2.256", NULL }, { "10.1.2.3.4", NULL }, { "010.1.2.3", NULL }, { " 10.1.2.3", NULL },
		{ "10.1.2.3 ", NULL }, { "10.1.2.3/24", NULL }, { "fe80::1%eth0", NULL }, { ":::", NULL }, { "1:2:3:4:5:6:7:8:9", NULL }, { "localhost", NULL },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct addr a = { 0 };

		row_number(row->text, addr_parse(row->text, &a), row->written != NULL);
		if (row->written)
			row_text(row->text, text_of(&a), row->written);
	}
}

static void a_failed_parse_leaves_the_output_alone(void **state)
{
	struct addr a = addr_of("10.1.2.3");
	struct prefix p = prefix_of("10.1.2.3/24");
	struct mac m = { { 1, 2, 3, 4, 5, 6 } }, was = m;

	(void)state;
	assert_false(addr_parse("x", &a));
	assert_string_equal(text_of(&a), "10.1.2.3");
	assert_false(prefix_parse("10.1.2.3/33", &p));
	assert_int_equal(p.len, 24);
	assert_false(mac_parse("00:11:22:33:44", &m));
	assert_true(mac_equal(&m, &was));
}

static void prefixes_are_read_and_written(void **state)
{
	static const struct { const char *text, *written; } rows[] = {
		{ "10.1.2.3/24", "10.1.2.3/24" }, { "0.0.0.0/0", "0.0.0.0/0" }, { "10.0.0.0/32", "10.0.0.0/32" },
		{ "::/0", "::/0" }, { "fd00::5/64", "fd00::5/64" }, { "fd00::/128", "fd00::/128" }, { "::ffff:10.1.2.0/120", "10.1.2.0/24" },
		{ "", NULL }, { "10.1.2.3", NULL }, { "10.1.2.3/", NULL }, { "10.1.2.3/33", NULL }, { "10.1.2.3/-1", NULL }, { "10.1.2.3/024", NULL },
		{ "10.1.2.3/ 24", NULL }, { "10.1.2.3/24 ", NULL }, { "10.1.2.3/2x", NULL }, { "10.1.2.3/+8", NULL }, { "fd00::/129", NULL }, { "fd00::/1000", NULL },
		{ "::ffff:10.1.2.0/24", NULL }, { "/24", NULL }, { "10.1.2.3/24/24", NULL }, { "10.1.2.3/255.255.255.0", NULL },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		char text[PREFIX_TEXT];
		struct prefix p;

		row_number(row->text, prefix_parse(row->text, &p), row->written != NULL);
		if (row->written)
			row_text(row->text, prefix_text(&p, text), row->written);
	}
}

static void macs_are_read_and_written(void **state)
{
	static const struct { const char *text, *written; } rows[] = {
		{ "02:00:00:00:00:01", "02:00:00:00:00:01" }, { "AA-BB-CC-DD-EE-FF", "aa:bb:cc:dd:ee:ff" },
		{ "", NULL }, { "02:00:00:00:00", NULL }, { "02:00:00:00:00:01:02", NULL }, { "02:00:00:00:00:0g", NULL }, { "02:00-00:00:00:01", NULL },
		{ "020000000001", NULL }, { "02.00.00.00.00.01", NULL }, { "2:0:0:0:0:1", NULL }, { " 2:00:00:00:00:01", NULL }, { "0200:00:00:00:0:1", NULL },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		char text[MAC_TEXT];
		struct mac m;

		row_number(row->text, mac_parse(row->text, &m), row->written != NULL);
		if (row->written)
			row_text(row->text, mac_text(&m, text), row->written);
	}
}

static void numbers_of_a_network(void **state)
{
	static const struct { const char *prefix, *first, *last; } rows[] = {
		{ "10.1.2.3/24", "10.1.2.0", "10.1.2.255" }, { "10.1.2.3/32", "10.1.2.3", "10.1.2.3" }, { "10.1.2.3/31", "10.1.2.2", "10.1.2.3" },
		{ "10.1.2.3/0", "0.0.0.0", "255.255.255.255" }, { "10.1.2.3/13", "10.0.0.0", "10.7.255.255" },
		{ "fd00::1:2/112", "fd00::1:0", "fd00::1:ffff" }, { "fd00::1/127", "fd00::", "fd00::1" },
		{ "fd00::1/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct prefix p = prefix_of(row->prefix), n = prefix_network(&p);
		struct addr last = addr_last(&p);

		row_text(row->prefix, text_of(&n.addr), row->first);
		row_text(row->prefix, text_of(&last), row->last);
		assert_true(prefix_contains(&p, &n.addr) && prefix_contains(&p, &last));
	}
}

static void counting_up(void **state)
{
	static const struct { const char *from, *to; } rows[] = {
		{ "10.1.2.3", "10.1.2.4" }, { "10.1.2.255", "10.1.3.0" }, { "10.255.255.255", "11.0.0.0" }, { "255.255.255.255", NULL },
		{ "fd00::ffff", "fd00::1:0" }, { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct addr a = addr_of(row->from);

		row_number(row->from, addr_next(&a), row->to != NULL);
		if (row->to)
			row_text(row->from, text_of(&a), row->to);
		else
			assert_true(addr_is_unspecified(&a));
	}
}

static void kinds_of_addresses(void **state)
{
	static const struct { const char *text; bool loopback, unspecified; } rows[] = {
		{ "127.0.0.1", true, false }, { "127.255.0.3", true, false }, { "128.0.0.1", false, false }, { "0.0.0.0", false, true },
		{ "224.0.0.1", false, false }, { "::1", true, false }, { "::", false, true }, { "ff02::1", false, false }, { "fe80::1", false, false },
	}, *row;
	struct addr none = { 0 };

	(void)state;
	for_rows(row, rows) {
		struct addr a = addr_of(row->text);

		row_number(row->text, addr_is_loopback(&a), row->loopback);
		row_number(row->text, addr_is_unspecified(&a), row->unspecified);
	}
	assert_false(addr_is_set(&none) || addr_is_loopback(&none) || addr_is_unspecified(&none));
	assert_string_equal(text_of(&none), "");
}

static void comparing(void **state)
{
	struct addr a = addr_of("10.1.2.3"), b = addr_of("10.1.3.0"), six = addr_of("fd00::1");
	struct prefix p = prefix_of("10.1.0.0/16"), all = prefix_of("0.0.0.0/0"), all6 = prefix_of("::/0"), odd = prefix_of("1.0.0.0/0");

	(void)state;
	assert_true(addr_compare(&a, &b) < 0 && addr_compare(&b, &a) > 0 && addr_compare(&a, &a) == 0);
	assert_true(addr_equal(&a, &a) && !addr_equal(&a, &b) && !addr_equal(&a, &six));
	assert_true(prefix_contains(&p, &a) && !prefix_contains(&p, &six) && prefix_contains(&all, &a) && !prefix_contains(&all, &six));
	assert_true(prefix_is_default(&all) && prefix_is_default(&all6) && !prefix_is_default(&p) && !prefix_is_default(&odd));
	assert_true(prefix_equal(&all, &all) && !prefix_equal(&all, &all6) && !prefix_equal(&all, &p));
	assert_int_equal(addr_size(AF_INET), 4);
	assert_int_equal(addr_size(AF_INET6), 16);
}

static void random_macs_are_unicast_and_local_and_differ(void **state)
{
	(void)state;
	for (int early = 0; early < 2; early++) {
		struct mac a, b;

		no_random_yet = early;
		a = mac_random();
		b = mac_random();
		no_random_yet = false;
		assert_int_equal(a.bytes[0] & 3, 2);
		assert_int_equal(b.bytes[0] & 3, 2);
		assert_false(mac_equal(&a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(a_failed_parse_leaves_the_output_alone),
		cmocka_unit_test(prefixes_are_read_and_written),
		cmocka_unit_test(macs_are_read_and_written),
		cmocka_unit_test(numbers_of_a_network),
		cmocka_unit_test(counting_up),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(comparing),
		cmocka_unit_test(random_macs_are_unicast_and_local_and_differ),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
