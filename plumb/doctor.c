/* plumb doctor: looks for what is wrong on this host. */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/nftables.h"
#include "gc.h"
#include "glyphs.h"
#include "plumb.h"
#include "restore.h"

static const char *const levels[] = { [LEVEL_PROBLEM] = "problem", [LEVEL_WARNING] = "warning", [LEVEL_NOTE] = "note" };

void find_add(struct examination *x, struct finding f)
{
	struct finding *slot = arena_push(&x->c->arena, &x->findings.items, &x->findings.count, sizeof *slot);

	if (slot)
		*slot = f;
}

const char *find_words(struct examination *x, const char *fmt, ...)
{
	char words[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	utf8_mend(words);
	return arena_strdup(&x->c->arena, words);
}

static void examine_rights(struct examination *x)
{
	if (geteuid() != 0)
		find_add(x, (struct finding){ LEVEL_NOTE, "not-root", "not run as root", "rules, namespaces and directories cannot all be looked at",
					     "sudo plumb doctor" });
}

static int examine(struct examination *x)
{
	int r = survey_read(x->c, x->s);

	if (r < 0)
		return r;
	rules_read(x->c, x->s, &x->rs);
	examine_rights(x);
	examine_install(x);
	examine_kernel(x);
	examine_networks(x);
	examine_records(x);
	examine_firewall(x);
	return 0;
}

/* ---- Fixing ---- */

static int restore_tables(struct call *c)
{
	int r = nft_restore(&nft_inet, &c->trouble.err);

	return r;
}

/* One network may have several findings: it is collected once. */
static bool is_done(const struct examination *x, const struct finding *f)
{
	for_list (const struct finding, before, &x->findings) {
		if (before == f)
			return false;
		if (before->fix == f->fix && (f->fix == FIX_RESTORE || !strcmp(before->network, f->network)))
			return true;
	}
	return false;
}

static json_t *fix_all(struct examination *x)
{
	json_t *fixed = call_keep(x->c, json_array());

	restore_find_helper(x->c);
	for_list (const struct finding, f, &x->findings) {
		int r;

		if (f->fix == FIX_NONE)
			continue;
		r = is_done(x, f) ? 0 : f->fix == FIX_GC ? gc_network(x->c, f->network) : restore_tables(x->c);
		if (r < 0) {
			trouble_tell(x->c, &x->c->trouble);
			x->c->trouble = (struct trouble){ 0 };
		} else if (r == 0) {
			json_array_append_new(fixed, json_string(f->what));
			if (!x->c->opt.json)
				printf("%s%s%s fixed: %s\n", ink(INK_GREEN), glyph(GLYPH_GOOD), ink(INK_PLAIN), f->what);
		}
	}
	return fixed;
}

/* ---- Telling ---- */

static size_t count(const struct examination *x, enum level level)
{
	size_t n = 0;

	for_list (const struct finding, f, &x->findings)
		n += f->level == level;
	return n;
}

static void tell_finding(const struct finding *f)
{
	static const enum glyph signs[] = { [LEVEL_PROBLEM] = GLYPH_BAD, [LEVEL_WARNING] = GLYPH_MAYBE, [LEVEL_NOTE] = GLYPH_FACT };
	static const enum ink inks[] = { [LEVEL_PROBLEM] = INK_RED, [LEVEL_WARNING] = INK_YELLOW, [LEVEL_NOTE] = INK_DIM };

	printf("%s%s %s%s: %s\n", ink(inks[f->level]), glyph(signs[f->level]), levels[f->level], ink(INK_PLAIN), f->what);
	if (f->why)
		printf("    %s\n", f->why);
	if (f->remedy)
		printf("    %s %s\n", glyph(GLYPH_ARROW), f->remedy);
}

static void tell(const struct examination *x)
{
	size_t problems = count(x, LEVEL_PROBLEM), warnings = count(x, LEVEL_WARNING), notes = count(x, LEVEL_NOTE);

	for (enum level level = LEVEL_PROBLEM; level <= LEVEL_NOTE; level++)
		for_list (const struct finding, f, &x->findings)
			if (f->level == level)
				tell_finding(f);
	printf("%s%zu problem%s, %zu warning%s, %zu note%s; %zu network%s, %zu attachment%s looked at%s\n", ink(INK_BOLD), problems,
	       problems == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s", x->s->networks.count,
	       x->s->networks.count == 1 ? "" : "s", x->s->attachments.count, x->s->attachments.count == 1 ? "" : "s", ink(INK_PLAIN));
}

static void tell_json(const struct examination *x, json_t *fixed)
{
	static const char *const fixes[] = { [FIX_NONE] = NULL, [FIX_GC] = "gc", [FIX_RESTORE] = "restore" };
	scoped(json_put) json_t *list = json_array(), *j = NULL;

	for_list (const struct finding, f, &x->findings)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "level", levels[f->level], "id", f->id, "what",
						      f->what, "why", f->why, "remedy", f->remedy, "fix", fixes[f->fix], "network", f->network));
	j = json_pack("{s:O, s:O*, s:b}", "findings", list, "fixed", fixed, "well", count(x, LEVEL_PROBLEM) == 0);
	print_json(j);
}

int doctor_run(struct call *c)
{
	struct survey s = { .c = NULL };
	struct examination x = { .c = c, .s = &s };
	json_t *fixed = NULL;
	int r;

	glyphs_begin();
	r = examine(&x);
	if (r == 0 && c->opt.fix) {
		fixed = fix_all(&x);
		survey_close(&s);
		x.findings = (struct list){ 0 };
		r = examine(&x);
	}
	if (r == 0 && c->opt.json)
		tell_json(&x, fixed);
	else if (r == 0)
		tell(&x);
	survey_close(&s);
	return r < 0 ? r : count(&x, LEVEL_PROBLEM) ? EXIT_FAILED : EXIT_DONE;
}
