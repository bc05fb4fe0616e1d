/* host-local: ranges and sets of them. */
#include "unit.h"

#include "host-local/range.h"

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	if (text)
		assert_true(addr_parse(text, &a));
	return a;
}

static struct range range(const char *subnet, const char *start, const char *end, const char *gateway)
{
	struct range r = { .start = addr(start), .end = addr(end), .gateway = addr(gateway) };

	assert_true(prefix_parse(subnet, &r.subnet));
	return r;
}

/* A set over an array of the test's. */
static struct range_set set_of(struct range *ranges, size_t n)
{
	return (struct range_set){ .ranges = { ranges, n, true }, .where = "ipam.ranges[0]" };
}

static void assert_range(const struct range *r, const char *start, const char *end, const char *gateway)
{
	char text[ADDR_TEXT];

	assert_string_equal(addr_text(&r->start, text), start);
	assert_string_equal(addr_text(&r->end, text), end);
	assert_string_equal(addr_text(&r->gateway, text), gateway);
}

static void settled(const char *subnet, const char *start, const char *end, const char *gateway)
{
	struct range r = range(subnet, NULL, NULL, NULL);
	struct range_set s = set_of(&r, 1);

	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	assert_range(&r, start, end, gateway);
}

static void what_is_left_out_is_filled_in(void **state)
{
	(void)state;
	settled("192.0.2.0/24", "192.0.2.1", "192.0.2.254", "192.0.2.1");
	settled("192.0.2.0/25", "192.0.2.1", "192.0.2.126", "192.0.2.1");
	settled("192.0.2.252/30", "192.0.2.253", "192.0.2.254", "192.0.2.253");
	settled("2001:db8:1::/64", "2001:db8:1::1", "2001:db8:1:0:ffff:ffff:ffff:ffff", "2001:db8:1::1");
}

static void what_is_given_is_kept(void **state)
{
	struct range r = range("192.0.2.0/24", "192.0.2.40", "192.0.2.50", "192.0.2.254");
	struct range_set s = set_of(&r, 1);

	(void)state;
	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	assert_range(&r, "192.0.2.40", "192.0.2.50", "192.0.2.254");
}

static void refused(struct range *ranges, size_t n, const char *msg)
{
	struct range_set s = set_of(ranges, n);
	struct err e = { 0 };

	assert_true(range_set_settle(&s, 3, &e) < 0);
	assert_int_equal(e.code, CNI_BAD_CONFIG);
	assert_string_equal(e.msg, msg);
}

static void refused_one(const char *subnet, const char *start, const char *end, const char *msg)
{
	struct range r = range(subnet, start, end, NULL);

	refused(&r, 1, msg);
}

static void a_range_that_makes_no_sense_is_refused_by_its_path(void **state)
{
	(void)state;
	refused_one("192.0.2.12/24", NULL, NULL, "ipam.ranges[0][0].subnet: 192.0.2.12/24 has host bits set; want the network's own address, 192.0.2.0/24");
	refused_one("2001:db8:24:19ff::/63", NULL, NULL,
	            "ipam.ranges[0][0].subnet: 2001:db8:24:19ff::/63 has host bits set; want the network's own address, 2001:db8:24:19fe::/63");
	refused_one("192.0.2.0/31", NULL, NULL, "ipam.ranges[0][0].subnet: Network 192.0.2.0/31 too small to allocate from; want at most /30");
	refused_one("fd00::/127", NULL, NULL, "ipam.ranges[0][0].subnet: Network fd00::/127 too small to allocate from; want at most /126");
	refused_one("192.0.2.0/24", "192.0.3.0", NULL, "ipam.ranges[0][0].rangeStart: 192.0.3.0 is not in 192.0.2.0/24; want an address of that subnet");
	refused_one("192.0.2.0/24", NULL, "192.0.4.0", "ipam.ranges[0][0].rangeEnd: 192.0.4.0 is not in 192.0.2.0/24; want an address of that subnet");
	refused_one("192.0.2.0/24", NULL, "fd00::1", "ipam.ranges[0][0].rangeEnd: fd00::1 is not in 192.0.2.0/24; want an address of that subnet");
	refused_one("192.0.2.0/24", "192.0.2.50", "192.0.2.40", "ipam.ranges[0][0].rangeStart: 192.0.2.50 is behind rangeEnd, 192.0.2.40; want the lower one as rangeStart");
}

