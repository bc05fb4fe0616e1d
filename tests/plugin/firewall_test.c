/* firewall: who may talk to a container, and whom it may talk to. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

/* ---- Networks with a policy, and containers on them ---- */

/* A bridge of its own, 10.NUMBER.0.0/24 and fd00:NUMBER::/64; the first container is .2 and ::2. The policy is members of firewall's configuration. */
struct net {
	const char *name;
	int         number;
	const char *policy;
};

static const char *bridge_of(const struct net *n)
{
	return json("{'cniVersion': '1.1.0', 'name': '%s', 'type': 'bridge', 'bridge': 'br%d', 'isDefaultGateway': true, 'ipMasq': true,"
	            " 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.%d.0.0/24'}], [{'subnet': 'fd00:%d::/64'}]]}}",
	            n->name, n->number, n->number, n->number);
}

static const char *firewall_of(const struct net *n)
{
	return json_quotes(keep("{'cniVersion': '1.1.0', 'name': '%s', 'type': 'firewall'%s%s}", n->name, *n->policy ? ", " : "", n->policy));
}

/* Both protocols at an address, so that UDP's answers come from where they were asked. */
static void serve_at(const char *where, const char *address, int port)
{
	tcp_serve(where, address, port);
	udp_serve(where, address, port);
}

/* For the test's length; a container may come again. */
static void serve_once(const char *pod)
{
	static const char *served = " ";

	if (strstr(served, keep(" %s ", pod)))
		return;
	served = keep("%s%s ", served, pod);
	serve_at(pod, NULL, 80);
}

/* The container serves port 80, too. Returns what firewall was told for it. */
static const char *join(struct world *w, const struct net *n, const char *pod)
{
	struct answer a = expect_ok(plugin(w, "bridge", "ADD", pod, "eth0", bridge_of(n)));
	const char *told = with_prev(firewall_of(n), a);

	note("%s on %s, %s", pod, n->name, n->policy);
	expect_result(expect_ok(plugin(w, "firewall", "ADD", pod, "eth0", told)), json_dumps(a.json, 0));
	serve_once(pod);
	return told;
}

static void leave(struct world *w, const struct net *n, const char *pod, const char *told)
{
	expect_ok(plugin(w, "firewall", "DEL", pod, "eth0", told));
	expect_ok(plugin(w, "bridge", "DEL", pod, "eth0", bridge_of(n)));
}

static void publish(struct world *w, const char *pod, const char *told, const char *port)
{
	const char *conf = conf_set(conf_set(told, "type", "'portmap'"), "runtimeConfig",
	                            keep("{'portMappings': [{'hostPort': %s, 'containerPort': 80}, {'hostPort': %s, 'containerPort': 80, 'protocol': 'udp'}]}", port, port));

	expect_ok(plugin(w, "portmap", "ADD", pod, "eth0", conf));
}

/* The LAN machine knows its way to a network, as one of an attacker or of a routed network does. */
static void lan_knows(int number)
{
	sh("lan", "ip route add 10.%d.0.0/24 via 192.0.2.1; ip route add fd00:%d::/64 via 2001:db8:1::1", number, number);
}

static void lan_serves(void)
{
	serve_at("lan", "192.0.2.2", 80);
	serve_at("lan", "2001:db8:1::2", 80);
}

static void host_serves(void)
{
	serve_at("host", "192.0.2.1", 7000);
	serve_at("host", "2001:db8:1::1", 7000);
}

#define LEFT_OF(number_text, network) STORE_STAYS(network), FORWARDING_STAYS, BRIDGE_STAYS("br" number_text), RULESET_STAYS

/* ---- What passes, what does not ---- */

static void passes_to(const char *from, const char *who, const char *address, int port)
{
	const char *want = keep("%s saw ", who);

	expect_contains(tcp_ask(from, address, port), want);
	expect_contains(udp_ask(from, address, port), want);
}

static void cut_to(const char *from, const char *address, int port)
{
	expect_text(tcp_ask_briefly(from, address, port), "timeout");
	expect_text(ask_("udp", from, 0, address, port, BRIEFLY), "timeout");
}

/* By both families: container HOST of network NUMBER. */
static void passes_(const char *from, const char *who, int number, int host)
{
	passes_to(from, who, keep("10.%d.0.%d", number, host), 80);
	passes_to(from, who, keep("fd00:%d::%d", number, host), 80);
	expect_text(ping(from, keep("10.%d.0.%d", number, host)), "answers");
	expect_text(ping(from, keep("fd00:%d::%d", number, host)), "answers");
}

static void cut_(const char *from, int number, int host)
{
	cut_to(from, keep("10.%d.0.%d", number, host), 80);
	cut_to(from, keep("fd00:%d::%d", number, host), 80);
	expect_text(ping_briefly(from, keep("10.%d.0.%d", number, host)), "timeout");
	expect_text(ping_briefly(from, keep("fd00:%d::%d", number, host)), "timeout");
}

#define passes(...)     AT_(passes_(__VA_ARGS__))
#define cut(...)        AT_(cut_(__VA_ARGS__))

/* To the LAN machine, and to a port of the host's own by both of its addresses there. */
static void passes_to_lan_(const char *from)
{
	passes_to(from, "lan", "192.0.2.2", 80);
	passes_to(from, "lan", "2001:db8:1::2", 80);
}

static void cut_to_lan_(const char *from)
{
	cut_to(from, "192.0.2.2", 80);
	cut_to(from, "2001:db8:1::2", 80);
}

static void passes_to_host_(const char *from)
{
	passes_to(from, "host", "192.0.2.1", 7000);
	passes_to(from, "host", "2001:db8:1::1", 7000);
}

static void cut_to_host_(const char *from)
{
	cut_to(from, "192.0.2.1", 7000);
	cut_to(from, "2001:db8:1::1", 7000);
}

#define passes_to_lan(from)     AT_(passes_to_lan_(from))
#define cut_to_lan(from)        AT_(cut_to_lan_(from))
#define passes_to_host(from)    AT_(passes_to_host_(from))
#define cut_to_host(from)       AT_(cut_to_host_(from))

static void passes_published_(const char *from, const char *who, int port)
{
	passes_to(from, who, "192.0.2.1", port);
	passes_to(from, who, "2001:db8:1::1", port);
}

static void cut_published_(const char *from, int port)
{
	cut_to(from, "192.0.2.1", port);
	cut_to(from, "2001:db8:1::1", port);
}

#define passes_published(...)   AT_(passes_published_(__VA_ARGS__))
#define cut_published(...)      AT_(cut_published_(__VA_ARGS__))

/* Both ways of a frame between two ports of a bridge: by the rules, where br_netfilter is on, and by the bridge alone. */
static const char *const bridge_netfilter[] = { "on", "off", NULL };

static void bridge_netfilter_put(const char *state)
{
	const char *value = !strcmp(state, "on") ? "1" : "0";

	if (!strcmp(sysctl_in("host", "net/bridge/bridge-nf-call-iptables"), "absent"))
		skip("this kernel has no br_netfilter, or it is not loaded");
	sysctl_put("host", "net/bridge/bridge-nf-call-iptables", value);
	sysctl_put("host", "net/bridge/bridge-nf-call-ip6tables", value);
}

/* ---- ingressPolicy ---- */

/* Without a policy there is nothing of the container in nftables. */
static const char *const nothing[] = { "", "'ingressPolicy': 'open'", "'ingressPolicy': ''", "'unpublishedPorts': 'accept', 'internal': false, 'egressDeny': [], 'logDrops': true", NULL };

