/* static: where its addresses come from. */
#include "unit.h"

#include "ipam/static.c"

struct run {
	struct cni_call call;
	int             bad;
};

/* text with ' for ". */
static void begin(struct run *r, enum verb verb, const char *version, const char *text, const char *args)
{
	struct cni_call *c = &r->call;
	char *json;

	*r = (struct run){ .call = { .plugin = &this_plugin, .verb = verb, .args = args, .who = { "net", "pod", "eth0", .netns = "" }, .pod_fd = -1 } };
	c->net.cni_version = version;
	json = arena_strdup(&c->arena, text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	c->json = json_read_object(json, strlen(json), "test", &c->err);
	assert_non_null(c->json);
	r->bad = plugin_read_conf(c);
}

static void end(struct run *r)
{
	json_decref(r->call.json);
	arena_free(&r->call.arena);
}

/* "address>gateway" of each, or the error's text. */
static const char *add(const char *version, const char *text, const char *args)
{
	static char all[1024];
	char one[PREFIX_TEXT], gateway[ADDR_TEXT];
	struct run r;

	begin(&r, VERB_ADD, version, text, args);
	if (r.bad == 0)
		r.bad = static_add(&r.call);
	snprintf(all, sizeof all, "%s", r.bad < 0 ? r.call.err.msg : "");
	for_list (const struct ip_conf, ip, &r.call.result.ips)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s>%s", *all ? " " : "", prefix_text(&ip->address, one), addr_text(&ip->gateway, gateway));
	end(&r);
	return all;
}

#define CONFIGURED "'ipam': {'addresses': [{'address': '10.10.0.1/24', 'gateway': '10.10.0.254'}, {'address': '3ffe:ffff:0:1ff::1/64', 'gateway': '3ffe:ffff::1'}]}"
#define ARGS       "'args': {'cni': {'ips': ['10.10.0.2/24', 'fd00::2/64']}}"
#define RUNTIME    "'RuntimeConfig': {'ips': ['10.10.0.3/24']}"
#define ENV        "IP=10.10.0.4/24,11.11.0.4/24;GATEWAY=10.10.0.254"

static void a_later_source_takes_the_place_of_the_earlier(void **state)
{
	static const struct { const char *name, *conf, *args, *want; } rows[] = {
		{ "nothing", "{'ipam': {}}", "", "" },
		{ "configured", "{" CONFIGURED "}", "", "10.10.0.1/24>10.10.0.254 3ffe:ffff:0:1ff::1/64>3ffe:ffff::1" },
		{ "environment", "{'ipam': {}}", ENV, "10.10.0.4/24>10.10.0.254 11.11.0.4/24>" },
		{ "environment adds to configured", "{" CONFIGURED "}", "IP=10.10.0.4/24;GATEWAY=10.10.0.9",
		  "10.10.0.1/24>10.10.0.254 3ffe:ffff:0:1ff::1/64>3ffe:ffff::1 10.10.0.4/24>10.10.0.9" },
		{ "args", "{" CONFIGURED "," ARGS "}", ENV, "10.10.0.2/24> fd00::2/64>" },
		{ "runtime", "{" CONFIGURED "," ARGS "," RUNTIME "}", ENV, "10.10.0.3/24>" },
		{ "empty lists are none", "{" CONFIGURED ", 'args': {'cni': {'ips': []}}, 'runtimeConfig': {'ips': []}}", "",
		  "10.10.0.1/24>10.10.0.254 3ffe:ffff:0:1ff::1/64>3ffe:ffff::1" },
		{ "empty values are none", "{'ipam': {}}", "IP=;GATEWAY=", "" },
		{ "blanks", "{'ipam': {}}", "IP= 10.0.0.1/8 , fd00::1/64;GATEWAY= fd00::9 ,10.0.0.9", "10.0.0.1/8>10.0.0.9 fd00::1/64>fd00::9" },
	}, *row;

	(void)state;
	for_rows(row, rows)
		row_text(row->name, add("1.0.0", row->conf, row->args), row->want);
}

static void bad_addresses_are_refused_in_the_reference_plugins_words(void **state)
{
	static const struct { const char *conf, *args, *want; } rows[] = {
		{ "{}", ENV, "IPAM config missing 'ipam' key" },
		{ "{" RUNTIME "}", "", "IPAM config missing 'ipam' key" },
		{ "{'ipam': {'addresses': [{'address': '10.10.0.1'}]}}", "", "the 'address' field is expected to be in CIDR notation, got: '10.10.0.1'" },
		{ "{'ipam': {'addresses': [{'gateway': '10.10.0.1'}]}}", "", "the 'address' field is expected to be in CIDR notation, got: ''" },
		{ "{'ipam': {}}", "IP=10.10.0.1", "the 'ip' field is expected to be in CIDR notation, got: '10.10.0.1'" },
		{ "{'ipam': {}, 'args': {'cni': {'ips': ['10.10.0.1']}}}", "", "an entry in the 'ips' field is NOT in CIDR notation, got: '10.10.0.1'" },
		{ "{'ipam': {}, 'runtimeConfig': {'ips': ['10.10.0.1/24', '']}}", "", "an entry in the 'ips' field is NOT in CIDR notation, got: ''" },
		{ "{'ipam': {}}", "IP=10.10.0.1/24;GATEWAY=x", "invalid gateway address: x" },
		{ "{'ipam': {}}", "MAC=1", "ARGS: unknown args [\"MAC=1\"]" },
	}, *row;

	(void)state;
	for_rows(row, rows)
		row_text(row->want, add("1.0.0", row->conf, row->args), row->want);
}

static void old_versions_know_one_address_a_family(void **state)
{
	(void)state;
	assert_string_equal(add("0.2.0", "{'ipam': {}}", "IP=10.0.0.1/8,11.0.0.1/8"), "CNI version 0.2.0 does not support more than 1 address per family");
	assert_string_equal(add("0.2.0", "{'ipam': {}}", "IP=10.0.0.1/8,fd00::1/64"), "10.0.0.1/8> fd00::1/64>");
	assert_string_equal(add("0.3.0", "{'ipam': {}}", "IP=10.0.0.1/8,11.0.0.1/8"), "10.0.0.1/8> 11.0.0.1/8>");
}

static void routes_are_passed_on_as_they_are(void **state)
{
	struct ip_route *routes;
	struct run r;
	char text[PREFIX_TEXT];

	(void)state;
	begin(&r, VERB_ADD, "1.0.0", "{'ipam': {'routes': [{'dst': '3ffe::1/64'}, {'dst': '0.0.0.0/0', 'gw': '10.0.0.1'}, {'dst': '0.0.0.0/0', 'gw': '10.0.0.2'}],"
	      "'dns': {'domain': 'example.com'}}}", "");
	assert_int_equal(r.bad, 0);
	assert_int_equal(static_add(&r.call), 0);
	assert_int_equal(r.call.result.routes.count, 3);
	routes = r.call.result.routes.items;
	assert_string_equal(prefix_text(&routes[0].dst, text), "3ffe::1/64");
	assert_string_equal(addr_text(&routes[1].gateway, text), "10.0.0.1");
	assert_string_equal(addr_text(&routes[2].gateway, text), "10.0.0.2");
	assert_string_equal(r.call.result.dns.domain, "example.com");
	end(&r);
}

static void del_does_not_mind_bad_addresses(void **state)
{
	struct run r;

	(void)state;
	begin(&r, VERB_DEL, "1.0.0", "{'ipam': {'addresses': [{'address': 'x'}]}}", "NONSENSE");
	assert_int_equal(r.bad, 0);
	end(&r);
	begin(&r, VERB_DEL, "1.0.0", "{}", "");
	assert_int_equal(r.bad, 0);
	end(&r);
}

/* The error's text, or "". gateway: of 10.10.0.1 in prevResult; "none": no prevResult. */
static const char *check(const char *address, const char *gateway)
{
	static char msg[512];
	struct run r;
	struct ip_conf *ip;

	begin(&r, VERB_CHECK, "1.0.0", "{" CONFIGURED "}", "");
	assert_int_equal(r.bad, 0);
	r.call.has_prev = address;
	if (address) {
		ip = result_add_ip(&r.call.prev, &r.call.arena);
		assert_true(prefix_parse(address, &ip->address));
		assert_true(addr_parse(gateway, &ip->gateway));
	}
	r.bad = static_check(&r.call);
	assert_int_equal(r.bad < 0, r.call.err.code != 0);
	snprintf(msg, sizeof msg, "%s", r.call.err.msg);
	end(&r);
	return msg;
}

static void check_compares_gateways(void **state)
{
	(void)state;
	assert_string_equal(check(NULL, NULL), "Required prevResult missing");
	assert_string_equal(check("10.10.0.1/24", "10.10.0.254"), "");
	assert_string_equal(check("10.10.0.1/24", "10.10.0.253"), "static: Failed to match addr 10.10.0.1 on interface eth0");
	assert_string_equal(check("10.10.0.77/24", "10.10.0.253"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_later_source_takes_the_place_of_the_earlier),
		cmocka_unit_test(bad_addresses_are_refused_in_the_reference_plugins_words),
		cmocka_unit_test(old_versions_know_one_address_a_family),
		cmocka_unit_test(routes_are_passed_on_as_they_are),
		cmocka_unit_test(del_does_not_mind_bad_addresses),
		cmocka_unit_test(check_compares_gateways),
	};

	return cmocka_run_group_tests_name("static", tests, NULL, NULL);
}
