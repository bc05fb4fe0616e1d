/* ptp: a veth pair for each container, the host routes. */
#include "test.h"

#include <linux/if_addr.h>
#include <string.h>

static const char v4[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp',"
	" 'ipam': {'type': 'host-local', 'subnet': '10.1.2.0/24', 'routes': [{'dst': '0.0.0.0/0'}]}}";

static const char dual[] =
	"{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp',"
	" 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.2.0/24'}], [{'subnet': 'fd00:1::/64'}]],"
	"          'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}}";

#define LEFT_OVER STORE_STAYS("net"), FORWARDING_STAYS

static const char *host_end(struct answer add)
{
	return json_at(add, "interfaces[0].name");
}

static struct answer add(struct world *w, const char *pod, const char *conf)
{
	return expect_ok(plugin(w, "ptp", "ADD", pod, "eth0", conf));
}

/* ---- ADD and DEL ---- */

TEST_EACH(ptp_adds_and_deletes, all_versions, version)  /* ADD-1, DEL-1 */
{
	struct world w = world_begin("pod1 lan");
	const char *conf = conf_set(v4, "cniVersion", json("'%s'", version));
	struct answer a = add(&w, "pod1", conf);

	expect_json(a, "cniVersion", version);
	if (version_since(version, "0.3.0")) {
		expect_json(a, "interfaces[1].name", "eth0");
		expect_json(a, "interfaces[1].sandbox", "/run/netns/pod1");
		expect_json(a, "interfaces[1].mac", link_in("pod1", "eth0").mac);
		expect_json(a, "interfaces[0].mac", expect_link("host", host_end(a), "veth").mac);
		expect_json(a, "interfaces[0].sandbox", "absent");
		expect_json(a, "ips[0].address", "10.1.2.2/24");
		expect_json(a, "ips[0].gateway", "10.1.2.1");
		expect_json(a, "ips[0].interface", "1");
		expect_json(a, "ips[0].version", version_since(version, "1.0.0") ? "absent" : "4");
		expect_json(a, "routes", "[{\"dst\": \"0.0.0.0/0\"}]");
	} else {
		expect_json(a, "ip4", "{\"gateway\": \"10.1.2.1\", \"ip\": \"10.1.2.2/24\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}");
	}
	expect_link("pod1", "eth0", "veth");
	expect_text(addresses_of("pod1", "eth0"), "10.1.2.2/24");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	expect_text(ping("host", "10.1.2.2"), "answers");
	if (version_since(version, "0.4.0"))
		expect_ok(plugin(&w, "ptp", "CHECK", "pod1", "eth0", with_prev(conf, a)));
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_no_link("pod1", "eth0");
	expect_untouched(&w, LEFT_OVER);
}

/* The container reaches its own subnet by the gateway; the host has a route to the container's address alone. */
TEST(ptp_routes)                                        /* RES-3 */
{
	struct world w = world_begin("pod1");
	const char *near = host_end(add(&w, "pod1", dual));

	expect_text(routes_text("pod1"),
	            "10.1.2.0/24 via 10.1.2.1 dev eth0 src 10.1.2.2\n"
	            "10.1.2.1/32 dev eth0 src 10.1.2.2\n"
	            "::/0 via fd00:1::1 dev eth0\n"
	            "default via 10.1.2.1 dev eth0\n"
	            "fd00:1::/64 via fd00:1::1 dev eth0 src fd00:1::2\n"
	            "fd00:1::1/128 dev eth0 src fd00:1::2\n");
	expect_route("host", keep("10.1.2.2/32 dev %s", near));
	expect_route("host", keep("fd00:1::2/128 dev %s", near));
	expect_text(addresses_of("host", near), "10.1.2.1/32 fd00:1::1/128");
	expect_sysctl("host", "net/ipv4/ip_forward", "1");
	expect_sysctl("host", "net/ipv6/conf/all/forwarding", "1");
}

/* Seen in the reference's users: the gateway answers at once, IPv6 too, as nothing waits for duplicate detection. */
TEST(ptp_is_usable_at_once)                             /* REF-11 */
{
	struct world w = world_begin("pod1 lan");
	struct answer a = add(&w, "pod1", dual);

	expect_text(ping_promptly("pod1", "fd00:1::1"), "answers");
	expect_text(ping_promptly("pod1", "10.1.2.1"), "answers");
	for (const struct address_seen *seen = addresses_in("pod1", false); seen->index; seen++)
		expect(!(seen->flags & IFA_F_TENTATIVE));
	eventually(link_in("pod1", "eth0").operstate == OPERSTATE_UP && link_in("host", host_end(a)).operstate == OPERSTATE_UP);
}

TEST(ptp_pods_reach_each_other)
{
	struct world w = world_begin("pod1 pod2");

	add(&w, "pod1", dual);
	add(&w, "pod2", dual);
	expect_text(ping_promptly("pod1", "fd00:1::3"), "answers");
	tcp_serve("pod2", NULL, 80);
	udp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2");
	expect_text(tcp_ask("pod1", "fd00:1::3", 80), "pod2 saw fd00:1::2");
	expect_text(udp_ask("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2");
	expect_text(tcp_ask("host", "10.1.2.3", 80), "pod2 saw 10.1.2.1");
}

TEST(ptp_second_del_succeeds)                           /* DEL-4 */
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", v4);

	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(v4, a)));
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(v4, a)));
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", v4));
	expect_untouched(&w, LEFT_OVER);
}