TEST_EACH(firewall_open_is_no_policy, nothing, policy)
{
	struct net n = { "net", 1, policy };
	struct world w = world_begin("pod1 lan");
	struct answer a = expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n)));
	const char *told = with_prev(firewall_of(&n), a);

	lan_knows(1);
	lan_serves();
	host_serves();
	serve_once("pod1");
	world_settled(&w);
	expect_result(expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told)), json_dumps(a.json, 0));
	expect_untouched(&w);
	passes("lan", "pod1", 1, 2);
	passes_to_lan("pod1");
	passes_to_host("pod1");
	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
	expect_untouched(&w);
}

TEST_EACH(firewall_same_bridge_keeps_networks_apart, bridge_netfilter, state)
{
	struct net a = { "a", 1, "'ingressPolicy': 'same-bridge'" }, b = { "b", 2, "'ingressPolicy': 'same-bridge'" }, open = { "open", 3, "" };
	struct world w = world_begin("pod1 pod2 pod3 pod4 lan");

	bridge_netfilter_put(state);
	join(&w, &a, "pod1");
	join(&w, &b, "pod2");
	join(&w, &open, "pod3");
	join(&w, &a, "pod4");
	lan_knows(1);
	lan_serves();
	host_serves();
	passes("pod1", "pod4", 1, 3);                   /* its own network */
	cut("pod1", 2, 2);
	cut("pod2", 1, 2);
	passes("pod3", "pod1", 1, 2);                   /* an open one, both ways */
	passes("pod1", "pod3", 3, 2);
	passes("lan", "pod1", 1, 2);
	passes("host", "pod1", 1, 2);
	passes_to_lan("pod1");
	passes_to_host("pod1");
}

/* The other networks' containers may have come before or after. */
TEST(firewall_same_bridge_in_any_order)
{
	struct net a = { "a", 1, "'ingressPolicy': 'same-bridge'" }, b = { "b", 2, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1 pod2");
	const char *told = join(&w, &a, "pod1");

	join(&w, &b, "pod2");
	leave(&w, &a, "pod1", told);
	join(&w, &a, "pod1");                           /* 10.1.0.3 now */
	cut("pod2", 1, 3);
	cut("pod1", 2, 2);
}

TEST_EACH(firewall_isolated_reaches_not_even_its_own_network, bridge_netfilter, state)
{
	struct net a = { "a", 1, "'ingressPolicy': 'isolated'" }, b = { "b", 2, "'ingressPolicy': 'same-bridge'" }, open = { "open", 3, "" };
	struct world w = world_begin("pod1 pod2 pod3 pod4 lan");

	bridge_netfilter_put(state);
	join(&w, &a, "pod1");
	join(&w, &a, "pod2");
	join(&w, &b, "pod3");
	join(&w, &open, "pod4");
	lan_serves();
	host_serves();
	cut_to("pod1", "10.1.0.3", 80);
	expect_text(ping_briefly("pod2", "10.1.0.2"), "timeout");
	expect(strcmp(tcp_ask_briefly("pod1", "fd00:1::3", 80), "pod2 saw fd00:1::2") != 0);
	expect(strcmp(ping_briefly("pod2", "fd00:1::2"), "answers") != 0);
	cut("pod3", 1, 2);
	cut("pod1", 2, 2);
	passes("pod4", "pod1", 1, 2);
	passes("host", "pod1", 1, 2);
	passes_to_lan("pod1");
	passes_to_host("pod1");
}

/* By the router, too: two containers that each know the other by a host route only. */
TEST(firewall_isolated_is_so_by_the_router_too)
{
	struct net a = { "a", 1, "'ingressPolicy': 'isolated'" };
	struct world w = world_begin("pod1 pod2");

	join(&w, &a, "pod1");
	join(&w, &a, "pod2");
	sh("pod1", "ip route add 10.1.0.3/32 via 10.1.0.1; ip route add fd00:1::3/128 via fd00:1::1");
	sh("pod2", "ip route add 10.1.0.2/32 via 10.1.0.1; ip route add fd00:1::2/128 via fd00:1::1");
	cut("pod1", 1, 3);
	cut("pod2", 1, 2);
}

/* What is published is meant for all. */
static void published_for_all(const char *policy, const char *state)
{
	struct net a = { "a", 1, keep("'ingressPolicy': '%s'", policy) }, b = { "b", 2, a.policy };
	struct world w = world_begin("pod1 pod2 pod3 lan");

	bridge_netfilter_put(state);
	publish(&w, "pod1", join(&w, &a, "pod1"), "8080");
	join(&w, &b, "pod2");
	join(&w, &a, "pod3");
	cut("pod2", 1, 2);
	passes_published("pod2", "pod1", 8080);
	passes_published("lan", "pod1", 8080);
	passes_published("host", "pod1", 8080);
	passes_published("pod3", "pod1", 8080);
	passes_published("pod1", "pod1", 8080);
}

TEST_EACH(firewall_published_ports_of_same_bridge_are_for_all, bridge_netfilter, state) { published_for_all("same-bridge", state); }
TEST_EACH(firewall_published_ports_of_isolated_are_for_all, bridge_netfilter, state)    { published_for_all("isolated", state); }

/* A link of its own for each container: they are apart by being of such a network. */
/* A runtime's CHECK goes through the whole list. */
TEST_EACH(firewall_isolated_leaves_bridge_content, bridge_netfilter, state)
{
	static const char bridge[] = "{'cniVersion': '1.1.0', 'name': 'a', 'type': 'bridge', 'bridge': 'br1', 'isGateway': true,"
		" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24'}], [{'subnet': 'fd00:1::/64'}]]}}";
	struct net a = { "a", 1, "'ingressPolicy': 'isolated'" };
	struct world w = world_begin("pod1");
	struct answer made;

	bridge_netfilter_put(state);
	made = expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge));
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", with_prev(firewall_of(&a), made)));
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(bridge, made)));
}

