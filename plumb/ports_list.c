/* plumb ports: what is published on this host, and for whom, as nftables has it. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "attachments.h"
#include "cni/attach.h"
#include "cni/nftables.h"
#include "plumb.h"
#include "table.h"

/* The maps of spec/ruleset.nft that lead to containers. */
static const struct {
	const char *name;
	int         family;
	bool        exact, gated;       /* the address is in the key; conditions are asked first */
} maps[] = {
	{ "publish4", AF_INET, true, false },          { "publish_any4", AF_INET, false, false },       { "publish_range4", AF_INET, true, false },
	{ "publish_range_any4", AF_INET, false, false }, { "publish_if4", AF_INET, true, true },         { "publish_if_any4", AF_INET, false, true },
	{ "publish6", AF_INET6, true, false },         { "publish_any6", AF_INET6, false, false },      { "publish_range6", AF_INET6, true, false },
	{ "publish_range_any6", AF_INET6, false, false }, { "publish_if6", AF_INET6, true, true },       { "publish_if_any6", AF_INET6, false, true },
};

struct published {
	struct addr host, container;
	uint8_t     protocol;
	uint16_t    first, last, to;    /* to: of first; a range keeps its distance */
	bool        gated;
	char        owner[OWNER_SIZE];
	const struct cached *attachment;        /* NULL: nothing on record */
};

struct listing {
	struct call *c;
	struct list  attached;          /* of struct cached */
	struct list  ports;             /* of struct published */
	size_t       map;
};

/* ---- Reading ---- */

static uint16_t port_at(const struct nft_bytes *b, size_t at)
{
	return (uint16_t)(b->bytes[at] << 8 | b->bytes[at + 1]);
}

static const struct cached *owner_of(const struct listing *l, const char *owner)
{
	char text[OWNER_SIZE];

	for_list (const struct cached, a, &l->attached) {
		attach_owner(a->network, a->endpoint.container, a->endpoint.ifname, text);
		if (!strcmp(text, owner))
			return a;
	}
	return NULL;
}

static bool is_asked_for(const struct listing *l, const struct cached *a)
{
	const struct call *c = l->c;

	if (c->opt.operand_count && !(a && attached_is(a, c->opt.operands[0])))
		return false;
	return c->opt.networks.count == 0 || (a && !strcmp(a->network, *(const char **)c->opt.networks.items));
}

static void put_addr(struct addr *a, int family, const uint8_t *bytes)
{
	a->family = family;
	memcpy(a->bytes, bytes, addr_size(family));
}

/* Keys are (address,) protocol, port; values address (, port). */
static int note(const struct nft_element *el, void *listing)
{
	struct listing *l = listing;
	int family = maps[l->map].family;
	size_t size = addr_size(family), at = maps[l->map].exact ? size : 0;
	const struct nft_bytes *last = el->key_end.len ? &el->key_end : &el->key;
	const struct cached *a = owner_of(l, el->comment);
	struct published *p;

	if (el->key.len < at + 8 || last->len < at + 8 || el->value.len < size || !is_asked_for(l, a))
		return 0;
	p = arena_push(&l->c->arena, &l->ports.items, &l->ports.count, sizeof *p);
	if (!p)
		return err_nomem(&l->c->trouble.err, "ports");
	*p = (struct published){
		.host.family = family, .protocol = el->key.bytes[at], .first = port_at(&el->key, at + 4), .last = port_at(last, at + 4),
		.gated = maps[l->map].gated, .attachment = a,
	};
	p->to = el->value.len > size ? port_at(&el->value, size) : p->first;
	if (at)
		put_addr(&p->host, family, el->key.bytes);
	put_addr(&p->container, family, el->value.bytes);
	snprintf(p->owner, sizeof p->owner, "%s", el->comment);
	return 0;
}

static int read_maps(struct nft *nft, void *listing)
{
	struct listing *l = listing;
	int r = 0;

	l->ports = (struct list){ 0 };
	for (l->map = 0; l->map < ARRAY_LEN(maps) && r == 0; l->map++)
		r = nft_each(nft, &(struct nft_set){ &nft_inet, maps[l->map].name }, note, l, &l->c->trouble.err);
	return r;
}

