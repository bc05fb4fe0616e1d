/* Failure: specification, section 2 "Errors" and section 5 "Error"; and what input is refused. */
#include <stdlib.h>
#include <string.h>

#include "conform.h"

static const char *wrong(const struct subject *s)
{
	return conf_set(s->conf, s->wrong, s->value);
}

REQUIREMENT(ERR, 1, EVERYONE)           /* exit codes */
{
	struct answer a = request(s, "ADD", s->conf);

	expect_number(a.status, 0);
	expect_number(request(s, "ADD", wrong(s)).status, 1);
	expect_number(request(s, "NOTHING", s->conf).status, 1);
	expect_number(request(s, "DEL", s->conf).status, 0);
}

REQUIREMENT(ERR, 2, EVERYONE)           /* the error's form, in the version in use */
{
	for (const char *const *v = all_versions; *v; v++) {
		struct answer a = request(s, "ADD", conf_set(wrong(s), "cniVersion", keep("'%s'", *v)));

		note("version %s", *v);
		expect(a.status != 0 && json_is_object(a.json));
		expect_json(a, "cniVersion", *v);
		expect(json_is_integer(json_object_get(a.json, "code")) && json_is_string(json_object_get(a.json, "msg")));
		expect(!json_object_get(a.json, "details") || json_is_string(json_object_get(a.json, "details")));
		expect(*json_at(a, "msg"));
	}
}

REQUIREMENT(ERR, 3, PORTS)              /* 2: a key that is not supported, with its value */
{
	struct answer a = expect_error(request(s, "ADD", conf_set(s->conf, "conditionsV4", "['ct state new']")), 2, "conditionsV4");

	expect_contains(json_at(a, "msg"), "\"ct\"");
	expect_gone(w);
}

REQUIREMENT(ERR, 4, EVERYONE)           /* 6: what cannot be decoded, whatever the verb */
{
	static const char *const bad[] = { "", " ", "{", "[]", "7", "null", "\"net\"", "{} {}", "{\"name\": \"net\"}x", "{\"name\": \"n\xff\"}", "{'name': 'net'}" };
	static const char *const verbs[] = { "DEL", "CHECK", "STATUS", "GC" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("stdin %s", bad[i]);
		expect_error(request(s, "ADD", "", .raw = bad[i], .raw_len = strlen(bad[i])), 6, "network configuration");
	}
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		note("%s", verbs[i]);
		expect_error(request(s, verbs[i], "", .raw = "{", .raw_len = 1), 6, "network configuration");
	}
	expect_error(request(s, "ADD", "", .raw = "{\"name\": \"net\0\"}", .raw_len = 15), 6, "network configuration");
	expect_untouched(w);
}

REQUIREMENT(ERR, 5, EVERYONE)           /* 7: a value that is wrong, with its exact place; nothing is changed */
{
	struct answer a = expect_error(request(s, "ADD", wrong(s)), 7, keep("%s: ", s->place));

	expect(!strncmp(json_at(a, "msg"), s->place, strlen(s->place)) || strstr(json_at(a, "details"), s->place));
	expect_error(request(s, "ADD", conf_set(s->conf, "prevResult", "{'ips': [{'address': '10.1.0.2/24'}, {'address': '10.1.0.300/24'}]}")), 6, "prevResult.ips[1].address");
	expect_untouched(w);
}

REQUIREMENT(ERR, 6, EVERYONE)           /* 5: stdin that cannot be read */
{
	const char *program = keep("%s/%s", bin_dir(), s->name);

	expect_error(request(s, "ADD", "", .program = "/bin/sh", .argv = (const char *[]){ "-c", keep("exec %s </", program), NULL }), 5, "stdin");
	expect_error(request(s, "ADD", "", .program = "/bin/sh", .argv = (const char *[]){ "-c", keep("exec %s <&-", program), NULL }), 5, "stdin");
	expect_untouched(w);
}

REQUIREMENT(ERR, 7, EVERYONE)           /* what is no plugin's fault and no configuration's has a code of 100 or more: here, a result that cannot be told */
{
	struct answer a;

	if (is(s, ADDRESSES | ONLY_STATIC))
		a = request(s, "ADD", conf_set(in_version(s, "0.2.0"), "ipam", "{'type': 'static', 'addresses': []}"));
	else if (is(s, RANGES))
		a = request(s, "ADD", conf_set(s->conf, "runtimeConfig", "{'ips': ['10.99.0.1']}"));
	else if (is(s, PORTS))
		a = request(s, "ADD", conf_set(in_version(s, "0.2.0"), "prevResult", "{'cniVersion': '1.0.0', 'interfaces': [{'name': 'eth0'}]}"));
	else if (is(s, DELEGATES))
		a = request(s, "ADD", with_ipam(s, "nowhere"));
	else if (is(s, ONLY_NONE))
		a = request(s, "ADD", in_version(s, "0.2.0"));
	else
		not_applicable("there is nothing that it could fail at");
	expect(a.status == 1 && json_integer_value(json_object_get(a.json, "code")) >= 100);
	expect_gone(w);
}

