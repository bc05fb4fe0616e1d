/* What a picture says, in words: ports, addresses, subnets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "picture.h"
#include "plumb.h"

static bool continues(json_t *before, json_t *port)
{
	static const char *const same[] = { "hostIP", "protocol" };

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		const char *a = json_member_string(before, same[i]), *b = json_member_string(port, same[i]);

		if (strcmp(a ? a : "", b ? b : "") != 0)
			return false;
	}
	return json_integer_value(json_member(port, "hostPort")) == json_integer_value(json_member(before, "hostPort")) + 1 &&
	       json_integer_value(json_member(port, "containerPort")) == json_integer_value(json_member(before, "containerPort")) + 1;
}

static const char *span_of_ports(struct arena *a, json_t *first, json_t *last, const char *key)
{
	long long from = json_integer_value(json_member(first, key)), to = json_integer_value(json_member(last, key));
	const char *text = json_member_string(first, key);

	if (text)
		return text;            /* a range, as portmap takes it */
	return from == to ? arena_printf(a, "%lld", from) : arena_printf(a, "%lld-%lld", from, to);
}

static void add_port(const struct survey *s, json_t *first, json_t *last, struct list *out)
{
	const char *ip = json_member_string(first, "hostIP"), *protocol = json_member_string(first, "protocol");
	struct arena *arena = &s->c->arena;
	struct drawn_port *slot = arena_push(arena, &out->items, &out->count, sizeof *slot);
	struct addr a;
	bool known = ip && addr_parse(ip, &a) && !addr_is_unspecified(&a);

	if (slot)
		*slot = (struct drawn_port){ arena_printf(arena, known && a.family == AF_INET6 ? "[%s]:%s" : "%s:%s", known ? ip : "*",
							 span_of_ports(arena, first, last, "hostPort")),
					    span_of_ports(arena, first, last, "containerPort"), protocol ? protocol : "tcp",
					    !known || !addr_is_loopback(&a)};
}

void picture_ports(const struct survey *s, const struct seen_attachment *a, struct list *out)
{
	json_t *ports = attached_ports(&a->record), *port, *first = NULL, *last = NULL;
	size_t i;

	*out = (struct list){ 0 };
	json_array_foreach(ports, i, port) {
		if (first && !continues(last, port)) {
			add_port(s, first, last, out);
			first = NULL;
		}
		first = first ? first : port;
		last = port;
	}
	if (first)
		add_port(s, first, last, out);
}

static const char *joined(struct arena *a, const char *before, const char *text)
{
	return *before ? arena_printf(a, "%s, %s", before, text) : arena_strdup(a, text);
}

const char *picture_addresses(const struct survey *s, const struct seen_attachment *a)
{
	char text[ADDR_TEXT];
	const char *all = "";

	for_list (const struct prefix, p, &a->addresses)
		all = joined(&s->c->arena, all, addr_text(&p->addr, text));
	if (!*all)
		for_list (const struct ip_conf, ip, &a->result.ips)
			all = joined(&s->c->arena, all, addr_text(&ip->address.addr, text));
	return all;
}

const char *picture_prefixes(const struct survey *s, const struct list *prefixes)
{
	char text[PREFIX_TEXT];
	const char *all = "";

	for_list (const struct prefix, p, prefixes)
		all = joined(&s->c->arena, all, prefix_text(p, text));
	return all;
}

const char *picture_subnets(const struct survey *s, const struct seen_network *n)
{
	char text[PREFIX_TEXT];
	const char *all = "";

	for_list (const struct seen_subnet, sub, &n->subnets)
		all = joined(&s->c->arena, all, prefix_text(&sub->net, text));
	if (!*all && n->link && !survey_is_uplink(s, n->link))
		for_list (const struct prefix, p, &n->link->addresses) {
			struct prefix net = prefix_network(p);

			all = joined(&s->c->arena, all, prefix_text(&net, text));
		}
	return all;
}

const char *picture_kind(const struct survey *s, const struct seen_network *n)
{
	const char *type = n->type ? n->type : "unknown kind";

	if (!n->link_name)
		return type;
	return arena_printf(&s->c->arena, !strcmp(type, "bridge") ? "%s %s" : "%s on %s", type, n->link_name);
}

static int by_address(const void *a, const void *b)
{
	return addr_compare(*(const struct addr *const *)a, *(const struct addr *const *)b);
}

const char *picture_span(const struct survey *s, const struct list *rest, const char *dash)
{
	struct list all = { 0 };
	char first[ADDR_TEXT], last[ADDR_TEXT];

	for_list (const struct seen_attachment *, a, rest) {
		const struct addr *address = attachment_address(*a, AF_INET),
				  **slot = address ? arena_push(&s->c->arena, &all.items, &all.count, sizeof(void *)) : NULL;

		if (slot)
			*slot = address;
	}
	if (!all.count || all.count != rest->count)
		return "";
	qsort(all.items, all.count, sizeof(void *), by_address);
	return arena_printf(&s->c->arena, "%s %s %s", addr_text(((const struct addr **)all.items)[0], first), dash,
	                    addr_text(((const struct addr **)all.items)[all.count - 1], last));
}
