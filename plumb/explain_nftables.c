/* What an attachment has in nftables, and in the table of connections. */
#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/attach.h"
#include "cni/nftables.h"
#include "explain.h"
#include "os/conntrack.h"
#include "plumb.h"

/* ---- Elements that are there ---- */

/* "tcp . 8080", "10.89.0.2 . br0", "9000-9009". */
static const char *value_words(struct explanation *x, const json_t *v)
{
	struct arena *a = &x->s->c->arena;
	const json_t *inner;
	const char *all = "";
	json_t *part;
	size_t i;

	if (json_is_string(v))
		return json_string_value(v);
	if (json_is_integer(v))
		return arena_printf(a, "%lld", (long long)json_integer_value(v));
	if ((inner = json_object_get(v, "elem")))
		return value_words(x, json_object_get(inner, "val"));
	if ((inner = json_object_get(v, "goto")) || (inner = json_object_get(v, "jump")))
		return arena_printf(a, "chain %s", json_string_value(json_object_get(inner, "target")));
	if ((inner = json_object_get(v, "range")))
		return arena_printf(a, "%s-%s", value_words(x, json_array_get(inner, 0)), value_words(x, json_array_get(inner, 1)));
	if ((inner = json_object_get(v, "prefix")))
		return arena_printf(a, "%s/%lld", json_string_value(json_object_get(inner, "addr")),
				    (long long)json_integer_value(json_object_get(inner, "len")));
	json_array_foreach(json_object_get(v, "concat"), i, part)
		all = arena_printf(a, "%s%s%s", all, *all ? " . " : "", value_words(x, part));
	return all;
}

static const char *chain_of(const json_t *data)
{
	const json_t *go = json_object_get(data, "goto") ? json_object_get(data, "goto") : json_object_get(data, "jump");

	return json_string_value(json_object_get(go, "target"));
}

/* What is wrong with the chain that an element leads to, or how many rules it has; "": it leads to none. */
static const char *chain_words(struct explanation *x, const struct elements *set, const json_t *data, bool *ill)
{
	const char *chain = chain_of(data);
	const struct chain *there = chain ? rules_chain(x->rs, set->family, set->table, chain) : NULL;

	if (!chain)
		return "";
	*ill |= !there || there->rules.count == 0;
	return !there                    ? ", which is gone"
	       : there->rules.count == 0 ? ", which has lost its rules"
					 : arena_printf(&x->s->c->arena, " (%zu rules)", there->rules.count);
}

/* An item for each set, with all its elements of the attachment. Of one that is dead they are left over. */
static size_t explain_set(struct explanation *x, const struct elements *set, const char *owner)
{
	const char *all = "";
	bool ill = false;
	size_t found = 0, i;
	json_t *item;

	json_array_foreach(set->list, i, item) {
		const json_t *key = json_is_array(item) ? json_array_get(item, 0) : item,
			     *data = json_is_array(item) ? json_array_get(item, 1) : NULL;
		const char *comment = json_string_value(json_object_get(json_object_get(key, "elem"), "comment"));

		if (!comment || strcmp(comment, owner) != 0)
			continue;
		all = arena_printf(&x->s->c->arena, "%s%s%s%s%s%s", all, found++ ? ", " : "", value_words(x, key), data ? " : " : "",
				   data ? value_words(x, data) : "", chain_words(x, set, data, &ill));
	}
	if (found)
		explain_item(x,
			     x->a->fault ? IS_THERE
			     : ill       ? STANDS_ILL
					 : STANDS_WELL,
			     "nftables", ill ? "plumb restore" : NULL, "%s: %s%s", set->name, all, x->a->fault ? " (left over)" : "");
	return found;
}

static size_t explain_elements(struct explanation *x, const char *owner)
{
	size_t found = 0;

	for_list (const struct elements, set, &x->rs->sets)
		if (!strcmp(set->table, "plumb"))
			found += explain_set(x, set, owner);
	return found;
}

