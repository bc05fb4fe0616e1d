/* STATUS and GC: specification, section 2. */
#include <string.h>

#include "conform.h"

static struct answer status(const struct subject *s, const char *conf)
{
	return call(.plugin = s->name, .verb = "STATUS", .conf = conf, .path = fakes_path());
}

REQUIREMENT(STA, 1, EVERYONE)           /* ready: success, and nothing else */
{
	expect_text(expect_ok(status(s, s->conf)).out, "");
	expect_untouched(w);
}

/* A range of one address. */
static const char *small(const struct subject *s)
{
	return conf_set(s->conf, "ipam", "{'type': 'host-local', 'ranges': [[{'subnet': '10.1.0.0/24', 'rangeStart': '10.1.0.5', 'rangeEnd': '10.1.0.5'}]]}");
}

REQUIREMENT(STA, 2, POOL)               /* no more to give: error 50, on stdout */
{
	struct answer add = expect_ok(request(s, "ADD", small(s)));

	expect_error(status(s, small(s)), 50, "10.1.0.5");
	expect_error(request_of_pod2(s, "ADD", small(s)), 999, "no IP addresses available");
	expect_ok(request(s, "DEL", with_prev(small(s), add)));
	expect_ok(status(s, small(s)));
}

REQUIREMENT(STA, 3, POOL)               /* other operations go on while STATUS fails */
{
	struct answer add = expect_ok(request(s, "ADD", small(s)));

	expect_error(status(s, small(s)), 50, "10.1.0.5");
	expect_ok(request(s, "CHECK", with_prev(small(s), add)));
	expect_ok(call(.plugin = s->name, .verb = "GC", .conf = with_valid(small(s), keep("[{'containerID': 'pod1', 'ifname': '%s'}]", s->ifname))));
	expect_ok(request(s, "DEL", with_prev(small(s), add)));
	expect_gone(w);
}

REQUIREMENT(STA, 4, DELEGATES)          /* the address plugin's STATUS, and its error */
{
	const char *conf = with_ipam(s, "fake");

	fake("fake", NULL);
	expect_ok(status(s, conf));
	expect_text(fake_calls("fake"), "STATUS");
	fake("fake", "echo '{\"cniVersion\": \"1.1.0\", \"code\": 51, \"msg\": \"daemon is down\", \"details\": \"since noon\"}'; exit 1");
	expect_error(status(s, conf), 51, "daemon is down");
	expect_error(status(s, with_ipam(s, "nowhere")), 999, "nowhere");
}

/* ---- GC ---- */

/* What a runtime gives to GC: no runtimeConfig, no prevResult. */
static const char *gc_conf(const struct subject *s, const char *key, const char *valid)
{
	const char *conf = conf_set(conf_set(s->conf, "prevResult", NULL), "runtimeConfig", NULL);

	return key ? conf_set(conf, key, valid) : conf;
}

#define VALID "cni.dev/valid-attachments"

static struct answer gc(const struct subject *s, const char *key, const char *valid)
{
	return call(.plugin = s->name, .verb = "GC", .conf = gc_conf(s, key, valid), .path = fakes_path());
}

static const char *pod2_only(const struct subject *s)
{
	return keep("[{'containerID': 'pod2', 'ifname': '%s'}]", s->ifname);
}

REQUIREMENT(GC, 1, KEEPS)               /* what no valid attachment has goes; what one has stays */
{
	const char *kept;
	struct answer two;

	added(s);
	two = expect_ok(request_of_pod2(s, "ADD", other_conf(s)));
	kept = kept_of("net", "pod2", s->ifname);
	expect(*kept && *kept_of("net", "pod1", s->ifname));
	expect_ok(gc(s, VALID, pod2_only(s)));
	expect_text(kept_of("net", "pod1", s->ifname), "");
	expect_text(kept_of("net", "pod2", s->ifname), kept);
	expect_ok(request_of_pod2(s, "CHECK", with_prev(other_conf(s), two)));
	expect_ok(gc(s, VALID, "[{'containerID': 'pod2', 'ifname': 'eth5'}, {'containerID': 'pod', 'ifname': 'eth0'}]"));
	expect_text(kept_of("net", "pod2", s->ifname), "");
}

REQUIREMENT(GC, 2, KEEPS)               /* other networks' attachments stay, whatever their names begin with */
{
	static const char *const others[] = { "net2", "net.1", "ne" };

	added(s);
	for (size_t i = 0; i < 3; i++) {
		const char *conf = conf_set(other_conf(s), "name", keep("'%s'", others[i]));

		if (is(s, PORTS))
			conf = conf_set(conf, "runtimeConfig", keep("{'portMappings': [{'hostPort': %zu, 'containerPort': 1}]}", 100 + i));
		if (is(s, CHAINED))
			conf = conf_set(conf, "prevResult", keep("{'cniVersion': '1.1.0', 'interfaces': [{'name': 'br%zu'}, {'name': 'eth0', 'sandbox': '/run/netns/pod2'}], "
			                "'ips': [{'address': '10.%zu.0.3/24', 'interface': 1}]}", 1 + i, 50 + i));
		if (is(s, INTERFACE))
			conf = conf_set(conf, "ipam", keep("{'type': 'host-local', 'subnet': '10.%zu.0.0/24'}", 50 + i));
		if (is(s, ONLY_BRIDGE))
			conf = conf_set(conf, "bridge", keep("'br%zu'", 1 + i));
		expect_ok(request_of_pod2(s, "ADD", conf, .ifname = is(s, CHAINED) ? "eth0" : keep("eth%zu", i)));
	}
	expect_ok(gc(s, VALID, "[]"));
	expect_text(kept_of("net", "pod1", s->ifname), "");
	for (size_t i = 0; i < 3; i++)
		expect(*kept_of(others[i], "pod2", is(s, CHAINED) ? "eth0" : keep("eth%zu", i)) != '\0');
}

