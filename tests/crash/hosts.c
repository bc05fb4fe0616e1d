/* Hosts on which something is broken: ADD says what is wrong, with which object, and what to do, and leaves nothing; or it manages without. DEL does what it can.
 * Once the host is mended, all goes on. */
#include <stdio.h>
#include <string.h>

#include "test.h"

struct host {
	const char *name;
	const char *breaks, *mends;             /* shell commands; NULL: nothing */
	const char *without;                    /* what tests/crash/without takes away; NULL: nothing */
	const char *program_dir;                /* where the plugins are, NULL: BIN */
	int         code;                       /* of the error, 0: ADD manages */
	const char *object, *remedy;            /* words of the error */
};

/* A file system of a few pages, all of them full. */
#define FULL(dir) "mkdir -p " dir " && mount -t tmpfs -o size=16k,mode=755 none " dir " && dd if=/dev/zero of=" dir "/full bs=4k count=4 status=none"
#define READ_ONLY(dir) "mkdir -p " dir " && mount --bind " dir " " dir " && mount -o remount,bind,ro " dir
#define UNMOUNT(dir) "umount " dir

static const struct host hosts[] = {
	{ "disk-full",        FULL("/var/lib/cni/networks"), UNMOUNT("/var/lib/cni/networks"), .code = 5, .object = "/var/lib/cni/networks/net", .remedy = "make room" },
	{ "disk-read-only",   READ_ONLY("/var/lib/cni"), UNMOUNT("/var/lib/cni"), .code = 5, .object = "/var/lib/cni/networks/net", .remedy = "writable" },
	{ "run-full",         FULL("/run/plumb"), UNMOUNT("/run/plumb"), .code = 5, .object = "/run/plumb/nftables", .remedy = "make room" },
	{ "run-read-only",    READ_ONLY("/run/plumb"), UNMOUNT("/run/plumb"), .code = 5, .object = "/run/plumb/nftables", .remedy = "writable" },
	{ "settings-read-only", "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys", UNMOUNT("/proc/sys"), .code = 999,
	  .object = "net/ip", .remedy = "/proc/sys" },
	{ "no-nftables",      .without = "nftables", .code = 999, .object = "netlink socket (netfilter)", .remedy = "nf_tables" },
	{ "no-netlink",       .without = "netlink", .code = 999, .object = "netlink socket (route)", .remedy = "netlink" },
	{ "no-setns",         .without = "setns", .code = 999, .object = "network namespace", .remedy = "CAP_SYS_ADMIN" },
	{ "no-helper",        "mkdir /var/lib/lone && cp $BIN/bridge $BIN/ptp $BIN/host-local /var/lib/lone", "rm -r /var/lib/lone", .program_dir = "/var/lib/lone",
	  .code = 999, .object = "/var/lib/lone/plumb-ruleset", .remedy = "install it beside the plugins" },
	{ "broken-helper",    "mkdir /var/lib/lone && cp $BIN/bridge $BIN/ptp $BIN/host-local /var/lib/lone && printf '#!/bin/sh\\necho libnftables.so.1: no such file; exit 1' >/var/lib/lone/plumb-ruleset && chmod +x /var/lib/lone/plumb-ruleset",
	  "rm -r /var/lib/lone", .program_dir = "/var/lib/lone", .code = 999, .object = "nftables ruleset", .remedy = "libnftables.so.1" },
	{ "ipv6-off",         "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
	  "sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0", .code = 999, .object = "fd00:1::1", .remedy = "disable_ipv6" },
};

static const char *const broken_hosts[] = {
	"disk-full", "disk-read-only", "run-full", "run-read-only", "settings-read-only", "no-nftables", "no-netlink", "no-setns", "no-helper", "broken-helper",
	"ipv6-off", NULL,
};

#define POOLS "'ipMasq':true,'ipam':{'type':'host-local','ranges':[[{'subnet':'10.1.0.0/24'}],[{'subnet':'fd00:1::/64'}]]}"
static const char *conf_of(const char *plugin)
{
	return json("{'cniVersion':'1.1.0','name':'net','type':'%s','bridge':'br0','isGateway':true," POOLS "}", plugin);
}

static const struct host *host_named(const char *name)
{
	const struct host *h = hosts;

	while (strcmp(h->name, name))
		h++;
	return h;
}

static struct answer on_host(const struct host *h, const char *plugin, const char *verb, const char *conf)
{
	const char *program = keep("%s/%s", h && h->program_dir ? h->program_dir : bin_dir(), plugin);
	const char *argv[] = { h ? h->without : NULL, program, NULL };
	bool filtered = h && h->without;

	return call(.plugin = plugin, .verb = verb, .pod = "pod1", .conf = conf, .path = h && h->program_dir ? h->program_dir : NULL,
	            .program = filtered ? keep("%s/../tests/crash/without", bin_dir()) : program, .argv = filtered ? argv : NULL);
}

static void change(const char *command)
{
	if (command)
		sh("host", "BIN=%s; %s", bin_dir(), command);
}

static void expect_nothing_left(struct world *w)
{
	expect_untouched(w, RULESET_STAYS, STORE_STAYS("net"), BRIDGE_STAYS("br0"), FORWARDING_STAYS);
}

/* mount(8) keeps notes of its own. */
static struct world world(void)
{
	struct world w = world_begin("pod1");

	sh("host", "mkdir /run/mount");
	world_settled(&w);
	return w;
}

static void add_says_why(const char *plugin, const struct host *h)
{
	struct world w = world();
	const char *conf = conf_of(plugin);
	struct answer a;

	change(h->breaks);
	a = on_host(h, plugin, "ADD", conf);
	if (h->code) {
		expect_error(a, h->code, h->object);
		expect_contains(keep("%s %s", json_at(a, "msg"), json_at(a, "details")), h->remedy);
	} else {
		expect_ok(a);
		expect_ok(on_host(NULL, plugin, "DEL", conf));
	}
	change(h->mends);
	expect_nothing_left(&w);
	a = expect_ok(on_host(NULL, plugin, "ADD", conf));
	expect_ok(on_host(NULL, plugin, "CHECK", with_prev(conf, a)));
	expect_ok(on_host(NULL, plugin, "DEL", with_prev(conf, a)));
	expect_nothing_left(&w);
}

TEST_EACH(bridge_add_says_why, broken_hosts, name)
{
	add_says_why("bridge", host_named(name));
}

TEST_EACH(ptp_add_says_why, broken_hosts, name)
{
	add_says_why("ptp", host_named(name));
}

/* The host breaks while the container is there. */
static void del_goes_on(const char *plugin, const struct host *h)
{
	struct world w = world();
	const char *conf = conf_of(plugin);
	struct answer a = expect_ok(on_host(NULL, plugin, "ADD", conf)), del;

	change(h->breaks);
	del = on_host(h, plugin, "DEL", with_prev(conf, a));
	if (del.status != 0)
		expect(json_is_integer(json_object_get(del.json, "code")) && *json_at(del, "msg"));
	change(h->mends);
	expect_ok(on_host(NULL, plugin, "DEL", with_prev(conf, a)));
	expect_nothing_left(&w);
}

TEST_EACH(bridge_del_goes_on, broken_hosts, name)
{
	del_goes_on("bridge", host_named(name));
}

TEST_EACH(ptp_del_goes_on, broken_hosts, name)
{
	del_goes_on("ptp", host_named(name));
}
