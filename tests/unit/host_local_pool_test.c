/* host-local: taking addresses, from a store of the test's own. Root's /run is hidden for the while; others' cannot be written anyway. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/scoped.h"
#include "host-local/pool.h"

static char path[64];
static struct arena arena;

static int hide_run(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		mount("run", "/run", "tmpfs", 0, NULL);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	strcpy(path, "/tmp/plumb-pool-test-XXXXXX");
	return !mkdtemp(path);
}

static int end(void **state)
{
	char command[80];

	(void)state;
	arena_free(&arena);
	snprintf(command, sizeof command, "rm -r %s", path);
	return system(command) != 0;
}

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, &a));
	return a;
}

static const char *file(const char *name)
{
	return arena_printf(&arena, "%s/%s", path, name);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(file(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A set of subnets. */
static struct range_set set_of(const char *const *subnets)
{
	struct range_set s = { .where = "ipam.ranges[0]" };

	for (; *subnets; subnets++) {
		struct range *r = arena_push(&arena, &s.ranges.items, &s.ranges.count, sizeof *r);

		assert_true(prefix_parse(*subnets, &r->subnet));
	}
	assert_int_equal(range_set_settle(&s, 0, NULL), 0);
	return s;
}

/* The address that a container gets, or the error's text. wanted NULL: any. */
static const char *take_for(const struct range_set *s, const char *id, const char *wanted, const char *netns, uint64_t inode)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	struct err e = { 0 };
	struct pool p = { .store = &store, .liveness = { "net", &arena }, .id = id, .ifname = "eth0", .netns = { netns, inode }, .err = &e };
	struct addr got, asked = addr(wanted ? wanted : "0.0.0.0");
	const struct range *range;
	char text[PREFIX_TEXT];

	assert_int_equal(store_open(&store, path, true, &arena, &e), 0);
	if (pool_take(&p, s, 0, wanted ? &asked : NULL, &got, &range) < 0)
		return arena_strdup(&arena, e.msg);
	return arena_strdup(&arena, prefix_text(&(struct prefix){ got, range->subnet.len }, text));
}

static const char *take(const struct range_set *s, const char *id, const char *wanted)
{
	return take_for(s, id, wanted, "", 0);
}

static void give_back(const char *address)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	struct addr a = addr(address);

	assert_int_equal(store_open(&store, path, false, &arena, NULL), 0);
	assert_int_equal(store_release(&store, &a), 0);
}

static int has_room(const struct range_set *s)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	struct pool p = { .store = &store, .liveness = { "net", &arena }, .id = "", .ifname = "" };

	assert_int_equal(store_open(&store, path, true, &arena, NULL), 0);
	return pool_has_room(&p, s, 0);
}

#define SET(...) set_of((const char *const[]){ __VA_ARGS__, NULL })

/* ---- Round robin ---- */

struct turn {
	const char *subnets[4], *held[6], *last, *want;
};

static const struct turn turns[] = {
	{ { "10.0.0.0/29" }, { 0 }, NULL, "10.0.0.2/29" },
	{ { "2001:db8:1::/64" }, { 0 }, NULL, "2001:db8:1::2/64" },
	{ { "10.0.0.0/30" }, { 0 }, NULL, "10.0.0.2/30" },
	{ { "10.0.0.0/29" }, { "10.0.0.2" }, NULL, "10.0.0.3/29" },
	{ { "10.0.0.0/29" }, { 0 }, "10.0.0.5", "10.0.0.6/29" },
	{ { "10.0.0.0/29" }, { "10.0.0.4", "10.0.0.5" }, "10.0.0.3", "10.0.0.6/29" },
	{ { "10.0.0.0/29" }, { "10.0.0.6" }, "10.0.0.5", "10.0.0.2/29" },
	{ { "10.0.0.0/29" }, { "10.0.0.2" }, "10.0.0.128", "10.0.0.3/29" },
	{ { "10.0.0.0/29" }, { "10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6" }, "10.0.0.3", "10.0.0.3/29" },
	{ { "10.0.0.0/30", "10.0.1.0/30" }, { 0 }, NULL, "10.0.0.2/30" },
	{ { "10.0.0.0/30", "10.0.1.0/30" }, { 0 }, "10.0.0.2", "10.0.1.2/30" },
	{ { "10.0.0.0/30", "10.0.1.0/30", "10.0.2.0/30" }, { 0 }, "10.0.2.2", "10.0.0.2/30" },
	{ { "10.0.0.0/30" }, { "10.0.0.2" }, NULL, "failed to allocate for range 0: no IP addresses available in range set: 10.0.0.1-10.0.0.2" },
	{ { "10.0.0.0/30", "10.0.1.0/30" }, { "10.0.0.2", "10.0.1.2" }, NULL,
	  "failed to allocate for range 0: no IP addresses available in range set: 10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.2" },
};

