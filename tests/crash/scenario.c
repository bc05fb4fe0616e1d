#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

#define NET     "'cniVersion':'1.1.0','name':'net',"
#define POOLS   "'ipam':{'type':'host-local','ranges':[[{'subnet':'10.1.0.0/24'}],[{'subnet':'fd00:1::/64'}]]}"
#define BRIDGE  NET "'type':'bridge','bridge':'br0','isDefaultGateway':true,'ipMasq':true," POOLS
#define PTP     NET "'type':'ptp','ipMasq':true," POOLS
/* Without masquerading, so that the plugin under attack is the first that comes to nftables. */
#define PLAIN   NET "'type':'bridge','bridge':'br0','isDefaultGateway':true," POOLS
#define PORTS   "[{'hostPort':@080,'containerPort':80,'protocol':'tcp'},{'hostPort':@053,'containerPort':53,'protocol':'udp'}," \
                "{'hostPort':@443,'containerPort':443,'protocol':'tcp','hostIP':'192.0.2.1','allowFrom':['192.0.2.0/24']}," \
                "{'hostPort':'@100-@109','containerPort':'2000-2009'}]"
#define PORTMAP NET "'type':'portmap','snat':true,'runtimeConfig':{'portMappings':" PORTS "}"
#define FIREWALL NET "'type':'firewall','ingressPolicy':'isolated','egressDeny':['metadata','10.99.0.0/16']"

#define NAMES   NET "'type':'dnsname','domainName':'dns.test','runtimeConfig':{'aliases':{'net':['web@','db','db@.example.org']}}"
#define HAS_NAMES .needs = "command -v dnsmasq", .lacks = "dnsmasq is not installed"

/* A container on two networks. */
#define NET2    "'cniVersion':'1.1.0','name':'net2',"
#define PLAIN2  NET2 "'type':'bridge','bridge':'br1','isGateway':true,'ipam':{'type':'host-local','ranges':[[{'subnet':'10.2.0.0/24'}]]}"
#define NAMES2  NET2 "'type':'dnsname','domainName':'dns2.test','runtimeConfig':{'aliases':{'net2':['web@.example.org']}}"
#define ON_TWO  { { "bridge", "{" PLAIN "}" }, { "dnsname", "{" NAMES "}" }, { "bridge", "{" PLAIN2 "}", "eth1" }, { "dnsname", "{" NAMES2 "}" } }

