/* The plugins, and what they are told; the matrix; what every case needs. */
#include "conform.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* ---- The matrix ---- */

extern const struct requirement *const __start_conform_requirements[], *const __stop_conform_requirements[];

static const char *ids[400];            /* every requirement's, in order, NULL-ended */

/* "DEL-4" before "DEL-10". */
static int by_id(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t group = strcspn(x, "-") + 1;
	int order = strncmp(x, y, group);

	return order ? order : atoi(x + group) - atoi(y + group);
}

static void __attribute__((constructor)) gather(void)
{
	size_t n = 0;

	for (const struct requirement *const *r = __start_conform_requirements; r < __stop_conform_requirements; r++)
		ids[n++] = (*r)->id;
	qsort(ids, n, sizeof *ids, by_id);
}

static const struct requirement *requirement(const char *id)
{
	const struct requirement *const *r = __start_conform_requirements;

	while (strcmp((*r)->id, id))
		r++;
	return *r;
}

/* What a plugin without a trait has to do with a requirement that needs it. */
static const struct { unsigned trait; const char *without; } reasons[] = {
	{ OWN_NETNS, "the container's namespace is the host's" },
	{ IN_POD,    "it does nothing in the container's namespace" },
	{ INTERFACE, "it makes no interface" },
	{ DELEGATES, "it delegates nothing" },
	{ ADDRESSES, "it gives no addresses itself" },
	{ KEEPS,     "it keeps nothing on the host" },
	{ PASSES,    "it does not hand prevResult on as it is" },
	{ TAKES_PREV, "it is no part of a chain" },
	{ ARGS,      "it reads no CNI_ARGS" },
	{ POOL,      "there is nothing that it can run out of" },
	{ MASQ,      "it does not masquerade" },
	{ RANGES,    "it has no ranges" },
	{ PORTS,     "it publishes no ports" },
	{ CHAINED,   "it does not go by prevResult alone" },
	{ ONLY_PTP, "it is about ptp" }, { ONLY_BRIDGE, "it is about bridge" }, { ONLY_LOOPBACK, "it is about loopback" },
	{ ONLY_HOST, "it is about host" }, { ONLY_STATIC, "it is about static" }, { ONLY_NONE, "it is about none" },
};

/* The bridges of prevResults, with the addresses that containers ask for names. */
static void make_gateways(struct world *w)
{
	sh("host", "ip link add br0 type bridge; ip addr add 10.1.0.1/24 dev br0; ip addr add fd00:1::1/64 dev br0 nodad; ip link set br0 up");
	for (int i = 0; i < 3; i++)
		sh("host", "ip link add br%d type bridge; ip addr add 10.%d.0.1/24 dev br%d; ip link set br%d up", 1 + i, 50 + i, 1 + i, 1 + i);
	world_settled(w);
}

static void conform(const struct subject *s, const char *id)
{
	const struct requirement *r = requirement(id);
	unsigned lacks = r->needs & ~s->traits;
	struct world w;

	for (size_t i = 0; lacks && i < sizeof reasons / sizeof *reasons; i++)
		if (lacks & reasons[i].trait)
			not_applicable("%s", reasons[i].without);
	need_plugin(s->name);
	w = world_begin(is(s, ONLY_HOST) ? "pod1 lan" : "pod1");
	if (is(s, GATEWAY))
		make_gateways(&w);
	r->shows(s, &w);
}

/* ---- The plugins ---- */

#define SUBJECT(word, plugin, ...) \
	static const struct subject word##_is = { .name = plugin, ##__VA_ARGS__ }; \
	static void word##_conforms(const char *id) { conform(&word##_is, id); } \
	static const struct test word##_test = { .name = plugin, .run = word##_conforms, .variants = ids, .file = __FILE__, .line = __LINE__ }; \
	static const struct test *const word##_entry __attribute__((used, section("plumb_tests"))) = &word##_test

#define NET(type) "{'cniVersion': '1.1.0', 'name': 'net', 'type': '" type "'"
#define RANGES_OF_NET ", 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24'}], [{'subnet': 'fd00:1::/64'}]], " \
	"'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}"

SUBJECT(loopback, "loopback", .traits = IN_POD | OWN_NETNS | PASSES | TAKES_PREV | ONLY_LOOPBACK, .ifname = "lo",
	.conf = NET("loopback") "}",
	.wrong = "dns", .value = "'x'", .place = "dns");

SUBJECT(none, "none", .traits = IN_POD | OWN_NETNS | PASSES | TAKES_PREV | ONLY_NONE, .ifname = "lo",
	.conf = NET("none") "}",
	.wrong = "dns", .value = "{'search': 'x'}", .place = "dns.search");