static void a_set_that_makes_no_sense_is_refused(void **state)
{
	struct range overlapping[] = { range("10.1.0.0/22", NULL, NULL, NULL), range("10.1.2.0/24", NULL, NULL, NULL) };
	struct range mixed[] = { range("10.1.0.0/22", NULL, NULL, NULL), range("2001:db8:5::/64", NULL, NULL, NULL) };
	struct range foreign_gateway = range("10.1.0.0/22", NULL, NULL, "fd00::1"), no_subnet = { .gateway = addr("10.0.0.1") };

	(void)state;
	refused(NULL, 0, "invalid range set 3: empty range set");
	refused(overlapping, 2, "invalid range set 3: subnets 10.1.0.1-10.1.3.254 and 10.1.2.1-10.1.2.254 overlap");
	refused(mixed, 2, "invalid range set 3: mixed address families");
	refused(&foreign_gateway, 1, "ipam.ranges[0][0].gateway: fd00::1 is not of the subnet's family; want an address of the same");
	refused(&no_subnet, 1, "ipam.ranges[0][0].subnet: missing; want the network's prefix, such as 10.1.2.0/24");
}

static bool overlap(struct range a, struct range b)
{
	struct range_set x = set_of(&a, 1), y = set_of(&b, 1);

	assert_int_equal(range_set_settle(&x, 0, NULL), 0);
	assert_int_equal(range_set_settle(&y, 0, NULL), 0);
	assert_int_equal(range_sets_overlap(&x, &y), range_sets_overlap(&y, &x));
	return range_sets_overlap(&x, &y);
}

static void overlaps_are_found_both_ways(void **state)
{
	(void)state;
	assert_false(overlap(range("10.0.0.0/24", NULL, NULL, NULL), range("10.0.1.0/24", NULL, NULL, NULL)));
	assert_false(overlap(range("0.0.0.0/24", NULL, NULL, NULL), range("::/24", NULL, NULL, NULL)));
	assert_true(overlap(range("10.0.0.0/24", NULL, NULL, NULL), range("10.0.0.0/24", NULL, NULL, NULL)));
	assert_true(overlap(range("10.0.0.0/20", NULL, NULL, NULL), range("10.0.1.0/24", NULL, NULL, NULL)));
	assert_false(overlap(range("10.0.0.0/24", NULL, "10.0.0.127", NULL), range("10.0.0.0/24", "10.0.0.128", NULL, NULL)));
	assert_true(overlap(range("10.0.0.0/24", NULL, "10.0.0.127", NULL), range("10.0.0.0/24", "10.0.0.127", NULL, NULL)));
}

static bool holds(const struct range_set *s, const char *text)
{
	struct addr a = addr(text);

	return range_set_find(s, &a);
}

static void membership_ends_at_start_and_end(void **state)
{
	struct range ranges[] = { range("192.0.2.0/24", "192.0.2.40", "192.0.2.50", NULL), range("172.16.1.0/24", NULL, NULL, NULL) };
	struct range_set s = set_of(ranges, 2);
	struct addr a = addr("172.16.1.9");
	char text[RANGE_SET_TEXT];

	(void)state;
	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	assert_false(holds(&s, "192.0.2.39"));
	assert_true(holds(&s, "192.0.2.40"));
	assert_true(holds(&s, "192.0.2.50"));
	assert_false(holds(&s, "192.0.2.51"));
	assert_false(holds(&s, "fd00::1"));
	assert_ptr_equal(range_set_find(&s, &a), &ranges[1]);
	assert_string_equal(range_set_text(&s, text), "192.0.2.40-192.0.2.50,172.16.1.1-172.16.1.254");
}

static uint64_t size_of(struct range *ranges, size_t n)
{
	struct range_set s = set_of(ranges, n);

	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	return range_set_size(&s);
}

