/* base/json: limits of what is read, and structs filled in by tables. */
#include "unit.h"

#include <errno.h>

#include "base/addr.h"
#include "base/json.h"
#include "base/scoped.h"

/* ---- One object ---- */

static char *nested(size_t depth)
{
	static char text[1024];
	size_t n = 0;

	n += sprintf(text, "{\"a\":");
	for (size_t i = 1; i < depth; i++)
		text[n++] = '[';
	for (size_t i = 1; i < depth; i++)
		text[n++] = ']';
	text[n++] = '}';
	text[n] = '\0';
	return text;
}

static void one_object_and_nothing_else(void **state)
{
	static const struct { const char *text, *refusal; } rows[] = {
		{ "{}", NULL }, { " { \"a\" : [ 1, { } ] } \n", NULL }, { "{\"a\":1,\"A\":2}", NULL },
		{ "", "not valid JSON" }, { "x", "not valid JSON" }, { "{", "not valid JSON" }, { "[]", "want one JSON object" }, { "null", "not valid JSON" },
		{ "{} {}", "not valid JSON" }, { "{}x", "not valid JSON" }, { "{\"a\":1,\"a\":2}", "duplicate" }, { "{\"a\":{\"b\":1,\"b\":2}}", "duplicate" },
		{ "{'a':1}", "not valid JSON" }, { "{\"a\":01}", "not valid JSON" }, { "{\"a\":1e999}", "not valid JSON" }, { "{\"a\":99999999999999999999}", "not valid JSON" },
		{ "{\"a\":\"\xff\"}", "not valid JSON" }, { "{\"a\":\"\\ud800\"}", "not valid JSON" }, { "{\"a\":1,}", "not valid JSON" }, { "{\"\\u0000\":1}", "not valid JSON" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct err e = { 0 };
		scoped(json_put) json_t *j = json_read_object(row->text, strlen(row->text), "network configuration", &e);
		char words[2000];

		snprintf(words, sizeof words, "%s %s", e.msg, e.details);
		row_number(row->text, j != NULL, row->refusal == NULL);
		row_number(row->text, e.code, row->refusal ? CNI_DECODE : 0);
		if (row->refusal) {
			row_contains(row->text, words, row->refusal);
			row_contains(row->text, e.msg, "network configuration: ");
		}
	}
}

static void depth_has_a_limit(void **state)
{
	static char deep[200000];
	struct err e = { 0 };
	json_t *j;

	(void)state;
	j = json_read_object(nested(JSON_DEPTH_LIMIT), strlen(nested(JSON_DEPTH_LIMIT)), "input", &e);
	assert_non_null(j);
	json_decref(j);
	assert_null(json_read_object(nested(JSON_DEPTH_LIMIT + 1), strlen(nested(JSON_DEPTH_LIMIT + 1)), "input", &e));
	assert_string_equal(e.msg, "input: nested more than 64 deep");
	err_clear(&e);
	memset(deep, '[', sizeof deep);
	assert_null(json_read_object(deep, sizeof deep, "input", &e));
	assert_int_equal(e.code, CNI_DECODE);
}

/* Brackets inside strings are no depth, escaped quotes no ends of strings. */
static void depth_is_that_of_the_json(void **state)
{
	char text[400] = "{\"a\":\"\\\"";
	struct err e = { 0 };
	json_t *j;

	(void)state;
	memset(text + strlen(text), '[', 100);
	strcat(text, "\"}");
	j = json_read_object(text, strlen(text), "input", &e);
	assert_non_null(j);
	json_decref(j);
}

static void a_zero_byte_is_no_end(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(json_read_object("{}\0{}", 5, "input", &e));
	assert_int_equal(e.code, CNI_DECODE);
}

static void members_match_whatever_their_case(void **state)
{
	scoped(json_put) json_t *j = json_loads("{\"HostPort\":1, \"hostIP\":\"x\", \"hostip\":\"y\", \"none\":null, \"empty\":\"\"}", 0, NULL);

	(void)state;
	assert_int_equal(json_integer_value(json_member(j, "hostPort")), 1);
	assert_string_equal(json_member_string(j, "hostip"), "y");
	assert_string_equal(json_member_string(j, "hostIP"), "x");
	assert_non_null(json_member_string(j, "HOSTIP"));
	assert_null(json_member(j, "none"));
	assert_null(json_member(j, "nothing"));
	assert_null(json_member_string(j, "empty"));
	assert_non_null(json_member(j, "empty"));
	assert_null(json_member_string(j, "HostPort"));
}

/* ---- Tables ---- */

struct port {
	uint32_t host, container;
	const char *protocol;
};
struct conf {
	bool          on;
	long long     number;
	uint32_t      mtu;
	const char   *name, *short_name;
	struct addr   gateway;
	struct prefix subnet;
	struct mac    mac;
	struct port   port;
	const json_t *raw;
	struct list   ports, matrix, words;
};

static const struct field port_fields[] = {
	FIELD(struct port, host,      "hostPort",      read_uint, .min = 1, .max = 65535),
	FIELD(struct port, container, "containerPort", read_uint, .min = 1, .max = 65535),
	FIELD(struct port, protocol,  "protocol",      read_string),
	FIELD_END
};
static const struct field matrix_row = { .key = "", .read = read_list, .item = read_object, .sub = port_fields, .size = sizeof(struct port) };
static const struct field fields[] = {
	FIELD(struct conf, on,         "on",        read_bool),
	FIELD(struct conf, number,     "number",    read_int, .min = -5, .max = 5),
	FIELD(struct conf, mtu,        "mtu",       read_uint, .min = 68, .max = 65535),
	FIELD(struct conf, name,       "name",      read_string),
	FIELD(struct conf, short_name, "shortName", read_string, .max = 3),
	FIELD(struct conf, gateway,    "gateway",   read_addr),
	FIELD(struct conf, subnet,     "subnet",    read_prefix),
	FIELD(struct conf, mac,        "mac",       read_mac),
	FIELD(struct conf, port,       "port",      read_object, .sub = port_fields),
	FIELD(struct conf, raw,        "raw",       read_json),
	FIELD(struct conf, ports,      "ports",     read_list, .item = read_object, .sub = port_fields, .size = sizeof(struct port)),
	FIELD(struct conf, matrix,     "matrix",    read_list, .item = read_list_inner, .sub = &matrix_row, .size = sizeof(struct list)),
	FIELD(struct conf, words,      "words",     read_list, .item = read_string, .size = sizeof(char *)),
	FIELD_END
};

static void a_table_fills_in_a_struct(void **state)
{
	static const char text[] =
		"{\"on\":true, \"number\":-5, \"Mtu\":1400, \"name\":\"n\", \"shortName\":\"abc\", \"gateway\":\"10.1.0.1\","
		" \"subnet\":\"10.1.2.3/16\", \"mac\":\"02:00:00:00:00:01\", \"port\":{\"HostPort\":8080}, \"raw\":[1], \"unknown\":{\"x\":1},"
		" \"ports\":[{\"hostPort\":1},{\"hostPort\":2,\"protocol\":\"udp\"}], \"matrix\":[[{\"hostPort\":7}],[]], \"words\":[\"a\",\"b\"]}";
	scoped(json_put) json_t *j = json_loads(text, 0, NULL);
	scoped(arena_free) struct arena arena = { 0 };
	struct conf c = { .on = false };
	struct err e = { 0 };
	struct reading r = { .arena = &arena, .err = &e };
	struct list *rows;
	char out[PREFIX_TEXT];
	uint32_t next = 1;

	(void)state;
	assert_int_equal(fields_read(fields, j, &c, &r), 0);
	assert_true(c.on);
	assert_int_equal(c.number, -5);
	assert_int_equal(c.mtu, 1400);
	assert_string_equal(c.name, "n");
	assert_string_equal(c.short_name, "abc");
	assert_string_equal(addr_text(&c.gateway, out), "10.1.0.1");
	assert_string_equal(prefix_text(&c.subnet, out), "10.1.2.3/16");
	assert_string_equal(mac_text(&c.mac, out), "02:00:00:00:00:01");
	assert_int_equal(c.port.host, 8080);
	assert_int_equal(json_array_size(c.raw), 1);
	assert_int_equal(c.ports.count, 2);
	for_list (struct port, p, &c.ports)
		assert_int_equal(p->host, next++);
	assert_string_equal(((struct port *)c.ports.items)[1].protocol, "udp");
	assert_int_equal(c.matrix.count, 2);
	rows = c.matrix.items;
	assert_int_equal(((struct port *)rows[0].items)->host, 7);
	assert_true(rows[1].given && rows[1].count == 0);
	assert_string_equal(((const char **)c.words.items)[1], "b");
	assert_string_equal(r.path, "");
}

static void what_is_absent_keeps_its_default(void **state)
{
	scoped(json_put) json_t *j = json_loads("{\"mtu\":null, \"name\":\"\", \"gateway\":\"\", \"on\":null}", 0, NULL);
	scoped(arena_free) struct arena arena = { 0 };
	struct conf c = { .mtu = 1500, .name = "default", .on = true };
	struct err e = { 0 };
	struct reading r = { .arena = &arena, .err = &e };

	(void)state;
	assert_int_equal(fields_read(fields, j, &c, &r), 0);
	assert_int_equal(c.mtu, 1500);
	assert_string_equal(c.name, "default");
	assert_true(c.on);
	assert_false(addr_is_set(&c.gateway) || c.ports.given);
}

static void a_complaint_names_the_exact_place(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "{\"on\":1}", "on: want true or false" },
		{ "{\"number\":6}", "number: want a whole number from -5 to 5" },
		{ "{\"number\":1.5}", "number: want a whole number from -5 to 5" },
		{ "{\"mtu\":-1}", "mtu: want a whole number from 68 to 65535" },
		{ "{\"mtu\":\"1500\"}", "mtu: want a whole number from 68 to 65535" },
		{ "{\"name\":[]}", "name: want a string" },
		{ "{\"shortName\":\"abcd\"}", "shortName: longer than 3 bytes" },
		{ "{\"gateway\":\"10.1\"}", "gateway: want an IP address, got 10.1" },
		{ "{\"gateway\":5}", "gateway: want an IP address, got no string" },
		{ "{\"subnet\":\"10.1.0.0\"}", "subnet: want an address with a prefix length such as 10.1.2.0/24, got 10.1.0.0" },
		{ "{\"mac\":\"01:00:00:00:00:01\"}", "mac: 01:00:00:00:00:01 is a multicast MAC; want a unicast one" },
		{ "{\"mac\":\"x\"}", "mac: want a MAC such as 02:00:00:00:00:01, got x" },
		{ "{\"port\":[]}", "port: want an object" },
		{ "{\"port\":{\"hostPort\":0}}", "port.hostPort: want a whole number from 1 to 65535" },
		{ "{\"ports\":{}}", "ports: want a list" },
		{ "{\"ports\":[{},{\"hostPort\":70000}]}", "ports[1].hostPort: want a whole number from 1 to 65535" },
		{ "{\"ports\":[5]}", "ports[0]: want an object" },
		{ "{\"ports\":[null]}", "ports[0]: null is no item of a list" },
		{ "{\"matrix\":[[],[{},{\"protocol\":6}]]}", "matrix[1][1].protocol: want a string" },
		{ "{\"matrix\":[7]}", "matrix[0]: want a list" },
		{ "{\"words\":[\"a\",3]}", "words[1]: want a string" },
		{ "{\"mtu\":1500, \"MTU\":1400}", "mtu: given twice, the second time as \"MTU\"" },
		{ "{\"port\":{\"HOSTPORT\":1, \"hostport\":1}}", "port.hostPort: given twice, the second time as \"hostport\"" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		scoped(json_put) json_t *j = json_loads(row->text, 0, NULL);
		scoped(arena_free) struct arena arena = { 0 };
		struct conf c = { .on = false };
		struct err e = { 0 };
		struct reading r = { .arena = &arena, .err = &e };

		assert_non_null(j);
		row_number(row->text, fields_read(fields, j, &c, &r), -EINVAL);
		row_number(row->text, e.code, CNI_BAD_CONFIG);
		row_text(row->text, e.msg, row->msg);
	}
}

