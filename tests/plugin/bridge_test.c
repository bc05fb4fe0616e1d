/* bridge: a bridge on the host, a veth pair from it to each container. */
#include "test.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char layer2[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0'}";

static const char v4[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0', 'isDefaultGateway': true,"
	" 'ipam': {'type': 'host-local', 'subnet': '10.1.2.0/24'}}";

static const char dual[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'bridge': 'br0', 'isDefaultGateway': true, 'ipMasq': true,"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]]}}";

#define LEFT_OVER STORE_STAYS("net"), FORWARDING_STAYS, BRIDGE_STAYS("br0")

static struct answer add(struct world *w, const char *pod, const char *conf)
{
	return expect_ok(plugin(w, "bridge", "ADD", pod, "eth0", conf));
}

static const char *port_of(struct answer a)
{
	return json_at(a, "interfaces[1].name");
}

static void need_vlan_filtering(void)
{
	if (!sh_try("host", "ip link add probe type bridge vlan_filtering 1 && bridge vlan add vid 7 dev probe self; r=$?; ip link del probe; exit $r"))
		skip("this kernel's bridges have no VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)");
}

/* ---- ADD and DEL ---- */

TEST_EACH(bridge_adds_and_deletes, all_versions, version) /* ADD-1, DEL-1, REF-43 */
{
	struct world w = world_begin("pod1 lan");
	const char *conf = conf_set(v4, "cniVersion", json("'%s'", version));
	struct answer a = add(&w, "pod1", conf);
	struct link_seen bridge = expect_link("host", "br0", "bridge");

	if (version_since(version, "0.3.0")) {
		expect_json(a, "interfaces[0].name", "br0");
		expect_json(a, "interfaces[0].mac", bridge.mac);
		expect_json(a, "interfaces[0].sandbox", "absent");
		expect_number(expect_link("host", port_of(a), "veth").master, bridge.index);
		expect_json(a, "interfaces[1].mac", link_in("host", port_of(a)).mac);
		expect_json(a, "interfaces[2].name", "eth0");
		expect_json(a, "interfaces[2].mac", link_in("pod1", "eth0").mac);
		expect_json(a, "interfaces[2].sandbox", "/run/netns/pod1");
		expect_json(a, "ips[0].address", "10.1.2.2/24");
		expect_json(a, "ips[0].gateway", "10.1.2.1");
		expect_json(a, "ips[0].interface", "2");
		expect_json(a, "routes", "[{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.1.2.1\"}]");
	} else {
		expect_json(a, "ip4", "{\"gateway\": \"10.1.2.1\", \"ip\": \"10.1.2.2/24\", \"routes\": [{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.1.2.1\"}]}");
	}
	expect_text(addresses_of("host", "br0"), "10.1.2.1/24");
	expect_text(addresses_of("pod1", "eth0"), "10.1.2.2/24");
	expect_text(routes_text("pod1"), "10.1.2.0/24 dev eth0 src 10.1.2.2\ndefault via 10.1.2.1 dev eth0\n");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	if (version_since(version, "0.4.0"))
		expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_no_link("pod1", "eth0");
	expect_untouched(&w, LEFT_OVER);
}

TEST_EACH(bridge_layer_2, versions_since_0_3_0, version) /* REF-32 */
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(layer2, "cniVersion", json("'%s'", version));
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", conf);
	expect_json(a, "ips", "absent");
	expect_text(addresses_of("host", "br0"), "");
	expect_text(addresses_of("pod1", "eth0"), "");
	expect(link_in("pod1", "eth0").flags & IFF_UP);
	sh("host", "ip -n pod1 address add 10.5.0.1/24 dev eth0; ip -n pod2 address add 10.5.0.2/24 dev eth0");
	expect_text(ping("pod1", "10.5.0.2"), "answers");
	if (version_since(version, "0.4.0"))
		expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", conf));
	expect_untouched(&w, BRIDGE_STAYS("br0"));
}

/* 0.1.0 and 0.2.0 cannot tell of a link without addresses: the failure leaves nothing but the bridge. */
TEST(bridge_layer_2_in_old_versions)                    /* RES-9 */
{
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "cniVersion", "'0.2.0'")), 999, "cannot convert: no valid IP addresses");
	expect_untouched(&w, BRIDGE_STAYS("br0"));
}

TEST(bridge_is_named_cni0_by_default)
{
	struct world w = world_begin("pod1");

	add(&w, "pod1", conf_set(layer2, "bridge", NULL));
	expect_link("host", "cni0", "bridge");
}

