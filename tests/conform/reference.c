/* What a drop-in for the reference plugins does besides: the rules REF of spec/requirements.md. */
#include <string.h>

#include "conform.h"

REQUIREMENT(REF, 1, EVERYONE)           /* no CNI_COMMAND: about the plugin, on stderr, and success */
{
	struct answer a = expect_ok(call(.plugin = s->name, .path = "", .conf = ""));

	expect_text(a.out, "");
	expect_contains(a.err, keep("CNI plugin %s ", s->name));
	expect_contains(a.err, keep("\nCNI protocol versions supported: %s\n", versions_of(s, "")));
	a = expect_ok(call(.plugin = s->name, .path = "", .conf = "", .more = { "CNI_COMMAND=" }));
	expect_contains(a.err, keep("CNI plugin %s ", s->name));
}

REQUIREMENT(REF, 2, EVERYONE)           /* --version */
{
	struct answer a = expect_ok(call(.plugin = s->name, .path = "", .conf = "", .argv = (const char *[]){ "--version", NULL }));

	expect_contains(a.out, keep("CNI plugin %s ", s->name));
}

REQUIREMENT(REF, 3, EVERYONE)           /* STATUS and GC succeed at 1.1.0 where there is nothing to do */
{
	if (is(s, POOL) || is(s, KEEPS))
		not_applicable("it has its own: STA, GC");
	expect_ok(request(s, "STATUS", s->conf));
	expect_ok(request(s, "GC", with_valid(s->conf, "[]")));
	expect_untouched(w);
}

REQUIREMENT(REF, 4, ARGS)               /* CNI_ARGS: keys in their exact case, unknown ones are an error without IgnoreUnknown */
{
	const char *key = is(s, ADDRESSES) ? "ip=10.1.0.9/24" : "mac=02:00:00:00:00:33";
	struct answer a = expect_error(request(s, "ADD", s->conf, .args = key), 4, "ARGS: unknown args");

	expect_contains(json_at(a, "msg"), key);
	expect_error(request(s, "ADD", s->conf, .args = keep("IgnoreUnknown=0;%s", key)), 4, "ARGS: unknown args");
	a = expect_ok(request(s, "ADD", s->conf, .args = keep("%s;IgnoreUnknown=true", key)));
	expect(!strstr(a.out, "10.1.0.9/24") && !strstr(a.out, "02:00:00:00:00:33"));
}

REQUIREMENT(REF, 5, ONLY_BRIDGE)        /* the bridge is there before addresses are asked for, and stays when none is given */
{
	struct answer a;

	fake("fake", "ip link show br0 >$log.seen 2>&1; [ $CNI_COMMAND != ADD ] || { echo '{\"code\": 11, \"msg\": \"no\"}'; exit 1; }");
	a = expect_error(request(s, "ADD", with_ipam(s, "fake"), .path = fakes_path()), 11, "no");
	expect_contains(file_read(FAKES "/log/fake.seen"), "br0: <");
	expect_link("host", "br0", "bridge");
	expect_number(a.status, 1);
}

REQUIREMENT(REF, 6, ONLY_BRIDGE)        /* on return the container's link is up, forwards, and has its link-local address; no stray links */
{
	struct answer add = added(s);
	int index = link_in("pod1", "eth0").index, veths = 0;
	bool link_local = false;

	expect_number(link_in("pod1", "eth0").operstate, 6);
	for (const struct address_seen *a = addresses_in("pod1", true); a->index; a++)
		link_local |= a->index == index && !strncmp(a->text, "fe80::", 6);
	expect(link_local);
	for (const struct link_seen *l = links_in("host"); l->index; l++)
		veths += !strcmp(l->kind, "veth") && strcmp(l->name, "lan0");
	expect_number(veths, 1);
	for (const struct route_seen *r = routes_in("pod1", false); r->index; r++)
		expect(strcmp(r->dst, "default") || !*r->source);
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
}

REQUIREMENT(REF, 7, ONLY_BRIDGE)        /* the bridge's MAC does not change when ports come and go */
{
	struct answer one = added(s);
	const char *mac = keep("%s", link_in("host", "br0").mac);

	expect_ok(request_of_pod2(s, "ADD", s->conf, .args = "MAC=02:00:00:00:00:01;IgnoreUnknown=1"));
	expect_text(link_in("host", "br0").mac, mac);
	expect_ok(request(s, "DEL", with_prev(s->conf, one)));
	expect_text(link_in("host", "br0").mac, mac);
	expect_json(one, "interfaces[0].mac", mac);
}

