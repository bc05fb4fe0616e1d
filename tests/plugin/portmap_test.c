/* portmap: ports of the host, published to the container's. */
#include "test.h"

#include <string.h>

/* ---- Containers with published ports ---- */

static const char bridge[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0', 'isDefaultGateway': true, 'ipMasq': true,"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]]}}";
static const char ptp[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp', 'ipMasq': true,"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]], 'routes': [{'dst': '0.0.0.0/0'},"
	" {'dst': '::/0'}]}}";

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
	expect_contains(tcp_ask("host", "::1", 8080), "pod1 saw fd00:1::1");
	expect_contains(udp_ask("host", "::1", 8080), "pod1 saw fd00:1::1");
	expect_contains(sctp_ask("host", "::1", 8080), "pod1 saw ");

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
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "::1", 8080), "pod1 saw ");
	expect_contains(udp_ask("host", "::1", 8080), "pod1 saw ");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_contains(tcp_ask("pod2", "10.1.2.2", 80), "pod1 saw 10.1.2.3");
}

TEST(portmap_is_reached_from_another_network)
{
	struct world w = world_begin("pod1 pod2");
	const char *other = conf_set(conf_set(conf_set(bridge, "name", "'other'"), "bridge", "'br9'"), "ipam",
	                             "{'type': 'host-local', 'subnet': '10.9.0.0/16'}");

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
	expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, "8080:80/tcp 8080:81/tcp")), 7,
	             "portMappings[1]: host port 8080/tcp is mapped by");
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
	          "{'PortMappings': [{'HostPort': 8080, 'ContainerPort': 80, 'Protocol': 'TCP', 'HostIP': ''},"
	          " {'hostPort': 9090, 'containerPort': 80}]}")));
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
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80}, {'hostPort': 81, 'containerPort': 80, 'protocol':"
		                   " 'icmp'}]}", 7, "runtimeConfig.portMappings[1].protocol" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80, 'hostIP': 'x'}]}", 7,
		  "runtimeConfig.portMappings[0].hostIP" },
		{ "runtimeConfig", "{'portMappings': {}}", 7, "runtimeConfig.portMappings: want a list" },
		{ "backend", "'ebpf'", 7, "backend: unrecognized backend \"ebpf\"" },
		{ "snat", "'yes'", 7, "snat: want true or false" },
		{ "markMasqBit", "32", 7, "markMasqBit" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8999-8000', 'containerPort': 8000}]}", 7,
		  "runtimeConfig.portMappings[0].hostPort: \"8999-8000\"" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '0-10', 'containerPort': 8000}]}", 7,
		  "runtimeConfig.portMappings[0].hostPort: \"0-10\"" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8000-70000', 'containerPort': 8000}]}", 7,
		  "runtimeConfig.portMappings[0].hostPort: \"8000-70000\"" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8000', 'containerPort': 8000}]}", 7,
		  "runtimeConfig.portMappings[0].hostPort: \"8000\"" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8000-8009-8010', 'containerPort': 8000}]}", 7,
		  "runtimeConfig.portMappings[0].hostPort" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8000-8009', 'containerPort': '9000-9008'}]}", 7,
		  "the host's ports are 10, the container's 9000 to 9008" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': '8000-8009', 'containerPort': 65530}]}", 7, "runtimeConfig.portMappings[0]" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 8000, 'hostPortEnd': 7999, 'containerPort': 80}]}", 7,
		  "hostPortEnd: 7999 is below hostPort" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80, 'allowFrom': ['x']}]}", 7,
		  "runtimeConfig.portMappings[0].allowFrom[0]" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80, 'allowFrom': '10.0.0.0/8'}]}", 7,
		  "runtimeConfig.portMappings[0].allowFrom: want a list" },
		{ "runtimeConfig", "{'portMappings': [{'hostPort': 80, 'containerPort': 80, 'hostIP': '192.0.2.1', 'allowFrom': ['2001:db8::/32']}]}",
		  7, "allowFrom: hostIP is of another family" },
		{ "strictHostIP", "'yes'", 7, "strictHostIP: want true or false" },
		{ "checkListeners", "1", 7, "checkListeners: want true or false" },
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
		{ "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'",
		  "nft add element inet plumb publish_any4 '{ tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 80 }'" },
		{ "nft delete element inet plumb publish_any6 '{ tcp . 8080 }'",
		  "nft add element inet plumb publish_any6 '{ tcp . 8080 comment \"net/pod1/eth0\" : fd00:1::2 . 80 }'" },
		{ "nft delete element inet plumb localnet4 '{ 10.1.2.2 }'",
		  "nft add element inet plumb localnet4 '{ 10.1.2.2 comment \"net/pod1/eth0\" }'" },
		{ "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'; nft add element inet plumb publish_any4 '{ tcp . 8080 comment"
		  " \"net/pod1/eth0\" : 10.1.2.2 . 81 }'",
		  "nft delete element inet plumb publish_any4 '{ tcp . 8080 }'; nft add element inet plumb publish_any4 '{ tcp . 8080 comment"
		  " \"net/pod1/eth0\" : 10.1.2.2 . 80 }'" },
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
	expect_ok(call(.plugin = "portmap", .verb = "GC", .conf = conf_set(portmap, "cni.dev/valid-attachments",
	                                                                   "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	expect(!strstr(elements_of("publish_any4"), "pod1") && !strstr(elements_of("publish_any6"), "pod1") && !strstr(elements_of("localnet4"),
	        "pod1"));
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

/* What was published is on record: neither prevResult, which came with CNI 0.4.0, nor the ports need be told. */
TEST(portmap_del_forgets_what_it_is_not_told)
{
	struct world w = world_begin("pod1 lan");

	udp_serve("host", NULL, 8080);
	publish(&w, "bridge", "pod1", portmap, "8080:80/udp");
	udp_serve("pod1", NULL, 80);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf_set(portmap, "cniVersion", "'0.3.1'")));
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "host saw 192.0.2.2");
	expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", 8080), "host saw 2001:db8:1::2");
}

/* The container's address is given to others later: no connection that conntrack remembers shall lead there. One to the container itself is not portmap's. */
TEST(portmap_del_forgets_tcp_connections)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 8081:80/tcp");

	if (!sh_try("host", "test -e /proc/net/nf_conntrack"))
		skip("this kernel does not show its connections (CONFIG_NF_CONNTRACK_PROCFS)");
	publish(&w, "bridge", "pod2", portmap, "9090:80/tcp");
	tcp_serve("pod1", NULL, 80);
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8081), "pod1 saw 2001:db8:1::2");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "pod2 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 9090), "pod2 saw 2001:db8:1::2");
	expect_contains(tcp_ask("host", "10.1.2.2", 80), "pod1 saw ");
	expect(sh_try("host", "grep -q 'dport=8080 ' /proc/net/nf_conntrack && grep -q 'dport=8081 ' /proc/net/nf_conntrack"));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect(!sh_try("host", "grep -q 'dport=808[01] ' /proc/net/nf_conntrack"));
	expect(sh_try("host", "test $(grep -c 'dport=9090 ' /proc/net/nf_conntrack) = 2"));
	expect(sh_try("host", "grep -q 'dst=10.1.2.2 sport=[0-9]* dport=80 ' /proc/net/nf_conntrack"));
}

/* ---- Ranges ---- */

/* Mappings as JSON, ' for ". */
static const char *with_mappings(const char *conf, const char *list)
{
	return conf_set(conf, "runtimeConfig", keep("{'portMappings': %s}", list));
}

static const char *publish_as(struct world *w, const char *link, const char *pod, const char *conf, const char *list)
{
	const char *told = with_mappings(with_prev(conf, attach(w, link, pod)), list);

	expect_ok(plugin(w, "portmap", "ADD", pod, "eth0", told));
	return told;
}

/* Both protocols at an address, so that UDP's answers come from where they were asked. */
static void serve_both(const char *where, const char *address, int port)
{
	tcp_serve(where, address, port);
	udp_serve(where, address, port);
}

