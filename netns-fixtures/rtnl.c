/* The few rtnetlink requests that a LAN takes, with libmnl. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "inside.h"

struct request {
	struct nlmsghdr *h;
	char             room[4096] __attribute__((aligned(8)));
};

static void *request_begin(struct request *r, int type, unsigned flags, size_t header_len)
{
	memset(r->room, 0, sizeof r->room);
	r->h = mnl_nlmsg_put_header(r->room);
	r->h->nlmsg_type = type;
	r->h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	r->h->nlmsg_seq = 1;
	return mnl_nlmsg_put_extra_header(r->h, header_len);
}

/* Sends it in the caller's namespace and waits for the acknowledgement. */
static int request_do(struct request *r)
{
	struct mnl_socket *sk = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t n = -1;

	if (!sk)
		return -1;
	if (mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID) == 0 && mnl_socket_sendto(sk, r->h, r->h->nlmsg_len) > 0)
		n = mnl_socket_recvfrom(sk, r->room, sizeof r->room);
	if (n > 0)
		n = mnl_cb_run(r->room, n, 1, mnl_socket_get_portid(sk), NULL, NULL);
	mnl_socket_close(sk);
	return n < 0 ? -1 : 0;
}

/* The index is given because the kernel takes a veth for a device without another end when the ends' indices are equal, as in two fresh
 * namespaces they would be; it then notices the carrier up to a second late. (net/core/link_watch.c linkwatch_urgent_event.) */
int rtnl_veth(const char *name, int index, const char *peer, int peer_netns, struct fault *why)
{
	struct request r;
	struct ifinfomsg *i = request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof *i);
	struct nlattr *info, *data, *far;

	i->ifi_index = index;
	mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(r.h, IFLA_LINKINFO);
	mnl_attr_put_strz(r.h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(r.h, IFLA_INFO_DATA);
	far = mnl_attr_nest_start(r.h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(r.h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(r.h, IFLA_IFNAME, peer);
	mnl_attr_put_u32(r.h, IFLA_NET_NS_FD, peer_netns);
	mnl_attr_nest_end(r.h, far);
	mnl_attr_nest_end(r.h, data);
	mnl_attr_nest_end(r.h, info);
	return request_do(&r) < 0 ? fault_note(why, "making the veth pair %s and %s", name, peer) : 0;
}

int rtnl_up(const char *name, struct fault *why)
{
	struct request r;
	struct ifinfomsg *i = request_begin(&r, RTM_NEWLINK, 0, sizeof *i);

	i->ifi_flags = i->ifi_change = IFF_UP;
	mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	return request_do(&r) < 0 ? fault_note(why, "bringing %s up", name) : 0;
}

static size_t address_read(const char *text, unsigned char bytes[16], unsigned char *family)
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*family, text, bytes) != 1 ? 0 : *family == AF_INET ? 4 : 16;
}

int rtnl_address(const char *name, const char *address, uint8_t prefix_len, struct fault *why)
{
	struct request r;
	struct ifaddrmsg *a = request_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *a);
	unsigned char bytes[16];
	size_t len = address_read(address, bytes, &a->ifa_family);

	a->ifa_index = if_nametoindex(name);
	a->ifa_prefixlen = prefix_len;
	a->ifa_flags = a->ifa_family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(r.h, IFA_LOCAL, len, bytes);
	mnl_attr_put(r.h, IFA_ADDRESS, len, bytes);
	return request_do(&r) < 0 ? fault_note(why, "adding %s/%d to %s", address, prefix_len, name) : 0;
}

int rtnl_default_route(const char *gateway, struct fault *why)
{
	struct request r;
	struct rtmsg *m = request_begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *m);
	unsigned char bytes[16];
	size_t len = address_read(gateway, bytes, &m->rtm_family);

	m->rtm_table = RT_TABLE_MAIN;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_type = RTN_UNICAST;
	mnl_attr_put(r.h, RTA_GATEWAY, len, bytes);
	return request_do(&r) < 0 ? fault_note(why, "adding the default route by %s", gateway) : 0;
}