TEST(bridge_dual_stack)
{
	struct world w = world_begin("pod1 pod2 lan");
	struct answer a = add(&w, "pod1", dual);

	add(&w, "pod2", dual);
	expect_text(addresses_of("host", "br0"), "10.1.2.1/24 fd00:1::1/64");
	expect_json(a, "routes", "[{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.1.2.1\"}, {\"dst\": \"::/0\", \"gw\": \"fd00:1::1\"}]");
	tcp_serve("pod2", NULL, 80);
	tcp_serve("lan", NULL, 80);
	expect_text(tcp_ask("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2");
	expect_text(tcp_ask("pod1", "fd00:1::3", 80), "pod2 saw fd00:1::2");
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	expect_text(tcp_ask("pod1", "2001:db8:1::2", 80), "lan saw 2001:db8:1::1");
	expect_text(tcp_ask("host", "fd00:1::3", 80), "pod2 saw fd00:1::1");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(dual, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(dual, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", dual));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

/* Who has an IPv6 address has IPv6; who has none, says nothing by it. The host's ends of both are silent. */
TEST(bridge_silent_ipv6)
{
	struct world w = world_begin("pod1 pod2");
	const char *silent = conf_set(dual, "silentIPv6", "true");
	const char *plain = conf_set(silent, "ipam", "{'type': 'host-local', 'subnet': '10.1.2.0/24'}");
	struct answer a = add(&w, "pod1", plain);

	expect_text(addresses_of("pod1", "eth0"), "10.1.2.2/24");
	for (const struct address_seen *seen = addresses_in("pod1", true); seen->index; seen++)
		expect(!strchr(seen->text, ':') || !strncmp(seen->text, "::1", 3));
	expect_text(sysctl_in("host", keep("net/ipv6/conf/%s/disable_ipv6", port_of(a))), "1");
	expect_text(ping_promptly("pod1", "10.1.2.1"), "answers");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(plain, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(plain, a)));
	a = add(&w, "pod2", silent);
	expect_text(sysctl_in("host", keep("net/ipv6/conf/%s/disable_ipv6", port_of(a))), "1");
	expect_text(ping_promptly("pod2", "fd00:1::1"), "answers");
}

/* The first container of a bridge that has just been made: the host asks for it by the bridge's link-local address. */
TEST(bridge_forwards_at_once)
{
	struct world w = world_begin("pod1 lan");

	sysctl_put("host", "net/ipv6/conf/all/forwarding", "1");
	sh("lan", "ip -6 route add fd00:1::/64 via 2001:db8:1::1");
	add(&w, "pod1", dual);
	expect_text(ping_promptly("lan", "fd00:1::2"), "answers");
}

/* On return all is usable: forwarding port, carrier, no tentative addresses, an IPv6 link-local address, default routes without a source. */
TEST(bridge_is_usable_at_once)                          /* REF-6, REF-11 */
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", dual);
	bool link_local = false;

	expect_text(ping_promptly("pod1", "10.1.2.1"), "answers");
	expect_text(ping_promptly("pod1", "fd00:1::1"), "answers");
	expect_number(link_in("pod1", "eth0").operstate, OPERSTATE_UP);
	for (const struct address_seen *seen = addresses_in("pod1", true); seen->index; seen++) {
		expect(!(seen->flags & IFA_F_TENTATIVE));
		link_local |= !strncmp(seen->text, "fe80:", 5);
	}
	expect(link_local);
	expect_contains(sh("host", "cat /sys/class/net/br0/brif/%s/state", port_of(a)), "3");
	expect_route("pod1", "default via 10.1.2.1 dev eth0");
	expect_route("pod1", "::/0 via fd00:1::1 dev eth0");
}

TEST(bridge_second_del_succeeds)                        /* DEL-4 */
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", dual);

	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(dual, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(dual, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", dual));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

TEST(bridge_del_without_add)                            /* DEL-5 */
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", layer2));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", v4));
	expect_no_link("host", "br0");
	expect_untouched(&w);
}

TEST(bridge_del_with_the_namespace_gone)                /* DEL-3, REF-41 */
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *conf = conf_set(dual, "macspoofchk", "true");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", conf);
	add(&w, "pod3", conf);
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = with_prev(conf, a)));
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "pod2", .ifname = "eth0", .conf = conf));
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "pod3", .ifname = "eth0", .conf = conf, .netns = "/run/netns/gone"));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

/* The host's end is this attachment's whatever the other end is called now, and wherever it is. */
TEST(bridge_del_of_an_interface_that_moved)             /* DEL-1 */
{
	struct world w = world_begin("pod1 pod2");

	add(&w, "pod1", v4);
	add(&w, "pod2", v4);
	sh("pod1", "ip link set eth0 down; ip link set eth0 name old0");
	sh("host", "ip -n pod2 link set eth0 netns pod1 name old1");
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", v4));
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", v4));
	expect_no_link("pod1", "old0");
	expect_no_link("pod1", "old1");
	expect_untouched(&w, LEFT_OVER);
}

TEST(bridge_del_leaves_others_alone)                    /* DEL-10 */
{
	struct world w = world_begin("pod1 pod2");
	const char *before;

	add(&w, "pod1", dual);
	before = elements_of("masq4");
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", dual));
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "pod1", .ifname = "eth1", .conf = dual));
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = conf_set(dual, "name", "'other'")));
	expect_text(elements_of("masq4"), before);
	expect_text(ping("pod1", "10.1.2.1"), "answers");
}

/* ---- The bridge ---- */

TEST(bridge_of_the_same_name_is_taken)
{
	struct world w = world_begin("pod1");
	struct link_seen before;

	sh("host", "ip link add br0 address 02:00:00:00:00:0b type bridge; ip link set br0 up");
	before = link_in("host", "br0");
	world_settled(&w);
	expect_json(add(&w, "pod1", layer2), "interfaces[0].mac", before.mac);
	expect_number(link_in("host", "br0").index, before.index);
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", layer2));
	expect_untouched(&w, "*br0*");
}

TEST(bridge_refuses_what_is_no_bridge)
{
	struct world w = world_begin("pod1");

	sh("host", "ip link add br0 type veth peer name other");
	world_settled(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", v4), 999, "\"br0\" already exists but is not a bridge");
	expect_error(call(.plugin = "bridge", .verb = "STATUS", .conf = v4), 999, "is not a bridge");
	expect_untouched(&w);
}

/* A MAC of its own, whatever ports come and go. */
TEST(bridge_mac_is_stable)                              /* REF-7 */
{
	struct world w = world_begin("pod1 pod2");
	const char *mac;

	add(&w, "pod1", v4);
	mac = keep("%s", link_in("host", "br0").mac);
	add(&w, "pod2", v4);
	expect_text(link_in("host", "br0").mac, mac);
	sh("host", "ip link add low type veth peer name low2; ip link set low address 02:00:00:00:00:01 master br0 up");
	expect_text(link_in("host", "br0").mac, mac);
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", v4));
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", v4));
	sh("host", "ip link del low");
	expect_text(link_in("host", "br0").mac, mac);
	expect_contains(sh("host", "cat /sys/class/net/br0/addr_assign_type"), "3");
}

