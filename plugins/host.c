/* host: the container is in the host's own network namespace. ADD makes sure of that and tells what is there; nothing is changed. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#include "cni/iface.h"
#include "cni/plugin.h"
#include "os/address.h"
#include "os/link.h"
#include "os/netns.h"

static int same_namespace(struct cni_call *c)
{
	scoped(fd_close) int own = netns_open_self(&c->err);

	if (own < 0)
		return own;
	if (netns_same(own, c->pod_fd))
		return 0;
	err_set(&c->err, CNI_BAD_NETNS, -EINVAL, "CNI_NETNS: %s is not the host's network namespace", c->who.netns);
	err_detail(&c->err, "\"host\" is for containers that share the host's network: start the container with the host's namespace, or use \"bridge\"");
	return -EINVAL;
}

struct addresses {
	struct cni_call *c;
	int              iface;
};

static int note_address(const struct prefix *p, void *arg)
{
	struct addresses *on = arg;
	struct ip_conf *ip = result_add_ip(&on->c->result, &on->c->arena);

	if (!ip)
		return err_nomem(&on->c->err, "result");
	ip->address = *p;
	ip->iface = on->iface;
	return 0;
}

static int note_link(const struct link *l, void *call)
{
	struct cni_call *c = call;
	int iface;

	if (!(l->flags & IFF_UP) || (l->flags & IFF_LOOPBACK))
		return 0;
	iface = result_note_link(c, l, c->who.netns);
	return iface < 0 ? iface : 0;
}

static int note_addresses(struct cni_call *c)
{
	for (size_t i = 0; i < c->result.ifaces.count; i++) {
		struct addresses on = { c, (int)i };
		struct link l;
		int r = link_by_name(&c->host, result_ifaces(&c->result)[i].name, &l, &c->err);

		if (r == 0)
			r = address_each(&c->host, l.index, 0, note_address, &on, &c->err);
		if (r < 0 && r != -ENODEV)
			return r;
	}
	return 0;
}

static int host_add(struct cni_call *c)
{
	int r = same_namespace(c);

	if (r < 0 || (r = call_host(c)) < 0)
		return r;
	c->result = c->prev;
	if (c->has_prev)
		return 0;
	r = link_each(&c->host, note_link, c, &c->err);
	return r < 0 ? r : note_addresses(c);
}

CNI_PLUGIN("host", .about = "the container shares the host's network", .flags = PLUGIN_HOST_NETNS, .add = host_add, .check = same_namespace);
