/* A network, as its name servers need to know it: from the configuration and prevResult, and on disk. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "dnsname/dnsname.h"
#include "os/address.h"
#include "os/link.h"
#include "os/route.h"

static const struct field network_fields[] = {
	FIELD(struct network, link,       "link",      read_string),
	FIELD(struct network, addresses,  "addresses", read_list, .item = read_prefix, .size = sizeof(struct prefix)),
	FIELD(struct network, domain,     "domain",    read_string),
	FIELD(struct network, forward,    "forward",   read_bool),
	FIELD(struct network, servers,    "servers",   read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct network, host_names, "hostNames", read_list, .item = read_string, .size = sizeof(char *)),
	FIELD_END
};

int network_recall(struct cni_call *c, const char *name, struct network *out)
{
	const char *path = network_path(c, name, "about");
	int r;

	*out = (struct network){ .name = name, .link = "", .domain = "" };
	r = names_load(c, path, network_fields, out);
	if (r == -EBADMSG) {
		err_set(&c->err, CNI_FAILED, r, "network %s: what is known of it for its name server is damaged: %s", name, path);
		err_detail(&c->err, "the next ADD on the network writes it anew");
	}
	return r;
}

int network_note(struct cni_call *c, const struct network *n)
{
	json_t *addresses = json_array();
	char text[PREFIX_TEXT];

	for_list (const struct prefix, p, &n->addresses)
		json_array_append_new(addresses, json_string(prefix_text(p, text)));
	return names_save(c, network_path(c, n->name, "about"), json_pack("{s:s, s:o, s:s, s:b, s:o, s:o}", "link", n->link, "addresses", addresses,
	                 "domain", n->domain, "forward", n->forward, "servers", names_json(&n->servers), "hostNames", names_json(&n->host_names)));
}

struct gathering {
	struct cni_call *c;
	struct list     *out;
};

/* (Go's IsGlobalUnicast, by which the reference picks: no loopback, link-local, multicast one.) */
static bool is_asked(const struct addr *a)
{
	const uint8_t *b = a->bytes;

	if (addr_is_loopback(a) || addr_is_unspecified(a))
		return false;
	return a->family == AF_INET ? !(b[0] == 169 && b[1] == 254) && b[0] < 224 : !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) && b[0] != 0xff;
}

static int gather(const struct prefix *p, void *gathering)
{
	struct gathering *g = gathering;
	struct prefix *slot;

	if (!is_asked(&p->addr))
		return 0;
	slot = arena_push(&g->c->arena, &g->out->items, &g->out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&g->c->err, "addresses");
	*slot = *p;
	return 0;
}

/* The gateways of prevResult that are the host's own: where its first link has no address (a bridge whose gateway is on a VLAN of it). */
static int gather_gateways(struct cni_call *c, struct list *out)
{
	struct gathering g = { c, out };
	int r = 0;

	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct prefix p = { .addr = ip->gateway, .len = ip->address.len };

		if (r == 0 && addr_is_set(&p.addr) && route_is_local(&c->host, &p.addr))
			r = gather(&p, &g);
	}
	return r;
}

int network_describe(struct cni_call *c, struct network *out)
{
	const struct dnsname_conf *conf = c->conf;
	const char *link = result_host_link(&c->prev);
	struct gathering g = { c, &out->addresses };
	struct link l = { .index = 0 };
	int r;

	*out = (struct network){
		.name = c->who.network, .link = "", .domain = conf->domain, .forward = conf->asks_upstream, .servers = conf->servers, .host_names = conf->host_names,
	};
	if ((r = call_host(c)) < 0)
		return r;
	if (!link)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "prevResult.interfaces: none on the host, whose address could be asked for names");
	if ((r = link_by_name(&c->host, link, &l, &c->err)) < 0)
		return err_set(&c->err, CNI_FAILED, r, "prevResult.interfaces: there is no interface %s on the host", link);
	if ((r = address_each(&c->host, l.index, 0, gather, &g, &c->err)) < 0)
		return r;
	if (out->addresses.count > 0 && strcmp(l.kind, "veth"))
		out->link = link;
	else if (out->addresses.count == 0)
		r = gather_gateways(c, &out->addresses);
	if (r < 0 || out->addresses.count > 0)
		return r;
	err_set(&c->err, CNI_BAD_CONFIG, -EADDRNOTAVAIL, "interface %s has no address to be asked for names", link);
	err_detail(&c->err, "give the network a gateway: \"isGateway\": true in bridge");
	return -EADDRNOTAVAIL;
}

/* The lock last: whoever has waited for it makes another. */
int network_remove(struct cni_call *c, const char *network)
{
	const char *hosts = network_path(c, network, "hosts");
	int r;

	if ((r = names_remove(c, network_path(c, network, "about"))) < 0 || (r = names_clean(c, hosts)) < 0 || (r = names_remove_dir(c, hosts)) < 0)
		return r;
	r = names_remove(c, network_path(c, network, "lock"));
	return r < 0 ? r : names_remove_dir(c, network_path(c, network, ""));
}

static const char **push(struct cni_call *c, struct list *to)
{
	return arena_push(&c->arena, &to->items, &to->count, sizeof(char *));
}

/* In the reference's order. */
int network_answer(struct cni_call *c, const struct network *n)
{
	struct list servers = { .given = true }, search = c->result.dns.search;
	const char **slot;
	char text[ADDR_TEXT];

	for_list (const struct prefix, p, &n->addresses) {
		slot = push(c, &servers);
		if (!slot || !(*slot = arena_strdup(&c->arena, addr_text(&p->addr, text))))
			return err_nomem(&c->err, "result");
	}
	for_list (const char *, server, &c->result.dns.nameservers) {
		if (!(slot = push(c, &servers)))
			return err_nomem(&c->err, "result");
		*slot = *server;
	}
	c->result.dns.nameservers = servers;
	if (!*n->domain)
		return 0;
	if (!(slot = push(c, &search)))
		return err_nomem(&c->err, "result");
	*slot = n->domain;
	search.given = true;
	c->result.dns.search = search;
	return 0;
}