static const char *const range_forms[] = {
	"'hostPort': '8000-8999', 'containerPort': '8000-8999'", "'hostPort': '8000-8999', 'containerPort': 8000",
	        "'hostPort': 8000, 'hostPortEnd': 8999, 'containerPort': 8000", NULL,
};

TEST_EACH(portmap_range, range_forms, form)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish_as(&w, "bridge", "pod1", portmap, keep("[{%s}, {%s, 'protocol': 'udp'}]", form, form));
	static const int inside[] = { 8000, 8500, 8999 }, outside[] = { 7999, 9000 };

	attach(&w, "bridge", "pod2");
	expect_text(elements_of("publish_range_any4"), "tcp . 8000-8999 comment \"net/pod1/eth0\" : 10.1.2.2\nudp . 8000-8999 comment"
	                                               " \"net/pod1/eth0\" : 10.1.2.2");
	expect_text(elements_of("publish_range_any6"), "tcp . 8000-8999 comment \"net/pod1/eth0\" : fd00:1::2\nudp . 8000-8999 comment"
	                                               " \"net/pod1/eth0\" : fd00:1::2");
	expect_text(elements_of("publish_any4"), "");
	for (int i = 0; i < 3; i++) {
		serve_both("pod1", NULL, inside[i]);
		expect_text(tcp_ask("lan", "192.0.2.1", inside[i]), "pod1 saw 192.0.2.2");
		expect_text(udp_ask("lan", "192.0.2.1", inside[i]), "pod1 saw 192.0.2.2");
		expect_text(tcp_ask("lan", "2001:db8:1::1", inside[i]), "pod1 saw 2001:db8:1::2");
		expect_text(udp_ask("lan", "2001:db8:1::1", inside[i]), "pod1 saw 2001:db8:1::2");
		expect_contains(tcp_ask("host", "127.0.0.1", inside[i]), "pod1 saw ");
		expect_contains(tcp_ask("pod1", "192.0.2.1", inside[i]), "pod1 saw ");
		expect_contains(udp_ask("pod2", "192.0.2.1", inside[i]), "pod1 saw ");
	}
	for (int i = 0; i < 2; i++) {
		serve_both("pod1", NULL, outside[i]);
		expect_text(tcp_ask("lan", "192.0.2.1", outside[i]), "refused");
		expect_text(udp_ask("lan", "2001:db8:1::1", outside[i]), "refused");
	}
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	sh("host", "nft delete element inet plumb publish_range_any4 '{ udp . 8000-8999 }'");
	expect_error(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told), 999, "publish_range_any4");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8500), "refused");
	detach(&w, "bridge", "pod1");
	detach(&w, "bridge", "pod2");
	expect_untouched(&w, LEFT_OVER);
}

TEST(portmap_range_on_an_address)
{
	struct world w = world_begin("pod1 pod2 lan");

	sh("host", "ip address add 192.0.2.7/24 dev lan0");
	publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': '8000-8999', 'containerPort': 8000, 'hostIP': '192.0.2.7'}]");
	publish_as(&w, "bridge", "pod2", portmap, "[{'hostPort': '8400-8600', 'containerPort': 8400}]");
	tcp_serve("pod1", NULL, 8500);
	tcp_serve("pod2", NULL, 8500);
	expect_text(tcp_ask("lan", "192.0.2.7", 8500), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.1", 8500), "pod2 saw 192.0.2.2");
	expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = portmap));
	expect_text(elements_of("publish_range4"), "");
	expect_text(tcp_ask("lan", "192.0.2.7", 8500), "pod2 saw 192.0.2.2");
}

/* Single ports are looked up before ranges, and a single one of another protocol or address is none of a range's. */
TEST(portmap_range_beside_others)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told;

	publish(&w, "bridge", "pod1", portmap, "8500:80/udp 192.0.2.1=8500:80/tcp 7999:80/tcp 9000:80/tcp");
	told = publish_as(&w, "bridge", "pod2", portmap, "[{'hostPort': '8000-8999', 'containerPort': 8000}]");
	tcp_serve("pod1", NULL, 80);
	tcp_serve("pod2", NULL, 8500);
	expect_text(tcp_ask("lan", "192.0.2.1", 8500), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8500), "pod2 saw 2001:db8:1::2");
	expect_text(tcp_ask("lan", "192.0.2.1", 9000), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod2", "eth0", told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8500), "pod1 saw 192.0.2.2");
}

TEST(portmap_range_conflicts)
{
	static const struct { const char *first, *second; } rows[] = {
		{ "'hostPort': 8500, 'containerPort': 80", "'hostPort': '8000-8999', 'containerPort': 8000" },
		{ "'hostPort': 8000, 'containerPort': 80", "'hostPort': '8000-8999', 'containerPort': 8000" },
		{ "'hostPort': 8999, 'containerPort': 80", "'hostPort': '8000-8999', 'containerPort': 8000" },
		{ "'hostPort': 8500, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24', '2001:db8::/32']",
		  "'hostPort': '8000-8999', 'containerPort': 8000" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': 8500, 'containerPort': 80" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': 8000, 'containerPort': 80" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': 8999, 'containerPort': 80" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': 8500, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24',"
		                                                    " '2001:db8::/32']" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '8000-8999', 'containerPort': 8000" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '8500-9500', 'containerPort': 8500" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '7500-8500', 'containerPort': 7500" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '8100-8200', 'containerPort': 8100" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '7000-9999', 'containerPort': 7000" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000", "'hostPort': '8100-8200', 'containerPort': 9100" },
		{ "'hostPort': '8000-8999', 'containerPort': 8000, 'hostIP': '192.0.2.1'",
		  "'hostPort': '8500-9500', 'containerPort': 8500, 'hostIP': '192.0.2.1'" },
		{ "'hostPort': 8500, 'containerPort': 80, 'hostIP': '0.0.0.0'", "'hostPort': '8500-9500', 'containerPort': 8500" },
		{ "'hostPort': '8500-9500', 'containerPort': 8500, 'hostIP': '::'", "'hostPort': 8500, 'containerPort': 80" },
	};
	struct world w = world_begin("pod1 pod2 lan");
	const char *one = with_prev(portmap, attach(&w, "bridge", "pod1")), *two = with_prev(portmap, attach(&w, "bridge", "pod2"));

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *told = with_mappings(one, keep("[{%s}]", rows[i].first)), *before;

		note("%s, then %s", rows[i].first, rows[i].second);
		expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told));
		before = ruleset_in("host");
		expect_error(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_mappings(two, keep("[{%s}]", rows[i].second))), 999,
		             "taken by container \"pod1\" of network \"net\" (eth0)");
		expect_text(ruleset_in("host"), before);
		expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	}
	/* the first and the last port of a neighbour are no conflict */
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_mappings(one, "[{'hostPort': '8000-8999', 'containerPort': 8000}]")));
	expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_mappings(two, "[{'hostPort': '9000-9999', 'containerPort': 9000},"
	                                                                          " {'hostPort': '7000-7999', 'containerPort': 7000},"
	          " {'hostPort': '8000-8999', 'containerPort': 8000, 'protocol': 'udp'}, {'hostPort': '8000-8999', 'containerPort': 8000,"
	          " 'hostIP': '192.0.2.1'}]")));
}

TEST(portmap_range_that_contradicts_itself)
{
	static const struct { const char *list, *words; } rows[] = {
		{ "[{'hostPort': '8000-8999', 'containerPort': 8000}, {'hostPort': 8500, 'containerPort': 80}]",
		  "portMappings[1]: host port 8500/tcp is mapped by portMappings[0]" },
		{ "[{'hostPort': 8500, 'containerPort': 80}, {'hostPort': '8000-8999', 'containerPort': 8000}]", "is mapped by" },
		{ "[{'hostPort': '8000-8999', 'containerPort': 8000}, {'hostPort': '8999-9999', 'containerPort': 8999}]", "is mapped by" },
		{ "[{'hostPort': '8000-9000', 'containerPort': 8000}, {'hostPort': 8001, 'containerPort': 8001},"
		  " {'hostPort': 8999, 'containerPort': 80}]", "is mapped by" },
	};
	struct world w = world_begin("pod1");
	const char *told = with_prev(portmap, attach(&w, "bridge", "pod1"));

	world_settled(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s", rows[i].list);
		expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_mappings(told, rows[i].list)), 7, rows[i].words);
	}
	expect_untouched(&w);
}