TEST(ptp_del_without_add)                               /* DEL-5 */
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", dual));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "never", .ifname = "eth0", .conf = dual));
	expect_untouched(&w, STORE_STAYS("net"));
}

/* With the namespace gone, and with nothing but the names: the link, the lease and the masquerading all go. */
TEST(ptp_del_with_the_namespace_gone)                   /* DEL-3, REF-41 */
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *conf = conf_set(dual, "ipMasq", "true");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", conf);
	add(&w, "pod3", conf);
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = with_prev(conf, a)));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "pod2", .ifname = "eth0", .conf = conf));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "pod3", .ifname = "eth0", .conf = conf, .netns = "/run/netns/gone"));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

/* The host's end is this attachment's whatever the other end is called now, and wherever it is. */
TEST(ptp_del_of_an_interface_that_moved)                /* DEL-1 */
{
	struct world w = world_begin("pod1 pod2");

	add(&w, "pod1", v4);
	add(&w, "pod2", v4);
	sh("pod1", "ip link set eth0 down; ip link set eth0 name old0");
	sh("host", "ip -n pod2 link set eth0 netns pod1 name old1");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", v4));
	expect_ok(plugin(&w, "ptp", "DEL", "pod2", "eth0", v4));
	expect_untouched(&w, LEFT_OVER);
}

/* A DEL of another interface, container or network is none of ours. */
TEST(ptp_del_leaves_others_alone)                       /* DEL-10 */
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(v4, "ipMasq", "true");
	const char *before;

	add(&w, "pod1", conf);
	before = elements_of("masq4");
	expect_ok(plugin(&w, "ptp", "DEL", "pod2", "eth0", conf));
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth1", conf));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "pod1", .ifname = "eth1", .conf = conf));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .container = "pod1", .ifname = "eth0", .conf = conf_set(conf, "name", "'other'")));
	expect_link("pod1", "eth0", "veth");
	expect_text(elements_of("masq4"), before);
	expect_file("/var/lib/cni/networks/net/10.1.2.2", "pod1\r\neth0");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
}

/* ---- Masquerading ---- */