TEST(bridge_mtu)
{
	struct world w = world_begin("pod1 pod2 lan");

	sh("host", "ip link set lan0 mtu 1380");
	add(&w, "pod1", v4);
	expect_number(link_in("pod1", "eth0").mtu, 1380);
	expect_number(link_in("host", "br0").mtu, 1380);
	expect_error(plugin(&w, "bridge", "ADD", "pod2", "eth0", conf_set(v4, "mtu", "60")), 7, "mtu: want a whole number from 68 to 65535, or 0 for none");
	expect_json(add(&w, "pod2", conf_set(v4, "mtu", "1312")), "interfaces[2].mtu", "1312");
	expect_number(link_in("pod2", "eth0").mtu, 1312);
}

TEST(bridge_refuses_another_address_unless_forced)
{
	struct world w = world_begin("pod1 pod2");
	const char *moved = conf_set(conf_set(v4, "name", "'moved'"), "ipam", "{'type': 'host-local', 'subnet': '10.1.9.0/24'}");

	add(&w, "pod1", v4);
	world_settled(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod2", "eth0", moved), 999, "\"br0\" already has an IP address different from 10.1.9.1/24");
	expect_untouched(&w, STORE_STAYS("moved"));
	add(&w, "pod2", conf_set(moved, "forceAddress", "true"));
	expect_text(addresses_of("host", "br0"), "10.1.9.1/24");
}

TEST(bridge_ipv6_subnets_stand_side_by_side)
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *ipam = "{'type': 'host-local', 'subnet': '%s'}";

	add(&w, "pod1", conf_set(v4, "ipam", json(ipam, "fd00:1::/64")));
	add(&w, "pod2", conf_set(conf_set(v4, "name", "'two'"), "ipam", json(ipam, "fd00:2::/64")));
	expect_addr("host", "br0", "fd00:1::1/64");
	expect_addr("host", "br0", "fd00:2::1/64");
	expect_error(plugin(&w, "bridge", "ADD", "pod3", "eth0", conf_set(conf_set(v4, "name", "'three'"), "ipam", json(ipam, "fd00:1::/48"))), 999,
	             "already has an IP address different from fd00:1::1/48");
}

TEST(bridge_promiscuous_mode)                           /* REF-8 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "promiscMode", "true");
	struct answer a = add(&w, "pod1", conf);

	expect(link_in("host", "br0").flags & IFF_PROMISC);
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	sh("host", "ip link set br0 promisc off");
	expect_error(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)), 999, "promiscuous");
}

static int sniffer_start(const char *ifname)
{
	struct packet_mreq all = { .mr_ifindex = (int)if_nametoindex(ifname), .mr_type = PACKET_MR_PROMISC };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0)
		fail("no sniffer on %s", ifname);
	expect_number(link_in("host", ifname).promiscuity, 1);
	return fd;
}

/* Who listens just now is one thing, the setting another. */
TEST(bridge_promiscuous_mode_and_sniffers)              /* REF-8 */
{
	struct world w = world_begin("pod1 pod2");
	const char *promisc = conf_set(v4, "promiscMode", "true");
	struct answer a = add(&w, "pod1", v4);
	int sniffer = sniffer_start("br0");

	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(v4, a)));
	a = add(&w, "pod2", promisc);
	close(sniffer);
	expect(link_in("host", "br0").flags & IFF_PROMISC);
	expect_number(link_in("host", "br0").promiscuity, 1);
	expect_ok(plugin(&w, "bridge", "CHECK", "pod2", "eth0", with_prev(promisc, a)));
}

TEST(bridge_hairpin_mode)
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(v4, "hairpinMode", "true");
	struct answer a = add(&w, "pod1", conf);

	expect(link_in("host", port_of(a)).hairpin);
	expect(!link_in("host", port_of(add(&w, "pod2", v4))).hairpin);
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth1", conf_set(conf, "promiscMode", "true")), 7, "cannot set hairpin mode and promiscuous mode at the same time");
}

TEST(bridge_port_isolation)
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *conf = conf_set(v4, "portIsolation", "true");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", conf);
	add(&w, "pod3", v4);
	expect(link_in("host", port_of(a)).isolated);
	expect_text(ping("pod1", "10.1.2.4"), "answers");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	tcp_serve("pod2", NULL, 80);
	expect(strcmp(tcp_ask_briefly("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2") != 0);
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(v4, a)));       /* firewall isolates ports too, without bridge being asked to */
}

/* Over 1,023 ports the kernel says "exchange full"; the words say more. Ports of its own making are far quicker made than ADDs. */
TEST(bridge_full_is_told)                               /* STA-2 */
{
	struct world w = world_begin("pod1");

	if (!sh_try("host", "ip link add probe type ifb && ip link del probe"))
		skip("this kernel has no ifb devices (CONFIG_IFB), of which a thousand are made in no time");
	sh("host", "ip link add br0 type bridge && ip link set br0 up");
	sh("host", "for i in $(seq 1023); do echo link add p$i master br0 type ifb; done | ip -batch -");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", layer2), 999, "bridge br0 is full");
	expect_error(call(.plugin = "bridge", .verb = "STATUS", .conf = layer2), 50, "bridge br0 is full");
	sh("host", "ip link del p7");
	expect_ok(call(.plugin = "bridge", .verb = "STATUS", .conf = layer2));
	add(&w, "pod1", layer2);
}

/* ---- The container's link ---- */

