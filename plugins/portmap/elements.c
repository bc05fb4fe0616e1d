#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "portmap/portmap.h"

static const struct nft_pair publish = { { &nft_inet, "publish4" }, { &nft_inet, "publish6" } };
static const struct nft_pair publish_any = { { &nft_inet, "publish_any4" }, { &nft_inet, "publish_any6" } };
static const struct nft_pair hairpin = { { &nft_inet, "hairpin4" }, { &nft_inet, "hairpin6" } };
static const struct nft_pair self = { { &nft_inet, "self4" }, { &nft_inet, "self6" } };
static const struct nft_pair masq_all = { { &nft_inet, "masq_all4" }, { &nft_inet, "masq_all6" } };
static const struct nft_set localnet = { &nft_inet, "localnet4" };

const struct nft_set *const portmap_sets[] = {
	&publish.v4, &publish.v6, &publish_any.v4, &publish_any.v6, &localnet, &self.v4, &self.v6, &hairpin.v4, &hairpin.v6, &masq_all.v4, &masq_all.v6, NULL,
};

bool mapping_concerns(const struct mapping *m, int family)
{
	return !addr_is_set(&m->host_ip) || m->host_ip.family == family;
}

static bool is_exact(const struct mapping *m)
{
	return addr_is_set(&m->host_ip) && !addr_is_unspecified(&m->host_ip);
}

const struct nft_set *publish_map(const struct mapping *m, int family)
{
	return nft_of(is_exact(m) ? &publish : &publish_any, family);
}

static struct nft_element owned(const struct cni_call *c)
{
	struct nft_element el = { .comment = "" };

	snprintf(el.comment, sizeof el.comment, "%s", c->who.owner);
	return el;
}

struct nft_element publish_element(const struct cni_call *c, const struct mapping *m, const struct target *t)
{
	struct nft_element el = owned(c);

	if (is_exact(m))
		nft_put_addr(&el.key, &m->host_ip);
	nft_put_u8(&el.key, m->protocol);
	nft_put_port(&el.key, m->host_port);
	nft_put_addr(&el.value, &t->address->addr);
	nft_put_port(&el.value, m->container_port);
	return el;
}

int snat_each(struct cni_call *c, const struct target *t, snat_fn *each, void *arg)
{
	const struct portmap_conf *conf = c->conf;
	int family = t->address->addr.family, r = 0;
	struct nft_element el = owned(c), pair;

	nft_put_addr(&el.key, &t->address->addr);
	if (conf->masq_all)
		return each(nft_of(&masq_all, family), &el, arg);
	if (!conf->snat)
		return 0;
	pair = el;
	nft_put_addr(&pair.key, &t->address->addr);
	r = each(nft_of(&self, family), &pair, arg);
	return r == 0 && family == AF_INET ? each(&localnet, &el, arg) : r;
}

int snat_by_link(struct cni_call *c, const struct target *t, snat_fn *each, void *arg)
{
	const struct portmap_conf *conf = c->conf;
	struct nft_element el = owned(c);

	if (!conf->snat || conf->masq_all || !*t->link)
		return 0;
	nft_put_addr(&el.key, &t->address->addr);
	nft_put_ifname(&el.key, t->link);
	return each(nft_of(&hairpin, t->address->addr.family), &el, arg);
}