TEST(ptp_masquerades)                                   /* CONF-4 */
{
	struct world w = world_begin("pod1 pod2 lan");
	const char *conf = conf_set(dual, "ipMasq", "true");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", dual);
	tcp_serve("lan", NULL, 80);
	udp_serve("lan", NULL, 80);
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	expect_text(udp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	expect_text(tcp_ask("pod1", "2001:db8:1::2", 80), "lan saw 2001:db8:1::1");
	expect_text(ping("pod1", "192.0.2.2"), "answers");
	expect_text(tcp_ask_briefly("pod2", "192.0.2.2", 80), "timeout");
	expect_text(elements_of("masq4"), "10.1.2.2 comment \"net/pod1/eth0\" : goto masq_10.1.2.0/24");
	expect_text(elements_of("masq6"), "fd00:1::2 comment \"net/pod1/eth0\" : goto masq_fd00_1__/64");
	expect_ok(plugin(&w, "ptp", "CHECK", "pod1", "eth0", with_prev(conf, a)));
}

/* What stays in the container's own subnet, and multicast, keeps its source. */
TEST(ptp_masquerades_no_more_than_needed)
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(dual, "ipMasq", "true");

	add(&w, "pod1", conf);
	add(&w, "pod2", conf);
	tcp_serve("pod2", NULL, 80);
	expect_text(tcp_ask("pod1", "10.1.2.3", 80), "pod2 saw 10.1.2.2");
	expect_text(tcp_ask("pod1", "fd00:1::3", 80), "pod2 saw fd00:1::2");
}

TEST(ptp_masquerading_of_two_networks_goes_one_by_one)
{
	struct world w = world_begin("pod1 pod2 pod3");
	const char *conf = conf_set(v4, "ipMasq", "true");
	const char *other = json("{'cniVersion': '1.1.0', 'name': 'other', 'type': 'ptp', 'ipMasq': true, 'ipam': {'type': 'host-local', 'subnet': '10.9.0.0/16'}}");
	struct answer a = add(&w, "pod1", conf);

	add(&w, "pod2", conf);
	add(&w, "pod3", other);
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_text(elements_of("masq4"), "10.1.2.3 comment \"net/pod2/eth0\" : goto masq_10.1.2.0/24\n10.9.0.2 comment \"other/pod3/eth0\" : goto masq_10.9.0.0/16");
	expect_ok(plugin(&w, "ptp", "DEL", "pod2", "eth0", conf));
	expect_text(elements_of("masq4"), "10.9.0.2 comment \"other/pod3/eth0\" : goto masq_10.9.0.0/16");
	expect_ok(plugin(&w, "ptp", "DEL", "pod3", "eth0", other));
	expect_untouched(&w, LEFT_OVER, STORE_STAYS("other"), RULESET_STAYS);
}

/* A ruleset flushed by somebody else is no reason for DEL to fail. */
TEST(ptp_del_after_the_ruleset_was_flushed)             /* DEL-8 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipMasq", "true");
	struct answer a = add(&w, "pod1", conf);

	sh("host", "nft flush ruleset");
	expect_error(plugin(&w, "ptp", "CHECK", "pod1", "eth0", with_prev(conf, a)), 999, "nftables table inet plumb");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(conf, a)));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

/* One backend is there; the other's name is answered with it, once and in words. */
TEST(ptp_ip_masq_backend)                               /* REF-30 */
{
	struct world w = world_begin("pod1 lan");
	const char *conf = conf_set(v4, "ipMasq", "true");
	struct answer a;

	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf_set(conf, "ipMasqBackend", "'pf'")), 7, "ipMasqBackend: unknown backend \"pf\"");
	expect_untouched(&w);
	a = add(&w, "pod1", conf_set(conf, "ipMasqBackend", "'iptables'"));
	expect_contains(a.err, "ipMasqBackend: \"iptables\" is answered with nftables");
	tcp_serve("lan", NULL, 80);
	expect_text(tcp_ask("pod1", "192.0.2.2", 80), "lan saw 192.0.2.1");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf_set(conf, "ipMasqBackend", "'iptables'")));
	a = add(&w, "pod1", conf_set(conf, "ipMasqBackend", "'nftables'"));
	expect_text(a.err, "");
}

/* ---- The link ---- */