TEST(portmap_range_shifted)
{
	struct world w = world_begin("pod1 lan");
	const char *told = publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': '8000-8009', 'containerPort': '9000-9009'},"
	                                                             " {'hostPort': '5000-5002', 'containerPort': 6000, 'protocol': 'udp'}]");
	static const int ports[] = { 9000, 9004, 9009 };

	for (int i = 0; i < 3; i++) {
		tcp_serve("pod1", NULL, ports[i]);
		expect_text(tcp_ask("lan", "192.0.2.1", ports[i] - 1000), "pod1 saw 192.0.2.2");
		expect_text(tcp_ask("lan", "2001:db8:1::1", ports[i] - 1000), "pod1 saw 2001:db8:1::2");
	}
	udp_serve("pod1", NULL, 6002);
	expect_text(udp_ask("lan", "192.0.2.1", 5002), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.1", 8010), "refused");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

TEST(portmap_range_of_ten_thousand)
{
	struct world w = world_begin("pod1 lan");
	const char *told = publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': '20000-29999', 'containerPort': 20000, 'protocol': 'udp'}]");

	expect_text(elements_of("publish_range_any4"), "udp . 20000-29999 comment \"net/pod1/eth0\" : 10.1.2.2");
	expect_text(elements_of("publish_range_any6"), "udp . 20000-29999 comment \"net/pod1/eth0\" : fd00:1::2");
	for (int port = 20000; port < 30000; port += 3333) {
		udp_serve("pod1", NULL, port);
		expect_text(udp_ask("lan", "192.0.2.1", port), "pod1 saw 192.0.2.2");
		expect_text(udp_ask("lan", "2001:db8:1::1", port), "pod1 saw 2001:db8:1::2");
	}
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
}

TEST(portmap_a_thousand_ports)                          /* CNV-1 */
{
	struct world w = world_begin("pod1 lan");
	const char *list = "1000:80/tcp", *told;

	for (int port = 1001; port < 2000; port++)
		list = keep("%s %d:80/tcp", list, port);
	told = publish(&w, "bridge", "pod1", portmap, list);
	tcp_serve("pod1", NULL, 80);
	for (int port = 1000; port < 2000; port += 333)
		expect_text(tcp_ask("lan", "192.0.2.1", port), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

/* A conversation that began with the container before goes on with the new one, on every port of a range. */
TEST(portmap_udp_of_a_range_follows_the_container)      /* REF-29 */
{
	struct world w = world_begin("pod1 pod2 lan");
	static const char range[] = "[{'hostPort': '8000-8999', 'containerPort': 8000, 'protocol': 'udp'}]";
	static const int ports[] = { 8000, 8500, 8999 };
	const char *told;

	for (int i = 0; i < 3; i++)
		expect_text(udp_ask_from("lan", 5555, "192.0.2.1", ports[i]), "refused");
	told = publish_as(&w, "bridge", "pod1", portmap, range);
	for (int i = 0; i < 3; i++) {
		udp_serve("pod1", NULL, ports[i]);
		expect_text(udp_ask_from("lan", 5555, "192.0.2.1", ports[i]), "pod1 saw 192.0.2.2");
		expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", ports[i]), "pod1 saw 2001:db8:1::2");
	}
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	publish_as(&w, "bridge", "pod2", portmap, range);
	for (int i = 0; i < 3; i++) {
		udp_serve("pod2", NULL, ports[i]);
		expect_text(udp_ask_from("lan", 5555, "192.0.2.1", ports[i]), "pod2 saw 192.0.2.2");
		expect_text(udp_ask_from("lan", 5555, "2001:db8:1::1", ports[i]), "pod2 saw 2001:db8:1::2");
	}
}

/* ---- Conditions ---- */

/* The host is .1 and .7, and what the LAN machine asks at .1 it asks as .2, at .7 as .3. */
static void lan_has_two_faces(void)
{
	sh("host", "ip address add 192.0.2.7/24 dev lan0; ip address add 2001:db8:1::7/64 dev lan0 nodad");
	sh("lan", "ip address add 192.0.2.3/24 dev eth0; ip address add 2001:db8:1::3/64 dev eth0 nodad;"
	          "ip route add 192.0.2.7/32 dev eth0 src 192.0.2.3; ip route add 2001:db8:1::7/128 dev eth0 src 2001:db8:1::3;"
	          "ip route add 2001:db8:1::1/128 dev eth0 src 2001:db8:1::2");
}

static void expect_answer(const char *address, const char *client, bool wanted)
{
	expect_text(tcp_ask("lan", address, 8080), wanted ? keep("pod1 saw %s", client) : "refused");
}

struct condition_row {
	const char *words;
	bool first, second;             /* whether .2 to .1 gets through, and .3 to .7 */
};

static void try_conditions(const char *key, const struct condition_row *rows, size_t n)
{
	struct world w = world_begin("pod1 lan");
	const char *told = with_ports(with_prev(portmap, attach(&w, "bridge", "pod1")), "8080:80/tcp");
	bool v4 = !strcmp(key, "conditionsV4");

	lan_has_two_faces();
	tcp_serve("pod1", NULL, 80);
	for (size_t i = 0; i < n; i++) {
		const char *conf = conf_set(told, key, rows[i].words);

		note("%s: %s", key, rows[i].words);
		expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf));
		expect_answer("192.0.2.1", "192.0.2.2", !v4 || rows[i].first);
		expect_answer("192.0.2.7", "192.0.2.3", !v4 || rows[i].second);
		expect_answer("2001:db8:1::1", "2001:db8:1::2", v4 || rows[i].first);   /* the other family has no conditions */
		expect_answer("2001:db8:1::7", "2001:db8:1::3", v4 || rows[i].second);
		expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", conf));
		expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf));
		expect(!strstr(ruleset_in("host"), "chain gate_"));
	}
	detach(&w, "bridge", "pod1");
}

TEST(portmap_conditions_ipv4)
{
	static const struct condition_row rows[] = {
		{ "['ip saddr 192.0.2.2']", true, false },
		{ "['ip', 'saddr', '192.0.2.2/32']", true, false },
		{ "['ip saddr == 192.0.2.2']", true, false },
		{ "['ip saddr != 192.0.2.2']", false, true },
		{ "['saddr 192.0.2.2']", true, false },
		{ "['-s', '192.0.2.2/32']", true, false },
		{ "['-s 192.0.2.2']", true, false },
		{ "['--source', '192.0.2.2']", true, false },
		{ "['--src', '192.0.2.2']", true, false },
		{ "['!', '-s', '192.0.2.2']", false, true },
		{ "['-s', '!', '192.0.2.2']", false, true },
		{ "['-s', '192.0.2.0/24']", true, true },
		{ "['-s', '198.51.100.0/24']", false, false },
		{ "['ip daddr 192.0.2.1']", true, false },
		{ "['ip daddr != 192.0.2.1']", false, true },
		{ "['-d', '192.0.2.7']", false, true },
		{ "['!', '-d', '192.0.2.7']", true, false },
		{ "['--destination', '192.0.2.7']", false, true },
		{ "['--dst', '192.0.2.7']", false, true },
		{ "['iifname lan0']", true, true },
		{ "['iifname \\\"lan0\\\"']", true, true },
		{ "['meta iifname lan0']", true, true },
		{ "['iif lan0']", true, true },
		{ "['iifname \\\"lan*\\\"']", true, true },
		{ "['iifname != lan0']", false, false },
		{ "['iifname br0']", false, false },
		{ "['-i', 'lan0']", true, true },
		{ "['-i', 'lan+']", true, true },
		{ "['!', '-i', 'lan+']", false, false },
		{ "['!', '-i', 'br0']", true, true },
		{ "['--in-interface', 'lan0']", true, true },
		{ "['ip saddr { 192.0.2.2, 192.0.2.9 }']", true, false },
		{ "['-s', '192.0.2.2,192.0.2.3']", true, true },
		{ "['ip saddr != { 192.0.2.2, 192.0.2.3 }']", false, false },
		{ "['!', '-s', '192.0.2.2,192.0.2.9']", false, true },
		{ "['ip daddr { 192.0.2.7, 192.0.2.8 }']", false, true },
		{ "['-s', '192.0.2.0/24', '!', '-d', '192.0.2.7']", true, false },
		{ "['-s', '192.0.2.2,192.0.2.3', '!', '-s', '192.0.2.3']", true, false },
		{ "['iifname lan0', 'ip saddr 192.0.2.3', 'ip daddr { 192.0.2.1, 192.0.2.7 }']", false, true },
		{ "['iifname lan0 ip saddr 192.0.2.0/24 ip daddr != 192.0.2.1']", false, true },
		{ "[]", true, true },
	};

	try_conditions("conditionsV4", rows, sizeof rows / sizeof *rows);
}

