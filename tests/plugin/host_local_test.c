/* host-local: addresses from ranges. (The files that remember them: host_local_store_test.c.) */
#include "test.h"

#include <string.h>

static const char small[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'ipam': {'type': 'host-local', 'subnet': '10.0.0.0/29'}}";

static struct answer ask(const char *verb, const char *container, const char *ifname, const char *conf, const char *args)
{
	return call(.plugin = "host-local", .verb = verb, .container = container, .netns = "/nowhere", .ifname = ifname, .conf = conf, .args = args);
}

static const char *address(const char *container, const char *conf)
{
	return json_at(expect_ok(ask("ADD", container, "eth0", conf, NULL)), "ips[0].address");
}

static const char *ipam(const char *text)
{
	return conf_set(small, "ipam", text);
}

TEST_EACH(host_local_gives_one_address_of_each_set, all_versions, version)
{
	struct world w = world_begin("");
	const char *conf = conf_set(ipam("{'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}, {'subnet': '10.2.2.0/24'}], [{'subnet': '2001:db8:1::0/64'}]],"
	                                 " 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}, {'dst': '192.168.0.0/16', 'gw': '1.1.1.1'}, {'dst': '2001:db8:2::0/64', 'gw': '2001:db8:3::1'}]}"),
	                            "cniVersion", json("'%s'", version));
	struct answer a = expect_ok(ask("ADD", "c", "eth0", conf, NULL));

	if (version_since(version, "0.3.0")) {
		expect_json(a, "ips[0].address", "10.1.2.2/24");
		expect_json(a, "ips[0].gateway", "10.1.2.1");
		expect_json(a, "ips[0].interface", "absent");
		expect_json(a, "ips[1].address", "2001:db8:1::2/64");
		expect_json(a, "ips[1].gateway", "2001:db8:1::1");
		expect_json(a, "routes[2]", "{\"dst\": \"192.168.0.0/16\", \"gw\": \"1.1.1.1\"}");
		expect_json(a, "routes[3]", "{\"dst\": \"2001:db8:2::/64\", \"gw\": \"2001:db8:3::1\"}");
	} else {
		expect_json(a, "ip4", "{\"gateway\": \"10.1.2.1\", \"ip\": \"10.1.2.2/24\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}, {\"dst\": \"192.168.0.0/16\", \"gw\": \"1.1.1.1\"}]}");
		expect_json(a, "ip6.ip", "2001:db8:1::2/64");
	}
	if (version_since(version, "0.4.0"))
		expect_ok(ask("CHECK", "c", "eth0", with_prev(conf, a), NULL));
	expect_ok(ask("DEL", "c", "eth0", conf, NULL));
	expect_ok(ask("DEL", "c", "eth0", conf, NULL));
	expect_ok(ask("DEL", "unknown", "eth0", conf, NULL));
	expect_untouched(&w, STORE_STAYS("net"));
}

/* Round robin: what was given back is given last. The gateway and the network's own addresses are never given. */
TEST(host_local_goes_round)
{
	world_begin("");
	expect_text(address("a", small), "10.0.0.2/29");
	expect_text(address("b", small), "10.0.0.3/29");
	expect_ok(ask("DEL", "a", "eth0", small, NULL));
	expect_text(address("c", small), "10.0.0.4/29");
	expect_text(address("d", small), "10.0.0.5/29");
	expect_text(address("e", small), "10.0.0.6/29");
	expect_text(address("f", small), "10.0.0.2/29");
}

TEST(host_local_tells_an_exhausted_pool)                /* STA-2 */
{
	world_begin("pod1 pod2 pod3 pod4 pod5 pod6");
	for (int i = 1; i <= 5; i++)
		expect_ok(call(.plugin = "host-local", .verb = "ADD", .pod = keep("pod%d", i), .conf = small));
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod6", .conf = small), 999, "no IP addresses available in range set");
	expect_error(call(.plugin = "host-local", .verb = "STATUS", .conf = small), 50, "10.0.0.1-10.0.0.6");
	expect_ok(call(.plugin = "host-local", .verb = "GC", .conf = conf_set(small, "cni.dev/valid-attachments", "[{'containerID': 'pod3', 'ifname': 'eth0'}]")));
	expect_ok(call(.plugin = "host-local", .verb = "STATUS", .conf = small));
	expect_ok(call(.plugin = "host-local", .verb = "ADD", .pod = "pod6", .conf = small));
	expect_ok(call(.plugin = "host-local", .verb = "CHECK", .pod = "pod3", .conf = conf_set(small, "prevResult", "{}")));
	expect_error(call(.plugin = "host-local", .verb = "CHECK", .pod = "pod1", .conf = conf_set(small, "prevResult", "{}")), 999, "Failed to find address added by container pod1");
}

