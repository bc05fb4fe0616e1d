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
	err_detail(&c->err, "\"host\" is for containers that share the host's network: start the container with the host's namespace, "
	           "or use \"bridge\"");
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
	struct addresses on = { .c = call };
	int r;

	if (!(l->flags & IFF_UP) || (l->flags & IFF_LOOPBACK))
		return 0;
	on.iface = result_note_link(on.c, l, on.c->who.netns);
	if (on.iface < 0)
		return on.iface;
	r = address_each(&on.c->host, l->index, 0, note_address, &on, &on.c->err);
	if (r != -ENODEV)
		return r;
	err_clear(&on.c->err);          /* it has gone meanwhile */
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
	return link_each(&c->host, note_link, c, &c->err);
}

CNI_PLUGIN("host", .about = "the container shares the host's network", .flags = PLUGIN_HOST_NETNS, .add = host_add, .check = same_namespace);
