/* DEL: specification, section 2 "DEL". */
#include <string.h>

#include "conform.h"

REQUIREMENT(DEL, 1, EVERYONE)           /* all that ADD made goes */
{
	struct answer add = added(s), del = expect_ok(request(s, "DEL", with_prev(s->conf, add)));

	expect_text(del.out, "");
	expect_gone(w);
	if (is(s, ONLY_LOOPBACK) || is(s, ONLY_NONE))
		expect(!(link_in("pod1", "lo").flags & IFF_UP));
}

REQUIREMENT(DEL, 2, EVERYONE)           /* without prevResult */
{
	added(s);
	expect_ok(request(s, "DEL", conf_set(s->conf, "prevResult", NULL)));
	expect_gone(w);
	expect_text(kept_of("net", "pod1", s->ifname), "");
}

/* The namespace's last name goes, and with it the namespace. */
static void remove_netns(const char *name)
{
	sh("host", "umount /run/netns/%s && rm /run/netns/%s", name, name);
}

static bool host_has_veth(void)
{
	for (const struct link_seen *l = links_in("host"); l->index; l++)
		if (!strcmp(l->kind, "veth") && strcmp(l->name, "lan0"))
			return true;
	return false;
}

static void del_without_netns(const struct subject *s, const char *pod, const char *netns, bool with_prev_result)
{
	struct answer add = expect_ok(request(s, "ADD", s->conf, .pod = pod));
	const char *conf = with_prev_result ? with_prev(s->conf, add) : conf_set(s->conf, "prevResult", NULL);

	note("CNI_NETNS=%s, %s prevResult", netns, with_prev_result ? "with" : "without");
	remove_netns(pod);
	expect_text(expect_ok(request(s, "DEL", conf, .pod = pod, .netns = netns)).out, "");
	expect_text(kept_of("net", pod, s->ifname), "");
	eventually(!host_has_veth());
}

REQUIREMENT(DEL, 3, EVERYONE)           /* the namespace is gone: what is outside of it goes all the same */
{
	del_without_netns(s, "pod1", "/run/netns/pod1", true);
	del_without_netns(s, "pod2", "", false);
	del_without_netns(s, "pod3", "", true);
	file_write("/run/stale", "");
	del_without_netns(s, "pod4", "/run/stale", false);
}

REQUIREMENT(DEL, 4, EVERYONE)           /* again and again */
{
	const char *conf = with_prev(s->conf, added(s));

	for (int times = 0; times < 3; times++)
		expect_ok(request(s, "DEL", conf));
	expect_gone(w);
}

REQUIREMENT(DEL, 5, EVERYONE)           /* of what never was */
{
	expect_ok(request(s, "DEL", s->conf));
	expect_ok(request(s, "DEL", conf_set(s->conf, "prevResult", NULL)));
	expect_gone(w);
}

REQUIREMENT(DEL, 6, INTERFACE)          /* the interface is gone */
{
	const char *conf = with_prev(s->conf, added(s));

	sh("host", "ip -n pod1 link del eth0");
	expect_ok(request(s, "DEL", conf));
	expect_text(kept_of("net", "pod1", "eth0"), "");
	expect_gone(w);
}

REQUIREMENT(DEL, 7, DELEGATES)          /* the address plugin is asked though namespace and interface are gone */
{
	fake("fake", NULL);
	remove_netns("pod1");
	expect_ok(request(s, "DEL", with_ipam(s, "fake"), .path = fakes_path()));
	expect_ok(request(s, "DEL", with_ipam(s, "fake"), .path = fakes_path(), .netns = ""));
	expect_text(fake_calls("fake"), "DEL DEL");
}

REQUIREMENT(DEL, 8, KEEPS)              /* part of it is missing: the rest goes */
{
	const char *conf = with_prev(s->conf, added(s));

	sh("host", "rm -rf /var/lib/cni/networks/net");
	expect_ok(request(s, "DEL", conf));
	expect_text(kept_of("net", "pod1", "eth0"), "");
	conf = with_prev(s->conf, added(s));
	ruleset_change("flush ruleset");
	expect_ok(request(s, "DEL", conf));
	expect_text(kept_of("net", "pod1", "eth0"), "");
	if (is(s, INTERFACE))
		expect_no_link("pod1", "eth0");
}

REQUIREMENT(DEL, 9, DELEGATES)          /* one step fails: the others are done, and the failure is told */
{
	const char *conf = with_ipam(s, "fake");
	struct answer add;

	fake("fake", NULL);
	add = expect_ok(request(s, "ADD", conf, .path = fakes_path()));
	fake("fake", "echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"not today\"}'; exit 1");
	expect_error(request(s, "DEL", with_prev(conf, add), .path = fakes_path()), 131, "not today");
	expect_no_link("pod1", "eth0");
	expect_text(kept_of("net", "pod1", "eth0"), "");
}

REQUIREMENT(DEL, 10, EVERYONE)          /* another container's things stay */
{
	const char *conf = other_conf(s);
	struct answer one = added(s), two = expect_ok(request_of_pod2(s, "ADD", conf));
	const char *kept = kept_of("net", "pod2", s->ifname);

	expect_ok(request(s, "DEL", with_prev(s->conf, one)));
	expect_ok(request(s, "DEL", conf_set(s->conf, "prevResult", NULL)));
	expect_text(kept_of("net", "pod2", s->ifname), kept);
	expect_ok(request_of_pod2(s, "CHECK", with_prev(conf, two)));
}
