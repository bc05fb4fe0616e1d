#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "firewall/firewall.h"

const struct field firewall_fields[] = {
	FIELD(struct firewall_conf, backend,        "backend",                read_string),
	FIELD(struct firewall_conf, admin_chain,    "iptablesAdminChainName", read_string, .max = 64),
	FIELD(struct firewall_conf, zone,           "firewalldZone",          read_string, .max = 64),
	FIELD(struct firewall_conf, ingress_policy, "ingressPolicy",          read_string),
	FIELD(struct firewall_conf, internal,       "internal",               read_bool),
	FIELD(struct firewall_conf, host_reachable, "hostReachable",          read_bool),
	FIELD(struct firewall_conf, unpublished,    "unpublishedPorts",       read_string),
	FIELD(struct firewall_conf, allow_words,    "egressAllow",            read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct firewall_conf, deny_words,     "egressDeny",             read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct firewall_conf, log_drops,      "logDrops",               read_bool),
	FIELD(struct firewall_conf, foreign,        "foreignFirewall",        read_string),
	FIELD_END
};

/* ---- Egress lists: subnets, and words for well-known ones ---- */

static const struct { const char *name, *subnets[16]; } presets[] = {
	/* Private and shared networks (RFC 1918, RFC 6598, RFC 4193), and link-local ones. */
	{ "lan", { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10" } },
	/* Where clouds tell a machine its secrets: nearly all; AWS (IMDS by IPv6, ECS, EKS); Google by IPv6; Alibaba; Azure; Oracle by IPv6. */
	{ "metadata", { "169.254.169.254/32", "fd00:ec2::254/128", "169.254.170.2/32", "169.254.170.23/32", "fd00:ec2::23/128", "fd20:ce::254/128",
	                "100.100.100.200/32", "168.63.129.16/32", "fd00:c1::a9fe:a9fe/128" } },
};

static int add_subnet(struct cni_call *c, struct list *out, const char *text)
{
	struct prefix p, *slot;

	if (addr_parse(text, &p.addr))
		p.len = addr_size(p.addr.family) * 8;
	else if (!prefix_parse(text, &p))
		return 1;
	slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&c->err, "egress list");
	*slot = p;
	return 0;
}

static int add_word(struct cni_call *c, const char *word, struct list *out, bool *host)
{
	int r;

	if (!strcmp(word, "host")) {
		*host = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(presets); i++) {
		if (strcmp(presets[i].name, word))
			continue;
		for (const char *const *subnet = presets[i].subnets; *subnet; subnet++)
			if ((r = add_subnet(c, out, *subnet)) < 0)
				return r;
		return 0;
	}
	return add_subnet(c, out, word);
}

static int read_egress(struct cni_call *c, const char *key, const struct list *words, struct list *out, struct list *local, bool *host)
{
	size_t i = 0;

	for_list (const char *, word, words) {
		int r = add_word(c, *word ? *word : "", out, host);

		if (r == 0 && local && *word && strcmp(*word, "lan"))
			r = add_word(c, *word, local, host);

		if (r < 0)
			return r;
		if (r > 0)
			return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "%s[%zu]: \"%s\": want an address, a subnet, \"lan\", \"metadata\" or \"host\"", key, i,
			               *word ? *word : "");
		i++;
	}
	return 0;
}

/* ---- The rest ---- */

static int refuse(struct cni_call *c, const char *key, const char *got, const char *want)
{
	return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "%s: \"%s\": want %s", key, got, want);
}

/* A chain of the admin's in our table must not be one of ours, nor have a name that nft cannot read back. */
static int check_admin_chain(struct cni_call *c, const char *name)
{
	static const char *const ours[] = { "guard", "prerouting", "output", "publish", "publish_if", "postrouting", "published", "input", "forward",
	                                    "egress", "ingress" };
	static const char *const beginnings[] = { "to_", "from_", "host_", "gate_", "masq_" };
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	bool own = false;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		own |= !strcmp(name, ours[i]);
	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		own |= !strncmp(name, beginnings[i], strlen(beginnings[i]));
	if (own)
		return refuse(c, "iptablesAdminChainName", name, "another name: chains of table inet plumb are called so");
	if (!strchr(letters, *name) || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
		return refuse(c, "iptablesAdminChainName", name, "a letter, then letters, digits, '_', '.', '-'");
	return 0;
}

/* (The reference's words for an ingress policy that it does not know.) */
static int settle_words(struct cni_call *c, struct firewall_conf *conf)
{
	const char *policy = conf->ingress_policy ? conf->ingress_policy : "open";

	if (!strcmp(policy, "same-bridge"))
		conf->ingress = INGRESS_SAME_BRIDGE;
	else if (!strcmp(policy, "isolated"))
		conf->ingress = INGRESS_ISOLATED;
	else if (strcmp(policy, "open"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ingressPolicy: unknown ingress policy: \"%s\"; want \"open\", \"same-bridge\" or \"isolated\"", policy);
	if (conf->unpublished && strcmp(conf->unpublished, "drop") && strcmp(conf->unpublished, "accept"))
		return refuse(c, "unpublishedPorts", conf->unpublished, "\"accept\" or \"drop\"");
	conf->unpublished_drop = conf->unpublished && !strcmp(conf->unpublished, "drop");
	if (conf->foreign && strcmp(conf->foreign, "accept") && strcmp(conf->foreign, "leave"))
		return refuse(c, "foreignFirewall", conf->foreign, "\"leave\" or \"accept\"");
	if (conf->backend && strcmp(conf->backend, "firewalld") && strcmp(conf->backend, "nftables") && strcmp(conf->backend, "iptables"))
		return refuse(c, "backend", conf->backend, "\"nftables\" or \"firewalld\"");
	if (conf->backend && !strcmp(conf->backend, "iptables"))
		fputs("backend: \"iptables\" is answered with nftables\n", stderr);
	if (!conf->host_reachable && !conf->internal)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "hostReachable: false goes with \"internal\": true; \"egressDeny\": [\"host\"] keeps a container from the host alone");
	return conf->admin_chain ? check_admin_chain(c, conf->admin_chain) : 0;
}

int firewall_settle(struct cni_call *c)
{
	struct firewall_conf *conf = c->conf;
	bool cleans = c->verb == VERB_DEL || c->verb == VERB_GC;
	int r;

	if (!json_member(c->json, "hostReachable"))
		conf->host_reachable = true;
	if (!conf->zone)
		conf->zone = "trusted";
	if ((r = settle_words(c, conf)) == 0 && (r = read_egress(c, "egressAllow", &conf->allow_words, &conf->allow, NULL, &conf->allow_host)) == 0)
		r = read_egress(c, "egressDeny", &conf->deny_words, &conf->deny, &conf->deny_local, &conf->deny_host);
	if (r < 0 && cleans)
		err_clear(&c->err);             /* what an ADD refused, a DEL must not be stopped by */
	return r < 0 && !cleans ? r : 0;
}
