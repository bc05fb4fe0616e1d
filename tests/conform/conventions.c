/* CNI's CONVENTIONS.md: how runtimes tell what is dynamic. */
#include <string.h>

#include "conform.h"

REQUIREMENT(CNV, 1, PORTS)              /* capability portMappings */
{
	const char *conf = conf_set(s->conf, "runtimeConfig", "{'portMappings': [{'hostPort': 8080, 'containerPort': 80, 'protocol': 'tcp'}, "
	                            "{'hostPort': 8000, 'containerPort': 8001, 'protocol': 'udp'}, {'hostPort': 9000, 'containerPort': 9000, 'protocol': 'sctp'}, "
	                            "{'hostPort': 8443, 'containerPort': 443, 'hostIP': '192.0.2.1'}]}");

	expect_ok(request(s, "ADD", conf));
	expect_contains(elements_of("publish_any4"), "tcp . 8080 comment \"net/pod1/eth0\" : 10.1.0.2 . 80");
	expect_contains(elements_of("publish_any6"), "udp . 8000 comment \"net/pod1/eth0\" : fd00:1::2 . 8001");
	expect_contains(elements_of("publish_any4"), "sctp . 9000 comment \"net/pod1/eth0\" : 10.1.0.2 . 9000");
	expect_contains(elements_of("publish4"), "192.0.2.1 . tcp . 8443 comment \"net/pod1/eth0\" : 10.1.0.2 . 443");
	expect(!strstr(elements_of("publish_any4"), "8443") && !strstr(elements_of("publish6"), "8443"));
}

REQUIREMENT(CNV, 2, RANGES)             /* capability ipRanges */
{
	const char *conf = conf_set(s->conf, "ipam", "{'type': 'host-local'}");
	struct answer a;

	conf = conf_set(conf, "runtimeConfig", "{'ipRanges': [[{'subnet': '10.2.0.0/24', 'rangeStart': '10.2.0.3', 'rangeEnd': '10.2.0.99', 'gateway': '10.2.0.254'}], "
	                "[{'subnet': 'fd00:2::/64'}]]}");
	a = expect_ok(request(s, "ADD", conf));
	expect_json(a, "ips[0].address", "10.2.0.3/24");
	expect_json(a, "ips[0].gateway", "10.2.0.254");
	expect_contains(json_at(a, "ips[1].address"), "fd00:2::");
	expect_ok(request(s, "DEL", conf));
	expect_gone(w);
}

REQUIREMENT(CNV, 3, ADDRESSES)          /* capability ips */
{
	const char *conf = conf_set(s->conf, "runtimeConfig", "{'ips': ['10.1.0.77/24', 'fd00:1::77/64']}");
	struct answer a = expect_ok(request(s, "ADD", conf));

	expect_json(a, "ips[0].address", "10.1.0.77/24");
	expect_json(a, "ips[1].address", "fd00:1::77/64");
	expect_json(a, "ips[2].address", "absent");
}

REQUIREMENT(CNV, 4, ONLY_BRIDGE)        /* capability mac, then args, then CNI_ARGS */
{
	const char *conf = conf_set(s->conf, "ipam", NULL), *in_args = conf_set(conf, "args", "{'cni': {'mac': '02:00:00:00:00:22'}}");

	expect_ok(request(s, "ADD", conf_set(in_args, "runtimeConfig", "{'mac': '02:00:00:00:00:11'}"), .args = "MAC=02:00:00:00:00:33", .ifname = "eth1"));
	expect_text(link_in("pod1", "eth1").mac, "02:00:00:00:00:11");
	expect_ok(request(s, "ADD", in_args, .args = "MAC=02:00:00:00:00:33", .ifname = "eth2"));
	expect_text(link_in("pod1", "eth2").mac, "02:00:00:00:00:22");
	expect_ok(request(s, "ADD", conf, .args = "MAC=02:00:00:00:00:33", .ifname = "eth3"));
	expect_text(link_in("pod1", "eth3").mac, "02:00:00:00:00:33");
}

