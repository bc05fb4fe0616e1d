#include "kernel.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

static int     kernel_connect(struct nl_sock *sk, int protocol);
static ssize_t kernel_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);
static ssize_t kernel_recvmsg(int fd, struct msghdr *h, int flags);
static ssize_t kernel_recv(int fd, void *to, size_t room, int flags);
static int     kernel_poll(struct pollfd *p, nfds_t n, int timeout);
static int     kernel_option(int fd, int level, int option, const void *value, socklen_t len);

#define nl_connect kernel_connect
#define sendto     kernel_sendto
#define recvmsg    kernel_recvmsg
#define recv       kernel_recv
#define poll(...)  kernel_poll(__VA_ARGS__)
#define setsockopt kernel_option
#include "common/os/netlink.c"

static const uint8_t *answers;
static size_t         left;
static bool           agrees;
static unsigned       last_seq;
static uint8_t        agreed[64];       /* the one answer that is ready, where it agrees */
static size_t         agreed_len;

void kernel_answers(const uint8_t *data, size_t size)
{
	ASAN_UNPOISON_MEMORY_REGION(datagram, sizeof datagram);
	answers = data;
	left = size;
	agrees = false;
}

void kernel_agrees(void)
{
	ASAN_UNPOISON_MEMORY_REGION(datagram, sizeof datagram);
	agreed_len = 0;
	agrees = true;
}

static int kernel_connect(struct nl_sock *sk, int protocol)
{
	(void)sk, (void)protocol;
	return 0;
}

static int kernel_option(int fd, int level, int option, const void *value, socklen_t len)
{
	(void)fd, (void)level, (void)option, (void)value, (void)len;
	return 0;
}

static int kernel_poll(struct pollfd *p, nfds_t n, int timeout)
{
	(void)p, (void)n, (void)timeout;
	return agrees ? agreed_len > 0 : left > 0;
}

/* ---- Requests ---- */

static bool is_question(const struct nlmsghdr *h)
{
	unsigned type = NFNL_MSG_TYPE(h->nlmsg_type);

	return NFNL_SUBSYS_ID(h->nlmsg_type) == NFNL_SUBSYS_NFTABLES && (type == NFT_MSG_GETSETELEM || type == NFT_MSG_GETCHAIN);
}

static void agree(const struct nlmsghdr *asked)
{
	bool dump = (asked->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct { struct nlmsghdr h; int error; struct nlmsghdr asked; } answer = {
		.h = { .nlmsg_len = sizeof answer, .nlmsg_type = dump ? NLMSG_DONE : NLMSG_ERROR, .nlmsg_seq = asked->nlmsg_seq },
		.error = dump || !is_question(asked) ? 0 : -ENOENT,
		.asked = *asked,
	};

	memcpy(agreed, &answer, sizeof answer);
	agreed_len = sizeof answer;
}

/* What is sent must be whole messages, to the last byte. */
static ssize_t kernel_sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	const struct nlmsghdr *last = NULL;
	int rest = (int)len;

	(void)fd, (void)flags, (void)to, (void)to_len;
	for (struct nlmsghdr *h = (struct nlmsghdr *)data; rest > 0; h = nlmsg_next(h, &rest)) {
		require(nlmsg_ok(h, rest));
		require(nlmsg_attrlen(h, 0) == 0 || nlmsg_datalen(h) > 0);
		if (h->nlmsg_flags & NLM_F_ACK || (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP || !last)
			last = h;
	}
	require(last);
	last_seq = last->nlmsg_seq;
	if (agrees)
		agree(last);
	return (ssize_t)len;
}

/* ---- Answers ---- */

static void put_sequence(uint8_t *bytes, int len)
{
	for (struct nlmsghdr *h = (void *)bytes; nlmsg_ok(h, len); h = nlmsg_next(h, &len))
		if (h->nlmsg_seq == 0)
			h->nlmsg_seq = last_seq;
}

/* Beyond what was received nothing may be read. */
static ssize_t give(void *to, size_t room, const void *bytes, size_t len)
{
	ASAN_UNPOISON_MEMORY_REGION(to, room);
	len = len < room ? len : room;
	memcpy(to, bytes, len);
	put_sequence(to, (int)len);
	ASAN_POISON_MEMORY_REGION((uint8_t *)to + len, room - len);
	return (ssize_t)len;
}

static ssize_t next_answer(void *to, size_t room)
{
	size_t len;

	if (agrees && agreed_len > 0) {
		len = agreed_len;
		agreed_len = 0;
		return give(to, room, agreed, len);
	}
	if (agrees || left < 2) {
		errno = ECONNRESET;
		return -1;
	}
	len = answers[0] | answers[1] << 8;
	len = len < left - 2 ? len : left - 2;
	answers += 2 + len;
	left -= 2 + len;
	return give(to, room, answers - len, len);
}

static ssize_t kernel_recvmsg(int fd, struct msghdr *h, int flags)
{
	(void)fd, (void)flags;
	return next_answer(h->msg_iov->iov_base, h->msg_iov->iov_len);
}

static ssize_t kernel_recv(int fd, void *to, size_t room, int flags)
{
	(void)fd, (void)flags;
	return next_answer(to, room);
}
