/* static: the addresses that the configuration or the runtime says. */
#include "test.h"

static const char plain[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'ipam': {'type': 'static',"
	" 'addresses': [{'address': '10.10.0.1/24', 'gateway': '10.10.0.254'}, {'address': '3ffe:ffff:0:01ff::1/64', 'gateway': '3ffe:ffff:0::1'}],"
	" 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '192.168.0.7/16', 'gw': '10.10.5.1'}, {'dst': '3ffe:ffff:0:01ff::1/64'}],"
	" 'dns': {'nameservers': ['8.8.8.8'], 'domain': 'example.org', 'search': ['example.org']}}}";

static struct answer add(const char *conf, const char *args)
{
	return call(.plugin = "static", .verb = "ADD", .container = "c", .netns = "/nowhere", .ifname = "eth0", .conf = conf, .args = args);
}

/* The network namespace need not be there. A route's dst keeps its host bits. */
TEST_EACH(static_gives_what_is_configured, all_versions, version)
{
	struct world w = world_begin("");
	const char *conf = conf_set(plain, "cniVersion", json("'%s'", version));
	struct answer a = expect_ok(add(conf, NULL));

	if (version_since(version, "0.3.0")) {
		expect_json(a, "ips[0].address", "10.10.0.1/24");
		expect_json(a, "ips[0].gateway", "10.10.0.254");
		expect_json(a, "ips[1].address", "3ffe:ffff:0:1ff::1/64");
		expect_json(a, "routes[1]", "{\"dst\": \"192.168.0.7/16\", \"gw\": \"10.10.5.1\"}");
		expect_json(a, "routes[3]", "absent");
	} else {
		expect_json(a, "ip4.ip", "10.10.0.1/24");
		expect_json(a, "ip6.ip", "3ffe:ffff:0:1ff::1/64");
		expect_json(a, "ip4.routes[1].dst", "192.168.0.7/16");
	}
	expect_json(a, "interfaces", "absent");
	expect_json(a, "dns", "{\"domain\": \"example.org\", \"nameservers\": [\"8.8.8.8\"], \"search\": [\"example.org\"]}");
	expect_ok(call(.plugin = "static", .verb = "DEL", .container = "c", .netns = "/nowhere", .ifname = "eth0", .conf = conf));
	expect_ok(call(.plugin = "static", .verb = "DEL", .container = "unknown", .ifname = "eth0", .conf = conf));
	expect_untouched(&w);
}

/* Several routes to one destination are a choice of ways, and all of them are kept, in their order. */
TEST(static_keeps_equal_routes)                         /* REF-16 */
{
	const char *conf = conf_set(plain, "ipam", "{'type': 'static', 'addresses': [{'address': '10.10.0.1/24'}],"
	                                           " 'routes': [{'dst': '0.0.0.0/0', 'gw': '10.10.0.254'}, {'dst': '0.0.0.0/0', 'gw': '10.10.0.253'}]}");

	world_begin("");
	expect_json(expect_ok(add(conf, NULL)), "routes", "[{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.10.0.254\"}, {\"dst\": \"0.0.0.0/0\", \"gw\": \"10.10.0.253\"}]");
}

TEST(static_addresses_of_cni_args)                      /* CNV-6 */
{
	const char *conf = conf_set(plain, "ipam", "{'type': 'static', 'routes': [{'dst': '0.0.0.0/0'}]}");
	struct answer a;

	world_begin("");
	a = expect_ok(add(conf, "IP=10.10.0.1/24;GATEWAY=10.10.0.254"));
	expect_json(a, "ips", "[{\"address\": \"10.10.0.1/24\", \"gateway\": \"10.10.0.254\"}]");
	a = expect_ok(add(conf, "IP=10.10.0.1/24,11.11.0.1/24;GATEWAY=10.10.0.254"));
	expect_json(a, "ips", "[{\"address\": \"10.10.0.1/24\", \"gateway\": \"10.10.0.254\"}, {\"address\": \"11.11.0.1/24\"}]");
	expect_error(add(conf_set(conf, "cniVersion", "'0.2.0'"), "IP=10.10.0.1/24,11.11.0.1/24"), 7, "CNI version 0.2.0 does not support more than 1 address per family");
	expect_error(add(conf, "IP=10.10.0.1"), 4, "the 'ip' field is expected to be in CIDR notation, got: '10.10.0.1'");
	expect_error(add(conf, "IP=10.10.0.1/24;GATEWAY=x"), 4, "invalid gateway address: x");
	expect_error(add(conf, "IP=10.10.0.1/24;FOO=x"), 4, "unknown args");
	expect_ok(add(conf, "IgnoreUnknown=1;IP=10.10.0.1/24;FOO=x"));
}

/* runtimeConfig's take the place of args.cni's, those of CNI_ARGS' and the configured ones. */
TEST(static_sources_take_each_others_place)             /* CNV-3, REF-17 */
{
	const char *args = conf_set(plain, "args", "{'cni': {'ips': ['10.10.0.1/24', '11.11.0.1/24']}}");
	const char *runtime = conf_set(args, "runtimeConfig", "{'ips': ['12.12.0.1/24', '3ffe::2/64']}");

	world_begin("");
	expect_json(expect_ok(add(args, "IP=13.13.0.1/24")), "ips", "[{\"address\": \"10.10.0.1/24\"}, {\"address\": \"11.11.0.1/24\"}]");
	expect_json(expect_ok(add(runtime, "IP=13.13.0.1/24")), "ips", "[{\"address\": \"12.12.0.1/24\"}, {\"address\": \"3ffe::2/64\"}]");
}

TEST(static_bad_configurations)                         /* ERR-5, REF-18 */
{
	static const struct { const char *key, *value, *words; } rows[] = {
		{ "ipam", NULL, "IPAM config missing 'ipam' key" },
		{ "ipam", "{'type': 'static', 'addresses': [{'address': '10.10.0.1'}]}", "the 'address' field is expected to be in CIDR notation, got: '10.10.0.1'" },
		{ "ipam", "{'type': 'static', 'addresses': [{}]}", "the 'address' field is expected to be in CIDR notation, got: ''" },
		{ "ipam", "{'type': 'static', 'addresses': [{'address': '10.10.0.1/24', 'gateway': 'x'}]}", "ipam.addresses[0].gateway: want an IP address" },
		{ "ipam", "{'type': 'static', 'routes': [{'dst': 'x'}]}", "ipam.routes[0].dst: want an address with a prefix length" },
		{ "args", "{'cni': {'ips': ['10.10.0.1/24', '11.11.0.1']}}", "an entry in the 'ips' field is NOT in CIDR notation, got: '11.11.0.1'" },
		{ "runtimeConfig", "{'ips': ['10.10.0.1']}", "an entry in the 'ips' field is NOT in CIDR notation, got: '10.10.0.1'" },
	};

	world_begin("");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s: %s", rows[i].key, rows[i].value ? rows[i].value : "absent");
		expect_error(add(conf_set(plain, rows[i].key, rows[i].value), NULL), 7, rows[i].words);
	}
}

TEST(static_check_compares_gateways)                    /* CHK-2 */
{
	struct answer a;

	world_begin("");
	a = expect_ok(add(plain, NULL));
	expect_ok(call(.plugin = "static", .verb = "CHECK", .container = "c", .netns = "/nowhere", .ifname = "eth0", .conf = with_prev(plain, a)));
	expect_error(call(.plugin = "static", .verb = "CHECK", .container = "c", .netns = "/nowhere", .ifname = "eth0",
	                  .conf = conf_set(plain, "prevResult", "{'ips': [{'address': '10.10.0.1/24', 'gateway': '10.10.0.253'}]}")), 999, "10.10.0.1");
	expect_error(call(.plugin = "static", .verb = "CHECK", .container = "c", .netns = "/nowhere", .ifname = "eth0", .conf = plain), 7, "prevResult");
}
