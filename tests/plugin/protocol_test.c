/* The protocol, as every plugin speaks it by the shared main; seen through loopback. */
#include "test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char conf[] = "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'loopback'}";

#define ADD .plugin = "loopback", .verb = "ADD", .pod = "pod1", .ifname = "lo"

/* ---- Without a verb ---- */

TEST(no_command_tells_what_this_is)                     /* REF-1 */
{
	struct answer a;

	world_begin("");
	a = call(.plugin = "loopback", .conf = "");
	expect_number(a.status, 0);
	expect_text(a.out, "");
	expect_contains(a.err, "CNI plugin loopback ");
	expect_contains(a.err, "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0");
}

TEST(version_flag_prints_the_version)                   /* REF-2 */
{
	const char *const flags[] = { "--version", NULL };
	struct answer a;

	world_begin("");
	a = call(.plugin = "loopback", .conf = "", .argv = flags);
	expect_number(a.status, 0);
	expect_contains(a.out, "CNI plugin loopback ");
	expect_text(a.err, "");
}

/* ---- VERSION ---- */

TEST_EACH(version_lists_all_versions, all_versions, version) /* VRS-1 */
{
	struct world w = world_begin("");
	struct answer a = expect_ok(call(.plugin = "loopback", .verb = "VERSION", .conf = json("{'cniVersion': '%s'}", version)));

	expect_json(a, "cniVersion", version);
	expect_json(a, "supportedVersions", "[\"0.1.0\", \"0.2.0\", \"0.3.0\", \"0.3.1\", \"0.4.0\", \"1.0.0\", \"1.1.0\"]");
	expect_untouched(&w);
}

/* podman sends nothing, or a configuration; neither matters. */
TEST(version_answers_whatever_stdin_is)                 /* VRS-2 */
{
	const char *const inputs[] = { "", "{}", "garbage", "[]", "{\"cniVersion\": 5}" };

	world_begin("");
	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		note("stdin: %s", inputs[i]);
		expect_json(expect_ok(call(.plugin = "loopback", .verb = "VERSION", .raw = inputs[i], .raw_len = strlen(inputs[i]))), "cniVersion", "1.1.0");
	}
}

/* ---- The environment ---- */

TEST(unknown_commands_are_refused)                      /* ENV-1 */
{
	const char *const verbs[] = { "add", "ADDD", "UPDATE", " ADD" };

	world_begin("pod1");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		expect_error(call(.plugin = "loopback", .verb = verbs[i], .pod = "pod1", .conf = conf), 4, keep("unknown CNI_COMMAND: %s", verbs[i]));
}

TEST(missing_variables_are_named)                       /* ENV-2 */
{
	struct world w = world_begin("pod1");

	expect_error(call(ADD, .conf = conf, .container = ""), 4, "required env variables [CNI_CONTAINERID] missing");
	expect_error(call(ADD, .conf = conf, .netns = ""), 4, "required env variables [CNI_NETNS] missing");
	expect_error(call(.plugin = "loopback", .verb = "ADD", .pod = "pod1", .ifname = "", .conf = conf), 4, "required env variables [CNI_IFNAME] missing");
	expect_error(call(ADD, .conf = conf, .path = ""), 4, "required env variables [CNI_PATH] missing");
	expect_error(call(.plugin = "loopback", .verb = "ADD", .conf = conf, .path = ""), 4,
	             "required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing");
	expect_error(call(.plugin = "loopback", .verb = "CHECK", .pod = "pod1", .ifname = "lo", .conf = conf, .netns = ""), 4, "[CNI_NETNS]");
	expect_error(call(.plugin = "loopback", .verb = "DEL", .pod = "pod1", .ifname = "lo", .conf = conf, .container = ""), 4, "[CNI_CONTAINERID]");
	expect_untouched(&w);
}

