/* portmap: ports of the host, published to the container's. */
#include "test.h"

#include <string.h>

/* ---- Containers with published ports ---- */

static const char bridge[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0', 'isDefaultGateway': true, 'ipMasq': true,"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]]}}";
static const char ptp[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp', 'ipMasq': true,"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]], 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}}";

static const char *const links[] = { "bridge", "ptp", NULL };

#define LEFT_OVER STORE_STAYS("net"), FORWARDING_STAYS, BRIDGE_STAYS("br0"), RULESET_STAYS

static const char portmap[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'portmap', 'capabilities': {'portMappings': true}}";

/* "8080:80/tcp" and so on, parted by spaces; "192.0.2.1=8080:80/tcp" for a hostIP. */
static const char *mappings(const char *list)
{
	char *rest = keep("%s", list), *item;
	const char *text = "";

	while ((item = strsep(&rest, " "))) {
		char *ip = strchr(item, '=') ? strsep(&item, "=") : NULL, *host = strsep(&item, ":"), *container = strsep(&item, "/");

		text = keep("%s%s{'hostPort': %s, 'containerPort': %s, 'protocol': '%s'%s}", text, *text ? ", " : "", host, container, item,
		            ip ? keep(", 'hostIP': '%s'", ip) : "");
	}
	return keep("{'portMappings': [%s]}", text);
}

static const char *with_ports(const char *conf, const char *list)
{
	return conf_set(conf, "runtimeConfig", mappings(list));
}

static struct answer attach(struct world *w, const char *link, const char *pod)
{
	return expect_ok(plugin(w, link, "ADD", pod, "eth0", !strcmp(link, "ptp") ? ptp : bridge));
}

/* A container on the network with ports, and what portmap was told for it. */
static const char *publish(struct world *w, const char *link, const char *pod, const char *conf, const char *list)
{
	const char *told = with_ports(with_prev(conf, attach(w, link, pod)), list);

	expect_ok(plugin(w, "portmap", "ADD", pod, "eth0", told));
	return told;
}

static void detach(struct world *w, const char *link, const char *pod)
{
	expect_ok(plugin(w, link, "DEL", pod, "eth0", !strcmp(link, "ptp") ? ptp : bridge));
}

/* ---- Reached from everywhere ---- */

TEST_EACH(portmap_is_reached_from_everywhere, links, link) /* ADD-1, REF-28 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, link, "pod1", portmap, "8080:80/tcp 8080:80/udp 8080:80/sctp");

	attach(&w, link, "pod2");
	tcp_serve("pod1", NULL, 80);
	udp_serve("pod1", NULL, 80);
	sctp_serve("pod1", NULL, 80);

	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");           /* the client's address is kept */
	expect_text(udp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(sctp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_text(udp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");

	expect_contains(tcp_ask("host", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "10.1.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "127.0.0.77", 8080), "pod1 saw ");
	expect_contains(udp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(sctp_ask("host", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "2001:db8:1::1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "fd00:1::1", 8080), "pod1 saw ");

	expect_contains(tcp_ask("pod2", "192.0.2.1", 8080), "pod1 saw ");               /* another container */
	expect_contains(tcp_ask("pod2", "10.1.2.1", 8080), "pod1 saw ");
	expect_contains(udp_ask("pod2", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod2", "2001:db8:1::1", 8080), "pod1 saw ");

	expect_contains(tcp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");               /* itself */
	expect_contains(tcp_ask("pod1", "10.1.2.1", 8080), "pod1 saw ");
	expect_contains(udp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod1", "2001:db8:1::1", 8080), "pod1 saw ");

	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
	detach(&w, link, "pod1");
	detach(&w, link, "pod2");
	expect_untouched(&w, LEFT_OVER);
}

/* With br_netfilter on, a frame from one port to another meets the rules in the bridge; with it off, not. */
static const char *const bridge_netfilter[] = { "on", "off", NULL };

TEST_EACH(portmap_hairpin_with_bridge_netfilter, bridge_netfilter, state) /* REF-28, REF-44 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *value = !strcmp(state, "on") ? "1" : "0";

	if (!strcmp(sysctl_in("host", "net/bridge/bridge-nf-call-iptables"), "absent"))
		skip("this kernel has no br_netfilter, or it is not loaded");
	sysctl_put("host", "net/bridge/bridge-nf-call-iptables", value);
	sysctl_put("host", "net/bridge/bridge-nf-call-ip6tables", value);
	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 8080:80/udp");
	attach(&w, "bridge", "pod2");
	tcp_serve("pod1", NULL, 80);
	udp_serve("pod1", NULL, 80);
	expect_contains(tcp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod2", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(udp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(udp_ask("pod2", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod1", "2001:db8:1::1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod2", "2001:db8:1::1", 8080), "pod1 saw ");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_contains(tcp_ask("pod2", "10.1.2.2", 80), "pod1 saw 10.1.2.3");
}

TEST(portmap_is_reached_from_another_network)
{
	struct world w = world_begin("pod1 pod2");
	const char *other = conf_set(conf_set(conf_set(bridge, "name", "'other'"), "bridge", "'br9'"), "ipam", "{'type': 'host-local', 'subnet': '10.9.0.0/16'}");

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	expect_ok(plugin(&w, "bridge", "ADD", "pod2", "eth0", other));
	tcp_serve("pod1", NULL, 80);
	expect_contains(tcp_ask("pod2", "10.9.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod2", "10.1.2.1", 8080), "pod1 saw ");
}

/* ---- Where a port is published ---- */

TEST(portmap_host_ip)
{
	struct world w = world_begin("pod1 pod2 lan");

	sh("host", "ip address add 192.0.2.7/24 dev lan0");
	publish(&w, "bridge", "pod1", portmap, "192.0.2.7=8080:80/tcp 127.0.0.1=9090:80/tcp 2001:db8:1::1=7070:80/tcp");
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.7", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
	expect_text(tcp_ask("host", "127.0.0.1", 8080), "refused");
	expect_contains(tcp_ask("host", "127.0.0.1", 9090), "pod1 saw ");
	expect_text(tcp_ask("host", "192.0.2.1", 9090), "refused");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "refused");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 7070), "pod1 saw 2001:db8:1::2");
	expect_text(tcp_ask("lan", "192.0.2.1", 7070), "refused");
}

/* "0.0.0.0" is any IPv4 address, "::" any IPv6 one, nothing both. */
TEST(portmap_any_address_of_a_family)
{
	struct world w = world_begin("pod1 lan");

	publish(&w, "bridge", "pod1", portmap, "0.0.0.0=8080:80/tcp ::=9090:80/tcp");
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "refused");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "refused");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 9090), "pod1 saw 2001:db8:1::2");
}

/* An exact address is looked up before any. */
TEST(portmap_exact_before_any)
{
	struct world w = world_begin("pod1 pod2 lan");

	sh("host", "ip address add 192.0.2.7/24 dev lan0");
	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	publish(&w, "bridge", "pod2", portmap, "192.0.2.7=8080:80/tcp");
	tcp_serve("pod1", NULL, 80);
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.7", 8080), "pod2 saw 192.0.2.2");
}

/* Traffic that the host only forwards, or begins itself to somewhere else, is none of ours. */
TEST(portmap_catches_only_what_is_for_the_host)
{
	struct world w = world_begin("pod1 pod2 lan");

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 8080:80/udp");
	attach(&w, "bridge", "pod2");
	tcp_serve("pod1", NULL, 80);
	tcp_serve("lan", NULL, 8080);
	udp_serve("lan", NULL, 8080);
	tcp_serve("pod2", NULL, 8080);
	expect_text(tcp_ask("pod2", "192.0.2.2", 8080), "lan saw 192.0.2.1");
	expect_text(tcp_ask("host", "192.0.2.2", 8080), "lan saw 192.0.2.1");
	expect_text(udp_ask("host", "192.0.2.2", 8080), "lan saw 192.0.2.1");
	expect_text(tcp_ask("pod1", "10.1.2.3", 8080), "pod2 saw 10.1.2.2");
	expect_text(tcp_ask("host", "10.1.2.3", 8080), "pod2 saw 10.1.2.1");
}

/* route_localnet makes 127.0.0.0/8 routable on the container's link; what listens there on the host stays out of containers' reach. */
TEST_EACH(portmap_keeps_the_hosts_localhost_its_own, links, link)
{
	struct world w = world_begin("pod1 pod2");

	publish(&w, link, "pod1", portmap, "8080:80/tcp");
	tcp_serve("host", "127.0.0.1", 9090);
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("host", "127.0.0.1", 9090), "host saw 127.0.0.1");
	sysctl_put("pod1", "net/ipv4/conf/eth0/route_localnet", "1");
	sysctl_put("pod1", "net/ipv4/conf/all/rp_filter", "0");
	sh("pod1", "ip link set lo down; ip address flush dev lo; ip route add 127.0.0.0/8 via 10.1.2.1 src 10.1.2.2");
	expect(strcmp(tcp_ask_briefly("pod1", "127.0.0.1", 9090), "host saw 10.1.2.2") != 0);
}

TEST(portmap_other_ports_stay_as_they_were)
{
	struct world w = world_begin("pod1 lan");

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	tcp_serve("host", NULL, 8081);
	udp_serve("host", NULL, 8080);
	expect_text(tcp_ask("lan", "192.0.2.1", 8081), "host saw 192.0.2.2");
	expect_text(udp_ask("lan", "192.0.2.1", 8080), "host saw 192.0.2.2");
}

/* ---- Source addresses ---- */

TEST(portmap_without_snat)
{
	struct world w = world_begin("pod1 lan");
	const char *told = publish(&w, "bridge", "pod1", conf_set(portmap, "snat", "false"), "8080:80/tcp");

	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(elements_of("localnet4"), "");
	expect_text(elements_of("hairpin4"), "");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(elements_of("publish_any4"), "");
}

TEST(portmap_masq_all)
{
	struct world w = world_begin("pod1 lan");
	const char *told = publish(&w, "bridge", "pod1", conf_set(portmap, "masqAll", "true"), "8080:80/tcp");

	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 10.1.2.1");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw fd00:1::1");
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw 10.1.2.1");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

/* ---- One owner per port ---- */

TEST(portmap_refuses_a_taken_port_and_names_its_owner)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told;
	struct answer a;

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	told = with_prev(portmap, attach(&w, "bridge", "pod2"));
	world_settled(&w);
	a = expect_error(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_ports(told, "9090:90/tcp 8080:80/tcp")), 999,
	                 "host port 8080/tcp is taken by container \"pod1\" of network \"net\" (eth0)");
	expect(*json_at(a, "details"));
	expect_untouched(&w);
	expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_ports(told, "8080:80/udp 192.0.2.1=8080:80/tcp")));
	tcp_serve("pod1", NULL, 80);
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
}

TEST(portmap_refuses_contradictions)
{
	struct world w = world_begin("pod1");
	const char *told = with_prev(portmap, attach(&w, "bridge", "pod1"));

	world_settled(&w);
	expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, "8080:80/tcp 8080:81/tcp")), 7, "portMappings[1]: host port 8080/tcp is mapped by");
	expect_untouched(&w);
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, "8080:80/tcp 8080:80/tcp")));
	expect_text(elements_of("publish_any4"), "tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 80");
}

