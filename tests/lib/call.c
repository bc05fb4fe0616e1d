#include "call.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "last.h"
#include "run.h"
#include "test.h"

enum { DEADLINE_MS = 60000 };

const char *bin_dir(void)
{
	static char dir[PATH_MAX];
	const char *given = getenv("BIN");      /* by make; /proc/self/exe misleads in a world that began in a chroot */
	ssize_t n = *dir || given ? 0 : readlink("/proc/self/exe", dir, sizeof dir - 1);
	char *tests;

	if (given)
		return given;
	if (n > 0) {                            /* …/build/MODE/tests/plugin/ptp_test */
		dir[n] = '\0';
		for (int up = 0; up < 2 && (tests = strrchr(dir, '/')); up++)
			*tests = '\0';
		tests = strrchr(dir, '/');
		if (tests)
			strcpy(tests, "/bin");
	}
	return dir;
}

void need_plugin(const char *name)
{
	if (access(keep("%s/%s", bin_dir(), name), X_OK) < 0)
		skip("there is no plugin %s in %s", name, bin_dir());
}

/* ---- The environment ---- */

struct environment {
	const char *vars[40];
	size_t      count;
};

static void env_add(struct environment *e, const char *name, const char *given, const char *otherwise)
{
	const char *value = given ? given : otherwise;

	if (*value)
		e->vars[e->count++] = keep("%s=%s", name, value);
}

