#include "host-local/pool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* "failed to allocate for range 0: …", as the reference plugin has it; returns ret. */
static int __attribute__((format(printf, 4, 5))) refuse(struct pool *p, size_t number, int ret, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	return err_set(p->err, CNI_FAILED, ret, "failed to allocate for range %zu: %s", number, words);
}

/* ---- Who holds it ---- */

/* Makes room when the address's holder is dead, or is none. 1: it is free, 0: it is held, by the one in *file; else negative. */
static int reclaim(struct pool *p, const struct addr *a, struct lease_file *file)
{
	const struct lease_record *record;
	int r = store_look(p->store, a, file, &record);

	if (r < 0 && r != -ENOENT) {            /* whose it is cannot be told: somebody's */
		err_clear(p->err);
		return 0;
	}
	if (r == 0 && !lease_is_dead(&p->liveness, file, record))
		return 0;
	if (r == -ENOENT && !record)
		return 1;
	r = store_release(p->store, a);
	return r < 0 ? r : 1;
}

/* ADD comes once for a container's interface, whether it asks for an address or not: what it holds is refused, or given back when
 * that is of an earlier life of it. ifname: "" for files of the older format. */
static int refuse_second(struct pool *p, const struct range_set *s, size_t number, const char *ifname)
{
	struct list held;
	int r = store_find(p->store, p->id, ifname, &held);

	if (r < 0)
		return r;
	for_list (const struct addr, a, &held) {
		struct lease_file file;
		char text[ADDR_TEXT];

		if (!range_set_find(s, a) || (r = reclaim(p, a, &file)) > 0)
			continue;
		if (r < 0)
			return r;
		refuse(p, number, -EEXIST, "%s has been allocated to %s, duplicate allocation is not allowed", addr_text(a, text), p->id);
		err_detail(p->err, "its file is %s/%s; DEL for this container and interface (%s) gives it back", p->store->path, text, p->ifname);
		return -EEXIST;
	}
	return 0;
}

/* ---- The address that was asked for ---- */

static int refuse_taken(struct pool *p, const struct range_set *s, size_t number, const struct addr *wanted,
                        const struct lease_file *holder)
{
	char text[ADDR_TEXT], set[RANGE_SET_TEXT];

	refuse(p, number, -EADDRINUSE, "requested IP address %s is not available in range set %s", addr_text(wanted, text),
	       range_set_text(s, set));
	err_detail(p->err, "held by container \"%s\"%s%s (file %s/%s); ask for another address, or remove that container",
	           *holder->id ? holder->id : "?", *holder->ifname ? ", interface " : "", holder->ifname, p->store->path, text);
	return -EADDRINUSE;
}

/* Before anything is given back: an address that is not to be had changes nothing. */
static int make_way(struct pool *p, const struct range_set *s, size_t number, const struct addr *wanted)
{
	struct lease_file holder;
	char text[ADDR_TEXT];
	int r;

	if (range_set_is_gateway(s, wanted))
		return refuse(p, number, -EADDRINUSE, "requested ip %s is subnet's gateway", addr_text(wanted, text));
	r = reclaim(p, wanted, &holder);
	return r < 0 ? r : r == 0 ? refuse_taken(p, s, number, wanted, &holder) : 0;
}

/* ---- The next address ---- */

/* Takes the first free address behind the last one given. thorough: by the files, with those of the dead; else by the index.
 * -EADDRNOTAVAIL without a word: there is none. */
static int take_next(struct pool *p, const struct range_set *s, const struct addr *last, bool thorough, struct addr *got)
{
	struct lease_file holder;
	struct range_walk w;
	int r;

	range_walk_begin(&w, s, last);
	while (range_walk_next(&w)) {
		if (store_holds(p->store, &w.here) && !thorough)
			continue;
		r = thorough ? reclaim(p, &w.here, &holder) : 1;
		if (r > 0)
			r = store_reserve(p->store, &w.here, p->id, p->ifname, &p->netns);
		else if (r == 0)
			r = -EEXIST;
		*got = w.here;
		if (r != -EEXIST)
			return r;
	}
	return -EADDRNOTAVAIL;
}

void pool_tell_full(const struct pool *p, const struct range_set *s)
{
	uint64_t held = 0;

	for (const struct lease_record *r = NULL; (r = store_walk(p->store, r));) {
		struct addr a = lease_record_address(r);

		held += range_set_find(s, &a) && !range_set_is_gateway(s, &a);
	}
	err_detail(p->err, "%llu of %llu addresses are held, by containers that are not known to be gone; their files are in %s",
	           (unsigned long long)held, (unsigned long long)range_set_size(s), p->store->path);
	err_detail(p->err, "widen the ranges of %s, remove containers or, where they went without DEL, let the runtime call GC", s->where);
}

static int take_any(struct pool *p, const struct range_set *s, size_t number, struct addr *got)
{
	struct addr last = last_reserved_read(p->store->dir, number);
	char set[RANGE_SET_TEXT];
	int r = take_next(p, s, &last, false, got);

	if (r != -EADDRNOTAVAIL)
		return r;
	if (!p->store->scanned && (r = store_rescan(p->store)) < 0)
		return r;
	r = take_next(p, s, &last, true, got);
	if (r != -EADDRNOTAVAIL)
		return r;
	refuse(p, number, r, "no IP addresses available in range set: %s", range_set_text(s, set));
	pool_tell_full(p, s);
	return r;
}

int pool_take(struct pool *p, const struct range_set *s, size_t number, const struct addr *wanted, struct addr *got,
              const struct range **range)
{
	int r = wanted ? make_way(p, s, number, wanted) : 0;

	if (r < 0 || (r = refuse_second(p, s, number, p->ifname)) < 0 || (r = refuse_second(p, s, number, "")) < 0)
		return r;
	if (wanted) {
		*got = *wanted;
		r = store_reserve(p->store, wanted, p->id, p->ifname, &p->netns);
	} else {
		r = take_any(p, s, number, got);
	}
	if (r < 0)
		return r;
	last_reserved_write(p->store->dir, number, got);
	*range = range_set_find(s, got);
	return 0;
}

int pool_has_room(struct pool *p, const struct range_set *s, size_t number)
{
	struct addr last = last_reserved_read(p->store->dir, number);
	const struct lease_record *record;
	struct lease_file file;
	struct range_walk w;
	int r;

	range_walk_begin(&w, s, &last);
	while (range_walk_next(&w))
		if (!store_holds(p->store, &w.here))
			return 1;
	if (!p->store->scanned && (r = store_rescan(p->store)) < 0)
		return r;
	range_walk_begin(&w, s, &last);
	while (range_walk_next(&w)) {
		r = store_look(p->store, &w.here, &file, &record);
		if (r == -ENOENT || (r == 0 && lease_is_dead(&p->liveness, &file, record)))
			return 1;
		if (r < 0)
			err_clear(p->err);      /* whose it is cannot be told: somebody's */
	}
	return 0;
}
