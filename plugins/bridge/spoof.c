/* macspoofchk: what comes in from the container carries the container's MAC, or is dropped before the bridge learns from it. */
#include <errno.h>
#include <stdio.h>

#include "bridge/bridge.h"
#include "cni/chains.h"
#include "cni/takeover.h"

static const struct nft_set guarded = { &nft_bridge, "guarded" }, allowed = { &nft_bridge, "allowed_mac" };

/* The host's end and the container's MAC. */
struct guard {
	struct cni_call  *c;
	const char       *port;
	const struct mac *mac;
};

static struct nft_element port_element(const struct guard *g)
{
	struct nft_element el = { .comment = "" };

	nft_put_ifname(&el.key, g->port);
	snprintf(el.comment, sizeof el.comment, "%s", g->c->who.owner);
	return el;
}

static struct nft_element mac_element(const struct guard *g)
{
	struct nft_element el = port_element(g);

	nft_put_mac(&el.key, g->mac);
	return el;
}

static int add(struct nft *nft, void *arg)
{
	const struct guard *g = arg;
	struct nft_element port = port_element(g), mac = mac_element(g);
	int r = nft_claim(nft, &guarded, &port, true, "the port's guard", g->c);

	return r < 0 ? r : nft_claim(nft, &allowed, &mac, true, "the container's MAC", g->c);
}

int spoof_guard_add(struct cni_call *c, const struct bridge_links *l)
{
	const struct bridge_conf *conf = c->conf;
	struct guard g = { c, l->port.name, &l->pod.mac };

	return conf->mac_spoof_check ? nft_work(c, &nft_bridge, "guard", add, &g) : 0;
}

static int sweep(struct nft *nft, void *leaving)
{
	struct leaving *l = leaving;
	int r;

	*l = (struct leaving){ .c = l->c, .nft = nft };
	r = leave_recorded(l, &nft_bridge, "guard");
	if (r != -ENOENT)
		return r < 0 ? r : 0;
	r = leave_swept(l, &guarded);
	return r < 0 ? r : leave_swept(l, &allowed);
}

int spoof_guard_del(struct cni_call *c)
{
	const struct bridge_conf *conf = c->conf;
	struct leaving l = { .c = c };
	int r = conf->mac_spoof_check ? nft_work(c, &nft_bridge, "guard", sweep, &l) : 0;

	return r < 0 || l.count || !conf->mac_spoof_check ? r : takeover_in_del(c, takeover_spoof_guard);
}

int spoof_guard_gc(struct cni_call *c)
{
	return spoof_guard_del(c);
}

static int check(struct nft *nft, void *arg)
{
	const struct guard *g = arg;
	struct nft_element port = port_element(g), mac = mac_element(g);
	int r = nft_check(nft, &guarded, &port, "the port's guard against forged MACs", g->c);

	return r < 0 ? r : nft_check(nft, &allowed, &mac, "the container's MAC", g->c);
}

int spoof_guard_check(struct cni_call *c, const struct link *pod)
{
	const struct bridge_conf *conf = c->conf;
	struct guard g = { c, c->who.host_ifname, &pod->mac };

	return conf->mac_spoof_check ? nft_work(c, &nft_bridge, "guard", check, &g) : 0;
}
