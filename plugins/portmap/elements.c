#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/attach.h"
#include "os/address.h"
#include "portmap/portmap.h"

enum { SHADOWS = 64 };                  /* addresses of the host that are looked at: more are not those of its links to others */

/* Each kind of place in the ruleset: for an address of the host that is named, and for any. */
struct place {
	struct nft_pair exact, any;
};
static const struct place publish = { { { &nft_inet, "publish4" }, { &nft_inet, "publish6" } }, { { &nft_inet, "publish_any4" }, { &nft_inet, "publish_any6" } } };
static const struct place range = { { { &nft_inet, "publish_range4" }, { &nft_inet, "publish_range6" } },
                                    { { &nft_inet, "publish_range_any4" }, { &nft_inet, "publish_range_any6" } } };
static const struct place gate = { { { &nft_inet, "gate4" }, { &nft_inet, "gate6" } }, { { &nft_inet, "gate_any4" }, { &nft_inet, "gate_any6" } } };
static const struct place publish_if = { { { &nft_inet, "publish_if4" }, { &nft_inet, "publish_if6" } },
                                         { { &nft_inet, "publish_if_any4" }, { &nft_inet, "publish_if_any6" } } };
/* What is reached at ::1 too; the address is not in the key. */
static const struct nft_set loopback = { &nft_inet, "loopback6" }, loopback_any = { &nft_inet, "loopback_any6" };
static const struct nft_set loopback_range = { &nft_inet, "loopback_range6" }, loopback_range_any = { &nft_inet, "loopback_range_any6" };
static const struct nft_pair strict = { { &nft_inet, "strict4" }, { &nft_inet, "strict6" } };
static const struct nft_pair hairpin = { { &nft_inet, "hairpin4" }, { &nft_inet, "hairpin6" } };
static const struct nft_pair self = { { &nft_inet, "self4" }, { &nft_inet, "self6" } };
static const struct nft_pair masq_all = { { &nft_inet, "masq_all4" }, { &nft_inet, "masq_all6" } };
static const struct nft_set localnet = { &nft_inet, "localnet4" };

#define BOTH(pair) &(pair).v4, &(pair).v6
const struct nft_set *const portmap_sets[] = {
	BOTH(publish.exact), BOTH(publish.any), BOTH(range.exact), BOTH(range.any), BOTH(gate.exact), BOTH(gate.any), BOTH(publish_if.exact), BOTH(publish_if.any),
	BOTH(strict), BOTH(hairpin), BOTH(self), BOTH(masq_all), &localnet, &loopback, &loopback_any, &loopback_range, &loopback_range_any, NULL,
};

static const struct nft_set *at(const struct place *p, const struct mapping *m, int family)
{
	return nft_of(mapping_is_exact(m) ? &p->exact : &p->any, family);
}

static struct nft_element owned(const struct cni_call *c)
{
	struct nft_element el = { .comment = "" };

	snprintf(el.comment, sizeof el.comment, "%s", c->who.owner);
	return el;
}

/* ---- Ports ---- */

static void put_key(struct nft_bytes *key, const struct mapping *m, uint32_t port)
{
	if (mapping_is_exact(m))
		nft_put_addr(key, &m->host_ip);
	nft_put_u8(key, m->protocol);
	nft_put_port(key, port);
}

/* A mapping under conditions is not reached at ::1: they are about other places. */
static bool mapping_is_at_loopback(const struct cni_call *c, const struct mapping *m, int family)
{
	const struct portmap_conf *conf = c->conf;

	return family == AF_INET6 && (conf->snat || conf->masq_all) && (!mapping_is_exact(m) || addr_is_loopback(&m->host_ip)) && !mapping_is_gated(c, m, family);
}

static int publish_at_loopback(struct cni_call *c, const struct mapping *m, element_fn *each, void *arg)
{
	struct nft_element el = owned(c);

	nft_put_u8(&el.key, m->protocol);
	nft_put_port(&el.key, m->host.first);
	if (!mapping_is_range(m))
		return each(mapping_is_exact(m) ? &loopback : &loopback_any, &el, arg);
	nft_put_u8(&el.key_end, m->protocol);
	nft_put_port(&el.key_end, m->host.last);
	return each(mapping_is_exact(m) ? &loopback_range : &loopback_range_any, &el, arg);
}