TEST(portmap_conditions_ipv6)
{
	static const struct condition_row rows[] = {
		{ "['ip6 saddr 2001:db8:1::2']", true, false },
		{ "['ip6 saddr != 2001:db8:1::2']", false, true },
		{ "['-s', '2001:db8:1::2/128']", true, false },
		{ "['!', '-s', '2001:db8:1::2']", false, true },
		{ "['ip6 daddr 2001:db8:1::7']", false, true },
		{ "['-d', '2001:db8:1::/64']", true, true },
		{ "['-i', 'lan0', '-s', '2001:db8:1::3']", false, true },
		{ "['iifname != lan0']", false, false },
		{ "['ip6 saddr { 2001:db8:1::2, 2001:db8:1::3 }']", true, true },
		{ "['ip6 saddr { 2001:db8:2::/64, 2001:db8:1::3 }']", false, true },
	};

	try_conditions("conditionsV6", rows, sizeof rows / sizeof *rows);
}

/* Interfaces that are not the LAN's, by conditions on both families. */
TEST(portmap_conditions_by_interface)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *conf = conf_set(conf_set(portmap, "conditionsV4", "['!', '-i', 'lan0']"), "conditionsV6", "['iifname br0']");

	publish(&w, "bridge", "pod1", conf, "8080:80/tcp");
	attach(&w, "bridge", "pod2");
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "refused");
	expect_contains(tcp_ask("pod2", "192.0.2.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
}

TEST(portmap_refused_conditions)                        /* ERR-5 */
{
	static const struct { const char *key, *words, *part; int code; } rows[] = {
		{ "conditionsV4", "['-p', 'tcp']", "-p", 2 },
		{ "conditionsV4", "['-m', 'comment', '--comment', 'x']", "-m", 2 },
		{ "conditionsV4", "['-j', 'DROP']", "-j", 2 },
		{ "conditionsV4", "['-o', 'eth0']", "-o", 2 },
		{ "conditionsV4", "['ip saddr']", "want an address or a subnet", 2 },
		{ "conditionsV4", "['ip saddr foo']", "foo", 2 },
		{ "conditionsV4", "['ip saddr 192.0.2.0/33']", "192.0.2.0/33", 2 },
		{ "conditionsV4", "['ip saddr @set']", "@set", 2 },
		{ "conditionsV4", "['-s', '2001:db8::1']", "other family", 2 },
		{ "conditionsV4", "['ip6 saddr 2001:db8::1']", "ip6", 2 },
		{ "conditionsV6", "['ip saddr 192.0.2.1']", "ip", 2 },
		{ "conditionsV6", "['-s', '192.0.2.1']", "other family", 2 },
		{ "conditionsV4", "['tcp dport 80']", "tcp", 2 },
		{ "conditionsV4", "['ip saddr 192.0.2.1; flush ruleset']", "192.0.2.1;", 2 },
		{ "conditionsV4", "['ip saddr 192.0.2.1', 'accept']", "accept", 2 },
		{ "conditionsV4", "['iifname']", "interface's name", 2 },
		{ "conditionsV4", "['-i', 'a-name-that-is-too-long']", "a-name-that-is-too-long", 2 },
		{ "conditionsV4", "['!']", "!", 2 },
		{ "conditionsV4", "['ip saddr { 192.0.2.2, 192.0.2.3 } ip daddr { 192.0.2.1, 192.0.2.7 }']", "several addresses", 7 },
		{ "conditionsV4", "'-s 192.0.2.1'", "want a list", 7 },
		{ "conditionsV4", "[7]", "conditionsV4[0]", 7 },
	};
	struct world w = world_begin("pod1");
	const char *told = with_ports(with_prev(portmap, attach(&w, "bridge", "pod1")), "8080:80/tcp");

	world_settled(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct answer a;

		note("%s: %s", rows[i].key, rows[i].words);
		a = expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, rows[i].key, rows[i].words)), rows[i].code, rows[i].key);
		expect_contains(keep("%s %s", json_at(a, "msg"), json_at(a, "details")), rows[i].part);
		if (rows[i].code == 2)
			expect_contains(json_at(a, "details"), "want conditions such as ");
		if (rows[i].code == 2)
			expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf_set(told, rows[i].key, rows[i].words)));
	}
	expect_untouched(&w);
}

/* A port under conditions is one port all the same. */
TEST(portmap_conditions_and_who_has_the_port)
{
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *plain = portmap, *lan_only = conf_set(portmap, "conditionsV4", "['iifname lan0']"), *others = conf_set(portmap, "conditionsV4",
	        "['iifname != lan0']");
	const char *one = attach(&w, "bridge", "pod1").out, *two = attach(&w, "bridge", "pod2").out, *orders[][2] = { { plain, lan_only }, { lan_only,
	        plain }, { lan_only, others } };

	for (size_t i = 0; i < 3; i++) {
		const char *first = with_ports(conf_set(orders[i][0], "prevResult", one), "0.0.0.0=8080:80/tcp");

		note("order %zu", i);
		expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", first));
		expect_error(plugin(&w, "portmap", "ADD", "pod2", "eth0", with_ports(conf_set(orders[i][1], "prevResult", two),
		                                                                     "0.0.0.0=8080:80/tcp")), 999,
		             "host port 0.0.0.0:8080/tcp is taken by container \"pod1\"");
		expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", first));
	}
}

/* The same attachment with other conditions, or none, than before. */
TEST(portmap_conditions_may_change)
{
	struct world w = world_begin("pod1 lan");
	const char *told = publish(&w, "bridge", "pod1", conf_set(portmap, "conditionsV4", "['iifname != lan0']"), "8080:80/tcp");

	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, "conditionsV4", "['iifname lan0']")));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf_set(told, "conditionsV4", NULL)));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(elements_of("gate_any4"), "");
	expect(!strstr(ruleset_in("host"), "chain gate_"));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf_set(told, "conditionsV4", NULL)));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

/* Runtimes give DEL the configuration of the day. */
TEST(portmap_del_with_another_configuration)            /* DEL-2 */
{
	static const struct { const char *key, *was, *is; } rows[] = {
		{ "conditionsV4", NULL, "['iifname lan0']" }, { "conditionsV4", "['iifname lan0']", NULL }, { "conditionsV6", "['-i', 'lan0']",
		        "['-i', 'lan1']" },
		{ "strictHostIP", "true", NULL }, { "snat", "true", "false" }, { "masqAll", "true", "false" },
	};
	struct world w = world_begin("pod1 lan");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *told = publish(&w, "bridge", "pod1", conf_set(portmap, rows[i].key, rows[i].was), "8080:80/tcp 192.0.2.1=9090:80/udp");

		note("%s: %s, then %s", rows[i].key, rows[i].was, rows[i].is);
		expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf_set(told, rows[i].key, rows[i].is)));
		detach(&w, "bridge", "pod1");
		expect_untouched(&w, LEFT_OVER);
	}
}