TEST(firewall_isolated_behind_ptp)
{
	static const char ptp[] = "{'cniVersion': '1.1.0', 'name': 'a', 'type': 'ptp', 'ipMasq': true,"
		" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24'}], [{'subnet': 'fd00:1::/64'}]], 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}}";
	struct net a = { "a", 1, "'ingressPolicy': 'isolated'" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *told[2];

	for (int i = 0; i < 2; i++) {
		const char *pod = keep("pod%d", i + 1);

		told[i] = with_prev(firewall_of(&a), expect_ok(plugin(&w, "ptp", "ADD", pod, "eth0", ptp)));
		expect_ok(plugin(&w, "firewall", "ADD", pod, "eth0", told[i]));
		serve_once(pod);
	}
	lan_serves();
	cut("pod1", 1, 3);
	cut("pod2", 1, 2);
	passes_to_lan("pod1");
	for (int i = 0; i < 2; i++) {
		expect_ok(plugin(&w, "firewall", "CHECK", keep("pod%d", i + 1), "eth0", told[i]));
		expect_ok(plugin(&w, "firewall", "DEL", keep("pod%d", i + 1), "eth0", told[i]));
		expect_ok(plugin(&w, "ptp", "DEL", keep("pod%d", i + 1), "eth0", ptp));
	}
	expect_untouched(&w, STORE_STAYS("a"), FORWARDING_STAYS, RULESET_STAYS);
}

/* ---- internal ---- */

TEST_EACH(firewall_internal_knows_no_outside, bridge_netfilter, state)
{
	struct net in = { "in", 1, "'internal': true" }, open = { "open", 2, "" };
	struct world w = world_begin("pod1 pod2 pod3 lan");

	bridge_netfilter_put(state);
	publish(&w, "pod1", join(&w, &in, "pod1"), "8080");
	join(&w, &in, "pod2");
	publish(&w, "pod3", join(&w, &open, "pod3"), "9090");
	lan_knows(1);
	lan_serves();
	host_serves();
	passes("pod1", "pod2", 1, 3);
	passes("pod2", "pod1", 1, 2);
	cut_to_lan("pod1");
	cut("lan", 1, 2);
	cut("pod3", 1, 2);
	cut("pod1", 2, 2);
	cut_published("lan", 8080);
	cut_published("pod3", 8080);
	cut_published("pod1", 9090);                    /* what others publish is outside */
	passes_published("lan", "pod3", 9090);
	passes_published("host", "pod1", 8080);         /* the host is not */
	passes("host", "pod1", 1, 2);
	passes_to_host("pod1");
	serve_at("host", "10.1.0.1", 7000);
	passes_to("pod1", "host", "10.1.0.1", 7000);
}

TEST(firewall_internal_and_the_host_out_of_reach)
{
	struct net in = { "in", 1, "'internal': true, 'hostReachable': false" };
	struct world w = world_begin("pod1 pod2 lan");

	join(&w, &in, "pod1");
	join(&w, &in, "pod2");
	lan_serves();
	host_serves();
	serve_at("host", "10.1.0.1", 7000);
	serve_at("host", "fd00:1::1", 7000);
	cut_to_host("pod1");
	cut_to("pod1", "10.1.0.1", 7000);
	cut_to("pod1", "fd00:1::1", 7000);
	expect_text(ping_briefly("pod1", "10.1.0.1"), "timeout");
	cut_to_lan("pod1");
	passes("pod1", "pod2", 1, 3);
	passes("host", "pod1", 1, 2);                   /* which may ask, and gets its answers */
	sh("pod1", "ip neighbour flush all; true");
	sh("host", "ip neighbour flush all; true");
	passes("host", "pod1", 1, 2);
}

/* Link-local addresses need nobody's leave to be used. */
TEST(firewall_the_host_is_out_of_reach_by_link_local_addresses_too)
{
	struct net in = { "in", 1, "'internal': true, 'hostReachable': false" }, open = { "open", 2, "" };
	struct world w = world_begin("pod1 pod2");

	join(&w, &in, "pod1");
	join(&w, &open, "pod2");
	for (int number = 1; number <= 2; number++)
		sh("host", "ip address add fe80::77/64 dev br%d nodad", number);
	expect(sh_try("pod2", "ping -6 -c 1 -W 1 fe80::77%%eth0"));
	expect(!sh_try("pod1", "ping -6 -c 1 -W 1 fe80::77%%eth0"));
}

/* Who may change addresses in the container must not get out by that. */
TEST(firewall_internal_whatever_address_the_container_gives_itself)
{
	struct net in = { "in", 1, "'internal': true, 'hostReachable': false" };
	struct world w = world_begin("pod1 lan");

	join(&w, &in, "pod1");
	lan_knows(1);
	lan_serves();
	host_serves();
	sh("pod1", "ip address add 10.1.0.99/24 dev eth0; ip address add fd00:1::99/64 dev eth0 nodad;"
	           "ip route replace default via 10.1.0.1 src 10.1.0.99; ip -6 route replace default via fd00:1::1 src fd00:1::99");
	cut_to_lan("pod1");
	cut_to_host("pod1");
}

/* ---- Egress lists ---- */

TEST(firewall_egress_deny)
{
	struct net n = { "net", 1, "'egressDeny': ['192.0.2.2', '2001:db8:1::/64', '10.3.0.0/24']" }, near = { "near", 2, "" }, far = { "far", 3, "" };
	struct world w = world_begin("pod1 pod2 pod3 pod4 lan");

	join(&w, &n, "pod1");
	join(&w, &n, "pod2");
	join(&w, &near, "pod3");
	publish(&w, "pod4", join(&w, &far, "pod4"), "9090");
	sh("lan", "ip address add 192.0.2.3/24 dev eth0; ip address add 2001:db8:2::2/64 dev eth0 nodad");
	lan_serves();
	serve_at("lan", "192.0.2.3", 80);
	serve_at("lan", "2001:db8:2::2", 80);
	lan_knows(1);
	cut_to_lan("pod1");
	passes_to("pod1", "lan", "192.0.2.3", 80);
	passes_to("pod1", "lan", "2001:db8:2::2", 80);
	passes("pod1", "pod2", 1, 3);
	passes("pod1", "pod3", 2, 2);
	cut_to("pod1", "10.3.0.2", 80);
	passes_to("pod1", "pod4", "fd00:3::2", 80);
	cut_to("pod1", "192.0.2.1", 9090);              /* a published port leads to what is denied */
	passes("lan", "pod1", 1, 2);                    /* answers are no egress */
	passes("host", "pod1", 1, 2);
}

TEST(firewall_egress_allow)
{
	struct net n = { "net", 1, "'egressAllow': ['192.0.2.2/32', 'fd00:2::/64']" }, other = { "other", 2, "" };
	struct world w = world_begin("pod1 pod2 pod3 lan");

	join(&w, &n, "pod1");
	join(&w, &n, "pod2");
	join(&w, &other, "pod3");
	sh("lan", "ip address add 192.0.2.3/24 dev eth0");
	lan_serves();
	serve_at("lan", "192.0.2.3", 80);
	lan_knows(1);
	host_serves();
	passes_to("pod1", "lan", "192.0.2.2", 80);
	cut_to("pod1", "192.0.2.3", 80);
	cut_to("pod1", "2001:db8:1::2", 80);
	passes_to("pod1", "pod3", "fd00:2::2", 80);
	cut_to("pod1", "10.2.0.2", 80);
	cut_to_host("pod1");                            /* not on the list */
	passes("pod1", "pod2", 1, 3);
	passes("lan", "pod1", 1, 2);
}

TEST(firewall_egress_allow_nothing)
{
	struct net n = { "net", 1, "'egressAllow': []" };
	struct world w = world_begin("pod1 pod2 lan");

	join(&w, &n, "pod1");
	join(&w, &n, "pod2");
	lan_serves();
	lan_knows(1);
	host_serves();
	cut_to_lan("pod1");
	cut_to_host("pod1");
	passes("pod1", "pod2", 1, 3);
	passes("lan", "pod1", 1, 2);
}

/* What is denied is so though the other list has it. */
TEST(firewall_egress_deny_before_allow)
{
	struct net n = { "net", 1, "'egressAllow': ['192.0.2.0/24', 'host'], 'egressDeny': ['192.0.2.3']" };
	struct world w = world_begin("pod1 lan");

	join(&w, &n, "pod1");
	sh("lan", "ip address add 192.0.2.3/24 dev eth0");
	lan_serves();
	serve_at("lan", "192.0.2.3", 80);
	host_serves();
	passes_to("pod1", "lan", "192.0.2.2", 80);
	cut_to("pod1", "192.0.2.3", 80);
	passes_to_host("pod1");
}

TEST(firewall_egress_host)
{
	struct net n = { "net", 1, "'egressDeny': ['host']" };
	struct world w = world_begin("pod1 pod2 lan");

	join(&w, &n, "pod1");
	join(&w, &n, "pod2");
	lan_serves();
	host_serves();
	serve_at("host", "10.1.0.1", 7000);
	serve_at("host", "fd00:1::1", 7000);
	cut_to_host("pod1");
	cut_to("pod1", "10.1.0.1", 7000);
	cut_to("pod1", "fd00:1::1", 7000);
	passes_to_lan("pod1");
	passes("pod1", "pod2", 1, 3);
	passes("host", "pod1", 1, 2);
}

static const char *const metadata[] = { "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", NULL };

/* The LAN machine has them too, and serves there. */
static void lan_has(const char *const *addresses)
{
	for (; *addresses; addresses++) {
		sh("lan", "ip address add %s/%d dev eth0 %s", *addresses, strchr(*addresses, ':') ? 128 : 32, strchr(*addresses, ':') ? "nodad" : "");
		serve_at("lan", *addresses, 80);
	}
}

TEST(firewall_egress_metadata)
{
	struct net n = { "net", 1, "'egressDeny': ['metadata']" }, open = { "open", 2, "" };
	struct world w = world_begin("pod1 pod2 lan");

	join(&w, &n, "pod1");
	join(&w, &open, "pod2");
	lan_has(metadata);
	lan_serves();
	for (const char *const *at = metadata; *at; at++) {
		note("%s", *at);
		expect_contains(tcp_ask("pod2", *at, 80), "lan saw ");
		cut_to("pod1", *at, 80);
	}
	passes_to_lan("pod1");
}

/* Of clouds and of their agents: the server may be on this very host, where it is no forwarded traffic. */
TEST(firewall_egress_metadata_of_the_host)
{
	struct net n = { "net", 1, "'egressDeny': ['metadata']" };
	struct world w = world_begin("pod1 lan");

	join(&w, &n, "pod1");
	host_serves();
	sh("host", "ip address add 169.254.169.254/32 dev lo; ip address add fd00:ec2::254/128 dev lo nodad");
	serve_at("host", "169.254.169.254", 7000);
	serve_at("host", "fd00:ec2::254", 7000);
	cut_to("pod1", "169.254.169.254", 7000);
	cut_to("pod1", "fd00:ec2::254", 7000);
	passes_to_host("pod1");
}

static const char *const private_addresses[] = { "10.200.0.1", "172.20.0.1", "192.168.7.1", "100.64.1.1", "fd77::1", NULL };
static const char *const public_addresses[] = { "172.32.0.1", "192.169.0.1", "2001:db8:7::1", NULL };

TEST(firewall_egress_lan)
{
	struct net n = { "net", 1, "'egressDeny': ['lan']" };
	struct world w = world_begin("pod1 pod2 lan");

	join(&w, &n, "pod1");
	join(&w, &n, "pod2");
	lan_has(private_addresses);
	lan_has(public_addresses);
	lan_serves();
	for (const char *const *at = private_addresses; *at; at++) {
		note("%s", *at);
		expect_contains(tcp_ask("host", *at, 80), "lan saw ");
		cut_to("pod1", *at, 80);
	}
	for (const char *const *at = public_addresses; *at; at++)
		passes_to("pod1", "lan", *at, 80);
	passes_to_lan("pod1");
	passes("pod1", "pod2", 1, 3);                   /* its own network is a private one, and no egress */
}

TEST(firewall_drops_are_logged)
{
	struct net n = { "net", 1, "'egressDeny': ['192.0.2.2'], 'ingressPolicy': 'same-bridge', 'logDrops': true" };
	struct world w = world_begin("pod1 lan");

	join(&w, &n, "pod1");
	lan_serves();
	expect_contains(ruleset_in("host"), "ip daddr 192.0.2.2 log prefix \"plumb net drop: \" drop");
	expect_contains(ruleset_in("host"), "ip saddr @apart4 log prefix \"plumb net drop: \" drop");
	cut_to("pod1", "192.0.2.2", 80);
}

static int kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		skip("the kernel's log cannot be read: %s", strerror(errno));
	return fd;
}

