/* Loaded before a plugin (LD_PRELOAD), it writes down what the kernel answers: each exchange a file of FUZZ_RECORD/TARGET, in the form that the targets
 * netlink_route, netlink_nft and netlink_conntrack read. */
#include <dlfcn.h>
#include <fcntl.h>
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

enum { ROOM = 64 << 10, NO_BYTE = 256 };

struct exchange {
	const char *target;
	unsigned    what;               /* the first byte; NO_BYTE: the target has none */
	size_t      len;
	uint8_t     bytes[ROOM];
};
static struct exchange now, all = { .target = "netlink_nft", .what = 6 };
static unsigned last_seq;

static void write_down(struct exchange *e)
{
	const char *dir = getenv("FUZZ_RECORD");
	uint8_t what = (uint8_t)e->what;
	uint64_t hash = 0xcbf29ce484222325u ^ what;
	char path[512];
	int fd;

	for (size_t i = 0; i < e->len; i++)
		hash = (hash ^ e->bytes[i]) * 0x100000001b3u;
	if (!dir || !e->target || !e->len)
		return;
	snprintf(path, sizeof path, "%s/%s/%016llx", dir, e->target, (unsigned long long)hash);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	e->len *= fd >= 0 && (e->what == NO_BYTE || write(fd, &what, 1) == 1) && write(fd, e->bytes, e->len) >= 0 ? 1 : 0;
	if (fd >= 0)
		close(fd);
	e->len = 0;
}

static void __attribute__((destructor)) finish(void)
{
	write_down(&now);
	write_down(&all);
}

static unsigned route_question(const struct nlmsghdr *h)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	int dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	switch (h->nlmsg_type) {
	case RTM_GETLINK:  return dump ? (i->ifi_family == AF_BRIDGE ? 3 : 2) : i->ifi_index ? 1 : 0;
	case RTM_NEWLINK:  return h->nlmsg_flags & NLM_F_CREATE ? 4 : 6;
	case RTM_SETLINK:  return 7;
	case RTM_GETADDR:  return 8;
	case RTM_NEWADDR:  return 10;
	case RTM_GETROUTE: return dump ? 11 : 14;
	case RTM_NEWROUTE: return 12;
	default:           return 13;
	}
}

static unsigned nft_question(const struct nlmsghdr *h)
{
	int dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	switch (NFNL_MSG_TYPE(h->nlmsg_type)) {
	case NFT_MSG_GETSETELEM: return dump ? 1 : 0;
	case NFT_MSG_GETCHAIN:   return dump ? 3 : 2;
	case NFT_MSG_GETRULE:    return 4;
	default:                 return 5;
	}
}

static void begin(int protocol, const struct nlmsghdr *h)
{
	const struct nlmsghdr *first = h;

	write_down(&now);
	last_seq = first->nlmsg_seq;
	if (protocol == NETLINK_ROUTE) {
		now.target = "netlink_route";
		now.what = route_question(h);
	} else if (NFNL_SUBSYS_ID(h->nlmsg_type) == NFNL_SUBSYS_CTNETLINK) {
		now.target = "netlink_conntrack";
		now.what = NO_BYTE;
	} else {
		now.target = "netlink_nft";
		now.what = nft_question(h);
	}
}

/* Of a batch any message may be acknowledged: each sequence number after the first is taken for the last asked. */
static void append(struct exchange *e, const uint8_t *bytes, size_t len)
{
	uint8_t *at = e->bytes + e->len + 2;
	int rest = (int)len;

	if (ROOM - e->len < len + 2)
		return;
	e->bytes[e->len] = len & 0xff;
	e->bytes[e->len + 1] = (uint8_t)(len >> 8);
	memcpy(at, bytes, len);
	e->len += len + 2;
	for (struct nlmsghdr *h = (void *)at; rest >= (int)sizeof *h && h->nlmsg_len >= sizeof *h && (int)h->nlmsg_len <= rest; h = NLMSG_NEXT(h, rest))
		if (h->nlmsg_seq >= last_seq)
			h->nlmsg_seq = 0;
}

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");

	if (option_of(fd, SO_DOMAIN) == AF_NETLINK)
		begin(option_of(fd, SO_PROTOCOL), data);
	return real(fd, data, len, flags, to, to_len);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t n = real(fd, m, flags);

	if (n > 0 && option_of(fd, SO_DOMAIN) == AF_NETLINK) {
		append(&now, m->msg_iov->iov_base, n);
		if (option_of(fd, SO_PROTOCOL) == NETLINK_NETFILTER)
			append(&all, m->msg_iov->iov_base, n);
	}
	return n;
}