/* ---- allowFrom ---- */

TEST(portmap_allow_from)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish_as(&w, "bridge", "pod1", portmap,
		"[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['192.0.2.2/32', '2001:db8:1::2/128']},"
		" {'hostPort': 9090, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24']},"
		" {'hostPort': '8000-8003', 'containerPort': 8000, 'allowFrom': ['192.0.2.3/32', '10.1.2.0/24']},"
		" {'hostPort': 7070, 'containerPort': 80}]");

	attach(&w, "bridge", "pod2");
	lan_has_two_faces();
	tcp_serve("pod1", NULL, 80);
	tcp_serve("pod1", NULL, 8002);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.7", 8080), "refused");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_text(tcp_ask("lan", "2001:db8:1::7", 8080), "refused");
	expect_text(tcp_ask("pod2", "192.0.2.1", 8080), "refused");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.7", 9090), "pod1 saw 192.0.2.3");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 9090), "refused");          /* nobody of IPv6 is on the list */
	expect_text(tcp_ask("lan", "192.0.2.1", 8002), "refused");
	expect_text(tcp_ask("lan", "192.0.2.7", 8002), "pod1 saw 192.0.2.3");
	expect_contains(tcp_ask("pod2", "192.0.2.1", 8002), "pod1 saw ");
	expect_text(tcp_ask("lan", "2001:db8:1::7", 7070), "pod1 saw 2001:db8:1::3");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	detach(&w, "bridge", "pod2");
	sh("host", "ip address del 192.0.2.7/24 dev lan0; ip address del 2001:db8:1::7/64 dev lan0");
	sh("lan", "ip address del 192.0.2.3/24 dev eth0; ip address del 2001:db8:1::3/64 dev eth0; ip route flush 192.0.2.7/32;"
	          " ip -6 route flush 2001:db8:1::7/128; ip -6 route flush 2001:db8:1::1/128");
	expect_untouched(&w, LEFT_OVER);
}

TEST(portmap_check_notices_an_empty_gate)               /* CHK-5 */
{
	struct world w = world_begin("pod1");
	const char *told = publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['192.0.2.2/32']}]");

	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	sh("host", "nft flush chain inet plumb $(nft list chains inet | grep -o 'gate_[0-9a-f]*' | head -1)");
	expect_error(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told), 999, "gate_");
}

/* Conditions and allowFrom are all to be met. */
TEST(portmap_allow_from_under_conditions)
{
	struct world w = world_begin("pod1 pod2 lan");

	publish_as(&w, "bridge", "pod1", conf_set(portmap, "conditionsV4", "['ip daddr 192.0.2.1']"),
	           "[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24']}, {'hostPort': 9090, 'containerPort': 80, 'allowFrom':"
	           " ['192.0.2.3/32']}]");
	lan_has_two_faces();
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.7", 8080), "refused");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "refused");
	expect_text(tcp_ask("lan", "192.0.2.7", 9090), "refused");
}

/* … several places to be met by a condition, too. */
TEST(portmap_allow_from_under_several_places)
{
	struct world w = world_begin("pod1 lan");

	publish_as(&w, "bridge", "pod1", conf_set(portmap, "conditionsV4", "['ip daddr { 192.0.2.7, 192.0.2.8 }']"),
	           "[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24']}]");
	lan_has_two_faces();
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.7", 8080), "pod1 saw 192.0.2.3");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "refused");
}

/* ---- strictHostIP ---- */

/* A second LAN: the host is 198.51.100.1 and 2001:db8:2::1 on it, the machine "far" knows the way by it to everything. */
static void second_lan(void)
{
	sh("host", "ip link add lan1 type veth peer name eth0 netns far; ip address add 198.51.100.1/24 dev lan1;"
	           " ip address add 2001:db8:2::1/64 dev lan1 nodad; ip link set lan1 up");
	sh("far", "ip link set lo up; ip address add 198.51.100.2/24 dev eth0; ip address add 2001:db8:2::2/64 dev eth0 nodad; ip link set eth0 up;"
	          "ip route add default via 198.51.100.1; ip route add ::/0 via 2001:db8:2::1");
}

TEST(portmap_strict_host_ip)
{
	struct world w = world_begin("pod1 far lan");
	static const char list[] = "192.0.2.1=8080:80/tcp 2001:db8:1::1=8080:80/tcp 198.51.100.1=9090:80/tcp";
	const char *told;

	second_lan();
	sh("lan", "ip route add 198.51.100.0/24 via 192.0.2.1");
	told = publish(&w, "bridge", "pod1", portmap, list);
	tcp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("far", "192.0.2.1", 8080), "pod1 saw 198.51.100.2");
	expect_text(tcp_ask("far", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:2::2");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));

	told = conf_set(told, "strictHostIP", "true");
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", told));
	expect_text(tcp_ask_briefly("far", "192.0.2.1", 8080), "timeout");
	expect_text(tcp_ask_briefly("far", "2001:db8:1::1", 8080), "timeout");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_text(tcp_ask("far", "198.51.100.1", 9090), "pod1 saw 198.51.100.2");
	expect_text(tcp_ask_briefly("lan", "198.51.100.1", 9090), "timeout");
	expect_contains(tcp_ask("host", "192.0.2.1", 8080), "pod1 saw ");
	expect_text(tcp_ask("far", "192.0.2.1", 9090), "refused");                      /* of other ports it says nothing */
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	sh("host", "nft delete element inet plumb strict4 '{ 192.0.2.1 . tcp . 8080 }'");
	expect_error(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told), 999, "strict4");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(elements_of("strict4"), "");
	expect_text(elements_of("strict6"), "");
}

/* A range under it, and one with allowFrom. */
TEST(portmap_strict_host_ip_of_a_range)
{
	struct world w = world_begin("pod1 far lan");

	second_lan();
	publish_as(&w, "bridge", "pod1", conf_set(portmap, "strictHostIP", "true"),
	           "[{'hostPort': '8000-8003', 'containerPort': 8000, 'hostIP': '192.0.2.1'}, {'hostPort': 9090, 'containerPort': 8003,"
	           " 'hostIP': '192.0.2.1', 'allowFrom': ['0.0.0.0/0']},"
	           " {'hostPort': 7070, 'containerPort': 8003}]");
	tcp_serve("pod1", NULL, 8003);
	expect_text(tcp_ask("lan", "192.0.2.1", 8003), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask_briefly("far", "192.0.2.1", 8003), "timeout");
	expect_text(tcp_ask("lan", "192.0.2.1", 9090), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask_briefly("far", "192.0.2.1", 9090), "timeout");
	expect_text(tcp_ask("far", "192.0.2.1", 7070), "pod1 saw 198.51.100.2");        /* on any address: there is nothing to be strict about */
}

/* ---- What must not be caught, or let in ---- */

/* CVE-2025-67499: a packet that is for somebody else, and only passes by. */
TEST(portmap_catches_nothing_that_is_routed_through)
{
	struct world w = world_begin("pod1 pod2 far lan");

	second_lan();
	publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': 8080, 'containerPort': 80}, {'hostPort': '9000-9999', 'containerPort': 9000},"
	                                          " {'hostPort': 7070, 'containerPort': 80, 'allowFrom': ['0.0.0.0/0']}]");
	attach(&w, "bridge", "pod2");
	sh("lan", "ip route add 198.51.100.0/24 via 192.0.2.1; ip route add 10.1.2.0/24 via 192.0.2.1;"
	          " ip route add 2001:db8:2::/64 via 2001:db8:1::1");
	for (const int *port = (const int[]){ 8080, 9500, 7070, 0 }; *port; port++) {
		tcp_serve("pod1", NULL, *port);
		tcp_serve("far", NULL, *port);
		tcp_serve("pod2", NULL, *port);
		tcp_serve("lan", NULL, *port);
		expect_text(tcp_ask("lan", "198.51.100.2", *port), "far saw 192.0.2.2");
		expect_text(tcp_ask("lan", "2001:db8:2::2", *port), "far saw 2001:db8:1::2");
		expect_text(tcp_ask("lan", "10.1.2.3", *port), "pod2 saw 192.0.2.2");
		expect_text(tcp_ask("far", "10.1.2.3", *port), "pod2 saw 198.51.100.2");
		expect_text(tcp_ask("host", "198.51.100.2", *port), "far saw 198.51.100.1");
		expect_contains(tcp_ask("pod1", "192.0.2.2", *port), "lan saw ");
	}
}

