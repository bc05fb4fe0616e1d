/* cni/result: any version in, any version out, as the reference library converts.
 *
 * data/result/X-as-Y.json is what the generation X can tell, in the form of the generation Y: old is 0.1.0 and 0.2.0, mid is 0.3.0 to 0.4.0,
 * new is 1.0.0 and 1.1.0. */
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "cni/result.h"
#include "cni/version.h"

static const char *const generations[] = { "old", "mid", "new" };

static int generation_of(const char *version)
{
	return version_at_least(version, "1.0.0") ? 2 : version_at_least(version, "0.3.0") ? 1 : 0;
}

/* The golden form, with its cniVersion. The caller's to release. */
static json_t *golden(int content, const char *version)
{
	json_error_t why;
	char path[200];
	json_t *j;

	snprintf(path, sizeof path, DATA "/result/%s-as-%s.json", generations[content], generations[generation_of(version)]);
	j = json_load_file(path, 0, &why);
	if (!j)
		fail_msg("%s: %s", path, why.text);
	json_object_set_new(j, "cniVersion", json_string(version));
	return j;
}

static void expect_same(const char *row, const json_t *got, const json_t *want)
{
	char *a, *b;

	if (json_equal(got, want))
		return;
	a = json_dumps(got, JSON_INDENT(2) | JSON_SORT_KEYS);
	b = json_dumps(want, JSON_INDENT(2) | JSON_SORT_KEYS);
	fail_msg("row %s: is\n%s\nwanted\n%s", row, a, b);
}

static json_t *convert(const json_t *in, const char *otherwise, const char *to, struct err *e)
{
	scoped(arena_free) struct arena arena = { 0 };
	struct result r;

	return result_read(in, otherwise, "prevResult.", CNI_DECODE, &arena, &r, e) < 0 ? NULL : result_json(&r, to, e);
}

static void every_version_converts_to_every_other(void **state)
{
	(void)state;
	for (const char *const *from = cni_versions; *from; from++)
		for (const char *const *to = cni_versions; *to; to++) {
			int a = generation_of(*from), b = generation_of(*to);
			scoped(json_put) json_t *in = golden(a, *from), *want = golden(a < b ? a : b, *to);
			struct err e = { 0 };
			char row[32];
			json_t *out = convert(in, *from, *to, &e);

			snprintf(row, sizeof row, "%s to %s", *from, *to);
			row_text(row, e.msg, "");
			expect_same(row, out, want);
			json_decref(out);
		}
}

/* The configuration's version counts where the result names none, and "" is 0.1.0. */
static void a_result_without_version(void **state)
{
	scoped(json_put) json_t *in = golden(1, "0.4.0"), *want = golden(1, "1.1.0"), *old = golden(0, "0.1.0"), *old_want = golden(0, "0.2.0");
	struct err e = { 0 };
	json_t *out;

	(void)state;
	json_object_del(in, "cniVersion");
	out = convert(in, "0.4.0", "1.1.0", &e);
	expect_same("0.4.0 by the configuration", out, want);
	json_decref(out);
	json_object_del(old, "cniVersion");
	out = convert(old, "", "0.2.0", &e);
	expect_same("no version at all", out, old_want);
	json_decref(out);
}

static void nothing_is_told_as_nothing(void **state)
{
	static const struct { const char *version, *text; } rows[] = {
		{ "0.3.0", "{\"cniVersion\":\"0.3.0\",\"dns\":{}}" }, { "0.4.0", "{\"cniVersion\":\"0.4.0\",\"dns\":{}}" },
		{ "1.0.0", "{\"cniVersion\":\"1.0.0\"}" }, { "1.1.0", "{\"cniVersion\":\"1.1.0\"}" },
	}, *row;
	struct result empty = { 0 };
	struct err e = { 0 };

	(void)state;
	for_rows(row, rows) {
		scoped(json_put) json_t *want = json_loads(row->text, 0, NULL), *out = result_json(&empty, row->version, &e);

		expect_same(row->version, out, want);
	}
	assert_null(result_json(&empty, "0.2.0", &e));
	assert_string_equal(e.msg, "cannot convert: no valid IP addresses");
	err_clear(&e);
	assert_null(result_json(&empty, "", &e));
	assert_string_equal(e.msg, "cannot convert: no valid IP addresses");
}