TEST(ptp_mtu)
{
	struct world w = world_begin("pod1 pod2 lan");
	struct answer a;

	sh("host", "ip link set lan0 mtu 1380");
	a = add(&w, "pod1", v4);
	expect_number(link_in("pod1", "eth0").mtu, 1380);
	expect_number(link_in("host", host_end(a)).mtu, 1380);
	expect_json(a, "interfaces[1].mtu", "1380");
	a = add(&w, "pod2", conf_set(v4, "mtu", "1312"));
	expect_number(link_in("pod2", "eth0").mtu, 1312);
	expect_number(link_in("host", host_end(a)).mtu, 1312);
	expect_error(plugin(&w, "ptp", "ADD", "pod2", "eth1", conf_set(v4, "mtu", "70000")), 7, "mtu: want a whole number");
	expect_error(plugin(&w, "ptp", "ADD", "pod2", "eth1", conf_set(v4, "mtu", "'1500'")), 7, "mtu: want a whole number");
	expect_error(plugin(&w, "ptp", "ADD", "pod2", "eth1", conf_set(v4, "mtu", "67")), 7, "mtu: want a whole number from 68 to 65535, or 0 for none");
}

TEST(ptp_mtu_without_a_default_route)
{
	struct world w = world_begin("pod1");

	add(&w, "pod1", v4);
	expect_number(link_in("pod1", "eth0").mtu, 1500);
}

/* Given MACs (udev leaves them alone), one queue a direction. */
TEST(ptp_link_is_plain)
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", v4);

	expect_number(link_in("host", host_end(a)).tx_queues, 1);
	expect_number(link_in("host", host_end(a)).rx_queues, 1);
	expect_number(link_in("pod1", "eth0").tx_queues, 1);
	expect_text(keep("%.4s", host_end(a)), "veth");
	expect_contains(sh("host", "ip -d link show %s", host_end(a)), "veth");
	expect_text(sh("host", "cat /sys/class/net/%s/addr_assign_type 2>/dev/null || echo 3", host_end(a)), "3\n");
}

/* The host learns nothing from a container's router advertisements, and an IPv4-only container autoconfigures nothing. */
TEST(ptp_autoconfiguration_is_off)
{
	struct world w = world_begin("pod1 pod2");
	struct answer a = add(&w, "pod1", v4);

	expect_sysctl("host", keep("net/ipv6/conf/%s/accept_ra", host_end(a)), "0");
	expect_sysctl("pod1", "net/ipv6/conf/eth0/accept_ra", "0");
	expect_sysctl("pod1", "net/ipv6/conf/eth0/autoconf", "0");
	add(&w, "pod2", dual);
	expect_sysctl("pod2", "net/ipv6/conf/eth0/disable_ipv6", "0");
}

/* Docker and others switch IPv6 off in a container; an address of it given on purpose switches it on. */
TEST(ptp_ipv6_in_a_container_that_has_it_off)
{
	struct world w = world_begin("pod1");

	sysctl_put("pod1", "net/ipv6/conf/all/disable_ipv6", "1");
	sysctl_put("pod1", "net/ipv6/conf/default/disable_ipv6", "1");
	add(&w, "pod1", dual);
	expect_addr("pod1", "eth0", "fd00:1::2/64");
	expect_text(ping("pod1", "fd00:1::1"), "answers");
}

TEST(ptp_ipv6_off_on_the_host_is_told_by_its_setting)
{
	struct world w = world_begin("pod1");
	struct answer a;

	sysctl_put("host", "net/ipv6/conf/all/disable_ipv6", "1");
	sysctl_put("host", "net/ipv6/conf/default/disable_ipv6", "1");
	world_settled(&w);
	a = plugin(&w, "ptp", "ADD", "pod1", "eth0", dual);
	if (a.status == 0)
		expect_text(ping("pod1", "fd00:1::1"), "answers");
	else
		expect_error(a, 999, "disable_ipv6");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", dual));
	expect_untouched(&w, LEFT_OVER);
}

/* A host's end that an earlier life of the same attachment left is taken away; nothing else's is. */
TEST(ptp_takes_the_place_of_its_own_left_over)
{
	struct world w = world_begin("pod1");
	struct answer a = add(&w, "pod1", v4);

	sh("host", "ip -n pod1 link set eth0 down; ip -n pod1 link set eth0 name old0");
	sh("host", "rm /var/lib/cni/networks/net/10.1.2.2");
	a = add(&w, "pod1", v4);
	expect_no_link("pod1", "old0");
	expect_text(ping("pod1", "10.1.2.1"), "answers");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", with_prev(v4, a)));
	expect_untouched(&w, LEFT_OVER);
}

