#include "os/link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "base/trace.h"

static const uint32_t ONE_QUEUE = 1;

static struct nl_msg *link_request(int type, int flags, int index, unsigned up)
{
	struct ifinfomsg i = { .ifi_index = index, .ifi_flags = up, .ifi_change = up };

	return netlink_request(type, flags, &i, sizeof i);
}

/* ---- Reading ---- */

static void read_kind(struct link *l, struct nlattr *info)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1] = { 0 }, *b[IFLA_BR_MAX + 1] = { 0 }, *p[IFLA_BRPORT_MAX + 1] = { 0 };

	if (nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL) < 0)
		return;
	snprintf(l->kind, sizeof l->kind, "%s", netlink_text(tb[IFLA_INFO_KIND]));
	if (tb[IFLA_INFO_DATA] && !strcmp(l->kind, "bridge") && nla_parse_nested(b, IFLA_BR_MAX, tb[IFLA_INFO_DATA], NULL) == 0)
		l->vlan_filtering = netlink_u8(b[IFLA_BR_VLAN_FILTERING]);
	if (tb[IFLA_INFO_SLAVE_DATA] && nla_parse_nested(p, IFLA_BRPORT_MAX, tb[IFLA_INFO_SLAVE_DATA], NULL) == 0) {
		l->hairpin = netlink_u8(p[IFLA_BRPORT_MODE]);
		l->isolated = netlink_u8(p[IFLA_BRPORT_ISOLATED]);
	}
}

static int read_link(struct nlmsghdr *h, void *out)
{
	struct nlattr *tb[IFLA_MAX + 1] = { 0 };
	struct ifinfomsg *i = nlmsg_data(h);
	struct link *l = out;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof *i, tb, IFLA_MAX, NULL) < 0)
		return 0;
	*l = (struct link){ .index = i->ifi_index, .flags = i->ifi_flags };
	snprintf(l->name, sizeof l->name, "%s", netlink_text(tb[IFLA_IFNAME]));
	if (tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == sizeof l->mac)
		memcpy(&l->mac, nla_data(tb[IFLA_ADDRESS]), sizeof l->mac);
	l->mtu = netlink_u32(tb[IFLA_MTU]);
	l->master = (int)netlink_u32(tb[IFLA_MASTER]);
	l->peer = (int)netlink_u32(tb[IFLA_LINK]);
	l->operstate = netlink_u8(tb[IFLA_OPERSTATE]);
	if (tb[IFLA_LINKINFO])
		read_kind(l, tb[IFLA_LINKINFO]);
	return 0;
}

static int link_find(struct netlink *nl, int index, const char *name, struct link *out, struct err *e)
{
	struct nl_msg *m = link_request(RTM_GETLINK, 0, index, 0);
	int r;

	*out = (struct link){ 0 };
	if (m && name)
		nla_put_string(m, IFLA_IFNAME, name);
	r = netlink_get(nl, m, read_link, out);
	if (r == -ENODEV || (r == 0 && out->index == 0))
		return -ENODEV;
	if (r < 0)
		return name ? netlink_refused(nl, e, r, "looking up link %s", name) : netlink_refused(nl, e, r, "looking up link %d", index);
	return 0;
}

int link_by_name(struct netlink *nl, const char *name, struct link *out, struct err *e)
{
	return link_find(nl, 0, name, out, e);
}

int link_by_index(struct netlink *nl, int index, struct link *out, struct err *e)
{
	return link_find(nl, index, NULL, out, e);
}

int link_name_of(struct netlink *nl, int index, char out[IFNAME_SIZE])
{
	struct ifreq ask = { .ifr_ifindex = index };

	if (ioctl(netlink_fd(nl), SIOCGIFNAME, &ask) < 0)
		return -errno;
	snprintf(out, IFNAME_SIZE, "%s", ask.ifr_name);
	return 0;
}

