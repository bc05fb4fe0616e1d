#include "host-local/range.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

static const struct range *ranges_of(const struct range_set *s)
{
	return s->ranges.items;
}

/* ---- Text ---- */

const char *range_text(const struct range *r, char out[RANGE_TEXT])
{
	char start[ADDR_TEXT], end[ADDR_TEXT];

	snprintf(out, RANGE_TEXT, "%s-%s", addr_text(&r->start, start), addr_text(&r->end, end));
	return out;
}

const char *range_set_text(const struct range_set *s, char out[RANGE_SET_TEXT])
{
	char text[RANGE_TEXT];
	size_t used = 0;

	out[0] = '\0';
	for_list (const struct range, r, &s->ranges) {
		if (!text_format(out + used, RANGE_SET_TEXT - used, "%s%s", used ? "," : "", range_text(r, text))) {
			strcpy(out + RANGE_SET_TEXT - sizeof "…", "…");
			break;
		}
		used = strlen(out);
	}
	utf8_mend(out);
	return out;
}

const char *range_path(const struct range_set *s, size_t i, char out[RANGE_PATH])
{
	if (s->plain)
		snprintf(out, RANGE_PATH, "%s", s->where);
	else
		snprintf(out, RANGE_PATH, "%s[%zu]", s->where, i);
	return out;
}

/* ---- Membership ---- */

bool range_contains(const struct range *r, const struct addr *a)
{
	return prefix_contains(&r->subnet, a) && addr_compare(a, &r->start) >= 0 && addr_compare(a, &r->end) <= 0;
}

bool ranges_overlap(const struct range *a, const struct range *b)
{
	return a->start.family == b->start.family && addr_compare(&a->start, &b->end) <= 0 && addr_compare(&b->start, &a->end) <= 0;
}

bool range_sets_overlap(const struct range_set *a, const struct range_set *b)
{
	for_list (const struct range, x, &a->ranges)
		for_list (const struct range, y, &b->ranges)
			if (ranges_overlap(x, y))
				return true;
	return false;
}

const struct range *range_set_find(const struct range_set *s, const struct addr *a)
{
	for_list (const struct range, r, &s->ranges)
		if (range_contains(r, a))
			return r;
	return NULL;
}

bool range_set_is_gateway(const struct range_set *s, const struct addr *a)
{
	for_list (const struct range, r, &s->ranges)
		if (addr_equal(&r->gateway, a))
			return true;
	return false;
}

int range_set_family(const struct range_set *s)
{
	return ranges_of(s)[0].start.family;
}

/* end - start + 1, or UINT64_MAX. */
static uint64_t range_size(const struct range *r)
{
	size_t size = addr_size(r->start.family);
	unsigned __int128 start = 0, end = 0;

	for (size_t i = 0; i < size; i++) {
		start = start << 8 | r->start.bytes[i];
		end = end << 8 | r->end.bytes[i];
	}
	return end - start >= UINT64_MAX ? UINT64_MAX : (uint64_t)(end - start) + 1;
}

/* Whether the range before the i-th has the same gateway. */
static bool gateway_counted(const struct range_set *s, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (addr_equal(&ranges_of(s)[j].gateway, &ranges_of(s)[i].gateway))
			return true;
	return false;
}

uint64_t range_set_size(const struct range_set *s)
{
	uint64_t total = 0;

	for_list (const struct range, r, &s->ranges) {
		uint64_t n = range_size(r);

		total = total + n < total ? UINT64_MAX : total + n;
	}
	for (size_t i = 0; total < UINT64_MAX && i < s->ranges.count; i++)
		if (range_set_find(s, &ranges_of(s)[i].gateway) && !gateway_counted(s, i))
			total--;
	return total;
}

/* ---- Walking ---- */

void range_walk_begin(struct range_walk *w, const struct range_set *s, const struct addr *last)
{
	const struct range *in = addr_is_set(last) ? range_set_find(s, last) : NULL;

	*w = (struct range_walk){ .set = s };
	if (in) {
		w->at = in - ranges_of(s);
		w->here = *last;
	} else {
		w->at = s->ranges.count - 1;
		w->here = ranges_of(s)[w->at].end;
	}
}

/* One address on, round the set's end. */
static void step(struct range_walk *w)
{
	if (addr_equal(&w->here, &ranges_of(w->set)[w->at].end)) {
		w->at = (w->at + 1) % w->set->ranges.count;
		w->here = ranges_of(w->set)[w->at].start;
	} else {
		addr_next(&w->here);
	}
}

const struct range *range_walk_next(struct range_walk *w)
{
	do {
		step(w);
		if (w->begun && addr_equal(&w->here, &w->first))
			return NULL;
		if (!w->begun)
			w->first = w->here;
		w->begun = true;
	} while (range_set_is_gateway(w->set, &w->here));
	return &ranges_of(w->set)[w->at];
}
