/* --opt of `plumb network create`: keys of ours, podman's and Docker's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cni/version.h"
#include "netmake.h"
#include "os/link.h"
#include "plumb.h"
#include "subnets.h"

enum { BRIDGE = 1 << DRIVER_BRIDGE, PTP = 1 << DRIVER_PTP, MACVLAN = 1 << DRIVER_MACVLAN, IPVLAN = 1 << DRIVER_IPVLAN, ANY = 63, VETHS = BRIDGE | PTP,
       LINKS = VETHS | MACVLAN | IPVLAN };

struct option;
typedef int option_reader(struct call *c, const struct option *o, const char *value, void *slot);

struct option {
	const char    *key;
	unsigned       drivers;         /* 1 << enum driver */
	option_reader *read;
	size_t         offset;          /* into struct plan */
};

static int refuse_value(struct call *c, const struct option *o, const char *value, const char *want)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--opt %s=%s: want %s", o->key, value, want);
}

static int option_text(struct call *c, const struct option *o, const char *value, void *slot)
{
	(void)c, (void)o;
	*(const char **)slot = value;
	return 0;
}

static int option_bool(struct call *c, const struct option *o, const char *value, void *slot)
{
	bool yes = !strcasecmp(value, "true") || !strcmp(value, "1"), no = !strcasecmp(value, "false") || !strcmp(value, "0");

	*(bool *)slot = yes;
	return yes || no ? 0 : refuse_value(c, o, value, "true or false");
}

/* podman's isolate=strict is what "same-bridge" does already. */
static int option_isolate(struct call *c, const struct option *o, const char *value, void *slot)
{
	return option_bool(c, o, !strcmp(value, "strict") ? "true" : value, slot);
}

static int option_unpublished(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(bool *)slot = !strcmp(value, "accept");
	return !strcmp(value, "accept") || !strcmp(value, "drop") ? 0 : refuse_value(c, o, value, "accept or drop");
}

static int option_number(struct call *c, const struct option *o, const char *value, void *slot)
{
	bool vlan = !strcmp(o->key, "vlan");
	unsigned from = vlan ? 1 : 68, to = vlan ? 4094 : 65535, n = 0;
	char end;

	if (strspn(value, "0123456789") != strlen(value) || sscanf(value, "%5u%c", &n, &end) != 1 || n < from || n > to)
		return refuse_value(c, o, value, vlan ? "a number from 1 to 4094" : "a number from 68 to 65535");
	*(uint32_t *)slot = n;
	return 0;
}

static int option_ifname(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(const char **)slot = value;
	return ifname_fault(value) ? refuse_value(c, o, value, "an interface's name: 1 to 15 characters, no '/', ':' or white space") : 0;
}

static int option_version(struct call *c, const struct option *o, const char *value, void *slot)
{
	*(const char **)slot = value;
	return version_known(value) ? 0 : refuse_value(c, o, value, "a version of the CNI specification, 0.1.0 to " CNI_NEWEST);
}

static int option_address(struct call *c, const struct option *o, const char *value, void *slot)
{
	struct addr a;

	*(const char **)slot = value;
	return addr_parse(value, &a) ? 0 : refuse_value(c, o, value, "an address of the host");
}

static int option_pool(struct call *c, const struct option *o, const char *value, void *slot)
{
	struct list *pools = slot;
	struct pool *p = arena_push(&c->arena, &pools->items, &pools->count, sizeof *p);

	if (!p)
		return err_nomem(&c->trouble.err, "pools");
	return pool_parse(value, p) ? 0 : refuse_value(c, o, value, "BASE,SIZE such as 10.200.0.0/16,24");
}

#define OPTION(name, drivers, reader, member) { name, drivers, reader, offsetof(struct plan, member) }

static const struct option options[] = {
	OPTION("cni-version", ANY, option_version, version),
	OPTION("pool", LINKS, option_pool, pools),
	OPTION("mtu", LINKS, option_number, mtu),
	OPTION("com.docker.network.driver.mtu", LINKS, option_number, mtu),
	OPTION("bridge", BRIDGE, option_ifname, bridge),
	OPTION("com.docker.network.bridge.name", BRIDGE, option_ifname, bridge),
	OPTION("vlan", BRIDGE, option_number, vlan),
	OPTION("hairpin", BRIDGE, option_bool, hairpin),
	OPTION("masquerade", VETHS, option_bool, masquerade),
	OPTION("com.docker.network.bridge.enable_ip_masquerade", VETHS, option_bool, masquerade),
	OPTION("icc", VETHS, option_bool, icc),
	OPTION("com.docker.network.bridge.enable_icc", VETHS, option_bool, icc),
	OPTION("isolate", VETHS, option_isolate, isolate),
	OPTION("unpublished-ports", VETHS, option_unpublished, open),
	OPTION("host-ip", VETHS, option_address, host_ip),
	OPTION("com.docker.network.bridge.host_binding_ipv4", VETHS, option_address, host_ip),
	OPTION("parent", MACVLAN | IPVLAN, option_ifname, parent),
	OPTION("mode", MACVLAN | IPVLAN, option_text, mode),
	OPTION("macvlan_mode", MACVLAN, option_text, mode),
	OPTION("ipvlan_mode", IPVLAN, option_text, mode),
};

int plan_option(struct call *c, struct plan *p, const struct pair *given)
{
	char known[256] = "";

	if (!given->value)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--opt %s: want KEY=VALUE", given->key);
	for (const struct option *o = options; o < options + ARRAY_LEN(options); o++) {
		if (!(o->drivers & 1U << p->driver))
			continue;
		if (!strcmp(o->key, given->key))
			return o->read(c, o, given->value, (char *)p + o->offset);
		if (!strchr(o->key, '.'))
			snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", o->key);
	}
	if (!strncmp(given->key, "com.docker.", 11)) {
		fprintf(stderr, "plumb: network create: --opt %s has no counterpart here and is only noted\n", given->key);
		return 0;
	}
	trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--opt %s: not an option of this driver", given->key);
	err_detail(&c->trouble.err, "%s has %s", p->driver_name, known);
	return -EINVAL;
}

int plan_mode_check(struct call *c, const struct plan *p)
{
	static const char *const macvlan[] = { "bridge", "private", "vepa", "passthru", NULL }, *const ipvlan[] = { "l2", "l3", "l3s", NULL };

	for (const char *const *mode = p->driver == DRIVER_MACVLAN ? macvlan : ipvlan; p->mode; mode++) {
		if (!*mode)
			return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--opt mode=%s: macvlan has bridge, private, vepa and passthru, ipvlan l2, l3 and l3s", p->mode);
		if (!strcmp(*mode, p->mode))
			break;
	}
	return 0;
}
