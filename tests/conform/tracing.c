/* Timings: PLUMB_TRACE and "trace". */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conform.h"

/* The only line of the file. */
static struct answer line_of(const char *path)
{
	const char *text = file_read(path);
	struct answer a = { .what = path };

	expect(text && *text && strchr(text, '\n') == text + strlen(text) - 1);
	a.json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	expect(json_is_object(a.json));
	return a;
}

static void expect_line(const struct subject *s, struct answer a, const char *verb)
{
	expect_json(a, "plugin", s->name);
	expect_json(a, "verb", verb);
	expect_json(a, "network", "net");
	expect_json(a, "container", "pod1");
	expect_json(a, "ifname", s->ifname);
	expect(json_integer_value(json_object_get(a.json, "time_ns")) > 1000000000000000000);
	expect(json_is_integer(json_object_get(a.json, "us")) && json_is_array(json_object_get(a.json, "steps")));
}

REQUIREMENT(TRC, 1, EVERYONE)           /* PLUMB_TRACE: one JSON line a call, who and how long */
{
	struct answer a;
	struct stat st;

	expect_ok(request(s, "ADD", s->conf, .more = { "PLUMB_TRACE=/run/trace" }));
	a = line_of("/run/trace");
	expect_line(s, a, "ADD");
	expect_json(a, "code", "0");
	expect_json(a, "traceparent", "absent");
	if (is(s, INTERFACE))
		expect(json_array_size(json_object_get(a.json, "steps")) >= 3);
	expect(stat("/run/trace", &st) == 0 && (st.st_mode & 0777) == 0600);
	expect_ok(request(s, "DEL", s->conf, .more = { "PLUMB_TRACE=/run/trace" }));
	expect_text(sh("host", "wc -l </run/trace"), "2\n");
}

REQUIREMENT(TRC, 2, EVERYONE)           /* the key "trace" does the same */
{
	expect_ok(request(s, "ADD", conf_set(s->conf, "trace", "'/run/trace'")));
	expect_line(s, line_of("/run/trace"), "ADD");
}

REQUIREMENT(TRC, 3, EVERYONE)           /* failures are told with their code; the parent span is noted */
{
	struct answer a;

	expect(request(s, "ADD", conf_set(s->conf, s->wrong, s->value), .more = { "PLUMB_TRACE=/run/trace", "TRACEPARENT=00-12-34-01" }).status == 1);
	a = line_of("/run/trace");
	expect_line(s, a, "ADD");
	expect_json(a, "code", "7");
	expect_json(a, "traceparent", "00-12-34-01");
}

REQUIREMENT(TRC, 4, EVERYONE)           /* a file that cannot be written to is no reason to fail */
{
	struct answer a = expect_ok(request(s, "ADD", s->conf, .more = { "PLUMB_TRACE=/run/absent/trace" }));

	expect_contains(a.err, "/run/absent/trace");
}

REQUIREMENT(TRC, 5, EVERYONE)           /* off: nothing is written */
{
	struct answer add = expect_ok(request(s, "ADD", s->conf, .more = { "PLUMB_TRACE=" }));

	expect_text(add.err, "");
	expect_ok(request(s, "DEL", with_prev(s->conf, add)));
	expect_gone(w);
}

REQUIREMENT(TRC, 6, DELEGATES)          /* an address plugin that is executed writes a line of its own */
{
	fake("host-local", keep("exec %s/host-local <$log.$CNI_COMMAND.in", bin_dir()));
	expect_ok(request(s, "ADD", s->conf, .path = fakes_path(), .more = { "PLUMB_TRACE=/run/trace" }));
	expect_text(sh("host", "wc -l </run/trace"), "2\n");
}
