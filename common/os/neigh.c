#include "os/neigh.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

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
