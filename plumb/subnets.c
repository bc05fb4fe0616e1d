#include "subnets.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/sha512.h"
#include "netinfo.h"
#include "os/address.h"
#include "os/file.h"
#include "os/link.h"
#include "os/netlink.h"
#include "os/route.h"
#include "plumb.h"

#define NETAVARK_DIR "/etc/containers/networks"

enum { FILE_LIMIT = 1 << 20 };

struct search {
	struct call   *c;
	struct netlink nl;
	struct list   *out;
};

static int add(struct call *c, struct list *out, const struct prefix *p, bool by_network, const char *by)
{
	struct taken *t = arena_push(&c->arena, &out->items, &out->count, sizeof *t);

	if (!t || !by)
		return err_nomem(&c->trouble.err, "subnets");
	*t = (struct taken){ prefix_network(p), by, by_network };
	return 0;
}

/* ---- What configurations say ---- */

static int add_network(struct call *c, const struct network *n, void *out)
{
	const char *by = arena_printf(&c->arena, "network %s", n->name);
	struct list subnets;
	int r = network_subnets(c, n, &subnets);

	for_list (const struct subnet, s, &subnets)
		if (r == 0)
			r = add(c, out, &s->net, true, by);
	return r;
}

static int add_netavark_file(struct call *c, const char *name, struct list *out)
{
	const char *path = arena_printf(&c->arena, NETAVARK_DIR "/%s", name), *text;
	struct err ignored = { 0 };
	json_t *root, *subnet;
	size_t len, i;
	int r = 0;

	text = path ? file_read(&c->arena, path, FILE_LIMIT, &len) : NULL;
	root = text ? call_keep(c, json_read_object(text, len, path, &ignored)) : NULL;
	json_array_foreach(root ? json_member(root, "subnets") : NULL, i, subnet) {
		const char *net = json_is_object(subnet) ? json_member_string(subnet, "subnet") : NULL;
		struct prefix p;

		if (r == 0 && net && prefix_parse(net, &p))
			r = add(c, out, &p, true, arena_printf(&c->arena, "podman's network in %s", path));
	}
	return r;
}

static int add_netavark(struct call *c, struct list *out)
{
	scoped(dir_close) DIR *d = opendir(NETAVARK_DIR);
	struct dirent *entry;
	int r = 0;

	while (d && r == 0 && (entry = readdir(d)))
		if (strstr(entry->d_name, ".json"))
			r = add_netavark_file(c, entry->d_name, out);
	return r;
}

/* ---- What the kernel has ---- */

/* Everybody has link-local addresses, loopback and multicast. What is wider than any network is a default route in parts (0.0.0.0/1, 2000::/3). */
static bool is_common(const struct prefix *p)
{
	return p->len < (p->addr.family == AF_INET ? 8 : 4) || addr_is_loopback(&p->addr) || (p->addr.family == AF_INET6 && p->addr.bytes[0] >= 0xfe);
}

static const char *link_name(struct search *s, int index)
{
	struct err ignored = { 0 };
	struct link l;

	if (index == 0 || link_by_index(&s->nl, index, &l, &ignored) < 0)
		return "";
	return arena_printf(&s->c->arena, " by %s", l.name);
}

static int add_route(const struct route *r, void *arg)
{
	struct search *s = arg;
	char text[PREFIX_TEXT];

	if (is_common(&r->dst))
		return 0;
	return add(s->c, s->out, &r->dst, false, arena_printf(&s->c->arena, "route %s%s", prefix_text(&r->dst, text), link_name(s, r->index)));
}

struct on_link {
	struct search *s;
	const char    *name;
};

static int add_address(const struct prefix *p, void *arg)
{
	struct on_link *on = arg;
	char text[PREFIX_TEXT];

	if (is_common(p))
		return 0;
	return add(on->s->c, on->s->out, p, false, arena_printf(&on->s->c->arena, "address %s of %s", prefix_text(p, text), on->name));
}

