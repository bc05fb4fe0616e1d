/* host-local: from the configuration's text to sets of ranges and addresses asked for. */
#include "unit.h"

#include "host-local/conf.h"

struct read {
	struct arena           arena;
	struct err             err;
	json_t                *json;
	struct host_local_conf conf;
};

/* text with ' for ". */
static int read_conf(struct read *r, const char *text, const char *version, const char *env_ip)
{
	struct reading reading;
	char *json;
	int bad;

	*r = (struct read){ 0 };
	json = arena_strdup(&r->arena, text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	r->json = json_read_object(json, strlen(json), "test", &r->err);
	assert_non_null(r->json);
	reading = (struct reading){ .arena = &r->arena, .err = &r->err };
	bad = fields_read(host_local_fields, r->json, &r->conf, &reading);
	if (bad == 0)
		bad = host_local_wanted(&r->conf, env_ip, &r->arena, &r->err);
	return bad < 0 ? bad : host_local_settle(&r->conf, true, version, &r->arena, &r->err);
}

static void drop(struct read *r)
{
	json_decref(r->json);
	arena_free(&r->arena);
}

/* "start-end/gateway" of each range, ',' between ranges and '|' between sets. */
static void assert_sets(const char *text, const char *want)
{
	struct read r;
	char got[1024] = "", range[RANGE_TEXT], gateway[ADDR_TEXT];

	assert_int_equal(read_conf(&r, text, "0.3.1", NULL), 0);
	for_list (const struct range_set, s, &r.conf.sets) {
		strcat(got, *got ? "|" : "");
		for_list (const struct range, g, &s->ranges) {
			strcat(got, g == s->ranges.items ? "" : ",");
			strcat(strcat(strcat(got, range_text(g, range)), "/"), addr_text(&g->gateway, gateway));
		}
	}
	assert_string_equal(got, want);
	drop(&r);
}

static void the_older_way_gives_one_set(void **state)
{
	(void)state;
	assert_sets("{'ipam': {'subnet': '10.1.2.0/24', 'rangeStart': '10.1.2.9', 'rangeEnd': '10.1.2.20', 'gateway': '10.1.2.30'}}",
	            "10.1.2.9-10.1.2.20/10.1.2.30");
}

static void ranges_give_sets(void **state)
{
	(void)state;
	assert_sets("{'ipam': {'ranges': [[{'subnet': '10.1.2.0/24', 'rangeStart': '10.1.2.9', 'rangeEnd': '10.1.2.20', 'gateway': '10.1.2.30'},"
	            "{'subnet': '10.1.4.0/24'}], [{'subnet': '11.1.2.0/24'}]]}}",
	            "10.1.2.9-10.1.2.20/10.1.2.30,10.1.4.1-10.1.4.254/10.1.4.1|11.1.2.1-11.1.2.254/11.1.2.1");
}

static void the_runtimes_sets_come_first_and_the_older_ways_next(void **state)
{
	(void)state;
	assert_sets("{'runtimeConfig': {'irrelevant': 'a', 'ipRanges': [[{'subnet': '12.1.3.0/24'}]]}, 'ipam': {'ranges': [[{'subnet': '11.1.2.0/24'}]],"
	            "'subnet': '10.1.2.0/24'}}", "12.1.3.1-12.1.3.254/12.1.3.1|10.1.2.1-10.1.2.254/10.1.2.1|11.1.2.1-11.1.2.254/11.1.2.1");
}

static void keys_match_in_any_case(void **state)
{
	(void)state;
	assert_sets("{'IPAM': {'Ranges': [[{'SUBNET': '10.1.2.0/24', 'rangestart': '10.1.2.9'}]]}}", "10.1.2.9-10.1.2.254/10.1.2.1");
}

static void assert_wanted(const char *text, const char *env_ip, const char *want)
{
	struct read r;
	char got[512] = "", one[ADDR_TEXT];

	assert_int_equal(read_conf(&r, text, "0.3.1", env_ip), 0);
	for_list (const struct addr, a, &r.conf.wanted)
		strcat(strcat(got, *got ? " " : ""), addr_text(a, one));
	assert_string_equal(got, want);
	drop(&r);
}

#define RANGES "'ipam': {'ranges': [[{'subnet': '10.1.2.0/24'}]]}"

static void addresses_are_asked_for_with_or_without_a_length(void **state)
{
	(void)state;
	assert_wanted("{" RANGES "}", NULL, "");
	assert_wanted("{" RANGES "}", "", "");
	assert_wanted("{" RANGES "}", "10.1.2.10", "10.1.2.10");
	assert_wanted("{" RANGES "}", "10.1.2.11/24", "10.1.2.11");
	assert_wanted("{'args': {'cni': {'ips': ['10.1.2.11', '11.11.11.11/24', '2001:db8:1::11/64']}}, " RANGES "}", "10.1.2.10/24",
	              "10.1.2.10 10.1.2.11 11.11.11.11 2001:db8:1::11");
	assert_wanted("{'runtimeConfig': {'ips': ['192.168.0.1', '192.168.0.5/24', '2001:db8::1/64']}, " RANGES "}", NULL,
	              "192.168.0.1 192.168.0.5 2001:db8::1");
	assert_wanted("{'runtimeConfig': {'ips': ['192.168.0.1/8', '192.168.0.1']}, 'args': {'cni': {'ips': ['192.168.0.1']}}, " RANGES "}", "192.168.0.1",
	              "192.168.0.1");
}

static void assert_refused(const char *text, const char *version, const char *env_ip, const char *msg)
{
	struct read r;

	assert_true(read_conf(&r, text, version, env_ip) < 0);
	assert_string_equal(r.err.msg, msg);
	drop(&r);
}

static void complaints_name_the_place(void **state)
{
	(void)state;
	assert_refused("{'ipam': {}}", "1.0.0", NULL, "no IP ranges specified");
	assert_refused("{'ipam': {'ranges': [[{'subnet': '10.0.0.0/24'}, {'subnet': '10.1.2.0'}]]}}", "1.0.0", NULL,
	               "ipam.ranges[0][1].subnet: want an address with a prefix length such as 10.1.2.0/24, got 10.1.2.0");
	assert_refused("{'ipam': {'ranges': [[{'subnet': '10.0.0.0/24'}, {'subnet': '10.1.2.0/24', 'rangeEnd': '10.1.3.5'}]]}}", "1.0.0", NULL,
	               "ipam.ranges[0][1].rangeEnd: 10.1.3.5 is not in 10.1.2.0/24; want an address of that subnet");
	assert_refused("{'ipam': {'subnet': '10.1.2.0/24', 'rangeStart': '10.1.3.5'}}", "1.0.0", NULL,
	               "ipam.rangeStart: 10.1.3.5 is not in 10.1.2.0/24; want an address of that subnet");
	assert_refused("{'ipam': {'ranges': {}}}", "1.0.0", NULL, "ipam.ranges: want a list");
	assert_refused("{'ipam': {'ranges': [{'subnet': '10.1.2.0/24'}]}}", "1.0.0", NULL, "ipam.ranges[0]: want a list");
	assert_refused("{'runtimeConfig': {'ips': ['10.1.2.3', 'x']}, " RANGES "}", "1.0.0", NULL,
	               "runtimeConfig.ips[1]: want an IP address such as 10.1.2.3 or 10.1.2.3/24, got x");
	assert_refused("{'args': {'cni': {'ips': [7]}}, " RANGES "}", "1.0.0", NULL,
	               "args.cni.ips[0]: want an IP address such as 10.1.2.3 or 10.1.2.3/24, got no string");
	assert_refused("{" RANGES "}", "1.0.0", "10.1.2.3/33", "CNI_ARGS: IP=10.1.2.3/33: want an IP address such as 10.1.2.3 or 10.1.2.3/24");
}

static void sets_must_not_overlap(void **state)
{
	(void)state;
	assert_refused("{'ipam': {'ranges': [[{'subnet': '10.1.2.0/24'}, {'subnet': '10.2.2.0/24'}],"
	               "[{'subnet': '10.1.4.0/24'}, {'subnet': '10.1.2.0/24'}]]}}", "0.3.1", NULL, "range set 0 overlaps with 1");
	assert_refused("{'runtimeConfig': {'ipRanges': [[{'subnet': '10.1.2.0/24'}]]}, " RANGES "}", "0.3.1", NULL, "range set 0 overlaps with 1");
}

/* A list of as many items as it takes, written by their number; the caller's to free. */
static char *long_list(const char *before, const char *item, unsigned count, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs(before, f);
	for (unsigned i = 0; i < count; i++) {
		fputs(i ? "," : "", f);
		fprintf(f, item, i >> 8, i & 255);
	}
	fputs(after, f);
	fclose(f);
	return text;
}

/* What is compared each with each has a limit. */
static void lists_are_not_endless(void **state)
{
	static const char sets[] = "{'ipam': {'ranges': [", ips[] = "{'ipam': {'subnet': '10.0.0.0/8'}, 'runtimeConfig': {'ips': [";
	const struct { const char *before, *item, *after; unsigned count; const char *msg; } rows[] = {
		{ sets, "[{'subnet': '10.%u.%u.0/30'}]", "]}}", 4096, NULL },
		{ sets, "[{'subnet': '10.%u.%u.0/30'}]", "]}}", 4097, "ipam.ranges[4096]: more than 4096 ranges" },
		{ sets, "[]", "]}}", 5000, "ipam.ranges[4096]: more than 4096 ranges" },
		{ ips, "'10.0.%u.%u'", "]}}", 4096, NULL },
		{ ips, "'10.0.%u.%u'", "]}}", 4097, "ips: more than 4096 addresses" },
	}, *row;

	(void)state;
	for_rows (row, rows) {
		char *text = long_list(row->before, row->item, row->count, row->after);
		struct read r;
		int bad = read_conf(&r, text, "0.3.1", NULL);

		row_number(row->item, bad < 0, row->msg != NULL);
		if (row->msg)
			row_contains(row->item, r.err.msg, row->msg);
		drop(&r);
		free(text);
	}
}

static void old_versions_know_one_address_a_family(void **state)
{
	struct read r;

	(void)state;
	assert_refused("{'ipam': {'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': '11.1.2.0/24'}]]}}", "0.2.0", NULL,
	               "CNI version 0.2.0 does not support more than 1 address per family");
	assert_int_equal(read_conf(&r, "{'ipam': {'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00::/64'}]]}}", "0.2.0", NULL), 0);
	drop(&r);
	assert_int_equal(read_conf(&r, "{'ipam': {'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': '11.1.2.0/24'}]]}}", "0.3.0", NULL), 0);
	drop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_older_way_gives_one_set),
		cmocka_unit_test(ranges_give_sets),
		cmocka_unit_test(the_runtimes_sets_come_first_and_the_older_ways_next),
		cmocka_unit_test(keys_match_in_any_case),
		cmocka_unit_test(addresses_are_asked_for_with_or_without_a_length),
		cmocka_unit_test(complaints_name_the_place),
		cmocka_unit_test(sets_must_not_overlap),
		cmocka_unit_test(lists_are_not_endless),
		cmocka_unit_test(old_versions_know_one_address_a_family),
	};

	return cmocka_run_group_tests_name("host-local configuration", tests, NULL, NULL);
}