/* One container may have an address for each of its interfaces, and one for each only. */
TEST(host_local_tells_interfaces_apart)                 /* ADD-6 */
{
	struct world w = world_begin("pod1");

	expect_json(expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth0", small)), "ips[0].address", "10.0.0.2/29");
	expect_json(expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth1", small)), "ips[0].address", "10.0.0.3/29");
	expect_error(plugin(&w, "host-local", "ADD", "pod1", "eth0", small), 999, "pod1");
	expect_ok(plugin(&w, "host-local", "DEL", "pod1", "eth0", small));
	expect_no_file("/var/lib/cni/networks/net/10.0.0.2");
	expect_file("/var/lib/cni/networks/net/10.0.0.3", "pod1\r\neth1");
}

TEST(host_local_gives_what_is_asked_for)                /* CNV-3, REF-25 */
{
	static const struct { const char *args, *key, *value; } ways[] = {
		{ "IP=10.0.0.5", NULL, NULL }, { NULL, "args", "{'cni': {'ips': ['10.0.0.5']}}" }, { NULL, "args", "{'cni': {'ips': ['10.0.0.5/29']}}" },
		{ NULL, "runtimeConfig", "{'ips': ['10.0.0.5/29']}" },
	};

	world_begin("");
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		const char *conf = ways[i].key ? conf_set(small, ways[i].key, ways[i].value) : small;

		note("way %zu", i);
		expect_json(expect_ok(ask("ADD", "c", "eth0", conf, ways[i].args)), "ips[0].address", "10.0.0.5/29");
		expect_ok(ask("DEL", "c", "eth0", conf, ways[i].args));
	}
}

TEST(host_local_asked_for_what_it_cannot_give)          /* REF-15 */
{
	struct world w = world_begin("pod1 pod2");
	const char *two = ipam("{'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': '10.1.3.0/24'}]]}");

	expect_ok(call(.plugin = "host-local", .verb = "ADD", .pod = "pod1", .conf = small, .args = "IP=10.0.0.5"));
	world_settled(&w);
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = small, .args = "IP=10.0.0.5"), 999,
	             "requested IP address 10.0.0.5 is not available in range set 10.0.0.1-10.0.0.6");
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = small, .args = "IP=10.9.9.9"), 999, "failed to allocate all requested IPs: 10.9.9.9");
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = small, .args = "IP=10.0.0.7"), 999, "outside of the ranges: ipam has 10.0.0.1-10.0.0.6");
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = two, .args = "IP=10.9.9.9"), 999,
	             "outside of the ranges: ipam.ranges[0] has 10.1.2.1-10.1.2.254; ipam.ranges[1] has 10.1.3.1-10.1.3.254");
	expect_untouched(&w, STORE_STAYS("net"));
	expect_error(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = conf_set(two, "args", "{'cni': {'ips': ['10.1.2.88', '10.1.2.77']}}")), 999,
	             "failed to allocate all requested IPs: 10.1.2.");
	expect_untouched(&w, STORE_STAYS("net"));
	expect_json(expect_ok(call(.plugin = "host-local", .verb = "ADD", .pod = "pod2", .conf = conf_set(two, "args", "{'cni': {'ips': ['10.1.3.77', '10.1.2.88']}}"))),
	            "ips", "[{\"address\": \"10.1.2.88/24\", \"gateway\": \"10.1.2.1\"}, {\"address\": \"10.1.3.77/24\", \"gateway\": \"10.1.3.1\"}]");
}

/* ipRanges of the runtime come with those of the configuration. */
TEST(host_local_ranges_of_the_runtime)                  /* CNV-2 */
{
	const char *conf = conf_set(ipam("{'type': 'host-local'}"), "runtimeConfig", "{'ipRanges': [[{'subnet': '10.5.0.0/24', 'rangeStart': '10.5.0.10', 'rangeEnd': '10.5.0.20', 'gateway': '10.5.0.254'}]]}");

	world_begin("");
	expect_json(expect_ok(ask("ADD", "c", "eth0", conf, NULL)), "ips", "[{\"address\": \"10.5.0.10/24\", \"gateway\": \"10.5.0.254\"}]");
}

