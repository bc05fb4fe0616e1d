/* none: an isolated container. Its lo is up, and there is nothing else. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/check.h"
#include "cni/iface.h"
#include "cni/plugin.h"
#include "os/link.h"
#include "os/route.h"

static int none_add(struct cni_call *c)
{
	scoped(lo_drop) struct lo_up up = { .call = c };
	struct link lo;
	int r = pod_lo_up(c, &lo, &up);

	if (r < 0)
		return r;
	c->result = c->prev;
	if (!c->has_prev && (r = result_note_link(c, &lo, c->who.netns)) < 0)
		return r;
	lo_keep(&up);
	return 0;
}

/* What another plugin or program put in is not none's to take out. */
static int none_del(struct cni_call *c) { return pod_lo_down(c); }

/* ---- CHECK: lo and nothing else ---- */

/* The kernel puts a tunnel of each loaded kind (tunl0, sit0, …) into every namespace; down, they lead nowhere. */
static bool is_fallback_tunnel(const struct link *l)
{
	static const char *const kinds[] = { "ipip", "sit", "gre", "gretap", "erspan", "vti", "ip6tnl", "ip6gre", "ip6gretap", "ip6erspan", "vti6" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(l->kind, kinds[i]))
			return !(l->flags & IFF_UP);
	return false;
}

static int refuse(struct cni_call *c, const char *thing, const char *what)
{
	err_set(&c->err, CNI_FAILED, -EEXIST, "the container is not isolated: it has %s %s", thing, what);
	err_detail(&c->err, "something added it after ADD; remove it, or do not use \"none\" for this container");
	return -EEXIST;
}

static int refuse_link(const struct link *l, void *call)
{
	return (l->flags & IFF_LOOPBACK) || is_fallback_tunnel(l) ? 0 : refuse(call, "interface", l->name);
}

static int refuse_route(const struct route *r, void *call)
{
	struct cni_call *c = call;
	struct err ignored = { 0 };
	char text[PREFIX_TEXT];
	struct link via;

	if (r->origin == RTPROT_KERNEL && r->index && link_by_index(&c->pod, r->index, &via, &ignored) == 0 &&
	    (via.flags & IFF_LOOPBACK))
		return 0;       /* of lo's own addresses */
	return refuse(c, "a route to", prefix_text(&r->dst, text));
}

static int none_check(struct cni_call *c)
{
	struct link lo;
	int r = pod_find_lo(c, &lo);

	if (r < 0)
		return r;
	if (!(lo.flags & IFF_UP))
		return check_differs(c, "the container's lo is down");
	if ((r = link_each(&c->pod, refuse_link, c, &c->err)) < 0 || (r = route_each(&c->pod, AF_INET, refuse_route, c, &c->err)) < 0)
		return r;
	return route_each(&c->pod, AF_INET6, refuse_route, c, &c->err);
}

CNI_PLUGIN("none", .about = "an isolated container: lo and nothing else", .add = none_add, .del = none_del, .check = none_check);