TEST(bad_names_are_refused)                             /* ENV-3, ENV-4 */
{
	static const struct { const char *container, *ifname, *words; } rows[] = {
		{ "../etc", "lo", "invalid characters in containerID" }, { "-x", "lo", "invalid characters in containerID" },
		{ "a b", "lo", "invalid characters in containerID" }, { "a\nb", "lo", "invalid characters in containerID" },
		{ "c", "1234567890123456", "interface name is too long" }, { "c", ".", "interface name is . or .." }, { "c", "..", "interface name is . or .." },
		{ "c", "a/b", "interface name contains / or : or whitespace characters" }, { "c", "a b", "interface name contains" }, { "c", "a:b", "interface name contains" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("container %s, interface %s", rows[i].container, rows[i].ifname);
		expect_error(call(.plugin = "loopback", .verb = "ADD", .pod = "pod1", .container = rows[i].container, .ifname = rows[i].ifname, .conf = conf),
		             4, rows[i].words);
		expect_error(call(.plugin = "loopback", .verb = "DEL", .pod = "pod1", .container = rows[i].container, .ifname = rows[i].ifname, .conf = conf),
		             4, rows[i].words);
	}
	expect_untouched(&w);
}

TEST(a_long_container_id_is_fine_up_to_a_limit)
{
	char id[400];

	world_begin("pod1");
	memset(id, 'c', sizeof id);
	id[200] = '\0';
	expect_ok(call(ADD, .conf = conf, .container = id));
	id[200] = 'c';
	id[201] = '\0';
	expect_error(call(ADD, .conf = conf, .container = id), 4, "invalid characters in containerID");
}

/* ---- The namespace ---- */

TEST(our_own_namespace_is_refused)                      /* ENV-9 */
{
	struct world w = world_begin("");

	expect_error(call(ADD, .netns = "/proc/self/ns/net", .conf = conf), 8, "should not be the same");
	expect_error(call(ADD, .netns = "/proc/1/ns/net", .conf = conf), 8, "should not be the same");
	expect_error(call(.plugin = "loopback", .verb = "DEL", .pod = "pod1", .netns = "/proc/self/ns/net", .conf = conf), 8, "should not be the same");
	expect_untouched(&w);
}

TEST(the_override_allows_our_own_namespace)             /* ENV-10 */
{
	world_begin("");
	expect_ok(call(ADD, .netns = "/proc/self/ns/net", .conf = conf, .more = { "CNI_NETNS_OVERRIDE=true" }));
	expect_ok(call(ADD, .netns = "/proc/self/ns/net", .conf = conf, .more = { "CNI_NETNS_OVERRIDE=1" }));
	expect_ok(call(ADD, .netns = "/proc/self/ns/net", .conf = conf, .more = { "CNI_NETNS_OVERRIDE=TRUE" }));
	expect_error(call(ADD, .netns = "/proc/self/ns/net", .conf = conf, .more = { "CNI_NETNS_OVERRIDE=0" }), 8, "should not be the same");
}

TEST(what_is_no_network_namespace_is_refused)           /* ENV-5 */
{
	static const struct { const char *path; int code; const char *words; } rows[] = {
		{ "/run/netns/gone", 3, "failed to open netns \"/run/netns/gone\"" },
		{ "/proc/self/ns/mnt", 4, "is no network namespace" }, { "/etc/passwd", 4, "is no network namespace" }, { "/tmp", 4, "is no network namespace" },
		{ "/proc/self/status", 4, "is no network namespace" }, { "/dev/null", 4, "is no network namespace" }, { "relative", 3, "failed to open netns" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("CNI_NETNS=%s", rows[i].path);
		expect_error(call(ADD, .netns = rows[i].path, .conf = conf), rows[i].code, rows[i].words);
		expect_ok(call(.plugin = "loopback", .verb = "DEL", .pod = "pod1", .netns = rows[i].path, .conf = conf));
	}
	expect_untouched(&w);
}

/* A pipe with nobody at its other end must not hold us up. */
TEST(a_fifo_as_namespace_is_refused_at_once)
{
	world_begin("pod1");
	if (mkfifo("/run/fifo", 0600) < 0)
		fail("mkfifo");
	expect_error(call(ADD, .netns = "/run/fifo", .conf = conf), 4, "is no network namespace");
}

/* ---- The configuration ---- */

TEST(what_is_no_object_is_refused)                      /* ERR-4 */
{
	static const struct { const char *text, *words; } rows[] = {
		{ "", "not valid JSON" }, { "garbage", "not valid JSON" }, { "{", "not valid JSON" }, { "[]", "want one JSON object" }, { "\"x\"", "JSON" },
		{ "{}{}", "not valid JSON" }, { "{\"name\": \"a\", \"name\": \"b\"}", "duplicate" }, { "{\"name\": \"\xff\"}", "not valid JSON" },
		{ "{\"a\": {\"b\": 1, \"b\": 2}}", "duplicate" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("stdin: %s", rows[i].text);
		expect_error(call(ADD, .raw = rows[i].text, .raw_len = strlen(rows[i].text)), 6, rows[i].words);
		expect_error(call(.plugin = "loopback", .verb = "DEL", .pod = "pod1", .raw = rows[i].text, .raw_len = strlen(rows[i].text)), 6, rows[i].words);
	}
	expect_error(call(ADD, .raw = "{}\0{}", .raw_len = 5), 6, "not valid JSON");
	expect_untouched(&w);
}

TEST(too_deep_is_refused)                               /* IN-4 */
{
	char *deep = keep("%s", "");

	world_begin("pod1");
	deep = calloc(1, 1 << 20);
	memset(deep, '[', (1 << 20) - 1);
	expect_error(call(ADD, .raw = deep, .raw_len = (1 << 20) - 1), 6, "nested more than 64 deep");
}

TEST(too_large_is_refused)                              /* IN-5 */
{
	size_t len = 17 << 20;
	char *large = malloc(len);

	world_begin("pod1");
	memset(large, ' ', len);
	expect_error(call(ADD, .raw = large, .raw_len = len), 5, "longer than 16 MiB");
}

TEST(a_large_configuration_is_read)                     /* IN-5 */
{
	size_t len = 5 << 20;
	char *large = malloc(len);
	const char *text = json("%s", json("{'cniVersion': '1.1.0', 'name': 'net', 'type': 'loopback', 'unknown': '"));
	size_t at = strlen(text);

	world_begin("pod1");
	memset(large, 'x', len);
	memcpy(large, text, at);
	memcpy(large + len - 2, "\"}", 2);
	expect_ok(call(ADD, .raw = large, .raw_len = len));
}

TEST(bad_members_are_named)                             /* CONF-1, ERR-5 */
{
	static const struct { const char *text; int code; const char *words; } rows[] = {
		{ "{'cniVersion': '1.1.0', 'type': 'loopback'}", 7, "missing network name" },
		{ "{'cniVersion': '1.1.0', 'name': '', 'type': 'loopback'}", 7, "missing network name" },
		{ "{'cniVersion': '1.1.0', 'name': 'a/b', 'type': 'loopback'}", 7, "invalid characters found in network name" },
		{ "{'cniVersion': '1.1.0', 'name': '../../etc', 'type': 'loopback'}", 7, "invalid characters found in network name" },
		{ "{'cniVersion': '1.1.0', 'name': 5, 'type': 'loopback'}", 7, "name: want a string" },
		{ "{'cniVersion': 1.1, 'name': 'net', 'type': 'loopback'}", 7, "cniVersion: want a string" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'ipam': []}", 7, "ipam: want an object" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'ipam': {'type': '../sh'}}", 7, "ipam.type: \"../sh\": want the plain name of a plugin" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'dns': {'nameservers': [1]}}", 7, "dns.nameservers[0]: want a string" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'Name': 'other'}", 7, "name: given twice, the second time as \"Name\"" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'prevResult': 5}", 6, "prevResult: want an object" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'prevResult': {'ips': [{'address': 'x'}]}}", 6, "prevResult.ips[0].address: want" },
		{ "{'cniVersion': '1.1.0', 'name': 'net', 'prevResult': {'cniVersion': '9.0.0'}}", 6, "prevResult.cniVersion: unsupported CNI result version \"9.0.0\"" },
	};
	struct world w = world_begin("pod1");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		note("stdin: %s", rows[i].text);
		expect_error(call(ADD, .conf = rows[i].text), rows[i].code, rows[i].words);
	}
	expect_untouched(&w);
}

