/* CNI_ARGS, and reading a plugin's own configuration. */
#include "unit.h"

#include <errno.h>

#include "cni/plugin.h"

struct probe_conf {
	uint32_t mtu;
};
static const struct field probe_fields[] = {
	FIELD(struct probe_conf, mtu, "mtu", read_uint, .min = 68, .max = 65535),
	FIELD_END
};

static int probe_settle(struct cni_call *c)
{
	struct probe_conf *conf = c->conf;

	return conf->mtu == 99 ? err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "mtu: 99 is a bad omen") : 0;
}

CNI_PLUGIN("probe", .about = "for tests", .fields = probe_fields, .conf_size = sizeof(struct probe_conf), .settle = probe_settle);

static void args_are_read(void **state)
{
	static const struct { const char *args, *ip, *mac, *refusal; } rows[] = {
		{ "", NULL, NULL, NULL },
		{ "IP=10.1.2.3", "10.1.2.3", NULL, NULL },
		{ "IP=10.1.2.3;MAC=02:00:00:00:00:01", "10.1.2.3", "02:00:00:00:00:01", NULL },
		{ "IP=", "", NULL, NULL },
		{ "IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.1.2.3", "10.1.2.3", NULL, NULL },
		{ "K8S_POD_NAME=x;IP=10.1.2.3;IgnoreUnknown=1", "10.1.2.3", NULL, NULL },
		{ "IgnoreUnknown=true;ip=10.1.2.3", NULL, NULL, NULL },
		{ "IgnoreUnknown=TRUE;X=y", NULL, NULL, NULL },
		{ "IP=1;IP=2", "2", NULL, NULL },
		{ "ip=10.1.2.3", NULL, NULL, "ARGS: unknown args [\"ip=10.1.2.3\"]" },
		{ "X=y;Z=w", NULL, NULL, "ARGS: unknown args [\"X=y\" \"Z=w\"]" },
		{ "IgnoreUnknown=0;X=y", NULL, NULL, "ARGS: unknown args [\"X=y\"]" },
		{ "IgnoreUnknown=maybe", NULL, NULL, "invalid input maybe" },
		{ "IP", NULL, NULL, "ARGS: invalid pair \"IP\"" },
		{ "IP=a=b", NULL, NULL, "ARGS: invalid pair \"IP=a=b\"" },
		{ ";", NULL, NULL, "ARGS: invalid pair \"\"" },
		{ "IP=10.1.2.3;", NULL, NULL, "ARGS: invalid pair \"\"" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct cni_call c = { .plugin = plugin_find("probe"), .args = row->args };
		const char *ip = NULL, *mac = NULL;
		const struct arg args[] = { { "IP", &ip }, { "MAC", &mac }, { NULL, NULL } };

		row_number(row->args, args_read(&c, args) < 0, row->refusal != NULL);
		if (row->refusal) {
			row_number(row->args, c.err.code, CNI_BAD_ENV);
			row_contains(row->args, c.err.msg, row->refusal);
		} else {
			row_text(row->args, ip, row->ip);
			row_text(row->args, mac, row->mac);
		}
		arena_free(&c.arena);
	}
}

static void many_unknown_args_do_no_harm(void **state)
{
	struct cni_call c = { .plugin = plugin_find("probe") };
	static char text[20000];
	const struct arg none[] = { { NULL, NULL } };

	(void)state;
	for (int i = 0; i < 1000; i++)
		sprintf(text + strlen(text), "%sKEY%d=value", i ? ";" : "", i);
	c.args = text;
	assert_int_equal(args_read(&c, none), -EINVAL);
	assert_non_null(strstr(c.err.msg, "KEY0=value"));
	arena_free(&c.arena);
}

static void plugins_are_found_by_name(void **state)
{
	(void)state;
	assert_non_null(plugin_find("probe"));
	assert_string_equal(plugin_find("probe")->about, "for tests");
	assert_null(plugin_find("prob"));
	assert_null(plugin_find(""));
}

static void a_plugin_reads_its_own_configuration(void **state)
{
	static const struct { const char *text; uint32_t mtu; const char *refusal; } rows[] = {
		{ "{}", 0, NULL }, { "{\"mtu\":1400}", 1400, NULL }, { "{\"mtu\":1}", 0, "mtu: want a whole number from 68 to 65535" },
		{ "{\"mtu\":99}", 0, "mtu: 99 is a bad omen" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		struct cni_call c = { .plugin = plugin_find("probe"), .json = json_loads(row->text, 0, NULL) };

		row_number(row->text, plugin_read_conf(&c) < 0, row->refusal != NULL);
		if (row->refusal)
			row_text(row->text, c.err.msg, row->refusal);
		else
			row_number(row->text, ((struct probe_conf *)c.conf)->mtu, row->mtu);
		json_decref(c.json);
		arena_free(&c.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(args_are_read),
		cmocka_unit_test(many_unknown_args_do_no_harm),
		cmocka_unit_test(plugins_are_found_by_name),
		cmocka_unit_test(a_plugin_reads_its_own_configuration),
	};

	return cmocka_run_group_tests_name("cni/plugin", tests, NULL, NULL);
}