static int add_link(const struct link *l, void *arg)
{
	struct search *s = arg;
	struct err *e = &s->c->trouble.err;
	struct on_link on = { s, arena_strdup(&s->c->arena, l->name) };
	int r = on.name ? address_each(&s->nl, l->index, 0, add_address, &on, e) : -ENOMEM;

	if (r == -ENODEV) {             /* it has gone meanwhile */
		err_clear(e);
		return 0;
	}
	return r;
}

static int add_kernels(struct call *c, struct list *out)
{
	struct search s = { .c = c, .out = out };
	struct err *e = &c->trouble.err;
	int r = netlink_open(&s.nl, NETLINK_ROUTE, e);

	if (r == 0 && (r = link_each(&s.nl, add_link, &s, e)) == 0 && (r = route_each(&s.nl, AF_INET, add_route, &s, e)) == 0)
		r = route_each(&s.nl, AF_INET6, add_route, &s, e);
	netlink_close(&s.nl);
	return r;
}

int subnets_taken(struct call *c, struct list *out)
{
	int r;

	*out = (struct list){ 0 };
	if ((r = network_each(c, add_network, out)) < 0 || (r = add_netavark(c, out)) < 0)
		return r;
	return add_kernels(c, out);
}

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_contains(a->len <= b->len ? a : b, a->len <= b->len ? &b->addr : &a->addr);
}

const struct taken *subnet_taken(const struct list *taken, const struct prefix *p, bool networks_only)
{
	for_list (const struct taken, t, taken)
		if (overlap(&t->subnet, p) && (t->by_network || !networks_only))
			return t;
	return NULL;
}

/* ---- Pools ---- */

/* podman's, then two more: where a VPN has a route to all of 10.0.0.0/8, nothing of that is ours to take. */
static const char *const usual_pools[] = {
	"10.89.0.0/16,24", "10.90.0.0/15,24", "10.92.0.0/14,24", "10.96.0.0/11,24", "10.128.0.0/9,24", "172.20.0.0/14,24", "192.168.128.0/17,24",
};

static bool pool_is_sound(const struct pool *p)
{
	unsigned bits = addr_size(p->base.addr.family) * 8;
	struct prefix net = prefix_network(&p->base);

	return prefix_equal(&net, &p->base) && p->size >= p->base.len && p->size <= bits - 2;
}

bool pool_parse(const char *text, struct pool *out)
{
	char base[PREFIX_TEXT];
	size_t len = strcspn(text, ",");
	unsigned size = 0;
	int used = 0;

	if (!text_format(base, sizeof base, "%.*s", (int)len, text) || !prefix_parse(base, &out->base))
		return false;
	if (text[len] && (sscanf(text + len + 1, "%3u%n", &size, &used) != 1 || text[len + 1 + used] || size > 128))
		return false;
	out->size = (uint8_t)(text[len] ? size : out->base.addr.family == AF_INET ? 24 : 64);
	return pool_is_sound(out);
}

static int add_pool(struct call *c, struct list *out, const struct pool *p)
{
	struct pool *slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);

	if (!slot)
		return err_nomem(&c->trouble.err, "pools");
	*slot = *p;
	return 0;
}

struct pool_entry {
	struct prefix base;
	uint32_t      size;
};
static const struct field entry_fields[] = {
	FIELD(struct pool_entry, base, "base", read_prefix),
	FIELD(struct pool_entry, size, "size", read_uint, .min = 1, .max = 126),
	FIELD_END
};
static const struct field file_fields[] = {
	{ .key = "default-address-pools", .read = read_list, .item = read_object, .sub = entry_fields, .size = sizeof(struct pool_entry) },
	FIELD_END
};

