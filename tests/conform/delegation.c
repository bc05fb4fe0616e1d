/* Delegation: specification, section 4. */
#include <string.h>
#include <sys/stat.h>

#include "conform.h"

/* ADD with the addresses of the fake. */
static struct answer delegated(const struct subject *s)
{
	return request(s, "ADD", with_ipam(s, "fake"), .path = fakes_path());
}

REQUIREMENT(DLG, 1, DELEGATES)          /* found in CNI_PATH, its first place first; nowhere else */
{
	struct answer a;

	fake("fake", NULL);
	sh("host", "mkdir -p /run/second /run/third/fake && cp " FAKES "/fake /run/second/ && printf '#!/bin/sh\\nexit 9\\n' >/run/second/fake && chmod +x /run/second/fake");
	expect_ok(request(s, "ADD", with_ipam(s, "fake"), .path = "/run/third:/run/absent::" FAKES ":/run/second"));
	expect_text(fake_calls("fake"), "ADD");
	a = expect_error(request(s, "DEL", with_ipam(s, "fake"), .path = "/run/absent:/run/third", .more = { "PATH=" FAKES }), 999, "\"fake\"");
	expect_contains(json_at(a, "msg"), "/run/absent:/run/third");
	expect_text(fake_calls("fake"), "ADD");
}

REQUIREMENT(DLG, 2, DELEGATES)          /* the same environment */
{
	static const char *const verbs[] = { "ADD", "CHECK", "DEL" };
	const char *conf = with_ipam(s, "fake"), *prev = conf;

	fake("fake", NULL);
	for (size_t i = 0; i < 3; i++) {
		const char *env;
		struct answer a = expect_ok(request(s, verbs[i], prev, .path = fakes_path(), .args = "IgnoreUnknown=1;A=b",
		                                    .more = { "SOMETHING=else with spaces", "EMPTY=", "CNI_FUTURE=1", "TRACESTATE=vendor=1" }));

		env = fake_env("fake", verbs[i]);
		expect_contains(env, keep("CNI_COMMAND=%s\n", verbs[i]));
		expect_contains(env, "CNI_CONTAINERID=pod1\n");
		expect_contains(env, "CNI_NETNS=/run/netns/pod1\n");
		expect_contains(env, "CNI_IFNAME=eth0\n");
		expect_contains(env, keep("CNI_PATH=%s\n", fakes_path()));
		expect_contains(env, "CNI_ARGS=IgnoreUnknown=1;A=b\n");
		expect_contains(env, "SOMETHING=else with spaces\n");
		expect_contains(env, "EMPTY=\n");
		expect_contains(env, "CNI_FUTURE=1\n");
		expect_contains(env, "TRACESTATE=vendor=1\n");
		if (i == 0)
			prev = with_prev(conf, a);
	}
}

REQUIREMENT(DLG, 3, DELEGATES)          /* the complete configuration, to the letter */
{
	const char *conf = json(" {\n\t'name' : 'net',  'CNIVersion': '1.1.0', 'ipam': { 'type':'fake', 'big': 123456789012345678, 'e': 1.50, 'u': '\\u00e4' },\n"
	                        "'unknown': {'z': 1, 'a': [ ]}, 'type': '%s', 'bridge': 'br0' }\n\n", s->name);

	fake("fake", NULL);
	expect_ok(request(s, "ADD", "", .raw = conf, .raw_len = strlen(conf), .path = fakes_path()));
	expect_text(fake_input("fake", "ADD"), conf);
	expect_ok(request(s, "DEL", "", .raw = conf, .raw_len = strlen(conf), .path = fakes_path()));
	expect_text(fake_input("fake", "DEL"), conf);
}

REQUIREMENT(DLG, 4, DELEGATES)          /* its stderr is ours, in success and in failure; its stdout is not */
{
	struct answer a;

	fake("fake", "echo words for people >&2; [ $CNI_COMMAND != ADD ] || echo '{\"ips\": [{\"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], \"cniVersion\": \"1.1.0\"}'");
	a = expect_ok(delegated(s));
	expect_contains(a.err, "words for people\n");
	expect(json_is_object(a.json));
	a = expect_ok(request(s, "DEL", with_ipam(s, "fake"), .path = fakes_path()));
	expect_contains(a.err, "words for people\n");
	fake("fake", "echo last words >&2; exit 3");
	expect_contains(delegated(s).err, "last words\n");
}

