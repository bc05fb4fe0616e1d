#include "os/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"

enum { DATAGRAM = 64 * 1024, DUMP_TRIES = 16, BATCH_BUFFER = 8 << 20 };

static char datagram[DATAGRAM] __attribute__((aligned(NLMSG_ALIGNTO)));

int netlink_fd(const struct netlink *nl)
{
	return nl_socket_get_fd(nl->sk);
}

/* A kernel without one gives shorter error texts, or unfiltered dumps, which callers filter again. */
static void option_on(struct netlink *nl, int option)
{
	int one = 1;

	setsockopt(netlink_fd(nl), SOL_NETLINK, option, &one, sizeof one);
}

int netlink_open(struct netlink *nl, int protocol, struct err *e)
{
	const char *name = protocol == NETLINK_ROUTE ? "route" : "netfilter";
	int cause;

	*nl = (struct netlink){ .sk = nl_socket_alloc(), .seq = 1 };
	if (!nl->sk)
		return err_nomem(e, "netlink socket");
	errno = 0;
	if (nl_connect(nl->sk, protocol) < 0) {
		cause = errno ? -errno : -EPROTONOSUPPORT;
		netlink_close(nl);
		err_sys(e, CNI_FAILED, cause, "opening a netlink socket (%s)", name);
		if (cause == -EPROTONOSUPPORT || cause == -EAFNOSUPPORT)
			err_detail(e, "the kernel lacks %s, or a filter of system calls (seccomp) refuses it", protocol == NETLINK_ROUTE ? "netlink" : "nf_tables (netfilter's netlink)");
		return cause;
	}
	option_on(nl, NETLINK_EXT_ACK);
	option_on(nl, NETLINK_CAP_ACK);
	option_on(nl, NETLINK_GET_STRICT_CHK);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->sk)
		nl_socket_free(nl->sk);
	nl->sk = NULL;
}

struct nl_msg *netlink_request(int type, int flags, const void *hdr, size_t len)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (m && nlmsg_append(m, (void *)hdr, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static int send_all(struct netlink *nl, const void *data, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t sent;

	nl->why[0] = '\0';
	do
		sent = sendto(netlink_fd(nl), data, len, 0, (struct sockaddr *)&kernel, sizeof kernel);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* One datagram from the kernel into the shared buffer; its length or -errno. Others' datagrams are passed over. */
static ssize_t receive(struct netlink *nl, int flags)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec v = { datagram, sizeof datagram };
		struct msghdr h = { .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t n = recvmsg(netlink_fd(nl), &h, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (h.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (from.nl_pid == 0)
			return n;
	}
}

/* A kernel's errno is from -4095 to 0. (include/linux/err.h) */
static int errno_of(int error)
{
	return error <= 0 && error >= -4095 ? error : -EBADMSG;
}

/* An acknowledgement's errno; its words, where the kernel gives some, are kept in nl->why. */
static int acknowledged(struct netlink *nl, const struct nlmsghdr *h)
{
	const struct nlmsgerr *ack = nlmsg_data(h);
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { 0 };
	int skip = sizeof *ack;

	if (h->nlmsg_len < NLMSG_HDRLEN + sizeof *ack)
		return -EBADMSG;
	if (ack->error == 0)
		return 0;
	if (!(h->nlmsg_flags & NLM_F_CAPPED) && ack->msg.nlmsg_len > sizeof ack->msg)
		skip += NLMSG_ALIGN(ack->msg.nlmsg_len - sizeof ack->msg);
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) && (size_t)skip < (size_t)nlmsg_datalen(h) &&
	    nla_parse(tb, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)nlmsg_data(h) + NLMSG_ALIGN(skip)),
	              nlmsg_datalen(h) - skip, NULL) == 0 && tb[NLMSGERR_ATTR_MSG])
		snprintf(nl->why, sizeof nl->why, "%.*s", nla_len(tb[NLMSGERR_ATTR_MSG]), (char *)nla_data(tb[NLMSGERR_ATTR_MSG]));
	return errno_of(ack->error);
}

static int finish(struct netlink *nl, struct nl_msg *m)
{
	struct nlmsghdr *h = nlmsg_hdr(m);

	h->nlmsg_seq = ++nl->seq;
	h->nlmsg_flags |= NLM_F_REQUEST;
	return send_all(nl, h, h->nlmsg_len);
}

int netlink_get(struct netlink *nl, struct nl_msg *m, netlink_reply *reply, void *arg)
{
	int r = -ENOMEM, stopped = 0;

	if (!m)
		return r;
	nlmsg_hdr(m)->nlmsg_flags |= NLM_F_ACK;
	r = finish(nl, m);
	nlmsg_free(m);
	while (r >= 0) {
		ssize_t n = receive(nl, 0);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *h = (void *)datagram; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != nl->seq)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR) {
				r = acknowledged(nl, h);
				return r < 0 ? r : stopped;
			}
			if (reply && !stopped)
				stopped = reply(h, arg);
		}
	}
	return r;
}

int netlink_do(struct netlink *nl, struct nl_msg *m)
{
	return netlink_get(nl, m, NULL, NULL);
}

struct pile {
	char  *data;
	size_t len, room;
};

/* The last message of a datagram may come without its padding. */
static int pile_add(struct pile *p, const struct nlmsghdr *h)
{
	size_t len = h->nlmsg_len, size = NLMSG_ALIGN(len);

	if (p->room - p->len < size) {
		size_t room = (p->room + size) * 2;
		char *more = realloc(p->data, room);

		if (!more)
			return -ENOMEM;
		p->data = more;
		p->room = room;
	}
	memcpy(p->data + p->len, h, len);
	memset(p->data + p->len + len, 0, size - len);
	p->len += size;
	return 0;
}