/* DEL takes only what is its own, whoever has the key by now. */
TEST(portmap_del_leaves_others_ports_alone)             /* DEL-10 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 9090:90/tcp");
	const char *other = with_prev(portmap, attach(&w, "bridge", "pod2"));

	sh("host", "nft flush ruleset; rm -r /run/plumb/nftables");
	expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_ports(other, "8080:80/tcp")));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(elements_of("publish_any4"), "tcp . 8080 comment \"net/pod2/eth0\" : 10.1.2.3 . 80");
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
}

/* The same attachment may say it again, as after a crash of the runtime. */
TEST(portmap_again_is_no_conflict)                      /* ADD-5 */
{
	struct world w = world_begin("pod1");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	const char *before = ruleset_in("host");

	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told));
	expect_text(ruleset_in("host"), before);
}

/* ---- Nothing to do ---- */

TEST(portmap_without_ports_touches_nothing)             /* REF-20 */
{
	struct world w = world_begin("pod1");
	struct answer a = attach(&w, "ptp", "pod1");
	const char *told = with_prev(portmap, a);

	sh("host", "nft flush ruleset");
	world_settled(&w);
	expect_result(expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told)), json_dumps(a.json, 0));
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, "runtimeConfig", "{'portMappings': []}")));
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, "runtimeConfig", "{'portMappings': null}")));
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_untouched(&w);
}

