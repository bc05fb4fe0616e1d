/* Plugin tests: real programs, the real kernel, a world for each test (netns-fixtures/fixture.h).
 *
 *	TEST(ptp_second_del_succeeds)                           // DEL-4, a number of spec/requirements.md
 *	{
 *		struct world w = world_begin("pod1");
 *
 *		expect_ok(plugin(&w, "ptp", "ADD", "pod1", "eth0", conf));
 *		expect_link("pod1", "eth0", "veth");
 *		expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf));
 *		expect_ok(plugin(&w, "ptp", "DEL", "pod1", "eth0", conf));
 *		expect_untouched(&w);
 *	}
 *
 * Each test is a process in a world of its own; the first expectation that is not met ends it, and its end ends the world, so that there
 * is no teardown and no memory to give back. A test program is one or more such files with the library, which has main: it runs
 * its tests, some at once, and reports in TAP. Arguments are patterns of names; --list shows the names; -v what passing tests print. */
#ifndef PLUMB_TEST_H
#define PLUMB_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

struct test {
	const char         *name;
	void              (*run)(const char *variant);
	const char *const  *variants;           /* run once for each, until NULL; NULL: run once */
	const char         *file;
	int                 line;
};

#define TEST_REGISTER(test_name, ...) \
	static const struct test test_name##_test = { #test_name, __VA_ARGS__, __FILE__, __LINE__ }; \
	static const struct test *const test_name##_entry __attribute__((used, section("plumb_tests"))) = &test_name##_test;

#define TEST(test_name) \
	static void test_name(const char *); \
	TEST_REGISTER(test_name, test_name, NULL) \
	static void test_name(const char *variant __attribute__((unused)))

/* A test for each of a list of strings; the body knows its own by the name `arg`. */
#define TEST_EACH(test_name, list, arg) \
	static void test_name(const char *); \
	TEST_REGISTER(test_name, test_name, list) \
	static void test_name(const char *arg)

/* Lists for TEST_EACH: the versions of the specification. */
extern const char *const all_versions[], *const versions_since_0_3_0[], *const versions_since_0_4_0[];
bool version_since(const char *version, const char *first);

/* ---- A world ---- */

struct world {
	struct snapshot start;          /* what there was before the test did anything */
};

/* Makes the namespaces named, "pod1 pod2 lan", in the world that the test's process is in. */
struct world world_begin(const char *names);
/* What the test itself has set up since counts as the start. */
void world_settled(struct world *w);

/* What a failure shall tell besides: which turn of a loop this is. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the test as skipped: what this kernel or machine lacks. */
void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Runs a shell command in a namespace of the world and returns what it printed; the test fails where it does. */
const char *sh_(const char *netns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, but says whether it succeeded, and prints nothing. */
bool sh_try(const char *netns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A file of the world's with this text, its directories made; and what a file holds, NULL: it is not there. */
void file_write(const char *path, const char *text);
const char *file_read(const char *path);
/* The setting net/ipv4/ip_forward, say, in a namespace; "absent". */
const char *sysctl_in(const char *netns, const char *name);
void sysctl_put(const char *netns, const char *name, const char *value);

/* ---- Expectations ---- */

/* Every one notes where it stands, so that a failure deep inside can tell. */
void test_at(const char *file, int line);
#define AT_(call) (test_at(__FILE__, __LINE__), call)

void fail_(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void expect_(bool holds, const char *what);
void expect_text_(const char *got, const char *want, const char *what);
void expect_number_(long long got, long long want, const char *what);
void expect_contains_(const char *text, const char *part, const char *what);
void expect_missing_(const char *path);
void expect_sysctl_(const char *netns, const char *name, const char *want);

#define fail(...)                       AT_(fail_(__VA_ARGS__))
#define expect(condition)               AT_(expect_(condition, #condition))
#define expect_text(got, want)          AT_(expect_text_(got, want, #got))
#define expect_number(got, want)        AT_(expect_number_(got, want, #got))
#define expect_contains(text, part)     AT_(expect_contains_(text, part, #text))
#define expect_file(path, want)         AT_(expect_text_(file_read(path), want, "file " #path))
#define expect_no_file(path)            AT_(expect_missing_(path))
#define expect_sysctl(netns, name, want) AT_(expect_sysctl_(netns, name, want))
#define sh(...)                         AT_(sh_(__VA_ARGS__))

/* Waits for what takes the kernel its time: until the condition holds, 5 seconds at most. */
bool wait_a_little(int *turn);
#define eventually(condition) \
	do { int turn_ = 0; while (!(condition)) if (!wait_a_little(&turn_)) fail("%s does not come true", #condition); } while (0)

/* Nothing of what there was is gone and nothing is new, but for what `allowed` names: patterns (fnmatch) of a snapshot's lines, ended by NULL.
 * The difference is shown line by line. */
void expect_untouched_(struct world *w, const char *const allowed[]);
#define expect_untouched(w, ...) AT_(expect_untouched_(w, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }))

/* What may stay: plumb's empty table in nftables; host-local's empty store of a network; a bridge with its own addresses. */
#define RULESET_STAYS           RULESET_IS_STATIC, "dir /run/plumb", "dir /run/plumb/nftables", "setting host: net/ipv4/conf/*/route_localnet*"
#define STORE_STAYS(network)    "dir /var/lib/cni/networks", "dir /var/lib/cni/networks/" network, \
                                "file /var/lib/cni/networks/" network "/lock*", "file /var/lib/cni/networks/" network "/last_reserved_ip.*", \
                                "dir /run/plumb", "dir /run/plumb/leases", "file /run/plumb/leases/*"
#define NAMES_STAY              "dir /run/plumb/names", "dir /run/plumb/names/networks", "dir /run/plumb/names/containers", "dir /run/plumb/names/servers"
#define BRIDGE_STAYS(name)      "link host: " name " bridge*", "address host: " name " *", "route host: * dev " name " *", "route host: * dev " name
#define FORWARDING_STAYS        "setting host: net/ipv4/ip_forward*", "setting host: net/ipv6/conf/all/forwarding*"

/* Text for the test's length; json() writes " for every ' in fmt, so that JSON can stand in C. */
char *keep(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Any ' becomes ", in a copy. */
char *json_quotes(const char *text);
char *json(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#include "call.h"
#include "kernel.h"
#include "traffic.h"

#endif
