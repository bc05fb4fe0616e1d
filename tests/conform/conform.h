/* Conformance: every plugin against every numbered requirement of spec/requirements.md.
 *
 *	REQUIREMENT(DEL, 4, EVERYONE)           // s is the plugin at hand
 *	{
 *		struct answer add = added(s);
 *
 *		expect_ok(asked(s, "DEL", with_prev(s->conf, add)));
 *		expect_ok(asked(s, "DEL", with_prev(s->conf, add)));
 *	}
 *
 * A case is one plugin and one requirement, named PLUGIN[REQUIREMENT], in a world of its own with the namespaces host and pod1 (and a LAN for the
 * plugin "host", which needs something to tell of). One that cannot apply is skipped, as "n/a: why". */
#ifndef PLUMB_TESTS_CONFORM_H
#define PLUMB_TESTS_CONFORM_H

#include "test.h"

/* What a plugin is like. A requirement names those that it needs; a plugin without one of them has nothing to do with it. */
enum trait {
	EVERYONE   = 0,
	IN_POD     = 1 << 0,            /* works in the container's namespace */
	OWN_NETNS  = 1 << 1,            /* and that is another than the host's */
	INTERFACE  = 1 << 2,            /* makes CNI_IFNAME */
	DELEGATES  = 1 << 3,            /* has another plugin give the addresses */
	ADDRESSES  = 1 << 4,            /* gives addresses */
	KEEPS      = 1 << 5,            /* keeps something on the host for each attachment, outside the container's namespace */
	PASSES     = 1 << 6,            /* answers with prevResult where there is one */
	TAKES_PREV = 1 << 7,            /* may stand in a chain */
	ARGS       = 1 << 8,            /* reads CNI_ARGS */
	POOL       = 1 << 9,            /* can run out of what it gives */
	MASQ       = 1 << 10,           /* masquerades */
	RANGES     = 1 << 11,           /* gives addresses from ranges */
	PORTS      = 1 << 12,           /* publishes ports */
	CHAINED    = 1 << 13,           /* goes by what prevResult tells, and looks at no link of it */
	GATEWAY    = 1 << 14,           /* needs the network's bridge on the host, with an address */
	/* a plugin's own affairs */
	ONLY_PTP = 1 << 20, ONLY_BRIDGE = 1 << 21, ONLY_LOOPBACK = 1 << 22, ONLY_HOST = 1 << 23, ONLY_STATIC = 1 << 24, ONLY_NONE = 1 << 25,
};

struct subject {
	const char *name;
	unsigned    traits;
	const char *ifname;
	const char *netns;              /* CNI_NETNS; NULL: pod1's */
	const char *conf;               /* in version 1.1.0, ' for " */
	const char *oldest;             /* the first version of the specification that it speaks; NULL: all */
	const char *wrong, *value, *place;      /* a key that value is wrong for, and how the complaint names the place */
};

struct requirement {
	const char *id;                 /* "DEL-4" */
	unsigned    needs;
	void      (*shows)(const struct subject *s, struct world *w);
};

#define REQUIREMENT(group, number, needs) \
	static void group##_##number(const struct subject *, struct world *); \
	static const struct requirement group##_##number##_is = { #group "-" #number, needs, group##_##number }; \
	static const struct requirement *const group##_##number##_entry __attribute__((used, section("conform_requirements"))) = &group##_##number##_is; \
	static void group##_##number(const struct subject *s __attribute__((unused)), struct world *w __attribute__((unused)))

static inline bool speaks(const struct subject *s, const char *version) { return !s->oldest || version_since(version, s->oldest); }
static inline bool is(const struct subject *s, unsigned traits) { return (s->traits & traits) == traits; }

/* A call as the runtime makes it, for container pod1; members of struct call may follow: request(s, "ADD", conf, .args = "A=B"). */
struct answer request_(const struct subject *s, struct call c);
#define request(s, verb_, conf_, ...) AT_(request_(s, (struct call){ .verb = (verb_), .conf = (conf_), ##__VA_ARGS__ }))
/* The same for a second container. */
#define request_of_pod2(s, verb_, conf_, ...) AT_(request_(s, (struct call){ .verb = (verb_), .conf = (conf_), .pod = "pod2", ##__VA_ARGS__ }))
/* ADD with the plugin's configuration, and it succeeds. */
#define added(s) expect_ok(request(s, "ADD", (s)->conf))

/* The configuration in another version of the specification. */
const char *in_version(const struct subject *s, const char *version);
/* The same with its addresses from the plugin `type`: a script in /run/fake, see delegates.c. */
const char *with_ipam(const struct subject *s, const char *type);
/* What the second container gets: another prevResult, and other ports, where the plugin publishes some. */
const char *other_conf(const struct subject *s);
/* The configuration without what needs more of prevResult than that it is one. */
const char *plain_conf(const struct subject *s);
/* "0.4.0, 1.0.0, 1.1.0": what it speaks, with quotes (') or what else around each. */
const char *versions_of(const struct subject *s, const char *quote);
/* A configuration with a list of attachments for GC: valid is JSON, "[{'containerID': …}]". */
const char *with_valid(const char *conf, const char *valid);

/* Nothing is left of any attachment: all is as before, but for what is everyone's. */
void expect_gone_(struct world *w);
#define expect_gone(w) AT_(expect_gone_(w))

/* The attachment's state on the host, as lines: leases and owned nftables elements. "" for none. */
const char *kept_of(const char *network, const char *container, const char *ifname);

/* Commands for nft, in the host's namespace. */
void ruleset_change_(const char *commands);
#define ruleset_change(commands) AT_(ruleset_change_(commands))

/* Not ours to show, though the traits say so. */
#define not_applicable(...) skip("n/a: " __VA_ARGS__)

/* ---- Plugins that the test writes: shell scripts (fakes.c) ---- */

#define FAKES "/run/fake"

/* Writes the script FAKES/NAME: it notes each call in FAKES/log (NAME.VERB.env, NAME.VERB.in, a line "NAME VERB" in calls), then does `body`,
 * a shell text, where it is not NULL; else answers ADD with one address and all else with nothing. */
void fake(const char *name, const char *body);
/* "ADD DEL", the calls so far in their order, of the fake. */
const char *fake_calls(const char *name);
/* What a call was given. */
const char *fake_env(const char *name, const char *verb);
const char *fake_input(const char *name, const char *verb);
/* CNI_PATH with the fakes first, then our own plugins. */
const char *fakes_path(void);

#endif
