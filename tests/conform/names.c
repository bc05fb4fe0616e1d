/* The configuration and its versions: specification, section 1. */
#include <string.h>

#include "conform.h"

REQUIREMENT(CONF, 1, EVERYONE)          /* the network's name */
{
	static const char *const bad[] = { "''", "'a/b'", "'../net'", "'..'", "'-net'", "'.net'", "'_net'", "'a b'", "'a\\nb'", "'n\\u00e4t'" };
	static const char *const good[] = { "'a'", "'0'", "'A1._-'", "'net.example_org-1'" };
	const char *endless = keep("'%0300d'", 0);

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("name %s", bad[i]);
		expect_error(request(s, "ADD", conf_set(s->conf, "name", bad[i])), 7, "name");
	}
	expect_error(request(s, "ADD", conf_set(s->conf, "name", NULL)), 7, "missing network name");
	expect_error(request(s, "ADD", conf_set(s->conf, "name", endless)), 7, "name");
	expect_untouched(w);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		expect_ok(request(s, "DEL", conf_set(s->conf, "name", good[i])));
}

REQUIREMENT(CONF, 2, DELEGATES)         /* a plugin's name is no path */
{
	static const char *const bad[] = { "../fake", "sub/fake", "/run/fake/fake", ".", "..", "a\\\\b" };

	fake("fake", NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("ipam.type %s", bad[i]);
		expect_error(request(s, "ADD", with_ipam(s, bad[i]), .path = FAKES "/sub:" FAKES), 7, "ipam.type");
	}
	expect_text(fake_calls("fake"), "");
}

REQUIREMENT(CONF, 3, EVERYONE)          /* keys that it does not know */
{
	const char *conf = s->conf;

	conf = conf_set(conf, "keyA", "['some more', {'plugin': null}]");
	conf = conf_set(conf, "cni.dev/else", "{'a': 1}");
	conf = conf_set(conf, "capabilities", "{'aliases': true}");
	conf = conf_set(conf, "addIf", "'true'");
	expect_ok(request(s, "ADD", conf));
	expect_ok(request(s, "DEL", conf));
}

REQUIREMENT(CONF, 4, MASQ)              /* ipMasq */
{
	const char *unmasked = conf_set(s->conf, "ipMasq", "false");
	struct answer add = expect_ok(request(s, "ADD", unmasked));

	expect_text(elements_of("masq4"), "");
	expect_ok(request(s, "DEL", with_prev(unmasked, add)));
	add = added(s);
	expect_contains(elements_of("masq4"), "comment \"net/pod1/eth0\"");
	expect_contains(elements_of("masq6"), "comment \"net/pod1/eth0\"");
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	expect_text(elements_of("masq4"), "");
	expect_text(elements_of("masq6"), "");
}

REQUIREMENT(CONF, 5, INTERFACE)         /* dns */
{
	const char *dns = "{'nameservers': ['10.1.0.53', 'fd00:1::53'], 'domain': 'example.org', 'search': ['a.example.org'], 'options': ['ndots:2']}";
	struct answer add = expect_ok(request(s, "ADD", conf_set(s->conf, "dns", dns)));

	expect_json(add, "dns.nameservers", "[\"10.1.0.53\", \"fd00:1::53\"]");
	expect_json(add, "dns.domain", "example.org");
	expect_json(add, "dns.search", "[\"a.example.org\"]");
	expect_json(add, "dns.options", "[\"ndots:2\"]");
}

REQUIREMENT(CONF, 6, DELEGATES)         /* the address plugin's own dns, routes and keys are its affair */
{
	const char *conf = with_ipam(s, "fake");

	fake("fake", "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], "
	     "\"dns\": {\"nameservers\": [\"10.1.0.54\"]}}'; exit 0");
	expect_json(expect_ok(request(s, "ADD", conf, .path = fakes_path())), "dns.nameservers", "[\"10.1.0.54\"]");
}

/* ---- Versions ---- */

/* Without addresses there is no result in the form of 0.1.0 and 0.2.0. */
static bool has_form(const struct subject *s, const char *version)
{
	return speaks(s, version) && (version_since(version, "0.3.0") || !is(s, ONLY_NONE));
}

REQUIREMENT(VER, 1, EVERYONE)           /* all of them */
{
	for (const char *const *v = all_versions; *v; v++) {
		struct answer add;

		note("version %s", *v);
		if (!has_form(s, *v))
			continue;
		add = expect_ok(request(s, "ADD", in_version(s, *v)));
		expect_json(add, "cniVersion", *v);
		if (version_since(*v, "0.4.0"))
			expect_ok(request(s, "CHECK", with_prev(in_version(s, *v), add)));
		expect_ok(request(s, "DEL", with_prev(in_version(s, *v), add)));
	}
	expect_gone(w);
}

