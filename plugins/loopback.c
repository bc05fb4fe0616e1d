/* loopback: the container's lo, up. Whatever interface the runtime names, it is lo that is meant. */
#include <errno.h>
#include <net/if.h>

#include "cni/check.h"
#include "cni/iface.h"
#include "cni/plugin.h"
#include "os/address.h"
#include "os/link.h"

static int note_address(const struct prefix *p, void *call)
{
	struct cni_call *c = call;
	struct ip_conf *ip;
	char text[PREFIX_TEXT];

	if (!addr_is_loopback(&p->addr)) {
		err_set(&c->err, CNI_FAILED, -EINVAL, "loopback interface found with non-loopback address \"%s\"", prefix_text(p, text));
		err_detail(&c->err, "remove the address from the container's lo");
		return -EINVAL;
	}
	for_list (const struct ip_conf, seen, &c->result.ips)
		if (seen->address.addr.family == p->addr.family)
			return 0;       /* one a family is told, the first */
	ip = result_add_ip(&c->result, &c->arena);
	if (!ip)
		return err_nomem(&c->err, "result");
	ip->address = *p;
	ip->iface = 0;
	return 0;
}

static int loopback_add(struct cni_call *c)
{
	scoped(lo_drop) struct lo_up up = { .call = c };
	struct iface *iface;
	struct link lo;
	int r = pod_lo_up(c, &lo, &up);

	if (r < 0)
		return r;
	iface = result_add_iface(&c->result, &c->arena);
	if (!iface)
		return err_nomem(&c->err, "result");
	*iface = (struct iface){ .name = "lo", .mac = "00:00:00:00:00:00", .sandbox = c->who.netns };
	r = address_each(&c->pod, lo.index, 0, note_address, c, &c->err);
	if (c->has_prev)
		c->result = c->prev;
	if (r == 0)
		lo_keep(&up);
	return r;
}

static int loopback_del(struct cni_call *c) { return pod_lo_down(c); }

static int loopback_check(struct cni_call *c)
{
	struct link lo;
	int r = pod_find_lo(c, &lo);

	if (r == 0 && !(lo.flags & IFF_UP))
		return check_differs(c, "loopback interface is down");
	return r;
}

CNI_PLUGIN("loopback", .about = "brings the container's lo up", .flags = PLUGIN_CHECK_NEEDS_NO_PREV,
           .add = loopback_add, .del = loopback_del, .check = loopback_check);
