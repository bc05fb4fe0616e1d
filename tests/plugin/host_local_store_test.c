/* host-local's store: the reference plugin's format, many processes at once, processes that die, containers that are gone. (spec/store.md) */
#include <string.h>
#include <unistd.h>

#include "test.h"

#define STORE "/var/lib/cni/networks/net"

static const char small[] = "{'cniVersion': '1.0.0', 'name': 'net', 'type': 'none', 'ipam': {'type': 'host-local', 'subnet': '10.0.0.0/29'}}";
static const char reference[] = "/usr/lib/cni/host-local";

/* A shell function for scripts: hl VERB CONTAINER [PROGRAM], of a network of 10.0.0.0/24 and an IPv6 subnet; output in /run/out.CONTAINER. */
static const char *functions(void)
{
	return keep("hl() { CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/nowhere CNI_IFNAME=eth0 CNI_PATH=/ ${3:-%s/host-local} </run/conf >/run/out.$2; }; "
	            "leases() { ls " STORE " | grep -cE '^(10|fd)' || :; }; "
	            "echo '{\"cniVersion\": \"1.0.0\", \"name\": \"net\", \"type\": \"none\", \"ipam\": {\"type\": \"host-local\", \"ranges\": "
	            "[[{\"subnet\": \"10.0.0.0/24\"}], [{\"subnet\": \"fd00::/64\"}]]}}' >/run/conf; ", bin_dir());
}

static const char *script(const char *text)
{
	return sh("host", "%s%s", functions(), text);
}

TEST_EACH(host_local_writes_the_reference_format, all_versions, version)
{
	struct world w = world_begin("pod1");
	const char *conf = json("{'cniVersion': '%s', 'name': 'net', 'type': 'none', 'ipam': {'type': 'host-local', 'ranges':"
	                        "[[{'subnet': '10.1.2.0/24'}, {'subnet': '10.2.2.0/24'}], [{'subnet': '2001:db8:1::0/64'}]]}}", version);

	expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth0", conf));
	expect_file(STORE "/10.1.2.2", "pod1\r\neth0");
	expect_file(STORE "/2001:db8:1::2", "pod1\r\neth0");
	expect_file(STORE "/last_reserved_ip.0", "10.1.2.2");
	expect_file(STORE "/last_reserved_ip.1", "2001:db8:1::2");
	expect_text(sh("host", "stat -c %%a " STORE "/10.1.2.2"), "600\n");
	expect_ok(plugin(&w, "host-local", "DEL", "pod1", "eth0", conf));
	expect_ok(plugin(&w, "host-local", "DEL", "pod1", "eth0", conf));
	expect_no_file(STORE "/10.1.2.2");
	expect_no_file(STORE "/2001:db8:1::2");
}

TEST(host_local_del_makes_no_directory)
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "host-local", "DEL", "pod1", "eth0", small));
	expect_untouched(&w);
}

/* A file may be rewritten in place, which no directory's time tells. */
TEST(host_local_del_finds_the_older_format)
{
	struct world w = world_begin("pod1");

	expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth0", small));
	file_write(STORE "/10.0.0.2", "pod1");
	expect_error(plugin(&w, "host-local", "ADD", "pod1", "eth0", small), 999, "10.0.0.2 has been allocated to pod1, duplicate allocation is not allowed");
	expect_ok(plugin(&w, "host-local", "CHECK", "pod1", "eth0", small));
	expect_ok(plugin(&w, "host-local", "DEL", "pod1", "eth0", small));
	expect_no_file(STORE "/10.0.0.2");
}

TEST(host_local_sees_what_the_reference_plugin_does)
{
	struct world w = world_begin("pod1 pod2 pod3");

	if (access(reference, X_OK) < 0)
		skip("no %s", reference);
	expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth0", small));
	expect_ok(call("host-local", "ADD", "pod2", .conf = small, .program = reference));
	expect_json(expect_ok(plugin(&w, "host-local", "ADD", "pod3", "eth0", small)), "ips[0].address", "10.0.0.4/29");
	expect_ok(call("host-local", "CHECK", "pod1", .conf = small, .program = reference));
	expect_ok(plugin(&w, "host-local", "CHECK", "pod2", "eth0", small));
	expect_ok(call("host-local", "DEL", "pod1", .conf = small, .program = reference));
	expect_error(plugin(&w, "host-local", "CHECK", "pod1", "eth0", small), 999, "host-local: Failed to find address added by container pod1");
	expect_ok(plugin(&w, "host-local", "DEL", "pod2", "eth0", small));
	expect_no_file(STORE "/10.0.0.2");
	expect_no_file(STORE "/10.0.0.3");
}