TEST_EACH(portmap_hands_the_result_on, all_versions, version) /* ADD-3, RES-5 */
{
	struct world w = world_begin("pod1 lan");
	struct answer a = expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(bridge, "cniVersion", json("'%s'", version))));
	const char *told = with_ports(with_prev(conf_set(portmap, "cniVersion", json("'%s'", version)), a), "8080:80/tcp");

	expect_result(expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told)), json_dumps(a.json, 0));
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(elements_of("publish_any4"), "");
}

TEST(portmap_must_be_chained)                           /* REF-21 */
{
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(portmap, "8080:80/tcp")), 7, "must be called as chained plugin");
	expect_untouched(&w);
}

/* ---- What runtimes write ---- */

/* containerd writes capitals and upper-case protocols; others leave the protocol out, or give an empty host IP. */
TEST(portmap_understands_runtimes)                      /* REF-19 */
{
	struct world w = world_begin("pod1 lan");
	const char *told = with_prev(portmap, attach(&w, "bridge", "pod1"));

	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, "runtimeConfig",
	          "{'PortMappings': [{'HostPort': 8080, 'ContainerPort': 80, 'Protocol': 'TCP', 'HostIP': ''}, {'hostPort': 9090, 'containerPort': 80}]}")));
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "pod1 saw 192.0.2.2");
}

