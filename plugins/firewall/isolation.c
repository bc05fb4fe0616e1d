/* ingressPolicy isolated, inside one bridge: what bridges forward does not come by nftables' inet tables. Ports that are isolated do not reach each other;
 * the bridge itself, and by it the host and the way out, they do.
 *
 * With br_netfilter on it does come by there, and the network's policy drops it. Then ports are not isolated: that would also drop what br_netfilter has
 * translated and hands from port to port, a published port of another container of the network. */
#include <errno.h>

#include "firewall/firewall.h"
#include "os/link.h"
#include "os/sysctl.h"

/* Of the host's ends in prevResult, the port of a bridge. */
static int find_port(struct cni_call *c, struct link *port)
{
	int r = call_host(c);

	for_list (const struct iface, i, &c->prev.ifaces) {
		if (r < 0 || !i->name || i->sandbox)
			continue;
		r = link_by_name(&c->host, i->name, port, &c->err);
		if (r == 0 && port->master)
			return 1;
		if (r == -ENODEV)
			r = 0;
	}
	return r;
}

static bool bridges_are_filtered(void)
{
	return sysctl_number(0, "net/bridge/bridge-nf-call-iptables") == 1 && sysctl_number(0, "net/bridge/bridge-nf-call-ip6tables") == 1;
}

int isolation_add(struct cni_call *c)
{
	const struct firewall_conf *conf = c->conf;
	struct link port;
	int r = conf->ingress == INGRESS_ISOLATED && !bridges_are_filtered() ? find_port(c, &port) : 0;

	if (r != 1 || port.isolated)
		return r < 0 ? r : 0;
	return port_set(&c->host, port.index, port.hairpin, true, &c->err);
}

int isolation_check(struct cni_call *c)
{
	const struct firewall_conf *conf = c->conf;
	struct link port;
	int r = conf->ingress == INGRESS_ISOLATED && !bridges_are_filtered() ? find_port(c, &port) : 0;

	if (r != 1 || port.isolated)
		return r < 0 ? r : 0;
	err_set(&c->err, CNI_FAILED, -EINVAL, "%s, a port of a network with ingressPolicy \"isolated\", is not isolated", port.name);
	err_detail(&c->err, "`bridge link set dev %s isolated on` mends it", port.name);
	return -EINVAL;
}