REQUIREMENT(CNV, 5, ADDRESSES)          /* args.cni.ips */
{
	const char *conf = conf_set(s->conf, "args", "{'cni': {'ips': ['10.1.0.88/24', 'fd00:1::88/64']}}");
	struct answer a = expect_ok(request(s, "ADD", conf));

	expect_json(a, "ips[0].address", "10.1.0.88/24");
	expect_json(a, "ips[1].address", "fd00:1::88/64");
	expect_json(a, "ips[2].address", "absent");
}

REQUIREMENT(CNV, 6, ADDRESSES)          /* IP of CNI_ARGS */
{
	struct answer a = expect_ok(request(s, "ADD", s->conf, .args = "IP=10.1.0.99/24"));

	expect(strstr(a.out, "\"10.1.0.99/24\"") != NULL);
}

REQUIREMENT(CNV, 7, ADDRESSES)          /* args.cni.ips makes IP of CNI_ARGS void */
{
	const char *conf = conf_set(s->conf, "args", "{'cni': {'ips': ['10.1.0.88/24']}}");
	struct answer a;

	if (is(s, RANGES))
		not_applicable("as the reference's, it takes all together for what is asked for: REF-25");
	a = expect_ok(request(s, "ADD", conf, .args = "IP=10.1.0.99/24;GATEWAY=10.1.0.254"));
	expect_json(a, "ips[0].address", "10.1.0.88/24");
	expect_json(a, "ips[1].address", "absent");
}

REQUIREMENT(CNV, 8, EVERYONE)           /* args hold what others want to know */
{
	const char *conf = conf_set(s->conf, "args", "{'cni': {'labels': [{'key': 'app', 'value': 'web'}], 'other': null}, 'podman_labels': {'a': 'b'}, 'org.example': [1]}");

	expect_ok(request(s, "ADD", conf));
	expect_ok(request(s, "DEL", conf));
	expect_gone(w);
}

REQUIREMENT(CNV, 9, EVERYONE)           /* dynamic settings that are malformed are an error, those of others are not */
{
	static const char *const capabilities[][2] = { { "portMappings", "'80:80'" }, { "ips", "['10.1.0']" }, { "mac", "'01:02'" } };
	size_t mine = is(s, PORTS) ? 0 : is(s, ADDRESSES) ? 1 : is(s, ONLY_BRIDGE) ? 2 : 3;

	for (size_t i = 0; i < 3; i++) {
		const char *conf = conf_set(s->conf, "runtimeConfig", keep("{'%s': %s, 'aliases': {'net': ['web']}}", capabilities[i][0], capabilities[i][1]));

		note("runtimeConfig.%s", capabilities[i][0]);
		if (i == mine) {
			expect(request(s, "ADD", conf).status == 1);
		} else if (!is(s, DELEGATES) || i != 1) {               /* its address plugin has a say in ips */
			expect_ok(request(s, "ADD", conf));
			expect_ok(request(s, "DEL", conf));
		}
	}
	expect_gone(w);
}

REQUIREMENT(CNV, 10, ONLY_BRIDGE)       /* chained: an interface that another plugin made becomes a port */
{
	const char *conf = conf_set(conf_set(s->conf, "ipam", NULL), "ipMasq", NULL);
	const char *prev = "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'tap7'}, {'name': 'eth0', 'sandbox': '/run/netns/pod1'}]}";
	struct answer a;

	sh("host", "ip link add tap7 type veth peer name eth0 netns pod1");
	conf = conf_set(conf, "prevResult", prev);
	a = expect_ok(request(s, "ADD", conf));
	expect_number(link_in("host", "tap7").master, link_in("host", "br0").index);
	expect_json(a, "interfaces[0].name", "tap7");
	expect_json(a, "interfaces[1].name", "eth0");
	expect_json(a, "interfaces[2].name", "br0");
	conf = with_prev(s->conf, a);
	expect_ok(request(s, "CHECK", conf));
	sh("host", "ip link set tap7 nomaster");
	expect_error(request(s, "CHECK", conf), 999, "as a port");
	sh("host", "ip link set tap7 master br0");
	expect_ok(request(s, "DEL", conf));
	expect_number(link_in("host", "tap7").master, 0);
	expect_link("pod1", "eth0", "veth");
	expect_ok(request(s, "DEL", conf));
}