TEST(portmap_bad_configurations)                        /* ERR-5 */
{
	static const struct { const char *key, *value; int code; const char *words; } rows[] = {
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 0, 'containerPort': 80}]}", 7, "runtimeConfig.portMappings[0].hostPort" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 70000, 'containerPort': 80}]}", 7, "runtimeConfig.portMappings[0].hostPort" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': -1}]}", 7, "runtimeConfig.portMappings[0].containerPort" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80}]}", 7, "Invalid container port number" },
		{ "runtimeConfig", "{'portMappings': [{'containerPort': 80}]}", 7, "Invalid host port number" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80}, {'hostPort': 81, 'containerPort': 80, 'protocol': 'icmp'}]}", 7, "runtimeConfig.portMappings[1].protocol" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80, 'hostIP': 'x'}]}", 7, "runtimeConfig.portMappings[0].hostIP" },
		{ "runtimeConfig", "{'portMappings': {}}", 7, "runtimeConfig.portMappings: want a list" },
		{ "backend", "'ebpf'", 7, "backend: unrecognized backend \"ebpf\"" },
		{ "snat", "'yes'", 7, "snat: want true or false" },
		{ "markMasqBit", "32", 7, "markMasqBit" },
	};
	struct world w = world_begin("pod1");
	const char *told = with_ports(with_prev(portmap, attach(&w, "bridge", "pod1")), "8080:80/tcp");

	world_settled(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s: %s", rows[i].key, rows[i].value);
		expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, rows[i].key, rows[i].value)), rows[i].code, rows[i].words);
	}
	expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(conf_set(told, "markMasqBit", "5"), "externalSetMarkChain", "'X'")), 7,
	             "Cannot specify externalSetMarkChain and markMasqBit");
	expect_untouched(&w);
}

TEST(portmap_several_ports_and_families_at_once)        /* CNV-1 */
{
	struct world w = world_begin("pod1 lan");
	const char *list = "1000:80/tcp", *told;

	for (int port = 1001; port < 1200; port++)
		list = keep("%s %d:80/tcp", list, port);
	told = with_ports(with_prev(portmap, attach(&w, "bridge", "pod1")), list);
	sh("host", "nft flush ruleset");        /* hundreds of refusals come first */
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told));
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 1000), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 1199), "pod1 saw 2001:db8:1::2");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

/* ---- DEL, whatever is known ---- */

static const char *const knowledge[] = { "everything", "no ports", "no result", "nothing", NULL };

TEST_EACH(portmap_del_knowing, knowledge, known)        /* DEL-2 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 192.0.2.1=9090:80/udp 7070:80/sctp");

	publish(&w, "bridge", "pod2", portmap, "8181:80/tcp");
	if (!strcmp(known, "no ports") || !strcmp(known, "nothing"))
		told = conf_set(told, "runtimeConfig", NULL);
	if (!strcmp(known, "no result") || !strcmp(known, "nothing"))
		told = conf_set(told, "prevResult", NULL);
	expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = told));
	expect_text(elements_of("publish4"), "");
	expect_text(elements_of("publish_any4"), "tcp . 8181 comment \"net/pod2/eth0\" : 10.1.2.3 . 80");
	expect_text(elements_of("publish_any6"), "tcp . 8181 comment \"net/pod2/eth0\" : fd00:1::3 . 80");
	expect_text(elements_of("localnet4"), "10.1.2.3 comment \"net/pod2/eth0\"");
	expect(!strstr(elements_of("hairpin4"), "pod1") && !strstr(elements_of("self4"), "pod1") && !strstr(elements_of("self6"), "pod1"));
	expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
}

/* Runtimes give the container up in the other order at times. */
TEST(portmap_del_after_the_link_is_gone)                /* DEL-3 */
{
	struct world w = world_begin("pod1");
	const char *told = publish(&w, "ptp", "pod1", portmap, "8080:80/tcp");

	detach(&w, "ptp", "pod1");
	expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = told));
	expect_untouched(&w, LEFT_OVER);
}