/* ---- Telling ---- */

static int compare(const void *one, const void *other)
{
	const struct published *a = one, *b = other;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->host.family != b->host.family)
		return a->host.family < b->host.family ? -1 : 1;
	return memcmp(a->host.bytes, b->host.bytes, sizeof a->host.bytes);
}

static const char *protocol_name(const struct published *p)
{
	return p->protocol == IPPROTO_TCP ? "tcp" : p->protocol == IPPROTO_UDP ? "udp" : "sctp";
}

static const char *place(struct call *c, const struct addr *a, unsigned first, unsigned last)
{
	char text[ADDR_TEXT];
	bool six = a->family == AF_INET6;
	const char *range = first == last ? "" : arena_printf(&c->arena, "-%u", last);

	return arena_printf(&c->arena, "%s%s%s:%u%s", six ? "[" : "", addr_text(a, text), six ? "]" : "", first, range ? range : "");
}

static const char *network_of(struct call *c, const struct published *p)
{
	return p->attachment ? p->attachment->network : arena_printf(&c->arena, "%.*s", (int)strcspn(p->owner, "/"), p->owner);
}

static void tell_row(struct listing *l, struct table *t, const struct published *p)
{
	struct call *c = l->c;
	char holder[256];
	const char *host = place(c, &p->host, p->first, p->last), *to = place(c, &p->container, p->to, p->to + (p->last - p->first));

	table_row(c, t, (const char *[]){ arena_printf(&c->arena, "%s/%s", host, protocol_name(p)), to,
	                                  p->attachment ? attached_name(p->attachment) : arena_strdup(&c->arena, attach_describe(p->owner, holder, sizeof holder)),
	                                  network_of(c, p), p->gated ? "under conditions" : p->attachment ? "" : "not on record" });
}

static json_t *json_of(struct listing *l, const struct published *p)
{
	char host[ADDR_TEXT], to[ADDR_TEXT];

	return json_pack("{s:s, s:i, s:i, s:s, s:s, s:i, s:s, s:s*, s:s*, s:b}", "hostIP", addr_text(&p->host, host), "hostPort", p->first,
	                 "hostPortEnd", p->last, "protocol", protocol_name(p), "containerIP", addr_text(&p->container, to), "containerPort", p->to, "network", network_of(l->c, p), "container",
	                 p->attachment ? p->attachment->endpoint.container : NULL, "name",
	                 p->attachment ? attached_name(p->attachment) : NULL, "conditions", p->gated);
}

/* A container that nobody knows is a mistake, and no container without ports. */
static int check_container(struct call *c, const struct list *attached)
{
	const char *wanted = c->opt.operand_count ? c->opt.operands[0] : NULL;

	for_list (const struct cached, a, attached)
		if (!wanted || attached_is(a, wanted))
			return 0;
	return wanted ? attached_refuse_unknown(c, wanted) : 0;
}

int ports_run(struct call *c)
{
	struct listing l = { .c = c };
	struct table table = { .columns = 5 };
	json_t *json = call_keep(c, json_array());
	int r = attachments_of(c, NULL, &l.attached);

	if (r == 0 && (r = check_container(c, &l.attached)) == 0)
		r = nft_transact(&(struct nft_work){ .table = &nft_inet, .decide = read_maps, .arg = &l, .reads = true }, &c->trouble.err);
	if (r < 0)
		return r;
	if (l.ports.count)
		qsort(l.ports.items, l.ports.count, sizeof(struct published), compare);
	table_row(c, &table, (const char *[]){ "HOST", "TO", "CONTAINER", "NETWORK", "" });
	for_list (const struct published, p, &l.ports)
		if (c->opt.json)
			json_array_append_new(json, json_of(&l, p));
		else
			tell_row(&l, &table, p);
	if (c->opt.json)
		print_json(json);
	else
		table_print(&table);
	return EXIT_DONE;
}
