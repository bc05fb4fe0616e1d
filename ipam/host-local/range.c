#include "host-local/range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

const struct field range_fields[] = {
	FIELD(struct range, subnet,  "subnet",     read_prefix),
	FIELD(struct range, start,   "rangeStart", read_addr),
	FIELD(struct range, end,     "rangeEnd",   read_addr),
	FIELD(struct range, gateway, "gateway",    read_addr),
	FIELD_END
};

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

static bool overlap(const struct range *a, const struct range *b)
{
	return a->start.family == b->start.family && addr_compare(&a->start, &b->end) <= 0 && addr_compare(&b->start, &a->end) <= 0;
}

bool range_sets_overlap(const struct range_set *a, const struct range_set *b)
{
	for_list (const struct range, x, &a->ranges)
		for_list (const struct range, y, &b->ranges)
			if (overlap(x, y))
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

/* ---- Settling ---- */

static int refuse_subnet(const struct range *r, const char *path, struct err *e)
{
	struct prefix network = prefix_network(&r->subnet);
	unsigned most = addr_size(r->subnet.addr.family) * 8 - 2;
	char text[PREFIX_TEXT], right[PREFIX_TEXT];

	if (!addr_is_set(&r->subnet.addr))
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.subnet: missing; want the network's prefix, such as 10.1.2.0/24", path);
	if (r->subnet.len > most)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.subnet: Network %s too small to allocate from; want at most /%u",
		               path, prefix_text(&r->subnet, text), most);
	if (!addr_equal(&network.addr, &r->subnet.addr))
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.subnet: %s has host bits set; want the network's own address, %s",
		               path, prefix_text(&r->subnet, text), prefix_text(&network, right));
	return 0;
}

/* A configured address that must lie in the subnet. */
static int refuse_outside(const struct range *r, const struct addr *a, const char *key, const char *path, struct err *e)
{
	char text[ADDR_TEXT], subnet[PREFIX_TEXT];

	if (!addr_is_set(a) || prefix_contains(&r->subnet, a))
		return 0;
	return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.%s: %s is not in %s; want an address of that subnet", path, key,
	               addr_text(a, text), prefix_text(&r->subnet, subnet));
}

static int range_settle(struct range *r, const char *path, struct err *e)
{
	struct addr first = r->subnet.addr, last = addr_last(&r->subnet);
	char start[ADDR_TEXT], end[ADDR_TEXT];
	int bad;

	if ((bad = refuse_subnet(r, path, e)) < 0 || (bad = refuse_outside(r, &r->start, "rangeStart", path, e)) < 0 ||
	    (bad = refuse_outside(r, &r->end, "rangeEnd", path, e)) < 0)
		return bad;
	addr_next(&first);
	if (last.family == AF_INET)
		last.bytes[3]--;                /* the broadcast address, odd in any subnet of four or more */
	if (!addr_is_set(&r->gateway))
		r->gateway = first;
	if (r->gateway.family != first.family)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.gateway: %s is not of the subnet's family", path, addr_text(&r->gateway, start));
	if (!addr_is_set(&r->start))
		r->start = first;
	if (!addr_is_set(&r->end))
		r->end = last;
	if (addr_compare(&r->start, &r->end) > 0)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.rangeStart: %s is behind rangeEnd, %s", path,
		               addr_text(&r->start, start), addr_text(&r->end, end));
	return 0;
}

static int refuse_pair(const struct range_set *s, size_t number, size_t i, size_t j, struct err *e)
{
	const struct range *a = &ranges_of(s)[i], *b = &ranges_of(s)[j];
	char text_a[RANGE_TEXT], text_b[RANGE_TEXT], path_a[RANGE_PATH], path_b[RANGE_PATH];

	if (a->start.family != b->start.family)
		err_set(e, CNI_BAD_CONFIG, -EINVAL, "invalid range set %zu: mixed address families", number);
	else if (overlap(a, b))
		err_set(e, CNI_BAD_CONFIG, -EINVAL, "invalid range set %zu: subnets %s and %s overlap", number,
		        range_text(a, text_a), range_text(b, text_b));
	else
		return 0;
	err_detail(e, "they are %s and %s; a set is the choice for one address: want ranges of one family without overlap",
	           range_path(s, i, path_a), range_path(s, j, path_b));
	return -EINVAL;
}

int range_set_settle(struct range_set *s, size_t number, struct err *e)
{
	struct range *ranges = s->ranges.items;
	char path[RANGE_PATH];
	int bad = 0;

	if (s->ranges.count == 0) {
		err_set(e, CNI_BAD_CONFIG, -EINVAL, "invalid range set %zu: empty range set", number);
		err_detail(e, "%s: want at least one range", s->where);
		return -EINVAL;
	}
	for (size_t i = 0; i < s->ranges.count && bad == 0; i++)
		bad = range_settle(&ranges[i], range_path(s, i, path), e);
	for (size_t i = 0; i < s->ranges.count && bad == 0; i++)
		for (size_t j = i + 1; j < s->ranges.count && bad == 0; j++)
			bad = refuse_pair(s, number, i, j, e);
	return bad;
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
