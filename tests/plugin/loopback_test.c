/* loopback: the container's lo, up. */
#include "test.h"

static const char *conf_of(const char *version)
{
	return json("{'cniVersion': '%s', 'name': 'net', 'type': 'loopback'}", version);
}

/* 0.1.0 and 0.2.0 tell no interfaces, and ::1 besides 127.0.0.1. */
TEST_EACH(loopback_brings_lo_up_and_down, all_versions, version) /* ADD-1 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_of(version);
	struct answer add = expect_ok(plugin(&w, "loopback", "ADD", "pod1", "lo", conf));

	if (version_since(version, "1.0.0"))
		expect_result(add, json("{'cniVersion': '%s', 'interfaces': [{'name': 'lo', 'mac': '00:00:00:00:00:00', 'sandbox': '/run/netns/pod1'}],"
		                        " 'ips': [{'address': '127.0.0.1/8', 'interface': 0}, {'address': '::1/128', 'interface': 0}]}", version));
	else if (version_since(version, "0.3.0"))
		expect_result(add, json("{'cniVersion': '%s', 'interfaces': [{'name': 'lo', 'mac': '00:00:00:00:00:00', 'sandbox': '/run/netns/pod1'}],"
		                        " 'ips': [{'version': '4', 'address': '127.0.0.1/8', 'interface': 0}, {'version': '6', 'address': '::1/128', 'interface': 0}],"
		                        " 'dns': {}}", version));
	else
		expect_result(add, json("{'cniVersion': '%s', 'ip4': {'ip': '127.0.0.1/8'}, 'ip6': {'ip': '::1/128'}, 'dns': {}}", version));
	expect(link_in("pod1", "lo").flags & IFF_UP);
	tcp_serve("pod1", "127.0.0.1", 80);
	expect_text(tcp_ask("pod1", "127.0.0.1", 80), "pod1 saw 127.0.0.1");
	expect_text(ping("pod1", "::1"), "answers");
	if (version_since(version, "0.4.0"))
		expect_ok(plugin(&w, "loopback", "CHECK", "pod1", "lo", with_prev(conf, add)));
	expect_ok(plugin(&w, "loopback", "DEL", "pod1", "lo", with_prev(conf, add)));
	expect(!(link_in("pod1", "lo").flags & IFF_UP));
	expect_ok(plugin(&w, "loopback", "DEL", "pod1", "lo", conf));
	expect_untouched(&w, "address pod1: lo 127.0.0.1/8");
}

TEST(loopback_is_about_lo_whatever_interface_is_named)
{
	struct world w = world_begin("pod1");

	expect_json(expect_ok(plugin(&w, "loopback", "ADD", "pod1", "eth7", conf_of("1.1.0"))), "interfaces[0].name", "lo");
	expect(link_in("pod1", "lo").flags & IFF_UP);
}

/* Seen in the reference, and relied upon. */
TEST(loopback_is_lenient)                               /* REF-12 */
{
	world_begin("pod1");
	expect_ok(call(.plugin = "loopback", .verb = "ADD", .pod = "pod1", .ifname = "lo", .conf = "{'cniVersion': '1.0.0', 'name': 'net'}"));
	expect_ok(call(.plugin = "loopback", .verb = "ADD", .pod = "pod1", .ifname = "lo", .conf = conf_of("1.0.0"), .args = "not;pairs=at=all"));
	expect_ok(call(.plugin = "loopback", .verb = "ADD", .pod = "pod1", .ifname = "lo", .conf = conf_of("1.0.0"), .path = "/there/is/nothing"));
}

TEST(loopback_hands_prev_result_on)                     /* ADD-3 */
{
	struct world w = world_begin("pod1");
	const char *prev = "{'cniVersion': '1.0.0', 'interfaces': [{'name': 'eth0', 'sandbox': '/run/netns/pod1'}],"
	                   " 'ips': [{'address': '10.1.2.3/24', 'interface': 0}], 'dns': {'nameservers': ['10.1.2.1']}}";

	expect_result(expect_ok(plugin(&w, "loopback", "ADD", "pod1", "lo", conf_set(conf_of("1.0.0"), "prevResult", prev))), prev);
}

TEST(loopback_check_notices_that_lo_is_down)            /* CHK-4 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_of("1.0.0");
	struct answer add = expect_ok(plugin(&w, "loopback", "ADD", "pod1", "lo", conf));

	sh("pod1", "ip link set lo down");
	expect_error(plugin(&w, "loopback", "CHECK", "pod1", "lo", with_prev(conf, add)), 999, "loopback interface is down");
}

/* An address of its own on lo would be told as the container's. */
TEST(loopback_refuses_foreign_addresses_on_lo)
{
	struct world w = world_begin("pod1");

	sh("pod1", "ip address add 10.1.2.3/24 dev lo");
	expect_error(plugin(&w, "loopback", "ADD", "pod1", "lo", conf_of("1.0.0")), 999, "non-loopback address \"10.1.2.3/24\"");
}

TEST(loopback_del_with_the_namespace_gone)              /* DEL-3 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_of("1.0.0");

	expect_ok(call(.plugin = "loopback", .verb = "DEL", .container = "pod1", .ifname = "lo", .conf = conf));
	expect_ok(call(.plugin = "loopback", .verb = "DEL", .container = "pod1", .ifname = "lo", .conf = conf, .netns = "/run/netns/gone"));
	expect_untouched(&w);
}