/* One try: 0 when whole, -EINTR when something changed meanwhile. */
static int dump_once(struct netlink *nl, struct nl_msg *m, struct pile *p)
{
	bool interrupted = false;
	int r = finish(nl, m);

	p->len = 0;
	while (r >= 0) {
		ssize_t n = receive(nl, 0);
		int left = (int)n;

		if (n < 0)
			return (int)n;
		for (struct nlmsghdr *h = (void *)datagram; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != nl->seq)
				continue;
			interrupted |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return acknowledged(nl, h);
			if (h->nlmsg_type == NLMSG_DONE)
				return interrupted ? -EINTR : nlmsg_datalen(h) >= (int)sizeof(int) ? errno_of(*(int *)nlmsg_data(h)) : 0;
			r = pile_add(p, h);
		}
	}
	return r;
}

int netlink_dump(struct netlink *nl, struct nl_msg *m, netlink_reply *reply, void *arg)
{
	struct pile p = { 0 };
	int r = -ENOMEM, left;

	if (!m)
		return r;
	nlmsg_hdr(m)->nlmsg_flags |= NLM_F_DUMP;
	for (int i = 0; i < DUMP_TRIES; i++)
		if ((r = dump_once(nl, m, &p)) != -EINTR)
			break;
	nlmsg_free(m);
	left = (int)p.len;
	for (struct nlmsghdr *h = (void *)p.data; r == 0 && h && nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		r = reply(h, arg);
	free(p.data);
	return r;
}

/* What is left would take up the room of later answers. */
static void discard_the_rest(struct netlink *nl)
{
	while (recv(netlink_fd(nl), datagram, sizeof datagram, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
}

/* The kernel has answered all of a batch by the time that it is sent. */
int netlink_batch(struct netlink *nl, const void *messages, size_t len, unsigned first_seq, unsigned n_acks)
{
	int size = BATCH_BUFFER, first = 0, r;

	if (len > DATAGRAM / 2 && setsockopt(netlink_fd(nl), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
		setsockopt(netlink_fd(nl), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	r = send_all(nl, messages, len);
	if (r < 0)
		return r;
	while (n_acks > 0) {
		ssize_t n = receive(nl, MSG_DONTWAIT);
		int left = (int)n;

		if (n == -ENOBUFS)
			continue;       /* more refusals than there is room for: the first ones, which count, are there */
		if (n < 0)
			return -ENODATA;
		for (struct nlmsghdr *h = (void *)datagram; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			if (h->nlmsg_type != NLMSG_ERROR || (int)(h->nlmsg_seq - first_seq) < 0)
				continue;
			r = acknowledged(nl, h);
			if (r < 0 && first == 0)
				first = r;
			n_acks = r < 0 ? 0 : n_acks - 1;        /* a batch that failed is not acknowledged message by message */
		}
	}
	if (first < 0)
		discard_the_rest(nl);
	return first;
}

int netlink_join(struct netlink *nl, int group)
{
	return setsockopt(netlink_fd(nl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0 ? -errno : 0;
}

int netlink_wait(struct netlink *nl, int timeout_ms, netlink_reply *reply, void *arg)
{
	struct pollfd p = { .fd = netlink_fd(nl), .events = POLLIN };
	int r = poll(&p, 1, timeout_ms), left;
	ssize_t n;

	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	n = receive(nl, 0);
	if (n < 0)
		return (int)n;
	left = (int)n;
	r = 0;
	for (struct nlmsghdr *h = (void *)datagram; r == 0 && nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		r = reply(h, arg);
	return r;
}

struct nlattr *netlink_attr(struct nlmsghdr *h, size_t hdr_len, int type)
{
	return nlmsg_valid_hdr(h, (int)hdr_len) ? nlmsg_find_attr(h, (int)hdr_len, type) : NULL;
}

static bool has(struct nlattr *a, size_t size)
{
	return a && nla_len(a) >= (int)size;
}

uint8_t netlink_u8(struct nlattr *a)
{
	return has(a, sizeof(uint8_t)) ? nla_get_u8(a) : 0;
}

uint16_t netlink_u16(struct nlattr *a)
{
	return has(a, sizeof(uint16_t)) ? nla_get_u16(a) : 0;
}

uint32_t netlink_u32(struct nlattr *a)
{
	return has(a, sizeof(uint32_t)) ? nla_get_u32(a) : 0;
}

const char *netlink_text(struct nlattr *a)
{
	return a && memchr(nla_data(a), '\0', nla_len(a)) ? nla_data(a) : "";
}

void netlink_addr(struct addr *out, int family, struct nlattr *a)
{
	if (a && nla_len(a) == (int)addr_size(family)) {
		out->family = family;
		memcpy(out->bytes, nla_data(a), nla_len(a));
	}
}

int netlink_refused(const struct netlink *nl, struct err *e, int ret, const char *fmt, ...)
{
	bool first = e && !e->code;
	char asked[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(asked, sizeof asked, fmt, ap);
	va_end(ap);
	err_sys(e, CNI_FAILED, ret, "%s", asked);
	if (first && nl->why[0])
		err_detail(e, "%s", nl->why);
	if (first && ret == -EPERM)
		err_detail(e, "it takes the capability CAP_NET_ADMIN");
	return ret;
}