/* ---- DNS ---- */

TEST(ptp_dns)                                           /* CONF-5, REF-10 */
{
	static const struct { const char *dns, *want; } rows[] = {
		{ NULL, "{\"domain\": \"ipam.example\", \"nameservers\": [\"10.1.2.53\"]}" },
		{ "{'nameservers': ['10.9.9.9'], 'options': ['ndots:3']}", "{\"nameservers\": [\"10.9.9.9\"], \"options\": [\"ndots:3\"]}" },
		{ "{'search': ['a.example']}", "{\"search\": [\"a.example\"]}" },
		{ "{'nameservers': []}", "absent" },
		{ "{}", "{\"domain\": \"ipam.example\", \"nameservers\": [\"10.1.2.53\"]}" },
	};
	struct world w = world_begin("pod1");
	const char *conf = json("{'cniVersion': '1.0.0', 'name': 'net', 'type': 'ptp', 'ipam': {'type': 'static', 'addresses': [{'address': '10.1.2.2/24', 'gateway': '10.1.2.1'}],"
	                        " 'dns': {'nameservers': ['10.1.2.53'], 'domain': 'ipam.example'}}}");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("dns: %s", rows[i].dns ? rows[i].dns : "absent");
		expect_json(add(&w, "pod1", conf_set(conf, "dns", rows[i].dns)), "dns", rows[i].want);
		expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf));
	}
	expect_untouched(&w, FORWARDING_STAYS);
}

/* ---- Refusals, which change nothing ---- */

TEST(ptp_refuses_a_taken_interface_name)                /* ADD-4 */
{
	struct world w = world_begin("pod1");

	sh("pod1", "ip link add eth0 type veth peer name other");
	world_settled(&w);
	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", v4), 999, "container interface \"eth0\" already exists in /run/netns/pod1");
	expect_untouched(&w);
}

TEST(ptp_refuses_a_second_add)                          /* ADD-5 */
{
	struct world w = world_begin("pod1 pod2");

	add(&w, "pod1", v4);
	world_settled(&w);
	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", v4), 999, "already exists");
	/* the same identity in another namespace: its lease is held by a living container */
	expect_error(call(.plugin = "ptp", .verb = "ADD", .pod = "pod2", .container = "pod1", .conf = v4), 999, "pod1");
	expect_untouched(&w);
	expect_text(ping("pod1", "10.1.2.1"), "answers");
}

TEST(ptp_needs_an_address_plugin)
{
	struct world w = world_begin("pod1");

	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf_set(v4, "ipam", NULL)), 7, "ipam.type: missing");
	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf_set(v4, "ipam", "{'type': ''}")), 7, "ipam.type: missing");
	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf_set(v4, "ipam", "{'type': 'there-is-none'}")), 999, "failed to find plugin \"there-is-none\" in path");
	expect_untouched(&w);
}

TEST(ptp_needs_a_gateway)
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.2.2/24'}]}");

	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf), 7, "address 10.1.2.2/24 came without a gateway");
	expect_untouched(&w);
}

/* A route that the kernel refuses comes late, after link, lease and addresses: all are taken back. */
TEST(ptp_takes_everything_back_when_a_step_fails)       /* ADD-7 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipam", "{'type': 'host-local', 'subnet': '10.1.2.0/24', 'routes': [{'dst': '10.9.0.0/16', 'gw': '172.16.0.1'}]}");

	expect_error(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf), 999, "10.9.0.0/16");
	expect_untouched(&w, LEFT_OVER);
}

/* One answer of the kernel after the other gets lost, for want of memory: whatever was made in its course goes. */
TEST(ptp_takes_everything_back_when_an_answer_gets_lost) /* ADD-7 */
{
	struct world w = world_begin("pod1");
	int failures = 0;

#ifdef __SANITIZE_ADDRESS__
	skip("a program cannot look for leaks while strace traces it");
#endif
	if (!sh_try("host", "strace -V && strace -o /dev/null true"))
		skip("there is no strace to make system calls fail with");
	for (int n = 1; n <= 40; n++) {
		const char *const argv[] = { "-o", "/dev/null", "-e", keep("inject=recvmsg:error=ENOBUFS:when=%d", n),
		                             keep("%s/ptp", bin_dir()), NULL };
		struct answer a = call(.plugin = "ptp", .verb = "ADD", .pod = "pod1", .conf = v4, .program = "/usr/bin/strace", .argv = argv);

		note("lost: answer %d", n);
		failures += a.status != 0;
		if (a.status == 0)
			expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", v4));
		else
			expect_error(a, 999, "No buffer space available");
		expect_untouched(&w, LEFT_OVER);
	}
	expect(failures > 5 && failures < 40);
}