REQUIREMENT(GC, 3, DELEGATES)           /* the address plugin's GC, with the same configuration, and its error */
{
	const char *conf = conf_set(conf_set(with_ipam(s, "fake"), VALID, "[]"), "cniVersion", "'1.1.0'");

	fake("fake", NULL);
	expect_ok(call(.plugin = s->name, .verb = "GC", .conf = conf, .path = fakes_path()));
	expect_text(fake_calls("fake"), "GC");
	expect_text(fake_input("fake", "GC"), conf);
	fake("fake", "echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"swept little\"}'; exit 1");
	expect_error(call(.plugin = s->name, .verb = "GC", .conf = conf, .path = fakes_path()), 131, "swept little");
}

REQUIREMENT(GC, 4, KEEPS)               /* the list's older key; the newer one where both are there */
{
	const char *both;

	added(s);
	expect_ok(gc(s, "cni.dev/attachments", keep("[{'containerID': 'pod1', 'ifname': '%s'}]", s->ifname)));
	expect(*kept_of("net", "pod1", s->ifname) != '\0');
	both = conf_set(gc_conf(s, VALID, keep("[{'containerID': 'pod1', 'ifname': '%s'}]", s->ifname)), "cni.dev/attachments", "[]");
	expect_ok(call(.plugin = s->name, .verb = "GC", .conf = both));
	expect(*kept_of("net", "pod1", s->ifname) != '\0');
	expect_ok(gc(s, "cni.dev/attachments", "[]"));
	expect_text(kept_of("net", "pod1", s->ifname), "");
}

REQUIREMENT(GC, 5, EVERYONE)            /* no list, or one that is none, is refused: nothing goes */
{
	static const char *const bad[] = { "{}", "'pod1'", "['pod1']", "[{'containerID': 'pod1'}]", "[{'ifname': 'eth0'}]", "[null]", "[{'containerID': 1, 'ifname': 'eth0'}]" };
	const char *kept;

	added(s);
	kept = kept_of("net", "pod1", s->ifname);
	expect_error(gc(s, NULL, NULL), 7, VALID);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("valid attachments %s", bad[i]);
		expect_error(gc(s, VALID, bad[i]), 7, VALID);
	}
	expect_text(kept_of("net", "pod1", s->ifname), kept);
}

REQUIREMENT(GC, 6, KEEPS)               /* null is how libcni sends an empty list */
{
	added(s);
	expect_ok(gc(s, VALID, "null"));
	expect_text(kept_of("net", "pod1", s->ifname), "");
	expect_ok(request(s, "DEL", s->conf));
	added(s);
	expect_ok(gc(s, "cni.dev/attachments", "null"));
	expect_text(kept_of("net", "pod1", s->ifname), "");
}

REQUIREMENT(GC, 7, EVERYONE)            /* nothing is printed; again it succeeds, with nothing there to begin with too */
{
	expect_text(expect_ok(gc(s, VALID, "[]")).out, "");
	expect_gone(w);
	added(s);
	expect_text(expect_ok(gc(s, VALID, "[]")).out, "");
	expect_text(expect_ok(gc(s, VALID, "[]")).out, "");
}

REQUIREMENT(GC, 8, DELEGATES)           /* one step fails: the others are done, and the failure is told */
{
	const char *conf = with_ipam(s, "fake");

	fake("fake", NULL);
	expect_ok(request(s, "ADD", conf, .path = fakes_path()));
	expect_contains(elements_of("masq4"), "net/pod1/eth0");
	fake("fake", "echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"swept little\"}'; exit 1");
	expect_error(call(.plugin = s->name, .verb = "GC", .conf = with_valid(conf, "[]"), .path = fakes_path()), 131, "swept little");
	expect_text(elements_of("masq4"), "");
}

REQUIREMENT(GC, 9, KEEPS)               /* the namespace is gone */
{
	added(s);
	sh("host", "umount /run/netns/pod1 && rm /run/netns/pod1");
	expect_ok(gc(s, VALID, "[]"));
	expect_text(kept_of("net", "pod1", s->ifname), "");
}

REQUIREMENT(GC, 10, EVERYONE)           /* a valid attachment is left as it is, whatever the plugin */
{
	struct answer add = added(s);

	expect_ok(gc(s, VALID, keep("[{'containerID': 'pod1', 'ifname': '%s', 'more': 1}]", s->ifname)));
	expect_ok(request(s, "CHECK", with_prev(s->conf, add)));
}