TEST(host_local_takes_over_from_the_dead_only)
{
	struct world w = world_begin("pod1 pod2");
	const char *status = conf_set(small, "cniVersion", "\"1.1.0\"");

	expect_ok(plugin(&w, "host-local", "ADD", "pod1", "eth0", small));
	for (int i = 1; i < 5; i++)
		expect_ok(call("host-local", "ADD", "pod2", .conf = small, .ifname = keep("eth%d", i)));
	expect_error(plugin(&w, "host-local", "ADD", "pod2", "eth9", small), 999, "no IP addresses available in range set: 10.0.0.1-10.0.0.6");
	expect_error(plugin(&w, "host-local", "STATUS", "pod1", "eth0", status), 50, "5 of 5 addresses are held");
	expect_error(plugin(&w, "host-local", "ADD", "pod1", "eth0", small), 999, "duplicate allocation is not allowed");
	sh("host", "ip netns del pod1");
	expect_ok(plugin(&w, "host-local", "STATUS", "pod1", "eth0", status));
	expect_json(expect_ok(plugin(&w, "host-local", "ADD", "pod2", "eth9", small)), "ips[0].address", "10.0.0.2/29");
	expect_error(plugin(&w, "host-local", "ADD", "pod2", "eth8", small), 999, "no IP addresses available");
}

/* A wait that takes long is told, by whom it is kept, and ends well when the lock comes free. */
TEST(host_local_tells_whom_it_waits_for)
{
	const char *told;

	world_begin("pod1");
	expect_text(script("hl ADD c1; flock " STORE "/lock sleep 3 & sleep 0.3; hl ADD c2 2>/run/err; wait; leases"), "4\n");
	told = sh("host", "cat /run/err");
	if (!strstr(told, "cannot be told"))
		expect_text(sh("host", "sed -E 's/another [0-9]+ seconds/another N seconds/; s/process [0-9]+/process N/' /run/err"),
		            "leases in " STORE ": waiting, another N seconds at most, for the lock " STORE "/lock that process N (flock " STORE "/lock sleep 3) holds\n");
}

TEST(host_local_gives_64_at_once_an_address_each)
{
	world_begin("pod1");
	expect_text(script("for i in $(seq 64); do hl ADD c$i & done; wait; cat /run/out.* | grep -oE '(10|fd)[0-9.:a-f]+/' | sort -u | wc -l"), "128\n");
	expect_text(script("leases; grep -rl eth0 " STORE " | wc -l"), "128\n128\n");
	expect_text(script("for i in $(seq 64); do hl DEL c$i & done; wait; leases"), "0\n");
}

/* Both plugins, parallel, in one store, some of ours killed at any instant: no address twice, and DEL leaves nothing. */
TEST(host_local_survives_kills_and_company)
{
	world_begin("pod1");
	expect_text(script("REF=" "/usr/lib/cni/host-local; [ -x $REF ] || REF=; "
	                   "one() { for n in 1 2 3 4; do id=c$1-$n; "
	                   "  if [ $n = 1 ]; then hl ADD $id $REF; elif [ $n = 2 ]; then hl ADD $id; "
	                   "  else hl ADD $id & p=$!; sleep 0.00$(($1 % 9)); kill -9 $p; wait $p; fi; done 2>/dev/null; }; "
	                   "for i in $(seq 24); do one $i & done; wait; "
	                   "cat /run/out.*-[12] | grep -oE '\"(10|fd)[0-9.:a-f]+/' | sort | uniq -d | wc -l"), "0\n");
	expect_text(script("find " STORE " -size 0 ! -name lock | wc -l"), "0\n");
	expect_text(script("for i in $(seq 24); do for n in 1 2 3 4; do hl DEL c$i-$n & done; done; wait; leases"), "0\n");
}