TEST(ptp_passes_an_address_plugins_error_on)            /* DLG-6 */
{
	struct world w = world_begin("pod1");
	struct answer a;

	file_write("/run/fake/fake-ipam", "#!/bin/sh\ncat >/dev/null\necho '{\"cniVersion\": \"1.1.0\", \"code\": 142, \"msg\": \"no luck\", \"details\": \"at all\"}'\nexit 1\n");
	sh("host", "chmod +x /run/fake/fake-ipam");
	world_settled(&w);
	a = call(.plugin = "ptp", .verb = "ADD", .pod = "pod1", .conf = conf_set(v4, "ipam", "{'type': 'fake-ipam'}"), .path = "/run/fake");
	expect_error(a, 142, "no luck");
	expect_json(a, "msg", "no luck");
	expect_json(a, "details", "at all");
	expect_untouched(&w);
}

/* ---- CHECK ---- */

TEST(ptp_check_notices_what_was_changed)                /* CHK-4 */
{
	static const struct { const char *where, *damage, *repair, *words; } rows[] = {
		{ "pod1", "ip addr del 10.1.2.2/24 dev eth0",
		  "ip addr add 10.1.2.2/24 dev eth0 noprefixroute; ip route add 10.1.2.1 dev eth0; ip route add 10.1.2.0/24 via 10.1.2.1; ip route add default via 10.1.2.1",
		  "10.1.2.2/24" },
		{ "pod1", "ip route del default", "ip route add default via 10.1.2.1", "Expected Route 0.0.0.0/0" },
		{ "pod1", "ip -6 route del default", "ip route add default via fd00:1::1", "Expected Route ::/0" },
		{ "pod1", "ip link set eth0 address 02:00:00:00:00:99", "ip link set eth0 address $POD_MAC", "MAC" },
		{ "host", "ip link set $NEAR down", "ip link set $NEAR up; ip route add 10.1.2.2 dev $NEAR; ip route add fd00:1::2 dev $NEAR", "down" },
		{ "host", "echo 0 >/proc/sys/net/ipv4/ip_forward", "echo 1 >/proc/sys/net/ipv4/ip_forward", "ip_forward" },
		{ "host", "nft delete element inet plumb masq4 '{ 10.1.2.2 }'",
		  "nft add element inet plumb masq4 '{ 10.1.2.2 comment \"net/pod1/eth0\" : goto masq_10.1.2.0/24 }'", "masquerading of 10.1.2.2" },
		{ "host", "cd /var/lib/cni/networks/net; rm 10.1.2.2 fd00:1::2",
		  "cd /var/lib/cni/networks/net; printf 'pod1\\r\\neth0' >10.1.2.2; cp 10.1.2.2 fd00:1::2", "pod1" },
		{ "pod1", "ip link set eth0 down; ip link set eth0 name eth1", "ip link del eth1; ip link add eth0 type bridge", "interface eth0 not found" },
		{ "pod1", "ip link show eth0", "ip link del eth0", "is no veth" },
	};
	struct world w = world_begin("pod1");
	const char *conf = conf_set(dual, "ipMasq", "true"), *names;
	struct answer a = add(&w, "pod1", conf);

	conf = with_prev(conf, a);
	names = keep("NEAR=%s; POD_MAC=%s", host_end(a), json_at(a, "interfaces[1].mac"));
	expect_ok(plugin(&w, "ptp", "CHECK", "pod1", "eth0", conf));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("damage: %s", rows[i].damage);
		sh(rows[i].where, "%s; %s", names, rows[i].damage);
		expect_error(plugin(&w, "ptp", "CHECK", "pod1", "eth0", conf), 999, rows[i].words);
		sh(rows[i].where, "%s; %s", names, rows[i].repair);
	}
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf));
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}