/* What the reference says in a few words, ours says with what is wanted besides. */
TEST(refusals_tell_what_is_wanted)
{
	static const struct { const char *plugin, *verb, *args, *conf, *wanted; } rows[] = {
		{ "loopback", "ADD", NULL, "{'cniVersion': '1.1.0', 'type': 'loopback'}", "name: missing; want" },
		{ "loopback", "add", NULL, conf, "want ADD, DEL, CHECK, STATUS, GC or VERSION" },
		{ "portmap", "ADD", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'portmap'}", "list \"portmap\" behind the plugin" },
		{ "static", "ADD", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x'}", "ipam: missing; want an object with \"type\": \"static\"" },
		{ "host-local", "ADD", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x'}", "\"type\": \"host-local\"" },
		{ "static", "CHECK", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x', 'ipam': {}}", "want that answer, as runtimes keep it" },
		{ "static", "ADD", "IP", "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x', 'ipam': {}}", "CNI_ARGS=IP: want KEY=VALUE" },
		{ "static", "ADD", "A=1;B=2", "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x', 'ipam': {}}", "static takes IP, GATEWAY; IgnoreUnknown=1" },
		{ "static", "ADD", "IgnoreUnknown=x", "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'x', 'ipam': {}}", "IgnoreUnknown=x: want 1 or true, 0 or false" },
		{ "bridge", "ADD", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bridge', 'ipam': {'type': 'static'}}", "\"static\" gave no address; want" },
		{ "ptp", "ADD", NULL, "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'ptp', 'ipam': {'type': 'static', 'addresses': [{'address': '10.1.1.2/24', 'gateway': '10.1.1.1'}],"
		  "'routes': [{'dst': '::/0', 'gw': '10.1.1.1'}]}}", "ipam.routes" },
	};

	world_begin("pod1");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct answer a;

		note("%s %s of %s", rows[i].plugin, rows[i].verb, rows[i].conf);
		a = call(.plugin = rows[i].plugin, .verb = rows[i].verb, .pod = "pod1", .args = rows[i].args, .conf = rows[i].conf);
		expect(a.status != 0);
		expect_contains(json_at(a, "details"), rows[i].wanted);
	}
}

/* As Go reads JSON; containerd depends on it. null and "" are absent. */
TEST(keys_match_whatever_their_case)                    /* IN-1 */
{
	world_begin("pod1");
	expect_json(expect_ok(call(ADD, .conf = "{'CNIVERSION': '0.4.0', 'Name': 'net', 'TYPE': 'loopback', 'ipam': null, 'dns': null, 'prevresult': null}")),
	            "cniVersion", "0.4.0");
}

/* ---- Versions ---- */

TEST(unknown_versions_are_refused_with_the_list)        /* VER-2 */
{
	const char *const versions[] = { "1.2.0", "2.0.0", "0.5.0", "0.0.1" };
	struct answer a;

	world_begin("pod1");
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		a = expect_error(call(ADD, .conf = json("{'cniVersion': '%s', 'name': 'net', 'type': 'loopback'}", versions[i])), 1, "incompatible CNI versions");
		expect_contains(json_at(a, "details"), json("config is '%s'", versions[i]));
		expect_contains(json_at(a, "details"), "\"0.1.0\" \"0.2.0\" \"0.3.0\" \"0.3.1\" \"0.4.0\" \"1.0.0\" \"1.1.0\"");
	}
	expect_error(call(ADD, .conf = "{'cniVersion': 'newest', 'name': 'net'}"), 6, "cniVersion: \"newest\"");
}

/* It is 0.1.0 then, which some plugins do not have. */
TEST(no_version_is_the_oldest)                          /* VER-2 */
{
	struct answer a;

	world_begin("pod1");
	a = expect_error(call(.plugin = "firewall", .verb = "ADD", .pod = "pod1", .conf = "{'name': 'net', 'type': 'firewall'}"), 1, "incompatible CNI versions");
	expect_text(json_at(a, "details"), json("config is '0.1.0' (no cniVersion is given), plugin supports ['0.4.0' '1.0.0' '1.1.0']"));
	a = expect_error(call(.plugin = "firewall", .verb = "STATUS", .conf = "{'name': 'net', 'type': 'firewall'}"), 1, "does not allow STATUS");
	expect_text(json_at(a, "details"), json("cniVersion is '0.1.0' (no cniVersion is given); STATUS needs 1.1.0 or newer"));
}

TEST(no_version_is_0_1_0)                               /* VER-3 */
{
	struct answer a;

	world_begin("pod1");
	a = expect_ok(call(ADD, .conf = "{'name': 'net', 'type': 'loopback'}"));
	expect_json(a, "cniVersion", "0.1.0");
	expect_json(a, "ip4.ip", "127.0.0.1/8");
	expect_json(a, "interfaces", "absent");
}

/* CHECK came with 0.4.0, STATUS and GC with 1.1.0. */
TEST_EACH(verbs_are_refused_below_their_versions, all_versions, version) /* VER-5 */
{
	struct world w = world_begin("pod1");
	const char *c = json("{'cniVersion': '%s', 'name': 'net', 'type': 'loopback', 'cni.dev/valid-attachments': []}", version);
	struct answer check, status, gc;

	expect_ok(plugin(&w, "loopback", "ADD", "pod1", "lo", c));
	check = plugin(&w, "loopback", "CHECK", "pod1", "lo", c);
	status = call(.plugin = "loopback", .verb = "STATUS", .conf = c);
	gc = call(.plugin = "loopback", .verb = "GC", .conf = c);
	if (version_since(version, "0.4.0"))
		expect_ok(check);
	else
		expect_text(json_at(expect_error(check, 1, ""), "msg"), "config version does not allow CHECK");
	if (version_since(version, "1.1.0")) {
		expect_ok(status);
		expect_ok(gc);
		expect_text(status.out, "");
		expect_text(gc.out, "");
	} else {
		expect_text(json_at(expect_error(status, 1, ""), "msg"), "config version does not allow STATUS");
		expect_text(json_at(expect_error(gc, 1, ""), "msg"), "config version does not allow GC");
	}
}

/* The answer to DEL and CHECK is silence; an error has the configuration's version. */
TEST_EACH(answers_have_the_version_asked_in, all_versions, version) /* VER-1 */
{
	struct world w = world_begin("pod1");
	const char *c = json("{'cniVersion': '%s', 'name': 'net', 'type': 'loopback'}", version);

	expect_json(expect_ok(plugin(&w, "loopback", "ADD", "pod1", "lo", c)), "cniVersion", version);
	expect_text(expect_ok(plugin(&w, "loopback", "DEL", "pod1", "lo", c)).out, "");
	expect_json(expect_error(call(ADD, .netns = "/run/netns/gone", .conf = c), 3, ""), "cniVersion", version);
}

/* What comes before the configuration is read has the newest version that we speak. */
TEST(errors_before_the_configuration_have_our_version)  /* ERR-2 */
{
	world_begin("pod1");
	expect_json(expect_error(call(ADD, .conf = conf, .container = ""), 4, ""), "cniVersion", "1.1.0");
	expect_json(expect_error(call(ADD, .raw = "x", .raw_len = 1), 6, ""), "cniVersion", "1.1.0");
}

/* ---- GC ---- */

TEST(gc_wants_its_list)                                 /* GC-5 */
{
	static const struct { const char *member, *value, *words; } rows[] = {
		{ "x", "1", "cni.dev/valid-attachments: missing" },
		{ "cni.dev/valid-attachments", "{}", "cni.dev/valid-attachments: want a list" },
		{ "cni.dev/valid-attachments", "[{}]", "cni.dev/valid-attachments[0]: want \"containerID\" and \"ifname\"" },
		{ "cni.dev/valid-attachments", "[{'containerID': 'c'}]", "cni.dev/valid-attachments[0]: want" },
		{ "cni.dev/valid-attachments", "[{'containerID': 'c', 'ifname': 'eth0'}, 5]", "cni.dev/valid-attachments[1]: want an object" },
	};

	world_begin("");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_error(call(.plugin = "loopback", .verb = "GC", .conf = conf_set(conf, rows[i].member, rows[i].value)), 7, rows[i].words);
	expect_ok(call(.plugin = "loopback", .verb = "GC", .conf = conf_set(conf, "cni.dev/valid-attachments", "null")));
	expect_ok(call(.plugin = "loopback", .verb = "GC", .conf = conf_set(conf, "cni.dev/attachments", "[{'containerID': 'c', 'ifname': 'eth0'}]")));
}

/* ---- Tracing ---- */

TEST(a_call_can_be_traced)                              /* TRC-1 */
{
	const char *line;

	world_begin("pod1");
	expect_ok(call(ADD, .conf = conf, .more = { "PLUMB_TRACE=/run/trace", "TRACEPARENT=00-0123456789abcdef0123456789abcdef-0123456789abcdef-01" }));
	expect_error(call(ADD, .conf = conf, .netns = "/run/netns/gone", .more = { "PLUMB_TRACE=/run/trace" }), 3, "");
	line = file_read("/run/trace");
	expect_contains(line, "\"plugin\":\"loopback\"");
	expect_contains(line, "\"traceparent\":\"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\"");
	expect_contains(strchr(line, '\n'), "\"code\":3");
	expect_ok(call(ADD, .conf = conf_set(conf, "trace", "'/run/trace2'")));
	expect_contains(file_read("/run/trace2"), "\"verb\":\"ADD\"");
	expect_ok(call(ADD, .conf = conf, .more = { "PLUMB_TRACE=/there/is/no/such/directory" }));
}

/* ---- Files ---- */

/* Whoever starts us may have any of them closed. */
TEST(closed_standard_files_do_no_harm)                  /* ERR-8 */
{
	struct world w = world_begin("pod1");
	const char *program = keep("%s/loopback", bin_dir());
	const char *env = keep("CNI_COMMAND=ADD CNI_CONTAINERID=c CNI_NETNS=/run/netns/pod1 CNI_IFNAME=lo CNI_PATH=%s", bin_dir());
	const char *input = json("{'cniVersion': '1.0.0', 'name': 'net', 'type': 'loopback'}");

	expect_contains(sh("host", "echo '%s' | %s %s 2>&-", input, env, program), "127.0.0.1/8");
	expect(!sh_try("host", "%s %s <&-", env, program));
	expect(!sh_try("host", "echo '%s' | %s %s >&-", input, env, program));
	expect(!sh_try("host", "echo '%s' | %s %s >/dev/full", input, env, program));
	(void)w;
}
