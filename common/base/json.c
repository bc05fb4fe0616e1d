#include "base/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>

#include "base/addr.h"
#include "base/text.h"

/* jansson recurses, with a far higher limit of its own. */
static bool too_deep(const char *text, size_t len)
{
	bool string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '[') && ++depth > JSON_DEPTH_LIMIT)
			return true;
		else if (!string && (c == '}' || c == ']'))
			depth--;
	}
	return false;
}

/* What the kernel gives each process, without asking it for more: jansson would open /dev/urandom. */
static size_t seed(void)
{
	unsigned long at = getauxval(AT_RANDOM);
	const void *random;
	size_t n = 0;           /* jansson sees to it by itself */

	memcpy(&random, &at, sizeof random);
	if (random)
		memcpy(&n, random, sizeof n);
	return n;
}

json_t *json_read_object(const char *text, size_t len, const char *what, struct err *e)
{
	json_error_t why;
	json_t *j;

	if (too_deep(text, len)) {
		err_set(e, CNI_DECODE, -EINVAL, "%s: nested more than %d deep", what, JSON_DEPTH_LIMIT);
		return NULL;
	}
	if (len == 0) {
		err_set(e, CNI_DECODE, -EINVAL, "%s: not valid JSON: it is empty", what);
		return NULL;
	}
	json_object_seed(seed());
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!j) {
		err_set(e, CNI_DECODE, -EINVAL, "%s: not valid JSON", what);
		err_detail(e, "line %d, column %d: %s", why.line, why.column, why.text);
		return NULL;
	}
	if (!json_is_object(j)) {
		json_decref(j);
		err_set(e, CNI_DECODE, -EINVAL, "%s: want one JSON object", what);
		return NULL;
	}
	return j;
}

/* As Go: an exact match, else the first that differs in case only. *twice tells of a second one. */
static json_t *find(const json_t *object, const char *key, const char **twice)
{
	json_t *exact = json_object_get(object, key), *found = exact;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		if (strcasecmp(name, key) || !strcmp(name, key))
			continue;
		if (found && twice)
			*twice = name;
		if (!found)
			found = value;
	}
	return found && !json_is_null(found) ? found : NULL;
}

json_t *json_member(const json_t *object, const char *key)
{
	return find(object, key, NULL);
}

const char *json_member_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_member(object, key));

	return s && *s ? s : NULL;
}

int field_refuse(const struct field *f, struct reading *r, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	return err_set(r->err, CNI_BAD_CONFIG, -EINVAL, "%s%s: %s", r->path, f->key, words);
}

int fields_read(const struct field *table, const json_t *object, void *base, struct reading *r)
{
	for (const struct field *f = table; f->key; f++) {
		const char *twice = NULL;
		json_t *v = find(object, f->key, &twice);
		int bad;

		if (twice)
			return field_refuse(f, r, "given twice, the second time as \"%s\"", twice);
		if (!v || (json_is_string(v) && json_string_length(v) == 0))
			continue;
		bad = f->read(f, v, (char *)base + f->offset, r);
		if (bad < 0)
			return bad;
	}
	return 0;
}

int read_bool(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	if (!json_is_boolean(v))
		return field_refuse(f, r, "want true or false");
	*(bool *)slot = json_is_true(v);
	return 0;
}

int read_int(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < f->min || n > f->max)
		return field_refuse(f, r, "want a whole number from %lld to %lld", f->min, f->max);
	*(long long *)slot = n;
	return 0;
}

int read_uint(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	long long n = 0;
	int bad = read_int(f, v, &n, r);

	if (bad == 0)
		*(uint32_t *)slot = (uint32_t)n;
	return bad;
}

int read_uint_or_0(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || (n != 0 && (n < f->min || n > f->max)))
		return field_refuse(f, r, "want a whole number from %lld to %lld, or 0 for none", f->min, f->max);
	*(uint32_t *)slot = (uint32_t)n;
	return 0;
}

int read_string(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	if (!json_is_string(v))
		return field_refuse(f, r, "want a string");
	if (f->max && json_string_length(v) > (size_t)f->max)
		return field_refuse(f, r, "longer than %lld bytes", f->max);
	*(const char **)slot = json_string_value(v);
	return 0;
}

int read_addr(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	if (!json_is_string(v) || !addr_parse(json_string_value(v), slot))
		return field_refuse(f, r, "want an IP address, got %s", json_is_string(v) ? json_string_value(v) : "no string");
	return 0;
}

int read_prefix(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	if (!json_is_string(v) || !prefix_parse(json_string_value(v), slot))
		return field_refuse(f, r, "want an address with a prefix length such as 10.1.2.0/24, got %s",
		                    json_is_string(v) ? json_string_value(v) : "no string");
	return 0;
}

int read_mac(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct mac m;

	if (!json_is_string(v) || !mac_parse(json_string_value(v), &m))
		return field_refuse(f, r, "want a MAC such as 02:00:00:00:00:01, got %s",
		                    json_is_string(v) ? json_string_value(v) : "no string");
	if (m.bytes[0] & 1)
		return field_refuse(f, r, "%s is a multicast MAC; want a unicast one", json_string_value(v));
	*(struct mac *)slot = m;
	return 0;
}

int read_json(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	(void)f, (void)r;
	*(const json_t **)slot = v;
	return 0;
}

/* The path grows for the length of a step in, and is cut back after. False: no room, which only absurd input reaches. */
static bool path_enter(struct reading *r, const char *step)
{
	size_t was = strlen(r->path);

	if (text_format(r->path + was, sizeof r->path - was, "%s", step))
		return true;
	r->path[was] = '\0';
	return false;
}

int read_object(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	size_t was = strlen(r->path);
	char step[128];
	int bad;

	if (!json_is_object(v))
		return field_refuse(f, r, "want an object");
	if (!text_format(step, sizeof step, "%s.", f->key) || !path_enter(r, step))
		return field_refuse(f, r, "nested too deep");
	bad = fields_read(f->sub, v, slot, r);
	r->path[was] = '\0';
	return bad;
}

int read_list(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	size_t i, was = strlen(r->path);
	struct list *list = slot;
	struct field item = *f;
	char step[128];
	json_t *one;

	if (!json_is_array(v))
		return field_refuse(f, r, "want a list");
	list->given = true;
	item.key = "";
	json_array_foreach(v, i, one) {
		void *at = arena_push(r->arena, &list->items, &list->count, f->size);
		int bad;

		if (!at)
			return err_nomem(r->err, f->key);
		if (!text_format(step, sizeof step, "%s[%zu]", f->key, i) || !path_enter(r, step))
			return field_refuse(f, r, "nested too deep");
		bad = json_is_null(one) ? field_refuse(&item, r, "null is no item of a list") : f->item(&item, one, at, r);
		r->path[was] = '\0';
		if (bad < 0)
			return bad;
	}
	return 0;
}

int read_list_inner(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field inner = *f->sub;

	inner.key = f->key;
	return read_list(&inner, v, slot, r);
}
