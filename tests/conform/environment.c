/* The parameters: specification, section 2 "Parameters" and those of each operation. */
#include <string.h>

#include "conform.h"

REQUIREMENT(ENV, 1, EVERYONE)           /* a command that there is not */
{
	static const char *const bad[] = { "add", "ADD ", "UPDATE", "ADDDEL" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct answer a = expect_error(request(s, bad[i], s->conf), 4, "CNI_COMMAND");

		expect_contains(json_at(a, "msg"), bad[i]);
	}
	expect_untouched(w);
}

/* The call without one variable. */
static struct answer without(const struct subject *s, const char *verb, const char *name)
{
	return call(.plugin = s->name, .verb = verb, .conf = with_valid(s->conf, "[]"), .pod = "pod1",
	            .container = strcmp(name, "CNI_CONTAINERID") ? "pod1" : "", .netns = strcmp(name, "CNI_NETNS") ? s->netns : "",
	            .ifname = strcmp(name, "CNI_IFNAME") ? s->ifname : "", .path = strcmp(name, "CNI_PATH") ? NULL : "");
}

REQUIREMENT(ENV, 2, EVERYONE)           /* what a verb requires and is missing is named */
{
	static const struct { const char *verb, *required[6]; } verbs[] = {
		{ "ADD",    { "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH" } },
		{ "CHECK",  { "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH" } },
		{ "DEL",    { "CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH" } },
		{ "GC",     { "CNI_PATH" } },
	};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		for (const char *const *name = verbs[i].required; *name; name++) {
			note("%s without %s", verbs[i].verb, *name);
			expect_error(without(s, verbs[i].verb, *name), 4, keep("[%s]", *name));
		}
	expect_error(call(.plugin = s->name, .verb = "ADD", .conf = s->conf, .path = ""), 4, "[CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH]");
	expect_untouched(w);
}

REQUIREMENT(ENV, 3, EVERYONE)           /* the container's id */
{
	static const char *const bad[] = { "-a", ".a", "_a", "a/b", "../a", "a b", "a\nb", "\xc3\xa4" };
	static const char *const good[] = { "a", "0", "A.b_c-9", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("container %s", bad[i]);
		expect_error(request(s, "ADD", s->conf, .container = bad[i]), 4, "CNI_CONTAINERID");
	}
	expect_error(request(s, "DEL", s->conf, .container = "../a"), 4, "CNI_CONTAINERID");
	expect_error(request(s, "CHECK", s->conf, .container = "../a"), 4, "CNI_CONTAINERID");
	expect_error(request(s, "ADD", s->conf, .container = keep("%0300d", 0)), 4, "CNI_CONTAINERID");
	expect_untouched(w);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		expect_ok(request(s, "ADD", s->conf, .container = good[i]));
		expect_ok(request(s, "DEL", s->conf, .container = good[i]));
	}
	expect_gone(w);
}

REQUIREMENT(ENV, 4, EVERYONE)           /* an interface's name that cannot be one */
{
	static const char *const bad[] = { ".", "..", "a/b", "a:b", "a b", "a\tb", "sixteen-letters-" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("interface %s", bad[i]);
		expect_error(request(s, i % 2 ? "DEL" : "ADD", s->conf, .ifname = bad[i]), 4, "CNI_IFNAME");
	}
	expect_untouched(w);
}

REQUIREMENT(ENV, 5, IN_POD)             /* a namespace that is none */
{
	file_write("/run/plain-file", "");
	world_settled(w);
	expect_error(request(s, "ADD", s->conf, .netns = "/run/netns/absent"), 3, "/run/netns/absent");
	expect_error(request(s, "ADD", s->conf, .netns = "/run/plain-file"), 4, "CNI_NETNS");
	expect_error(request(s, "ADD", s->conf, .netns = "/proc/self/ns/mnt"), 4, "CNI_NETNS");
	expect_error(request(s, "ADD", s->conf, .netns = "/run"), 4, "CNI_NETNS");
	expect_untouched(w);
}

REQUIREMENT(ENV, 6, EVERYONE)           /* CNI_ARGS as runtimes send it */
{
	const char *args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=0123;K8S_POD_UID=a-b";

	expect_ok(request(s, "ADD", s->conf, .args = args));
	expect_ok(request(s, "DEL", s->conf, .args = args));
	expect_gone(w);
}

REQUIREMENT(ENV, 7, ARGS)               /* CNI_ARGS that are none */
{
	static const char *const bad[] = { "A", "A=1;B", ";", "A=1=2", "IgnoreUnknown=maybe", "UNKNOWN=1" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("CNI_ARGS %s", bad[i]);
		expect_error(request(s, "ADD", s->conf, .args = bad[i]), 4, "ARGS");
	}
	expect_untouched(w);
}

REQUIREMENT(ENV, 8, EVERYONE)           /* what is optional may be missing: CNI_NETNS at DEL, all of an attachment's at STATUS and GC */
{
	expect_ok(request(s, "DEL", s->conf, .netns = ""));
	expect_ok(call(.plugin = s->name, .verb = "STATUS", .conf = s->conf));
	expect_ok(call(.plugin = s->name, .verb = "GC", .conf = with_valid(s->conf, "[]")));
	expect_gone(w);
}

REQUIREMENT(ENV, 9, EVERYONE)           /* the host's own namespace is not taken for a container's */
{
	if (is(s, ONLY_HOST))
		not_applicable("it wants just that");
	expect_error(request(s, "ADD", s->conf, .netns = "/proc/self/ns/net"), 8, "should not be the same");
	expect_error(request(s, "DEL", s->conf, .netns = "/proc/self/ns/net"), 8, "should not be the same");
	expect_untouched(w);
}

REQUIREMENT(ENV, 10, EVERYONE)          /* … unless CNI_NETNS_OVERRIDE says so */
{
	static const char *const yes[] = { "CNI_NETNS_OVERRIDE=1", "CNI_NETNS_OVERRIDE=true", "CNI_NETNS_OVERRIDE=TRUE" };
	const char *conf = is(s, INTERFACE) ? conf_set(s->conf, "ipam", "{'type': 'host-local', 'subnet': '10.9.0.0/24'}") : s->conf;

	if (is(s, ONLY_HOST))
		not_applicable("it wants just that");
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		note("%s", yes[i]);
		expect_ok(request(s, "ADD", conf, .netns = "/proc/self/ns/net", .more = { yes[i] }));
		expect_ok(request(s, "DEL", conf, .netns = "/proc/self/ns/net", .more = { yes[i] }));
	}
	expect_error(request(s, "ADD", conf, .netns = "/proc/self/ns/net", .more = { "CNI_NETNS_OVERRIDE=0" }), 8, "should not be the same");
}

REQUIREMENT(ENV, 11, EVERYONE)          /* what else the environment holds does not matter */
{
	expect_ok(request(s, "ADD", s->conf, .more = { "CNI_FUTURE=1", "XDG_RUNTIME_DIR=", "LANG=tlh_KX.UTF-8", "TZ=:nowhere", "JANSSON=1" }));
	expect_ok(request(s, "DEL", s->conf));
}