REQUIREMENT(ERR, 8, EVERYONE)           /* stdout has the answer and nothing else; words for people are on stderr */
{
	struct answer a = added(s);

	expect(json_is_object(a.json));
	expect_text(request(s, "DEL", with_prev(s->conf, a)).out, "");
	expect(json_is_object(request(s, "ADD", wrong(s)).json));
}

/* ---- Input: bounds and strictness ---- */

REQUIREMENT(IN, 2, EVERYONE)            /* null, and "" for text, are as good as absent */
{
	static const char *const nulls[] = { "dns", "args", "mtu", "vlan", "hairpinMode", "snat", "trace", "ipMasqBackend" };
	const char *conf = s->conf;

	for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
		conf = conf_set(conf, nulls[i], "null");
	if (!is(s, CHAINED))
		conf = conf_set(conf_set(conf, "prevResult", "null"), "runtimeConfig", "null");
	expect_ok(request(s, "ADD", conf));
	expect_ok(request(s, "DEL", conf));
	conf = conf_set(conf_set(conf_set(conf, "trace", "''"), "ipMasqBackend", "''"), "mtu", "''");
	expect_ok(request(s, "ADD", conf));
}

REQUIREMENT(IN, 3, EVERYONE)            /* a key twice is refused */
{
	const char *conf = conf_set(s->conf, "name", NULL);
	const char *twice = keep("{\"name\": \"net\", \"name\": \"other\", %s", conf + 1);
	const char *deep = keep("{\"name\": \"net\", \"unknown\": [{\"a\": 1, \"a\": 1}], %s", conf + 1);
	const char *by_case = keep("{\"name\": \"net\", \"Name\": \"other\", %s", conf + 1);

	expect_error(request(s, "ADD", twice), 6, "duplicate");
	expect_error(request(s, "ADD", deep), 6, "duplicate");
	expect_error(request(s, "ADD", by_case), 7, "name: given twice");
	expect_untouched(w);
}

static const char *nested(size_t depth)
{
	char *text = calloc(1, 2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

REQUIREMENT(IN, 4, EVERYONE)            /* nesting is bounded, in what nobody reads too */
{
	const char *conf = conf_set(s->conf, "unknown", nested(40));

	expect_ok(request(s, "DEL", conf));
	expect_error(request(s, "DEL", keep("{\"unknown\": %s, %s", nested(100), s->conf + 1)), 6, "nested more than 64 deep");
	expect_error(request(s, "DEL", keep("{\"unknown\": %s, %s", nested(100000), s->conf + 1)), 6, "nested more than 64 deep");
}

REQUIREMENT(IN, 5, EVERYONE)            /* so is the size */
{
	size_t size = (16 << 20) + 4096;
	char *text = malloc(size);

	memset(text, ' ', size);
	expect_error(request(s, "DEL", "", .raw = text, .raw_len = size), 5, "longer than 16 MiB");
}

/* Every key in capitals: objects inside, and lists, too. */
static json_t *in_capitals(const json_t *j)
{
	json_t *copy, *value;
	const char *key;
	size_t i;

	if (json_is_array(j)) {
		copy = json_array();
		json_array_foreach(j, i, value)
			json_array_append_new(copy, in_capitals(value));
		return copy;
	}
	if (!json_is_object(j))
		return json_deep_copy(j);
	copy = json_object();
	json_object_foreach((json_t *)j, key, value) {
		char *name = keep("%s", key);

		for (char *c = name; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c -= 'a' - 'A';
		json_object_set_new(copy, name, in_capitals(value));
	}
	return copy;
}

REQUIREMENT(IN, 1, EVERYONE)            /* keys in any case */
{
	json_t *plain = json_loads(json("%s", conf_set(s->conf, "type", keep("'%s'", s->name))), 0, NULL);
	const char *conf = json_dumps(in_capitals(plain), 0);
	struct answer a = expect_ok(request(s, "ADD", conf));

	expect_json(a, "cniVersion", "1.1.0");
	if (is(s, INTERFACE) || is(s, ADDRESSES)) {
		expect_contains(json_at(a, "ips[1].address"), "fd00:1::");
		expect_json(a, "routes[1].dst", "::/0");
	}
	if (is(s, MASQ))
		expect_contains(elements_of("masq4"), "net/pod1/eth0");
	if (is(s, PORTS)) {
		expect_contains(elements_of("publish_any4"), "tcp . 8080");
		expect_json(a, "ips[0].address", "10.1.0.2/24");
	}
	expect_ok(request(s, "DEL", conf));
	expect_gone(w);
}
