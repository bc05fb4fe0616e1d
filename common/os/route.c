#include "os/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"

static void put_addr(struct nl_msg *m, int type, const struct addr *a)
{
	nla_put(m, type, addr_size(a->family), a->bytes);
}

static int scope_of(const struct route *r)
{
	if (r->scope >= 0)
		return r->scope;
	return r->dst.addr.family == AF_INET && !addr_is_set(&r->gateway) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static struct nl_msg *route_request(const struct route *r)
{
	struct rtmsg t = {
		.rtm_family = r->dst.addr.family, .rtm_dst_len = r->dst.len, .rtm_scope = scope_of(r), .rtm_type = r->type ? r->type : RTN_UNICAST,
		.rtm_protocol = RTPROT_BOOT, .rtm_table = r->table > 255 ? RT_TABLE_UNSPEC : r->table ? r->table : RT_TABLE_MAIN,
	};
	struct prefix dst = prefix_network(&r->dst);
	struct nl_msg *m = netlink_request(RTM_NEWROUTE, NLM_F_CREATE, &t, sizeof t);
	struct nlattr *metrics;

	if (!m)
		return NULL;
	if (r->dst.len)
		put_addr(m, RTA_DST, &dst.addr);
	if (r->index)
		nla_put_u32(m, RTA_OIF, r->index);
	if (addr_is_set(&r->gateway))
		put_addr(m, RTA_GATEWAY, &r->gateway);
	if (addr_is_set(&r->source))
		put_addr(m, RTA_PREFSRC, &r->source);
	if (r->priority)
		nla_put_u32(m, RTA_PRIORITY, r->priority);
	if (r->table > 255)
		nla_put_u32(m, RTA_TABLE, r->table);
	if (r->mtu || r->advmss) {
		metrics = nla_nest_start(m, RTA_METRICS);
		if (r->mtu)
			nla_put_u32(m, RTAX_MTU, r->mtu);
		if (r->advmss)
			nla_put_u32(m, RTAX_ADVMSS, r->advmss);
		nla_nest_end(m, metrics);
	}
	return m;
}

int route_add(struct netlink *nl, const struct route *r, struct err *e)
{
	int bad = netlink_do(nl, route_request(r));
	char dst[PREFIX_TEXT], gw[ADDR_TEXT];

	if (bad >= 0 || bad == -EEXIST)
		return bad;
	addr_text(&r->gateway, gw);
	return netlink_refused(nl, e, bad, "adding route %s%s%s", prefix_text(&r->dst, dst), *gw ? " via " : "", gw);
}

static bool read_route(struct nlmsghdr *h, struct route *out)
{
	struct nlattr *tb[RTA_MAX + 1] = { 0 };
	struct rtmsg *t = nlmsg_data(h);

	if (h->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(h, sizeof *t, tb, RTA_MAX, NULL) < 0)
		return false;
	*out = (struct route){
		.dst = { .addr.family = t->rtm_family, .len = t->rtm_dst_len }, .scope = t->rtm_scope, .type = t->rtm_type, .origin = t->rtm_protocol,
	};
	netlink_addr(&out->dst.addr, t->rtm_family, tb[RTA_DST]);
	netlink_addr(&out->gateway, t->rtm_family, tb[RTA_GATEWAY]);
	netlink_addr(&out->source, t->rtm_family, tb[RTA_PREFSRC]);
	out->index = (int)netlink_u32(tb[RTA_OIF]);
	out->priority = netlink_u32(tb[RTA_PRIORITY]);
	out->table = tb[RTA_TABLE] ? netlink_u32(tb[RTA_TABLE]) : t->rtm_table;
	return out->table != RT_TABLE_LOCAL;
}

struct walk {
	int (*each)(const struct route *r, void *arg);
	void *arg;
};

/* The hop that there is room for at `at`, up to end; NULL: none. */
static struct rtnexthop *hop_at(char *at, const char *end)
{
	struct rtnexthop *hop = (void *)at;

	return at < end && (size_t)(end - at) >= sizeof *hop && hop->rtnh_len >= sizeof *hop && hop->rtnh_len <= (size_t)(end - at) ? hop : NULL;
}

/* A route of several next hops is given once for each. */
static int visit(struct nlmsghdr *h, void *arg)
{
	struct nlattr *multipath = netlink_attr(h, sizeof(struct rtmsg), RTA_MULTIPATH);
	struct walk *w = arg;
	struct rtnexthop *hop;
	struct route r;
	int stop = 0;
	char *end;

	if (!read_route(h, &r))
		return 0;
	if (!multipath)
		return w->each(&r, w->arg);
	end = (char *)nla_data(multipath) + nla_len(multipath);
	for (hop = hop_at(nla_data(multipath), end); hop && !stop; hop = hop_at((char *)RTNH_NEXT(hop), end)) {
		struct nlattr *gw = nla_find((struct nlattr *)RTNH_DATA(hop), hop->rtnh_len - sizeof *hop, RTA_GATEWAY);

		r.index = hop->rtnh_ifindex;
		r.gateway = (struct addr){ 0 };
		netlink_addr(&r.gateway, r.dst.addr.family, gw);
		stop = w->each(&r, w->arg);
	}
	return stop;
}

int route_each(struct netlink *nl, int family, int (*each)(const struct route *r, void *arg), void *arg, struct err *e)
{
	struct rtmsg t = { .rtm_family = family };
	struct walk w = { each, arg };
	int r = netlink_dump(nl, netlink_request(RTM_GETROUTE, 0, &t, sizeof t), visit, &w);

	return r < 0 && !e->code ? netlink_refused(nl, e, r, "listing routes") : r;
}

static int note_way(struct nlmsghdr *h, void *way)
{
	read_route(h, way);             /* false, too, for one of table local: it is filled in all the same */
	return 0;
}

/* What the kernel says where there is no way: none of the family, no route, or one that refuses. */
static bool is_no_way(int r)
{
	static const int answers[] = { ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, EAGAIN, ENOENT, ENODEV, EOPNOTSUPP, EAFNOSUPPORT };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		if (r == -answers[i])
			return true;
	return false;
}

/* How a packet from here would go; all zero where there is no way. Negative: the kernel could not be asked. */
static int look_up(struct netlink *nl, const struct addr *to, struct route *way)
{
	struct rtmsg t = { .rtm_family = to->family, .rtm_dst_len = addr_size(to->family) * 8 };
	struct nl_msg *m = netlink_request(RTM_GETROUTE, 0, &t, sizeof t);
	int r;

	*way = (struct route){ 0 };
	if (m)
		put_addr(m, RTA_DST, to);
	r = netlink_get(nl, m, note_way, way);
	if (r < 0)
		*way = (struct route){ 0 };
	return r < 0 && !is_no_way(r) ? r : 0;
}

bool route_get(struct netlink *nl, const struct addr *to, struct route *out)
{
	return look_up(nl, to, out) == 0 && out->type;
}

int route_link_to(struct netlink *nl, const struct addr *to)
{
	struct route way;
	int r = look_up(nl, to, &way);

	return r < 0 ? r : way.index;
}

bool route_is_local(struct netlink *nl, const struct addr *a)
{
	struct route way;

	return look_up(nl, a, &way) == 0 && way.type == RTN_LOCAL;
}

/* Addresses that nobody has and no route is meant for in particular: IPv4's dummy address (RFC 7600), one for documentation (RFC 3849). */
int route_default_link(struct netlink *nl, int family)
{
	struct addr far = { 0 };

	addr_parse(family == AF_INET ? "192.0.0.8" : "2001:db8:ffff:ffff::1", &far);
	return route_link_to(nl, &far);
}
