/* Results: specification, section 5. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"

#define CONVERT "tests/conform/convert"

REQUIREMENT(RES, 1, EVERYONE)           /* interfaces, the host's too; sandbox is CNI_NETNS to the letter */
{
	struct answer add;
	size_t i, in_pod = 0, on_host = 0;
	json_t *iface;

	if (is(s, ADDRESSES))
		not_applicable("address plugins tell no interfaces: RES-7");
	sh("host", "ln -s pod1 /run/netns/by-another-name");
	add = request(s, "ADD", s->conf, .netns = s->netns ? s->netns : is(s, CHAINED) ? NULL : "/run/netns/../netns/by-another-name");
	expect_ok(add);
	json_array_foreach(json_object_get(add.json, "interfaces"), i, iface) {
		const char *name = json_string_value(json_object_get(iface, "name")), *sandbox = json_string_value(json_object_get(iface, "sandbox"));
		const char *netns = !sandbox || is(s, ONLY_HOST) ? "host" : "pod1";
		struct link_seen l;

		expect(name && *name);
		sandbox ? in_pod++ : on_host++;
		if (is(s, CHAINED))
			continue;
		l = expect_link(netns, name, NULL);
		expect_text(json_string_value(json_object_get(iface, "mac")), l.mac);
		if (json_object_get(iface, "mtu"))
			expect_number(json_integer_value(json_object_get(iface, "mtu")), l.mtu);
		if (sandbox)
			expect_text(sandbox, is(s, ONLY_HOST) ? s->netns : "/run/netns/../netns/by-another-name");
	}
	expect(in_pod >= 1);
	if (is(s, INTERFACE)) {
		expect_number(in_pod, 1);
		expect_number(on_host, is(s, ONLY_BRIDGE) ? 2 : 1);
		expect_json(add, "interfaces[0].mtu", keep("%u", link_in("host", json_at(add, "interfaces[0].name")).mtu));
	}
}

REQUIREMENT(RES, 2, EVERYONE)           /* addresses with prefix length, their gateway, and the interface that has them */
{
	struct answer add = added(s);
	size_t i, count = json_array_size(json_object_get(add.json, "interfaces"));
	json_t *ip;

	if (is(s, ONLY_NONE))
		not_applicable("there are no addresses");
	expect(json_array_size(json_object_get(add.json, "ips")) >= (is(s, ONLY_LOOPBACK) ? 1 : 2));
	json_array_foreach(json_object_get(add.json, "ips"), i, ip) {
		const char *address = json_string_value(json_object_get(ip, "address")), *name, *gateway = json_string_value(json_object_get(ip, "gateway"));
		json_int_t at = json_integer_value(json_object_get(ip, "interface"));

		expect(address && strchr(address, '/'));
		expect(!json_object_get(ip, "version"));
		expect(!gateway || (!strchr(gateway, '/') && !strchr(gateway, ':') == !strchr(address, ':')));
		if (is(s, ADDRESSES) || is(s, CHAINED))
			continue;
		expect(json_is_integer(json_object_get(ip, "interface")) && at >= 0 && (size_t)at < count);
		name = json_at(add, keep("interfaces[%d].name", (int)at));
		expect_addr(is(s, ONLY_HOST) ? "host" : "pod1", name, address);
	}
}

/* A route with all that one can have. */
#define FULL_ROUTE "{'dst': '10.77.0.0/16', 'gw': '10.1.0.1', 'mtu': 1400, 'advmss': 1300, 'priority': 42, 'table': 100, 'scope': 0}"

REQUIREMENT(RES, 3, EVERYONE)           /* routes, with all their fields, in the kernel as in the result */
{
	const char *ipam = is(s, ONLY_STATIC) ? "'type': 'static', 'addresses': [{'address': '10.1.0.2/24', 'gateway': '10.1.0.1'}]" : "'type': 'host-local', 'subnet': '10.1.0.0/24'";
	struct answer add;

	if (!is(s, INTERFACE) && !is(s, ADDRESSES))
		not_applicable("it makes no routes");
	add = expect_ok(request(s, "ADD", conf_set(s->conf, "ipam", keep("{%s, 'routes': [{'dst': '0.0.0.0/0'}, " FULL_ROUTE "]}", ipam))));
	expect_json(add, "routes[0]", "{\"dst\": \"0.0.0.0/0\"}");
	expect_json(add, "routes[1]", "{\"advmss\": 1300, \"dst\": \"10.77.0.0/16\", \"gw\": \"10.1.0.1\", \"mtu\": 1400, \"priority\": 42, \"scope\": 0, \"table\": 100}");
	if (!is(s, INTERFACE))
		return;
	expect_route("pod1", "default via 10.1.0.1 dev eth0");
	expect_contains(sh("host", "ip -n pod1 route show table 100"), "10.77.0.0/16 via 10.1.0.1 dev eth0");
	expect_contains(sh("host", "ip -n pod1 route show table 100"), "metric 42 mtu 1400 advmss 1300");
}