REQUIREMENT(DLG, 5, DELEGATES)          /* every verb is forwarded */
{
	const char *conf = with_ipam(s, "fake");
	struct answer add;

	fake("fake", NULL);
	add = expect_ok(delegated(s));
	expect_ok(request(s, "CHECK", with_prev(conf, add), .path = fakes_path()));
	expect_ok(request(s, "DEL", with_prev(conf, add), .path = fakes_path()));
	expect_ok(request(s, "STATUS", conf, .path = fakes_path()));
	expect_ok(request(s, "GC", with_valid(conf, "[]"), .path = fakes_path()));
	expect_text(fake_calls("fake"), "ADD CHECK DEL STATUS GC");
}

REQUIREMENT(DLG, 6, DELEGATES)          /* its error is passed on whole, whatever the verb */
{
	static const char *const verbs[] = { "ADD", "DEL", "STATUS", "GC" };

	fake("fake", "printf '%s' '{\"cniVersion\": \"1.1.0\", \"code\": 11, \"msg\": \"no lease yet\", \"details\": \"the server\\nis \\u00fcberlastet\"}'; exit 2");
	for (size_t i = 0; i < 4; i++) {
		struct answer a = request(s, verbs[i], with_valid(with_ipam(s, "fake"), "[]"), .path = fakes_path());

		note("%s", verbs[i]);
		expect_error(a, 11, "no lease yet");
		expect_json(a, "msg", "no lease yet");
		expect_json(a, "details", "the server\nis \xc3\xbc" "berlastet");
	}
}

REQUIREMENT(DLG, 7, DELEGATES)          /* its ADD fails: DEL is asked of it before ours fails */
{
	fake("fake", "[ $CNI_COMMAND != ADD ] || { echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"half way\"}'; exit 1; }");
	expect_error(delegated(s), 131, "half way");
	expect_text(fake_calls("fake"), "ADD DEL");
	expect_no_link("pod1", "eth0");
	fake("fake", "echo '{\"cniVersion\": \"1.1.0\", \"code\": 131, \"msg\": \"failed to '$CNI_COMMAND'\"}'; exit 1");
	expect_error(delegated(s), 131, "failed to ADD");
}

REQUIREMENT(DLG, 8, DELEGATES)          /* ours fails after its ADD: DEL is asked of it, with the same configuration */
{
	const char *conf = with_ipam(s, "fake");

	fake("fake", "[ $CNI_COMMAND != ADD ] || echo '{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], "
	     "\"routes\": [{\"dst\": \"10.99.0.0/16\", \"gw\": \"192.0.2.99\"}]}'");
	expect(request(s, "ADD", conf, .path = fakes_path()).status == 1);
	expect_text(fake_calls("fake"), "ADD DEL");
	expect_text(fake_input("fake", "DEL"), fake_input("fake", "ADD"));
	expect_no_link("pod1", "eth0");
	expect_text(elements_of("masq4"), "");

	fake("fake", "[ $CNI_COMMAND != ADD ] || echo '{\"cniVersion\": \"1.1.0\", \"ips\": []}'");
	expect_error(delegated(s), 999, "IPAM plugin returned missing IP config");
	expect_text(fake_calls("fake"), "ADD DEL");
}

REQUIREMENT(DLG, 9, DELEGATES)          /* it prints what is no result: told so, and DEL is asked of it */
{
	static const char *const bad[] = { "no JSON", "", "[]", "{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.1.0.9\"}]}", "{\"cniVersion\": \"7.0.0\"}", "{} {}" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("the delegate prints %s", bad[i]);
		fake("fake", keep("[ $CNI_COMMAND != ADD ] || printf '%%s' '%s'", bad[i]));
		expect_error(delegated(s), 6, "fake");
		expect_text(fake_calls("fake"), "ADD DEL");
	}
	expect_no_link("pod1", "eth0");
	expect_text(elements_of("masq4"), "");
}

REQUIREMENT(DLG, 10, DELEGATES)         /* it prints without end, or more than a result can be */
{
	fake("fake", "[ $CNI_COMMAND != ADD ] || exec yes '{\"more\": [' 2>/dev/null");
	expect_error(delegated(s), 999, "wrote more than");
	expect_text(fake_calls("fake"), "ADD DEL");
}