TEST(ptp_check_needs_prev_result)                       /* CHK-2 */
{
	struct world w = world_begin("pod1");

	add(&w, "pod1", v4);
	expect_error(plugin(&w, "ptp", "CHECK", "pod1", "eth0", v4), 7, "prevResult");
}

/* ---- GC and STATUS ---- */

TEST(ptp_gc_removes_what_no_attachment_has)             /* GC-1 */
{
	struct world w = world_begin("pod1 pod2");
	const char *conf = conf_set(dual, "ipMasq", "true");

	add(&w, "pod1", conf);
	add(&w, "pod2", conf);
	expect_ok(call(.plugin = "ptp", .verb = "GC", .conf = conf_set(conf, "cni.dev/valid-attachments", "[{'containerID': 'pod2', 'ifname': 'eth0'}]")));
	expect_text(elements_of("masq4"), "10.1.2.3 comment \"net/pod2/eth0\" : goto masq_10.1.2.0/24");
	expect_text(elements_of("masq6"), "fd00:1::3 comment \"net/pod2/eth0\" : goto masq_fd00_1__/64");
	expect_no_file("/var/lib/cni/networks/net/10.1.2.2");
	expect_file("/var/lib/cni/networks/net/10.1.2.3", "pod2\r\neth0");
	expect_text(ping("pod2", "10.1.2.1"), "answers");
	expect_ok(call(.plugin = "ptp", .verb = "GC", .conf = conf_set(conf, "cni.dev/valid-attachments", "[]")));
	expect_text(elements_of("masq4"), "");
	expect_no_file("/var/lib/cni/networks/net/10.1.2.3");
}

TEST(ptp_gc_leaves_other_networks_alone)                /* GC-2 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipMasq", "true");

	add(&w, "pod1", conf);
	expect_ok(call(.plugin = "ptp", .verb = "GC", .conf = conf_set(conf_set(conf, "name", "'ne'"), "cni.dev/valid-attachments", "[]")));
	expect_contains(elements_of("masq4"), "net/pod1/eth0");
}

TEST(ptp_status_tells_an_exhausted_pool)                /* STA-2 */
{
	struct world w = world_begin("pod1");
	const char *conf = conf_set(v4, "ipam", "{'type': 'host-local', 'subnet': '10.1.2.0/30'}");

	expect_ok(call(.plugin = "ptp", .verb = "STATUS", .conf = conf));
	add(&w, "pod1", conf);
	expect_error(call(.plugin = "ptp", .verb = "STATUS", .conf = conf), 50, "10.1.2");
	expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf));
	expect_ok(call(.plugin = "ptp", .verb = "STATUS", .conf = conf));
}

/* ---- Many at once ---- */

TEST(ptp_twenty_at_once)                                /* LIFE-1, REF-31 */
{
	struct world w = world_begin("pod1 pod2 pod3 pod4 pod5 pod6 pod7 pod8 pod9 pod10 pod11 pod12 pod13 pod14 pod15 pod16 pod17 pod18 pod19 pod20");
	const char *script =
		"set -e; for verb in ADD DEL; do pids=;"
		" for n in $(seq 20); do"
		"  CNI_COMMAND=$verb CNI_CONTAINERID=pod$n CNI_NETNS=/run/netns/pod$n CNI_IFNAME=eth0 CNI_PATH=%s %s/ptp </run/conf >/run/out$n & pids=\"$pids $!\";"
		" done; for p in $pids; do wait $p; done;"
		" if [ $verb = ADD ]; then ls /var/lib/cni/networks/net | grep -c '^10[.]1[.]2'; fi; done; rm /run/out* /run/conf";
	const char *conf = json_quotes(conf_set(dual, "ipMasq", "true"));

	file_write("/run/conf", conf);
	expect_text(sh("host", script, bin_dir(), bin_dir()), "20\n");
	expect_untouched(&w, LEFT_OVER, RULESET_STAYS);
}