/* moby#45610, CVE-2020-8558: 127.0.0.1 is asked by the host alone. The neighbour routes it to the host, or gives its frames the host's MAC; the
 * host would route it, as kube-proxy has it do. */
TEST(portmap_localhost_is_out_of_reach_for_neighbours)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *mac = link_in("host", "lan0").mac;

	publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': 8080, 'containerPort': 80, 'hostIP': '127.0.0.1'},"
	                                          " {'hostPort': 9090, 'containerPort': 80},"
	           " {'hostPort': '7000-7999', 'containerPort': 7000, 'hostIP': '127.0.0.1'}]");
	attach(&w, "bridge", "pod2");
	tcp_serve("pod1", NULL, 80);
	tcp_serve("pod1", NULL, 7500);
	tcp_serve("host", "127.0.0.1", 6000);
	for (const char *const *name = (const char *const[]){ "all", "lan0", "br0", NULL }; *name; name++) {
		sysctl_put("host", keep("net/ipv4/conf/%s/route_localnet", *name), "1");
		sysctl_put("host", keep("net/ipv4/conf/%s/rp_filter", *name), "0");
	}
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("host", "127.0.0.1", 7500), "pod1 saw ");
	for (int i = 0; i < 4; i++) {
		static const char *const ways[] = { "via 192.0.2.1 src 192.0.2.2", "dev eth0 src 192.0.2.2", "via 10.1.2.1 src 10.1.2.3",
		                                    "dev eth0 src 10.1.2.3" };
		const char *who = i < 2 ? "lan" : "pod2";

		note("127.0.0.0/8 %s", ways[i]);
		sysctl_put(who, "net/ipv4/conf/all/route_localnet", "1");
		sysctl_put(who, "net/ipv4/conf/eth0/route_localnet", "1");
		sh(who, "ip address flush dev lo; ip route replace 127.0.0.0/8 %s; ip neighbour replace 127.0.0.1 lladdr %s dev eth0", ways[i],
		   i < 2 ? mac : link_in("host", "br0").mac);
		for (const int *port = (const int[]){ 8080, 9090, 7500, 6000, 0 }; *port; port++)
			expect_text(tcp_ask_briefly(who, "127.0.0.1", *port), "timeout");
	}
	expect_contains(tcp_ask("host", "127.0.0.1", 9090), "pod1 saw ");
}

/* CVE-2021-20199: nobody from elsewhere looks as if he were the host's localhost, or the host. */
TEST(portmap_keeps_the_clients_address)
{
	struct world w = world_begin("pod1 pod2 far lan");
	const char *other = conf_set(conf_set(conf_set(bridge, "name", "'other'"), "bridge", "'br9'"), "ipMasq", "false");

	second_lan();
	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 8080:80/udp");
	expect_ok(plugin(&w, "bridge", "ADD", "pod2", "eth0", conf_set(other, "ipam",
	                                                               "{'type': 'host-local', 'ranges': [[{'subnet': '10.9.0.0/24'}], [{'subnet':"
	                                                               " 'fd00:9::/64'}]]}")));
	tcp_serve("pod1", NULL, 80);
	udp_serve("pod1", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("far", "198.51.100.1", 8080), "pod1 saw 198.51.100.2");
	expect_text(tcp_ask("pod2", "192.0.2.1", 8080), "pod1 saw 10.9.0.2");
	expect_text(tcp_ask("pod2", "10.9.0.1", 8080), "pod1 saw 10.9.0.2");
	expect_text(udp_ask("pod2", "10.9.0.1", 8080), "pod1 saw 10.9.0.2");
	expect_text(tcp_ask("pod2", "2001:db8:1::1", 8080), "pod1 saw fd00:9::2");
	expect_text(tcp_ask("pod2", "fd00:9::1", 8080), "pod1 saw fd00:9::2");
}

/* Not two containers of one network, where masquerading is not avoidable; nor the host by 127.0.0.0/8. */
TEST(portmap_is_reached_by_each_of_the_hosts_addresses)
{
	struct world w = world_begin("pod1 far lan");
	static const char *const addresses[] = { "192.0.2.1", "198.51.100.1", "10.1.2.1", "127.0.0.1", "127.0.0.2", "2001:db8:1::1", "2001:db8:2::1",
	                                         "fd00:1::1", "::1", NULL };

	second_lan();
	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 8080:80/udp");
	tcp_serve("pod1", NULL, 80);
	udp_serve("pod1", NULL, 80);
	for (const char *const *at = addresses; *at; at++) {
		note("%s", *at);
		expect_contains(tcp_ask("host", *at, 8080), "pod1 saw ");
		expect_contains(udp_ask("host", *at, 8080), "pod1 saw ");
	}
}

/* ---- ::1 ---- */

/* What is published for the host by ::1, and by nothing else, or not at all; what else the host does at ::1 goes on. */
TEST(portmap_at_ipv6_loopback)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told;

	told = publish(&w, "bridge", "pod1", portmap, "::1=8080:80/tcp ::1=8080:80/udp 127.0.0.1=8081:80/tcp 2001:db8:1::1=8082:80/tcp");
	serve_both("pod1", NULL, 80);
	serve_both("host", "::1", 8083);
	expect_contains(tcp_ask("host", "::1", 8080), "pod1 saw fd00:1::1");
	expect_contains(udp_ask("host", "::1", 8080), "pod1 saw fd00:1::1");
	expect_text(tcp_ask("host", "fd00:1::1", 8080), "refused");
	expect_text(tcp_ask("host", "2001:db8:1::1", 8080), "refused");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "refused");
	expect_text(tcp_ask("host", "::1", 8081), "refused");
	expect_text(tcp_ask("host", "::1", 8082), "refused");
	expect_text(tcp_ask("host", "::1", 8083), "host saw ::1");
	expect_text(udp_ask("host", "::1", 8083), "host saw ::1");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_text(tcp_ask("host", "::1", 8080), "refused");
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
}

TEST(portmap_ranges_at_ipv6_loopback)
{
	struct world w = world_begin("pod1 pod2");

	publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': '8000-8999', 'containerPort': 8000},"
	                                          " {'hostPort': '7000-7099', 'containerPort': 7000, 'hostIP': '::1'},"
	                                          " {'hostPort': '8000-8999', 'containerPort': 8000, 'protocol': 'udp'}]");
	publish(&w, "bridge", "pod2", portmap, "::1=8500:80/tcp");
	for (int port = 8000; port <= 8999; port += 333)
		serve_both("pod1", NULL, port);
	tcp_serve("pod1", NULL, 7050);
	tcp_serve("pod2", NULL, 80);
	for (int port = 8000; port <= 8999; port += 333) {
		note("port %d", port);
		expect_contains(tcp_ask("host", "::1", port), "pod1 saw ");
		expect_contains(udp_ask("host", "::1", port), "pod1 saw ");
	}
	expect_contains(tcp_ask("host", "::1", 7050), "pod1 saw ");
	expect_contains(tcp_ask("host", "::1", 8500), "pod2 saw ");             /* the exact one goes first */
	expect_text(tcp_ask("host", "::1", 9000), "refused");
}

