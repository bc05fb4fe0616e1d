/* Removing a link without sitting through rcu_barrier.
 *
 * The kernel holds its lock (RTNL) from taking a link out of all lists until after it has announced that; only then, unlocked,
 * does it wait for the last users of the memory, some 7 to 15 ms, and answer the request. Everything that asks after the
 * announcement sees the link gone, and a veth's other end with it. So a child on our memory sends the request and waits for the answer,
 * while we go on at the announcement. The child closes all that it inherited, so that nobody waits for it by a pipe or a lock. */

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scoped.h"
#include "base/trace.h"
#include "os/link.h"

static struct nl_msg *removal(int index)
{
	struct ifinfomsg i = { .ifi_index = index };

	return netlink_request(RTM_DELLINK, 0, &i, sizeof i);
}

static int refused(const struct netlink *nl, const struct link *l, int r, struct err *e)
{
	return netlink_refused(nl, e, r, "removing link %s", l->name);
}

static int delete_and_wait(const struct link *l, struct err *e)
{
	struct netlink nl = { 0 };
	int r = netlink_open(&nl, NETLINK_ROUTE, e);

	if (r < 0)
		return r;
	r = netlink_do(&nl, removal(l->index));
	if (r == -ENODEV)
		r = 0;
	if (r < 0)
		refused(&nl, l, r, e);
	netlink_close(&nl);
	return r;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int link_delete(const struct link *l, struct err *e)
{
	return delete_and_wait(l, e);           /* a sanitizer cannot follow a child on its memory */
}
#else

struct child {
	pid_t pid;
	int  fd, index;
	int  answer;                            /* UNANSWERED, then 0 or -errno */
	char stack[16384] __attribute__((aligned(16)));
};

enum { UNANSWERED = 1 };

/* Shares our memory and thread-local storage: system calls only, and none that is expected to fail, as errno is ours. */
static int remover(void *arg)
{
	struct { struct nlmsghdr h; struct ifinfomsg i; } ask = {
		.h = { .nlmsg_len = sizeof ask, .nlmsg_type = RTM_DELLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK, .nlmsg_seq = 1 },
	};
	struct { struct nlmsghdr h; struct nlmsgerr e; char rest[512]; } got;
	struct child *c = arg;
	int answer = -EBADMSG;

	if (c->fd > 0)
		syscall(SYS_close_range, 0, c->fd - 1, 0);
	syscall(SYS_close_range, c->fd + 1, ~0U, 0);
	ask.i.ifi_index = c->index;
	if (send(c->fd, &ask, sizeof ask, 0) >= 0 && recv(c->fd, &got, sizeof got, 0) >= (ssize_t)NLMSG_LENGTH(sizeof(int)) &&
	    got.h.nlmsg_type == NLMSG_ERROR)
		answer = got.e.error;
	__atomic_store_n(&c->answer, answer, __ATOMIC_RELEASE);
	return 0;
}

static int is_gone(struct nlmsghdr *h, void *index)
{
	struct ifinfomsg *i = nlmsg_data(h);

	return h->nlmsg_type == RTM_DELLINK && nlmsg_valid_hdr(h, sizeof *i) && i->ifi_family == AF_UNSPEC && i->ifi_index == *(int *)index;
}

/* Until the announcement or the answer, whichever is first. A lost announcement (a full buffer) only costs the wait for the answer.
 * UNANSWERED: the child was killed before it had one. */
static int await(struct netlink *told, struct child *c)
{
	for (;;) {
		int gone = netlink_wait(told, 20, is_gone, &c->index);
		bool ended = waitpid(c->pid, NULL, WNOHANG) != 0;       /* before the look at what it left */
		int answer = __atomic_load_n(&c->answer, __ATOMIC_ACQUIRE);

		if (answer != UNANSWERED)
			return answer;
		if (gone == 1)
			return 0;
		if (ended)
			return UNANSWERED;
	}
}

static int delete_by_child(struct netlink *told, struct netlink *ask, struct child *c, const struct link *l)
{
	c->fd = netlink_fd(ask);
	c->index = l->index;
	c->answer = UNANSWERED;
	c->pid = clone(remover, c->stack + sizeof c->stack, CLONE_VM | SIGCHLD, c);
	return c->pid < 0 ? UNANSWERED : await(told, c);
}

int link_delete(const struct link *l, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("link removal");
	struct netlink told = { 0 }, ask = { 0 };
	struct child *c;                        /* stays mapped: the child may outlive this call */
	int r = netlink_open(&told, NETLINK_ROUTE, e);

	if (r == 0)
		r = netlink_open(&ask, NETLINK_ROUTE, e);
	if (r < 0) {
		netlink_close(&told);
		return r;
	}
	c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r = UNANSWERED;
	if (c != MAP_FAILED && netlink_join(&told, RTNLGRP_LINK) == 0)
		r = delete_by_child(&told, &ask, c, l);
	if (r == UNANSWERED)
		r = delete_and_wait(l, e);
	if (r < 0 && r != -ENODEV)
		refused(&told, l, r, e);
	netlink_close(&told);
	netlink_close(&ask);
	return r == -ENODEV ? 0 : r;
}
#endif

void link_drop(int *index)
{
	struct err ignored = { 0 };

	if (*index)
		link_delete(&(struct link){ .index = *index }, &ignored);
}