TEST(bridge_mac_precedence)                             /* CNV-4 */
{
	const char *args = conf_set(layer2, "args", "{'cni': {'mac': '02:00:00:00:00:02'}}");
	const char *runtime = conf_set(args, "runtimeConfig", "{'mac': '02:00:00:00:00:01'}");

	world_begin("pod1 pod2 pod3");
	expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "pod1", .conf = runtime, .args = "MAC=02:00:00:00:00:03"));
	expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "pod2", .conf = args, .args = "MAC=02:00:00:00:00:03"));
	expect_json(expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "pod3", .conf = layer2, .args = "MAC=02-00-00-00-00-03")),
	            "interfaces[2].mac", "02:00:00:00:00:03");
	expect_text(link_in("pod1", "eth0").mac, "02:00:00:00:00:01");
	expect_text(link_in("pod2", "eth0").mac, "02:00:00:00:00:02");
	expect_text(link_in("pod3", "eth0").mac, "02:00:00:00:00:03");
}

TEST(bridge_bad_macs)
{
	struct world w = world_begin("pod1");

	expect_error(call(.plugin = "bridge", .verb = "ADD", .pod = "pod1", .conf = layer2, .args = "MAC=x"), 4, "MAC=x");
	expect_error(call(.plugin = "bridge", .verb = "ADD", .pod = "pod1", .conf = layer2, .args = "MAC=01:00:00:00:00:01"), 4, "unicast");
	expect_error(call(.plugin = "bridge", .verb = "ADD", .pod = "pod1", .conf = layer2, .args = "K8S=x"), 4, "unknown args");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "runtimeConfig", "{'mac': '01:00:00:00:00:01'}")), 7, "runtimeConfig.mac");
	expect_untouched(&w);
}

TEST(bridge_without_container_interface_up)             /* REF-6 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(layer2, "disableContainerInterface", "true");
	struct answer a = add(&w, "pod1", conf);

	expect(!(link_in("pod1", "eth0").flags & IFF_UP));
	expect_text(addresses_of("pod1", "eth0"), "");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(v4, "disableContainerInterface", "true")), 7,
	             "cannot use IPAM when DisableContainerInterface flag is set");
	expect_untouched(&w, BRIDGE_STAYS("br0"));
}

TEST(bridge_duplicate_detection_on_demand)
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(conf_set(dual, "enabledad", "true"), "ipam", "{'type': 'host-local', 'subnet': 'fd00:1::/64'}");

	add(&w, "pod1", dual);
	expect_sysctl("pod1", "net/ipv6/conf/eth0/accept_dad", "0");
	add(&w, "pod2", conf_set(conf, "name", "'dad'"));
	expect(strcmp(sysctl_in("pod2", "net/ipv6/conf/eth0/accept_dad"), "0") != 0);
}

TEST(bridge_autoconfiguration_is_off)
{
	struct world w = world_begin("pod1 pod2");
	struct answer a = add(&w, "pod1", v4);

	expect_sysctl("host", keep("net/ipv6/conf/%s/accept_ra", port_of(a)), "0");
	expect_sysctl("host", "net/ipv6/conf/br0/accept_ra", "0");
	expect_sysctl("pod1", "net/ipv6/conf/eth0/accept_ra", "0");
	expect_sysctl("pod1", "net/ipv6/conf/eth0/autoconf", "0");
	/* what a layer 2 container does about addresses is its own business */
	add(&w, "pod2", layer2);
	expect_sysctl("pod2", "net/ipv6/conf/eth0/accept_ra", "1");
}

static void proc_sys_read_only(void)
{
	sh("host", "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys");
}

/* A network that cannot be made deaf to router advertisements is not made; one that is deaf already is. */
TEST(bridge_autoconfiguration_that_cannot_be_switched_off)
{
	struct world w = world_begin("pod1");

	proc_sys_read_only();
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", layer2), 999, "net/ipv6/conf/br0/accept_ra");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", layer2), 999, "net.ipv6.conf.default.accept_ra");
	sh("host", "ip link set br0 up");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", layer2), 999, "switching off router advertisements on veth");
	expect_untouched(&w, BRIDGE_STAYS("br0"), "dir /run/mount");
}

TEST(bridge_autoconfiguration_that_is_off_already)
{
	struct world w = world_begin("pod1");

	sysctl_put("host", "net/ipv6/conf/default/accept_ra", "0");
	sysctl_put("host", "net/ipv4/ip_forward", "1");
	sysctl_put("pod1", "net/ipv6/conf/default/accept_ra", "0");
	proc_sys_read_only();
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", v4), 999, "net/ipv6/conf/eth0/autoconf");
	sh("pod1", "umount /proc/sys; echo 0 >/proc/sys/net/ipv6/conf/default/autoconf");
	proc_sys_read_only();
	add(&w, "pod1", v4);
}

/* ---- Gateways and addresses ---- */

TEST(bridge_gateway_modes)
{
	struct world w = world_begin("pod1 pod2");
	const char *none = conf_set(v4, "isDefaultGateway", NULL);
	struct answer a = add(&w, "pod1", none);

	expect_text(addresses_of("host", "br0"), "");
	expect_json(a, "routes", "absent");
	expect_no_route("pod1", "default");
	a = add(&w, "pod2", conf_set(none, "isGateway", "true"));
	expect_text(addresses_of("host", "br0"), "10.1.2.1/24");
	expect_json(a, "ips[0].gateway", "10.1.2.1");
	expect_no_route("pod2", "default");
	expect_text(ping("pod2", "10.1.2.1"), "answers");
}

