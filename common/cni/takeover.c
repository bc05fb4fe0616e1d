/* How the reference names things (containernetworking/plugins 0.6 to 1.9). In iptables an attachment has chains whose names are a hash of network and
 * container; the firewall's rules go by address. In nftables a rule's comment is the container, or begins with a hash of network, interface and
 * container. */
#include "cni/takeover.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sha512.h"
#include "cni/iptables.h"
#include "cni/nftables.h"

enum { CHAIN_NAME = 28 + 1, NFT_HASH = 16, LONG_NAME = 256 };
/* A longer comment is cut at 253, of which 5 are taken by the word before the network, and three quotes more are shown with a backslash. */
enum { SHOWN_COMMENT = 253 - 5 + 3 + 1 };

static int both(int a, int b)
{
	return a < 0 ? a : b < 0 ? b : a | b;
}

static void hash_of(const char *a, const char *separator, const char *b, char out[SHA512_HEX])
{
	char text[512];

	snprintf(text, sizeof text, "%s%s%s", a, separator, b);
	sha512_hex(text, out);
}

int takeover_in_del(struct cni_call *c, cni_step *takeover)
{
	int r = c->verb == VERB_DEL ? takeover(c) : 0;

	return r < 0 ? r : 0;
}

/* ---- iptables ---- */

/* Rules that lead there name their owner, too: two names may make one hash, as "a" and "bc", "ab" and "c" do. */
static bool names_us(const struct cni_call *c, const char *line)
{
	char shown[SHOWN_COMMENT];

	snprintf(shown, sizeof shown, "name: \\\"%s\\\" id: \\\"%s\\\"", c->who.network, c->who.container);
	return !strstr(line, "name: \\\"") || strstr(line, shown);
}

static bool is_of_chain(const struct cni_call *c, const struct iptables_rules *rules, const char *line)
{
	return iptables_leads_to_own(rules, line) && names_us(c, line);
}

/* A container that is on the network twice has one chain for both: the address tells the interface. */
static bool is_masqueraded(const struct cni_call *c, const struct iptables_rules *rules, const char *line)
{
	const char *source = strstr(line, " -s ");
	char text[PREFIX_TEXT] = "";
	bool ours = c->prev.ips.count == 0;
	struct prefix p;

	if (!is_of_chain(c, rules, line))
		return false;
	if (source)
		sscanf(source, " -s %49s", text);
	for_list (const struct ip_conf, ip, &c->prev.ips)
		ours |= prefix_parse(text, &p) && prefix_contains(&p, &ip->address.addr);
	return ours;
}

static int forget_chain(struct cni_call *c, const char *from, const char *prefix, iptables_meant *is_meant)
{
	struct iptables_rules rules = { .table = "nat", .chain = from, .is_meant = is_meant };
	char hash[SHA512_HEX], chain[CHAIN_NAME];

	hash_of(c->who.network, "", c->who.container, hash);
	snprintf(chain, sizeof chain, "%s%.*s", prefix, (int)(sizeof chain - 1 - strlen(prefix)), hash);
	rules.own = chain;
	return iptables_forget(c, &rules);
}

/* ---- nftables ---- */

/* Rules by comment: the whole of it, or how it begins. */
struct commented {
	struct nft             *nft;
	struct cni_call        *c;
	const struct nft_table *table;
	const char             *chain;
	char                    comment[LONG_NAME];
	size_t                  len;
	int                     found;
};

static int remove_if_theirs(const struct nft_rule_seen *rule, void *commented)
{
	struct commented *k = commented;

	if (strncmp(rule->comment, k->comment, k->len))
		return 0;
	nft_rule_remove(k->nft, k->table, k->chain, rule->handle);
	k->found = 1;
	return 0;
}

static int remove_commented(struct commented *k, const struct nft_table *table, const char *chain)
{
	k->table = table;
	k->chain = chain;
	return nft_rule_each(k->nft, table, chain, remove_if_theirs, k, &k->c->err);
}

static int change(struct cni_call *c, nft_decide *decide)
{
	struct commented k = { .c = c };
	int r = nft_change_foreign(c, decide, &k);

	return r < 0 ? r : k.found;
}

static void look_for(struct commented *k, struct nft *nft, size_t len)
{
	k->nft = nft;
	k->len = len;
	k->found = 0;
}

/* ---- portmap ---- */

static int remove_ports(struct nft *nft, void *commented)
{
	static const struct nft_table tables[] = { { .family = NFPROTO_IPV4, .name = "cni_hostport" }, { .family = NFPROTO_IPV6, .name = "cni_hostport" } };
	static const char *const chains[] = { "hostports", "hostip_hostports", "masquerading" };
	struct commented *k = commented;
	int r = 0;

	look_for(k, nft, NFT_COMMENT - 1);
	snprintf(k->comment, sizeof k->comment, "%s", k->c->who.container);
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		int use = nft_chain_use(nft, &tables[t], chains[0], &k->c->err);

		if (use < 0 && use != -ENOENT)
			return use;
		for (size_t i = 0; i < ARRAY_LEN(chains) && use >= 0 && r == 0; i++)
			r = remove_commented(k, &tables[t], chains[i]);
	}
	return r;
}

