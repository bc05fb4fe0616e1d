#include "dump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

static int note_attr(const struct nlattr *a, void *arg)
{
	struct attrs *attrs = arg;

	if (mnl_attr_get_type(a) < ATTRS_MAX)
		attrs->at[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

struct attrs attrs_of(const struct nlmsghdr *h, size_t header_len)
{
	struct attrs attrs = { { NULL } };

	mnl_attr_parse(h, header_len, note_attr, &attrs);
	return attrs;
}

struct attrs attrs_in(const struct nlattr *nest)
{
	struct attrs attrs = { { NULL } };

	if (nest)
		mnl_attr_parse_nested(nest, note_attr, &attrs);
	return attrs;
}

uint32_t attr_number(const struct nlattr *a)
{
	switch (a ? mnl_attr_get_payload_len(a) : 0) {
	case 1: return mnl_attr_get_u8(a);
	case 2: return mnl_attr_get_u16(a);
	case 4: return mnl_attr_get_u32(a);
	default: return 0;
	}
}

const char *attr_text(const struct nlattr *a)
{
	return a ? mnl_attr_get_str(a) : "";
}

const char *attr_address(int family, const struct nlattr *a)
{
	char text[64] = "";

	if (a && mnl_attr_get_payload_len(a) >= (family == AF_INET ? 4 : 16))
		inet_ntop(family, mnl_attr_get_payload(a), text, sizeof text);
	return keep("%s", text);
}

struct walk {
	void (*each)(const struct nlmsghdr *h, void *arg);
	void  *arg;
	int    type;            /* what the answers are: RTM_NEW… */
	bool   interrupted;
};

static int hand_on(const struct nlmsghdr *h, void *arg)
{
	struct walk *w = arg;

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		w->interrupted = true;
	if (h->nlmsg_type == w->type)
		w->each(h, w->arg);
	return MNL_CB_OK;
}

static int dump_once(int fd, int type, int family, struct walk *w)
{
	char room[65536] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	ssize_t n;
	int r = 1;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	/* the largest of the headers: each has the family first, and the kernel takes a longer one */
	((struct ifinfomsg *)mnl_nlmsg_put_extra_header(h, type == RTM_GETLINK ? sizeof(struct ifinfomsg) : sizeof(struct rtmsg)))->ifi_family = family;
	if (send(fd, h, h->nlmsg_len, 0) < 0)
		return -1;
	while (r > 0) {
		n = recv(fd, room, sizeof room, 0);
		r = n < 0 ? -1 : mnl_cb_run(room, n, 0, 0, hand_on, w);
	}
	return r;
}

void dump(const char *netns, int type, int family, void (*each)(const struct nlmsghdr *h, void *arg), void (*reset)(void *arg), void *arg)
{
	struct walk w = { .each = each, .arg = arg, .type = type - 2 };     /* RTM_GETx is two after RTM_NEWx */

	do {
		int fd = world_socket(netns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);  /* a new one, as the rest of an interrupted dump stays in the old one */

		if (fd < 0)
			fail_("namespace %s: %s", netns, strerror(errno));
		w.interrupted = false;
		reset(arg);
		if (dump_once(fd, type, family, &w) < 0) {
			if (errno != EINTR)
				fail_("asking the kernel for a dump of type %d in %s: %s", type, netns, strerror(errno));
			w.interrupted = true;   /* libmnl's word for it */
		}
		close(fd);
	} while (w.interrupted);
}