static void sizes_leave_gateways_out(void **state)
{
	struct range slash29 = range("10.0.0.0/29", NULL, NULL, NULL), all4 = range("0.0.0.0/0", NULL, NULL, NULL);
	struct range slash64 = range("fd00::/64", NULL, NULL, NULL), all6 = range("::/0", NULL, NULL, NULL);
	struct range outside = range("10.0.0.0/24", "10.0.0.10", "10.0.0.19", NULL);
	struct range twice[] = { range("10.0.0.0/24", NULL, "10.0.0.9", NULL), range("10.0.0.0/24", "10.0.0.20", "10.0.0.29", NULL) };

	(void)state;
	assert_int_equal(size_of(&slash29, 1), 5);
	assert_int_equal(size_of(&outside, 1), 10);
	assert_int_equal(size_of(twice, 2), 18);
	assert_true(size_of(&all4, 1) == 0xfffffffdu);
	assert_true(size_of(&slash64, 1) == UINT64_MAX);
	assert_true(size_of(&all6, 1) == UINT64_MAX);
}

/* All addresses of a walk behind last, parted by blanks. */
static const char *walk(struct range *ranges, size_t n, const char *last)
{
	static char all[1024];
	struct range_set s = set_of(ranges, n);
	struct addr from = addr(last);
	struct range_walk w;
	char text[ADDR_TEXT];

	all[0] = '\0';
	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	range_walk_begin(&w, &s, &from);
	for (const struct range *r; (r = range_walk_next(&w));) {
		assert_true(range_contains(r, &w.here));
		strcat(strcat(all, *all ? " " : ""), addr_text(&w.here, text));
	}
	return all;
}

static void a_walk_visits_each_address_once(void **state)
{
	struct range one = range("192.168.1.0/29", NULL, NULL, NULL);
	struct range three[] = { range("10.0.0.0/30", NULL, NULL, NULL), range("10.0.1.0/30", NULL, NULL, NULL), range("10.0.2.0/30", NULL, NULL, NULL) };

	(void)state;
	assert_string_equal(walk(&one, 1, NULL), "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6");
	assert_string_equal(walk(&one, 1, "192.168.1.6"), "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6");
	assert_string_equal(walk(&one, 1, "192.168.1.3"), "192.168.1.4 192.168.1.5 192.168.1.6 192.168.1.2 192.168.1.3");
	assert_string_equal(walk(&one, 1, "192.168.1.1"), "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6");
	assert_string_equal(walk(&one, 1, "10.0.0.1"), "192.168.1.2 192.168.1.3 192.168.1.4 192.168.1.5 192.168.1.6");
	assert_string_equal(walk(three, 3, NULL), "10.0.0.2 10.0.1.2 10.0.2.2");
	assert_string_equal(walk(three, 3, "10.0.0.2"), "10.0.1.2 10.0.2.2 10.0.0.2");
	assert_string_equal(walk(three, 3, "10.0.2.2"), "10.0.0.2 10.0.1.2 10.0.2.2");
}

static void no_gateway_is_visited(void **state)
{
	struct range only = range("10.0.0.0/24", "10.0.0.1", "10.0.0.1", NULL);
	struct range split[] = { range("10.0.0.0/24", NULL, "10.0.0.3", "10.0.0.11"), range("10.0.0.0/24", "10.0.0.10", "10.0.0.12", "10.0.0.2") };

	(void)state;
	assert_string_equal(walk(&only, 1, NULL), "");
	assert_string_equal(walk(&only, 1, "10.0.0.1"), "");
	assert_string_equal(walk(split, 2, "10.0.0.3"), "10.0.0.10 10.0.0.12 10.0.0.1 10.0.0.3");
}

static void long_texts_are_cut(void **state)
{
	struct range ranges[40];
	struct range_set s = set_of(ranges, 40);
	char text[RANGE_SET_TEXT], subnet[PREFIX_TEXT];

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(subnet, sizeof subnet, "10.0.%d.0/24", i);
		ranges[i] = range(subnet, NULL, NULL, NULL);
	}
	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	range_set_text(&s, text);
	assert_true(strlen(text) < sizeof text);
	assert_string_equal(text + strlen(text) - strlen("…"), "…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_out_is_filled_in),
		cmocka_unit_test(what_is_given_is_kept),
		cmocka_unit_test(a_range_that_makes_no_sense_is_refused_by_its_path),
		cmocka_unit_test(a_set_that_makes_no_sense_is_refused),
		cmocka_unit_test(overlaps_are_found_both_ways),
		cmocka_unit_test(membership_ends_at_start_and_end),
		cmocka_unit_test(sizes_leave_gateways_out),
		cmocka_unit_test(a_walk_visits_each_address_once),
		cmocka_unit_test(no_gateway_is_visited),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("host-local ranges", tests, NULL, NULL);
}
