/* A network's policy is chains, made with its first container and gone with its last; a container is under it by elements that lead from its addresses to
 * them. Connections are judged when they begin, by the chains `forward` and `input` of spec/ruleset.nft. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <linux/netfilter.h>

#include "firewall/firewall.h"
#include "os/nft_rule.h"

static const struct nft_pair to = { { &nft_inet, "to4" }, { &nft_inet, "to6" } };
static const struct nft_pair from = { { &nft_inet, "from4" }, { &nft_inet, "from6" } };
static const struct nft_pair to_host = { { &nft_inet, "to_host4" }, { &nft_inet, "to_host6" } };
static const struct nft_set to_link = { &nft_inet, "to_link" }, from_link = { &nft_inet, "from_link" }, to_host_link = { &nft_inet, "to_host_link" };
static const struct nft_set *const shared[] = { &to_link, &from_link, &to_host_link, NULL };
static const struct nft_pair apart = { { &nft_inet, "apart4" }, { &nft_inet, "apart6" } };

static const int families[] = { AF_INET, AF_INET6 };

/* ---- What a policy asks for ---- */

static bool is_apart(const struct firewall_conf *conf)      { return conf->ingress != INGRESS_OPEN; }
static bool accepts_foreign(const struct firewall_conf *conf) { return conf->foreign && !strcmp(conf->foreign, "accept"); }

static bool guards_ingress(const struct firewall_conf *conf)
{
	return is_apart(conf) || conf->internal || conf->unpublished_drop || conf->admin_chain || accepts_foreign(conf);
}

static bool lists_egress(const struct firewall_conf *conf)  { return conf->allow_words.given || conf->deny.count > 0; }
static bool guards_egress(const struct firewall_conf *conf) { return conf->internal || lists_egress(conf) || conf->admin_chain; }

/* Whether the host itself is out of reach. */
static bool blocks_host(const struct firewall_conf *conf)
{
	return (conf->internal && !conf->host_reachable) || conf->deny_host || (conf->allow_words.given && !conf->allow_host);
}

static bool guards_host(const struct firewall_conf *conf) { return blocks_host(conf) || conf->deny_local.count > 0; }

/* Without one there is nothing of an attachment in nftables. */
static bool has_policy(const struct firewall_conf *conf)
{
	return guards_ingress(conf) || guards_egress(conf) || guards_host(conf);
}

/* ---- Its chains ---- */

struct policy {
	const struct firewall_conf *conf;
	const char                 *network, *link;
	struct list                *claimed;    /* ADD: what it has claimed so far, of struct set_element */
};

static void rule_of(struct nft *nft, const char *chain, int verdict, const char *target)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	do_verdict(&r, verdict, target);
	rule_end(&r);
}

/* The end of a chain, or of what a rule has matched. */
static void drop(struct nft_rule *r, const struct policy *p)
{
	char prefix[100];

	if (p->conf->log_drops) {
		snprintf(prefix, sizeof prefix, "plumb %.60s drop: ", p->network);
		do_log(r, prefix);
	}
	do_verdict(r, NF_DROP, NULL);
	rule_end(r);
}

static void drop_rest(struct nft *nft, const char *chain, const struct policy *p)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	drop(&r, p);
}

static void own_link(struct nft *nft, const char *chain, const struct policy *p, enum nft_side side, bool dropped)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	match_link(&r, side, p->link, false);
	if (dropped) {
		drop(&r, p);
	} else {
		do_verdict(&r, NFT_RETURN, NULL);
		rule_end(&r);
	}
}

/* To the container. From its own network first: that is no ingress. Published ports are open to all, but of an internal network. */
static void write_to(struct nft *nft, const char *chain, const void *policy)
{
	const struct policy *p = policy;
	struct nft_rule r;

	if (p->conf->admin_chain)
		rule_of(nft, chain, NFT_JUMP, p->conf->admin_chain);
	if (p->conf->ingress != INGRESS_ISOLATED)
		own_link(nft, chain, p, NFT_SOURCE, false);
	if (p->conf->internal) {
		drop_rest(nft, chain, p);
		return;
	}
	r = rule_begin(nft, &nft_inet, chain);
	match_published(&r, false);
	do_verdict(&r, NFT_RETURN, NULL);
	rule_end(&r);
	if (p->conf->ingress == INGRESS_ISOLATED)
		own_link(nft, chain, p, NFT_SOURCE, true);
	for (size_t i = 0; i < ARRAY_LEN(families) && is_apart(p->conf); i++) {
		r = rule_begin(nft, &nft_inet, chain);
		match_address_set(&r, NFT_SOURCE, families[i], nft_of(&apart, families[i])->name, false);
		drop(&r, p);
	}
	if (p->conf->unpublished_drop)
		drop_rest(nft, chain, p);
}