/* ---- What is on record, and is not there ---- */

struct comparison {
	struct explanation *x;
	struct nft          nft;
	const char         *owner;
	size_t              missing;
	char                sets[256];
};

static int compare(const struct nft_set *set, struct nft_element *el, void *arg)
{
	struct comparison *k = arg;
	struct nft_element there = { .key = el->key };
	struct err ignored = { 0 };
	size_t used = strlen(k->sets);

	if (nft_find(&k->nft, set, &there, &ignored) == 1 && nft_owned_by(&there, el->comment))
		return 0;
	k->missing++;
	if (!strstr(k->sets, set->name) && used + strlen(set->name) + 3 < sizeof k->sets)
		snprintf(k->sets + used, sizeof k->sets - used, "%s%s", used ? ", " : "", set->name);
	return 0;
}

static bool compare_records(struct comparison *k)
{
	static const struct nft_table *const tables[] = { &nft_inet, &nft_bridge };
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	char start[OWNER_SIZE + 1];
	struct err ignored = { 0 };
	struct dirent *d;
	bool found = false;

	snprintf(start, sizeof start, "%s.", k->owner);
	for (char *s = start; *s; s++)
		*s = *s == '/' ? ':' : *s;
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, start, strlen(start)) != 0 || strchr(d->d_name + strlen(start), '.'))
			continue;
		found = true;
		for (size_t i = 0; i < ARRAY_LEN(tables); i++)
			nft_record_each(arena_printf(&k->x->s->c->arena, NFT_RECORDS "/%s", d->d_name), tables[i], compare, k, &ignored);
	}
	return found;
}

static void explain_base(struct explanation *x, struct nft *nft)
{
	struct err e = { 0 };

	if (nft_check_base(nft, &nft_inet, &e) < 0)
		explain_item(x, STANDS_ILL, "nftables", "plumb restore", "%s", e.msg);
}

static void explain_records(struct explanation *x, const char *owner, size_t found)
{
	struct comparison k = { .x = x, .owner = owner };
	struct err e = { 0 };
	bool recorded;

	if (nft_open(&k.nft, &e) < 0) {
		explain_item(x, STANDS_UNKNOWN, "nftables", NULL, "%s", e.msg);
		return;
	}
	recorded = compare_records(&k);
	if (recorded)
		explain_base(x, &k.nft);
	if (k.missing)
		explain_item(x, STANDS_ILL, "nftables", "plumb restore", "%zu element%s on record %s missing, or another's: %s", k.missing,
			     k.missing == 1 ? "" : "s", k.missing == 1 ? "is" : "are", k.sets);
	if (!recorded && !found && attached_ports(&x->a->record))
		explain_item(x, STANDS_UNKNOWN, "nftables", "if plumb's portmap is to do it: attach the container anew",
			     "its published ports are not in plumb's table: another portmap has done that, or nobody");
	nft_close(&k.nft);
}

/* ---- Connections ---- */

static void explain_connections(struct explanation *x)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char text[ADDR_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct addr *a = attachment_address(x->a, families[i]);
		struct err e = { 0 };
		int n = a ? conntrack_count(a, &e) : 0;

		if (a && n >= 0)
			explain_item(x, IS_THERE, "connections", NULL, "%d tracked with %s", n, addr_text(a, text));
		else if (a)
			explain_item(x, STANDS_UNKNOWN, "connections", NULL, "%s", e.msg);
	}
}

void explain_nftables(struct explanation *x)
{
	const struct endpoint *e = &x->a->record.endpoint;
	char owner[OWNER_SIZE];

	attach_owner(x->a->record.network, e->container, e->ifname, owner);
	explain_records(x, owner, explain_elements(x, owner));
	if (x->rs->unread)
		explain_item(x, STANDS_UNKNOWN, "nftables", NULL, "not read: %s", x->rs->unread);
	explain_connections(x);
}
