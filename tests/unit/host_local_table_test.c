/* host-local: the index's table. */
#include "unit.h"

#include <sys/socket.h>

#include "host-local/table.h"

static const char boot[] = "0e2b7a54-5a4e-4b39-9c07-6d1f3b1f6f10";

struct memory {
	struct table table;
	void        *at;
	size_t       size;
};

static struct memory table_of(uint32_t capacity)
{
	struct memory m = { .size = table_size(capacity) };

	m.at = calloc(1, m.size);
	assert_non_null(m.at);
	table_format(&m.table, m.at, capacity, boot);
	return m;
}

/* 10.x.y.z, n being the 24 bits. */
static struct addr ip(uint32_t n)
{
	return (struct addr){ .family = AF_INET, .bytes = { 10, n >> 16, n >> 8, n } };
}

static size_t count_of(const struct table *t, uint64_t owner)
{
	size_t n = 0;

	for (struct lease_record *r = NULL; (r = table_next(t, owner, r));)
		n++;
	return n;
}

static size_t count_all(const struct table *t)
{
	size_t n = 0;

	for (struct lease_record *r = NULL; (r = table_walk(t, r));)
		n++;
	return n;
}

static void leases_are_found_by_owner_and_by_address(void **state)
{
	struct memory m = table_of(TABLE_LEAST);
	uint64_t a = lease_owner("a", "eth0"), b = lease_owner("b", "eth0");
	struct addr one = ip(1), two = ip(2), six;
	struct lease_record *r;

	(void)state;
	assert_true(addr_parse("fd00::1", &six));
	assert_non_null(table_add(&m.table, a, &one, NULL));
	assert_non_null(table_add(&m.table, b, &two, NULL));
	assert_non_null(table_add(&m.table, a, &six, NULL));
	assert_int_equal(count_of(&m.table, a), 2);
	assert_int_equal(count_of(&m.table, b), 1);
	assert_int_equal(count_of(&m.table, lease_owner("a", "eth1")), 0);
	r = table_at(&m.table, &two);
	assert_non_null(r);
	assert_true(r->owner == b);
	two = lease_record_address(r);
	assert_true(addr_equal(&two, &(struct addr){ .family = AF_INET, .bytes = { 10, 0, 0, 2 } }));
	table_remove(&m.table, r);
	assert_null(table_at(&m.table, &two));
	assert_int_equal(count_of(&m.table, b), 0);
	assert_int_equal(count_all(&m.table), 2);
	free(m.at);
}

static void owners_differ_by_each_part(void **state)
{
	(void)state;
	assert_true(lease_owner("a", "eth0") != lease_owner("a", "eth1"));
	assert_true(lease_owner("a", "") != lease_owner("a", "eth0"));
	assert_true(lease_owner("ab", "c") != lease_owner("a", "bc"));
	assert_true(lease_owner("", "") != 0);
}

static void what_is_known_is_carried_over(void **state)
{
	struct memory m = table_of(TABLE_LEAST), n = table_of(TABLE_LEAST);
	struct addr one = ip(1);
	struct lease_record *r = table_add(&m.table, 7, &one, NULL);

	(void)state;
	r->netns_inode = 42;
	r->of_this_boot = 1;
	strcpy(r->netns, "/run/netns/x");
	r = table_add(&n.table, 7, &one, r);
	assert_true(r->netns_inode == 42 && r->of_this_boot);
	assert_string_equal(r->netns, "/run/netns/x");
	free(m.at);
	free(n.at);
}

static void a_full_table_says_so_and_room_is_used_again(void **state)
{
	struct memory m = table_of(TABLE_LEAST);
	struct addr a;

	(void)state;
	for (uint32_t i = 0; i < TABLE_LEAST; i++) {
		a = ip(i);
		assert_non_null(table_add(&m.table, i, &a, NULL));
	}
	a = ip(TABLE_LEAST);
	assert_null(table_add(&m.table, 1, &a, NULL));
	a = ip(9);
	table_remove(&m.table, table_at(&m.table, &a));
	a = ip(TABLE_LEAST);
	assert_non_null(table_add(&m.table, 1, &a, NULL));
	assert_int_equal(count_all(&m.table), TABLE_LEAST);
	free(m.at);
}

