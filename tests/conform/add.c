/* ADD: specification, section 2 "ADD" and section 3 "Lifecycle & Ordering". */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conform.h"
#include "fixture.h"

REQUIREMENT(ADD, 1, IN_POD)             /* the interface is there, by its name; or what is there is adjusted */
{
	struct answer add = request(s, "ADD", s->conf, .ifname = "net-7");

	expect_ok(add);
	if (is(s, INTERFACE)) {
		expect(expect_link("pod1", "net-7", "veth").flags & IFF_UP);
		expect_addr("pod1", "net-7", json_at(add, "ips[0].address"));
		expect_addr("pod1", "net-7", json_at(add, "ips[1].address"));
		expect_no_link("host", "net-7");
	} else if (is(s, ONLY_HOST)) {
		expect_untouched(w);
	} else {
		expect(link_in("pod1", "lo").flags & IFF_UP);
		expect_addr("pod1", "lo", "127.0.0.1/8");
		expect_no_link("pod1", "net-7");
	}
}

REQUIREMENT(ADD, 2, EVERYONE)           /* success has a result, on stdout */
{
	struct answer add = added(s);

	expect_json(add, "cniVersion", "1.1.0");
	expect(json_object_get(add.json, "interfaces") || json_object_get(add.json, "ips"));
	expect(!json_object_get(add.json, "code"));
}

#define PREV "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'eth8', 'mac': '02:00:00:00:00:08', 'mtu': 1400, 'sandbox': '/run/netns/pod1'}], " \
	"'ips': [{'address': '10.8.0.2/24', 'gateway': '10.8.0.1', 'interface': 0}, {'address': 'fd00:8::2/64', 'interface': 0}], " \
	"'routes': [{'dst': '10.88.0.0/16', 'gw': '10.8.0.1', 'mtu': 1300, 'priority': 5}], 'dns': {'nameservers': ['10.8.0.53']}}"

REQUIREMENT(ADD, 3, TAKES_PREV)         /* prevResult is passed on, with what the plugin adds */
{
	struct answer add;

	if (is(s, GATEWAY)) {           /* what it adds is the servers that it answers by */
		add = expect_ok(request(s, "ADD", conf_set(s->conf, "prevResult", "{'interfaces': [{'name': 'br0'}, {'name': 'eth0', 'sandbox': '/run/netns/pod1'}], "
		                "'ips': [{'address': '10.8.0.2/24', 'interface': 1}], 'dns': {'nameservers': ['10.8.0.53'], 'search': ['a.test'], 'options': ['ndots:2']}}")));
		expect_json(add, "ips[0].address", "10.8.0.2/24");
		expect_json(add, "interfaces[1].name", "eth0");
		expect_json(add, "dns.nameservers", "[\"10.1.0.1\", \"fd00:1::1\", \"10.8.0.53\"]");
		expect_json(add, "dns.search", "[\"a.test\", \"dns.test\"]");
		expect_json(add, "dns.options", "[\"ndots:2\"]");
		return;
	}
	sh("host", "ip link add x type veth peer name eth8 netns pod1 && ip link set x up && ip -n pod1 link set eth8 up");
	sh("host", "ip -n pod1 addr add 10.8.0.2/24 dev eth8 && ip -n pod1 route add 10.88.0.0/16 via 10.8.0.1 metric 5");
	add = expect_ok(request(s, "ADD", conf_set(plain_conf(s), "prevResult", PREV)));
	if (is(s, PASSES)) {
		expect_result(add, PREV);
		return;
	}
	expect_json(add, "interfaces[0].name", "eth8");
	expect_json(add, "interfaces[0].mtu", "1400");
	expect_json(add, "ips[0].address", "10.8.0.2/24");
	expect_json(add, "ips[0].interface", "0");
	expect_json(add, "ips[1].address", "fd00:8::2/64");
	expect_json(add, "ips[1].interface", "0");
	expect_json(add, "routes[0].dst", "10.88.0.0/16");
	expect_json(add, "routes[0].priority", "5");
	expect_json(add, "dns.nameservers", "[\"10.8.0.53\"]");
	expect_json(add, keep("interfaces[%s].name", json_at(add, "ips[2].interface")), "eth0");
	expect_json(add, keep("interfaces[%s].sandbox", json_at(add, "ips[3].interface")), "/run/netns/pod1");
	expect_json(add, "routes[1].dst", "0.0.0.0/0");
	expect_ok(request(s, "CHECK", with_prev(s->conf, add)));
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	expect_text(kept_of("net", "pod1", "eth0"), "");
	expect_addr("pod1", "eth8", "10.8.0.2/24");
}

REQUIREMENT(ADD, 4, INTERFACE)          /* the name is taken in the container: an error, and nothing is changed */
{
	sh("host", "ip -n pod1 link add eth0 type veth peer name other");
	world_settled(w);
	expect_error(request(s, "ADD", s->conf), 999, "\"eth0\" already exists");
	expect_gone(w);
	expect_text(kept_of("net", "pod1", "eth0"), "");
}