REQUIREMENT(RES, 4, EVERYONE)           /* dns, where there is some; otherwise nothing of it from 1.0.0 on, an empty one before */
{
	static const char *const versions[] = { "0.4.0", "1.0.0" };
	struct answer add;

	if (is(s, GATEWAY))
		not_applicable("there always is some");
	for (size_t i = 0; i < 2; i++) {
		add = expect_ok(request(s, "ADD", in_version(s, versions[i])));
		expect_json(add, "dns", i ? "absent" : "{}");
		expect_ok(request(s, "DEL", with_prev(in_version(s, versions[i]), add)));
	}
}

REQUIREMENT(RES, 5, PASSES)             /* a result that is not changed is the same, in the same version */
{
	for (const char *const *v = all_versions; *v; v++) {
		struct answer given = { .json = json_load_file(keep(CONVERT "/%s.json", *v), 0, NULL) };
		const char *prev = json_at(given, "result");

		note("version %s", *v);
		expect(given.json != NULL);
		if (speaks(s, *v))
			expect_result(expect_ok(request(s, "ADD", conf_set(conf_set(plain_conf(s), "cniVersion", keep("'%s'", *v)), "prevResult", prev))), prev);
	}
}

REQUIREMENT(RES, 6, EVERYONE)           /* the fields that a version has */
{
	for (const char *const *v = all_versions; *v; v++) {
		bool old = !version_since(*v, "0.3.0"), typed = !version_since(*v, "1.0.0");
		struct answer add = request(s, "ADD", in_version(s, *v));

		note("version %s", *v);
		if (!speaks(s, *v) || (old && is(s, ONLY_NONE)))
			continue;
		expect_ok(add);
		expect(!json_object_get(add.json, "ip4") == !old);
		expect(!old || !(json_object_get(add.json, "ips") || json_object_get(add.json, "interfaces") || json_object_get(add.json, "routes")));
		if (!old && !is(s, ONLY_NONE))
			expect_json(add, "ips[0].version", typed ? "4" : "absent");
		if (!old && typed)
			expect_json(add, "interfaces[0].mtu", "absent");
		expect_ok(request(s, "DEL", with_prev(in_version(s, *v), add)));
	}
}

REQUIREMENT(RES, 7, ADDRESSES)          /* an address plugin tells no interfaces */
{
	for (const char *const *v = versions_since_0_3_0; *v; v++) {
		struct answer add = expect_ok(request(s, "ADD", in_version(s, *v)));

		note("version %s", *v);
		expect_json(add, "interfaces", "absent");
		expect_json(add, "ips[0].interface", "absent");
		expect_json(add, "ips[1].interface", "absent");
		expect_ok(request(s, "DEL", in_version(s, *v)));
	}
}

/* Each file has a result in the version of its name, and what that is in every version: a result, or the words of the error. */
REQUIREMENT(RES, 8, PASSES)             /* prevResult of any version, in any version */
{
	for (const char *const *from = all_versions; *from; from++) {
		struct answer golden = { .json = json_load_file(keep(CONVERT "/%s.json", *from), 0, NULL) };

		if (!golden.json)
			fail("%s/%s.json cannot be read; run this where the sources are", CONVERT, *from);
		for (const char *const *to = all_versions; *to; to++) {
			json_t *want = json_object_get(json_object_get(golden.json, "in"), *to);
			struct answer a;

			note("from %s to %s", *from, *to);
			expect(want != NULL);
			if (!is(s, PORTS) && strcmp(*from, "1.1.0") && strcmp(*to, "1.1.0"))     /* one plugin for all is enough: they share it */
				continue;
			if (!speaks(s, *to))
				continue;
			a = request(s, "ADD", conf_set(conf_set(plain_conf(s), "cniVersion", keep("'%s'", *to)), "prevResult", json_at(golden, "result")));
			if (json_is_string(want))
				expect_error(a, 999, json_string_value(want));
			else
				expect_result(expect_ok(a), json_dumps(want, 0));
		}
	}
}