/* From the container, to elsewhere. */
static void write_from(struct nft *nft, const char *chain, const void *policy)
{
	const struct policy *p = policy;

	if (p->conf->admin_chain)
		rule_of(nft, chain, NFT_JUMP, p->conf->admin_chain);
	own_link(nft, chain, p, NFT_DESTINATION, false);
	if (p->conf->internal) {
		drop_rest(nft, chain, p);
		return;
	}
	for_list (const struct prefix, subnet, &p->conf->deny) {
		struct nft_rule r = rule_begin(nft, &nft_inet, chain);

		match_address(&r, NFT_DESTINATION, subnet, false);
		drop(&r, p);
	}
	for_list (const struct prefix, subnet, &p->conf->allow) {
		struct nft_rule r = rule_begin(nft, &nft_inet, chain);

		match_address(&r, NFT_DESTINATION, subnet, false);
		do_verdict(&r, NFT_RETURN, NULL);
		rule_end(&r);
	}
	if (p->conf->allow_words.given)
		drop_rest(nft, chain, p);
}

/* What the host is asked. Denied places may be the host's own addresses, as those of metadata proxies are; the LAN's are not meant by that. */
static void write_to_host(struct nft *nft, const char *chain, const void *policy)
{
	const struct policy *p = policy;

	for_list (const struct prefix, subnet, &p->conf->deny_local) {
		struct nft_rule r = rule_begin(nft, &nft_inet, chain);

		match_address(&r, NFT_DESTINATION, subnet, false);
		drop(&r, p);
	}
	if (blocks_host(p->conf))
		drop_rest(nft, chain, p);
}

/* Admins fill it; an empty one must be there to be jumped to. */
static void write_nothing(struct nft *nft, const char *chain, const void *arg)
{
	(void)nft, (void)chain, (void)arg;
}

/* ---- Elements, and the chain of each: the same name for the same rules ---- */

static const struct part {
	const char            *name;
	const struct nft_pair *map;
	const struct nft_set  *by_link;
	bool                 (*wanted)(const struct firewall_conf *conf);
	nft_write             *write;
} parts[] = {
	{ "to",   &to,      &to_link,      guards_ingress, write_to },
	{ "from", &from,    &from_link,    guards_egress,  write_from },
	{ "host", &to_host, &to_host_link, guards_host,    write_to_host },
};

static void chain_name(const struct policy *p, const struct part *part, char out[NFT_NAME])
{
	const struct firewall_conf *conf = p->conf;
	char flags[40];
	uint64_t h;

	snprintf(flags, sizeof flags, "%d%d%d%d%d%d%d%d", conf->ingress, conf->internal, conf->unpublished_drop, conf->host_reachable, conf->log_drops,
	         conf->allow_words.given, conf->allow_host, conf->deny_host);
	h = hash_strings(flags, p->link ? p->link : "", conf->admin_chain ? conf->admin_chain : "", NULL);
	h = hash_prefixes(hash_prefixes(hash_prefixes(h, &conf->allow) ^ 1, &conf->deny) ^ 1, &conf->deny_local);
	snprintf(out, NFT_NAME, "%s_%.80s_%08x", part->name, p->network, (unsigned)(h ^ h >> 32));
}

bool policy_chain_is_of(const struct cni_call *c, const char *chain)
{
	char start[NFT_NAME];
	size_t len;

	if (strncmp(chain, parts[0].name, strlen(parts[0].name)))
		return false;
	len = snprintf(start, sizeof start, "%s_%.80s_", parts[0].name, c->who.network);
	return !strncmp(chain, start, len) && strlen(chain) == len + 8 && strspn(chain + len, "0123456789abcdef") == 8;
}

static struct nft_element element_of(const struct cni_call *c, const struct ip_conf *ip)
{
	struct nft_element el = { .comment = "" };

	nft_put_addr(&el.key, &ip->address.addr);
	snprintf(el.comment, sizeof el.comment, "%s", c->who.owner);
	return el;
}

/* Calls each for every element that the policy gives an address; part is NULL for the one that has no chain. */
typedef int policy_fn(struct nft *nft, const struct policy *p, const struct part *part, const struct nft_set *set, struct nft_element *el, struct cni_call *c);

static int each_element(struct nft *nft, struct cni_call *c, policy_fn *each, struct list *claimed)
{
	struct policy p = { .conf = c->conf, .network = c->who.network, .link = result_host_link(&c->prev), .claimed = claimed };
	int r = 0;

	for_list (const struct ip_conf, ip, &c->prev.ips) {
		int family = ip->address.addr.family;

		if (!result_ip_is_of(&c->prev, ip, c->who.ifname))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
			struct nft_element el = element_of(c, ip);

			if (!parts[i].wanted(p.conf))
				continue;
			chain_name(&p, &parts[i], el.chain);
			r = each(nft, &p, &parts[i], nft_of(parts[i].map, family), &el, c);
		}
		if (r == 0 && is_apart(p.conf)) {
			struct nft_element el = element_of(c, ip);

			r = each(nft, &p, NULL, nft_of(&apart, family), &el, c);
		}
	}
	return r;
}

/* ---- Verbs ---- */