static void the_next_free_address_is_taken(void **state)
{
	const struct turn *row;

	(void)state;
	for_rows(row, turns) {
		struct range_set s = set_of(row->subnets);

		for (const char *const *held = row->held; *held; held++)
			put(*held, "id\r\neth0");
		if (row->last)
			put("last_reserved_ip.0", row->last);
		row_text(row->want, take(&s, "ID", NULL), row->want);
		end(state);
		begin(state);
	}
}

static void the_broadcast_address_is_not_given(void **state)
{
	struct range_set s = SET("192.168.1.0/29");
	char id[8], want[24];

	(void)state;
	for (int i = 2; i < 7; i++) {
		snprintf(id, sizeof id, "ID%d", i);
		snprintf(want, sizeof want, "192.168.1.%d/29", i);
		assert_int_equal(has_room(&s), 1);
		assert_string_equal(take(&s, id, NULL), want);
	}
	assert_int_equal(has_room(&s), 0);
	assert_string_equal(take(&s, "ID8", NULL), "failed to allocate for range 0: no IP addresses available in range set: 192.168.1.1-192.168.1.6");
	give_back("192.168.1.4");
	assert_int_equal(has_room(&s), 1);
	assert_string_equal(take(&s, "ID8", NULL), "192.168.1.4/29");
}

static void what_was_given_back_is_given_last(void **state)
{
	struct range_set s = SET("192.168.1.0/29");

	(void)state;
	assert_string_equal(take(&s, "ID", NULL), "192.168.1.2/29");
	give_back("192.168.1.2");
	assert_string_equal(take(&s, "ID", NULL), "192.168.1.3/29");
}

/* ---- Asked for ---- */

static void an_address_that_is_asked_for_is_given_once(void **state)
{
	struct range_set s = SET("192.168.1.0/29");
	const char *taken = "failed to allocate for range 0: requested IP address 192.168.1.5 is not available in range set 192.168.1.1-192.168.1.6";

	(void)state;
	assert_string_equal(take(&s, "ID", "192.168.1.5"), "192.168.1.5/29");
	assert_string_equal(take(&s, "ID", "192.168.1.5"), taken);
	assert_string_equal(take(&s, "other", "192.168.1.5"), taken);
	assert_string_equal(take(&s, "other", "192.168.1.1"), "failed to allocate for range 0: requested ip 192.168.1.1 is subnet's gateway");
	assert_string_equal(take(&s, "other", "192.168.1.4"), "192.168.1.4/29");
}

static void a_second_lease_of_the_same_set_is_refused(void **state)
{
	struct range_set s = SET("192.168.1.0/29"), t = SET("10.0.0.0/24");

	(void)state;
	assert_string_equal(take(&s, "ID", NULL), "192.168.1.2/29");
	assert_string_equal(take(&t, "ID", NULL), "10.0.0.2/24");
	assert_string_equal(take(&s, "ID", NULL), "failed to allocate for range 0: 192.168.1.2 has been allocated to ID, duplicate allocation is not allowed");
	assert_string_equal(take(&s, "ID", "192.168.1.6"), "failed to allocate for range 0: 192.168.1.2 has been allocated to ID, duplicate allocation is not allowed");
	put("192.168.1.2", "ID");
	assert_string_equal(take(&s, "ID", NULL), "failed to allocate for range 0: 192.168.1.2 has been allocated to ID, duplicate allocation is not allowed");
}

/* ---- Reclaimed ---- */

static void empty_files_are_no_leases(void **state)
{
	struct range_set s = SET("10.0.0.0/30");

	(void)state;
	put("10.0.0.2", "");
	assert_int_equal(has_room(&s), 1);
	assert_string_equal(take(&s, "ID", NULL), "10.0.0.2/30");
	put("10.0.0.2", "");
	assert_string_equal(take(&s, "ID", "10.0.0.2"), "10.0.0.2/30");
}

static void age(const char *name)
{
	struct timespec now, up, times[2];

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	times[0] = times[1] = (struct timespec){ now.tv_sec - up.tv_sec - 3600, 0 };
	assert_int_equal(utimensat(AT_FDCWD, file(name), times, 0), 0);
}