/* A port under conditions, and one without snat, are not the host's at ::1: what listens there itself is asked. */
TEST(portmap_conditions_leave_ipv6_loopback_alone)
{
	struct world w = world_begin("pod1 pod2 lan");

	publish_as(&w, "bridge", "pod1", portmap, "[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['2001:db8:1::/64']}]");
	publish(&w, "bridge", "pod2", conf_set(portmap, "snat", "false"), "8081:80/tcp");
	serve_both("pod1", NULL, 80);
	serve_both("pod2", NULL, 80);
	tcp_serve("host", "::1", 8080);
	tcp_serve("host", "::1", 8081);
	expect_text(tcp_ask("host", "::1", 8080), "host saw ::1");
	expect_text(tcp_ask("host", "::1", 8081), "host saw ::1");
	expect_contains(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_contains(tcp_ask("lan", "2001:db8:1::1", 8081), "pod2 saw 2001:db8:1::2");
}

/* The address that stands for ::1 is nobody's but the host's own: from outside it leads nowhere, to what is published and to what listens. */
TEST(portmap_ipv6_loopback_is_not_reached_from_outside)
{
	struct world w = world_begin("pod1 pod2 lan");

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp ::1=9090:80/tcp");
	attach(&w, "bridge", "pod2");
	serve_both("pod1", NULL, 80);
	serve_both("host", NULL, 6000);
	sh("lan", "ip route add fd70:6c75:6d62::1 via 2001:db8:1::1");
	for (const char *const *who = (const char *const[]){ "lan", "pod2", "pod1", NULL }; *who; who++)
		for (const int *port = (const int[]){ 8080, 9090, 6000, 0 }; *port; port++) {
			note("%s, port %d", *who, *port);
			expect_text(tcp_ask_briefly(*who, "fd70:6c75:6d62::1", *port), "timeout");
		}
	expect_contains(tcp_ask("host", "::1", 6000), "host saw ::1");
	expect_contains(tcp_ask("host", "::1", 9090), "pod1 saw ");
}

/* ---- checkListeners ---- */

TEST(portmap_check_listeners)
{
	struct world w = world_begin("pod1 lan");
	const char *told = with_prev(conf_set(portmap, "checkListeners", "true"), attach(&w, "bridge", "pod1"));

	tcp_serve("host", NULL, 8080);
	tcp_serve("host", "127.0.0.1", 8081);
	tcp_serve("host", "::1", 8082);
	udp_serve("host", NULL, 8083);
	tcp_serve("host", "192.0.2.1", 8084);
	world_settled(&w);
	for (int port = 8080; port <= 8084; port++) {
		const char *protocol = port == 8083 ? "udp" : "tcp";
		struct answer a;

		note("port %d", port);
		a = expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, keep("9999:80/tcp %d:80/%s", port, protocol))), 999,
		                 keep("host port %d/%s: a process of the host listens on port %d", port, protocol, port));
		expect_contains(json_at(a, "details"), "ss -lnp");
	}
	expect_error(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_mappings(told, "[{'hostPort': '8000-8999', 'containerPort': 8000}]")), 999,
	             "host port 8000-8999/tcp: a process of the host listens on port 8080");
	expect_untouched(&w);
	/* other protocols, other addresses, other ports */
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, "8080:80/udp 8083:80/tcp 127.0.0.1=8084:80/tcp 192.0.2.1=8081:80/tcp"
	                                                                        " 9999:80/tcp")));
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(told, "8080:80/udp 8083:80/tcp 127.0.0.1=8084:80/tcp 192.0.2.1=8081:80/tcp"
	                                                                        " 9999:80/tcp")));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", with_ports(conf_set(told, "checkListeners", NULL), "8080:80/tcp")));
}

/* ---- Owners that are no more ---- */

TEST(portmap_evicts_a_dead_owner)
{
	static const char *const lists[] = {
		"[{'hostPort': 8080, 'containerPort': 80}]", "[{'hostPort': '8000-8999', 'containerPort': 8000}]",
		"[{'hostPort': 8080, 'containerPort': 80, 'allowFrom': ['192.0.2.0/24']}]",
		        "[{'hostPort': 8080, 'containerPort': 80, 'hostIP': '192.0.2.1'}]",
	};
	struct world w = world_begin("pod2 lan");
	const char *two = with_prev(portmap, attach(&w, "bridge", "pod2"));

	tcp_serve("pod2", NULL, 80);
	tcp_serve("pod2", NULL, 8080);
	for (size_t was = 0; was < 4; was++)
		for (size_t is = 0; is < 4; is++) {
			const char *told, *next = with_mappings(two, lists[is]);

			note("%s, then %s", lists[was], lists[is]);
			sh("host", "ip netns add dead");
			told = publish_as(&w, "bridge", "dead", portmap, lists[was]);
			if ((was == 3) == (is == 3))            /* the address that is named is another place than any */
				expect_error(plugin(&w, "portmap", "ADD", "pod2", "eth0", next), 999,
				             "taken by container \"dead\" of network \"net\" (eth0)");
			sh("host", "ip netns delete dead");
			expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", next));
			if (was != 3 || is != 1)                /* (for a range, the dead one's place that is named is not looked for) */
				expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
			expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "dead", .ifname = "eth0", .conf = told));
			expect_ok(plugin(&w, "portmap", "CHECK", "pod2", "eth0", next));
			expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
			expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "dead", .ifname = "eth0", .conf = bridge));
			expect_ok(plugin(&w, "portmap", "DEL", "pod2", "eth0", next));
			expect(!strstr(ruleset_in("host"), "8080"));
		}
}

/* One element of the dead one's in the way of several, and several in the way of one. */
TEST(portmap_evicts_a_dead_owner_once)
{
	static const char *const lists[][2] = {
		{ "[{'hostPort': '8000-8999', 'containerPort': 8000}]", "[{'hostPort': 8080, 'containerPort': 80},"
		                                                        " {'hostPort': 8081, 'containerPort': 80}]" },
		{ "[{'hostPort': '8000-8999', 'containerPort': 8000, 'hostIP': '192.0.2.1'}]",
		  "[{'hostPort': 8080, 'containerPort': 80}, {'hostPort': 8081, 'containerPort': 80}]" },
		{ "[{'hostPort': 8080, 'containerPort': 80, 'hostIP': '192.0.2.1'}, {'hostPort': 8080, 'containerPort': 80, 'hostIP': '127.0.0.1'}]",
		  "[{'hostPort': 8080, 'containerPort': 80}, {'hostPort': 8080, 'containerPort': 80, 'hostIP': '192.0.2.1'}]" },
		{ "[{'hostPort': 8080, 'containerPort': 80, 'hostIP': '192.0.2.1', 'allowFrom': ['198.51.100.0/24']}]",
		  "[{'hostPort': 8080, 'containerPort': 80, 'hostIP': '192.0.2.1'}, {'hostPort': 8080, 'containerPort': 80}]" },
	};
	struct world w = world_begin("pod2 lan");
	const char *two = with_prev(portmap, attach(&w, "bridge", "pod2"));

	tcp_serve("pod2", NULL, 80);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *next = with_mappings(two, lists[i][1]), *told;

		note("%s, then %s", lists[i][0], lists[i][1]);
		sh("host", "ip netns add dead");
		told = publish_as(&w, "bridge", "dead", portmap, lists[i][0]);
		sh("host", "ip netns delete dead");
		expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", next));
		expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
		expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod2 saw ");
		expect_ok(call(.plugin = "portmap", .verb = "DEL", .container = "dead", .ifname = "eth0", .conf = told));
		expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "dead", .ifname = "eth0", .conf = bridge));
		expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
		expect_ok(plugin(&w, "portmap", "DEL", "pod2", "eth0", next));
		expect(!strstr(ruleset_in("host"), "8080"));
	}
}

/* What the dead one had on record does not come back and take the port from the living one. */
TEST(portmap_the_dead_stay_dead)
{
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *told;

	publish(&w, "bridge", "pod1", portmap, "8080:80/tcp 9090:80/tcp");
	sh("host", "ip netns delete pod1");
	told = publish(&w, "bridge", "pod2", portmap, "8080:80/tcp");
	tcp_serve("pod2", NULL, 80);
	sh("host", "touch /run/plumb/nftables/*; nft flush ruleset");
	publish(&w, "bridge", "pod3", portmap, "7070:80/tcp");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod2", "eth0", told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
	expect_ok(plugin(&w, "portmap", "ADD", "pod2", "eth0", told));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod2 saw 192.0.2.2");
}