SUBJECT(host, "host", .traits = IN_POD | PASSES | TAKES_PREV | ONLY_HOST, .ifname = "eth0", .netns = "/proc/self/ns/net",
	.conf = NET("host") "}",
	.wrong = "dns", .value = "{'nameservers': [7]}", .place = "dns.nameservers[0]");

SUBJECT(ptp, "ptp", .traits = IN_POD | OWN_NETNS | INTERFACE | DELEGATES | KEEPS | TAKES_PREV | POOL | MASQ | ONLY_PTP, .ifname = "eth0",
	.conf = NET("ptp") ", 'ipMasq': true" RANGES_OF_NET "}",
	.wrong = "mtu", .value = "'big'", .place = "mtu");

SUBJECT(bridge, "bridge", .traits = IN_POD | OWN_NETNS | INTERFACE | DELEGATES | KEEPS | TAKES_PREV | POOL | MASQ | ARGS | ONLY_BRIDGE, .ifname = "eth0",
	.conf = NET("bridge") ", 'bridge': 'br0', 'isGateway': true, 'ipMasq': true" RANGES_OF_NET "}",
	.wrong = "vlanTrunk", .value = "[{'id': 1}, {'id': 5000}]", .place = "vlanTrunk[1].id");

SUBJECT(host_local, "host-local", .traits = ADDRESSES | KEEPS | ARGS | POOL | RANGES, .ifname = "eth0",
	.conf = NET("bridge") RANGES_OF_NET "}",
	.wrong = "ipam", .value = "{'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24', 'rangeEnd': 'x'}]]}", .place = "ipam.ranges[0][0].rangeEnd");

SUBJECT(static_, "static", .traits = ADDRESSES | ARGS | ONLY_STATIC, .ifname = "eth0",
	.conf = NET("bridge") ", 'ipam': {'type': 'static', 'addresses': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1'}, "
	        "{'address': 'fd00:1::2/64', 'gateway': 'fd00:1::1'}], 'routes': [{'dst': '0.0.0.0/0'}, {'dst': '::/0'}]}}",
	.wrong = "ipam", .value = "{'type': 'static', 'addresses': [{'address': '10.1.0.2/24', 'gateway': 'x'}]}", .place = "ipam.addresses[0].gateway");

SUBJECT(portmap, "portmap", .traits = KEEPS | PASSES | TAKES_PREV | PORTS | CHAINED, .ifname = "eth0",
	.conf = NET("portmap") ", 'runtimeConfig': {'portMappings': [{'hostPort': 8080, 'containerPort': 80, 'protocol': 'tcp'}, "
	        "{'hostPort': 53, 'containerPort': 5353, 'protocol': 'udp'}]}, "
	        "'prevResult': {'cniVersion': '1.1.0', 'interfaces': [{'name': 'veth0'}, {'name': 'eth0', 'mac': '02:00:00:00:00:02', 'sandbox': '/run/netns/pod1'}], "
	        "'ips': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1', 'interface': 1}, {'address': 'fd00:1::2/64', 'gateway': 'fd00:1::1', 'interface': 1}], "
	        "'routes': [{'dst': '0.0.0.0/0'}]}}",
	.wrong = "runtimeConfig", .value = "{'portMappings': [{'hostPort': 80, 'containerPort': 80}, {'hostPort': 70000, 'containerPort': 80}]}",
	.place = "runtimeConfig.portMappings[1].hostPort");

SUBJECT(firewall, "firewall", .traits = KEEPS | PASSES | TAKES_PREV | CHAINED, .ifname = "eth0", .oldest = "0.4.0",
	.conf = NET("firewall") ", 'ingressPolicy': 'same-bridge', 'unpublishedPorts': 'drop', 'egressDeny': ['metadata', 'host'], "
	        "'prevResult': {'cniVersion': '1.1.0', 'interfaces': [{'name': 'br0'}, {'name': 'eth0', 'mac': '02:00:00:00:00:02', 'sandbox': '/run/netns/pod1'}], "
	        "'ips': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1', 'interface': 1}, {'address': 'fd00:1::2/64', 'gateway': 'fd00:1::1', 'interface': 1}], "
	        "'routes': [{'dst': '0.0.0.0/0'}]}}",
	.wrong = "egressDeny", .value = "['metadata', 'x']", .place = "egressDeny[1]");