/* The address plugin's gateway is used; without one it is the subnet's first. Its own default route stays. */
TEST(bridge_gateway_of_the_address_plugin)
{
	struct world w = world_begin("pod1 pod2");
	struct answer a;

	add(&w, "pod1", conf_set(v4, "ipam", "{'type': 'host-local', 'subnet': '10.1.2.0/24', 'gateway': '10.1.2.99'}"));
	expect_text(addresses_of("host", "br0"), "10.1.2.99/24");
	expect_route("pod1", "default via 10.1.2.99 dev eth0");
	a = add(&w, "pod2", conf_set(conf_set(v4, "bridge", "'br1'"), "ipam",
	                             "{'type': 'static', 'addresses': [{'address': '10.5.0.7/16'}], 'routes': [{'dst': '0.0.0.0/0', 'gw': '10.5.3.3'}]}"));
	expect_json(a, "ips[0].gateway", "10.5.0.1");
	expect_text(addresses_of("host", "br1"), "10.5.0.1/16");
	expect_route("pod2", "default via 10.5.3.3 dev eth0");
	expect_no_route("pod2", "default via 10.5.0.1");
}

TEST(bridge_several_addresses_of_a_family)              /* REF-24 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipam", "{'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': '10.1.3.0/24'}]]}");
	struct answer a = plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(conf, "forceAddress", "true"));

	expect_ok(a);
	expect_text(addresses_of("pod1", "eth0"), "10.1.2.2/24 10.1.3.2/24");
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", conf));
	expect_untouched(&w, LEFT_OVER);
}

TEST(bridge_routes_of_the_result)                       /* RES-3 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipam", "{'type': 'host-local', 'subnet': '10.1.2.0/24', 'routes': [{'dst': '10.9.0.0/16'},"
	                                        " {'dst': '10.8.0.0/16', 'gw': '10.1.2.77', 'mtu': 1300, 'advmss': 1200, 'priority': 7},"
	                                        " {'dst': '10.7.0.0/16', 'table': 100}, {'dst': '10.6.0.0/16', 'scope': 0}]}");
	struct answer a = add(&w, "pod1", conf);

	expect_route("pod1", "10.9.0.0/16 via 10.1.2.1 dev eth0");
	expect_route("pod1", "10.8.0.0/16 via 10.1.2.77 dev eth0 metric 7 mtu 1300 advmss 1200");
	expect_route("pod1", "10.7.0.0/16 via 10.1.2.1 dev eth0 table 100");
	expect_route("pod1", "10.6.0.0/16 via 10.1.2.1 dev eth0");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
}

TEST(bridge_dns)                                        /* CONF-5, CONF-6 */
{
	struct world w = world_begin("pod1 pod2");
	const char *ipam = "{'type': 'static', 'addresses': [{'address': '10.1.2.%d/24'}], 'dns': {'nameservers': ['10.1.2.53']}}";

	expect_json(add(&w, "pod1", conf_set(v4, "ipam", json(ipam, 2))), "dns", "{\"nameservers\": [\"10.1.2.53\"]}");
	expect_json(add(&w, "pod2", conf_set(conf_set(v4, "ipam", json(ipam, 3)), "dns", "{'domain': 'x'}")), "dns", "{\"domain\": \"x\"}");
}

/* The address plugin sees CNI_ARGS as they are. */
TEST(bridge_cni_args_reach_the_address_plugin)          /* DLG-2 */
{
	world_begin("pod1 pod2");
	expect_json(expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "pod1", .conf = v4, .args = "IgnoreUnknown=1;IP=10.1.2.77;MAC=02:00:00:00:00:03")),
	            "ips[0].address", "10.1.2.77/24");
	expect_text(link_in("pod1", "eth0").mac, "02:00:00:00:00:03");
	expect_error(call(.plugin = "bridge", .verb = "ADD", .pod = "pod2", .conf = v4, .args = "IgnoreUnknown=1;IP=10.1.2.77"), 999, "10.1.2.77");
	expect_no_link("pod2", "eth0");
}

/* A reused address is found at once, by the host and by neighbours: what they remembered is overridden. */
TEST(bridge_neighbours_learn_a_reused_address)          /* REF-40 */
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *conf = conf_set(dual, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.2.7/24'}, {'address': 'fd00:1::7/64'}]}");
	const char *other = conf_set(dual, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.2.8/24'}, {'address': 'fd00:1::8/64'}]}");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod3", other);
	expect_text(ping("host", "10.1.2.7"), "answers");
	expect_text(ping("host", "fd00:1::7"), "answers");
	expect_text(ping("pod3", "10.1.2.7"), "answers");
	expect_text(ping("pod3", "fd00:1::7"), "answers");
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(conf, a)));
	add(&w, "pod2", conf);
	expect_text(ping_promptly("host", "10.1.2.7"), "answers");
	expect_text(ping_promptly("host", "fd00:1::7"), "answers");
	expect_text(ping_promptly("pod3", "10.1.2.7"), "answers");
	expect_text(ping_promptly("pod3", "fd00:1::7"), "answers");
}

/* ---- Refusals, which leave the bridge and nothing else ---- */

TEST(bridge_refuses_a_taken_interface_name)             /* ADD-4 */
{
	struct world w = world_begin("pod1");

	sh("pod1", "ip link add eth0 type veth peer name other");
	world_settled(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", dual), 999, "container interface \"eth0\" already exists");
	expect_untouched(&w);
}

TEST(bridge_takes_everything_back_when_a_step_fails)    /* ADD-7, DLG-8 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(conf_set(dual, "macspoofchk", "true"), "ipam",
	                            "{'type': 'host-local', 'subnet': '10.1.2.0/24', 'routes': [{'dst': '10.9.0.0/16', 'gw': '172.16.0.1'}]}");

	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf), 999, "10.9.0.0/16");
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(v4, "ipam", "{'type': 'there-is-none'}")), 999, "failed to find plugin \"there-is-none\"");
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

/* ---- The link's removal ---- */

static void kill_on_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof code / sizeof *code, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		skip("this kernel takes no seccomp filter");
}

