/* A namespace's links, addresses, routes and rules as lines. */
#include <stdio.h>
#include <string.h>

#include "test.h"

static const char *name_of(const struct link_seen *links, int index)
{
	for (const struct link_seen *l = links; l->index; l++)
		if (l->index == index)
			return l->name;
	return index ? "?" : "-";
}

void snapshot_net(struct snapshot *s, const char *netns)
{
	struct link_seen *links = links_in(netns);

	for (const struct link_seen *l = links; l->index; l++)
		snapshot_add(s, "link %s: %s %s %s%s mtu %u mac %s master %s promiscuity %u%s%s", netns, l->name, *l->kind ? l->kind : "device",
		             l->flags & IFF_UP ? "up" : "down", l->flags & IFF_PROMISC ? " promisc" : "", l->mtu, l->mac,
		             name_of(links, l->master), l->promiscuity, l->hairpin ? " hairpin" : "", l->isolated ? " isolated" : "");
	for (const struct address_seen *a = addresses_in(netns, true); a->index; a++)
		snapshot_add(s, "address %s: %s %s", netns, name_of(links, a->index), a->text);
	for (char *rest = keep("%s", routes_text(netns)), *line; (line = strsep(&rest, "\n"));)
		if (*line)
			snapshot_add(s, "route %s: %s", netns, line);
	for (const struct rule_seen *r = rules_in(netns); *r->text; r++)
		snapshot_add(s, "rule %s: %u: %s", netns, r->priority, r->text);
}