/* Whether two versions have the same form of results. The reference's portmap takes prevResult in a form of the configuration's version only. */
static bool same_form(const char *a, const char *b)
{
	return version_since(a, "0.3.0") == version_since(b, "0.3.0") && version_since(a, "1.0.0") == version_since(b, "1.0.0");
}

TEST(the_reference_converts_likewise)
{
	const char *dir = getenv("REFERENCE_CNI") ? getenv("REFERENCE_CNI") : "/usr/lib/cni", *program = keep("%s/portmap", dir);

	if (access(program, X_OK) < 0)
		skip("no reference plugin %s (REFERENCE_CNI says where)", program);
	world_begin("pod1");
	for (const char *const *from = all_versions; *from; from++) {
		struct answer golden = { .json = json_load_file(keep(CONVERT "/%s.json", *from), 0, NULL) };

		for (const char *const *to = all_versions; *to; to++) {
			const char *conf = keep("{'cniVersion': '%s', 'name': 'net', 'type': 'portmap'}", *to);

			note("from %s to %s", *from, *to);
			if (!same_form(*from, *to) || version_since(*from, "1.1.0") || version_since(*to, "1.1.0"))     /* 1.1.0 is too new for it */
				continue;
			conf = conf_set(conf, "prevResult", json_at(golden, "result"));
			expect_result(expect_ok(call(.plugin = "portmap", .program = program, .verb = "ADD", .pod = "pod1", .conf = conf)),
			              json_dumps(json_object_get(json_object_get(golden.json, "in"), *to), 0));
		}
	}
}

REQUIREMENT(RES, 9, EVERYONE)           /* 0.1.0 and 0.2.0 have no form for a result without addresses: an error, and nothing is left */
{
	const char *conf = conf_set(s->conf, is(s, TAKES_PREV) && !is(s, INTERFACE) ? "prevResult" : "ipam",
	                            is(s, ONLY_STATIC) ? "{'type': 'static'}" : is(s, INTERFACE) ? NULL : "{'cniVersion': '1.0.0', 'interfaces': [{'name': 'eth0'}]}");

	if (is(s, RANGES) || is(s, ONLY_PTP) || is(s, GATEWAY))
		not_applicable("it does not go without addresses");
	if (!speaks(s, "0.2.0"))
		not_applicable("it speaks no such old version");
	for (int i = 0; i < 2; i++)
		expect_error(request(s, "ADD", conf_set(conf, "cniVersion", keep("'%s'", all_versions[i]))), 999, "cannot convert: no valid IP addresses");
	expect_gone(w);
}

REQUIREMENT(RES, 10, EVERYONE)          /* members' names are followed by a colon at once */
{
	struct answer add = added(s);

	expect(!strstr(add.out, "\" :"));
	expect_contains(add.out, "\"cniVersion\":");
	expect(strstr(add.out, "\"interfaces\":") || strstr(add.out, "\"ips\":"));
}

REQUIREMENT(RES, 11, PASSES)            /* prevResult without a version has the configuration's */
{
	struct answer a;

	if (speaks(s, "0.2.0")) {
		a = expect_ok(request(s, "ADD", conf_set(in_version(s, "0.2.0"), "prevResult", "{'ip4': {'ip': '10.1.0.2/24', 'gateway': '10.1.0.1'}}")));
		expect_result(a, "{'cniVersion': '0.2.0', 'ip4': {'ip': '10.1.0.2/24', 'gateway': '10.1.0.1'}, 'dns': {}}");
	}
	a = expect_ok(request(s, "ADD", conf_set(plain_conf(s), "prevResult", "{'ips': [{'address': '10.1.0.2/24'}]}")));
	expect_result(a, "{'cniVersion': '1.1.0', 'ips': [{'address': '10.1.0.2/24'}]}");
}

REQUIREMENT(RES, 12, TAKES_PREV)        /* prevResult of a version that is not known */
{
	expect_error(request(s, "ADD", conf_set(s->conf, "prevResult", "{'cniVersion': '3.0.0', 'ips': []}")), 6, "prevResult.cniVersion");
	expect_error(request(s, "ADD", conf_set(s->conf, "prevResult", "'text'")), 6, "prevResult");
	expect_error(request(s, "ADD", conf_set(s->conf, "prevResult", "[1]")), 6, "prevResult");
}
