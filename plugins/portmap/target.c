/* Where published ports lead to, and who still believes that they lead elsewhere. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "os/conntrack.h"
#include "os/link.h"
#include "os/route.h"
#include "portmap/portmap.h"

/* There need be none any more. */
static int find_link(struct cni_call *c, struct target *t)
{
	char text[ADDR_TEXT];
	int r = route_link_to(&c->host, &t->address->addr);

	if (r < 0)
		return err_sys(&c->err, CNI_FAILED, r, "asking for the route to %s", addr_text(&t->address->addr, text));
	if (r > 0 && (r = link_name_of(&c->host, r, t->link)) < 0 && r != -ENODEV)
		return err_sys(&c->err, CNI_FAILED, r, "asking for the link to %s", addr_text(&t->address->addr, text));
	return 0;
}

int targets_find(struct job *j)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = call_host(j->c);

	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++) {
		const struct ip_conf *ip = result_pod_ip(&j->c->prev, families[i], j->c->who.ifname);

		if (!ip)
			continue;
		j->targets[j->n_targets].address = &ip->address;
		r = find_link(j->c, &j->targets[j->n_targets++]);
	}
	return r;
}

/* ---- Connections that know another target ---- */

static bool is_local(const struct addr *a, void *call)
{
	struct cni_call *c = call;

	return addr_is_loopback(a) || route_is_local(&c->host, a);
}

static void forget(struct job *j, const struct conntrack_match *matches, size_t n)
{
	struct err why = { 0 };

	if (conntrack_forget(matches, (unsigned)n, is_local, j->c, &why) < 0)
		fprintf(stderr, "portmap: %s: %s\n", why.msg, why.details);
}

/* Of TCP, whose connections end, another container's are its own DEL's to forget. */
void connections_to_others_forget(struct job *j)
{
	struct list matches = { 0 };
	struct conntrack_match *slot;

	for (size_t i = 0; i < j->n_targets; i++)
		for_list (const struct mapping, m, mappings_of(j->c)) {
			const struct addr *target = &j->targets[i].address->addr;

			if (mapping_concerns(m, target->family) && !m->repeated && m->protocol != IPPROTO_TCP &&
			    (slot = arena_push(&j->c->arena, &matches.items, &matches.count, sizeof *slot)))
				*slot = (struct conntrack_match){
					.family = target->family, .protocol = m->protocol, .port = m->host.first, .port_last = m->host.last,
					.to = mapping_is_exact(m) ? m->host_ip : (struct addr){ 0 }, .target = *target,
					.others = true, .translated = m->protocol != IPPROTO_UDP,
				};
		}
	forget(j, matches.items, matches.count);
}

/* One look finds all that was translated to a container by a protocol, by whatever port it came. */
static void note_own(struct cni_call *c, struct list *matches, uint8_t protocol, const struct addr *target)
{
	struct conntrack_match *slot;

	for_list (const struct conntrack_match, m, matches)
		if (m->protocol == protocol && addr_equal(&m->target, target))
			return;
	slot = arena_push(&c->arena, &matches->items, &matches->count, sizeof *slot);
	if (slot)
		*slot = (struct conntrack_match){
			.family = target->family, .protocol = protocol, .port_last = UINT16_MAX, .target = *target, .translated = true,
		};
}

/* Whose ports are gone is known by these, whatever DEL is told; and by what it is told, if a DEL before this one has removed them. */
void connections_to_own_forget(struct job *j)
{
	struct list matches = { 0 };

	for_list (const struct conntrack_match, gone, &j->gone)
		note_own(j->c, &matches, gone->protocol, &gone->target);
	for (size_t i = 0; i < j->n_targets; i++)
		for_list (const struct mapping, m, mappings_of(j->c))
			if (mapping_concerns(m, j->targets[i].address->addr.family))
				note_own(j->c, &matches, m->protocol, &j->targets[i].address->addr);
	forget(j, matches.items, matches.count);
}

/* Keys are (address,) protocol, port; values address (, port). Elements without a value publish nothing. */
static bool read_published(const struct nft_element *el, struct conntrack_match *out)
{
	const struct nft_bytes *key = &el->key, *last = el->key_end.len ? &el->key_end : key;
	size_t size = el->value.len >= 16 ? 16 : 4, rest = key->len - 8;

	if (el->value.len < 4 || key->len < 8 || last->len != key->len || (rest != 0 && rest != size))
		return false;
	*out = (struct conntrack_match){
		.family = size == 16 ? AF_INET6 : AF_INET, .protocol = key->bytes[rest], .translated = true,
		.port = (uint16_t)(key->bytes[rest + 4] << 8 | key->bytes[rest + 5]), .port_last = (uint16_t)(last->bytes[rest + 4] << 8 | last->bytes[rest + 5]),
	};
	out->target.family = out->family;
	memcpy(out->target.bytes, el->value.bytes, size);
	if (rest) {
		out->to.family = out->family;
		memcpy(out->to.bytes, key->bytes, size);
	}
	return true;
}

void port_note_gone(const struct nft_set *set, const struct nft_element *el, void *job)
{
	struct conntrack_match match, *slot;
	struct job *j = job;

	(void)set;
	if (read_published(el, &match) && (slot = arena_push(&j->c->arena, &j->gone.items, &j->gone.count, sizeof *slot)))
		*slot = match;
}

void connections_to_gone_forget(struct job *j)
{
	forget(j, j->gone.items, j->gone.count);
}
