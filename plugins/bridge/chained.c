/* Chained after a plugin that made an interface on the host (a tap, say), bridge adds that one to the bridge instead of making a pair.
 * (CNI CONVENTIONS.md, "Chained Plugins".) */
#include <errno.h>
#include <string.h>

#include "bridge/bridge.h"
#include "cni/iface.h"

/* The first interface that prevResult has on the host, but for the bridge itself. */
const struct iface *bridge_chained(const struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;

	for_list (const struct iface, i, &c->prev.ifaces)
		if (i->name && !i->sandbox && strcmp(i->name, conf->bridge))
			return i;
	return NULL;
}

static int take_port(struct cni_call *c, const struct iface *i, struct bridge_links *l)
{
	const struct bridge_conf *conf = c->conf;
	int r = link_by_name(&c->host, i->name, &l->port, &c->err);

	if (r == -ENODEV)
		return err_set(&c->err, CNI_FAILED, r, "prevResult: interface %s is not on the host", i->name);
	if (r < 0)
		return r;
	if (l->port.master && l->port.master != l->bridge.index)
		return err_set(&c->err, CNI_FAILED, -EBUSY, "prevResult: interface %s is a port of another bridge", i->name);
	if (!l->port.master && (r = link_set_master(&c->host, l->port.index, l->bridge.index, &c->err)) < 0)
		return r;
	if ((r = port_set(&c->host, l->port.index, conf->hairpin, conf->port_isolation, &c->err)) < 0 ||
	    (r = port_vlans_apply(c, l->port.index, conf->vlan, &conf->trunk)) < 0)
		return r;
	return link_up(&c->host, l->port.index, &c->err);
}

int bridge_take_in(struct cni_call *c, const struct iface *theirs)
{
	struct bridge_links l = { 0 };
	int r = bridge_ensure(c, &l.bridge);

	if (r < 0 || (r = take_port(c, theirs, &l)) < 0)
		return r;
	c->result = c->prev;
	if ((r = gateways_apply(c, &l)) < 0 || (r = result_note_link(c, &l.bridge, NULL)) < 0)
		return r;
	return 0;
}
