/* Masquerading's options, the same for every plugin that masquerades: ipMasqExclude, ipMasqSource, ipMasqRandomPorts. */
#include "test.h"

#include <string.h>

#define RANGES "'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]]"

static const char bridge[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0', 'isDefaultGateway': true, 'ipMasq': true, " RANGES "}}";
static const char ptp[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp', 'ipMasq': true, " RANGES ", 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}}";

static const char *const links[] = { "bridge", "ptp", NULL };

#define LEFT_OVER STORE_STAYS("net"), FORWARDING_STAYS, BRIDGE_STAYS("br0"), RULESET_STAYS

static const char *conf_of(const char *link)
{
	return !strcmp(link, "ptp") ? ptp : bridge;
}

static const char *attach(struct world *w, const char *pod, const char *conf)
{
	struct answer a = expect_ok(plugin(w, strstr(conf, "ptp") ? "ptp" : "bridge", "ADD", pod, "eth0", conf));

	return with_prev(conf, a);
}

/* The host is .1 and .7 on the LAN; the machine there is .2 and .3, knows its way to the containers, and serves. */
static void begin_lan(void)
{
	sh("host", "ip address add 192.0.2.7/24 dev lan0; ip address add 2001:db8:1::7/64 dev lan0 nodad preferred_lft 0");
	sh("lan", "ip address add 192.0.2.3/24 dev eth0; ip address add 2001:db8:1::3/64 dev eth0 nodad;"
	          "ip route add 10.1.2.0/24 via 192.0.2.1; ip route add fd00:1::/64 via 2001:db8:1::1");
	for (const char *const *at = (const char *const[]){ "192.0.2.2", "192.0.2.3", "2001:db8:1::2", "2001:db8:1::3", NULL }; *at; at++) {
		tcp_serve("lan", *at, 80);
		udp_serve("lan", *at, 80);
	}
}

static void seen_as_(const char *pod, const char *at, const char *source)
{
	const char *want = keep("lan saw %s", source);

	expect_text(tcp_ask(pod, at, 80), want);
	expect_text(udp_ask(pod, at, 80), want);
}
#define seen_as(...) AT_(seen_as_(__VA_ARGS__))

/* Nothing is left of the container. */
static void detach(struct world *w, const char *pod, const char *told)
{
	const char *link = strstr(told, "\"ptp\"") ? "ptp" : "bridge";

	expect_ok(plugin(w, link, "CHECK", pod, "eth0", told));
	expect_ok(plugin(w, link, "DEL", pod, "eth0", told));
	expect_untouched(w, LEFT_OVER);
}

/* ---- ipMasqExclude ---- */

TEST_EACH(masq_excludes, links, link)
{
	struct world w = world_begin("pod1 lan");
	const char *told;

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf_set(conf_of(link), "ipMasqExclude", "['192.0.2.3/32', '198.51.100.0/24', '2001:db8:1::3/128']"));
	seen_as("pod1", "192.0.2.2", "192.0.2.1");
	seen_as("pod1", "192.0.2.3", "10.1.2.2");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::1");
	seen_as("pod1", "2001:db8:1::3", "fd00:1::2");
	detach(&w, "pod1", told);
}

/* A list of one family says nothing of the other. */
TEST_EACH(masq_excludes_in_one_family, links, link)
{
	struct world w = world_begin("pod1 lan");
	const char *told;

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf_set(conf_of(link), "ipMasqExclude", "['0.0.0.0/0']"));
	seen_as("pod1", "192.0.2.2", "10.1.2.2");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::1");
	detach(&w, "pod1", told);
}

/* Another network of the host's, whose containers shall see who asks. */
TEST(masq_excludes_another_network)
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *other = conf_set(conf_set(conf_set(bridge, "name", "'other'"), "bridge", "'br9'"), "ipam", "{'type': 'host-local', 'subnet': '10.9.0.0/16'}");

	attach(&w, "pod1", conf_set(bridge, "ipMasqExclude", "['10.9.0.0/16']"));
	attach(&w, "pod2", bridge);
	attach(&w, "pod3", other);
	tcp_serve("pod3", NULL, 80);
	expect_text(tcp_ask("pod1", "10.9.0.2", 80), "pod3 saw 10.1.2.2");
	expect_text(tcp_ask("pod2", "10.9.0.2", 80), "pod3 saw 10.9.0.1");      /* of the same subnet, with other options */
}

/* ---- ipMasqSource ---- */

TEST_EACH(masq_source_of_each_family, links, link)
{
	struct world w = world_begin("pod1 lan");
	const char *told;

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf_set(conf_of(link), "ipMasqSource", "['192.0.2.7', '2001:db8:1::7']"));
	seen_as("pod1", "192.0.2.2", "192.0.2.7");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::7");
	detach(&w, "pod1", told);
}

static const char *const sources[] = { "192.0.2.7", "2001:db8:1::7", NULL };

TEST_EACH(masq_source_of_one_family, sources, source)
{
	struct world w = world_begin("pod1 lan");
	bool v6 = strchr(source, ':');
	const char *told;

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf_set(bridge, "ipMasqSource", keep("'%s'", source)));
	seen_as("pod1", "192.0.2.2", v6 ? "192.0.2.1" : "192.0.2.7");
	seen_as("pod1", "2001:db8:1::2", v6 ? "2001:db8:1::7" : "2001:db8:1::1");
	detach(&w, "pod1", told);
}

