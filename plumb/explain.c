/* plumb explain: tells all that belongs to a container, whether it is as it should be, and what becomes of a connection. */
#include "explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "glyphs.h"
#include "plumb.h"

static const char *const standings[] = { [STANDS_WELL] = "ok", [STANDS_ILL] = "bad", [STANDS_UNKNOWN] = "unknown", [IS_THERE] = "there" };

void explain_item(struct explanation *x, enum standing standing, const char *kind, const char *remedy, const char *fmt, ...)
{
	struct item *i = arena_push(&x->s->c->arena, &x->items.items, &x->items.count, sizeof *i);
	char words[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	utf8_mend(words);
	if (i)
		*i = (struct item){ standing, kind, arena_strdup(&x->s->c->arena, words), remedy };
}

const char *explain_anew(const struct explanation *x)
{
	const struct endpoint *e = &x->a->record.endpoint;

	return arena_printf(&x->s->c->arena,
			    "attach it anew: plumb del --id %s -i %s %s %s, then plumb add with the same (or have the runtime do so)", e->container,
			    e->ifname, x->a->record.network, *e->netns ? e->netns : "NETNS");
}

static void explain_one(struct survey *s, struct ruleset *rs, const struct seen_attachment *a, struct explanation *x)
{
	*x = (struct explanation){ .s = s, .rs = rs, .a = a };
	explain_links(x);
	if (!a->fault || a->has_pod)
		explain_addresses(x);
	explain_nftables(x);
}

/* ---- For people ---- */

static void tell_item(const struct item *i)
{
	static const enum glyph signs[] = {
		[STANDS_WELL] = GLYPH_GOOD, [STANDS_ILL] = GLYPH_BAD, [STANDS_UNKNOWN] = GLYPH_MAYBE, [IS_THERE] = GLYPH_FACT};
	static const enum ink inks[] = { [STANDS_WELL] = INK_GREEN, [STANDS_ILL] = INK_RED, [STANDS_UNKNOWN] = INK_YELLOW, [IS_THERE] = INK_DIM };

	printf("  %s%s%s %-11s %s\n", ink(inks[i->standing]), glyph(signs[i->standing]), ink(INK_PLAIN), i->kind, i->words);
	if (i->remedy && i->standing != STANDS_WELL)
		printf("                %s %s\n", glyph(GLYPH_ARROW), i->remedy);
}

static void tell(const struct seen_attachment *subject, const struct list *all, const struct list *journeys)
{
	const struct endpoint *e = &subject->record.endpoint;

	printf("%s%s%s  id %s%s%s\n", ink(INK_BOLD), subject->name, ink(INK_PLAIN), e->container, *e->netns ? ", " : "", e->netns);
	for_list (const struct explanation, x, all) {
		printf("\n%snetwork %s, as %s%s\n", ink(INK_BOLD), x->a->record.network, x->a->record.endpoint.ifname, ink(INK_PLAIN));
		for_list (const struct item, i, &x->items)
			tell_item(i);
	}
	for_list (const struct journey, j, journeys)
		explain_tell_path(j);
}

/* ---- For programs ---- */

static json_t *attachment_json(const struct explanation *x)
{
	json_t *items = json_array();

	for_list (const struct item, i, &x->items)
		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s*}", "kind", i->kind, "state", standings[i->standing], "text", i->words,
						       "remedy", i->standing == STANDS_WELL ? NULL : i->remedy));
	return json_pack("{s:s, s:s, s:o}", "network", x->a->record.network, "ifname", x->a->record.endpoint.ifname, "items", items);
}

static void tell_json(const struct seen_attachment *subject, const struct list *all, const struct list *journeys)
{
	scoped(json_put) json_t *attachments = json_array(), *paths = json_array(), *j = NULL;

	for_list (const struct explanation, x, all)
		json_array_append_new(attachments, attachment_json(x));
	for_list (const struct journey, journey, journeys)
		json_array_append_new(paths, explain_path_json(journey));
	j = json_pack("{s:s, s:s, s:s, s:O, s:O}", "name", subject->name, "containerID", subject->record.endpoint.container, "netns",
		      subject->record.endpoint.netns, "attachments", attachments, "paths", paths);
	print_json(j);
}

/* ---- The command ---- */

static int exit_code(const struct list *all, const struct list *journeys)
{
	bool ill = false;

	for_list (const struct explanation, x, all)
		for_list (const struct item, i, &x->items)
			ill |= i->standing == STANDS_ILL;
	if (journeys->count)            /* it was asked about these */
		ill = false;
	for_list (const struct journey, j, journeys)
		ill |= j->outcome == FAILS;
	return ill ? EXIT_FAILED : EXIT_DONE;
}

static const struct seen_attachment *find(const struct survey *s, const char *text)
{
	const struct seen_attachment *found = NULL;

	for_list (const struct seen_attachment, a, &s->attachments) {
		if (!attachment_is(a, text))
			continue;
		if (found && !attachment_same_container(a, found)) {
			trouble_set(&s->c->trouble, EXIT_FAILED, -EEXIST, "\"%s\" may be container %s or %s: say more of it", text,
				    found->record.endpoint.container, a->record.endpoint.container);
			return NULL;
		}
		found = found ? found : a;
	}
	if (!found) {
		trouble_set(&s->c->trouble, EXIT_NO_NETWORK, -ENOENT, "no container \"%s\" is attached to a network", text);
		err_detail(&s->c->trouble.err, "looked for in %s/results by name, id and namespace; `plumb graph` shows who is there",
			   s->c->opt.cache_dir);
	}
	return found;
}

static int explain_all(struct survey *s, struct ruleset *rs)
{
	const struct seen_attachment *subject = find(s, s->c->opt.operands[0]);
	struct list all = { 0 }, journeys = { 0 };
	int r;

	if (!subject)
		return -ENOENT;
	rules_read(s->c, s, rs);
	for_list (const struct seen_attachment, a, &s->attachments) {
		struct explanation *x = attachment_same_container(a, subject) ? arena_push(&s->c->arena, &all.items, &all.count, sizeof *x) : NULL;

		if (x)
			explain_one(s, rs, a, x);
	}
	if (s->c->opt.path && (r = explain_paths(s, rs, subject, &journeys)) < 0)
		return r;
	if (s->c->opt.json)
		tell_json(subject, &all, &journeys);
	else
		tell(subject, &all, &journeys);
	return exit_code(&all, &journeys);
}

int explain_run(struct call *c)
{
	struct survey s = { .c = NULL };
	struct ruleset rs;
	int r;

	if (c->opt.from && !c->opt.path)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--from goes with --path");
	glyphs_begin();
	r = survey_read(c, &s);
	if (r == 0)
		r = explain_all(&s, &rs);
	survey_close(&s);
	return r;
}
