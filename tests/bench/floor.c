/* The floor: what an attachment cannot do without, and nothing else. One static program, called by a plugin's name.
 *
 * It reads its configuration and throws it away, asks the kernel for the work in as few messages as there can be, writes one lease file as an address store
 * must, and prints a result of fixed shape. Addresses come from the pod's number. Nothing is checked and nothing undone: a bound, not a plugin.
 *
 *   bridge, ptp   ADD: the lease; one message that makes the veth pair; one batch in the container: up, address, routes. DEL: the link, the lease
 *   with ipMasq   and one element of a map
 *   firewall      one element; portmap: one for each of two ports
 *   host-local    the lease; loopback: lo up
 *
 * A link that is removed is gone long before the kernel answers, which it does after an RCU grace period: a child asks, and DEL ends at the kernel's
 * notice that the link is gone, as plumb's does. */
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/ioctl.h>

#include "message.h"

#define STORE "/run/store"
enum { GATEWAY = 0x0a580001 };          /* 10.88.0.1 */

static struct batch batch;
static bool adds;
static unsigned pod;
static uint32_t address;

static void ask(int fd, const char *what)
{
	int r = exchange(fd, &batch, batch.seq, NULL, NULL);

	if (r < 0)
		fail(what, -r);
}

static int index_of(const char *name)
{
	struct ifreq r = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memccpy(r.ifr_name, name, 0, sizeof r.ifr_name);
	return ioctl(fd, SIOCGIFINDEX, &r) < 0 ? 0 : r.ifr_ifindex;
}

static void enter_pod(int netns)
{
	if (setns(netns, CLONE_NEWNET) < 0)
		fail("setns", errno);
}

static int pod_open(void)
{
	return open(getenv("CNI_NETNS"), O_RDONLY | O_CLOEXEC);
}

/* ---- The lease ---- */

static void lease(void)
{
	char path[64], text[200];
	int lock = open(STORE "/floor-lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600), fd, len;

	flock(lock, LOCK_EX);
	snprintf(path, sizeof path, STORE "/floor-%u", pod);
	len = snprintf(text, sizeof text, "%s\r\n%s", getenv("CNI_CONTAINERID"), getenv("CNI_IFNAME"));
	if (!adds)
		unlink(path);
	else if ((fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600)) < 0 || write(fd, text, (size_t)len) < 0)
		fail(path, errno);
	close(lock);
}

/* ---- Links ---- */

struct pair {
	int near, far;
};

static void note_pair(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	struct pair *p = arg;
	int left = (int)IFLA_PAYLOAD(h);

	p->near = i->ifi_index;
	for (struct rtattr *a = IFLA_RTA(i); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_LINK)
			memcpy(&p->far, RTA_DATA(a), sizeof p->far);
}

static int bridge_made(int fd)
{
	struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct nlattr *info;
	int index = index_of("cni0"), forward;

	if (index)
		return index;
	message(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, &up, sizeof up);
	attr_text(&batch, IFLA_IFNAME, "cni0");
	info = nest(&batch, IFLA_LINKINFO);
	attr_text(&batch, IFLA_INFO_KIND, "bridge");
	nest_end(&batch, info);
	ask(fd, "bridge");
	index = index_of("cni0");
	address_new(&batch, index, GATEWAY, 16, NLM_F_ACK);
	ask(fd, "gateway");
	if ((forward = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC)) < 0 || write(forward, "1", 1) < 0)
		fail("ip_forward", errno);
	close(forward);
	return index;
}

static void link_add(const char *near, bool bridged)
{
	int netns = pod_open(), host = netlink_socket(NETLINK_ROUTE), inside, r;
	struct veth v = { .near = near, .far = "eth0", .pod = netns, .queues = 1, .master = bridged ? bridge_made(host) : 0 };
	struct pair made = { 0 };

	lease();
	veth_new(&batch, &v, NLM_F_ECHO);
	if ((r = exchange(host, &batch, batch.seq, note_pair, &made)) < 0)
		fail("veth", -r);
	if (!bridged) {
		address_new(&batch, made.near, GATEWAY, 32, 0);
		route_new(&batch, made.near, address, 32, 0, NLM_F_ACK);
		ask(host, "the host's side");
	}
	enter_pod(netns);
	inside = netlink_socket(NETLINK_ROUTE);
	link_up(&batch, made.far, 0);
	address_new(&batch, made.far, address, bridged ? 16 : 32, 0);
	if (!bridged)
		route_new(&batch, made.far, GATEWAY, 32, 0, 0);
	route_new(&batch, made.far, 0, 0, GATEWAY, NLM_F_ACK);
	ask(inside, "the container's side");
}

static int ask_to_remove(void *fd)
{
	for (int i = 0; i < 3; i++)
		close(i);               /* or the caller waits for us, too */
	return exchange(*(int *)fd, &batch, batch.seq, NULL, NULL);
}

static bool tells_that_it_is_gone(int news, int index)
{
	char notice[8192] __attribute__((aligned(8)));
	ssize_t n = recv(news, notice, sizeof notice, 0);

	if (n < 0)
		fail("notice", errno);
	for (struct nlmsghdr *h = (void *)notice; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		const struct ifinfomsg *i = NLMSG_DATA(h);

		if (h->nlmsg_type == RTM_DELLINK && i->ifi_family == AF_UNSPEC && i->ifi_index == index)
			return true;
	}
	return false;
}

