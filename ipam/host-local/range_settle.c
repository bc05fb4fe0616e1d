/* Ranges as configured become ranges to use. */
#include <errno.h>
#include <sys/socket.h>

#include "host-local/range.h"

const struct field range_fields[] = {
	FIELD(struct range, subnet,  "subnet",     read_prefix),
	FIELD(struct range, start,   "rangeStart", read_addr),
	FIELD(struct range, end,     "rangeEnd",   read_addr),
	FIELD(struct range, gateway, "gateway",    read_addr),
	FIELD_END
};

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
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.gateway: %s is not of the subnet's family; want an address of the same", path, addr_text(&r->gateway, start));
	if (!addr_is_set(&r->start))
		r->start = first;
	if (!addr_is_set(&r->end))
		r->end = last;
	if (addr_compare(&r->start, &r->end) > 0)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s.rangeStart: %s is behind rangeEnd, %s; want the lower one as rangeStart", path,
		               addr_text(&r->start, start), addr_text(&r->end, end));
	return 0;
}

static int refuse_pair(const struct range_set *s, size_t number, size_t i, size_t j, struct err *e)
{
	const struct range *all = s->ranges.items, *a = &all[i], *b = &all[j];
	char text_a[RANGE_TEXT], text_b[RANGE_TEXT], path_a[RANGE_PATH], path_b[RANGE_PATH];

	if (a->start.family != b->start.family)
		err_set(e, CNI_BAD_CONFIG, -EINVAL, "invalid range set %zu: mixed address families", number);
	else if (ranges_overlap(a, b))
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