/* A container may give itself other addresses, and link-local ones are nobody's lease. */
static int share_link(struct nft *nft, const struct policy *p, const struct part *part, const char *chain, struct cni_call *c)
{
	struct nft_element el = { .comment = "" };
	char what[40];
	int r;

	nft_put_ifname(&el.key, p->link);
	snprintf(el.chain, sizeof el.chain, "%s", chain);
	snprintf(what, sizeof what, "interface %s", p->link);
	r = element_share(nft, part->by_link, &el, what, c);
	return r < 0 ? r : set_element_keep(c, p->claimed, part->by_link, &el);
}

static int add_one(struct nft *nft, const struct policy *p, const struct part *part, const struct nft_set *set, struct nft_element *el, struct cni_call *c)
{
	int r = 0;

	if (part && p->conf->admin_chain)
		r = nft_chain_ensure(nft, &nft_inet, p->conf->admin_chain, write_nothing, NULL, &c->err);
	if (r == 0 && part)
		r = nft_chain_ensure(nft, &nft_inet, el->chain, part->write, p, &c->err);
	if (r == 0 && part)
		r = share_link(nft, p, part, el->chain, c);
	if (r == 0)
		r = nft_claim(nft, set, el, true, "the container's policy", c);         /* the address is ours, by its lease */
	return r < 0 ? r : set_element_keep(c, p->claimed, set, el);
}

/* Before it the attachment may have been under another policy, which leaves in the same step. */
struct adding {
	struct cni_call *c;
	struct list      before, claimed;       /* of struct set_element */
};

static int add_all(struct nft *nft, void *adding)
{
	struct adding *a = adding;
	struct leaving l = { .c = a->c, .nft = nft, .shared = shared };
	int r;

	a->claimed = (struct list){ 0 };
	r = each_element(nft, a->c, add_one, &a->claimed);
	return r < 0 || a->before.count == 0 ? r : leave_replaced(&l, &nft_inet, &a->before, &a->claimed);
}

int policy_add(struct cni_call *c)
{
	struct adding a = { .c = c };
	int r;

	if (!has_policy(c->conf))
		return nft_has_record(c, "firewall") ? policy_del(c) : 0;
	if (!result_host_link(&c->prev))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL,
		               "interface needs to be set for the policy: prevResult has none on the host; chain \"firewall\" behind \"bridge\" or \"ptp\"");
	if ((r = replaced_read(c, &nft_inet, "firewall", &a.before)) < 0)
		return r;
	if ((r = nft_work(c, &nft_inet, "firewall", add_all, &a)) < 0)
		replaced_stays(c, "firewall");
	return r;
}

static int remove_all(struct nft *nft, void *call)
{
	struct leaving l = { .c = call, .nft = nft, .shared = shared };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++)
		if ((r = leave_swept(&l, &parts[i].map->v4)) == 0)
			r = leave_swept(&l, &parts[i].map->v6);
	if (r == 0 && (r = leave_swept(&l, &apart.v4)) == 0)
		r = leave_swept(&l, &apart.v6);
	return r < 0 ? r : leave_chains(&l);
}

static int give_back(struct nft *nft, void *leaving)
{
	struct leaving *l = leaving;
	static const struct nft_pair *const pairs[] = { &to, &from, &to_host, &apart };
	int r;

	*l = (struct leaving){ .c = l->c, .nft = nft, .shared = shared };
	r = leave_recorded(l, &nft_inet, "firewall");
	if (r != -ENOENT)
		return r < 0 ? r : leave_chains(l);
	r = 0;
	for_list (const struct ip_conf, ip, &l->c->prev.ips)
		for (size_t i = 0; i < ARRAY_LEN(pairs) && r == 0; i++) {
			struct nft_element el = element_of(l->c, ip);

			r = leave(l, nft_of(pairs[i], ip->address.addr.family), &el);
		}
	return r < 0 ? r : leave_chains(l);
}

/* By what is on record, else by address where prevResult tells it; the configuration may have changed since ADD, so every map is looked into. */
int policy_del(struct cni_call *c)
{
	struct leaving l = { .c = c };

	return c->verb == VERB_DEL && c->prev.ips.count > 0 ? nft_work(c, &nft_inet, "firewall", give_back, &l) : nft_work(c, &nft_inet, "firewall", remove_all, c);
}

int policy_gc(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "firewall", remove_all, c);
}

static int check_one(struct nft *nft, const struct policy *p, const struct part *part, const struct nft_set *set, struct nft_element *el, struct cni_call *c)
{
	int r = nft_check(nft, set, el, "the container's policy", c);

	(void)p;
	return r < 0 || !part ? r : nft_check_chain(nft, el->chain, "the container's policy", c);
}

static int check_all(struct nft *nft, void *call)
{
	return each_element(nft, call, check_one, NULL);
}

int policy_check(struct cni_call *c)
{
	return has_policy(c->conf) ? nft_work(c, &nft_inet, "firewall", check_all, c) : 0;
}
