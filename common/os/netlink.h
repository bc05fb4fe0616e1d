/* Netlink: one request, one answer, and what the kernel said. The only module that knows libnl's headers; what other
 * modules need of them (messages and attributes) comes with this one.
 *
 * A socket belongs for ever to the network namespace that it was opened in, so "where" is an argument: c->host, c->pod. */
#ifndef PLUMB_OS_NETLINK_H
#define PLUMB_OS_NETLINK_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

struct netlink {
	struct nl_sock *sk;             /* NULL: not open */
	unsigned        seq;
	char            why[256];       /* the kernel's extended ack of the last refusal, or "" */
};

/* Opens in the calling thread's network namespace. protocol: NETLINK_ROUTE, NETLINK_NETFILTER. */
int netlink_open(struct netlink *nl, int protocol, struct err *e);
void netlink_close(struct netlink *nl);           /* takes a closed one too */
int netlink_fd(const struct netlink *nl);

/* A message with a family header of len bytes at hdr, to be filled with nla_put… and given to netlink_do, netlink_get or netlink_dump, which
 * free it. NULL when there is no memory; the netlink_… functions take that and answer -ENOMEM. */
struct nl_msg *netlink_request(int type, int flags, const void *hdr, size_t len);

/* A reply's header; stop early by returning something other than 0, which the call then returns. In netlink_get and netlink_wait, reply
 * must make no netlink call of its own: what it reads is in the buffer that all calls share. In netlink_dump it may. */
typedef int netlink_reply(struct nlmsghdr *h, void *arg);

/* Sends, waits for the acknowledgement. 0 or -errno. */
int netlink_do(struct netlink *nl, struct nl_msg *m);
/* Sends, gives each message of the answer to reply, until the acknowledgement. */
int netlink_get(struct netlink *nl, struct nl_msg *m, netlink_reply *reply, void *arg);
/* Asks for a dump. Messages are collected first and the dump begun again while it was interrupted by a change, so that
 * reply sees a consistent one. */
int netlink_dump(struct netlink *nl, struct nl_msg *m, netlink_reply *reply, void *arg);

/* Several messages as one datagram (an nftables batch), then the answers: the first error, else 0. n_acks: how many of them
 * carry NLM_F_ACK; first_seq: the lowest of their sequence numbers, all taken from ++nl->seq. The messages stay the caller's.
 * -ENODATA: they were sent, and what came of them is not known, as the answer got lost. */
int netlink_batch(struct netlink *nl, const void *messages, size_t len, unsigned first_seq, unsigned n_acks);

/* Joins a multicast group of NETLINK_ROUTE (RTNLGRP_…). */
int netlink_join(struct netlink *nl, int group);
/* Waits at most timeout_ms for one datagram and gives each message in it to reply. -ETIMEDOUT; else what reply returned. */
int netlink_wait(struct netlink *nl, int timeout_ms, netlink_reply *reply, void *arg);

/* ---- Reading answers: neither lengths nor ends are taken on trust ---- */

/* An attribute of a message whose family header has hdr_len bytes; NULL: the message is too short, or there is none. */
struct nlattr *netlink_attr(struct nlmsghdr *h, size_t hdr_len, int type);
/* What an attribute says, 0 where a is NULL or too short. */
uint8_t  netlink_u8(struct nlattr *a);
uint16_t netlink_u16(struct nlattr *a);
uint32_t netlink_u32(struct nlattr *a);
/* A text, borrowed; "" where a is NULL, or has no end. */
const char *netlink_text(struct nlattr *a);
/* An address in an attribute; *out stays as it is where a is NULL, or not of the family's size. */
void netlink_addr(struct addr *out, int family, struct nlattr *a);

/* Notes a refusal in e: fmt tells what we asked, ret is the errno that came, and the details are strerror's and the kernel's words. Returns ret. */
int netlink_refused(const struct netlink *nl, struct err *e, int ret, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