REQUIREMENT(REF, 8, ONLY_BRIDGE)        /* CHECK compares promiscMode */
{
	const char *conf = conf_set(s->conf, "promiscMode", "true");
	struct answer add = expect_ok(request(s, "ADD", conf));

	expect_ok(request(s, "CHECK", with_prev(conf, add)));
	expect_error(request(s, "CHECK", with_prev(s->conf, add)), 999, "promiscuous");
	sh("host", "ip link set br0 promisc off");
	expect_error(request(s, "CHECK", with_prev(conf, add)), 999, "promiscuous");
}

REQUIREMENT(REF, 9, ONLY_BRIDGE)        /* an address plugin sees MAC= too, and refuses it without IgnoreUnknown */
{
	expect_error(request(s, "ADD", s->conf, .args = "MAC=02:00:00:00:00:33"), 4, "MAC=02:00:00:00:00:33");
	expect_ok(request(s, "ADD", s->conf, .args = "IgnoreUnknown=1;MAC=02:00:00:00:00:33"));
	expect_text(link_in("pod1", "eth0").mac, "02:00:00:00:00:33");
}

REQUIREMENT(REF, 10, ONLY_PTP)          /* any dns in the configuration, an empty list too, takes the place of the address plugin's */
{
	const char *conf = conf_set(s->conf, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1'}], 'dns': {'nameservers': ['10.1.0.53']}}");
	struct answer a = expect_ok(request(s, "ADD", conf));

	expect_json(a, "dns.nameservers", "[\"10.1.0.53\"]");
	expect_ok(request(s, "DEL", with_prev(conf, a)));
	conf = conf_set(conf, "dns", "{'search': []}");
	a = expect_ok(request(s, "ADD", conf));
	expect_json(a, "dns", "absent");
}

REQUIREMENT(REF, 11, INTERFACE)         /* the gateway answers as soon as ADD is through, by IPv6 too */
{
	struct answer add = added(s);

	expect_text(ping("pod1", json_at(add, "ips[0].gateway")), "answers");
	expect_text(ping("pod1", json_at(add, "ips[1].gateway")), "answers");
}

REQUIREMENT(REF, 12, ONLY_LOOPBACK)     /* no type, malformed CNI_ARGS, a CNI_PATH that leads nowhere: nothing of it matters */
{
	expect_ok(request(s, "ADD", conf_set(s->conf, "type", NULL), .args = "none;=;such", .path = "/run/nowhere"));
	expect_ok(request(s, "DEL", conf_set(s->conf, "type", NULL), .args = "none", .path = "/run/nowhere"));
	expect(!(link_in("pod1", "lo").flags & IFF_UP));
}

REQUIREMENT(REF, 13, RANGES)            /* the store's files are the reference's, bit for bit */
{
	struct answer add = added(s);
	const char *v4 = keep("%s", json_at(add, "ips[0].address")), *v6 = keep("%s", json_at(add, "ips[1].address"));

	*(char *)strchr(v4, '/') = *(char *)strchr(v6, '/') = '\0';
	expect_file(keep("/var/lib/cni/networks/net/%s", v4), "pod1\r\neth0");
	expect_file(keep("/var/lib/cni/networks/net/%s", v6), "pod1\r\neth0");
	expect_file("/var/lib/cni/networks/net/last_reserved_ip.0", v4);
	expect_file("/var/lib/cni/networks/net/last_reserved_ip.1", v6);
	expect_file("/var/lib/cni/networks/net/lock", "");
}

REQUIREMENT(REF, 14, RANGES)            /* files of the older form, with the container alone, are found */
{
	file_write("/var/lib/cni/networks/net/10.1.0.9", "pod1");
	expect_ok(request(s, "DEL", s->conf));
	expect_no_file("/var/lib/cni/networks/net/10.1.0.9");
}

REQUIREMENT(REF, 15, RANGES)            /* a second ADD of the same container and interface, and addresses that nobody can give */
{
	added(s);
	expect(request(s, "ADD", s->conf).status == 1);
	expect_error(request_of_pod2(s, "ADD", conf_set(s->conf, "runtimeConfig", "{'ips': ['10.99.0.1']}")), 999, "failed to allocate all requested IPs: 10.99.0.1");
	expect_text(kept_of("net", "pod2", "eth0"), "");
}

REQUIREMENT(REF, 16, ONLY_STATIC)       /* routes keep their host bits, their order and their number */
{
	const char *conf = conf_set(s->conf, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.0.2/24'}], 'routes': [{'dst': '10.2.3.4/16', 'gw': '10.1.0.2'}, "
	                            "{'dst': '0.0.0.0/0', 'gw': '10.1.0.1'}, {'dst': '0.0.0.0/0', 'gw': '10.1.0.1'}]}");
	struct answer a = expect_ok(request(s, "ADD", conf));

	expect_json(a, "routes", "[{\"dst\": \"10.2.3.4/16\", \"gw\": \"10.1.0.2\"}, {\"dst\": \"0.0.0.0/0\", \"gw\": \"10.1.0.1\"}, {\"dst\": \"0.0.0.0/0\", \"gw\": \"10.1.0.1\"}]");
}

REQUIREMENT(REF, 17, ONLY_STATIC)       /* runtimeConfig.ips before args.cni.ips before CNI_ARGS, GATEWAY included */
{
	const char *args = "IP=10.1.0.3/24;GATEWAY=10.1.0.254", *plain = conf_set(s->conf, "ipam", "{'type': 'static'}");
	const char *in_args = conf_set(plain, "args", "{'cni': {'ips': ['10.1.0.4/24']}}"), *runtime = conf_set(in_args, "runtimeConfig", "{'ips': ['10.1.0.5/24']}");

	expect_json(expect_ok(request(s, "ADD", plain, .args = args)), "ips", "[{\"address\": \"10.1.0.3/24\", \"gateway\": \"10.1.0.254\"}]");
	expect_json(expect_ok(request(s, "ADD", in_args, .args = args)), "ips", "[{\"address\": \"10.1.0.4/24\"}]");
	expect_json(expect_ok(request(s, "ADD", runtime, .args = args)), "ips", "[{\"address\": \"10.1.0.5/24\"}]");
}

REQUIREMENT(REF, 18, ONLY_STATIC)       /* what is no address with its prefix length, by where it stands */
{
	expect_error(request(s, "ADD", conf_set(s->conf, "ipam", "{'type': 'static', 'addresses': [{'address': '10.1.0.2'}]}")), 7,
	             "the 'address' field is expected to be in CIDR notation, got: '10.1.0.2'");
	expect_error(request(s, "ADD", s->conf, .args = "IP=10.1.0.2"), 4, "the 'ip' field is expected to be in CIDR notation, got: '10.1.0.2'");
	expect_error(request(s, "ADD", conf_set(s->conf, "args", "{'cni': {'ips': ['10.1.0.2']}}")), 7, "an entry in the 'ips' field is NOT in CIDR notation, got: '10.1.0.2'");
	expect_error(request(s, "ADD", conf_set(s->conf, "runtimeConfig", "{'ips': ['10.1.0.2']}")), 7, "an entry in the 'ips' field is NOT in CIDR notation, got: '10.1.0.2'");
}

REQUIREMENT(REF, 19, PORTS)             /* as containerd and podman write it: HostPort, TCP, HostIP "" */
{
	expect_ok(request(s, "ADD", conf_set(s->conf, "runtimeConfig", "{'portMappings': [{'HostPort': 8080, 'ContainerPort': 80, 'Protocol': 'TCP', 'HostIP': ''}]}")));
	expect_contains(elements_of("publish_any4"), "tcp . 8080");
}

REQUIREMENT(REF, 20, PORTS)             /* no ports: prevResult is passed on, and nothing of netfilter is touched, at DEL neither */
{
	static const char *const none[] = { "null", "{}", "{'portMappings': null}", "{'portMappings': []}" };

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		const char *conf = conf_set(s->conf, "runtimeConfig", none[i]);
		struct answer a = expect_ok(request(s, "ADD", conf));

		expect_json(a, "ips[0].address", "10.1.0.2/24");
		expect_ok(request(s, "CHECK", conf));
		expect_ok(request(s, "DEL", conf));
	}
	expect_untouched(w);
}

REQUIREMENT(REF, 21, PORTS)             /* without prevResult there is nothing to publish to */
{
	expect_error(request(s, "ADD", conf_set(s->conf, "prevResult", NULL)), 7, "must be called as chained plugin");
}

REQUIREMENT(REF, 22, ONLY_HOST)         /* a namespace of the container's own is an error; nothing is changed */
{
	expect_error(request(s, "ADD", s->conf, .netns = "/run/netns/pod1"), 8, "/run/netns/pod1");
	expect_untouched(w);
}

REQUIREMENT(REF, 23, ONLY_NONE)         /* CHECK fails where there is more than lo, or a route */
{
	struct answer add = added(s);

	sh("host", "ip link add x type veth peer name eth0 netns pod1");
	expect_error(request(s, "CHECK", with_prev(s->conf, add)), 999, "eth0");
}
