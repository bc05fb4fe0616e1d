/* The nftables ruleset as lines, each telling its table and chain or set, elements one by one. libnftables prints it, as it does for nft. */
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "test.h"

const char *ruleset_in(const char *netns)
{
	int ns = world_netns(netns), host = world_netns("host");
	struct nft_ctx *nft;
	const char *text;

	if (ns < 0 || host < 0 || world_enter_netns(ns) < 0)
		fail_("namespace %s", netns);
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	if (nft_run_cmd_from_buffer(nft, "list ruleset") != 0)
		fail_("list ruleset: %s", nft_ctx_get_error_buffer(nft));
	text = keep("%s", nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	if (world_enter_netns(host) < 0)
		abort();
	return text;
}

/* Where in the text we are: "inet plumb", "map publish4". */
struct place {
	char table[128], object[160];
	bool in_elements;
};

/* Cuts "a : b comment "c, d", e" at the commas outside quotes. */
static void each_element(char *text, const struct place *p, void (*each)(const struct place *p, const char *element, void *arg), void *arg)
{
	bool quoted = false;
	char *start = text;

	for (char *c = text;; c++) {
		if (*c == '"')
			quoted = !quoted;
		if (*c && (quoted || *c != ','))
			continue;
		{
			bool last = !*c;

			*c = '\0';
			start += strspn(start, " \t");
			start[strcspn(start, "\n")] = '\0';
			for (size_t len = strlen(start); len > 0 && start[len - 1] == ' ';)
				start[--len] = '\0';
			if (*start)
				each(p, start, arg);
			if (last)
				return;
			start = c + 1;
		}
	}
}

static void element_line(struct place *p, char *line, void (*each)(const struct place *, const char *, void *), void *arg)
{
	char *end = line + strlen(line);

	if (end > line && end[-1] == '}') {
		p->in_elements = false;
		end[-1] = '\0';
	}
	each_element(line, p, each, arg);
}

static void walk(const char *ruleset, void (*line_is)(const struct place *, const char *, void *),
                 void (*element_is)(const struct place *, const char *, void *), void *arg)
{
	char *rest = keep("%s", ruleset), *line;
	struct place p = { .in_elements = false };

	while ((line = strsep(&rest, "\n"))) {
		size_t depth = strspn(line, "\t"), len;

		line += depth;
		len = strlen(line);
		if (p.in_elements) {
			element_line(&p, line, element_is, arg);
		} else if (!strncmp(line, "elements = {", 12)) {
			p.in_elements = true;
			element_line(&p, line + 12, element_is, arg);
		} else if (depth == 0 && !strncmp(line, "table ", 6)) {
			snprintf(p.table, sizeof p.table, "%.*s", (int)strcspn(line + 6, "{") - 1, line + 6);
			*p.object = '\0';
			line_is(&p, "", arg);
		} else if (depth == 1 && len > 2 && line[len - 1] == '{') {
			snprintf(p.object, sizeof p.object, "%.*s", (int)len - 2, line);
			line_is(&p, "", arg);
		} else if (len > 0 && strcmp(line, "}")) {
			line_is(&p, line, arg);
		}
	}
}

static void add_line(const struct place *p, const char *line, void *s)
{
	snapshot_add(s, "nft %s%s%s%s%s", p->table, *p->object ? ": " : "", p->object, *line ? ": " : "", line);
}

static void add_element(const struct place *p, const char *element, void *s)
{
	snapshot_add(s, "nft %s: %s: element %s", p->table, p->object, element);
}

void snapshot_nft(struct snapshot *s, const char *netns)
{
	walk(ruleset_in(netns), add_line, add_element, s);
}

/* ---- Elements of one set ---- */

struct gathering {
	const char *set;
	char       *text;
};

static void nothing(const struct place *p, const char *line, void *arg)
{
	(void)p, (void)line, (void)arg;
}

static void gather(const struct place *p, const char *element, void *arg)
{
	struct gathering *g = arg;
	const char *name = strchr(p->object, ' ');

	if (!strcmp(p->table, "inet plumb") && name && !strcmp(name + 1, g->set))
		g->text = keep("%s%s%s", g->text, *g->text ? "\n" : "", element);
}

const char *elements_of(const char *set)
{
	struct gathering g = { set, "" };

	walk(ruleset_in("host"), nothing, gather, &g);
	return g.text;
}