REQUIREMENT(VER, 2, EVERYONE)           /* one that is not known: error 1 and what is */
{
	static const struct { const char *verb, *version; } calls[] = {
		{ "ADD", "1.2.0" }, { "ADD", "1.1.1" }, { "ADD", "10.0.0" }, { "ADD", "0.5.0" }, { "DEL", "2.0.0" }, { "CHECK", "2.0.0" }, { "STATUS", "1.2.0" }, { "GC", "1.2.0" },
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct answer a = request(s, calls[i].verb, with_valid(in_version(s, calls[i].version), "[]"));

		note("%s of version %s", calls[i].verb, calls[i].version);
		expect_error(a, 1, calls[i].version);
		for (const char *const *v = all_versions; *v; v++)
			expect(!strstr(json_at(a, "details"), keep("\"%s\"", *v)) == !speaks(s, *v));
	}
	expect_untouched(w);
}

REQUIREMENT(VER, 3, EVERYONE)           /* none given: 0.1.0 */
{
	if (is(s, ONLY_NONE))
		not_applicable("its result has no addresses, and so no form in 0.1.0");
	if (!speaks(s, "0.1.0")) {
		expect_error(request(s, "ADD", conf_set(s->conf, "cniVersion", NULL)), 1, keep("\"%s\"", s->oldest));
		return;
	}
	expect_json(expect_ok(request(s, "ADD", conf_set(s->conf, "cniVersion", NULL))), "cniVersion", "0.1.0");
	expect_ok(request(s, "DEL", conf_set(s->conf, "cniVersion", NULL)));
	expect_json(expect_ok(request(s, "ADD", conf_set(s->conf, "cniVersion", "''"))), "cniVersion", "0.1.0");
}

REQUIREMENT(VER, 4, EVERYONE)           /* what is no version */
{
	static const char *const bad[] = { "'abc'", "'1..0'", "'1.1.0.0'", "'1.1.x'", "' 1.1.0'", "'v1.1.0'", "'1.1.0-rc1'" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("version %s", bad[i]);
		expect_error(request(s, "ADD", conf_set(s->conf, "cniVersion", bad[i])), 6, "cniVersion");
	}
	expect_error(request(s, "ADD", conf_set(s->conf, "cniVersion", "1.1")), 7, "cniVersion");
	expect_untouched(w);
}

REQUIREMENT(VER, 5, EVERYONE)           /* verbs that a version does not have */
{
	for (const char *const *v = all_versions; *v; v++) {
		note("version %s", *v);
		if (!speaks(s, *v))
			continue;
		if (!version_since(*v, "0.4.0"))
			expect_error(request(s, "CHECK", in_version(s, *v)), 1, "config version does not allow CHECK");
		if (!version_since(*v, "1.1.0")) {
			expect_error(request(s, "STATUS", in_version(s, *v)), 1, "config version does not allow STATUS");
			expect_error(request(s, "GC", with_valid(in_version(s, *v), "[]")), 1, "config version does not allow GC");
		}
	}
}

/* ---- VERSION: specification, sections 2 and 5 ---- */

#define ALL_OF_THEM keep("[%s]", versions_of(s, "\""))

REQUIREMENT(VRS, 1, EVERYONE)           /* cniVersion as given, and the list */
{
	struct answer a = expect_ok(call(.plugin = s->name, .verb = "VERSION", .conf = "{'cniVersion': '0.4.0'}"));

	expect_json(a, "cniVersion", "0.4.0");
	expect_json(a, "supportedVersions", ALL_OF_THEM);
}

REQUIREMENT(VRS, 2, EVERYONE)           /* CNI_COMMAND is all that it takes */
{
	static const char *const inputs[] = { "", "{}", "{'cniVersion': ''}", "{broken", "[]" };

	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		struct answer a = call(.plugin = s->name, .verb = "VERSION", .path = "", .raw = inputs[i], .raw_len = strlen(inputs[i]));

		note("stdin %s", inputs[i]);
		expect_json(expect_ok(a), "supportedVersions", ALL_OF_THEM);
		expect_json(a, "cniVersion", "1.1.0");
	}
	expect_untouched(w);
}

REQUIREMENT(VRS, 3, EVERYONE)           /* a version to come is answered like any other, for the runtime to find out */
{
	struct answer a = expect_ok(call(.plugin = s->name, .verb = "VERSION", .conf = "{'cniVersion': '9.0.0'}"));

	expect_json(a, "cniVersion", "9.0.0");
	expect_json(a, "supportedVersions", ALL_OF_THEM);
}