/* Whether a line with the words has come, within a second. One read is one line. */
static bool is_logged(int fd, const char *words, const char *also)
{
	char line[4096];

	for (int tries = 0; tries < 100; tries++) {
		ssize_t n = read(fd, line, sizeof line - 1);

		if (n < 0)
			poll(NULL, 0, 10);
		line[n > 0 ? n : 0] = '\0';
		if (strstr(line, words) && strstr(line, also))
			return true;
	}
	return false;
}

/* A rule that nft itself has written tells whether what happens in a namespace is logged at all. */
TEST(firewall_drops_are_in_the_kernels_log)
{
	struct net n = { "net", 1, "'egressDeny': ['192.0.2.2', 'host'], 'unpublishedPorts': 'drop', 'logDrops': true" };
	struct world w = world_begin("pod1 lan");
	int log = kernel_log();

	sh("host", "nft 'table inet mine { chain input { type filter hook input priority 0; tcp dport 7001 log prefix \"of nft: \"; }; }'");
	tcp_ask_briefly("lan", "192.0.2.1", 7001);
	if (!is_logged(log, "of nft: ", "DPT=7001"))
		skip("the kernel logs nothing of namespaces but the first: net.netfilter.nf_log_all_netns is 0, or it has no nf_log_syslog");
	join(&w, &n, "pod1");
	lan_serves();
	lan_knows(1);
	host_serves();
	cut_to("pod1", "192.0.2.2", 80);
	expect(is_logged(log, "plumb net drop: ", "DST=192.0.2.2 "));
	cut_to("pod1", "10.1.0.1", 7000);
	expect(is_logged(log, "plumb net drop: ", "DST=10.1.0.1 "));
	cut_to("lan", "fd00:1::2", 80);
	expect(is_logged(log, "plumb net drop: ", "DST=fd00:0001:0000:0000:0000:0000:0000:0002 "));
	passes_to("pod1", "lan", "2001:db8:1::2", 80);
	expect(!is_logged(log, "plumb net drop: ", "DST=2001:0db8"));
}

/* ---- SCTP: a handshake's beginning, by raw sockets ---- */

TEST(firewall_judges_sctp_alike)
{
	struct net n = { "net", 1, "'ingressPolicy': 'same-bridge', 'unpublishedPorts': 'drop', 'egressDeny': ['192.0.2.2']" },
	           apart = { "apart", 2, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *told = join(&w, &n, "pod1"), *conf = conf_set(conf_set(told, "type", "'portmap'"), "runtimeConfig",
	                   "{'portMappings': [{'hostPort': 8080, 'containerPort': 80, 'protocol': 'sctp'}]}");

	join(&w, &n, "pod2");
	join(&w, &apart, "pod3");
	lan_knows(1);
	sctp_serve("pod1", NULL, 80);
	sctp_serve("lan", "192.0.2.2", 80);
	expect_text(sctp_ask("pod2", "10.1.0.2", 80), "pod1 saw 10.1.0.3");
	expect_text(ask_("sctp", "pod3", 0, "10.1.0.2", 80, BRIEFLY), "timeout");
	expect_text(ask_("sctp", "lan", 0, "10.1.0.2", 80, BRIEFLY), "timeout");
	expect_ok(plugin(&w, "portmap", "ADD", "pod1", "eth0", conf));
	expect_text(sctp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	expect_contains(sctp_ask("pod3", "192.0.2.1", 8080), "pod1 saw ");
	expect_text(ask_("sctp", "pod1", 0, "192.0.2.2", 80, BRIEFLY), "timeout");
	expect_contains(sctp_ask("pod3", "192.0.2.2", 80), "lan saw ");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf));
	leave(&w, &n, "pod1", told);
}

/* ---- unpublishedPorts ---- */