static void an_absurdly_long_list_of_steps_is_refused(void **state)
{
	static const struct field inner[] = { { .key = "x", .read = read_bool }, FIELD_END };
	static char long_key[200];
	struct field outer[] = { { .key = long_key, .read = read_object, .sub = inner }, FIELD_END };
	scoped(json_put) json_t *j = json_object();
	scoped(arena_free) struct arena arena = { 0 };
	struct err e = { 0 };
	struct reading r = { .arena = &arena, .err = &e };
	bool slot;

	(void)state;
	memset(long_key, 'k', sizeof long_key - 1);
	json_object_set_new(j, long_key, json_pack("{s:b}", "x", 1));
	assert_int_equal(fields_read(outer, j, &slot, &r), -EINVAL);
	assert_non_null(strstr(e.msg, "nested too deep"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object_and_nothing_else),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(depth_is_that_of_the_json),
		cmocka_unit_test(a_zero_byte_is_no_end),
		cmocka_unit_test(members_match_whatever_their_case),
		cmocka_unit_test(a_table_fills_in_a_struct),
		cmocka_unit_test(what_is_absent_keeps_its_default),
		cmocka_unit_test(a_complaint_names_the_exact_place),
		cmocka_unit_test(an_absurdly_long_list_of_steps_is_refused),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