int link_reread(struct netlink *nl, struct link *l)
{
	struct ifreq mac = { .ifr_ifindex = 0 }, mtu = { .ifr_ifindex = 0 };

	snprintf(mac.ifr_name, sizeof mac.ifr_name, "%s", l->name);
	snprintf(mtu.ifr_name, sizeof mtu.ifr_name, "%s", l->name);
	if (ioctl(netlink_fd(nl), SIOCGIFHWADDR, &mac) < 0 || ioctl(netlink_fd(nl), SIOCGIFMTU, &mtu) < 0)
		return -errno;
	memcpy(&l->mac, mac.ifr_hwaddr.sa_data, sizeof l->mac);
	l->mtu = (uint32_t)mtu.ifr_mtu;
	return 0;
}

struct each {
	int (*fn)(const struct link *l, void *arg);
	void *arg;
};

static int each_link(struct nlmsghdr *h, void *arg)
{
	struct each *each = arg;
	struct link l = { 0 };

	read_link(h, &l);
	return l.index ? each->fn(&l, each->arg) : 0;
}

int link_each(struct netlink *nl, int (*fn)(const struct link *l, void *arg), void *arg, struct err *e)
{
	struct each each = { fn, arg };
	int r = netlink_dump(nl, link_request(RTM_GETLINK, 0, 0, 0), each_link, &each);

	return r < 0 && !e->code ? netlink_refused(nl, e, r, "listing links") : r;
}

/* ---- Making ---- */

static void put_mac(struct nl_msg *m, const struct mac *mac)
{
	static const struct mac none;

	if (!mac_equal(mac, &none))
		nla_put(m, IFLA_ADDRESS, sizeof *mac, mac);
}

/* What both ends have. More than one queue is made only to be turned off again, at the price of two grace periods. */
static void dress(struct nl_msg *m, const char *name, const struct mac *mac, uint32_t mtu)
{
	nla_put_string(m, IFLA_IFNAME, name);
	put_mac(m, mac);
	if (mtu)
		nla_put_u32(m, IFLA_MTU, mtu);
	nla_put_u32(m, IFLA_NUM_TX_QUEUES, ONE_QUEUE);
	nla_put_u32(m, IFLA_NUM_RX_QUEUES, ONE_QUEUE);
}

/* The kernel is asked to echo what it has made; before 6.2 it does not. */
int veth_create(struct netlink *nl, const struct veth *v, struct link *near, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("veth");
	struct nl_msg *m = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO, 0, v->near_up ? IFF_UP : 0);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg far = { 0 };
	int r;

	if (!m)
		return err_nomem(e, "veth pair");
	dress(m, v->near, &v->near_mac, v->mtu);
	if (v->master)
		nla_put_u32(m, IFLA_MASTER, v->master);
	info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "veth");
	data = nla_nest_start(m, IFLA_INFO_DATA);
	peer = nla_nest_start(m, VETH_INFO_PEER);
	nlmsg_append(m, &far, sizeof far, NLMSG_ALIGNTO);
	dress(m, v->far, &v->far_mac, v->mtu);
	nla_put_u32(m, IFLA_NET_NS_FD, v->pod);
	nla_nest_end(m, peer);
	nla_nest_end(m, data);
	nla_nest_end(m, info);
	*near = (struct link){ 0 };
	r = netlink_get(nl, m, read_link, near);
	if (r == -EEXIST)
		return r;
	if (r < 0)
		return netlink_refused(nl, e, r, "making veth %s with its peer %s in the container", v->near, v->far);
	return near->peer ? 0 : link_by_name(nl, v->near, near, e);
}

