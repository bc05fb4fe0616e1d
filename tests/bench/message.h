/* Netlink messages in one buffer, sent by one system call and answered by as few. For programs that measure: nothing is undone, what fails ends them. */
#ifndef PLUMB_BENCH_MESSAGE_H
#define PLUMB_BENCH_MESSAGE_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH_ROOM = 1 << 16 };

struct batch {
	_Alignas(8) char bytes[BATCH_ROOM];
	size_t           len;
	struct nlmsghdr *last;          /* the message that attributes go to */
	uint32_t         seq;
};

static inline void __attribute__((noreturn)) fail(const char *what, int error)
{
	dprintf(2, "%s: %s\n", what, strerror(error));
	exit(1);
}

static inline int netlink_socket(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fail("netlink socket", errno);
	return fd;
}

/* ---- Writing ---- */

static inline void *put(struct batch *b, const void *data, size_t len)
{
	char *at = b->bytes + b->len;
	size_t room = NLMSG_ALIGN(len);

	if (b->len + room > sizeof b->bytes)
		fail("batch", ENOBUFS);
	memset(at, 0, room);
	if (data)
		memcpy(at, data, len);
	b->len += room;
	b->last->nlmsg_len = (uint32_t)(b->bytes + b->len - (char *)b->last);
	return at;
}

static inline void message(struct batch *b, int type, int flags, const void *header, size_t len)
{
	b->last = (void *)(b->bytes + b->len);
	put(b, &(struct nlmsghdr){ .nlmsg_type = (uint16_t)type, .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags), .nlmsg_seq = ++b->seq }, NLMSG_HDRLEN);
	put(b, header, len);
}

static inline struct nlattr *attr(struct batch *b, int type, const void *data, size_t len)
{
	struct nlattr *a = put(b, NULL, NLA_HDRLEN + len);

	*a = (struct nlattr){ .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = (uint16_t)type };
	if (data)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	return a;
}

static inline void attr_text(struct batch *b, int type, const char *s) { attr(b, type, s, strlen(s) + 1); }
static inline void attr_u32(struct batch *b, int type, uint32_t v)     { attr(b, type, &v, sizeof v); }
static inline void attr_be32(struct batch *b, int type, uint32_t v)    { attr_u32(b, type, htonl(v)); }

static inline struct nlattr *nest(struct batch *b, int type) { return attr(b, type | NLA_F_NESTED, NULL, 0); }
static inline void nest_end(struct batch *b, struct nlattr *a) { a->nla_len = (uint16_t)(b->bytes + b->len - (char *)a); }

/* ---- Sending ---- */

typedef void see(const struct nlmsghdr *h, void *arg);

/* Sends what is there; the last message that asks for an acknowledgement, `seq`, is waited for. 0, or the first refusal's -errno. What is not an
 * acknowledgement is shown to `each`. */
static inline int exchange(int fd, struct batch *b, uint32_t seq, see *each, void *arg)
{
	char answer[8192] __attribute__((aligned(8)));

	if (send(fd, b->bytes, b->len, 0) < 0)
		return -errno;
	b->len = 0;
	for (;;) {
		ssize_t n = recv(fd, answer, sizeof answer, 0);

		if (n < 0)
			return -errno;
		for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR && each)
				each(h, arg);
			if (h->nlmsg_type == NLMSG_ERROR && (e->error || h->nlmsg_seq == seq))
				return e->error;
		}
	}
}

/* ---- Links ---- */

struct veth {
	const char *near, *far;
	int         master, pod;        /* the near end's bridge, or 0; the far end's namespace */
	unsigned    queues;             /* 0: the kernel makes one a processor, and turns all but one off again */
};

static inline void veth_end(struct batch *b, const char *name, unsigned queues)
{
	attr_text(b, IFLA_IFNAME, name);
	if (queues) {
		attr_u32(b, IFLA_NUM_TX_QUEUES, queues);
		attr_u32(b, IFLA_NUM_RX_QUEUES, queues);
	}
}

static inline void veth_new(struct batch *b, const struct veth *v, int flags)
{
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, far = { 0 };
	struct nlattr *info, *data, *peer;

	message(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK | flags, &up, sizeof up);
	veth_end(b, v->near, v->queues);
	if (v->master)
		attr_u32(b, IFLA_MASTER, (uint32_t)v->master);
	info = nest(b, IFLA_LINKINFO);
	attr_text(b, IFLA_INFO_KIND, "veth");
	data = nest(b, IFLA_INFO_DATA);
	peer = nest(b, VETH_INFO_PEER);
	put(b, &far, sizeof far);
	veth_end(b, v->far, v->queues);
	attr_u32(b, IFLA_NET_NS_FD, (uint32_t)v->pod);
	nest_end(b, peer);
	nest_end(b, data);
	nest_end(b, info);
}

static inline void link_up(struct batch *b, int index, int flags)
{
	struct ifinfomsg up = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };

	message(b, RTM_NEWLINK, flags, &up, sizeof up);
}

static inline void address_new(struct batch *b, int index, uint32_t address, int len, int flags)
{
	struct ifaddrmsg a = { .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)len, .ifa_index = (uint32_t)index };

	message(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | flags, &a, sizeof a);
	attr_be32(b, IFA_LOCAL, address);
	attr_be32(b, IFA_ADDRESS, address);
}

/* gateway 0: what is there is on the link itself */
static inline void route_new(struct batch *b, int index, uint32_t to, int len, uint32_t gateway, int flags)
{
	struct rtmsg r = { .rtm_family = AF_INET, .rtm_dst_len = (uint8_t)len, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
	                   .rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK, .rtm_type = RTN_UNICAST };

	message(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | flags, &r, sizeof r);
	if (len)
		attr_be32(b, RTA_DST, to);
	if (gateway)
		attr_be32(b, RTA_GATEWAY, gateway);
	attr_u32(b, RTA_OIF, (uint32_t)index);
}

/* ---- nftables ---- */

static inline void nft_edge(struct batch *b, int type)
{
	struct nfgenmsg g = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	message(b, type, 0, &g, sizeof g);
}

static inline void nft_message(struct batch *b, int type, int flags)
{
	struct nfgenmsg g = { .nfgen_family = NFPROTO_IPV4 };

	message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags, &g, sizeof g);
}

static inline void nft_data(struct batch *b, int type, const void *data, size_t len)
{
	struct nlattr *a = nest(b, type);

	attr(b, NFTA_DATA_VALUE, data, len);
	nest_end(b, a);
}

#endif