TEST_EACH(firewall_unpublished_ports, bridge_netfilter, state)
{
	struct net n = { "net", 1, "'unpublishedPorts': 'drop'" }, open = { "open", 2, "" };
	struct world w = world_begin("pod1 pod2 pod3 lan");

	bridge_netfilter_put(state);
	publish(&w, "pod1", join(&w, &n, "pod1"), "8080");
	join(&w, &n, "pod2");
	join(&w, &open, "pod3");
	tcp_serve("pod1", NULL, 81);
	lan_knows(1);
	lan_serves();
	host_serves();
	cut("lan", 1, 2);
	cut_to("lan", "10.1.0.2", 81);
	passes_published("lan", "pod1", 8080);
	cut("pod3", 1, 2);
	passes_published("pod3", "pod1", 8080);
	passes_published("pod2", "pod1", 8080);
	passes("pod2", "pod1", 1, 2);
	passes("host", "pod1", 1, 2);
	passes_to_lan("pod1");
	passes_to_host("pod1");
	passes("pod1", "pod3", 2, 2);
}

/* ---- Chains of the admin ---- */

TEST(firewall_rules_of_the_admin)
{
	struct net n = { "net", 1, "'unpublishedPorts': 'drop'" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *told = join(&w, &n, "pod1"), *other, *rules;

	publish(&w, "pod1", told, "8080");
	lan_knows(1);
	lan_serves();
	cut("lan", 1, 2);
	sh("host", "nft add rule inet plumb CNI-ADMIN ip saddr 192.0.2.2 ip daddr 10.1.0.2 udp dport 80 accept;"
	           "nft add rule inet plumb CNI-ADMIN ip6 saddr 2001:db8:1::2 tcp dport 80 drop");
	rules = sh("host", "nft list chain inet plumb CNI-ADMIN");
	expect_text(udp_ask("lan", "10.1.0.2", 80), "pod1 saw 192.0.2.2");
	expect_text(tcp_ask_briefly("lan", "10.1.0.2", 80), "timeout");
	expect_text(tcp_ask_briefly("lan", "2001:db8:1::1", 8080), "timeout");
	expect_text(tcp_ask("lan", "192.0.2.1", 8080), "pod1 saw 192.0.2.2");
	other = join(&w, &n, "pod2");
	expect_text(sh("host", "nft list chain inet plumb CNI-ADMIN"), rules);
	leave(&w, &n, "pod2", other);
	leave(&w, &n, "pod1", told);
	expect_text(sh("host", "nft list chain inet plumb CNI-ADMIN"), rules);
	expect_ok(call(.plugin = "firewall", .verb = "GC", .conf = conf_set(firewall_of(&n), "cni.dev/valid-attachments", "[]")));
	sh("host", "%s/plumb-ruleset inet", bin_dir());
	expect_text(sh("host", "nft list chain inet plumb CNI-ADMIN"), rules);
	expect(strstr(rules, "192.0.2.2") != NULL);
}

TEST(firewall_admin_chain_of_a_network)
{
	struct net n = { "net", 1, "'iptablesAdminChainName': 'MY-ADMIN'" }, other = { "other", 2, "" };
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *told = join(&w, &n, "pod1"), *rules;

	join(&w, &other, "pod2");
	lan_knows(1);
	lan_knows(2);
	lan_serves();
	passes("lan", "pod1", 1, 2);
	sh("host", "nft add rule inet plumb MY-ADMIN ip saddr 192.0.2.2 drop; nft add rule inet plumb MY-ADMIN ip6 daddr 2001:db8:1::2 drop");
	cut_to("lan", "10.1.0.2", 80);
	passes("lan", "pod2", 2, 2);
	passes_to("pod1", "lan", "192.0.2.2", 80);
	cut_to("pod1", "2001:db8:1::2", 80);
	rules = sh("host", "nft list chain inet plumb MY-ADMIN");
	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told));
	leave(&w, &n, "pod1", told);
	expect_text(sh("host", "nft list chain inet plumb MY-ADMIN"), rules);
	join(&w, &n, "pod1");
	expect_text(sh("host", "nft list chain inet plumb MY-ADMIN"), rules);
	cut_to("lan", "10.1.0.3", 80);
}

/* ---- DEL, whatever is known ---- */

static const char all[] = "'ingressPolicy': 'isolated', 'internal': true, 'hostReachable': false, 'unpublishedPorts': 'drop', 'egressAllow': ['10.0.0.0/8'],"
                          " 'egressDeny': ['metadata'], 'logDrops': true";

static const char *const policies[] = {
	"'ingressPolicy': 'same-bridge'", "'ingressPolicy': 'isolated'", "'internal': true", "'internal': true, 'hostReachable': false", "'egressAllow': ['lan']",
	"'egressDeny': ['lan', 'host', 'metadata']", "'unpublishedPorts': 'drop'", all, NULL,
};

TEST_EACH(firewall_del_leaves_nothing, policies, policy)        /* DEL-1, DEL-4 */
{
	struct net n = { "net", 1, policy };
	struct world w = world_begin("pod1 pod2");
	const char *one = join(&w, &n, "pod1"), *two = join(&w, &n, "pod2");

	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", one));
	leave(&w, &n, "pod1", one);
	expect_ok(plugin(&w, "firewall", "CHECK", "pod2", "eth0", two));
	leave(&w, &n, "pod2", two);
	expect_ok(plugin(&w, "firewall", "DEL", "pod2", "eth0", two));
	expect_untouched(&w, LEFT_OF("1", "net"));
}

static const char *const knowledge[] = { "everything", "another policy", "no policy", "no result", "nothing", NULL };

TEST_EACH(firewall_del_knowing, knowledge, known)       /* DEL-2, DEL-3 */
{
	struct net n = { "net", 1, all }, none = { "net", 1, "" };
	struct world w = world_begin("pod1 pod2");
	const char *told = join(&w, &n, "pod1"), *other = join(&w, &n, "pod2");

	if (!strcmp(known, "another policy"))
		told = conf_set(conf_set(conf_set(told, "ingressPolicy", "'same-bridge'"), "internal", "false"), "egressAllow", "['wrong']");
	if (!strcmp(known, "no policy"))
		told = conf_set(firewall_of(&none), "prevResult", json_dumps(json_object_get(json_loads(told, 0, NULL), "prevResult"), 0));
	if (!strcmp(known, "no result"))
		told = firewall_of(&n);
	if (!strcmp(known, "nothing"))
		told = firewall_of(&none);
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", bridge_of(&n)));
	sh("host", "ip netns delete pod1");
	for (int i = 0; i < 2; i++)
		expect_ok(call(.plugin = "firewall", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = told));
	expect(!strstr(ruleset_in("host"), "net/pod1/eth0"));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod2", "eth0", other));
	leave(&w, &n, "pod2", other);
	expect(!strstr(ruleset_in("host"), "chain to_") && !strstr(ruleset_in("host"), "chain from_") && !strstr(ruleset_in("host"), "chain host_"));
}

TEST(firewall_del_without_add)                          /* DEL-5 */
{
	struct net n = { "net", 1, all };
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", firewall_of(&n)));
	expect_untouched(&w, RULESET_STAYS);
}

/* The address may be somebody else's by now: a late DEL. */
TEST(firewall_del_leaves_others_alone)                  /* DEL-10 */
{
	struct net n = { "net", 1, all };
	struct world w = world_begin("pod1 pod2");
	const char *told = join(&w, &n, "pod1"), *other;

	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", bridge_of(&n)));
	sh("host", "rm -rf /var/lib/cni/networks /run/plumb/leases");
	other = join(&w, &n, "pod2");
	expect_contains(elements_of("to4"), "10.1.0.2 comment \"net/pod2/eth0\"");
	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod2", "eth0", other));
}

