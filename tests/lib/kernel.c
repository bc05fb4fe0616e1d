#include "kernel.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "test.h"

/* A growing list with a zeroed end. */
struct listing {
	void  *items;
	size_t count, size;
	bool   with_local;
};

static void *listing_grow(struct listing *l)
{
	l->items = realloc(l->items, (l->count + 2) * l->size);
	if (!l->items)
		abort();
	memset((char *)l->items + l->count * l->size, 0, 2 * l->size);
	return (char *)l->items + l->count++ * l->size;
}

static void listing_reset(void *arg)
{
	struct listing *l = arg;

	l->items = calloc(1, l->size);
	l->count = 0;
}

/* ---- Links ---- */

static void read_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct attrs a = attrs_of(h, sizeof *i), info = attrs_in(a.at[IFLA_LINKINFO]);
	struct attrs port = attrs_in(info.at[IFLA_INFO_SLAVE_DATA]), data = attrs_in(info.at[IFLA_INFO_DATA]);
	struct link_seen *l = listing_grow(arg);
	const uint8_t *mac = a.at[IFLA_ADDRESS] && mnl_attr_get_payload_len(a.at[IFLA_ADDRESS]) == 6 ? mnl_attr_get_payload(a.at[IFLA_ADDRESS]) : NULL;
	bool is_port = !strcmp(attr_text(info.at[IFLA_INFO_SLAVE_KIND]), "bridge"), is_bridge = !strcmp(attr_text(info.at[IFLA_INFO_KIND]), "bridge");

	*l = (struct link_seen){
		.index = i->ifi_index, .flags = i->ifi_flags, .master = attr_number(a.at[IFLA_MASTER]), .peer = attr_number(a.at[IFLA_LINK]),
		.mtu = attr_number(a.at[IFLA_MTU]), .promiscuity = attr_number(a.at[IFLA_PROMISCUITY]),
		.tx_queues = attr_number(a.at[IFLA_NUM_TX_QUEUES]), .rx_queues = attr_number(a.at[IFLA_NUM_RX_QUEUES]),
		.operstate = attr_number(a.at[IFLA_OPERSTATE]),
		.hairpin = is_port && attr_number(port.at[IFLA_BRPORT_MODE]), .isolated = is_port && attr_number(port.at[IFLA_BRPORT_ISOLATED]),
		.vlan_filtering = is_bridge && attr_number(data.at[IFLA_BR_VLAN_FILTERING]),
	};
	snprintf(l->name, sizeof l->name, "%s", attr_text(a.at[IFLA_IFNAME]));
	snprintf(l->kind, sizeof l->kind, "%s", attr_text(info.at[IFLA_INFO_KIND]));
	if (mac)
		snprintf(l->mac, sizeof l->mac, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

struct link_seen *links_in(const char *netns)
{
	struct listing l = { .size = sizeof(struct link_seen) };

	dump(netns, RTM_GETLINK, AF_UNSPEC, read_link, listing_reset, &l);
	return l.items;
}

struct link_seen link_in(const char *netns, const char *name)
{
	struct link_seen *l = links_in(netns);

	while (l->index && strcmp(l->name, name))
		l++;
	return *l;
}

static const char *name_of(const struct link_seen *links, int index)
{
	for (; links->index; links++)
		if (links->index == index)
			return links->name;
	return "?";
}

/* ---- Addresses ---- */

static void read_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	struct attrs a = attrs_of(h, sizeof *m);
	const struct nlattr *own = a.at[IFA_LOCAL] ? a.at[IFA_LOCAL] : a.at[IFA_ADDRESS];
	struct listing *list = arg;
	struct address_seen *seen;

	if (!list->with_local && m->ifa_family == AF_INET6 && m->ifa_scope == RT_SCOPE_LINK)
		return;
	seen = listing_grow(list);
	seen->index = m->ifa_index;
	seen->flags = a.at[IFA_FLAGS] ? attr_number(a.at[IFA_FLAGS]) : m->ifa_flags;
	seen->scope = m->ifa_scope;
	snprintf(seen->text, sizeof seen->text, "%s/%u", attr_address(m->ifa_family, own), m->ifa_prefixlen);
}

struct address_seen *addresses_in(const char *netns, bool with_local)
{
	struct listing l = { .size = sizeof(struct address_seen), .with_local = with_local };

	dump(netns, RTM_GETADDR, AF_UNSPEC, read_address, listing_reset, &l);
	return l.items;
}

const char *addresses_of(const char *netns, const char *name)
{
	int index = link_in(netns, name).index;
	const char *text = "";

	for (const struct address_seen *a = addresses_in(netns, false); a->index; a++)
		if (a->index == index)
			text = keep("%s%s%s", text, *text ? " " : "", a->text);
	return text;
}

/* ---- Routes and rules ---- */