static int read_file(struct call *c, struct list *out)
{
	struct reading reading = { .arena = &c->arena, .err = &c->trouble.err };
	struct list entries = { 0 };
	size_t len, i = 0;
	char *text = file_read(&c->arena, POOLS_FILE, FILE_LIMIT, &len);
	json_t *root;
	int r;

	if (!text)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(&c->trouble.err, CNI_IO, -errno, POOLS_FILE);
	root = call_keep(c, json_read_object(text, len, POOLS_FILE, &c->trouble.err));
	r = root ? fields_read(file_fields, root, &entries, &reading) : -EINVAL;
	for_list (const struct pool_entry, entry, &entries) {
		struct pool p = { entry->base, (uint8_t)entry->size };

		if (r == 0 && !pool_is_sound(&p))
			r = trouble_set(&c->trouble, EXIT_FAILED, -EINVAL,
			                "default-address-pools[%zu]: want a base without host bits, and a size not below its prefix's length", i);
		if (r == 0)
			r = add_pool(c, out, &p);
		i++;
	}
	if (r < 0)
		err_detail(&c->trouble.err, "in %s", POOLS_FILE);
	return r;
}

/* fdXX:XXXX:XXXX::/48 (RFC 4193): the same on one machine always, another on each; where a machine has no id, by chance. */
static struct pool own_ipv6_pool(struct call *c)
{
	struct pool p = { .base = { .addr.family = AF_INET6, .addr.bytes = { 0xfd }, .len = 48 }, .size = 64 };
	char hex[SHA512_HEX];
	unsigned byte;
	size_t len;
	char *id = file_read(&c->arena, "/etc/machine-id", 4096, &len), *words = id ? arena_printf(&c->arena, "plumb %s", text_trim(id)) : NULL;

	if (!words || len < 32) {
		if (getrandom(p.base.addr.bytes + 1, 5, 0) != 5)
			p.base.addr.bytes[1] = 0x89;
		return p;
	}
	sha512_hex(words, hex);
	for (size_t i = 0; i < 5; i++)
		p.base.addr.bytes[1 + i] = sscanf(hex + 2 * i, "%2x", &byte) == 1 ? (uint8_t)byte : 0;
	return p;
}

static bool has_family(const struct list *pools, int family)
{
	for_list (const struct pool, p, pools)
		if (p->base.addr.family == family)
			return true;
	return false;
}

int pools_read(struct call *c, struct list *out)
{
	struct pool p;
	int r = out->count ? 0 : read_file(c, out);

	if (r == 0 && !has_family(out, AF_INET))
		for (size_t i = 0; i < ARRAY_LEN(usual_pools) && r == 0; i++)
			r = pool_parse(usual_pools[i], &p) ? add_pool(c, out, &p) : -EINVAL;
	if (r == 0 && !has_family(out, AF_INET6)) {
		p = own_ipv6_pool(c);
		r = add_pool(c, out, &p);
	}
	return r;
}

/* The next subnet of the pool behind one that is in the way: behind its end, where it is larger. False: the pool ends there. */
static bool go_on(const struct pool *pool, struct prefix *p, const struct prefix *in_the_way)
{
	struct addr last = addr_last(in_the_way->len < p->len ? in_the_way : p);

	if (!addr_next(&last))
		return false;
	p->addr = last;
	addr_mask(&p->addr, p->len);
	return prefix_contains(&pool->base, &p->addr);
}

static bool pick_in(const struct pool *pool, const struct list *taken, struct prefix *out)
{
	const struct taken *t;

	*out = (struct prefix){ pool->base.addr, pool->size };
	while ((t = subnet_taken(taken, out, false)))
		if (!go_on(pool, out, &t->subnet))
			return false;
	return true;
}

int subnet_pick(struct call *c, int family, const struct list *pools, const struct list *taken, struct prefix *out)
{
	for_list (const struct pool, p, pools)
		if (p->base.addr.family == family && pick_in(p, taken, out))
			return 0;
	trouble_set(&c->trouble, EXIT_FAILED, -EADDRNOTAVAIL, "all predefined address pools (IPv%c) have been fully subnetted",
	            family == AF_INET ? '4' : '6');
	err_detail(&c->trouble.err, "choose one by --subnet, or name other pools in %s", POOLS_FILE);
	return -EADDRNOTAVAIL;
}
