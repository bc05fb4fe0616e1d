/* cni/version and cni/attach. */
#include "unit.h"

#include "base/text.h"
#include "cni/attach.h"
#include "cni/version.h"

static void seven_versions_are_known(void **state)
{
	static const struct { const char *version; bool known, well_formed; } rows[] = {
		{ "", true, true }, { "0.1.0", true, true }, { "0.2.0", true, true }, { "0.3.0", true, true }, { "0.3.1", true, true }, { "0.4.0", true, true },
		{ "1.0.0", true, true }, { "1.1.0", true, true },
		{ "0.5.0", false, true }, { "1.2.0", false, true }, { "1.1", false, true }, { "1", false, true }, { "99.99.99", false, true },
		{ "1.1.0.0", false, false }, { "1..0", false, false }, { ".1.0", false, false }, { "1.1.", false, false }, { "v1.1.0", false, false },
		{ "1.1.0-rc1", false, false }, { " 1.1.0", false, false }, { "1,1,0", false, false }, { "9999999.0.0", false, false }, { "-1.0.0", false, false },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		row_number(row->version, version_known(row->version), row->known);
		row_number(row->version, version_well_formed(row->version), row->well_formed);
	}
}

static void versions_have_an_order(void **state)
{
	static const char *const ordered[] = { "", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "0.10.0", "1.0.0", "1.1.0", "1.1.1", "1.10.0", "2.0.0" };
	enum { N = sizeof ordered / sizeof *ordered };

	(void)state;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			int order = version_compare(ordered[i], ordered[k]);

			row_number(ordered[i], (order > 0) - (order < 0), (i > k) - (i < k));
		}
	assert_int_equal(version_compare("", "0.1.0"), 0);
	assert_int_equal(version_compare("1", "1.0.0"), 0);
	assert_true(version_at_least("1.1.0", "1.1.0") && !version_at_least("0.4.0", "1.0.0"));
}

/* The host's end is found again by this name after any update: it must not change. */
static void host_names_are_stable_and_fit(void **state)
{
	char a[16], b[16];

	(void)state;
	attach_host_ifname("net", "container", "eth0", a);
	assert_int_equal(strlen(a), 15);
	assert_null(ifname_fault(a));
	assert_memory_equal(a, "veth", 4);
	attach_host_ifname("net", "container", "eth0", b);
	assert_string_equal(a, b);
	attach_host_ifname("net", "container", "eth1", b);
	assert_string_not_equal(a, b);
	attach_host_ifname("other", "container", "eth0", b);
	assert_string_not_equal(a, b);
	attach_host_ifname("app-network", "api", "eth0", a);
	assert_string_equal(a, "veth44d02a8c2c8");
}

static void owners_name_the_attachment(void **state)
{
	char owner[OWNER_SIZE], network[OWNER_SIZE], words[200];

	(void)state;
	attach_owner("net", "container", "eth0", owner);
	assert_string_equal(owner, "net/container/eth0");
	attach_owner_network("net", network);
	assert_string_equal(network, "net/");
	assert_string_equal(attach_describe(owner, words, sizeof words), "container \"container\" of network \"net\" (eth0)");
	assert_string_equal(attach_describe("something else", words, sizeof words), "\"something else\"");
}

static void long_owners_are_cut_and_differ(void **state)
{
	char network[NAME_MAX_LEN + 1], container[NAME_MAX_LEN + 1], a[OWNER_SIZE], b[OWNER_SIZE], prefix[OWNER_SIZE];

	(void)state;
	memset(network, 'n', NAME_MAX_LEN);
	memset(container, 'c', NAME_MAX_LEN);
	network[NAME_MAX_LEN] = container[NAME_MAX_LEN] = '\0';
	attach_owner(network, container, "123456789012345", a);
	assert_true(strlen(a) < OWNER_SIZE);
	attach_owner_network(network, prefix);
	assert_memory_equal(a, prefix, strlen(prefix));
	assert_non_null(strstr(a, "/123456789012345"));
	container[NAME_MAX_LEN - 1] = 'x';
	attach_owner(network, container, "123456789012345", b);
	assert_string_not_equal(a, b);
	network[NAME_MAX_LEN - 1] = 'x';
	attach_owner_network(network, b);
	assert_string_not_equal(prefix, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seven_versions_are_known),
		cmocka_unit_test(versions_have_an_order),
		cmocka_unit_test(host_names_are_stable_and_fit),
		cmocka_unit_test(owners_name_the_attachment),
		cmocka_unit_test(long_owners_are_cut_and_differ),
	};

	return cmocka_run_group_tests_name("cni/version, cni/attach", tests, NULL, NULL);
}