static void link_del(const char *near)
{
	static char stack[16384] __attribute__((aligned(16)));
	struct sockaddr_nl links = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct ifinfomsg it = { .ifi_index = index_of(near) };
	int host = netlink_socket(NETLINK_ROUTE), news = netlink_socket(NETLINK_ROUTE);

	if (bind(news, (struct sockaddr *)&links, sizeof links) < 0)
		fail("bind", errno);
	message(&batch, RTM_DELLINK, NLM_F_ACK, &it, sizeof it);
	if (clone(ask_to_remove, stack + sizeof stack, CLONE_VM | SIGCHLD, &host) < 0)
		fail("clone", errno);
	lease();
	while (!tells_that_it_is_gone(news, it.ifi_index))
		;
}

static void attachment(bool bridged)
{
	char near[IFNAMSIZ];

	snprintf(near, sizeof near, "veth%x", pod);
	if (adds)
		link_add(near, bridged);
	else
		link_del(near);
}

static void loopback(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = adds ? IFF_UP : 0 };

	enter_pod(pod_open());
	if (ioctl(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), SIOCSIFFLAGS, &lo) < 0)
		fail("lo", errno);
}

/* ---- Elements ---- */

static void set_begin(const char *table)
{
	nft_message(&batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	attr_text(&batch, NFTA_TABLE_NAME, table);
	nft_message(&batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	attr_text(&batch, NFTA_SET_TABLE, table);
	attr_text(&batch, NFTA_SET_NAME, "m");
	attr_be32(&batch, NFTA_SET_ID, 1);
	attr_be32(&batch, NFTA_SET_FLAGS, NFT_SET_MAP);
	attr_be32(&batch, NFTA_SET_KEY_TYPE, 12 << 6 | 13);     /* inet_proto . inet_service, as nft numbers types */
	attr_be32(&batch, NFTA_SET_KEY_LEN, 8);
	attr_be32(&batch, NFTA_SET_DATA_TYPE, 7 << 6 | 13);     /* ipv4_addr . inet_service */
	attr_be32(&batch, NFTA_SET_DATA_LEN, 8);
}

static void element(uint16_t port, uint16_t to_port)
{
	struct { uint8_t protocol, pad[3]; uint16_t port, pad2; } key = { IPPROTO_TCP, { 0 }, htons(port), 0 };
	struct { uint32_t address; uint16_t port, pad; } value = { htonl(address), htons(to_port), 0 };
	struct nlattr *e = nest(&batch, NFTA_LIST_ELEM);

	nft_data(&batch, NFTA_SET_ELEM_KEY, &key, sizeof key);
	if (adds)
		nft_data(&batch, NFTA_SET_ELEM_DATA, &value, sizeof value);
	nest_end(&batch, e);
}

static int elements_change(int fd, const char *table, unsigned count, bool make_set)
{
	struct nlattr *list;
	uint32_t last;

	nft_edge(&batch, NFNL_MSG_BATCH_BEGIN);
	if (make_set)
		set_begin(table);
	nft_message(&batch, adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, NLM_F_ACK | (adds ? NLM_F_CREATE : 0));
	last = batch.seq;
	attr_text(&batch, NFTA_SET_ELEM_LIST_TABLE, table);
	attr_text(&batch, NFTA_SET_ELEM_LIST_SET, "m");
	list = nest(&batch, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (unsigned i = 0; i < count; i++)
		element((uint16_t)(2000 + pod * count + i), (uint16_t)(80 + i));
	nest_end(&batch, list);
	nft_edge(&batch, NFNL_MSG_BATCH_END);
	return exchange(fd, &batch, last, NULL, NULL);
}

/* What publishing that many ports, or masquerading one address, comes down to once there are rules that look the map up. */
static void elements(const char *table, unsigned count)
{
	int fd = netlink_socket(NETLINK_NETFILTER), r = elements_change(fd, table, count, false);

	if (r == -ENOENT && adds) {
		close(fd);
		fd = netlink_socket(NETLINK_NETFILTER);
		r = elements_change(fd, table, count, true);
	}
	if (r < 0)
		fail(table, -r);
	close(fd);
}

int main(int argc, char **argv)
{
	static char config[1 << 16];
	const char *name = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : "", *number = strstr(getenv("CNI_NETNS"), "/pod");

	if (read(0, config, sizeof config - 1) < 0)
		fail("stdin", errno);
	pod = number ? (unsigned)atoi(number + 4) : 0;
	adds = !strcmp(getenv("CNI_COMMAND"), "ADD");
	address = GATEWAY + 1 + pod;
	if (!strcmp(name, "bridge") || !strcmp(name, "ptp")) {
		if (strstr(config, "\"ipMasq\": true"))
			elements("masq", 1);
		attachment(*name == 'b');
	} else if (!strcmp(name, "loopback")) {
		loopback();
	} else if (!strcmp(name, "host-local")) {
		lease();
	} else {
		elements(name, !strcmp(name, "portmap") ? 2 : 1);
	}
	if (adds)
		dprintf(1, "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.88.%u.%u/16\"}]}\n", address >> 8 & 255, address & 255);
	return 0;
}