/* ---- ADD again, CHECK, GC ---- */

TEST_EACH(firewall_again_is_no_conflict, policies, policy)      /* ADD-5 */
{
	struct net n = { "net", 1, policy };
	struct world w = world_begin("pod1");
	const char *told = join(&w, &n, "pod1"), *before = ruleset_in("host");

	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	expect_text(ruleset_in("host"), before);
}

/* Another policy now: for who joins from then on, and for who is added again. */
TEST(firewall_policy_may_change)
{
	struct net strict = { "net", 1, "'egressDeny': ['192.0.2.2']" }, lenient = { "net", 1, "'egressDeny': ['192.0.2.9']" }, none = { "net", 1, "" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *one = join(&w, &strict, "pod1"), *two = join(&w, &lenient, "pod2");

	lan_serves();
	cut_to("pod1", "192.0.2.2", 80);
	passes_to("pod2", "lan", "192.0.2.2", 80);
	expect_ok(plugin(&w, "firewall", "ADD", "pod2", "eth0", conf_set(two, "egressDeny", "['192.0.2.2']")));
	cut_to("pod2", "192.0.2.2", 80);
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", conf_set(one, "egressDeny", "['192.0.2.9']")));
	passes_to("pod1", "lan", "192.0.2.2", 80);
	leave(&w, &none, "pod1", one);
	leave(&w, &none, "pod2", two);
	expect_untouched(&w, LEFT_OF("1", "net"));
}

/* From one policy to another is one step, and nothing of the first is left; also when the network's other container goes on with it. */
TEST(firewall_again_with_another_policy_is_one_step)
{
	struct net first = { "net", 1, "'egressDeny': ['192.0.2.2', 'host'], 'ingressPolicy': 'same-bridge'" }, then = { "net", 1, "'egressDeny': ['192.0.2.9']" };
	struct world w = world_begin("pod1 pod2");
	const char *told = join(&w, &first, "pod1"), *lenient = conf_set(conf_set(told, "egressDeny", "['192.0.2.9']"), "ingressPolicy", NULL), *want, *two;

	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", lenient));
	want = ruleset_in("host");
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	sh("host", "nft monitor >/run/monitor 2>&1 & echo $! >/run/monitor.pid; sleep 0.3");
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", lenient));
	sh("host", "sleep 0.3; kill $(cat /run/monitor.pid)");
	expect_number(atoi(sh("host", "grep -c '^# new generation' /run/monitor")), 1);
	expect_text(ruleset_in("host"), want);
	two = join(&w, &first, "pod2");
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", lenient));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", lenient));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod2", "eth0", two));
	leave(&w, &then, "pod1", lenient);
	leave(&w, &first, "pod2", two);
	expect_untouched(&w, LEFT_OF("1", "net"), "file /run/monitor*");
}

TEST(firewall_check_notices_what_was_changed)           /* CHK-5 */
{
	static const char *const damages[] = {
		"nft delete element inet plumb to4 '{ 10.1.0.2 }'", "nft delete element inet plumb to6 '{ fd00:1::2 }'",
		"nft delete element inet plumb from4 '{ 10.1.0.2 }'", "nft delete element inet plumb from6 '{ fd00:1::2 }'",
		"nft delete element inet plumb to_host4 '{ 10.1.0.2 }'", "nft delete element inet plumb to_host6 '{ fd00:1::2 }'",
		"nft delete element inet plumb apart4 '{ 10.1.0.2 }'", "nft delete element inet plumb apart6 '{ fd00:1::2 }'",
		"nft flush chain inet plumb $(nft list chains inet | grep -o 'to_net_[0-9a-f]*')",
		"nft flush chain inet plumb $(nft list chains inet | grep -o 'from_net_[0-9a-f]*')",
		"nft flush chain inet plumb $(nft list chains inet | grep -o 'host_net_[0-9a-f]*')",
		"nft delete element inet plumb to4 '{ 10.1.0.2 }'; nft add chain inet plumb mine; nft add element inet plumb to4 '{ 10.1.0.2 comment \"net/pod1/eth0\" : jump mine }'",
		"nft delete element inet plumb apart4 '{ 10.1.0.2 }'; nft add element inet plumb apart4 '{ 10.1.0.2 comment \"net/pod9/eth0\" }'",
		"bridge link set dev $(ls /sys/class/net/br1/brif) isolated off", "nft delete table inet plumb", "nft flush ruleset",
	};
	struct net n = { "net", 1, "'ingressPolicy': 'isolated', 'egressDeny': ['host', 'metadata']" };
	struct world w = world_begin("pod1");
	const char *told;

	bridge_netfilter_put("off");
	told = join(&w, &n, "pod1");
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		note("damage: %s", damages[i]);
		expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told));
		sh("host", "%s", damages[i]);
		expect_error(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told), 999, "");
		expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
		expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	}
}

TEST(firewall_check_without_a_result)                   /* CHK-2 */
{
	struct net n = { "net", 1, "'internal': true" };
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "firewall", "CHECK", "pod1", "eth0", firewall_of(&n)), 7, "prevResult");
}

TEST(firewall_gc_removes_what_no_attachment_has)        /* GC-1 */
{
	struct net n = { "net", 1, all }, longer = { "net2", 2, all };
	struct world w = world_begin("pod1 pod2 pod3");
	const char *two, *three;

	join(&w, &n, "pod1");
	two = join(&w, &n, "pod2");
	three = join(&w, &longer, "pod3");
	expect_ok(call(.plugin = "firewall", .verb = "GC", .conf = conf_set(firewall_of(&n), "cni.dev/valid-attachments", "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	for (const char *const *set = (const char *const[]){ "to4", "to6", "from4", "from6", "to_host4", "to_host6", "apart4", "apart6", NULL }; *set; set++)
		expect(!strstr(elements_of(*set), "pod1"));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod2", "eth0", two));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod3", "eth0", three));
	expect_ok(call(.plugin = "firewall", .verb = "GC", .conf = conf_set(firewall_of(&n), "cni.dev/valid-attachments", "[]")));
	expect(!strstr(ruleset_in("host"), "to_net_") && !strstr(ruleset_in("host"), "from_net_") && !strstr(ruleset_in("host"), "host_net_"));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod3", "eth0", three));
}

/* ---- Configurations ---- */

TEST(firewall_bad_configurations)                       /* ERR-5 */
{
	static const struct { const char *key, *value; const char *words; } rows[] = {
		{ "ingressPolicy", "'closed'", "ingressPolicy: unknown ingress policy: \"closed\"" },
		{ "ingressPolicy", "1", "ingressPolicy" },
		{ "internal", "'yes'", "internal: want true or false" },
		{ "hostReachable", "1", "hostReachable: want true or false" },
		{ "hostReachable", "false", "hostReachable: false goes with \"internal\": true" },
		{ "logDrops", "'no'", "logDrops: want true or false" },
		{ "unpublishedPorts", "'reject'", "unpublishedPorts: \"reject\"" },
		{ "foreignFirewall", "'remove'", "foreignFirewall: \"remove\"" },
		{ "backend", "'ebpf'", "backend: \"ebpf\"" },
		{ "egressAllow", "'lan'", "egressAllow: want a list" },
		{ "egressAllow", "['10.0.0.0/8', 'wan']", "egressAllow[1]: \"wan\"" },
		{ "egressDeny", "['10.0.0.0/33']", "egressDeny[0]: \"10.0.0.0/33\"" },
		{ "egressDeny", "[1]", "egressDeny[0]" },
		{ "egressDeny", "['']", "egressDeny[0]" },
		{ "iptablesAdminChainName", "'a b'", "iptablesAdminChainName" },
		{ "iptablesAdminChainName", "'}; flush ruleset'", "iptablesAdminChainName" },
		{ "iptablesAdminChainName", "5", "iptablesAdminChainName" },
		{ "firewalldZone", "[]", "firewalldZone" },
	};
	struct net n = { "net", 1, "" };
	struct world w = world_begin("pod1");
	const char *told = with_prev(firewall_of(&n), expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n))));

	world_settled(&w);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("%s: %s", rows[i].key, rows[i].value);
		expect_error(plugin(&w, "firewall", "ADD", "pod1", "eth0", conf_set(told, rows[i].key, rows[i].value)), 7, rows[i].words);
	}
	expect_untouched(&w);
}