SUBJECT(dnsname, "dnsname", .traits = KEEPS | TAKES_PREV | CHAINED | GATEWAY | ARGS, .ifname = "eth0",
	.conf = NET("dnsname") ", 'domainName': 'dns.test', 'servers': ['192.0.2.53'], "
	        "'prevResult': {'cniVersion': '1.1.0', 'interfaces': [{'name': 'br0'}, {'name': 'eth0', 'mac': '02:00:00:00:00:02', 'sandbox': '/run/netns/pod1'}], "
	        "'ips': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1', 'interface': 1}, {'address': 'fd00:1::2/64', 'gateway': 'fd00:1::1', 'interface': 1}], "
	        "'routes': [{'dst': '0.0.0.0/0'}]}}",
	.wrong = "servers", .value = "['192.0.2.53#53', '192.0.2.53#70000']", .place = "servers[1]");

/* ---- Calls ---- */

/* The second container is made when it is first needed. */
static void need_pod(const char *name)
{
	struct fault why;

	if (access(keep("/run/netns/%s", name), F_OK) < 0 && world_furnish(name, &why) < 0)
		fail_("%s", why.text);
}

struct answer request_(const struct subject *s, struct call c)
{
	if (c.pod && !strcmp(c.verb, "ADD"))
		need_pod(c.pod);
	c.plugin = s->name;
	c.pod = c.pod ? c.pod : "pod1";
	c.ifname = c.ifname ? c.ifname : s->ifname;
	c.netns = c.netns ? c.netns : s->netns;
	return call_(c);
}

/* ---- Configurations ---- */

const char *in_version(const struct subject *s, const char *version)
{
	return conf_set(s->conf, "cniVersion", keep("'%s'", version));
}

const char *with_ipam(const struct subject *s, const char *type)
{
	return conf_set(s->conf, "ipam", keep("{'type': '%s', 'more': [1, {'a': null}]}", type));
}

const char *other_conf(const struct subject *s)
{
	const char *conf = s->conf;

	if (!is(s, CHAINED))
		return conf;
	if (is(s, PORTS))
		conf = conf_set(conf, "runtimeConfig", "{'portMappings': [{'hostPort': 8081, 'containerPort': 80}]}");
	return conf_set(conf, "prevResult", "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'br0'}, {'name': 'eth0', 'sandbox': '/run/netns/pod2'}], "
	                "'ips': [{'address': '10.1.0.3/24', 'interface': 1}, {'address': 'fd00:1::3/64', 'interface': 1}]}");
}

const char *plain_conf(const struct subject *s)
{
	return conf_set(conf_set(conf_set(s->conf, "ingressPolicy", NULL), "unpublishedPorts", NULL), "egressDeny", NULL);
}

const char *versions_of(const struct subject *s, const char *quote)
{
	const char *text = "";

	for (const char *const *v = all_versions; *v; v++)
		if (speaks(s, *v))
			text = keep("%s%s%s%s%s", text, *text ? ", " : "", quote, *v, quote);
	return text;
}

const char *with_valid(const char *conf, const char *valid)
{
	return conf_set(conf, "cni.dev/valid-attachments", valid);
}

/* ---- What is there, and what is left ---- */

void ruleset_change_(const char *commands)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	nft_ctx_buffer_error(nft);
	if (nft_run_cmd_from_buffer(nft, commands) != 0)
		fail_("%s: %s", commands, nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
}

void expect_gone_(struct world *w)
{
	static const char *const stays[] = {
		RULESET_STAYS, NAMES_STAY, STORE_STAYS("net"), BRIDGE_STAYS("br0"), FORWARDING_STAYS,
		"address pod1: lo *",           /* the kernel's own, once lo was up */
		NULL
	};

	expect_untouched_(w, stays);
}

const char *kept_of(const char *network, const char *container, const char *ifname)
{
	const char *owner = keep("comment \"%s/%s/%s\"", network, container, ifname), *lease = keep("= %s\\r\\n%s", container, ifname);
	const char *store = keep("file /var/lib/cni/networks/%s/", network), *names = keep("file /run/plumb/names/containers/%s/%s:%s ", container, network, ifname);
	struct snapshot now = snapshot_take();
	char *lines = keep("%s", "");

	for (size_t i = 0; i < now.count; i++)
		if ((!strncmp(now.lines[i], "nft ", 4) && strstr(now.lines[i], owner)) || (!strncmp(now.lines[i], store, strlen(store)) && strstr(now.lines[i], lease)))
			lines = keep("%s%s\n", lines, now.lines[i]);
		else if (!strncmp(now.lines[i], names, strlen(names)))  /* what is in it is another each time */
			lines = keep("%s%s\n", lines, names);
	return lines;
}