TEST(portmap_del_without_add)                           /* DEL-5 */
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", with_ports(portmap, "8080:80/tcp")));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", portmap));
	expect_untouched(&w, RULESET_STAYS);
}

/* ---- CHECK and GC ---- */

TEST(portmap_check_notices_what_was_changed)            /* CHK-5 */
{
	static const struct { const char *damage, *repair; } rows[] = {
		{ "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'", "nft add element inet plumb publish_any4 '{ tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 80 }'" },
		{ "nft delete element inet plumb publish_any6 '{ tcp . 8080 }'", "nft add element inet plumb publish_any6 '{ tcp . 8080 comment \"net/pod1/eth0\" : fd00:1::2 . 80 }'" },
		{ "nft delete element inet plumb localnet4 '{ 10.1.2.2 }'", "nft add element inet plumb localnet4 '{ 10.1.2.2 comment \"net/pod1/eth0\" }'" },
		{ "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'; nft add element inet plumb publish_any4 '{ tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 81 }'",
		  "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'; nft add element inet plumb publish_any4 '{ tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 80 }'" },
		{ "nft flush ruleset", "true" },
	};
	struct world w = world_begin("pod1");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("damage: %s", rows[i].damage);
		expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
		sh("host", "%s", rows[i].damage);
		expect_error(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told), 999, "");
		sh("host", "%s", rows[i].repair);
	}
}

TEST(portmap_gc_removes_what_no_attachment_has)         /* GC-1 */
{
	struct world w = world_begin("pod1 pod2");
	const char *told;

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	told = publish(&w, "bridge", "pod2", portmap, "9090:80/tcp");
	expect_ok(call(.plugin = "portmap", .verb = "GC", .conf = conf_set(portmap, "cni.dev/valid-attachments", "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	expect(!strstr(elements_of("publish_any4"), "pod1") && !strstr(elements_of("publish_any6"), "pod1") && !strstr(elements_of("localnet4"), "pod1"));
	expect_ok(plugin(&w, "portmap", "CHECK", "pod2", "eth0", told));
	expect_ok(call(.plugin = "portmap", .verb = "GC", .conf = conf_set(conf_set(portmap, "name", "'other'"), "cni.dev/valid-attachments", "[]")));
	expect_ok(plugin(&w, "portmap", "CHECK", "pod2", "eth0", told));
}

/* ---- Conversations that were there before ---- */

/* A client of UDP keeps its port, and conntrack its opinion of where that leads. */
TEST_EACH(portmap_udp_follows_the_container, links, link) /* REF-29 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told;

	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "refused");
	told = publish(&w, link, "pod1", portmap, "8080:80/udp");
	udp_serve("pod1", NULL, 80);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, link, "pod1");
	publish(&w, link, "pod2", portmap, "8080:80/udp");
	udp_serve("pod2", NULL, 80);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
	expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", 8080), "pod2 saw 2001:db8:1::2");
}

/* A server on the host that answered on the port before: its clients come to the container now, and back after. */
TEST(portmap_udp_of_a_server_on_the_host)
{
	struct world w = world_begin("pod1 lan");
	const char *told;

	udp_serve("host", NULL, 8080);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "host saw 192.0.2.2");
	told = publish(&w, "bridge", "pod1", portmap, "8080:80/udp");
	udp_serve("pod1", NULL, 80);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "host saw 192.0.2.2");
}

/* ---- Foreign rules ---- */

TEST(portmap_leaves_foreign_tables_alone)
{
	struct world w = world_begin("pod1 lan");
	const char *told;

	sh("host", "nft add table inet mine; nft add set inet mine s '{ type ipv4_addr; }'; nft add element inet mine s '{ 10.0.0.1 }';"
	           "nft add chain inet mine in '{ type filter hook input priority 0; }'; nft add rule inet mine in tcp dport 1 drop;"
	           "nft add table ip nat; nft add chain ip nat PREROUTING '{ type nat hook prerouting priority dstnat; }'");
	world_settled(&w);
	told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}
