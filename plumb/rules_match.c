/* Whether a packet is what a rule wants. */
#include <string.h>

#include "rules_value.h"

static enum match yes_if(bool yes)
{
	return yes ? MATCH_YES : MATCH_NO;
}

static enum match text_equals(const struct atom *a, const char *wanted)
{
	size_t len = strlen(wanted);
	struct addr addr;

	switch (a->kind) {
	case ATOM_ADDR:
		return addr_parse(wanted, &addr) ? yes_if(addr_equal(&addr, &a->addr)) : MATCH_MAYBE;
	case ATOM_PROTOCOL:
		return protocol_number(wanted) >= 0 ? yes_if(protocol_number(wanted) == a->number) : MATCH_NO;
	case ATOM_NUMBER:
		return MATCH_MAYBE;
	case ATOM_TEXT:
		if (len > 1 && wanted[len - 1] == '*')
			return yes_if(!strncmp(a->text, wanted, len - 1 - (wanted[len - 2] == '\\')));
		return yes_if(!strcmp(a->text, wanted));
	}
	return MATCH_MAYBE;
}

static enum match in_prefix(const struct atom *a, const json_t *prefix)
{
	const char *text = json_string_value(json_object_get(prefix, "addr"));
	struct prefix p = { .len = (uint8_t)json_integer_value(json_object_get(prefix, "len")) };

	if (a->kind != ATOM_ADDR || !text || !addr_parse(text, &p.addr))
		return MATCH_MAYBE;
	return yes_if(prefix_contains(&p, &a->addr));
}

static enum match number_in(const struct atom *a, long long from, long long to)
{
	if (a->kind == ATOM_NUMBER && a->number == ASKING)
		return to >= ASKING_FIRST && from <= ASKING_LAST ? MATCH_MAYBE : MATCH_NO;
	return yes_if(from <= a->number && a->number <= to);
}

static enum match in_range(const struct atom *a, const json_t *range)
{
	const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
	struct addr low, high;

	if (a->kind == ATOM_ADDR && json_is_string(from) && json_is_string(to) && addr_parse(json_string_value(from), &low) &&
	    addr_parse(json_string_value(to), &high))
		return yes_if(low.family == a->addr.family && addr_compare(&low, &a->addr) <= 0 && addr_compare(&a->addr, &high) <= 0);
	if (a->kind != ATOM_ADDR && a->kind != ATOM_TEXT && json_is_integer(from) && json_is_integer(to))
		return number_in(a, json_integer_value(from), json_integer_value(to));
	return MATCH_MAYBE;
}

static enum match atom_is(const struct atom *a, const json_t *wanted)
{
	const json_t *part;

	if (json_is_string(wanted))
		return text_equals(a, json_string_value(wanted));
	if (json_is_integer(wanted))
		return a->kind == ATOM_NUMBER || a->kind == ATOM_PROTOCOL ? number_in(a, json_integer_value(wanted), json_integer_value(wanted))
									  : MATCH_MAYBE;
	if ((part = json_object_get(wanted, "prefix")))
		return in_prefix(a, part);
	return (part = json_object_get(wanted, "range")) ? in_range(a, part) : MATCH_MAYBE;
}

static enum match is_any_of(const struct value *v, const json_t *list);

static enum match value_is(const struct value *v, const json_t *wanted)
{
	const json_t *inner = json_object_get(wanted, "elem"), *concat;
	enum match all = MATCH_YES;

	if (inner)
		wanted = json_object_get(inner, "val");
	if (json_is_string(wanted) && !strcmp(json_string_value(wanted), "*"))
		return MATCH_YES;
	if (json_is_array(wanted) || json_object_get(wanted, "set"))
		return is_any_of(v, json_is_array(wanted) ? wanted : json_object_get(wanted, "set"));
	if (!(concat = json_object_get(wanted, "concat")))
		return v->count == 1 ? atom_is(&v->atoms[0], wanted) : MATCH_MAYBE;
	if (json_array_size(concat) != v->count)
		return MATCH_MAYBE;
	for (size_t i = 0; i < v->count; i++) {
		enum match m = atom_is(&v->atoms[i], json_array_get(concat, i));

		all = m < all ? m : all;
	}
	return all;
}

static enum match is_any_of(const struct value *v, const json_t *list)
{
	enum match best = MATCH_NO;
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		enum match m = value_is(v, item);

		if (m == MATCH_YES)
			return m;
		best = m > best ? m : best;
	}
	return best;
}

/* "@name": a set's elements. NULL: it is none, or is empty. */
static const json_t *elements_of(const struct ruleset *rs, const struct chain *chain, const json_t *name)
{
	const char *text = json_string_value(name);
	const struct elements *s = text && *text == '@' ? rules_set(rs, chain->family, chain->table, text + 1) : NULL;

	return s ? s->list : NULL;
}

static enum match right_side(const struct ruleset *rs, const struct chain *chain, const struct value *v, const json_t *right)
{
	const char *text = json_string_value(right);

	if (text && *text == '@')
		return is_any_of(v, elements_of(rs, chain, right));
	return value_is(v, right);
}

enum match rules_match(const struct ruleset *rs, const struct chain *chain, const json_t *match, const struct packet *p)
{
	const char *op = json_string_value(json_object_get(match, "op"));
	struct value v = { 0 };
	enum match m = value_of(rs, json_object_get(match, "left"), p, &v);

	if (m != MATCH_YES)
		return m;
	m = right_side(rs, chain, &v, json_object_get(match, "right"));
	if (op && !strcmp(op, "!="))
		return m == MATCH_MAYBE ? m : yes_if(m == MATCH_NO);
	return !op || !strcmp(op, "==") || !strcmp(op, "in") ? m : MATCH_MAYBE;
}

/* A map's elements are pairs: [key, data], in a set's place. */
enum match rules_look_up(const struct ruleset *rs, const struct chain *chain, const json_t *map, const struct packet *p, json_t **data,
			 const char **comment)
{
	const json_t *source = json_object_get(map, "data"),
		     *list = json_is_string(source) ? elements_of(rs, chain, source) : json_object_get(source, "set");
	struct value v = { 0 };
	enum match known = value_of(rs, json_object_get(map, "key"), p, &v), best = MATCH_NO;
	json_t *pair;
	size_t i;

	if (known == MATCH_NO)
		return MATCH_NO;
	json_array_foreach(list, i, pair) {
		const json_t *key = json_array_get(pair, 0);
		enum match m = known == MATCH_YES ? value_is(&v, key) : MATCH_MAYBE;

		best = m > best ? m : best;
		if (m != MATCH_YES)
			continue;
		*data = json_array_get(pair, 1);
		*comment = json_string_value(json_object_get(json_object_get(key, "elem"), "comment"));
		return MATCH_YES;
	}
	return best;
}
