/* Where published ports lead to, and who still believes that they lead elsewhere. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "os/conntrack.h"
#include "os/link.h"
#include "os/route.h"
#include "portmap/portmap.h"

static void find_link(struct cni_call *c, struct target *t)
{
	struct err ignored = { 0 };
	struct link l;
	int index = route_link_to(&c->host, &t->address->addr);

	if (index && link_by_index(&c->host, index, &l, &ignored) == 0)
		snprintf(t->link, sizeof t->link, "%s", l.name);
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
		find_link(j->c, &j->targets[j->n_targets++]);
	}
	return r;
}

/* ---- Connections that know another target ---- */

static bool is_local(const struct addr *a, void *call)
{
	struct cni_call *c = call;

	return addr_is_loopback(a) || route_is_local(&c->host, a);
}

void connections_forget(struct job *j, bool others)
{
	const struct list *mappings = mappings_of(j->c);
	struct conntrack_match *matches = arena_alloc(&j->c->arena, (mappings->count * 2 + 1) * sizeof *matches);
	struct err why = { 0 };
	unsigned n = 0;

	if (!matches)
		return;
	for (size_t i = 0; i < j->n_targets; i++)
		for_list (const struct mapping, m, mappings) {
			int family = j->targets[i].address->addr.family;

			if (mapping_concerns(m, family) && !m->repeated)
				matches[n++] = (struct conntrack_match){
					.family = family, .protocol = m->protocol, .port = m->host.first, .port_last = m->host.last,
					.to = mapping_is_exact(m) ? m->host_ip : (struct addr){ 0 }, .target = j->targets[i].address->addr,
					.others = others, .translated = !others || m->protocol != IPPROTO_UDP,
				};
		}
	if (conntrack_forget(matches, n, is_local, j->c, &why) < 0)
		fprintf(stderr, "portmap: %s: %s\n", why.msg, why.details);
}
