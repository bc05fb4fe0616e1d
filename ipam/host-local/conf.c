#include "host-local/conf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "cni/result.h"
#include "cni/version.h"

/* All ranges are compared with each other, and all addresses asked for. */
enum { RANGES_MOST = 4096, WANTED_MOST = 4096 };

bool host_local_address_parse(const char *text, struct addr *out)
{
	struct prefix p;

	if (!strchr(text, '/'))
		return addr_parse(text, out);
	if (!prefix_parse(text, &p))
		return false;
	*out = p.addr;
	return true;
}

/* ---- The tables ---- */

static int read_wanted(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	if (!json_is_string(v) || !host_local_address_parse(json_string_value(v), slot))
		return field_refuse(f, r, "want an IP address such as 10.1.2.3 or 10.1.2.3/24, got %s",
		                    json_is_string(v) ? json_string_value(v) : "no string");
	return 0;
}

static const struct field set_field = { .read = read_list, .item = read_object, .sub = range_fields, .size = sizeof(struct range) };

#define RANGE_SETS .item = read_list_inner, .sub = &set_field, .size = sizeof(struct list)
#define ADDRESSES  .item = read_wanted, .size = sizeof(struct addr)

/* The first four are range_fields again, one level up. */
static const struct field ipam_fields[] = {
	FIELD(struct ipam_conf, range.subnet,  "subnet",     read_prefix),
	FIELD(struct ipam_conf, range.start,   "rangeStart", read_addr),
	FIELD(struct ipam_conf, range.end,     "rangeEnd",   read_addr),
	FIELD(struct ipam_conf, range.gateway, "gateway",    read_addr),
	FIELD(struct ipam_conf, ranges,        "ranges",     read_list, RANGE_SETS),
	FIELD(struct ipam_conf, routes,        "routes",     read_list, .item = read_route, .size = sizeof(struct ip_route)),
	FIELD(struct ipam_conf, data_dir,      "dataDir",    read_string, .max = 3072),
	FIELD(struct ipam_conf, resolv_conf,   "resolvConf", read_string, .max = 4095),
	FIELD_END
};

static const struct field runtime_fields[] = {
	FIELD(struct host_local_conf, runtime.ips,    "ips",      read_list, ADDRESSES),
	FIELD(struct host_local_conf, runtime.ranges, "ipRanges", read_list, RANGE_SETS),
	FIELD_END
};

static const struct field args_cni_fields[] = { FIELD(struct host_local_conf, args.cni.ips, "ips", read_list, ADDRESSES), FIELD_END };
static const struct field args_fields[] = { { .key = "cni", .read = read_object, .sub = args_cni_fields }, FIELD_END };

/* The tables under the last two count their offsets from the whole struct. */
const struct field host_local_fields[] = {
	FIELD(struct host_local_conf, ipam, "ipam", read_object, .sub = ipam_fields),
	{ .key = "runtimeConfig", .read = read_object, .sub = runtime_fields },
	{ .key = "args",          .read = read_object, .sub = args_fields },
	FIELD_END
};

/* ---- The sets ---- */

static struct range_set *add_set(struct host_local_conf *conf, struct arena *a)
{
	return arena_push(a, &conf->sets.items, &conf->sets.count, sizeof(struct range_set));
}

static int add_sets(struct host_local_conf *conf, const struct list *lists, const char *key, struct arena *a)
{
	size_t i = 0;

	for_list (const struct list, ranges, lists) {
		struct range_set *s = add_set(conf, a);

		if (!s)
			return -ENOMEM;
		s->ranges = *ranges;
		s->where = arena_printf(a, "%s[%zu]", key, i++);
		if (!s->where)
			return -ENOMEM;
	}
	return 0;
}

/* The range of the older way counts only when it has a subnet. */
static int add_plain_set(struct host_local_conf *conf, struct arena *a)
{
	struct range_set *s;

	if (!addr_is_set(&conf->ipam.range.subnet.addr))
		return 0;
	s = add_set(conf, a);
	if (!s)
		return -ENOMEM;
	*s = (struct range_set){ .ranges = { &conf->ipam.range, 1, true }, .where = "ipam", .plain = true };
	return 0;
}