/* Two containers of a subnet, each with its own; and the first's does not go with the second. */
TEST(masq_options_are_of_each_container)
{
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *two;

	begin_lan();
	attach(&w, "pod1", conf_set(bridge, "ipMasqSource", "'192.0.2.7'"));
	two = attach(&w, "pod2", bridge);
	attach(&w, "pod3", conf_set(conf_set(bridge, "ipMasqSource", "'192.0.2.7'"), "ipMasqExclude", "['192.0.2.3/32']"));
	seen_as("pod1", "192.0.2.3", "192.0.2.7");
	seen_as("pod2", "192.0.2.3", "192.0.2.1");
	seen_as("pod3", "192.0.2.3", "10.1.2.4");
	seen_as("pod3", "192.0.2.2", "192.0.2.7");
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", two));
	expect(!strstr(ruleset_in("host"), "chain masq_10.1.2.0/24 {"));
	seen_as("pod1", "192.0.2.2", "192.0.2.7");
	seen_as("pod3", "192.0.2.2", "192.0.2.7");
}

/* ---- ipMasqRandomPorts ---- */

TEST_EACH(masq_random_ports, links, link)
{
	struct world w = world_begin("pod1 lan");
	const char *told, *conf = conf_set(conf_of(link), "ipMasqRandomPorts", "true");

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf);
	expect_contains(ruleset_in("host"), "masquerade fully-random");
	seen_as("pod1", "192.0.2.2", "192.0.2.1");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::1");
	detach(&w, "pod1", told);
	told = attach(&w, "pod1", conf_set(conf_set(conf, "ipMasqSource", "['192.0.2.7', '2001:db8:1::7']"), "ipMasqExclude", "['192.0.2.3/32']"));
	expect_contains(ruleset_in("host"), "snat ip to 192.0.2.7 fully-random");
	expect_contains(ruleset_in("host"), "snat ip6 to 2001:db8:1::7 fully-random");
	seen_as("pod1", "192.0.2.2", "192.0.2.7");
	seen_as("pod1", "192.0.2.3", "10.1.2.3");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::7");
	detach(&w, "pod1", told);
}

/* ---- Whatever happens to it ---- */

/* The same options again are no conflict, others take the place of those before. */
TEST(masq_options_may_change)
{
	struct world w = world_begin("pod1 lan");
	const char *conf = conf_set(ptp, "ipMasqSource", "'192.0.2.7'"), *told;

	begin_lan();
	world_settled(&w);
	told = attach(&w, "pod1", conf);
	expect_ok(plugin(&w, "ptp", "CHECK", "pod1", "eth0", told));
	expect_error(plugin(&w, "ptp", "CHECK", "pod1", "eth0", conf_set(told, "ipMasqSource", NULL)), 999, "masquerading of 10.1.2.2");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf_set(told, "ipMasqSource", NULL)));     /* the configuration of the day */
	expect_untouched(&w, LEFT_OVER);
}

static const char *const flushes[] = { "nft flush ruleset", "nft delete table inet plumb", NULL };

TEST_EACH(masq_options_come_back, flushes, flush)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told;

	begin_lan();
	told = attach(&w, "pod1", conf_set(conf_set(bridge, "ipMasqSource", "['192.0.2.7', '2001:db8:1::7']"), "ipMasqExclude", "['192.0.2.3/32']"));
	sh("host", "%s", flush);
	attach(&w, "pod2", bridge);
	seen_as("pod1", "192.0.2.2", "192.0.2.7");
	seen_as("pod1", "192.0.2.3", "10.1.2.2");
	seen_as("pod1", "2001:db8:1::2", "2001:db8:1::7");
	seen_as("pod2", "192.0.2.2", "192.0.2.1");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", told));
}

TEST_EACH(masq_bad_options, links, link)                /* ERR-5 */
{
	static const struct { const char *key, *value, *words; } rows[] = {
		{ "ipMasqExclude", "'10.0.0.0/8'", "ipMasqExclude: want a list" },
		{ "ipMasqExclude", "['10.0.0.0/8', 'x']", "ipMasqExclude[1]" },
		{ "ipMasqExclude", "['10.0.0.0/33']", "ipMasqExclude[0]" },
		{ "ipMasqExclude", "[1]", "ipMasqExclude[0]" },
		{ "ipMasqSource", "'x'", "ipMasqSource" },
		{ "ipMasqSource", "7", "ipMasqSource" },
		{ "ipMasqSource", "['192.0.2.1', 'x']", "ipMasqSource[1]" },
		{ "ipMasqSource", "['192.0.2.1', '192.0.2.7']", "ipMasqSource: two addresses of one family" },
		{ "ipMasqSource", "'0.0.0.0'", "ipMasqSource" },
		{ "ipMasqSource", "'192.0.2.0/24'", "ipMasqSource" },
		{ "ipMasqRandomPorts", "'yes'", "ipMasqRandomPorts: want true or false" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s: %s", rows[i].key, rows[i].value);
		expect_error(plugin(&w, link, "ADD", "pod1", "eth0", conf_set(conf_of(link), rows[i].key, rows[i].value)), 7, rows[i].words);
		expect_untouched(&w);
	}
}
