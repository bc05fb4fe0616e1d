/* host-local: addresses from ranges, remembered in files on this host, which are those of the reference plugin of the same name. */
#include <errno.h>
#include <string.h>

#include "cni/plugin.h"
#include "host-local/collect.h"
#include "host-local/conf.h"
#include "host-local/pool.h"
#include "host-local/resolv.h"
#include "host-local/store.h"
#include "os/netns.h"

/* The ranges may come with runtimeConfig, which STATUS and GC are not told. */
static int host_local_settle_call(struct cni_call *c)
{
	struct host_local_conf *conf = c->conf;
	const char *ip = NULL;
	const struct arg args[] = { { "IP", &ip }, { NULL, NULL } };
	bool attachment = c->verb != VERB_STATUS && c->verb != VERB_GC;
	int r;

	if (!json_member(c->json, "ipam"))
		return refuse_without_ipam(c);
	if (c->verb == VERB_ADD && ((r = args_read(c, args)) < 0 || (r = host_local_wanted(conf, ip, &c->arena, &c->err)) < 0))
		return r;
	return host_local_settle(conf, attachment, c->net.cni_version, &c->arena, &c->err);
}

/* The directory; NULL: no memory. */
static const char *store_path(struct cni_call *c)
{
	const struct host_local_conf *conf = c->conf;

	return arena_printf(&c->arena, "%s/%s", conf->ipam.data_dir ? conf->ipam.data_dir : "/var/lib/cni/networks", c->who.network);
}

/* -ENOENT, without a word, when the directory is not there and not to be made. */
static int open_store(struct cni_call *c, struct store *store, bool create)
{
	const char *path = store_path(c);

	return path ? store_open(store, path, create, &c->arena, &c->err) : err_nomem(&c->err, "lease directory");
}

static struct pool pool_of(struct cni_call *c, struct store *store)
{
	return (struct pool){
		.store = store, .liveness = { .network = c->who.network, .arena = &c->arena }, .err = &c->err,
		.id = c->who.container, .ifname = c->who.ifname,
		.netns = { c->who.netns, c->pod_fd >= 0 && c->who.netns[0] == '/' ? netns_inode(c->pod_fd) : 0 },
	};
}

/* ---- ADD ---- */

/* The first address asked for that is in the set, taken off the list. False: none. */
static bool next_wanted(struct list *wanted, const struct range_set *s, struct addr *out)
{
	struct addr *all = wanted->items;

	for (size_t i = 0; i < wanted->count; i++) {
		if (!range_set_find(s, &all[i]))
			continue;
		*out = all[i];
		all[i] = all[--wanted->count];
		return true;
	}
	return false;
}

static int take_one(struct cni_call *c, struct pool *pool, struct list *wanted, const struct range_set *s, size_t number)
{
	const struct range *range;
	struct addr asked, got;
	bool is_asked = next_wanted(wanted, s, &asked);
	struct ip_conf *ip;
	int r = pool_take(pool, s, number, is_asked ? &asked : NULL, &got, &range);

	if (r < 0)
		return r;
	ip = result_add_ip(&c->result, &c->arena);
	if (!ip) {
		store_release(pool->store, &got);
		return err_nomem(&c->err, "result");
	}
	ip->address = (struct prefix){ got, range->subnet.len };
	ip->gateway = range->gateway;
	return 0;
}

static bool is_in_range(const struct host_local_conf *conf, const struct addr *a)
{
	for_list (const struct range_set, s, &conf->sets)
		if (range_set_find(s, a))
			return true;
	return false;
}

static int refuse_unmet(struct cni_call *c, const struct list *wanted)
{
	const struct host_local_conf *conf = c->conf;
	char all[400] = "", text[ADDR_TEXT], set[RANGE_SET_TEXT];
	bool outside = false;
	size_t used = 0;

	for_list (const struct addr, a, wanted) {
		if (text_format(all + used, sizeof all - used, " %s", addr_text(a, text)))
			used = strlen(all);
		outside |= !is_in_range(conf, a);
	}
	all[used] = '\0';
	err_set(&c->err, CNI_FAILED, -EADDRNOTAVAIL, "failed to allocate all requested IPs:%s", all);
	if (!outside)
		err_detail(&c->err, "a container gets one address of each set of ranges; want addresses that are in different sets");
	else
		for_list (const struct range_set, s, &conf->sets)
			err_detail(&c->err, "%s%s has %s", s == conf->sets.items ? "outside of the ranges: " : "", s->where, range_set_text(s, set));
	return -EADDRNOTAVAIL;
}