TEST(host_local_data_dir_and_resolv_conf)
{
	const char *conf = ipam("{'type': 'host-local', 'subnet': '10.0.0.0/29', 'dataDir': '/run/leases', 'resolvConf': '/run/resolv.conf'}");

	world_begin("");
	expect_error(ask("ADD", "c", "eth0", conf, NULL), 5, "/run/resolv.conf");
	file_write("/run/resolv.conf", "# comment\nnameserver 192.0.2.53\nnameserver 2001:db8::53\ndomain example.com\nsearch a.example.com b.example.com\noptions ndots:2 rotate\n");
	expect_json(expect_ok(ask("ADD", "c", "eth0", conf, NULL)), "dns",
	            "{\"domain\": \"example.com\", \"nameservers\": [\"192.0.2.53\", \"2001:db8::53\"], \"options\": [\"ndots:2\", \"rotate\"], \"search\": [\"a.example.com\", \"b.example.com\"]}");
	expect_file("/run/leases/net/10.0.0.2", "c\r\neth0");
	expect_no_file("/var/lib/cni/networks");
}

/* ADD would fail there. STATUS leaves nothing behind by finding out. */
TEST(host_local_status_of_a_store_that_cannot_be_written)
{
	const char *conf = ipam("{'type': 'host-local', 'subnet': '10.0.0.0/29', 'dataDir': '/run/leases'}");

	world_begin("");
	expect_ok(ask("STATUS", "c", "eth0", conf, NULL));
	expect_no_file("/run/leases");
	sh("host", "mkdir /run/leases && mount -t tmpfs -o size=8k none /run/leases");
	expect_ok(ask("STATUS", "c", "eth0", conf, NULL));
	expect_ok(ask("ADD", "c", "eth0", conf, NULL));
	expect_text(sh("host", "ls -A /run/leases/net"), "10.0.0.2\nlast_reserved_ip.0\nlock\n");
	sh("host", "mkdir -p /run/leases/net; dd if=/dev/zero of=/run/leases/filler bs=4k 2>&1 || :");
	expect_error(ask("STATUS", "c", "eth0", conf, NULL), 50, "No space left on device; make room on its file system, or choose another by ipam.dataDir");
	expect_error(ask("ADD", "d", "eth0", conf, NULL), 5, "No space left on device; make room on its file system");
	sh("host", "rm /run/leases/filler; mount -o remount,ro /run/leases");
	expect_error(ask("STATUS", "c", "eth0", conf, NULL), 50, "lease directory /run/leases/net: cannot be written");
	sh("host", "umount /run/leases; mount -t tmpfs -o ro none /run/leases");
	expect_error(ask("STATUS", "c", "eth0", conf, NULL), 50, "Read-only file system");
}

TEST(host_local_bad_configurations)                     /* ERR-5 */
{
	static const struct { const char *ipam, *words; } rows[] = {
		{ "{'type': 'host-local'}", "" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.1/24'}", "ipam" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.0/31'}", "ipam" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.0'}", "ipam.subnet" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.0/24', 'rangeStart': '10.0.1.1'}", "rangeStart" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.0/24', 'rangeEnd': '10.0.1.1'}", "rangeEnd" },
		{ "{'type': 'host-local', 'subnet': '10.0.0.0/24', 'rangeStart': '10.0.0.9', 'rangeEnd': '10.0.0.3'}", "10.0.0.9" },
		{ "{'type': 'host-local', 'ranges': [[{'subnet': '10.0.0.0/24'}], [{'subnet': 'x'}]]}", "ipam.ranges[1][0].subnet" },
		{ "{'type': 'host-local', 'ranges': [[{'subnet': '10.0.0.0/24'}], [{'subnet': '10.0.0.0/16'}]]}", "overlap" },
		{ "{'type': 'host-local', 'ranges': [[{'subnet': '10.0.0.0/24'}, {'subnet': 'fd00::/64'}]]}", "famil" },
		{ "{'type': 'host-local', 'ranges': [[]]}", "ipam.ranges[0]" },
		{ "{'type': 'host-local', 'ranges': {}}", "ipam.ranges: want a list" },
	};
	struct world w = world_begin("");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s", rows[i].ipam);
		expect_error(ask("ADD", "c", "eth0", ipam(rows[i].ipam), NULL), 7, rows[i].words);
	}
	expect_error(ask("ADD", "c", "eth0", conf_set(small, "ipam", NULL), NULL), 7, "IPAM config missing 'ipam' key");
	expect_error(ask("ADD", "c", "eth0", conf_set(ipam("{'type': 'host-local', 'ranges': [[{'subnet': '10.0.0.0/24'}], [{'subnet': '10.1.0.0/24'}]]}"), "cniVersion", "'0.2.0'"), NULL), 7,
	             "CNI version 0.2.0 does not support more than 1 address per family");
	expect_error(ask("ADD", "c", "eth0", small, "IP=x"), 4, "x");
	expect_untouched(&w);
}