int takeover_ports(struct cni_call *c)
{
	int r = change(c, remove_ports);

	r = both(r, forget_chain(c, "CNI-HOSTPORT-DNAT", "CNI-DN-", is_of_chain));
	return both(r, forget_chain(c, "CNI-HOSTPORT-SNAT", "CNI-SN-", is_of_chain));
}

static bool is_valid_container(const struct cni_call *c, const char *container)
{
	for_list (const struct valid_attachment, a, &c->net.valid)
		if (!strcmp(a->container, container))
			return true;
	return false;
}

/* A comment is `dnat name: "NETWORK" id: "CONTAINER"`, its quotes shown with a backslash. A longer one is cut, and then says nothing for certain. */
static int note_stale(struct cni_call *c, char *line, void *stale)
{
	char *start = arena_printf(&c->arena, "name: \\\"%s\\\" id: \\\"", c->who.network), *id, *end;
	struct list *list = stale;
	char **slot;

	if (!start || !(id = strstr(line, start)) || !(end = strstr(id + strlen(start), "\\\"")))
		return 0;
	id += strlen(start);
	*end = '\0';
	if (!name_valid(id) || is_valid_container(c, id))
		return 0;
	for_list (char *, seen, list)
		if (!strcmp(*seen, id))
			return 0;
	slot = arena_push(&c->arena, &list->items, &list->count, sizeof *slot);
	return slot && (*slot = arena_strdup(&c->arena, id)) ? 0 : err_nomem(&c->err, "containers");
}

int takeover_ports_gc(struct cni_call *c)
{
	const char *own = c->who.container;
	struct list stale = { 0 };
	int r = iptables_each(c, "nat", "CNI-HOSTPORT-DNAT", note_stale, &stale);

	for_list (char *, container, &stale) {
		if (c->net.dry_run) {
			fprintf(stderr, "portmap: would remove the rules of iptables that another plugin made for container \"%s\"\n", *container);
			continue;
		}
		c->who.container = *container;
		r = first_failure(r, forget_chain(c, "CNI-HOSTPORT-DNAT", "CNI-DN-", is_of_chain));
		r = first_failure(r, forget_chain(c, "CNI-HOSTPORT-SNAT", "CNI-SN-", is_of_chain));
	}
	c->who.container = own;
	return r < 0 ? r : 0;
}

/* ---- ipMasq ---- */

static int remove_masquerade(struct nft *nft, void *commented)
{
	static const struct nft_table table = { .family = NFPROTO_INET, .name = "cni_plugins_masquerade" };
	char network[SHA512_HEX], instance[SHA512_HEX];
	struct commented *k = commented;

	hash_of(k->c->who.network, "", "", network);
	hash_of(k->c->who.ifname, ":", k->c->who.container, instance);
	look_for(k, nft, NFT_HASH + 1 + NFT_HASH);
	snprintf(k->comment, sizeof k->comment, "%.*s-%.*s", NFT_HASH, network, NFT_HASH, instance);
	return remove_commented(k, &table, "masq_checks");
}

int takeover_masquerade(struct cni_call *c)
{
	return both(change(c, remove_masquerade), forget_chain(c, "POSTROUTING", "CNI-", is_masqueraded));
}

/* ---- macspoofchk ---- */

static int remove_spoof_guard(struct nft *nft, void *commented)
{
	static const struct nft_table table = { .family = NFPROTO_BRIDGE, .name = "nat" };
	struct commented *k = commented;
	const struct attachment *who = &k->c->who;
	char chains[2][LONG_NAME];
	int r;

	look_for(k, nft, NFT_COMMENT - 1);
	snprintf(k->comment, sizeof k->comment, "macspoofchk-%s-%s", who->container, who->ifname);
	snprintf(chains[0], LONG_NAME, "cni-br-iface-%s-%s", who->container, who->ifname);
	snprintf(chains[1], LONG_NAME, "%.240s-mac", chains[0]);
	r = nft_chain_use(nft, &table, chains[0], &k->c->err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = remove_commented(k, &table, "PREROUTING");
	for (size_t i = 0; i < ARRAY_LEN(chains) && r == 0; i++) {              /* the first leads to the second */
		int use = nft_chain_use(nft, &table, chains[i], &k->c->err);

		if (use >= 0)
			nft_chain_remove(nft, &table, chains[i]);
		else if (use != -ENOENT)
			r = use;
	}
	k->found = 1;
	return r;
}

int takeover_spoof_guard(struct cni_call *c)
{
	return change(c, remove_spoof_guard);
}

/* ---- firewall ---- */

static bool is_of_address(const struct cni_call *c, const struct iptables_rules *rules, const char *line)
{
	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct prefix one = { ip->address.addr, (uint8_t)(addr_size(ip->address.addr.family) * 8) };
		char text[PREFIX_TEXT], to[160], from[160];

		prefix_text(&one, text);
		snprintf(to, sizeof to, "-A %s -d %s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", rules->chain, text);
		snprintf(from, sizeof from, "-A %s -s %s -j ACCEPT", rules->chain, text);
		if (!strcmp(line, to) || !strcmp(line, from))
			return true;
	}
	return false;
}

int takeover_firewall(struct cni_call *c)
{
	static const struct iptables_rules rules = { .table = "filter", .chain = "CNI-FORWARD", .is_meant = is_of_address };

	return iptables_forget(c, &rules);
}