static void leases_of_an_earlier_boot_are_free_to_take(void **state)
{
	struct range_set s = SET("10.0.0.0/30");

	(void)state;
	put("10.0.0.2", "old\r\neth0");
	assert_int_equal(has_room(&s), 0);
	age("10.0.0.2");
	assert_int_equal(has_room(&s), 1);
	assert_string_equal(take(&s, "new", NULL), "10.0.0.2/30");
	age("10.0.0.2");                /* a clock set wrong at boot: we know better, where there is an index */
	if (access("/run/plumb/leases", W_OK) == 0)
		assert_int_equal(has_room(&s), 0);
}

static void the_older_formats_leases_live(void **state)
{
	struct range_set s = SET("10.0.0.0/30");

	(void)state;
	put("10.0.0.2", "reserved");
	age("10.0.0.2");
	assert_int_equal(has_room(&s), 0);
}

static void a_lease_whose_namespace_is_gone_is_free_to_take(void **state)
{
	struct range_set s = SET("10.0.0.0/30");
	struct stat st;

	(void)state;
	if (stat("/proc/self/ns/net", &st) < 0)
		skip();
	put("netns", "");
	assert_string_equal(take_for(&s, "here", NULL, "/proc/1/ns/net", st.st_ino), "10.0.0.2/30");
	assert_int_equal(has_room(&s), 0);              /* a process is in there: ourselves */
	give_back("10.0.0.2");
	assert_string_equal(take_for(&s, "gone", NULL, "/nowhere/at/all", 1), "10.0.0.2/30");
	if (access("/run/plumb/leases", W_OK) < 0)
		skip();
	assert_int_equal(has_room(&s), 1);
	assert_string_equal(take_for(&s, "gone", NULL, file("netns"), 1), "10.0.0.2/30");      /* leads elsewhere */
	assert_string_equal(take_for(&s, "next", "10.0.0.2", "", 0), "10.0.0.2/30");
	assert_int_equal(has_room(&s), 0);              /* nothing known: alive */
}

/* ---- The index ---- */

static void what_others_do_is_seen(void **state)
{
	struct range_set s = SET("10.0.0.0/29");

	(void)state;
	assert_string_equal(take(&s, "a", NULL), "10.0.0.2/29");
	put("10.0.0.3", "b\r\neth0");
	assert_string_equal(take(&s, "b", NULL), "failed to allocate for range 0: 10.0.0.3 has been allocated to b, duplicate allocation is not allowed");
	assert_string_equal(take(&s, "c", NULL), "10.0.0.4/29");
	assert_int_equal(unlink(file("10.0.0.2")), 0);
	assert_string_equal(take(&s, "a", NULL), "10.0.0.5/29");
}

static void many_leases_find_room(void **state)
{
	enum { MANY = 700 };            /* past two growths of the table */
	struct range_set s = SET("10.0.0.0/16");
	char id[16], want[24];

	(void)state;
	for (int i = 2; i < MANY; i++) {
		snprintf(id, sizeof id, "c%d", i);
		snprintf(want, sizeof want, "10.0.%d.%d/16", i >> 8, i & 255);
		assert_string_equal(take(&s, id, NULL), want);
	}
	assert_string_equal(take(&s, "c2", NULL), "failed to allocate for range 0: 10.0.0.2 has been allocated to c2, duplicate allocation is not allowed");
	assert_string_equal(take(&s, "c699", NULL), "failed to allocate for range 0: 10.0.2.187 has been allocated to c699, duplicate allocation is not allowed");
	put("x", "");                   /* seen as somebody's change: all are read again */
	assert_string_equal(take(&s, "c300", NULL), "failed to allocate for range 0: 10.0.1.44 has been allocated to c300, duplicate allocation is not allowed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define pool_test(f) cmocka_unit_test_setup_teardown(f, begin, end)
		pool_test(the_next_free_address_is_taken),
		pool_test(the_broadcast_address_is_not_given),
		pool_test(what_was_given_back_is_given_last),
		pool_test(an_address_that_is_asked_for_is_given_once),
		pool_test(a_second_lease_of_the_same_set_is_refused),
		pool_test(empty_files_are_no_leases),
		pool_test(leases_of_an_earlier_boot_are_free_to_take),
		pool_test(the_older_formats_leases_live),
		pool_test(a_lease_whose_namespace_is_gone_is_free_to_take),
		pool_test(what_others_do_is_seen),
		pool_test(many_leases_find_room),
	};

	return cmocka_run_group_tests_name("host-local pool", tests, hide_run, NULL);
}