bool publish_is_at_loopback(const struct nft_set *set)
{
	return set == &loopback || set == &loopback_any || set == &loopback_range || set == &loopback_range_any;
}

static int publish_range(struct cni_call *c, const struct mapping *m, const struct target *t, element_fn *each, void *arg)
{
	struct nft_element el = owned(c);

	put_key(&el.key, m, m->host.first);
	put_key(&el.key_end, m, m->host.last);
	nft_put_addr(&el.value, &t->address->addr);
	return each(at(&range, m, t->address->addr.family), &el, arg);
}

static int publish_gated(struct cni_call *c, const struct mapping *m, const struct nft_element *port, int family, element_fn *each, void *arg)
{
	struct nft_element el = owned(c), inner = *port;
	int r;

	el.key = port->key;
	gate_name(c, m, family, el.chain);
	r = each(at(&gate, m, family), &el, arg);
	return r != 0 ? r : each(at(&publish_if, m, family), &inner, arg);
}

static int publish_port(struct cni_call *c, const struct mapping *m, const struct target *t, element_fn *each, void *arg)
{
	const struct portmap_conf *conf = c->conf;
	int family = t->address->addr.family, r;
	struct nft_element el = owned(c), guard = owned(c);

	put_key(&el.key, m, m->host.first);
	nft_put_addr(&el.value, &t->address->addr);
	nft_put_port(&el.value, m->container.first);
	guard.key = el.key;
	r = mapping_is_gated(c, m, family) ? publish_gated(c, m, &el, family, each, arg) : each(at(&publish, m, family), &el, arg);
	return r == 0 && conf->strict_host_ip && mapping_is_exact(m) ? each(nft_of(&strict, family), &guard, arg) : r;
}

int publish_each(struct cni_call *c, const struct mapping *m, const struct target *t, element_fn *each, void *arg)
{
	int family = t->address->addr.family, r;

	if (!mapping_concerns(m, family) || m->repeated)
		return 0;
	r = (mapping_is_range(m) ? publish_range : publish_port)(c, m, t, each, arg);
	return r == 0 && mapping_is_at_loopback(c, m, family) ? publish_at_loopback(c, m, each, arg) : r;
}

int publish_rivals(struct cni_call *c, const struct mapping *m, int family, element_fn *each, void *arg)
{
	const struct nft_set *single = at(mapping_is_gated(c, m, family) ? &publish : &gate, m, family);
	struct nft_element el = { .comment = "" }, same;
	int r;

	put_key(&el.key, m, m->host.first);
	same = el;
	r = each(single, &el, arg);
	return r == 0 ? each(at(&range, m, family), &same, arg) : r;
}

static int note_address(const struct prefix *address, void *job)
{
	struct job *j = job;
	static const uint8_t link_local[] = { 0xfe, 0x80 };
	const struct addr *a = &address->addr;
	struct addr *slot;

	if (a->family == AF_INET6 && !memcmp(a->bytes, link_local, sizeof link_local))
		return 0;
	for_list (const struct addr, seen, &j->host_addresses)
		if (addr_equal(seen, a))
			return 0;
	if (j->host_addresses.count == SHADOWS)
		return 1;
	slot = arena_push(&j->c->arena, &j->host_addresses.items, &j->host_addresses.count, sizeof *slot);
	if (!slot)
		return err_nomem(&j->c->err, "addresses");
	*slot = *a;
	return 0;
}

/* 1: there was one, and it goes. */
static int evict_at(struct job *j, const struct nft_pair *pair, const struct addr *address)
{
	const struct nft_set *set = nft_of(pair, address->family);
	struct nft_element el = { .comment = "" };
	int r;

	nft_put_addr(&el.key, address);
	nft_put_u8(&el.key, j->mapping->protocol);
	nft_put_port(&el.key, j->mapping->host.first);
	r = nft_find(j->nft, set, &el, &j->c->err);
	if (r != 1 || nft_owned_by(&el, j->c->who.owner) || !nft_owner_is_dead(el.comment))
		return r < 0 ? r : 0;
	nft_remove_once(j->nft, set, &el);
	return 1;
}