REQUIREMENT(ADD, 5, EVERYONE)           /* again without DEL: the first attachment is what it was */
{
	struct answer first = added(s), again;
	const char *kept = kept_of("net", "pod1", s->ifname);

	again = request(s, "ADD", s->conf);
	if (is(s, INTERFACE) || is(s, RANGES))
		expect(again.status != 0);
	else
		expect_ok(again);
	expect_text(kept_of("net", "pod1", s->ifname), kept);
	expect_ok(request(s, "CHECK", with_prev(s->conf, first)));
	expect_ok(request(s, "DEL", with_prev(s->conf, first)));
	expect_gone(w);
}

REQUIREMENT(ADD, 6, EVERYONE)           /* a container twice, with another interface each time */
{
	struct answer first, second;

	if (is(s, PORTS) || !(is(s, INTERFACE) || is(s, RANGES)))
		not_applicable("it makes nothing that a second interface would have of its own");
	first = request(s, "ADD", s->conf, .ifname = "eth0");
	second = expect_ok(request(s, "ADD", conf_set(s->conf, "ipam", "{'type': 'host-local', 'subnet': '10.1.0.0/24'}"), .ifname = "eth1"));
	expect(strcmp(json_at(first, "ips[0].address"), json_at(second, "ips[0].address")) != 0);
	expect_ok(request(s, "DEL", with_prev(s->conf, first), .ifname = "eth0"));
	expect(*kept_of("net", "pod1", "eth1") != '\0');
	if (is(s, INTERFACE))
		expect_addr("pod1", "eth1", json_at(second, "ips[0].address"));
	expect_ok(request(s, "DEL", with_prev(s->conf, second), .ifname = "eth1"));
	expect_gone(w);
}

REQUIREMENT(ADD, 7, KEEPS)              /* what fails late leaves nothing */
{
	const char *conf = s->conf;

	if (is(s, INTERFACE))           /* a next hop that cannot be reached is found out when all else is there */
		conf = conf_set(conf, "ipam", "{'type': 'host-local', 'subnet': '10.1.0.0/24', 'routes': [{'dst': '10.99.0.0/16', 'gw': '192.0.2.99'}]}");
	else if (is(s, RANGES))         /* only one of two addresses that are asked for can be given */
		conf = conf_set(conf, "args", "{'cni': {'ips': ['10.1.0.7', '10.1.0.8']}}");
	else if (!is(s, PORTS))
		not_applicable("it claims nothing that another could have, and asks no one");
	else {                          /* the second port is somebody else's */
		const char *other = conf_set(conf, "runtimeConfig", "{'portMappings': [{'hostPort': 53, 'containerPort': 1, 'protocol': 'udp'}]}");

		expect_ok(request(s, "ADD", conf_set(other, "prevResult", "{'ips': [{'address': '10.1.0.3/24'}]}"), .container = "other"));
		expect_error(request(s, "ADD", conf), 999, "container \"other\" of network \"net\" (eth0)");
		expect_text(kept_of("net", "pod1", "eth0"), "");
		return;
	}
	expect(request(s, "ADD", conf).status == 1);
	expect_gone(w);
}

/* ---- At the same time ---- */

enum { AT_ONCE = 8 };

/* Each container's call in a process of its own, all at once. What ADD answers goes to a file by the container's name. */
static void all_at_once(const struct subject *s, const char *verb)
{
	pid_t pids[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		const char *container = keep("c%d", i), *conf = s->conf, *file = keep("/run/answers/%s", container);

		if (is(s, PORTS))
			conf = conf_set(conf, "runtimeConfig", keep("{'portMappings': [{'hostPort': %d, 'containerPort': 80, 'protocol': 'tcp'}]}", 8000 + i));
		if (!strcmp(verb, "DEL") && !is(s, PORTS))
			conf = conf_set(conf, "prevResult", file_read(file));
		if ((pids[i] = fork()) == 0) {
			struct answer a = expect_ok(call(.plugin = s->name, .verb = verb, .conf = conf, .container = container, .netns = s->netns ? s->netns : keep("/run/netns/%s", container),
			                                 .ifname = s->ifname));

			if (!strcmp(verb, "ADD"))
				file_write(file, a.out);
			fflush(NULL);
			_exit(0);
		}
	}
	for (int i = 0; i < AT_ONCE; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		expect_number(status, 0);
	}
}

REQUIREMENT(LIFE, 1, EVERYONE)          /* different containers at the same time */
{
	bool gives = is(s, INTERFACE) || is(s, RANGES);
	const char *seen = " ";
	struct fault why;

	if (is(s, OWN_NETNS) && world_furnish("c0 c1 c2 c3 c4 c5 c6 c7", &why) < 0)
		fail("%s", why.text);
	all_at_once(s, "ADD");
	for (int i = 0; i < AT_ONCE && gives; i++) {
		struct answer a = { .json = json_loads(file_read(keep("/run/answers/c%d", i)), 0, NULL) };
		const char *address = json_at(a, "ips[0].address");

		expect(!strstr(seen, keep(" %s ", address)));
		seen = keep("%s%s ", seen, address);
	}
	all_at_once(s, "DEL");
	for (int i = 0; i < AT_ONCE; i++)
		expect_text(kept_of("net", keep("c%d", i), s->ifname), "");
}
