#include "rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plumb.h"
#include "program.h"

/* ---- From nft's JSON ---- */

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* A chain or a set that says what it is and where. */
static bool is_named(const json_t *o)
{
	return member(o, "family") && member(o, "table") && member(o, "name");
}

static void take_chain(struct ruleset *rs, const json_t *o)
{
	struct chain *c = !is_named(o) ? NULL : arena_push(&rs->c->arena, &rs->chains.items, &rs->chains.count, sizeof *c);
	const char *policy = member(o, "policy");

	if (c)
		*c = (struct chain){ .family = member(o, "family"),
				    .table = member(o, "table"),
				    .name = member(o, "name"),
				    .program = "nft",
				    .type = member(o, "type"),
				    .hook = member(o, "hook"),
				    .priority = (int)json_integer_value(json_object_get(o, "prio")),
				    .drops = policy && !strcmp(policy, "drop")};
}

static void take_set(struct ruleset *rs, const json_t *o)
{
	struct elements *s = !is_named(o) ? NULL : arena_push(&rs->c->arena, &rs->sets.items, &rs->sets.count, sizeof *s);

	if (s)
		*s = (struct elements){ member(o, "family"), member(o, "table"), member(o, "name"), json_object_get(o, "elem") };
}

static void take_rule(struct ruleset *rs, const json_t *o)
{
	struct chain *c = (struct chain *)rules_chain(rs, member(o, "family"), member(o, "table"), member(o, "chain"));
	struct rule *r = c ? arena_push(&rs->c->arena, &c->rules.items, &c->rules.count, sizeof *r) : NULL;

	if (r)
		*r = (struct rule){ .expr = json_object_get(o, "expr"), .handle = json_integer_value(json_object_get(o, "handle")) };
}

/* Chains come before the rules that are in them. */
static void take(struct ruleset *rs, const json_t *list)
{
	json_t *item, *o;
	size_t i;

	json_array_foreach(list, i, item) {
		if ((o = json_object_get(item, "chain")))
			take_chain(rs, o);
		else if ((o = json_object_get(item, "set")) || (o = json_object_get(item, "map")))
			take_set(rs, o);
	}
	json_array_foreach(list, i, item)
		if ((o = json_object_get(item, "rule")))
			take_rule(rs, o);
}

static int by_priority(const void *a, const void *b)
{
	const struct chain *x = a, *y = b;

	return x->priority < y->priority ? -1 : x->priority > y->priority;
}

void rules_read(struct call *c, const struct survey *host, struct ruleset *rs)
{
	static const char *const argv[] = { "nft", "-j", "list", "ruleset", NULL };
	struct err why = { 0 };
	char *text;
	json_t *root;

	*rs = (struct ruleset){ .c = c, .host = host };
	text = program_output(c, argv, NULL, true, &why);
	root = text ? call_keep(c, json_read_object(text, strlen(text), "nft -j list ruleset", &why)) : NULL;
	if (!root)
		rs->unread = arena_printf(&c->arena, "nftables' rules (%s%s%s)", why.msg, why.details[0] ? ": " : "", why.details);
	else
		take(rs, json_object_get(root, "nftables"));
	iptables_read(rs);
	if (rs->chains.count)
		qsort(rs->chains.items, rs->chains.count, sizeof(struct chain), by_priority);
}

const struct chain *rules_chain(const struct ruleset *rs, const char *family, const char *table, const char *name)
{
	for_list (const struct chain, c, &rs->chains)
		if (name && family && table && !strcmp(c->name, name) && !strcmp(c->table, table) && !strcmp(c->family, family))
			return c;
	return NULL;
}

const struct elements *rules_set(const struct ruleset *rs, const char *family, const char *table, const char *name)
{
	for_list (const struct elements, s, &rs->sets)
		if (!strcmp(s->name, name) && !strcmp(s->table, table) && !strcmp(s->family, family))
			return s;
	return NULL;
}

/* ---- In words ---- */

/* "table ip filter {" and lines that end in "# handle 5". */
static void note_line(struct ruleset *rs, char *line, char table[256])
{
	char *mark = strstr(line, " # handle "), key[300];

	line += strspn(line, "\t ");
	if (!strncmp(line, "table ", 6))
		snprintf(table, 256, "%.*s", (int)strcspn(line + 6, "{"), line + 6);
	if (!mark || strchr(line, '{') == mark - 1)
		return;
	*mark = '\0';
	for (char *space = table + strlen(table); space > table && space[-1] == ' ';)
		*--space = '\0';
	snprintf(key, sizeof key, "%s %s", table, mark + strlen(" # handle "));
	json_object_set_new(rs->words, key, json_string(line));
}

static void read_words(struct ruleset *rs)
{
	static const char *const argv[] = { "nft", "-a", "-t", "list", "ruleset", NULL };
	struct err ignored = { 0 };
	char *text = program_output(rs->c, argv, NULL, true, &ignored), *line, table[256] = "";

	rs->words = call_keep(rs->c, json_object());
	while (text && (line = strsep(&text, "\n")))
		note_line(rs, line, table);
}

const char *rule_words(struct ruleset *rs, const struct chain *chain, const struct rule *rule)
{
	const char *words = rule ? rule->words : NULL,
		   *place = strstr(chain->program, "-nft") ? arena_printf(&rs->c->arena, " (%s)", chain->program) : "";
	char key[300], *all;

	if (!rule)
		return arena_printf(&rs->c->arena, "table %s %s%s, chain %s: its policy is drop", chain->family, chain->table, place, chain->name);
	if (!words) {
		if (!rs->words)
			read_words(rs);
		snprintf(key, sizeof key, "%s %s %lld", chain->family, chain->table, rule->handle);
		words = json_string_value(json_object_get(rs->words, key));
	}
	all = arena_printf(&rs->c->arena, "table %s %s%s, chain %s: %s", chain->family, chain->table, place, chain->name,
	                   words ? words : arena_printf(&rs->c->arena, "rule with handle %lld", rule->handle));
	if (all)
		utf8_mend(all);         /* comments are what people wrote */
	return all;
}