/* Ours passed on: what sanitizers and coverage are told, and where programs are. */
static void env_inherit(struct environment *e)
{
	static const char *const names[] = { "PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (getenv(names[i]))
			env_add(e, names[i], getenv(names[i]), "");
}

static struct environment env_of(const struct call *c)
{
	const char *pod = c->pod ? c->pod : "";
	struct environment e = { .count = 0 };

	env_inherit(&e);
	env_add(&e, "CNI_COMMAND", c->verb, "");
	env_add(&e, "CNI_CONTAINERID", c->container, pod);
	env_add(&e, "CNI_NETNS", c->netns, *pod ? keep("/run/netns/%s", pod) : "");
	env_add(&e, "CNI_IFNAME", c->ifname, *pod ? "eth0" : "");
	env_add(&e, "CNI_PATH", c->path, bin_dir());
	env_add(&e, "CNI_ARGS", c->args, "");
	for (size_t i = 0; i < sizeof c->more / sizeof *c->more && c->more[i]; i++)
		e.vars[e.count++] = c->more[i];
	return e;
}

/* ---- The call ---- */

static const char *conf_of(const char *conf)
{
	const char *text;

	if (!conf || !*conf)
		return "";
	if (strchr("{[ \t\n", *conf))
		return json_quotes(conf);
	text = file_read(conf);
	if (!text)
		fail_("configuration %s: no such file", conf);
	return text;
}

static const char *describe(const struct call *c)
{
	return keep("%s %s %s %s", c->plugin, c->verb ? c->verb : "(no verb)", c->pod ? c->pod : "", c->ifname ? c->ifname : "");
}

/* A sanitizer's finding is a failure, whatever was expected of the plugin. */
static void look_for_findings(const struct answer *a)
{
	if (strstr(a->err, "Sanitizer") || strstr(a->err, "runtime error:"))
		fail_("%s: a sanitizer found something", a->what);
	if (a->status < 0)
		fail_("%s did not end, or left its stdout open, for %d seconds", a->what, DEADLINE_MS / 1000);
	if (a->status >= 128)
		fail_("%s was ended by signal %d", a->what, a->status - 128);
}

struct answer call_(struct call c)
{
	struct environment env = env_of(&c);
	const char *argv[32] = { c.program ? c.program : keep("%s/%s", bin_dir(), c.plugin) };
	const char *input = c.raw ? c.raw : conf_of(c.conf);
	struct run run = {
		.argv = argv, .env = env.vars, .input = input, .input_len = c.raw ? c.raw_len : strlen(input),
		.netns = c.in ? c.in : "host", .deadline_ms = DEADLINE_MS,
	};
	struct answer a;
	struct ran ran;

	for (size_t i = 0; c.argv && c.argv[i]; i++)
		argv[i + 1] = c.argv[i];
	ran = run_program(&run);
	a = (struct answer){ ran.status, json_loads(ran.out, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL), ran.out, ran.err, describe(&c) };
	last_call_note(&(struct last_call){ a.what, c.raw ? "" : input, a.out, a.err, a.status });
	look_for_findings(&a);
	return a;
}

struct answer plugin_(const struct world *w, const char *plugin, const char *verb, const char *pod, const char *ifname, const char *conf)
{
	if (w->start.count == 0)
		fail_("no world has begun");
	return call_((struct call){ .plugin = plugin, .verb = verb, .pod = pod, .ifname = ifname, .conf = conf });
}

/* ---- Configurations ---- */

static json_t *load(const char *conf)
{
	json_error_t why;
	json_t *j = json_loads(conf_of(conf), 0, &why);

	if (!j)
		fail_("the test's configuration is no JSON: %s\n%s", why.text, conf);
	return j;
}

const char *with_prev(const char *conf, struct answer add)
{
	json_t *j = load(conf);

	json_object_set(j, "prevResult", add.json);
	return json_dumps(j, 0);
}

const char *conf_set(const char *conf, const char *key, const char *value)
{
	json_t *j = load(conf), *v;

	if (!value) {
		json_object_del(j, key);
		return json_dumps(j, 0);
	}
	v = json_loads(json_quotes(value), JSON_DECODE_ANY, NULL);
	if (!v)
		fail_("no JSON: %s", value);
	json_object_set_new(j, key, v);
	return json_dumps(j, 0);
}

/* ---- Answers ---- */

struct answer expect_ok_(struct answer a)
{
	if (a.status != 0)
		fail_("%s fails with exit status %d: %s: %s", a.what, a.status, json_at(a, "msg"), json_at(a, "details"));
	return a;
}

struct answer expect_error_(struct answer a, int code, const char *part)
{
	if (a.status == 0)
		fail_("%s succeeds, wanted error %d with …%s…", a.what, code, part);
	if (!json_is_object(a.json))
		fail_("%s fails without an error in JSON on stdout", a.what);
	if (json_integer_value(json_object_get(a.json, "code")) != code)
		fail_("%s fails with code %s, wanted %d: %s: %s", a.what, json_at(a, "code"), code, json_at(a, "msg"), json_at(a, "details"));
	if (!strstr(json_at(a, "msg"), part) && !strstr(json_at(a, "details"), part))
		fail_("%s fails with other words\n  wanted …%s…\n  msg     %s\n  details %s", a.what, part, json_at(a, "msg"), json_at(a, "details"));
	if (strcmp(json_at(a, "msg"), "absent") == 0 || strcmp(json_at(a, "cniVersion"), "absent") == 0)
		fail_("%s: an error needs cniVersion, code and msg", a.what);
	return a;
}

void expect_json_(struct answer a, const char *path, const char *want)
{
	const char *got = json_at(a, path);

	if (strcmp(got, want))
		fail_("%s: %s\n  is     %s\n  wanted %s", a.what, path, got, want);
}

/* Both texts line by line; what they have in common is left out. */
static char *lines_difference(char *want, char *got)
{
	struct snapshot a = { 0 }, b = { 0 };
	const char *none[] = { NULL };
	char *line;

	for (int n = 1; (line = strsep(&want, "\n")); n++)
		snapshot_add(&a, "%03d %s", n, line);
	for (int n = 1; (line = strsep(&got, "\n")); n++)
		snapshot_add(&b, "%03d %s", n, line);
	return snapshot_difference(&a, &b, none);
}

void expect_result_(struct answer a, const char *want)
{
	json_t *wanted = load(want);

	if (!json_equal(wanted, a.json))
		fail_("%s answers otherwise (line by line, - wanted, + answered):\n%s", a.what,
		      lines_difference(json_dumps(wanted, JSON_INDENT(2) | JSON_SORT_KEYS),
		                       a.json ? json_dumps(a.json, JSON_INDENT(2) | JSON_SORT_KEYS) : keep("no JSON")));
}