const struct scenario scenarios[] = {
	{ "loopback",           { { "loopback", "{" NET "'type':'loopback'}" } } },
	{ "none",               { { "none", "{" NET "'type':'none'}" } } },
	{ "host",               { { "host", "{" NET "'type':'host'}" } }, .host_netns = true },
	{ "static",             { { "static", "{" NET "'type':'x','ipam':{'type':'static','addresses':[{'address':'10.2.0.5/24','gateway':'10.2.0.1'}]}}" } } },
	{ "host-local",         { { "host-local", "{" NET "'type':'x'," POOLS "}" } } },
	{ "host-local-first",   { { "host-local", "{" NET "'type':'x'," POOLS "}" } }, .fresh = true },
	{ "bridge",             { { "bridge", "{" BRIDGE "}" } } },
	{ "bridge-first",       { { "bridge", "{" BRIDGE "}" } }, .fresh = true },
	{ "bridge-delegating",  { { "bridge", "{" PLAIN "}" } }, .other_build = true },
	{ "bridge-macspoofchk", { { "bridge", "{" PLAIN ",'macspoofchk':true}" } } },
	{ "bridge-vlan",        { { "bridge", "{" NET "'type':'bridge','bridge':'br0','isGateway':true,'vlan':100," POOLS "}" } },
	                        .needs = "ip link add vlan0 type bridge vlan_filtering 1 && ip link del vlan0", .lacks = "this kernel lacks bridge VLAN filtering" },
	{ "ptp",                { { "ptp", "{" PTP "}" } } },
	{ "ptp-first",          { { "ptp", "{" PTP "}" } }, .fresh = true },
	{ "portmap",            { { "bridge", "{" PLAIN "}" }, { "portmap", "{" PORTMAP "}" } }, .flow = true },
	{ "portmap-first",      { { "bridge", "{" PLAIN "}" }, { "portmap", "{" PORTMAP "}" } }, .fresh = true },
	{ "firewall",           { { "bridge", "{" PLAIN "}" }, { "firewall", "{" FIREWALL "}" } } },
	{ "dnsname",            { { "bridge", "{" PLAIN "}" }, { "dnsname", "{" NAMES "}" } }, HAS_NAMES },
	{ "dnsname-first",      { { "bridge", "{" PLAIN "}" }, { "dnsname", "{" NAMES "}" } }, .fresh = true, HAS_NAMES },
	{ "dnsname-two",        ON_TWO, .neighbour = 2, HAS_NAMES },
	{ "chain-bridge",       { { "bridge", "{" BRIDGE "}" }, { "portmap", "{" PORTMAP "}" }, { "firewall", "{" FIREWALL "}" } }, .command = true, .flow = true },
	{ "chain-ptp",          { { "ptp", "{" PTP "}" }, { "portmap", "{" PORTMAP "}" }, { "firewall", "{" FIREWALL "}" } }, .command = true, .flow = true },
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;

const char *const verbs[] = { "ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION", NULL };

static size_t chain_length(const struct scenario *s)
{
	size_t n = 0;

	while (n < CHAIN_MAX && s->chain[n].plugin)
		n++;
	return n;
}

/* ---- The world ---- */

#define OTHER_BUILD "/var/lib/other-build"

/* The same program, said to be built from other sources: it is no longer run in process. */
static void other_build_make(void)
{
	sh("host", "mkdir -p " OTHER_BUILD " && cp %s/host-local " OTHER_BUILD "/host-local", bin_dir());
	sh("host", "perl -0777 -pi -e 's/([0-9a-f]{39})[0-9a-f] host-local\\0/${1}x host-local\\0/ or die qq(no build id)' " OTHER_BUILD "/host-local");
}

/* What is not plumb's to change: a table, a link, leases of another network, and one of another program's in ours. */
static void foreign_make(void)
{
	sh("host", "nft -f - <<'NFT'\n"
	   "table inet other { set busy { type inet_service; elements = { 1, 2 }; }; chain in { type filter hook input priority 0; tcp dport @busy accept; }; }\n"
	   "table ip nat { chain PREROUTING { type nat hook prerouting priority -100; tcp dport 9999 dnat to 10.9.9.9:9; }; }\nNFT");
	sh("host", "ip link add other0 type veth peer name other1 && ip addr add 10.77.0.1/24 dev other0 && sysctl -qw net.ipv6.conf.other0.disable_ipv6=1");
	file_write("/var/lib/cni/networks/other/10.77.0.9", "somebody\r\neth0");
	file_write("/var/lib/cni/networks/other/last_reserved_ip.0", "10.77.0.9");
	file_write("/run/other/state", "here");
}

/* Published ports differ: @080 is 8080 for the container under attack, 9080 for the neighbour. */
static const char *with_digit(const struct attachment *a, const char *text)
{
	char *copy = keep("%s", text);

	for (char *c = copy; *c; c++)
		if (*c == '@')
			*c = !strcmp(a->pod, "pod1") ? '8' : '9';
	return copy;
}

static const char *conf_of(const struct attachment *a, size_t member)
{
	return json_quotes(with_digit(a, a->s->chain[member].conf));
}

static void conflist_make(const struct scenario *s)
{
	const struct attachment any = { .s = s, .pod = "pod1" };
	json_t *plugins = json_array();

	for (size_t i = 0; i < chain_length(s); i++) {
		json_t *member = json_loads(conf_of(&any, i), 0, NULL);

		if (json_object_del(member, "runtimeConfig") == 0)
			json_object_set_new(member, "capabilities", json_pack("{s:b}", "portMappings", 1));
		json_array_append_new(plugins, member);
	}
	file_write("/run/conf/net.conflist", json_dumps(json_pack("{s:s, s:s, s:o}", "cniVersion", "1.1.0", "name", "net", "plugins", plugins), 0));
}

static struct attachment neighbour;

void scenario_begin(const struct scenario *s)
{
	neighbour = (struct attachment){ .s = s, .pod = "pod2" };
	if (s->needs && !sh_try("host", "%s", s->needs))
		skip("%s", s->lacks);
	foreign_make();
	if (s->other_build)
		other_build_make();
	if (s->command)
		conflist_make(s);
	if (s->fresh)
		return;
	if (!s->host_netns)     /* there is one host only */
		chain_add(&neighbour, s->neighbour ? s->neighbour : chain_steps(s));
	if (s->neighbour) {             /* and the rest has been in use */
		struct attachment first = { .s = s, .pod = "pod1" };

		chain_add(&first, chain_steps(s));
		chain_del(&first, chain_steps(s));
	}
	if (!s->command && strstr(s->chain[0].conf, "host-local"))      /* the command knows of none but its own */
		file_write("/var/lib/cni/networks/net/10.1.0.200", "reference-container\r\neth0");
}

void neighbour_check(const struct scenario *s)
{
	if (!s->command && neighbour.count)
		expect_ok(chain_call(&neighbour, neighbour.count - 1, "CHECK", NULL));
}

void scenario_reset(const struct scenario *s)
{
	if (!s->fresh)
		return;
	sh("host", "ip link del br0 2>/dev/null; nft delete table inet plumb 2>/dev/null; nft delete table bridge plumb 2>/dev/null;"
	   "rm -rf /run/plumb /var/lib/cni/networks/net; sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
}

/* ---- Calls ---- */

static const char *netns_of(const struct attachment *a)
{
	return a->s->host_netns ? "/proc/1/ns/net" : keep("/run/netns/%s", a->pod);
}

/* The member with which a network's chain begins, and the one behind its end. */
static size_t network_begin(const struct scenario *s, size_t member)
{
	while (member > 0 && !s->chain[member].ifname)
		member--;
	return member;
}

static size_t network_end(const struct scenario *s, size_t member)
{
	while (++member < chain_length(s) && !s->chain[member].ifname)
		;
	return member;
}

/* What libcni sends along: to ADD what the member before answered, to CHECK and DEL what the last did, to GC who is still there. */
static const char *input_of(const struct attachment *a, size_t member, const char *verb)
{
	const char *conf = conf_of(a, member);
	size_t end = network_end(a->s, member);

	if (!strcmp(verb, "ADD"))
		return member > network_begin(a->s, member) ? with_prev(conf, a->results[member - 1]) : conf;
	if (!strcmp(verb, "CHECK") || !strcmp(verb, "DEL"))
		return a->count > member ? with_prev(conf, a->results[(a->count < end ? a->count : end) - 1]) : conf;
	if (strcmp(verb, "GC"))
		return conf;
	return conf_set(conf, "cni.dev/valid-attachments",
	                a->s->fresh ? "[]" : "[{'containerID':'pod2','ifname':'eth0'},{'containerID':'reference-container','ifname':'eth0'}]");
}

/* The words before a command's, where it is attacked; returns how many. */
static size_t at_words(const char **argv, const char *const *at)
{
	size_t n = 0;

	for (; at && at[n]; n++)
		argv[n] = at[n];
	return n;
}

static struct answer plugin_call(const struct attachment *a, size_t member, const char *verb, const char *const *at)
{
	const char *argv[16] = { NULL }, *program = keep("%s/%s", bin_dir(), a->s->chain[member].plugin);
	bool attachment = strcmp(verb, "GC") && strcmp(verb, "STATUS") && strcmp(verb, "VERSION");
	size_t n = at_words(argv, at);

	if (n)
		argv[n] = program;
	return call(.plugin = a->s->chain[member].plugin, .verb = verb, .pod = attachment ? a->pod : NULL, .netns = attachment ? netns_of(a) : NULL,
	            .ifname = attachment ? a->s->chain[network_begin(a->s, member)].ifname : NULL, .conf = input_of(a, member, verb), .program = n ? argv[0] : program, .argv = n ? argv + 1 : NULL,
	            .path = a->s->other_build ? keep(OTHER_BUILD ":%s", bin_dir()) : NULL);
}

static struct answer command_call(const struct attachment *a, const char *verb, const char *const *at)
{
	static const struct { const char *verb, *word; bool network, attachment; } words[] = {
		{ "ADD", "add", true, true },        { "DEL", "del", true, true },  { "CHECK", "check", true, true },
		{ "STATUS", "status", true, false }, { "GC", "gc", true, false },   { "VERSION", "--version", false, false },
	};
	static const char *const ports[] = { "-p@080:80", "-p@053:53/udp", "-p@100-@109:2000-2009", NULL };
	const char *argv[24] = { NULL };
	size_t n = at_words(argv, at), i = 0;

	argv[n++] = keep("%s/plumb", bin_dir());
	while (strcmp(words[i].verb, verb))
		i++;
	argv[n++] = words[i].word;
	if (words[i].network)
		argv[n++] = "net";
	if (words[i].attachment)
		argv[n++] = netns_of(a);
	for (size_t k = 0; !strcmp(verb, "ADD") && ports[k]; k++)
		argv[n++] = with_digit(a, ports[k]);
	if (!strcmp(verb, "ADD"))
		argv[n++] = "--json";
	return call(.plugin = "plumb", .verb = verb, .program = argv[0], .argv = argv + 1, .more = { "NETCONFPATH=/run/conf" });
}

struct answer chain_call(const struct attachment *a, size_t member, const char *verb, const char *const *at)
{
	return a->s->command ? command_call(a, verb, at) : plugin_call(a, member, verb, at);
}

size_t chain_steps(const struct scenario *s)
{
	return s->command ? 1 : chain_length(s);
}

void chain_add(struct attachment *a, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		a->results[i] = expect_ok(chain_call(a, i, "ADD", NULL));
		a->count = i + 1;
	}
}

void chain_del(struct attachment *a, size_t count)
{
	while (count-- > 0)
		expect_ok(chain_call(a, count, "DEL", NULL));
	a->count = 0;
}

void chain_check(const struct attachment *a)
{
	for (size_t i = 0; i < a->count; i++)
		expect_ok(chain_call(a, i, "CHECK", NULL));
}

void chain_gc(const struct attachment *a, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_ok(chain_call(a, i, "GC", NULL));
}

/* ---- A connection ---- */

void flow_begin(void)
{
	sh("lan", "bash -c 'echo hello >/dev/udp/192.0.2.1/8053'");
}

bool flow_is_known(void)
{
	return sh_try("host", "grep -q 'dport=8053' /proc/net/nf_conntrack");
}
