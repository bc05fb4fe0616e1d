/* host-local: lease files, in a directory of the test's own. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-local/file.h"

static int dir;
static char path[] = "/tmp/plumb-file-test-XXXXXX";

static int begin(void **state)
{
	(void)state;
	dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return dir < 0;
}

static int end(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", path);
	return close(dir) < 0 || system(command) != 0;
}

static void put(const char *name, const void *text, size_t len)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static void assert_holds(const char *name, const char *want)
{
	char text[128] = "";
	int fd = openat(dir, name, O_RDONLY);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(read(fd, text, sizeof text - 1), strlen(want));
	assert_string_equal(text, want);
	close(fd);
}

static void contents_are_told_apart(void **state)
{
	static const struct { const char *text, *id, *ifname; bool empty; } rows[] = {
		{ "dummy\r\neth0", "dummy", "eth0", false },
		{ "  dummy\r\neth0\n ", "dummy", "eth0", false },
		{ "dummy", "dummy", "", false },
		{ "dummy\n", "dummy", "", false },
		{ "dummy\r\n", "dummy", "", false },
		{ "dummy\neth0", "dummy\neth0", "", false },
		{ "", "", "", true },
		{ " \r\n\t", "", "", true },
	}, *row;
	struct lease_file f;

	(void)state;
	for_rows(row, rows) {
		memcpy(f.text, row->text, strlen(row->text));
		lease_file_parse(&f, strlen(row->text));
		row_text(row->text, f.id, row->id);
		row_text(row->text, f.ifname, row->ifname);
		row_number(row->text, f.empty, row->empty);
	}
}

static void what_is_no_lease_text_is_held_by_nobody(void **state)
{
	struct lease_file f;
	char large[LEASE_TEXT + 1];

	(void)state;
	memset(large, 'a', sizeof large);
	put("10.0.0.1", large, sizeof large);
	put("10.0.0.2", "a\0b", 3);
	assert_int_equal(mkdirat(dir, "10.0.0.3", 0700), 0);
	assert_int_equal(symlinkat("10.0.0.1", dir, "10.0.0.4"), 0);
	for (int i = 1; i <= 4; i++) {
		char name[16];

		snprintf(name, sizeof name, "10.0.0.%d", i);
		assert_int_equal(lease_file_read(dir, name, &f), 0);
		assert_string_equal(f.id, "");
		assert_string_equal(f.ifname, "");
		assert_false(f.empty);
	}
	assert_int_equal(lease_file_read(dir, "10.0.0.9", &f), -ENOENT);
}

static void a_lease_is_born_whole_and_once(void **state)
{
	struct lease_file f;

	(void)state;
	assert_int_equal(lease_file_make(dir, "10.1.0.1", "a", "eth0"), 0);
	assert_holds("10.1.0.1", "a\r\neth0");
	assert_int_equal(lease_file_make(dir, "10.1.0.1", "b", "eth0"), -EEXIST);
	assert_int_equal(lease_file_read(dir, "10.1.0.1", &f), 0);
	assert_string_equal(f.id, "a");
	assert_string_equal(f.ifname, "eth0");
	assert_true(f.born.tv_sec > 0);
}

static void the_round_robins_memory_is_replaced_whole(void **state)
{
	struct addr a = last_reserved_read(dir, 7), b;

	(void)state;
	assert_false(addr_is_set(&a));
	assert_true(addr_parse("10.1.2.3", &a));
	last_reserved_write(dir, 7, &a);
	assert_holds("last_reserved_ip.7", "10.1.2.3");
	assert_true(addr_parse("2001:db8:1::2", &a));
	last_reserved_write(dir, 7, &a);
	assert_holds("last_reserved_ip.7", "2001:db8:1::2");
	b = last_reserved_read(dir, 7);
	assert_true(addr_equal(&a, &b));
	put("last_reserved_ip.8", "nonsense", 8);
	a = last_reserved_read(dir, 8);
	assert_false(addr_is_set(&a));
	assert_int_not_equal(faccessat(dir, ".last_reserved_ip.new", F_OK, 0), 0);
}

static void names_are_addresses_in_full(void **state)
{
	static const struct { const char *name; bool lease; } rows[] = {
		{ "10.1.2.3", true }, { "2001:db8:1::2", true }, { "::1:2", true }, { "fd00::", true },
		{ "lock", false }, { "last_reserved_ip.0", false }, { ".lease.new", false }, { "2001:DB8:1::2", false }, { "2001:db8:1:0::2", false },
		{ "::ffff:10.1.2.3", false }, { "::0.1.0.2", false }, { "10.1.2", false }, { "10.1.2.3.bak", false },
	}, *row;
	struct addr a;

	(void)state;
	for_rows(row, rows)
		row_number(row->name, lease_name_parse(row->name, &a), row->lease);
	assert_true(lease_name_is_litter(".lease.new"));
	assert_true(lease_name_is_litter(".last_reserved_ip.new"));
	assert_false(lease_name_is_litter("lock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_are_told_apart),
		cmocka_unit_test(what_is_no_lease_text_is_held_by_nobody),
		cmocka_unit_test(a_lease_is_born_whole_and_once),
		cmocka_unit_test(the_round_robins_memory_is_replaced_whole),
		cmocka_unit_test(names_are_addresses_in_full),
	};

	return cmocka_run_group_tests_name("host-local files", tests, begin, end);
}