REQUIREMENT(DLG, 11, DELEGATES)         /* it fails without an error: what can be told is */
{
	struct answer a;

	fake("fake", "exit 3");
	a = expect_error(delegated(s), 999, "\"fake\" failed with no error message");
	expect_contains(json_at(a, "details"), "exit status 3");
	fake("fake", "echo panic: oh; exit 2");
	expect_error(delegated(s), 999, "panic: oh");
	fake("fake", "kill -SEGV $$");
	expect_error(delegated(s), 999, "ended by signal 11");
	file_write(FAKES "/fake", "#!/run/no/such/shell\n");
	expect_error(delegated(s), 999, "fake");
	chmod(FAKES "/fake", 0644);
	expect_error(delegated(s), 999, "fake");
}

REQUIREMENT(DLG, 12, DELEGATES)         /* results of the versions that it may answer in */
{
	static const struct { const char *version, *result; } forms[] = {
		{ "0.2.0", "{\"cniVersion\": \"0.2.0\", \"ip4\": {\"ip\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}}" },
		{ "0.4.0", "{\"cniVersion\": \"0.4.0\", \"ips\": [{\"version\": \"4\", \"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], \"routes\": [{\"dst\": \"0.0.0.0/0\"}], \"dns\": {}}" },
		{ "0.4.0", "{\"ips\": [{\"version\": \"4\", \"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}" },
		{ "1.1.0", "{\"cniVersion\": \"0.3.1\", \"ips\": [{\"version\": \"4\", \"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}" },
	};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const char *conf = conf_set(with_ipam(s, "fake"), "cniVersion", keep("'%s'", forms[i].version));
		struct answer a;

		note("version %s, answered %s", forms[i].version, forms[i].result);
		fake("fake", keep("[ $CNI_COMMAND != ADD ] || echo '%s'", forms[i].result));
		a = expect_ok(request(s, "ADD", conf, .path = fakes_path()));
		expect_json(a, "cniVersion", forms[i].version);
		expect_addr("pod1", "eth0", "10.1.0.9/24");
		expect_route("pod1", "default via 10.1.0.1 dev eth0");
		expect_ok(request(s, "DEL", conf, .path = fakes_path()));
	}
}

REQUIREMENT(DLG, 13, DELEGATES)         /* whether it reads its stdin is its own affair */
{
	const char *conf = conf_set(with_ipam(s, "fake"), "padding", keep("'%0200000d'", 0));

	file_write(FAKES "/fake", "#!/bin/sh\nexec <&-\n[ $CNI_COMMAND != ADD ] || echo '{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}]}'\n");
	chmod(FAKES "/fake", 0755);
	expect_ok(request(s, "ADD", conf, .path = fakes_path()));
	expect_ok(request(s, "DEL", conf, .path = fakes_path()));
}

REQUIREMENT(DLG, 14, DELEGATES)         /* TRACEPARENT reaches it */
{
	fake("fake", NULL);
	expect_ok(request(s, "ADD", with_ipam(s, "fake"), .path = fakes_path(),
	                  .more = { "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "BAGGAGE=a=b" }));
	expect_contains(fake_env("fake", "ADD"), "TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n");
	expect_contains(fake_env("fake", "ADD"), "BAGGAGE=a=b\n");
}

REQUIREMENT(DLG, 15, DELEGATES)         /* executed or in process, the same address plugin does the same */
{
	const char *inside, *outside;
	struct answer add;

	add = added(s);
	inside = kept_of("net", "pod1", "eth0");
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	sh("host", "rm -rf /var/lib/cni");
	fake("host-local", keep("exec %s/host-local <$log.$CNI_COMMAND.in", bin_dir()));
	add = expect_ok(request(s, "ADD", s->conf, .path = fakes_path()));
	outside = kept_of("net", "pod1", "eth0");
	expect_text(outside, inside);
	expect_ok(request(s, "CHECK", with_prev(s->conf, add), .path = fakes_path()));
	expect_ok(request(s, "DEL", with_prev(s->conf, add), .path = fakes_path()));
	expect_text(fake_calls("host-local"), "ADD CHECK DEL");
	expect_text(kept_of("net", "pod1", "eth0"), "");
}
