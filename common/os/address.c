#include "os/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "os/route.h"

enum { SETTLE_MS = 1000 };

static struct nl_msg *address_request(int type, int flags, int index, const struct prefix *p, uint32_t ifa_flags)
{
	struct ifaddrmsg a = { .ifa_family = p->addr.family, .ifa_prefixlen = p->len, .ifa_index = index, .ifa_flags = ifa_flags & 0xff };
	struct nl_msg *m = netlink_request(type, flags, &a, sizeof a);

	if (!m)
		return NULL;
	nla_put(m, IFA_LOCAL, addr_size(p->addr.family), p->addr.bytes);
	nla_put(m, IFA_ADDRESS, addr_size(p->addr.family), p->addr.bytes);
	if (ifa_flags > 0xff)
		nla_put_u32(m, IFA_FLAGS, ifa_flags);
	return m;
}

/* IPv4's broadcast address, as ip(8) and the reference have it; none for the two longest prefixes. */
static void put_broadcast(struct nl_msg *m, const struct prefix *p)
{
	struct addr last = addr_last(p);

	if (p->addr.family == AF_INET && p->len < 31)
		nla_put(m, IFA_BROADCAST, 4, last.bytes);
}

int address_add(struct netlink *nl, int index, const char *name, const struct prefix *p, unsigned flags, struct err *e)
{
	uint32_t ifa = (p->addr.family == AF_INET6 && !(flags & ADDRESS_DAD) ? IFA_F_NODAD : 0) |
	               (flags & ADDRESS_NO_ROUTE ? IFA_F_NOPREFIXROUTE : 0);
	struct nl_msg *m = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, p, ifa);
	char text[PREFIX_TEXT];
	int r;

	if (m)
		put_broadcast(m, p);
	r = netlink_do(nl, m);
	if (r >= 0 || r == -EEXIST)
		return r;
	netlink_refused(nl, e, r, "adding address %s to %s", prefix_text(p, text), name);
	if (p->addr.family == AF_INET6 && (r == -EACCES || r == -EPERM))
		err_detail(e, "IPv6 is disabled by sysctl: net.ipv6.conf.%s.disable_ipv6 or net.ipv6.conf.all.disable_ipv6 is 1; "
		           "set them to 0, or leave IPv6 out of the network", name);
	else if (p->addr.family == AF_INET6 && (r == -EOPNOTSUPP || r == -EAFNOSUPPORT))
		err_detail(e, "this kernel runs without IPv6 (ipv6.disable=1, or not built in); leave IPv6 out of the network");
	return r;
}

int address_del(struct netlink *nl, int index, const struct prefix *p, struct err *e)
{
	int r = netlink_do(nl, address_request(RTM_DELADDR, 0, index, p, 0));
	char text[PREFIX_TEXT];

	if (r >= 0 || r == -EADDRNOTAVAIL)
		return 0;
	return netlink_refused(nl, e, r, "removing address %s", prefix_text(p, text));
}

static int go_on(struct nlmsghdr *h, void *arg)
{
	(void)h, (void)arg;
	return 0;
}

void address_settle(struct netlink *nl, const struct addr *a)
{
	if (a->family != AF_INET6 || route_is_local(nl, a) || netlink_join(nl, RTNLGRP_IPV6_IFADDR) < 0)
		return;
	while (!route_is_local(nl, a) && netlink_wait(nl, SETTLE_MS, go_on, NULL) >= 0)
		;
}

struct walk {
	int index;
	int (*each)(const struct prefix *p, void *arg);
	void *arg;
};

static int visit(struct nlmsghdr *h, void *arg)
{
	struct nlattr *tb[IFA_MAX + 1] = { 0 }, *own;
	struct ifaddrmsg *a = nlmsg_data(h);
	struct walk *w = arg;
	struct prefix p = { .len = 0 };

	if (h->nlmsg_type != RTM_NEWADDR || nlmsg_parse(h, sizeof *a, tb, IFA_MAX, NULL) < 0 || (w->index && (int)a->ifa_index != w->index))
		return 0;
	p = (struct prefix){ .addr.family = a->ifa_family, .len = a->ifa_prefixlen };
	own = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	if (!own || (a->ifa_family != AF_INET && a->ifa_family != AF_INET6) || nla_len(own) != (int)addr_size(a->ifa_family))
		return 0;
	memcpy(p.addr.bytes, nla_data(own), nla_len(own));
	return w->each(&p, w->arg);
}

int address_each(struct netlink *nl, int index, int family, int (*each)(const struct prefix *p, void *arg), void *arg, struct err *e)
{
	struct ifaddrmsg a = { .ifa_family = family, .ifa_index = index };
	struct walk w = { index, each, arg };
	int r = netlink_dump(nl, netlink_request(RTM_GETADDR, 0, &a, sizeof a), visit, &w);

	return r < 0 && !e->code ? netlink_refused(nl, e, r, "listing the addresses of link %d", index) : r;
}

static int is_it(const struct prefix *p, void *wanted)
{
	return prefix_equal(p, wanted);
}

int address_has(struct netlink *nl, int index, const struct prefix *p, struct err *e)
{
	struct prefix wanted = *p;

	return address_each(nl, index, p->addr.family, is_it, &wanted, e);
}
