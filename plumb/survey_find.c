/* Finding in a survey. */
#include <string.h>

#include "survey.h"

struct seen_network *survey_network(const struct survey *s, const char *name)
{
	for_list (struct seen_network, n, &s->networks)
		if (!strcmp(n->name, name))
			return n;
	return NULL;
}

const struct seen_link *survey_link(const struct survey *s, const char *name)
{
	for_list (const struct seen_link, l, &s->links)
		if (!strcmp(l->link.name, name))
			return l;
	return NULL;
}

const struct seen_link *survey_link_at(const struct survey *s, int index)
{
	for_list (const struct seen_link, l, &s->links)
		if (l->link.index == index)
			return l;
	return NULL;
}

static bool has_address(const struct list *prefixes, const struct addr *a)
{
	for_list (const struct prefix, p, prefixes)
		if (addr_equal(&p->addr, a))
			return true;
	return false;
}

const struct seen_attachment *survey_owner(const struct survey *s, const struct addr *address)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (!a->fault && has_address(&a->addresses, address))
			return a;
	return NULL;
}

const struct seen_link *survey_local(const struct survey *s, const struct addr *a)
{
	for_list (const struct seen_link, l, &s->links)
		if (has_address(&l->addresses, a) || (addr_is_loopback(a) && !strcmp(l->link.name, "lo")))
			return l;
	return NULL;
}

bool survey_is_uplink(const struct survey *s, const struct seen_link *l)
{
	if (l->addresses.count == 0 || !strcmp(l->link.name, "lo"))
		return false;
	for_list (const struct seen_network, n, &s->networks)
		if (n->link == l && strcmp(n->type ? n->type : "", "macvlan") && strcmp(n->type ? n->type : "", "ipvlan"))
			return false;
	for_list (const struct seen_attachment, a, &s->attachments)
		if (a->near == l && a->has_pod && !strcmp(a->pod.kind, "veth"))
			return false;
	return true;
}

bool attachment_is(const struct seen_attachment *a, const char *text)
{
	return !strcmp(a->name, text) || attached_is(&a->record, text);
}

bool attachment_same_container(const struct seen_attachment *a, const struct seen_attachment *b)
{
	const struct endpoint *x = &a->record.endpoint, *y = &b->record.endpoint;

	return !strcmp(x->container, y->container) || (*x->netns && !strcmp(x->netns, y->netns));
}

bool attachment_is_elsewhere_too(const struct survey *s, const struct seen_attachment *a)
{
	for_list (const struct seen_attachment, other, &s->attachments)
		if (other->network != a->network && attachment_same_container(other, a))
			return true;
	return false;
}

const struct addr *attachment_address(const struct seen_attachment *a, int family)
{
	for_list (const struct prefix, p, &a->addresses)
		if (p->addr.family == family)
			return &p->addr;
	for_list (const struct ip_conf, ip, &a->result.ips)
		if (ip->address.addr.family == family && result_ip_is_of(&a->result, ip, a->record.endpoint.ifname))
			return &ip->address.addr;
	return NULL;
}