static void read_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct attrs a = attrs_of(h, sizeof *m), metrics = attrs_in(a.at[RTA_METRICS]);
	struct listing *list = arg;
	struct route_seen r = {
		.family = m->rtm_family, .index = attr_number(a.at[RTA_OIF]), .scope = m->rtm_scope, .type = m->rtm_type, .protocol = m->rtm_protocol,
		.table = a.at[RTA_TABLE] ? attr_number(a.at[RTA_TABLE]) : m->rtm_table, .priority = attr_number(a.at[RTA_PRIORITY]),
		.mtu = attr_number(metrics.at[RTAX_MTU]), .advmss = attr_number(metrics.at[RTAX_ADVMSS]), .multipath = a.at[RTA_MULTIPATH],
	};

	if (m->rtm_family != AF_INET && m->rtm_family != AF_INET6)
		return;
	if (m->rtm_flags & RTM_F_CLONED)
		return;
	if (!list->with_local && (r.table == RT_TABLE_LOCAL || r.type == RTN_MULTICAST))
		return;
	if (m->rtm_dst_len > 0 || a.at[RTA_DST])
		snprintf(r.dst, sizeof r.dst, "%s/%u", attr_address(r.family, a.at[RTA_DST]), m->rtm_dst_len);
	else
		strcpy(r.dst, "default");
	if (!list->with_local && (!strncmp(r.dst, "fe80::", 6) || !strncmp(r.dst, "ff00::", 6)))
		return;
	snprintf(r.gateway, sizeof r.gateway, "%s", attr_address(r.family, a.at[RTA_GATEWAY]));
	snprintf(r.source, sizeof r.source, "%s", attr_address(r.family, a.at[RTA_PREFSRC]));
	*(struct route_seen *)listing_grow(list) = r;
}

struct route_seen *routes_in(const char *netns, bool with_local)
{
	struct listing l = { .size = sizeof(struct route_seen), .with_local = with_local };

	dump(netns, RTM_GETROUTE, AF_UNSPEC, read_route, listing_reset, &l);
	return l.items;
}

static const char *route_text(const struct route_seen *r, const struct link_seen *links)
{
	static const char *const types[] = {
		[RTN_LOCAL] = "local ", [RTN_BROADCAST] = "broadcast ", [RTN_ANYCAST] = "anycast ", [RTN_MULTICAST] = "multicast ",
		[RTN_BLACKHOLE] = "blackhole ", [RTN_UNREACHABLE] = "unreachable ", [RTN_PROHIBIT] = "prohibit ", [RTN_THROW] = "throw ",
		[RTN_NAT] = NULL,
	};
	const char *type = r->type < (int)(sizeof types / sizeof *types) && types[r->type] ? types[r->type] : "";
	const char *text = keep("%s%s%s%s%s%s%s%s%s%s", type, r->family == AF_INET6 && !strcmp(r->dst, "default") ? "::/" : "",
	                        r->family == AF_INET6 && !strcmp(r->dst, "default") ? "0" : r->dst, *r->gateway ? " via " : "", r->gateway,
	                        r->index ? " dev " : "", r->index ? name_of(links, r->index) : "", *r->source ? " src " : "", r->source,
	                        r->multipath ? " multipath" : "");

	if (r->scope != RT_SCOPE_UNIVERSE && r->scope != RT_SCOPE_LINK && r->scope != RT_SCOPE_HOST)
		text = keep("%s scope %d", text, r->scope);
	if (r->priority && !(r->family == AF_INET6 && (r->priority == 1024 || r->priority == 256)))
		text = keep("%s metric %u", text, r->priority);
	if (r->table != RT_TABLE_MAIN && r->table != RT_TABLE_LOCAL)
		text = keep("%s table %u", text, r->table);
	if (r->mtu)
		text = keep("%s mtu %u", text, r->mtu);
	if (r->advmss)
		text = keep("%s advmss %u", text, r->advmss);
	return text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *routes_text(const char *netns)
{
	struct link_seen *links = links_in(netns);
	struct route_seen *r = routes_in(netns, false);
	const char *lines[2000], *text = "";
	size_t n = 0;

	for (; r->family && n < 2000; r++)
		lines[n++] = route_text(r, links);
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++)
		text = keep("%s%s\n", text, lines[i]);
	return text;
}

static void read_rule(const struct nlmsghdr *h, void *arg)
{
	const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(h);
	struct attrs a = attrs_of(h, sizeof *m);
	struct rule_seen *r = listing_grow(arg);

	r->family = m->family;
	r->priority = attr_number(a.at[FRA_PRIORITY]);
	r->table = a.at[FRA_TABLE] ? attr_number(a.at[FRA_TABLE]) : m->table;
	snprintf(r->text, sizeof r->text, "inet%s from %s/%u to %s/%u iif %s oif %s mark %u table %u", m->family == AF_INET ? "" : "6",
	         attr_address(m->family, a.at[FRA_SRC]), m->src_len, attr_address(m->family, a.at[FRA_DST]), m->dst_len,
	         attr_text(a.at[FRA_IIFNAME]), attr_text(a.at[FRA_OIFNAME]), attr_number(a.at[FRA_FWMARK]), r->table);
}

struct rule_seen *rules_in(const char *netns)
{
	struct listing l = { .size = sizeof(struct rule_seen) };

	dump(netns, RTM_GETRULE, AF_UNSPEC, read_rule, listing_reset, &l);
	return l.items;
}
