/* none, an isolated container; host, one that shares the host's network. */
#include "test.h"

static const char none[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'none'}";
static const char host[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'host'}";

TEST_EACH(none_brings_lo_up_and_nothing_else, versions_since_0_3_0, version) /* ADD-1 */
{
	struct world w = world_begin("pod1 lan");
	const char *conf = conf_set(none, "cniVersion", json("'%s'", version));
	struct answer a = expect_ok(plugin(&w, "none", "ADD", "pod1", "eth0", conf));

	expect_json(a, "interfaces[0].name", "lo");
	expect_json(a, "interfaces[0].sandbox", "/run/netns/pod1");
	expect_json(a, "interfaces[1]", "absent");
	expect_text(ping("pod1", "127.0.0.1"), "answers");
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "unreachable");
	if (version_since(version, "0.4.0"))
		expect_ok(plugin(&w, "none", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "none", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "none", "DEL", "pod1", "eth0", conf));
	expect_ok(call(.plugin = "none", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = conf));
	expect_untouched(&w, "address pod1: lo 127.0.0.1/8");
}

TEST(none_check_notices_a_way_out)                      /* CHK-4, REF-23 */
{
	static const struct { const char *damage, *repair, *words; } rows[] = {
		{ "ip link add eth1 type veth peer name x1", "ip link del eth1", "the container is not isolated: it has interface" },
		{ "ip link add v type bridge", "ip link del v", "the container is not isolated: it has interface v" },
		{ "ip route add blackhole 10.0.0.0/8", "ip route del blackhole 10.0.0.0/8", "it has a route to 10.0.0.0/8" },
		{ "ip route add default dev lo", "ip route del default dev lo", "it has a route to 0.0.0.0/0" },
		{ "ip route add unreachable fd00::/8 table 7", "ip route del unreachable fd00::/8 table 7", "it has a route to fd00::/8" },
		{ "ip link set lo down", "ip link set lo up", "lo is down" },
	};
	struct world w = world_begin("pod1");
	const char *conf = with_prev(none, expect_ok(plugin(&w, "none", "ADD", "pod1", "eth0", none)));

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("damage: %s", rows[i].damage);
		sh("pod1", "%s", rows[i].damage);
		expect_error(plugin(&w, "none", "CHECK", "pod1", "eth0", conf), 999, rows[i].words);
		sh("pod1", "%s", rows[i].repair);
		expect_ok(plugin(&w, "none", "CHECK", "pod1", "eth0", conf));
	}
}

TEST(none_leaves_what_others_put_in)
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "none", "ADD", "pod1", "eth0", none));
	sh("pod1", "ip link add eth0 type bridge");
	expect_ok(plugin(&w, "none", "DEL", "pod1", "eth0", none));
	expect_link("pod1", "eth0", "bridge");
}

TEST(none_refuses_the_hosts_namespace)
{
	struct world w = world_begin("lan");

	expect_error(call(.plugin = "none", .verb = "ADD", .pod = "pod1", .netns = "/proc/1/ns/net", .conf = none), 8, "should not be the same");
	expect_untouched(&w);
}

/* ---- host ---- */

TEST_EACH(host_reports_the_hosts_network, all_versions, version) /* ADD-1 */
{
	struct world w = world_begin("lan");
	const char *conf = conf_set(host, "cniVersion", json("'%s'", version));
	struct answer a = expect_ok(call(.plugin = "host", .verb = "ADD", .container = "c", .ifname = "eth0", .netns = "/proc/1/ns/net", .conf = conf));

	if (version_since(version, "0.3.0")) {
		expect_json(a, "interfaces[0].name", "lan0");
		expect_json(a, "interfaces[0].mac", link_in("host", "lan0").mac);
		expect_json(a, "interfaces[0].sandbox", "/proc/1/ns/net");
		expect_json(a, "ips[0].address", "192.0.2.1/24");
		expect_json(a, "ips[0].interface", "0");
		expect_contains(json_at(a, "ips"), "2001:db8:1::1/64");
	} else {
		expect_json(a, "ip4.ip", "192.0.2.1/24");
		expect_json(a, "ip6.ip", "2001:db8:1::1/64");
	}
	if (version_since(version, "0.4.0"))
		expect_ok(call(.plugin = "host", .verb = "CHECK", .container = "c", .ifname = "eth0", .netns = "/proc/1/ns/net", .conf = with_prev(conf, a)));
	expect_ok(call(.plugin = "host", .verb = "DEL", .container = "c", .ifname = "eth0", .netns = "/proc/1/ns/net", .conf = with_prev(conf, a)));
	expect_ok(call(.plugin = "host", .verb = "DEL", .container = "c", .ifname = "eth0", .conf = conf));
	expect_untouched(&w);
}

TEST(host_refuses_another_namespace)                    /* ENV-9, REF-22 */
{
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "host", "ADD", "pod1", "eth0", host), 8, "/run/netns/pod1 is not the host's network namespace");
	expect_ok(plugin(&w, "host", "DEL", "pod1", "eth0", host));
	expect_untouched(&w);
}