/* A filter that ends any process that closes a range of descriptors: the helper that removes a link does that first. */
TEST(bridge_del_survives_its_helper)                    /* DEL-1 */
{
	struct world w = world_begin("pod1");

	add(&w, "pod1", layer2);
	kill_on_close_range();
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", layer2));
	expect_untouched(&w, BRIDGE_STAYS("br0"));
}

/* ---- macspoofchk ---- */

TEST(bridge_mac_spoof_check)                            /* REF-27 */
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(v4, "macspoofchk", "true");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", v4);
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	sh("pod1", "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:66; ip link set eth0 up; ip route add default via 10.1.2.1");
	expect(strcmp(tcp_ask_briefly("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2") != 0);
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "bridge", "DEL", "pod2", "eth0", v4));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

TEST(bridge_gc_removes_spoof_guards)                    /* GC-1 */
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(v4, "macspoofchk", "true");
	struct answer a;

	add(&w, "pod1", conf);
	a = add(&w, "pod2", conf);
	expect_ok(call(.plugin = "bridge", .verb = "GC", .conf = conf_set(conf, "cni.dev/valid-attachments", "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	expect(!strstr(ruleset_in("host"), "net/pod1/eth0"));
	expect_ok(plugin(&w, "bridge", "CHECK", "pod2", "eth0", with_prev(conf, a)));
}

/* ---- VLANs ---- */

TEST(bridge_vlan)
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *hundred = conf_set(layer2, "vlan", "100"), *other = conf_set(layer2, "vlan", "200");
	struct answer a;

	need_vlan_filtering();
	a = add(&w, "pod1", hundred);
	add(&w, "pod2", hundred);
	add(&w, "pod3", other);
	sh("host", "for n in 1 2 3; do ip -n pod$n address add 10.5.0.$n/24 dev eth0; done");
	expect(link_in("host", "br0").vlan_filtering);
	expect_text(ping("pod1", "10.5.0.2"), "answers");
	expect(strcmp(ping_briefly("pod1", "10.5.0.3"), "answers") != 0);
	expect(!strstr(sh("host", "bridge vlan show dev %s", port_of(a)), " 1 "));
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(hundred, a)));
}

TEST(bridge_vlan_gateway)                               /* REF-26 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "vlan", "100");
	struct answer a;

	need_vlan_filtering();
	a = add(&w, "pod1", conf);
	expect_link("host", "br0.100", "veth");
	expect_text(addresses_of("host", "br0.100"), "10.1.2.1/24");
	expect_text(addresses_of("host", "br0"), "");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
}

/* What an ADD that died left is finished, what lost its bridge is put back, and a container's advertisements go unheard. */
TEST(bridge_vlan_gateway_is_mended)
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(v4, "vlan", "100");

	need_vlan_filtering();
	sh("host", "ip link add br0.100 type veth peer name other0");
	add(&w, "pod1", conf);
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	expect_sysctl("host", "net/ipv6/conf/br0.100/accept_ra", "0");
	sh("host", "ip link del br0");
	add(&w, "pod2", conf);
	expect_number(link_in("host", "other0").master, link_in("host", "br0").index);
	expect_text(ping("pod2", "10.1.2.1"), "answers");
}

TEST(bridge_vlan_gateway_is_made_deaf)
{
	struct world w = world_begin("pod1");

	need_vlan_filtering();
	add(&w, "pod1", conf_set(v4, "vlan", "100"));
	expect_sysctl("host", "net/ipv6/conf/br0.100/accept_ra", "0");
	expect(link_in("host", "br0.100").flags & IFF_UP);
}

TEST(bridge_vlan_gateway_is_not_somebody_elses)
{
	static const char *const others[] = { "ip link add br0.100 type bridge", "ip link add br0.100 type veth peer name other0 netns pod1",
		"ip link add br9 type bridge; ip link add br0.100 type veth peer name other0; ip link set other0 master br9" };
	struct world w = world_begin("pod1");

	need_vlan_filtering();
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		note("%s", others[i]);
		sh("host", "%s", others[i]);
		expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(v4, "vlan", "100")), 999,
		             "\"br0.100\" already exists but is not the VLAN's gateway");
		sh("host", "ip link del br0.100");
	}
}

/* Without filtering the VLANs of a bridge are one segment. */
TEST(bridge_vlan_needs_a_bridge_that_filters)
{
	struct world w = world_begin("pod1");

	sh("host", "ip link add br0 type bridge; ip link set br0 up");
	world_settled(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlan", "100")), 999, "bridge br0 does not filter VLANs");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlanTrunk", "[{'id': 7}]")), 999,
	             "ip link set br0 type bridge vlan_filtering 1");
	expect_untouched(&w);
}