static int refuse_families(const struct host_local_conf *conf, const char *version, struct err *e)
{
	int v4 = 0, v6 = 0;

	for_list (const struct range_set, s, &conf->sets)
		if (range_set_family(s) == AF_INET)
			v4++;
		else
			v6++;
	return version_refuse_families(version, v4, v6, "sets in ipam.ranges", e);
}

static int refuse_overlaps(const struct host_local_conf *conf, struct err *e)
{
	const struct range_set *sets = conf->sets.items;
	char a[RANGE_SET_TEXT], b[RANGE_SET_TEXT];

	for (size_t i = 0; i < conf->sets.count; i++)
		for (size_t j = i + 1; j < conf->sets.count; j++) {
			if (!range_sets_overlap(&sets[i], &sets[j]))
				continue;
			err_set(e, CNI_BAD_CONFIG, -EINVAL, "range set %zu overlaps with %zu", i, j);
			err_detail(e, "%s: %s, %s: %s; a container gets an address of each set: want sets that share none",
			           sets[i].where, range_set_text(&sets[i], a), sets[j].where, range_set_text(&sets[j], b));
			return -EINVAL;
		}
	return 0;
}

static int refuse_many(const struct host_local_conf *conf, struct err *e)
{
	size_t count = 0;

	for_list (const struct range_set, s, &conf->sets) {
		count += s->ranges.count ? s->ranges.count : 1;
		if (count > RANGES_MOST)
			return err_set(e, CNI_BAD_CONFIG, -E2BIG, "%s: more than %d ranges in all; one range of a larger subnet has as many addresses", s->where, RANGES_MOST);
	}
	return 0;
}

int host_local_settle(struct host_local_conf *conf, bool need_ranges, const char *version, struct arena *a, struct err *e)
{
	size_t number = 0;
	int bad;

	if (add_sets(conf, &conf->runtime.ranges, "runtimeConfig.ipRanges", a) < 0 || add_plain_set(conf, a) < 0 ||
	    add_sets(conf, &conf->ipam.ranges, "ipam.ranges", a) < 0)
		return err_nomem(e, "ipam.ranges");
	if (conf->sets.count == 0 && need_ranges) {
		err_set(e, CNI_BAD_CONFIG, -EINVAL, "no IP ranges specified");
		err_detail(e, "want ipam.ranges, such as [[{\"subnet\": \"10.1.2.0/24\"}]], or ipam.subnet");
		return -EINVAL;
	}
	if ((bad = refuse_many(conf, e)) < 0)
		return bad;
	for_list (struct range_set, s, &conf->sets)
		if ((bad = range_set_settle(s, number++, e)) < 0)
			return bad;
	bad = refuse_families(conf, version, e);
	return bad < 0 ? bad : refuse_overlaps(conf, e);
}

/* ---- What was asked for ---- */

static int want(struct host_local_conf *conf, const struct addr *wanted, struct arena *a)
{
	struct addr *slot;

	for_list (const struct addr, known, &conf->wanted)
		if (addr_equal(known, wanted))
			return 0;
	if (conf->wanted.count >= WANTED_MOST)
		return -E2BIG;
	slot = arena_push(a, &conf->wanted.items, &conf->wanted.count, sizeof *slot);
	if (!slot)
		return -ENOMEM;
	*slot = *wanted;
	return 0;
}

int host_local_wanted(struct host_local_conf *conf, const char *env_ip, struct arena *a, struct err *e)
{
	const struct list *lists[] = { &conf->args.cni.ips, &conf->runtime.ips };
	struct addr from_env;
	int r = 0;

	if (env_ip && *env_ip) {
		if (!host_local_address_parse(env_ip, &from_env))
			return err_set(e, CNI_BAD_ENV, -EINVAL, "CNI_ARGS: IP=%s: want an IP address such as 10.1.2.3 or 10.1.2.3/24", env_ip);
		r = want(conf, &from_env, a);
	}
	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		for_list (const struct addr, wanted, lists[i])
			if ((r = want(conf, wanted, a)) < 0)
				break;
	if (r == -E2BIG)
		return err_set(e, CNI_BAD_CONFIG, r, "ips: more than %d addresses asked for", WANTED_MOST);
	return r < 0 ? err_nomem(e, "addresses asked for") : 0;
}