/* Against an array that says who holds what. */
static void a_long_life_leaves_it_right(void **state)
{
	enum { ADDRESSES = 400, OWNERS = 50, TURNS = 200000 };
	struct memory m = table_of(512);
	uint64_t holder[ADDRESSES] = { 0 };
	uint32_t seed = 1;

	(void)state;
	for (int turn = 0; turn < TURNS; turn++) {
		uint32_t n = (seed = seed * 1103515245 + 12345) >> 8, i = n % ADDRESSES;
		struct addr a = ip(i * 77);
		struct lease_record *r = table_at(&m.table, &a);

		assert_true(holder[i] == (r ? r->owner : 0));
		if (r) {
			table_remove(&m.table, r);
			holder[i] = 0;
		} else {
			holder[i] = 1 + n / ADDRESSES % OWNERS;
			assert_non_null(table_add(&m.table, holder[i], &a, NULL));
		}
	}
	for (uint64_t owner = 1; owner <= OWNERS; owner++) {
		size_t want = 0;

		for (size_t i = 0; i < ADDRESSES; i++)
			want += holder[i] == owner;
		assert_int_equal(count_of(&m.table, owner), want);
	}
	free(m.at);
}

static void another_boots_or_sizes_table_is_not_taken(void **state)
{
	struct memory m = table_of(TABLE_LEAST);
	struct table t;

	(void)state;
	assert_true(table_attach(&t, m.at, m.size, boot));
	assert_false(table_attach(&t, m.at, m.size, "another"));
	assert_false(table_attach(&t, m.at, m.size - 1, boot));
	assert_false(table_attach(&t, m.at, 10, boot));
	m.table.header->capacity = TABLE_LEAST * 2;
	assert_false(table_attach(&t, m.at, m.size, boot));
	m.table.header->capacity = TABLE_LEAST + 1;
	assert_false(table_attach(&t, m.at, m.size, boot));
	m.table.header->capacity = TABLE_LEAST;
	m.table.header->fresh = TABLE_LEAST + 1;
	assert_false(table_attach(&t, m.at, m.size, boot));
	m.table.header->fresh = 0;
	m.table.header->magic[0]++;
	assert_false(table_attach(&t, m.at, m.size, boot));
	free(m.at);
}

/* Garbage behind a sound header: answers may be wrong, but they come, and from within the memory. */
static void garbage_neither_hangs_nor_strays(void **state)
{
	struct memory m = table_of(TABLE_LEAST);
	uint32_t seed = 7;

	(void)state;
	for (int turn = 0; turn < 300; turn++) {
		struct table t;
		struct lease_record *r;

		for (uint32_t *p = (uint32_t *)(m.table.header + 1); (char *)p < (char *)m.at + m.size; p++)
			*p = (seed = seed * 1664525 + 1013904223) >> (turn % 2 ? 24 : 8);
		m.table.header->fresh = m.table.header->used = TABLE_LEAST - turn % TABLE_LEAST / 2;
		assert_true(table_attach(&t, m.at, m.size, boot));
		for (uint32_t i = 0; i < 64; i++) {
			struct addr a = ip(i);
			size_t n = 0;

			table_at(&t, &a);
			for (r = NULL; n < TABLE_LEAST && (r = table_next(&t, i, r)); n++)
				;
			if ((r = table_walk(&t, NULL)))
				r->family = AF_INET, table_remove(&t, r);
		}
	}
	free(m.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leases_are_found_by_owner_and_by_address),
		cmocka_unit_test(owners_differ_by_each_part),
		cmocka_unit_test(what_is_known_is_carried_over),
		cmocka_unit_test(a_full_table_says_so_and_room_is_used_again),
		cmocka_unit_test(a_long_life_leaves_it_right),
		cmocka_unit_test(another_boots_or_sizes_table_is_not_taken),
		cmocka_unit_test(garbage_neither_hangs_nor_strays),
	};

	return cmocka_run_group_tests_name("host-local index", tests, NULL, NULL);
}
