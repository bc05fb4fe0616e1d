/* Chained after a plugin that made an interface on the host (a tap, say), bridge adds that one to the bridge instead of making a pair.
 * (CNI CONVENTIONS.md, "Chained Plugins".) Of the attachment it owns the membership in the bridge, and nothing else. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/scoped.h"
#include "bridge/bridge.h"
#include "cni/check.h"
#include "cni/iface.h"

/* ADD: the first interface that prevResult has on the host, but for the bridge itself. Later, prevResult is what the whole chain answered,
 * and theirs is the one that was there before the bridge: where we make the pair, the bridge comes first. */
const struct iface *bridge_chained(const struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;
	const struct iface *theirs = NULL;

	for_list (const struct iface, i, &c->prev.ifaces) {
		bool is_bridge = i->name && !strcmp(i->name, conf->bridge);

		if (!i->name || i->sandbox)
			continue;
		if (is_bridge && theirs && c->verb != VERB_ADD)
			return theirs;
		if (!is_bridge && !theirs)
			theirs = i;
	}
	return c->verb == VERB_ADD ? theirs : NULL;
}

/* ---- ADD ---- */

/* How the interface was before: what a failed ADD goes back to. */
struct taken {
	struct cni_call *call;          /* NULL: nothing to take back */
	struct link      before;
};

static void taken_drop(struct taken *t)
{
	struct err ignored = { 0 };

	if (!t->call)
		return;
	if (!(t->before.flags & IFF_UP))
		link_down(&t->call->host, t->before.index, &ignored);
	if (t->before.master)
		port_set(&t->call->host, t->before.index, t->before.hairpin, t->before.isolated, &ignored);
	else
		link_set_master(&t->call->host, t->before.index, 0, &ignored);
}

static int find_theirs(struct cni_call *c, const struct iface *theirs, const struct link *bridge, struct link *out)
{
	int r = link_by_name(&c->host, theirs->name, out, &c->err);

	if (r == -ENODEV) {
		err_set(&c->err, CNI_FAILED, r, "prevResult: interface %s is not on the host", theirs->name);
		err_detail(&c->err, "the plugin before bridge in the list has to make it, and leave it there");
	} else if (r == 0 && out->master && out->master != bridge->index) {
		err_set(&c->err, CNI_FAILED, r = -EBUSY, "prevResult: interface %s is a port of another bridge", theirs->name);
		err_detail(&c->err, "run `ip link set %s nomaster`, or give that bridge's name as \"bridge\"", theirs->name);
	}
	return r;
}

static int take_port(struct cni_call *c, const struct link *bridge, const struct link *port)
{
	const struct bridge_conf *conf = c->conf;
	int r;

	if (!port->master && (r = link_set_master(&c->host, port->index, bridge->index, &c->err)) < 0)
		return r;
	if ((r = port_set(&c->host, port->index, conf->hairpin, conf->port_isolation, &c->err)) < 0 ||
	    (r = port_vlans_apply(c, port->index, conf->vlan, &conf->trunk)) < 0)
		return r;
	return link_up(&c->host, port->index, &c->err);
}

int bridge_take_in(struct cni_call *c, const struct iface *theirs)
{
	scoped(taken_drop) struct taken taken = { 0 };
	struct bridge_links l = { 0 };
	int r = bridge_ensure(c, &l.bridge);

	if (r < 0 || (r = find_theirs(c, theirs, &l.bridge, &l.port)) < 0)
		return r;
	taken = (struct taken){ c, l.port };
	if ((r = take_port(c, &l.bridge, &l.port)) < 0)
		return r;
	c->result = c->prev;
	if ((r = gateways_apply(c, &l)) < 0 || (r = result_note_link(c, &l.bridge, NULL)) < 0)
		return r;
	c->prev = c->result;            /* as DEL gets it, which main calls when the result cannot be told */
	taken.call = NULL;
	return 0;
}

/* ---- DEL and CHECK ---- */

int bridge_let_go(struct cni_call *c, const struct iface *theirs)
{
	const struct bridge_conf *conf = c->conf;
	struct link bridge, port;
	int r = call_host(c);

	if (r < 0 || (r = link_by_name(&c->host, conf->bridge, &bridge, &c->err)) < 0 ||
	    (r = link_by_name(&c->host, theirs->name, &port, &c->err)) < 0)
		return r == -ENODEV ? 0 : r;
	return port.master == bridge.index ? link_set_master(&c->host, port.index, 0, &c->err) : 0;
}

int bridge_taken_check(struct cni_call *c, const struct iface *theirs)
{
	struct link bridge, port;
	int r = bridge_itself_check(c, &bridge);

	if (r < 0)
		return r;
	r = link_by_name(&c->host, theirs->name, &port, &c->err);
	if (r == -ENODEV)
		return check_differs(c, "interface %s is not on the host", theirs->name);
	if (r < 0 || (r = port_check(c, &bridge, &port)) < 0)
		return r;
	return gateways_check(c);
}
