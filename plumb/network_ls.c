/* plumb network ls: lists networks. */
#include <stdio.h>
#include <string.h>

#include "attachments.h"
#include "netinfo.h"
#include "plumb.h"
#include "table.h"

enum { SHORT_ID = 12 };

struct listing {
	struct table table;
	json_t      *json;
};

static const char *subnets_text(struct call *c, const struct network *n)
{
	char text[PREFIX_TEXT];
	const char *all = "";
	struct list subnets;

	if (network_subnets(c, n, &subnets) < 0)
		return all;
	for_list (const struct subnet, s, &subnets)
		if (all)
			all = arena_printf(&c->arena, "%s%s%s", all, *all ? ", " : "", prefix_text(&s->net, text));
	return all ? all : "";
}

static json_t *network_json(struct call *c, const struct network *n)
{
	char text[PREFIX_TEXT];
	json_t *nets = json_array(), *labels = network_labels(n);
	struct list subnets;
	bool ipv6 = false;

	if (network_subnets(c, n, &subnets) == 0)
		for_list (const struct subnet, s, &subnets) {
			json_array_append_new(nets, json_string(prefix_text(&s->net, text)));
			ipv6 |= strchr(text, ':') != NULL;
		}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:s}", "ID", network_id(c, n), "Name", n->name,
	                 "Driver", network_driver(n), "Scope", "local", "CreatedAt", network_created(n), "IPv6", ipv6,
	                 "Internal", network_is_internal(n), "Labels", labels ? json_incref(labels) : json_object(), "Subnets", nets, "Path", n->path);
}

/* Only where a filter asks for it: whoever may not read the records may still see which networks there are. */
static int is_used(struct call *c, const struct network *n)
{
	struct list users = { 0 };
	bool asked = false;
	int r;

	for_list (const struct pair, f, &c->opt.filters)
		asked |= !strcmp(f->key, "dangling");
	r = asked ? attachments_of(c, n->name, &users) : 0;
	return r < 0 ? r : users.count > 0;
}

static int list_one(struct call *c, const struct network *n, void *arg)
{
	struct listing *l = arg;
	int used = is_used(c, n);

	if (used < 0)
		return used;
	if (!network_matches(c, n, &c->opt.filters, used))
		return 0;
	if (c->opt.json)
		json_array_append_new(l->json, network_json(c, n));
	else if (c->opt.quiet)
		puts(n->name);
	else
		table_row(c, &l->table, (const char *[]){ arena_printf(&c->arena, "%.*s", SHORT_ID, network_id(c, n)), n->name,
		                                          network_driver(n), "local", subnets_text(c, n) });
	return 0;
}

int network_ls_run(struct call *c)
{
	struct listing l = { .table = { .columns = 5 }, .json = call_keep(c, json_array()) };
	int r = network_filters_check(c);

	if (r < 0)
		return r;
	table_row(c, &l.table, (const char *[]){ "NETWORK ID", "NAME", "DRIVER", "SCOPE", "SUBNETS" });
	if ((r = network_each(c, list_one, &l)) < 0)
		return r;
	if (c->opt.json)
		print_json(l.json);
	else if (!c->opt.quiet)
		table_print(&l.table);
	return EXIT_DONE;
}