/* The chains of plumb's own are nobody's to fill. */
static const char *const own_chains[] = { "forward", "input", "guard", "publish", "published", "postrouting", NULL };

TEST_EACH(firewall_admin_chain_is_none_of_plumbs, own_chains, chain)
{
	struct net n = { "net", 1, keep("'iptablesAdminChainName': '%s'", chain) };
	struct world w = world_begin("pod1");
	const char *told = with_prev(firewall_of(&n), expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n))));

	world_settled(&w);
	expect_error(plugin(&w, "firewall", "ADD", "pod1", "eth0", told), 7, "iptablesAdminChainName");
	expect_untouched(&w);
}

TEST(firewall_must_be_chained)                          /* REF-21 */
{
	struct net n = { "net", 1, "'internal': true" };
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "firewall", "ADD", "pod1", "eth0", firewall_of(&n)), 7, "must be called as chained plugin");
	expect_untouched(&w);
}

TEST_EACH(firewall_versions, all_versions, version)
{
	struct net n = { "net", 1, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1");
	struct answer a = expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(bridge_of(&n), "cniVersion", json("'%s'", version))));
	const char *told = conf_set(with_prev(firewall_of(&n), a), "cniVersion", json("'%s'", version));

	if (!version_since(version, "0.4.0")) {
		world_settled(&w);
		expect_error(plugin(&w, "firewall", "ADD", "pod1", "eth0", told), 1, version);
		expect_untouched(&w);
		return;
	}
	expect_result(expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told)), json_dumps(a.json, 0));
	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told));
	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
	expect_text(elements_of("to4"), "");
}

TEST(firewall_version_tells_what_it_speaks)
{
	struct world w = world_begin("pod1");

	expect_json(expect_ok(call(.plugin = "firewall", .verb = "VERSION", .conf = "{'cniVersion': '1.1.0'}")), "supportedVersions", "[\"0.4.0\", \"1.0.0\", \"1.1.0\"]");
	expect_untouched(&w);
}

/* ---- Firewalls of others ---- */

/* As Docker leaves it by iptables-nft: whoever is not Docker's is dropped, but for what DOCKER-USER accepts. */
static const char docker[] =
	"filter {"
	" chain DOCKER { iifname != \"docker0\" oifname \"docker0\" counter drop; };"
	" chain DOCKER-FORWARD { counter jump DOCKER-CT; counter jump DOCKER-INTERNAL; counter jump DOCKER-BRIDGE; iifname \"docker0\" counter accept; };"
	" chain DOCKER-BRIDGE { oifname \"docker0\" counter jump DOCKER; };"
	" chain DOCKER-CT { oifname \"docker0\" ct state related,established counter accept; };"
	" chain DOCKER-INTERNAL { };"
	" chain DOCKER-USER { counter return; };"
	" chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; counter jump DOCKER-FORWARD; };"
	"}";

/* As ufw leaves it, its default being to deny what is routed. */
static const char ufw[] =
	"filter {"
	" chain ufw-before-logging-forward { };"
	" chain ufw-before-forward { ct state related,established counter accept; meta l4proto { icmp, icmpv6 } counter accept; counter jump ufw-user-forward; };"
	" chain ufw-user-forward { };"
	" chain ufw-after-forward { };"
	" chain ufw-after-logging-forward { limit rate 3/minute burst 10 packets counter log prefix \"[UFW BLOCK] \"; };"
	" chain ufw-reject-forward { };"
	" chain ufw-track-forward { };"
	" chain INPUT { type filter hook input priority filter; policy accept; };"
	" chain FORWARD { type filter hook forward priority filter; policy drop;"
	"  counter jump ufw-before-logging-forward; counter jump ufw-before-forward; counter jump ufw-after-forward;"
	"  counter jump ufw-after-logging-forward; counter jump ufw-reject-forward; counter jump ufw-track-forward; };"
	"}";

/* An admin's own, for both families. */
static const char admins[] =
	"table inet mine {"
	" chain forward { type filter hook forward priority 10; policy drop; ct state vmap { established : accept, related : accept, invalid : drop }; };"
	"}\n";

static const char *const firewalls[] = { "docker", "ufw", "inet", NULL };

static void load_firewall(const char *name)
{
	const char *text = !strcmp(name, "docker") ? docker : ufw, *both = admins;

	if (strcmp(name, "inet"))
		both = keep("table ip %s\ntable ip6 %s\n", text, text);
	file_write("/run/firewall.nft", both);
	sh("host", "nft -f /run/firewall.nft");
}

static const char *foreign_rules(void)
{
	return sh("host", "nft -s list ruleset | grep -v '^#' | awk '/^table/ { on = !/inet plumb/ && !/bridge plumb/ } on'");
}

TEST_EACH(firewall_lets_others_firewalls_pass, firewalls, name)
{
	struct net n = { "net", 1, "'foreignFirewall': 'accept'" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *before, *during, *one, *two;
	struct answer a;

	load_firewall(name);
	lan_serves();
	before = foreign_rules();
	world_settled(&w);
	one = join(&w, &n, "pod1");
	during = foreign_rules();
	expect(strcmp(before, during) != 0);
	expect_contains(during, "comment \"plumb network net\"");
	two = join(&w, &n, "pod2");
	expect_text(foreign_rules(), during);
	publish(&w, "pod1", one, "8080");
	passes_to_lan("pod1");
	passes_published("lan", "pod1", 8080);
	passes("pod1", "pod2", 1, 3);
	a = expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", one));
	expect_text(a.err, "");
	leave(&w, &n, "pod2", two);
	expect_text(foreign_rules(), during);
	passes_to_lan("pod1");
	expect_ok(plugin(&w, "portmap", "DEL", "pod1", "eth0", conf_set(one, "type", "'portmap'")));
	leave(&w, &n, "pod1", one);
	expect_text(foreign_rules(), before);
	expect_untouched(&w, LEFT_OF("1", "net"));
}

TEST_EACH(firewall_tells_of_others_firewalls, firewalls, name)
{
	struct net n = { "net", 1, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1 lan");
	const char *table = !strcmp(name, "inet") ? "inet mine" : "ip filter", *before, *told;
	struct answer a;

	load_firewall(name);
	lan_serves();
	before = foreign_rules();
	told = with_prev(firewall_of(&n), expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n))));
	a = expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	expect_contains(a.err, keep("nftables table %s drops what is forwarded", table));
	expect_contains(a.err, "\"foreignFirewall\": \"accept\"");
	cut_to_lan("pod1");
	expect_contains(expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told)).err, table);
	expect_contains(expect_ok(call(.plugin = "firewall", .verb = "STATUS", .conf = firewall_of(&n))).err, table);
	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
	expect_text(foreign_rules(), before);
}

