/* CHECK: specification, section 2 "CHECK". */
#include <string.h>

#include "conform.h"

/* CHECK with this as prevResult. */
static struct answer checked(const struct subject *s, struct answer add)
{
	return request(s, "CHECK", with_prev(s->conf, add));
}

/* The answer with a value changed. */
static struct answer changed(struct answer add, const char *list, size_t i, const char *key, const char *value)
{
	add.json = json_deep_copy(add.json);
	json_object_set_new(json_array_get(json_object_get(add.json, list), i), key, json_string(value));
	return add;
}

REQUIREMENT(CHK, 1, EVERYONE)           /* right after ADD, and again; it says nothing */
{
	struct answer add = added(s);

	expect_text(expect_ok(checked(s, add)).out, "");
	expect_ok(checked(s, add));
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	expect_gone(w);
}

REQUIREMENT(CHK, 2, EVERYONE)           /* prevResult is what is looked for */
{
	struct answer add = added(s);

	if (is(s, ONLY_LOOPBACK) || is(s, ONLY_HOST) || is(s, ONLY_NONE))
		not_applicable("what it makes does not depend on what it answered");
	if (is(s, RANGES))
		not_applicable("its own store says what it gave");
	expect_error(request(s, "CHECK", conf_set(s->conf, "prevResult", NULL)), 7, "prevResult");
	if (is(s, ONLY_STATIC)) {
		expect(checked(s, changed(add, "ips", 0, "gateway", "10.1.0.77")).status == 1);
		return;
	}
	expect(checked(s, changed(add, "ips", 0, "address", "10.1.0.77/24")).status == 1);
	if (is(s, INTERFACE)) {
		expect_error(checked(s, changed(add, "interfaces", json_array_size(json_object_get(add.json, "interfaces")) - 1, "mac", "02:00:00:00:00:77")), 999, "02:00:00:00:00:77");
		expect(checked(s, changed(add, "interfaces", json_array_size(json_object_get(add.json, "interfaces")) - 1, "name", "eth77")).status == 1);
	}
}

REQUIREMENT(CHK, 3, EVERYONE)           /* what plugins behind it may have changed is no fault */
{
	struct answer add = added(s);

	if (is(s, INTERFACE)) {
		sh("host", "ip -n pod1 addr add 10.77.0.1/24 dev eth0 && ip -n pod1 route add 10.78.0.0/16 dev eth0");
		sh("host", "ip -n pod1 link set eth0 mtu 1400 alias changed");
		sysctl_put("pod1", "net/ipv4/conf/eth0/rp_filter", "1");
	} else if (is(s, OWN_NETNS)) {
		sh("host", "ip -n pod1 addr add 127.0.0.53/8 dev lo && ip -n pod1 link set lo mtu 16384");
	}
	expect_ok(checked(s, add));
}

REQUIREMENT(CHK, 4, IN_POD)             /* a part of the result that is missing */
{
	struct answer add = added(s);
	const char *address;

	if (is(s, ONLY_HOST))
		not_applicable("it made none of what it tells");
	if (!is(s, INTERFACE)) {
		sh("host", "ip -n pod1 link set lo down");
		expect_error(checked(s, add), 999, "down");
		return;
	}
	address = json_at(add, "ips[0].address");
	sh("host", "ip -n pod1 route del default");
	expect_error(checked(s, add), 999, "0.0.0.0/0");
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));

	add = added(s);
	address = json_at(add, "ips[1].address");
	sh("host", "ip -n pod1 addr del %s dev eth0", address);
	expect_error(checked(s, add), 999, address);
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));

	add = added(s);
	sh("host", "ip -n pod1 link del eth0");
	expect_error(checked(s, add), 999, "eth0");
}

REQUIREMENT(CHK, 5, KEEPS)              /* what the result does not tell: elements of nftables, leases, settings of the host */
{
	struct answer add = added(s);

	if (is(s, PORTS) || is(s, MASQ)) {
		const char *map = is(s, PORTS) ? "publish_any6" : "masq6";

		ruleset_change(keep("flush map inet plumb %s", map));
		expect_error(checked(s, add), 999, map);
		ruleset_change("delete table inet plumb");
		expect(checked(s, add).status == 1);
		expect_ok(request(s, "DEL", with_prev(s->conf, add)));
		add = added(s);
	}
	if (is(s, RANGES) || is(s, DELEGATES)) {
		sh("host", "rm /var/lib/cni/networks/net/10.1.0.*");
		sh("host", "rm /var/lib/cni/networks/net/fd00*");
		expect_error(checked(s, add), 999, "pod1");
		expect_ok(request(s, "DEL", with_prev(s->conf, add)));
		add = added(s);
	}
	if (is(s, INTERFACE)) {
		sysctl_put("host", "net/ipv4/ip_forward", "0");
		expect_error(checked(s, add), 999, "net/ipv4/ip_forward");
	}
}

REQUIREMENT(CHK, 6, DELEGATES)          /* the address plugin's CHECK, and its error */
{
	const char *conf = with_ipam(s, "fake");
	struct answer add;

	fake("fake", NULL);
	add = expect_ok(request(s, "ADD", conf, .path = fakes_path()));
	expect_ok(request(s, "CHECK", with_prev(conf, add), .path = fakes_path()));
	expect_text(fake_calls("fake"), "ADD CHECK");
	fake("fake", "[ $CNI_COMMAND != CHECK ] || { echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"lease lost\", \"details\": \"by whom?\"}'; exit 1; }");
	expect_error(request(s, "CHECK", with_prev(conf, add), .path = fakes_path()), 131, "lease lost");
}

REQUIREMENT(CHK, 7, INTERFACE)          /* the container cannot be reached */
{
	struct answer add = added(s);
	const char *host_end = NULL;

	for (const struct link_seen *l = links_in("host"); l->index; l++)
		if (!strcmp(l->kind, "veth") && strcmp(l->name, "lan0"))
			host_end = l->name;
	sh("host", "ip link set %s down", host_end);
	expect_error(checked(s, add), 999, host_end);
	sh("host", "ip link set %s up", host_end);
	expect_ok(checked(s, add));
	if (is(s, ONLY_BRIDGE)) {
		sh("host", "ip link set %s nomaster", host_end);
		expect_error(checked(s, add), 999, "port");
		sh("host", "ip link set %s master br0", host_end);
		expect_ok(checked(s, add));
		sh("host", "ip link set br0 down");
		expect_error(checked(s, add), 999, "br0");
		sh("host", "ip link set br0 up");
	}
	sh("host", "ip -n pod1 link set eth0 down");
	expect_error(checked(s, add), 999, "eth0");
}

REQUIREMENT(CHK, 8, EVERYONE)           /* after DEL, where there is something to miss */
{
	struct answer add = added(s);

	if (is(s, ONLY_HOST) || is(s, ONLY_STATIC))
		not_applicable("DEL takes nothing away");
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	expect(checked(s, add).status == 1);
}