static void complaints_name_the_place(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "{\"cniVersion\":\"1.2.0\"}", "prevResult.cniVersion: unsupported CNI result version \"1.2.0\"" },
		{ "{\"ips\":[{\"address\":\"10.1.2.3\"}]}", "prevResult.ips[0].address: want an address with a prefix length such as 10.1.2.0/24, got 10.1.2.3" },
		{ "{\"ips\":[{}]}", "prevResult.ips[0]: an address needs \"address\", such as 10.1.2.3/24" },
		{ "{\"ips\":[{\"address\":\"10.1.2.3/24\",\"gateway\":\"x\"}]}", "prevResult.ips[0].gateway: want an IP address, got x" },
		{ "{\"routes\":[{\"gw\":\"10.1.2.1\"}]}", "prevResult.routes[0]: a route needs its \"dst\", such as 0.0.0.0/0" },
		{ "{\"routes\":[{\"dst\":\"::/0\"},{\"dst\":\"10.0.0.0/8\",\"scope\":256}]}", "prevResult.routes[1].scope: want a whole number from 0 to 255" },
		{ "{\"interfaces\":{}}", "prevResult.interfaces: want a list" },
		{ "{\"interfaces\":[{\"mtu\":-1}]}", "prevResult.interfaces[0].mtu: want a whole number from 0 to 4294967295" },
		{ "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":5}}", "prevResult.ip4.ip: want an address with a prefix length such as 10.1.2.0/24, got no string" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		scoped(json_put) json_t *j = json_loads(row->text, 0, NULL);
		scoped(arena_free) struct arena arena = { 0 };
		struct err e = { 0 };
		struct result r;

		row_number(row->text, result_read(j, "1.1.0", "prevResult.", CNI_DECODE, &arena, &r, &e) < 0, true);
		row_text(row->text, e.msg, row->msg);
		row_number(row->text, e.code, CNI_DECODE);
	}
}

static void a_pods_address_is_found(void **state)
{
	scoped(json_put) json_t *j = json_loads(
		"{\"interfaces\":[{\"name\":\"eth0\"},{\"name\":\"eth0\",\"sandbox\":\"/x\"},{\"name\":\"eth1\",\"sandbox\":\"/x\"}],"
		" \"ips\":[{\"interface\":0,\"address\":\"10.0.0.1/8\"},{\"interface\":2,\"address\":\"10.0.0.2/8\"},"
		"          {\"interface\":1,\"address\":\"10.0.0.3/8\"},{\"address\":\"fd00::1/64\"},{\"interface\":9,\"address\":\"10.0.0.4/8\"}]}", 0, NULL);
	scoped(arena_free) struct arena arena = { 0 };
	struct err e = { 0 };
	struct result r;

	(void)state;
	assert_int_equal(result_read(j, "1.0.0", "", CNI_DECODE, &arena, &r, &e), 0);
	assert_ptr_equal(result_pod_ip(&r, AF_INET, "eth0"), &result_ips(&r)[2]);
	assert_ptr_equal(result_pod_ip(&r, AF_INET, "eth1"), &result_ips(&r)[1]);
	assert_ptr_equal(result_pod_ip(&r, AF_INET6, "eth0"), &result_ips(&r)[3]);
	/* an index that leads nowhere is no index, as in the reference's portmap */
	assert_ptr_equal(result_pod_ip(&r, AF_INET, "eth7"), &result_ips(&r)[4]);
}

static void dns_counts_as_set_when_any_field_is_there(void **state)
{
	static const struct { const char *text; bool set; } rows[] = {
		{ "{}", false }, { "{\"dns\":{}}", false }, { "{\"dns\":{\"nameservers\":null}}", false }, { "{\"dns\":{\"nameservers\":[]}}", true },
		{ "{\"dns\":{\"search\":[\"a\"]}}", true }, { "{\"dns\":{\"domain\":\"a\"}}", true }, { "{\"dns\":{\"options\":[]}}", true },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		scoped(json_put) json_t *j = json_loads(row->text, 0, NULL);
		scoped(arena_free) struct arena arena = { 0 };
		struct err e = { 0 };
		struct result r;

		row_number(row->text, result_read(j, "1.0.0", "", CNI_DECODE, &arena, &r, &e), 0);
		row_number(row->text, dns_is_set(&r.dns), row->set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_converts_to_every_other),
		cmocka_unit_test(a_result_without_version),
		cmocka_unit_test(nothing_is_told_as_nothing),
		cmocka_unit_test(complaints_name_the_place),
		cmocka_unit_test(a_pods_address_is_found),
		cmocka_unit_test(dns_counts_as_set_when_any_field_is_there),
	};

	return cmocka_run_group_tests_name("cni/result", tests, NULL, NULL);
}