int bridge_create(struct netlink *nl, const struct bridge *b, struct err *e)
{
	struct nl_msg *m = link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
	struct nlattr *info, *data;
	int r;

	if (!m)
		return err_nomem(e, "bridge");
	nla_put_string(m, IFLA_IFNAME, b->name);
	put_mac(m, &b->mac);
	if (b->mtu)
		nla_put_u32(m, IFLA_MTU, b->mtu);
	info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, "bridge");
	if (b->vlan_filtering) {
		data = nla_nest_start(m, IFLA_INFO_DATA);
		nla_put_u8(m, IFLA_BR_VLAN_FILTERING, 1);
		nla_nest_end(m, data);
	}
	nla_nest_end(m, info);
	r = netlink_do(nl, m);
	if (r == -EEXIST)
		return r;
	return r < 0 ? netlink_refused(nl, e, r, "making bridge %s", b->name) : 0;
}

void veth_drop(struct netlink *nl, const char *near)
{
	struct nl_msg *m = link_request(RTM_DELLINK, 0, 0, 0);

	if (m)
		nla_put_string(m, IFLA_IFNAME, near);
	netlink_do(nl, m);
}

/* ---- Changing ---- */

struct link_words { char text[IFNAME_SIZE + 8]; };

/* A link for an error's words: its name, or its number where it is gone. By a copy, as nl->why has the kernel's words of the refusal. */
static struct link_words words_of(const struct netlink *nl, int index)
{
	struct netlink ask = *nl;
	struct err ignored = { 0 };
	struct link_words words;
	struct link l;

	if (link_by_index(&ask, index, &l, &ignored) == 0)
		snprintf(words.text, sizeof words.text, "%s", l.name);
	else
		snprintf(words.text, sizeof words.text, "link %d", index);
	return words;
}

static int flags_set(struct netlink *nl, int index, unsigned mask, unsigned value, const char *what, struct err *e)
{
	struct ifinfomsg i = { .ifi_index = index, .ifi_flags = value, .ifi_change = mask };
	int r = netlink_do(nl, netlink_request(RTM_NEWLINK, 0, &i, sizeof i));

	return r < 0 ? netlink_refused(nl, e, r, "setting %s %s", words_of(nl, index).text, what) : 0;
}

int link_up(struct netlink *nl, int index, struct err *e)
{
	return flags_set(nl, index, IFF_UP, IFF_UP, "up", e);
}

int link_down(struct netlink *nl, int index, struct err *e)
{
	return flags_set(nl, index, IFF_UP, 0, "down", e);
}

int link_promisc(struct netlink *nl, int index, bool on, struct err *e)
{
	return flags_set(nl, index, IFF_PROMISC, on ? IFF_PROMISC : 0, on ? "promiscuous" : "not promiscuous", e);
}

/* The MAC that it has already: the kernel takes that for news. */
void link_announce(struct netlink *nl, const struct link *l)
{
	struct nl_msg *m = link_request(RTM_NEWLINK, 0, l->index, 0);

	if (m)
		nla_put(m, IFLA_ADDRESS, sizeof l->mac, &l->mac);
	netlink_do(nl, m);
}

int link_set_master(struct netlink *nl, int index, int master, struct err *e)
{
	struct nl_msg *m = link_request(RTM_NEWLINK, 0, index, 0);
	int r;

	if (m)
		nla_put_u32(m, IFLA_MASTER, master);
	r = netlink_do(nl, m);
	if (r < 0 && master)
		return netlink_refused(nl, e, r, "making %s a port of %s", words_of(nl, index).text, words_of(nl, master).text);
	return r < 0 ? netlink_refused(nl, e, r, "taking %s out of its bridge", words_of(nl, index).text) : 0;
}

int port_set(struct netlink *nl, int index, bool hairpin, bool isolated, struct err *e)
{
	struct ifinfomsg i = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	struct nl_msg *m = netlink_request(RTM_SETLINK, 0, &i, sizeof i);
	struct nlattr *port;
	int r;

	if (m) {
		port = nla_nest_start(m, IFLA_PROTINFO | NLA_F_NESTED);
		nla_put_u8(m, IFLA_BRPORT_MODE, hairpin);
		nla_put_u8(m, IFLA_BRPORT_ISOLATED, isolated);
		nla_nest_end(m, port);
	}
	r = netlink_do(nl, m);
	return r < 0 ? netlink_refused(nl, e, r, "setting hairpin mode and isolation of bridge port %s", words_of(nl, index).text) : 0;
}

