/* What the kernel answers about links, addresses, routes and neighbours. The first byte says what was asked. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/address.h"
#include "os/link.h"
#include "os/neigh.h"
#include "os/route.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static int see_link(const struct link *l, void *arg)
{
	(void)arg;
	require(memchr(l->name, '\0', sizeof l->name) && memchr(l->kind, '\0', sizeof l->kind));
	return 0;
}

static int see_prefix(const struct prefix *p, void *arg)
{
	char text[PREFIX_TEXT];

	(void)arg;
	require(*prefix_text(p, text));
	return 0;
}

static int see_route(const struct route *r, void *arg)
{
	char text[ADDR_TEXT];

	(void)arg;
	addr_text(&r->gateway, text);
	prefix_network(&r->dst);
	return 0;
}

static int see_message(struct nlmsghdr *h, void *arg)
{
	(void)arg;
	require(h->nlmsg_len >= sizeof *h);
	return 0;
}

static const struct prefix somewhere = { { AF_INET, { 10, 1, 0, 2 } }, 24 };

static int ask_links(struct netlink *nl, unsigned what, struct err *e)
{
	struct link l = { .name = "" };
	bool untagged;
	int r;

	switch (what) {
	case 0:
		r = link_by_name(nl, "eth0", &l, e);
		break;
	case 1:
		r = link_by_index(nl, 3, &l, e);
		break;
	case 2:
		return link_each(nl, see_link, NULL, e);
	case 3:
		return port_vlan_has(nl, 3, 10, &untagged, e);
	case 4:
		return veth_create(nl, &(struct veth){ .near = "veth1", .far = "eth0" }, &l, e);
	case 5:
		return bridge_create(nl, &(struct bridge){ .name = "br0" }, e);
	case 6:
		return link_set_master(nl, 3, 4, e);
	default:
		return port_vlan_add(nl, 3, 10, 20, true, e);
	}
	see_link(&l, NULL);
	return r;
}

static int ask_others(struct netlink *nl, unsigned what, struct err *e)
{
	switch (what) {
	case 0:
		return address_each(nl, 3, AF_INET, see_prefix, NULL, e);
	case 1:
		return address_has(nl, 3, &somewhere, e);
	case 2:
		return address_add(nl, 3, "eth0", &somewhere, 0, e);
	case 3:
		return route_each(nl, AF_INET6, see_route, NULL, e);
	case 4:
		return route_add(nl, &(struct route){ .dst = somewhere, .index = 3 }, e);
	case 5:
		neigh_correct(nl, 3, &somewhere.addr, &(struct mac){ { 2 } });
		return 0;
	case 6:
		route_default_link(nl, AF_INET);
		return route_is_local(nl, &somewhere.addr);
	default:
		netlink_wait(nl, 10, see_message, NULL);
		return 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(netlink_close) struct netlink nl = { 0 };
	struct err e = { 0 };
	unsigned what = size ? data[0] & 15 : 0;
	int r;

	kernel_answers(data + (size > 0), size - (size > 0));
	require(netlink_open(&nl, 0, &e) == 0);
	r = what < 8 ? ask_links(&nl, what, &e) : ask_others(&nl, what - 8, &e);
	require_outcome_or_silence(r, &e);
	return 0;
}
