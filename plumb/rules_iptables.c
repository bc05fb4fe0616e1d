/* What iptables has. Its nft variant keeps its own matches in nftables in a form that nft only names; iptables-legacy keeps all of its rules apart
 * from nftables. Both print them by iptables-save, a rule a line, which becomes what nft's JSON would say. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plumb.h"
#include "program.h"
#include "rules.h"

/* ---- iptables-legacy ---- */

static const struct {
	const char *chain, *hook;
} hooks[] = {{"PREROUTING", "prerouting"}, {"INPUT", "input"}, {"FORWARD", "forward"}, {"OUTPUT", "output"}, {"POSTROUTING", "postrouting"}};

static int priority_of(const char *table, const char *hook)
{
	if (!strcmp(table, "nat"))
		return !strcmp(hook, "prerouting") || !strcmp(hook, "output") ? -100 : 100;
	return !strcmp(table, "raw") ? -300 : !strcmp(table, "mangle") ? -150 : !strcmp(table, "security") ? 50 : 0;
}

static struct chain *add_chain(struct ruleset *rs, int family, const char *table, const char *name)
{
	struct chain *c = arena_push(&rs->c->arena, &rs->chains.items, &rs->chains.count, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct chain){ .family = family == AF_INET ? "ip" : "ip6",
			    .table = arena_printf(&rs->c->arena, "%s", table),
			    .name = arena_strdup(&rs->c->arena, name),
			    .program = family == AF_INET ? "iptables-legacy" : "ip6tables-legacy"};
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (!strcmp(hooks[i].chain, name)) {
			c->hook = hooks[i].hook;
			c->type = !strcmp(table, "nat") ? "nat" : "filter";
			c->priority = priority_of(table, c->hook);
		}
	return c;
}

/* Its chains are another program's of the same family and name, perhaps: a legacy table's is called so. */
static void take_legacy_line(struct ruleset *rs, int family, char *line, const char *table)
{
	char chain[64], policy[32];
	struct chain *c;
	struct rule *r;

	if (sscanf(line, ":%63s %31s", chain, policy) == 2) {
		if ((c = add_chain(rs, family, table, chain)))
			c->drops = !strcmp(policy, "DROP");
	} else if (sscanf(line, "-A %63s", chain) == 1) {
		c = (struct chain *)rules_chain(rs, family == AF_INET ? "ip" : "ip6", table, chain);
		r = c ? arena_push(&rs->c->arena, &c->rules.items, &c->rules.count, sizeof *r) : NULL;
		if (r)
			*r = (struct rule){ .expr = call_keep(rs->c, iptables_expressions(line, family)), .words = line };
	}
}

static bool has_legacy(int family)
{
	FILE *f = fopen(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", "re");
	int first = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return first != EOF;
}

static void read_legacy(struct ruleset *rs, int family)
{
	const char *const argv[] = { family == AF_INET ? "iptables-legacy-save" : "ip6tables-legacy-save", NULL };
	struct err why = { 0 };
	char table[80] = "", *line, *text = has_legacy(family) ? program_output(rs->c, argv, NULL, true, &why) : NULL;

	if (why.code)
		rs->unread = arena_printf(&rs->c->arena, "the rules of iptables-legacy (%s)", why.msg);
	while (text && (line = strsep(&text, "\n"))) {
		if (*line == '*')
			snprintf(table, sizeof table, "%.60s of iptables-legacy", line + 1);
		else
			take_legacy_line(rs, family, line, table);
	}
}

/* ---- iptables-nft ---- */

static bool has_extension(const struct chain *c)
{
	json_t *statement;
	size_t i;

	for_list (const struct rule, r, &c->rules)
		json_array_foreach(r->expr, i, statement)
			if (json_object_get(statement, "xt"))
				return true;
	return false;
}

/* The lines of a chain are its rules, one for one, where iptables can print the table at all. */
static void retell_chain(struct ruleset *rs, struct chain *c, const char *text, int family)
{
	char start[80];
	size_t i = 0;

	snprintf(start, sizeof start, "-A %s ", c->name);
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		struct rule *r = i < c->rules.count ? &((struct rule *)c->rules.items)[i] : NULL;

		if (strncmp(line, start, strlen(start)) || !r)
			continue;
		r->words = arena_printf(&rs->c->arena, "%.*s", (int)strcspn(line, "\n"), line);
		r->expr = call_keep(rs->c, iptables_expressions(r->words, family));
		i++;
	}
}

static void retell_table(struct ruleset *rs, const char *family, const char *table)
{
	bool v4 = !strcmp(family, "ip");
	const char *const argv[] = { v4 ? "iptables-nft-save" : "ip6tables-nft-save", "-t", table, NULL };
	struct err ignored = { 0 };
	char *text = program_output(rs->c, argv, NULL, true, &ignored);

	for_list (struct chain, c, &rs->chains)
		if (!strcmp(c->family, family) && !strcmp(c->table, table) && text) {
			c->program = v4 ? "iptables-nft" : "ip6tables-nft";
			if (has_extension(c))
				retell_chain(rs, c, text, v4 ? AF_INET : AF_INET6);
		}
}

void iptables_read(struct ruleset *rs)
{
	static const char *const families[] = { "ip", "ip6" }, *const tables[] = { "filter", "nat", "mangle", "raw", "security" };

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
			bool extended = false;

			for_list (const struct chain, c, &rs->chains)
				extended |= !strcmp(c->family, families[f]) && !strcmp(c->table, tables[t]) && has_extension(c);
			if (extended)
				retell_table(rs, families[f], tables[t]);
		}
	read_legacy(rs, AF_INET);
	read_legacy(rs, AF_INET6);
}