TEST(bridge_vlan_check_notices_that_filtering_is_off)   /* CHK-4 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(layer2, "vlan", "100");
	struct answer a;

	need_vlan_filtering();
	a = add(&w, "pod1", conf);
	sh("host", "ip link set br0 type bridge vlan_filtering 0");
	expect_error(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)), 999, "does not filter VLANs");
	sh("host", "ip link set br0 type bridge vlan_filtering 1");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(conf, a)));
}

TEST(bridge_vlan_trunk_is_checked)
{
	static const struct { const char *trunk, *words; } rows[] = {
		{ "[{'minID': 100}]", "vlanTrunk[0]: minID and maxID should be configured simultaneously, maxID is missing" },
		{ "[{'maxID': 100}]", "minID and maxID should be configured simultaneously, minID is missing" },
		{ "[{'id': 7}, {'minID': 200, 'maxID': 100}]", "vlanTrunk[1]: minID 200 is greater than maxID 100" },
		{ "[{'minID': -1, 'maxID': 100}]", "vlanTrunk[0].minID" }, { "[{'minID': 5000, 'maxID': 100}]", "vlanTrunk[0].minID" },
		{ "[{'minID': 1, 'maxID': 5000}]", "vlanTrunk[0].maxID" }, { "[{'id': 100}, {'id': -1}]", "vlanTrunk[1].id" },
		{ "[{'id': 4095}]", "vlanTrunk[0].id" },
		{ "{}", "vlanTrunk: want a list" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlanTrunk", rows[i].trunk)), 7, rows[i].words);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlan", "4095")), 7, "vlan: want a whole number");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlan", "-1")), 7, "vlan: want a whole number");
	expect_untouched(&w);
}

/* A kernel without VLAN filtering must not leave a network that is less apart than asked for. */
TEST(bridge_vlan_without_kernel_support)
{
	struct world w = world_begin("pod1");

	if (sh_try("host", "ip link add probe type bridge vlan_filtering 1 && bridge vlan add vid 7 dev probe self; r=$?; ip link del probe; exit $r"))
		skip("this kernel's bridges have VLAN filtering");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "vlan", "100")), 999, "");
	expect_no_link("pod1", "eth0");
	expect_untouched(&w, BRIDGE_STAYS("br0"));
}

/* ---- Chained ---- */

/* After a plugin that made an interface on the host, that one becomes the port. */
TEST(bridge_takes_in_a_host_interface)                  /* CNV-10 */
{
	struct world w = world_begin("pod1");
	const char *prev = "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'tap0', 'mac': '02:00:00:00:00:05'}]}";
	struct answer a;

	sh("host", "ip link add tap0 address 02:00:00:00:00:05 type veth peer name vm0");
	a = add(&w, "pod1", conf_set(layer2, "prevResult", prev));
	expect_json(a, "interfaces[0].name", "tap0");
	expect_json(a, "interfaces[1].name", "br0");
	expect_number(link_in("host", "tap0").master, link_in("host", "br0").index);
	expect_no_link("pod1", "eth0");
}

static const char tap[] = "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'tap0'}], 'ips': [{'address': '10.1.2.7/24', 'interface': 0%s}]}";

static const char *chained(const char *conf, const char *gateway)
{
	return conf_set(conf_set(conf, "ipam", NULL), "prevResult", json(tap, gateway));
}

TEST(bridge_chained_is_checked_and_let_go)              /* CNV-10, CHK-4, DEL-1 */
{
	static const struct { const char *damage, *repair, *words; } rows[] = {
		{ "ip link set tap0 nomaster", "ip link set tap0 master br0", "does not have the container's link as a port" },
		{ "ip link set tap0 down; ip link set tap0 name tap1", "ip link set tap1 name tap0; ip link set tap0 up",
		  "interface tap0 is not on the host" },
		{ "ip addr del 10.1.2.1/24 dev br0", "ip addr add 10.1.2.1/24 dev br0", "10.1.2.1/24" },
	};
	struct world w = world_begin("pod1");
	const char *conf;

	sh("host", "ip link add tap0 type veth peer name vm0; ip link set tap0 up; ip link add tap9 type veth peer name vm9");
	world_settled(&w);
	conf = with_prev(v4, add(&w, "pod1", chained(v4, ", 'gateway': '10.1.2.1'")));
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("damage: %s", rows[i].damage);
		sh("host", "%s", rows[i].damage);
		expect_error(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf), 999, rows[i].words);
		sh("host", "%s", rows[i].repair);
		expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf));
	}
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", conf));
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", conf));
	expect_untouched(&w, BRIDGE_STAYS("br0"), FORWARDING_STAYS);
	sh("host", "ip link del tap0");
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", conf));
	sh("host", "ip link del br0");
	expect_ok(plugin(&w, "bridge", "DEL", "pod1", "eth0", conf));
}

/* A failed ADD leaves the interface as it was: on its own, and down. */
TEST(bridge_chained_failure_lets_go)                    /* ADD-7 */
{
	struct world w = world_begin("pod1");

	sh("host", "ip link add tap0 type veth peer name vm0; ip link add br0 address 02:00:00:00:00:0b type bridge;"
	           " ip link set br0 up; ip addr add 10.9.9.1/24 dev br0");
	world_settled(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", chained(v4, ", 'gateway': '10.1.2.1'")), 999,
	             "already has an IP address different from 10.1.2.1/24");
	expect_untouched(&w);
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "prevResult", "{'interfaces': [{'name': 'lo'}]}")), 999,
	             "making lo a port of br0");
	expect_error(plugin(&w, "bridge", "ADD", "pod1", "eth0", conf_set(layer2, "prevResult", "{'interfaces': [{'name': 'tap5'}]}")), 999,
	             "interface tap5 is not on the host");
	expect_untouched(&w);
}

/* An address that came without a gateway is none of the bridge's business, whatever addresses that has. */
TEST(bridge_chained_without_a_gateway)
{
	struct world w = world_begin("pod1");

	sh("host", "ip link add tap0 type veth peer name vm0; ip link add br0 type bridge; ip link set br0 up; ip addr add 172.20.0.1/24 dev br0");
	add(&w, "pod1", chained(v4, ""));
	add(&w, "pod1", conf_set(chained(v4, ""), "forceAddress", "true"));
	expect_text(addresses_of("host", "br0"), "172.20.0.1/24");
}

/* ---- CHECK ---- */