TEST(firewall_without_others_says_nothing)
{
	struct net n = { "net", 1, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1");
	const char *told = with_prev(firewall_of(&n), expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n))));

	sh("host", "nft add table ip filter; nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy accept; }'");
	expect_text(expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told)).err, "");
	expect_text(expect_ok(call(.plugin = "firewall", .verb = "STATUS", .conf = firewall_of(&n))).err, "");
}

/* Two networks, one's name beginning as the other's: each has its own rule, for its own time. */
TEST(firewall_rule_among_others_goes_with_its_own_network)
{
	struct net n = { "net", 1, "'foreignFirewall': 'accept'" }, longer = { "net_b", 2, "'foreignFirewall': 'accept'" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *one, *two, *before;

	load_firewall("docker");
	lan_serves();
	before = foreign_rules();
	one = join(&w, &n, "pod1");
	two = join(&w, &longer, "pod2");
	passes_to_lan("pod1");
	passes_to_lan("pod2");
	leave(&w, &n, "pod1", one);
	expect(!strstr(foreign_rules(), "comment \"plumb network net\""));
	passes_to_lan("pod2");
	leave(&w, &longer, "pod2", two);
	expect_text(foreign_rules(), before);
}

/* With GC, too; and our policy is ours, whatever theirs lets pass. */
TEST(firewall_rule_among_others_goes_with_gc)
{
	struct net n = { "net", 1, "'foreignFirewall': 'accept', 'egressDeny': ['192.0.2.2']" };
	struct world w = world_begin("pod1 lan");
	const char *before;

	load_firewall("ufw");
	lan_serves();
	before = foreign_rules();
	join(&w, &n, "pod1");
	cut_to("pod1", "192.0.2.2", 80);
	passes_to("pod1", "lan", "2001:db8:1::2", 80);
	expect_ok(call(.plugin = "firewall", .verb = "GC", .conf = conf_set(firewall_of(&n), "cni.dev/valid-attachments", "[]")));
	expect_text(foreign_rules(), before);
}

/* The other firewall was loaded anew since: the next ADD says it again. */
TEST(firewall_rule_among_others_comes_again)
{
	struct net n = { "net", 1, "'foreignFirewall': 'accept'" };
	struct world w = world_begin("pod1 pod2 lan");
	const char *one, *two, *before;

	load_firewall("ufw");
	lan_serves();
	before = foreign_rules();
	one = join(&w, &n, "pod1");
	sh("host", "nft delete table ip filter; nft delete table ip6 filter; nft -f /run/firewall.nft");
	cut_to_lan("pod1");
	expect_error(plugin(&w, "firewall", "CHECK", "pod1", "eth0", one), 999, "the rules are missing that let network net pass");
	two = join(&w, &n, "pod2");
	passes_to_lan("pod1");
	leave(&w, &n, "pod1", one);
	leave(&w, &n, "pod2", two);
	expect_text(foreign_rules(), before);
}

static void batch_put(struct mnl_nlmsg_batch *batch, int type, int family, int res_id)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(mnl_nlmsg_batch_current(batch));
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | (family ? NLM_F_CREATE : 0);
	g->nfgen_family = family;
	g->res_id = htons(res_id);
}

/* Table inet theirs with a chain that drops, which belongs to a socket of ours, as firewalld's newer tables do to its. */
static bool own_table(void)
{
	char bytes[4096];
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(bytes, sizeof bytes);
	int fd = world_socket("host", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct nlmsghdr *h;
	struct nlattr *hook;

	batch_put(batch, NFNL_MSG_BATCH_BEGIN, 0, NFNL_SUBSYS_NFTABLES);
	mnl_nlmsg_batch_next(batch);
	h = mnl_nlmsg_batch_current(batch);
	batch_put(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NFPROTO_INET, 0);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, "theirs");
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	mnl_nlmsg_batch_next(batch);
	h = mnl_nlmsg_batch_current(batch);
	batch_put(batch, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NFPROTO_INET, 0);
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, "theirs");
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, "out");
	mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_DROP));
	hook = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
	mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl(10));
	mnl_attr_nest_end(h, hook);
	mnl_nlmsg_batch_next(batch);
	batch_put(batch, NFNL_MSG_BATCH_END, 0, NFNL_SUBSYS_NFTABLES);
	mnl_nlmsg_batch_next(batch);
	return send(fd, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch), 0) > 0 && sh_try("host", "nft list chain inet theirs out");
}

/* It is told of, nobody can write in it, and the rest goes its way. */
TEST(firewall_leaves_tables_that_are_owned)
{
	struct net n = { "net", 1, "'foreignFirewall': 'accept'" };
	struct world w = world_begin("pod1");
	struct answer added = expect_ok(plugin(&w, "bridge", "ADD", "pod1", "eth0", bridge_of(&n)));
	const char *told = with_prev(firewall_of(&n), added);
	struct answer a;

	if (!own_table())
		skip("this kernel has no nftables tables with an owner");
	expect(!sh_try("host", "nft add rule inet theirs out accept"));
	a = expect_ok(plugin(&w, "firewall", "ADD", "pod1", "eth0", told));
	expect_contains(a.err, "nftables table inet theirs drops what is forwarded and not accepted there, by chain out");
	expect_contains(a.err, "lets nobody else write in it");
	expect_contains(expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told)).err, "lets nobody else write in it");
	expect_ok(plugin(&w, "firewall", "DEL", "pod1", "eth0", told));
}

/* ---- Coming back ---- */

static const char *const flushes[] = { "nft flush ruleset", "nft delete table inet plumb", NULL };
static const char *const nexts[] = { "ADD", "DEL", NULL };

static void policy_comes_back(const char *flush, const char *verb)
{
	struct net a = { "a", 1, "'ingressPolicy': 'same-bridge', 'egressDeny': ['192.0.2.2', 'host'], 'unpublishedPorts': 'drop'" }, b = { "b", 2, "'ingressPolicy': 'same-bridge'" };
	struct world w = world_begin("pod1 pod2 pod3 lan");
	const char *told = join(&w, &a, "pod1"), *other;

	publish(&w, "pod1", told, "8080");
	join(&w, &b, "pod2");
	other = join(&w, &a, "pod3");
	lan_serves();
	lan_knows(1);
	host_serves();
	if (!strcmp(verb, "ADD"))
		leave(&w, &a, "pod3", other);
	sh("host", "%s", flush);
	note("%s, then %s", flush, verb);
	if (!strcmp(verb, "ADD"))
		join(&w, &a, "pod3");
	else
		leave(&w, &a, "pod3", other);
	expect_ok(plugin(&w, "firewall", "CHECK", "pod1", "eth0", told));
	cut("pod2", 1, 2);
	cut("lan", 1, 2);
	cut_to_host("pod1");
	cut_to("pod1", "192.0.2.2", 80);
	passes_to("pod1", "lan", "2001:db8:1::2", 80);  /* which takes masquerading */
	passes_published("lan", "pod1", 8080);
	passes_published("host", "pod1", 8080);
}

TEST_EACH(firewall_comes_back_with_the_next_add, flushes, flush) { policy_comes_back(flush, nexts[0]); }
TEST_EACH(firewall_comes_back_with_the_next_del, flushes, flush) { policy_comes_back(flush, nexts[1]); }