static struct nl_msg *vlan_request(int type, int index, uint16_t first, uint16_t last, unsigned flags)
{
	struct ifinfomsg i = { .ifi_family = AF_BRIDGE, .ifi_index = index };
	struct nl_msg *m = netlink_request(type, 0, &i, sizeof i);
	struct bridge_vlan_info v = { .flags = flags, .vid = first };
	struct nlattr *spec;

	if (!m)
		return NULL;
	spec = nla_nest_start(m, IFLA_AF_SPEC);
	if (last > first) {
		v.flags = flags | BRIDGE_VLAN_INFO_RANGE_BEGIN;
		nla_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof v, &v);
		v = (struct bridge_vlan_info){ .flags = flags | BRIDGE_VLAN_INFO_RANGE_END, .vid = last };
	}
	nla_put(m, IFLA_BRIDGE_VLAN_INFO, sizeof v, &v);
	nla_nest_end(m, spec);
	return m;
}

int port_vlan_add(struct netlink *nl, int index, uint16_t first, uint16_t last, bool untagged, struct err *e)
{
	unsigned flags = untagged ? BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED : 0;
	int r = netlink_do(nl, vlan_request(RTM_SETLINK, index, first, last, flags));

	if (r == -EOPNOTSUPP) {
		err_sys(e, CNI_FAILED, r, "adding VLAN %u to bridge port %s", first, words_of(nl, index).text);
		err_detail(e, "this kernel lacks bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING)");
		return r;
	}
	return r < 0 ? netlink_refused(nl, e, r, "adding VLAN %u to bridge port %s", first, words_of(nl, index).text) : 0;
}

int port_vlan_del(struct netlink *nl, int index, uint16_t vid, struct err *e)
{
	int r = netlink_do(nl, vlan_request(RTM_DELLINK, index, vid, vid, 0));

	if (r >= 0 || r == -ENOENT || r == -EOPNOTSUPP)
		return 0;
	return netlink_refused(nl, e, r, "removing VLAN %u from bridge port %s", vid, words_of(nl, index).text);
}

struct vlan_query {
	int      index;
	uint16_t vid;
	bool     found, untagged;
};

static int read_vlans(struct nlmsghdr *h, void *arg)
{
	struct ifinfomsg *i = nlmsg_data(h);
	struct nlattr *tb[IFLA_MAX + 1] = { 0 }, *a;
	struct vlan_query *q = arg;
	int left;

	if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof *i, tb, IFLA_MAX, NULL) < 0 || i->ifi_index != q->index || !tb[IFLA_AF_SPEC])
		return 0;
	nla_for_each_nested(a, tb[IFLA_AF_SPEC], left) {
		struct bridge_vlan_info *v = nla_data(a);

		if (nla_type(a) == IFLA_BRIDGE_VLAN_INFO && nla_len(a) >= (int)sizeof *v && v->vid == q->vid) {
			q->found = true;
			q->untagged = (v->flags & BRIDGE_VLAN_INFO_UNTAGGED) && (v->flags & BRIDGE_VLAN_INFO_PVID);
		}
	}
	return 0;
}

int port_vlan_has(struct netlink *nl, int index, uint16_t vid, bool *untagged, struct err *e)
{
	struct ifinfomsg i = { .ifi_family = AF_BRIDGE };
	struct nl_msg *m = netlink_request(RTM_GETLINK, 0, &i, sizeof i);
	struct vlan_query q = { .index = index, .vid = vid };
	int r;

	if (m)
		nla_put_u32(m, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
	r = netlink_dump(nl, m, read_vlans, &q);
	if (r < 0)
		return netlink_refused(nl, e, r, "listing the VLANs of bridge port %s", words_of(nl, index).text);
	if (untagged)
		*untagged = q.untagged;
	return q.found;
}