TEST(bridge_check_notices_what_was_changed)             /* CHK-4 */
{
	static const struct { const char *where, *damage, *repair, *words; } rows[] = {
		{ "pod1", "ip addr del 10.1.2.2/24 dev eth0", "ip addr add 10.1.2.2/24 dev eth0; ip route add default via 10.1.2.1", "10.1.2.2/24" },
		{ "pod1", "ip route del default", "ip route add default via 10.1.2.1", "Expected Route 0.0.0.0/0" },
		{ "pod1", "ip link set eth0 down; ip link set eth0 name eth1", "ip link set eth1 name eth0; ip link set eth0 up; ip route add default via 10.1.2.1", "interface eth0 not found" },
		{ "pod1", "ip link set eth0 address 02:00:00:00:00:99", "ip link set eth0 address $POD_MAC", "MAC" },
		{ "host", "ip link set $PORT down", "ip link set $PORT up", "down" },
		{ "host", "ip link set $PORT nomaster", "ip link set $PORT master br0", "does not have the container's link as a port" },
		{ "host", "ip addr del 10.1.2.1/24 dev br0", "ip addr add 10.1.2.1/24 dev br0", "10.1.2.1/24" },
		{ "host", "ip link set br0 address 02:00:00:00:00:77", "ip link set br0 address $BRIDGE_MAC", "has another MAC" },
		{ "host", "echo 0 >/proc/sys/net/ipv4/ip_forward", "echo 1 >/proc/sys/net/ipv4/ip_forward", "ip_forward" },
		{ "host", "nft delete element inet plumb masq4 '{ 10.1.2.2 }'",
		  "nft add element inet plumb masq4 '{ 10.1.2.2 comment \"net/pod1/eth0\" : goto masq_10.1.2.0/24 }'", "masquerading of 10.1.2.2" },
		{ "host", "nft delete element bridge plumb guarded \"{ $PORT }\"", "nft add element bridge plumb guarded \"{ $PORT comment \\\"net/pod1/eth0\\\" }\"",
		  "guard against forged MACs" },
		{ "host", "rm /var/lib/cni/networks/net/10.1.2.2", "printf 'pod1\\r\\neth0' >/var/lib/cni/networks/net/10.1.2.2", "pod1" },
	};
	struct world w = world_begin("pod1");
	const char *conf = conf_set(conf_set(v4, "ipMasq", "true"), "macspoofchk", "true");
	struct answer a = add(&w, "pod1", conf);
	const char *names = keep("PORT=%s; POD_MAC=%s; BRIDGE_MAC=%s", port_of(a), json_at(a, "interfaces[2].mac"), json_at(a, "interfaces[0].mac"));

	conf = with_prev(conf, a);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("damage: %s", rows[i].damage);
		sh(rows[i].where, "%s; %s", names, rows[i].damage);
		expect_error(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf), 999, rows[i].words);
		sh(rows[i].where, "%s; %s", names, rows[i].repair);
	}
	note("all is repaired");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf));
	sh("host", "ip link del br0");
	expect_error(plugin(&w, "bridge", "CHECK", "pod1", "eth0", conf), 999, "is not there");
}

/* What other plugins of the chain may do besides is none of our business. */
TEST(bridge_check_tolerates_additions)                  /* CHK-3 */
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", dual);

	sh("pod1", "ip address add 10.99.0.1/24 dev eth0; ip route add 10.77.0.0/16 via 10.1.2.1; ip link set eth0 mtu 1300; ip link add x type bridge");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(dual, a)));
}

/* ---- GC, STATUS, many at once ---- */

TEST(bridge_gc_removes_what_no_attachment_has)          /* GC-1 */
{
	struct world w = world_begin("pod1 pod2");

	add(&w, "pod1", dual);
	add(&w, "pod2", dual);
	expect_ok(call(.plugin = "bridge", .verb = "GC", .conf = conf_set(dual, "cni.dev/valid-attachments", "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	expect_text(elements_of("masq4"), "10.1.2.3 comment \"net/pod2/eth0\" : goto masq_10.1.2.0/24");
	expect_no_file("/var/lib/cni/networks/net/10.1.2.2");
	expect_file("/var/lib/cni/networks/net/10.1.2.3", "pod2\r\neth0");
	expect_text(ping("pod2", "10.1.2.1"), "answers");
}

TEST(bridge_gc_says_what_it_would_remove)               /* GC-1 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(conf_set(dual, "dryRun", "true"), "cni.dev/valid-attachments", "[]");
	struct answer a = add(&w, "pod1", dual), gc;

	gc = expect_ok(call(.plugin = "bridge", .verb = "GC", .conf = conf));
	expect_contains(gc.err, "would remove what nftables masq4 has of container \"pod1\" of network \"net\" (eth0)");
	expect_contains(gc.err, "would give 10.1.2.2 back, a lease of container \"pod1\"");
	expect_ok(plugin(&w, "bridge", "CHECK", "pod1", "eth0", with_prev(dual, a)));
}

TEST(bridge_twenty_at_once)                             /* LIFE-1, REF-31 */
{
	struct world w = world_begin("pod1 pod2 pod3 pod4 pod5 pod6 pod7 pod8 pod9 pod10 pod11 pod12 pod13 pod14 pod15 pod16 pod17 pod18 pod19 pod20");
	const char *script =
		"set -e; for verb in ADD DEL; do pids=;"
		" for n in $(seq 20); do"
		"  CNI_COMMAND=$verb CNI_CONTAINERID=pod$n CNI_NETNS=/run/netns/pod$n CNI_IFNAME=eth0 CNI_PATH=%s %s/bridge </run/conf >/run/out$n & pids=\"$pids $!\";"
		" done; for p in $pids; do wait $p; done;"
		" if [ $verb = ADD ]; then ls /var/lib/cni/networks/net | grep -c '^10[.]1[.]2'; ls /sys/class/net/br0/brif | wc -l; fi; done; rm /run/out* /run/conf";

	file_write("/run/conf", json_quotes(dual));
	expect_text(sh("host", script, bin_dir(), bin_dir()), "20\n20\n");
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}
