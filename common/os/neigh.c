#include "os/neigh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>

/* Without NLM_F_CREATE, which would fill the table with addresses that nobody here talks to. Not removed: the next packet's question may
 * come before the container listens, and is asked again only a second later. */
void neigh_correct(struct netlink *nl, int index, const struct addr *a, const struct mac *mac)
{
	struct ndmsg n = { .ndm_family = a->family, .ndm_ifindex = index, .ndm_state = NUD_STALE };
	struct nl_msg *m = netlink_request(RTM_NEWNEIGH, NLM_F_REPLACE, &n, sizeof n);

	if (m) {
		nla_put(m, NDA_DST, addr_size(a->family), a->bytes);
		nla_put(m, NDA_LLADDR, sizeof *mac, mac);
	}
	netlink_do(nl, m);
}

int neigh_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);         /* protocol 0: it receives nothing */

	return fd < 0 ? -errno : fd;
}

struct arp_frame {
	struct ethhdr eth;
	struct arphdr arp;
	uint8_t sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

static void arp_fill(struct arp_frame *f, const struct addr *a, const struct mac *mac)
{
	*f = (struct arp_frame){
		.eth = { .h_proto = htons(ETH_P_ARP) },
		.arp = { .ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP), .ar_hln = 6, .ar_pln = 4, .ar_op = htons(ARPOP_REQUEST) },
	};
	memset(f->eth.h_dest, 0xff, 6);
	memcpy(f->eth.h_source, mac, 6);
	memcpy(f->sender_mac, mac, 6);
	memcpy(f->sender_ip, a->bytes, 4);
	memcpy(f->target_ip, a->bytes, 4);
}

struct na_frame {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct nd_neighbor_advert na;
	struct nd_opt_hdr opt;
	uint8_t target_mac[6];
} __attribute__((packed));

static uint32_t sum16(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	return sum;
}

static void na_fill(struct na_frame *f, const struct addr *a, const struct mac *mac)
{
	static const uint8_t all_nodes_mac[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	const size_t len = sizeof *f - sizeof f->eth - sizeof f->ip;
	uint32_t sum;

	*f = (struct na_frame){
		.eth = { .h_proto = htons(ETH_P_IPV6) },
		.ip = { .ip6_flow = htonl(6u << 28), .ip6_plen = htons(len), .ip6_nxt = IPPROTO_ICMPV6, .ip6_hlim = 255 },
		.na = { .nd_na_type = ND_NEIGHBOR_ADVERT, .nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE },
		.opt = { .nd_opt_type = ND_OPT_TARGET_LINKADDR, .nd_opt_len = 1 },
	};
	memcpy(f->eth.h_dest, all_nodes_mac, 6);
	memcpy(f->eth.h_source, mac, 6);
	memcpy(&f->ip.ip6_src, a->bytes, 16);
	memcpy(&f->ip.ip6_dst, all_nodes, 16);
	memcpy(&f->na.nd_na_target, a->bytes, 16);
	memcpy(f->target_mac, mac, 6);
	sum = sum16(len + IPPROTO_ICMPV6, a->bytes, 16);        /* the pseudo header of RFC 8200, section 8.1 */
	sum = sum16(sum, all_nodes, 16);
	sum = sum16(sum, (const char *)f + sizeof f->eth + sizeof f->ip, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	f->na.nd_na_cksum = htons(~sum & 0xffff);
}

int neigh_announce(int fd, int index, const struct addr *a, const struct mac *mac)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = index, .sll_halen = 6 };
	union { struct arp_frame arp; struct na_frame na; } f;
	size_t len = a->family == AF_INET ? sizeof f.arp : sizeof f.na;

	to.sll_protocol = htons(a->family == AF_INET ? ETH_P_ARP : ETH_P_IPV6);
	if (a->family == AF_INET)
		arp_fill(&f.arp, a, mac);
	else
		na_fill(&f.na, a, mac);
	return sendto(fd, &f, len, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
}