/* ---- Coming back ---- */

static const char *const flushes[] = { "nft flush ruleset", "nft delete table inet plumb", NULL };

static void everything_comes_back(const char *flush, bool by_del)
{
	struct world w = world_begin("pod1 pod2 pod3 far lan");
	const char *one, *two;

	second_lan();
	lan_has_two_faces();
	tcp_serve("lan", "192.0.2.2", 80);
	one = publish_as(&w, "bridge", "pod1", conf_set(conf_set(portmap, "strictHostIP", "true"), "conditionsV6", "['ip6 saddr 2001:db8:1::2']"),
	                 "[{'hostPort': 8080, 'containerPort': 80}, {'hostPort': 8080, 'containerPort': 80, 'protocol': 'udp'},"
	                 " {'hostPort': '9000-9999', 'containerPort': 9000, 'protocol': 'udp'},"
	                 " {'hostPort': 7070, 'containerPort': 80, 'hostIP': '192.0.2.1'}, {'hostPort': 6060, 'containerPort': 80, 'allowFrom':"
	                 " ['192.0.2.2/32']}]");
	two = publish(&w, "bridge", "pod2", portmap, "8081:80/tcp");
	serve_both("pod1", NULL, 80);
	udp_serve("pod1", NULL, 9500);
	sh("host", "%s", flush);
	if (by_del) {
		expect_ok(plugin(&w, "portmap", "DEL", "pod2", "eth0", two));
		detach(&w, "bridge", "pod2");
	} else {
		attach(&w, "bridge", "pod3");
	}
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", one));
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(udp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(udp_ask("lan", "192.0.2.1", 9500), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_text(tcp_ask("lan", "2001:db8:1::7", 8080), "refused");
	expect_text(tcp_ask("lan", "192.0.2.1", 7070), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask_briefly("far", "192.0.2.1", 7070), "timeout");
	expect_text(tcp_ask("lan", "192.0.2.1", 6060), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.7", 6060), "refused");
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	if (by_del) {
		expect_text(tcp_ask("lan", "192.0.2.1", 8081), "refused");
	} else {
		tcp_serve("pod2", NULL, 80);
		expect_text(tcp_ask("lan", "192.0.2.1", 8081), "pod2 saw 192.0.2.2");
	}
}

TEST_EACH(portmap_comes_back_with_the_next_add, flushes, flush) { everything_comes_back(flush, false); }
TEST_EACH(portmap_comes_back_with_the_next_del, flushes, flush) { everything_comes_back(flush, true); }

/* An attachment whose DEL came after the flush does not come back. */
TEST_EACH(portmap_del_after_a_flush, flushes, flush)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp");

	sh("host", "%s", flush);
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_untouched(&w, LEFT_OVER);
	publish(&w, "bridge", "pod2", portmap, "8181:80/tcp");
	expect(!strstr(ruleset_in("host"), "pod1"));
}

/* ---- Editions of the ruleset ---- */

/* The table as the edition before left it, with a container's port and masquerading in it. */
static const char *old_table(struct world *w)
{
	const char *told = publish(w, "bridge", "pod1", portmap, "8080:80/tcp 8080:80/udp");

	sh("host", "rm -r /run/plumb/nftables; nft delete table inet plumb; nft -f tests/plugin/data/ruleset-1.nft");
	sh("host", "nft add element inet plumb publish_any4 '{ tcp . 8080 comment \"net/pod1/eth0\" : 10.1.2.2 . 80, udp . 8080 comment"
	           " \"net/pod1/eth0\" : 10.1.2.2 . 80 }';"
	           "nft add element inet plumb publish_any6 '{ tcp . 8080 comment \"net/pod1/eth0\" : fd00:1::2 . 80, udp . 8080 comment"
	           " \"net/pod1/eth0\" : fd00:1::2 . 80 }';"
	           "nft add element inet plumb localnet4 '{ 10.1.2.2 comment \"net/pod1/eth0\" }'; nft add element inet plumb self4 '{ 10.1.2.2 ."
	           " 10.1.2.2 comment \"net/pod1/eth0\" }';"
	           "nft add element inet plumb self6 '{ fd00:1::2 . fd00:1::2 comment \"net/pod1/eth0\" }';"
	           " nft add element inet plumb hairpin4 '{ 10.1.2.2 . br0 comment \"net/pod1/eth0\" }';"
	           "nft add element inet plumb hairpin6 '{ fd00:1::2 . br0 comment \"net/pod1/eth0\" }';"
	           "nft add chain inet plumb masq_10.1.2.0/24; nft add rule inet plumb masq_10.1.2.0/24 ip daddr 10.1.2.0/24 return;"
	           " nft add rule inet plumb masq_10.1.2.0/24 masquerade;"
	           "nft add element inet plumb masq4 '{ 10.1.2.2 comment \"net/pod1/eth0\" : goto masq_10.1.2.0/24 }'");
	return told;
}

TEST(ruleset_of_an_older_edition_is_upgraded)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = old_table(&w), *two;

	serve_both("pod1", NULL, 80);
	tcp_serve("lan", NULL, 80);
	expect_contains(sh("host", "nft list table inet plumb"), "plumb ruleset 1");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	two = publish(&w, "bridge", "pod2", conf_set(portmap, "conditionsV4", "['iifname lan0']"), "8181:80/tcp");
	expect_contains(sh("host", "nft list table inet plumb"), "chain edition_4 {");
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("lan", "192.0.2.1", 8181), "pod2 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(udp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask("lan", "2001:db8:1::1", 8080), "pod1 saw 2001:db8:1::2");
	expect_contains(tcp_ask("host", "127.0.0.1", 8080), "pod1 saw ");
	expect_contains(tcp_ask("pod1", "192.0.2.1", 8080), "pod1 saw ");
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	expect_ok(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", told));
	detach(&w, "bridge", "pod1");
	expect_ok(plugin(&w, "portmap", "DEL", "pod2", "eth0", two));
	detach(&w, "bridge", "pod2");
	expect_untouched(&w, LEFT_OVER, "nft inet plumb: comment *");
}

/* A connection that is open meanwhile stays so. */
TEST(ruleset_upgrade_keeps_connections)
{
	struct world w = world_begin("pod1 pod2 lan");

	old_table(&w);
	udp_serve("pod1", NULL, 80);
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	publish(&w, "bridge", "pod2", portmap, "8181:80/tcp");
	expect_contains(sh("host", "nft list table inet plumb"), "chain edition_4 {");
	expect_text(udp_ask_from("lan", 5555, "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
}

/* CHECK and STATUS only look. */
TEST(ruleset_of_an_older_edition_is_not_upgraded_by_check)
{
	struct world w = world_begin("pod1 lan");
	const char *told = old_table(&w), *before = ruleset_in("host");

	plugin(&w, "portmap", "CHECK", "pod1", "eth0", told);
	expect_text(ruleset_in("host"), before);
}

TEST(ruleset_of_a_newer_edition_is_refused)
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = publish(&w, "bridge", "pod1", portmap, "8080:80/tcp"), *two = with_ports(with_prev(portmap, attach(&w, "bridge", "pod2")),
	        "8181:80/tcp"), *before;
	struct answer a;

	sh("host", "nft -s list ruleset | sed 's/edition_4/edition_99/' > /run/newer; nft delete table inet plumb; nft -f /run/newer");
	before = ruleset_in("host");
	a = expect_error(plugin(&w, "portmap", "ADD", "pod2", "eth0", two), 999, "edition 99");
	expect_contains(json_at(a, "details"), "nothing was changed");
	expect_error(plugin(&w, "portmap", "DEL", "pod1", "eth0", told), 999, "edition 99");
	expect_error(plugin(&w, "portmap", "CHECK", "pod1", "eth0", told), 999, "edition 99");
	expect_error(call(.plugin = "portmap", .verb = "GC", .conf = conf_set(portmap, "cni.dev/valid-attachments", "[]")), 999, "edition 99");
	expect_text(ruleset_in("host"), before);
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
