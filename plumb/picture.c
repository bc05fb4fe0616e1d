#include "picture.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "plumb.h"

enum { ODD_PORT = 9, PAIRS_LIMIT = 400 };       /* a port that no policy is about */

/* ---- Ways ---- */

/* A living container, if possible one that is on this network alone: others may leave by another. */
static const struct seen_attachment *living(const struct survey *s, const struct seen_network *n)
{
	const struct seen_attachment *second = NULL;

	for_list (const struct seen_attachment *, a, &n->attachments) {
		if ((*a)->fault)
			continue;
		if (!attachment_is_elsewhere_too(s, *a))
			return *a;
		second = *a;
	}
	return second;
}

static const struct addr *any_address(const struct seen_attachment *a, int *family)
{
	const struct addr *found = attachment_address(a, AF_INET);

	if (!found)
		found = attachment_address(a, AF_INET6);
	*family = found ? found->family : 0;
	return found;
}

/* Without a living container, by what the configuration says. */
static void settle_by_conf(struct picture *p, struct drawn_network *d)
{
	const struct seen_network *n = d->network;
	int family = n->subnets.count ? ((const struct seen_subnet *)n->subnets.items)->net.addr.family : AF_INET;
	const struct seen_link *up = survey_link_at(p->s, route_default_link(&p->s->nl, family));

	d->way = n->internal || n->subnets.count == 0 ? OUT_NONE : n->masquerades ? OUT_MASQUERADED : OUT_ROUTED;
	d->why = n->internal ? "internal" : "";
	d->uplink = up && d->way != OUT_NONE ? up->link.name : NULL;
}

/* What would become of a container's packet to some far place. */
static void settle_way(struct picture *p, struct drawn_network *d)
{
	const struct seen_attachment *a = living(p->s, d->network);
	struct trip t = { .origin = FROM_CONTAINER, .from = a, .port = ODD_PORT, .protocol = IPPROTO_TCP };
	struct journey j;
	int family;

	if (!a || !any_address(a, &family)) {
		settle_by_conf(p, d);
		return;
	}
	addr_parse(family == AF_INET ? "192.0.0.8" : "2001:db8:ffff:ffff::1", &t.to);
	journey_make(p->rs, p->s, &t, &j);
	if (j.trip.from->network != d->network) {
		settle_by_conf(p, d);
		return;
	}
	d->way = j.outcome == FAILS ? OUT_NONE : j.masqueraded ? OUT_MASQUERADED : OUT_ROUTED;
	d->why = d->network->internal ? "internal" : j.why;
	d->uplink = j.outcome == FAILS ? NULL : j.p.out;
}

static void settle_pair(struct picture *p, const struct seen_network *a, const struct seen_network *b)
{
	const struct seen_attachment *from = living(p->s, a), *to = living(p->s, b);
	struct trip t = { .origin = FROM_CONTAINER, .from = from, .port = ODD_PORT, .protocol = IPPROTO_TCP };
	const struct addr *address;
	struct apart *slot;
	struct journey j;
	int family;

	if (!from || !to || attachment_same_container(from, to) || !(address = any_address(to, &family)) || !attachment_address(from, family))
		return;
	t.to = *address;
	journey_make(p->rs, p->s, &t, &j);
	if (j.outcome == FAILS && j.rule && j.trip.from->network == a &&
	    (slot = arena_push(&p->s->c->arena, &p->apart.items, &p->apart.count, sizeof *slot)))
		*slot = (struct apart){ a, b, j.rule };
}

static void settle_pairs(struct picture *p)
{
	const struct drawn_network *nets = p->networks.items;

	for (size_t i = 0; i < p->networks.count; i++)
		for (size_t k = i + 1; k < p->networks.count && p->networks.count * p->networks.count < PAIRS_LIMIT; k++) {
			size_t before = p->apart.count;

			settle_pair(p, nets[i].network, nets[k].network);
			if (p->apart.count == before)
				settle_pair(p, nets[k].network, nets[i].network);
		}
}

/* ---- Who is drawn ---- */

static int rank(const struct seen_attachment *a)
{
	return a->fault ? 0 : attached_ports(&a->record) ? 1 : 2;
}

static void show(struct picture *p, struct drawn_network *d, const struct seen_attachment *a)
{
	struct list *to = d->shown.count < SHOWN_LIMIT ? &d->shown : &d->rest;
	const struct seen_attachment **slot = arena_push(&p->s->c->arena, &to->items, &to->count, sizeof(void *));

	if (slot)
		*slot = a;
}

static int by_rank_and_address(const void *x, const void *y)
{
	const struct seen_attachment *a = *(const struct seen_attachment *const *)x, *b = *(const struct seen_attachment *const *)y;
	const struct addr *p, *q;
	int family;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	p = any_address(a, &family);
	q = any_address(b, &family);
	return p && q && p->family == q->family ? addr_compare(p, q) : strcmp(a->name, b->name);
}

/* One that is left over is drawn rather than counted. */
static void show_all(struct picture *p, struct drawn_network *d)
{
	const struct list *all = &d->network->attachments;

	if (all->count)
		qsort(all->items, all->count, sizeof(void *), by_rank_and_address);
	for_list (const struct seen_attachment *, a, all)
		show(p, d, *a);
	if (d->rest.count == 1) {
		const struct seen_attachment **slot = arena_push(&p->s->c->arena, &d->shown.items, &d->shown.count, sizeof(void *));

		if (slot)
			*slot = *(const struct seen_attachment **)d->rest.items;
		d->rest.count = 0;
	}
}

static bool is_wanted(const struct seen_network *n, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, n->name))
			return true;
	return false;
}

static int refuse_unknown(const struct survey *s, char *const *names)
{
	for (; *names; names++)
		if (!survey_network(s, *names))
			return trouble_set(&s->c->trouble, EXIT_NO_NETWORK, -ENOENT, "no network \"%.*s\" in %s, and nothing is attached to one",
					   NAME_MAX_LEN, *names, s->c->opt.conf_dir);
	return 0;
}

const struct seen_attachment *picture_first(const struct picture *p, const struct seen_attachment *a)
{
	for_list (const struct drawn_network, d, &p->networks)
		for_list (const struct seen_attachment *, other, &d->shown)
			if (attachment_same_container(*other, a))
				return *other;
	return a;
}

static void count_containers(struct picture *p)
{
	for_list (const struct drawn_network, d, &p->networks) {
		p->containers += d->rest.count;
		for_list (const struct seen_attachment *, a, &d->shown)
			p->containers += picture_first(p, *a) == *a;
	}
}

int picture_make(struct survey *s, struct ruleset *rs, char *const *names, struct picture *p)
{
	int r = refuse_unknown(s, names);

	*p = (struct picture){ .s = s, .rs = rs };
	if (r < 0)
		return r;
	for_list (const struct seen_network, n, &s->networks) {
		struct drawn_network *d = is_wanted(n, names) ? arena_push(&s->c->arena, &p->networks.items, &p->networks.count, sizeof *d) : NULL;

		if (!d)
			continue;
		*d = (struct drawn_network){ .network = n };
		settle_way(p, d);
		show_all(p, d);
	}
	settle_pairs(p);
	count_containers(p);
	return 0;
}