static int take_all(struct cni_call *c, struct pool *pool)
{
	struct host_local_conf *conf = c->conf;
	size_t number = 0;
	int r;

	for_list (const struct range_set, s, &conf->sets)
		if ((r = take_one(c, pool, &conf->wanted, s, number++)) < 0)
			return r;
	return conf->wanted.count ? refuse_unmet(c, &conf->wanted) : 0;
}

static int host_local_add(struct cni_call *c)
{
	const struct host_local_conf *conf = c->conf;
	scoped(store_close) struct store store = STORE_CLOSED;
	struct pool pool;
	int r = 0;

	if (conf->ipam.resolv_conf)
		r = resolv_conf_read(conf->ipam.resolv_conf, "ipam.resolvConf", &c->arena, &c->result.dns, &c->err);
	if (r < 0 || (r = open_store(c, &store, true)) < 0)
		return r;
	pool = pool_of(c, &store);
	r = take_all(c, &pool);
	if (r < 0)
		for_list (const struct ip_conf, ip, &c->result.ips)
			store_release(&store, &ip->address.addr);
	c->result.routes = conf->ipam.routes;
	return r;
}

/* ---- DEL ---- */

static int release_all(struct store *store, const struct list *held)
{
	int r = 0;

	for_list (const struct addr, a, held)
		r = first_failure(r, store_release(store, a));
	return r;
}

/* Nobody's lease is no failure. Files of the older format are looked for where there is none of today's. */
static int host_local_del(struct cni_call *c)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	struct list held = { 0 };
	int r = open_store(c, &store, false);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = store_find(&store, c->who.container, c->who.ifname, &held);
	if (r == 0 && held.count == 0)
		r = store_find(&store, c->who.container, "", &held);
	return first_failure(r, release_all(&store, &held));
}

/* ---- CHECK ---- */

static int count_leases(struct cni_call *c, struct store *store)
{
	struct list held;
	int r = store_find(store, c->who.container, c->who.ifname, &held);

	if (r == 0 && held.count == 0)
		r = store_find(store, c->who.container, "", &held);
	return r < 0 ? r : (int)held.count;
}

static int host_local_check(struct cni_call *c)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	int n, r = open_store(c, &store, false);

	if (r < 0 && r != -ENOENT)
		return r;
	n = r == 0 ? count_leases(c, &store) : 0;
	if (n == 0 && r == 0 && !store.scanned && (n = store_rescan(&store)) == 0)
		n = count_leases(c, &store);
	if (n != 0)
		return n < 0 ? n : 0;
	err_set(&c->err, CNI_FAILED, -ENOENT, "host-local: Failed to find address added by container %s", c->who.container);
	err_detail(&c->err, "no file in %s names it and interface %s", store.path, c->who.ifname);
	return -ENOENT;
}

/* ---- STATUS ---- */

static int host_local_status(struct cni_call *c)
{
	const struct host_local_conf *conf = c->conf;
	scoped(store_close) struct store store = STORE_CLOSED;
	char text[RANGE_SET_TEXT];
	struct pool pool;
	const char *path = store_path(c);
	size_t number = 0;
	int r = path ? store_is_writable(path, &c->arena, &c->err) : err_nomem(&c->err, "lease directory");

	if (r < 0)
		return r;
	if ((r = open_store(c, &store, false)) < 0)
		return r == -ENOENT ? 0 : r;
	pool = pool_of(c, &store);
	for_list (const struct range_set, s, &conf->sets) {
		r = pool_has_room(&pool, s, number++);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		err_set(&c->err, CNI_UNAVAILABLE, -EADDRNOTAVAIL, "no IP addresses available in range set: %s", range_set_text(s, text));
		pool_tell_full(&pool, s);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* ---- GC ---- */

static int host_local_gc(struct cni_call *c)
{
	scoped(store_close) struct store store = STORE_CLOSED;
	int r = open_store(c, &store, false);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return store_collect(&store, &c->net.valid, c->net.dry_run);
}

CNI_PLUGIN("host-local", .about = "gives addresses from ranges, remembered in files on this host", .flags = PLUGIN_NO_NETNS,
           .fields = host_local_fields, .conf_size = sizeof(struct host_local_conf), .settle = host_local_settle_call,
           .add = host_local_add, .del = host_local_del, .check = host_local_check, .status = host_local_status, .gc = host_local_gc);