static int evict_each(struct job *j, const struct addr *address)
{
	int single = evict_at(j, &publish.exact, address), gated = single < 0 ? single : evict_at(j, &gate.exact, address);
	int r = gated < 0 ? gated : evict_at(j, &range.exact, address);

	if (r >= 0 && gated == 1)
		r = evict_at(j, &publish_if.exact, address);
	return r >= 0 && (single == 1 || gated == 1) ? evict_at(j, &strict, address) : r;
}

/* (A port of somebody who lives stays: on one address and on all are two things.) */
int shadows_evict(struct job *j)
{
	int family = j->target->address->addr.family, r = 0;

	if (mapping_is_exact(j->mapping))
		return 0;
	if (!j->host_addresses.given)
		r = address_each(&j->c->host, 0, 0, note_address, j, &j->c->err);
	j->host_addresses.given = true;
	for_list (const struct addr, address, &j->host_addresses)
		if (r >= 0 && address->family == family)
			r = evict_each(j, address);
	return r < 0 ? r : 0;
}

/* By their bytes, keys of one set are in the order of address, protocol and port. */
static bool is_between(const struct nft_bytes *key, const struct nft_bytes *first, const struct nft_bytes *last)
{
	return memcmp(key->bytes, first->bytes, key->len) >= 0 && memcmp(key->bytes, last->bytes, key->len) <= 0;
}

/* An element of somebody else's with a port of the range at hand. What has the range's first port in the same set is left to the claim. */
static int refuse_inside(const struct nft_element *el, void *job)
{
	struct job *j = job;
	const struct mapping *m = j->mapping;
	const struct nft_bytes *end = el->key_end.len ? &el->key_end : &el->key;
	struct nft_bytes first = { .len = 0 }, last = { .len = 0 };
	char holder[256];

	put_key(&first, m, m->host.first);
	put_key(&last, m, m->host.last);
	if (el->key.len != first.len || nft_owned_by(el, j->c->who.owner) || (!is_between(&el->key, &first, &last) && !is_between(&first, &el->key, end)))
		return 0;
	if (el->key_end.len && is_between(&first, &el->key, end))
		return 0;
	if (nft_owner_is_dead(el->comment)) {
		nft_remove_once(j->nft, j->set, el);
		return 0;
	}
	err_set(&j->c->err, CNI_FAILED, -EADDRINUSE, "%s: port %u is taken by %s", j->what, el->key.bytes[first.len - 4] << 8 | el->key.bytes[first.len - 3],
	        attach_describe(el->comment, holder, sizeof holder));
	err_detail(&j->c->err, "DEL or GC that attachment, or publish a range without it");
	return -EADDRINUSE;
}

/* Of others' ports there is no index by range: this looks at all of them, which only a range has to do. */
int range_is_free(struct job *j)
{
	const struct place *const places[] = { &publish, &gate, &range };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(places) && r == 0; i++) {
		j->set = at(places[i], j->mapping, j->target->address->addr.family);
		r = nft_each(j->nft, j->set, refuse_inside, j, &j->c->err);
	}
	return r;
}

/* ---- The host's address as source ---- */

int snat_each(struct cni_call *c, const struct target *t, element_fn *each, void *arg)
{
	const struct portmap_conf *conf = c->conf;
	int family = t->address->addr.family, r = 0;
	struct nft_element el = owned(c), pair;

	nft_put_addr(&el.key, &t->address->addr);
	if (conf->masq_all)
		return each(nft_of(&masq_all, family), &el, arg);
	if (!conf->snat)
		return 0;
	pair = el;
	nft_put_addr(&pair.key, &t->address->addr);
	r = each(nft_of(&self, family), &pair, arg);
	return r == 0 && family == AF_INET ? each(&localnet, &el, arg) : r;
}

int snat_by_link(struct cni_call *c, const struct target *t, element_fn *each, void *arg)
{
	const struct portmap_conf *conf = c->conf;
	struct nft_element el = owned(c);

	if (!conf->snat || conf->masq_all || !*t->link)
		return 0;
	nft_put_addr(&el.key, &t->address->addr);
	nft_put_ifname(&el.key, t->link);
	return each(nft_of(&hairpin, t->address->addr.family), &el, arg);
}
