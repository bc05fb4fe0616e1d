/* An address is an element of masq4 or masq6 that leads to a chain of its subnet and options; the chain lets the subnet's own traffic pass, and what
 * is excluded, and masquerades the rest. Subnets may overlap, and a set of intervals cannot hold overlapping ones, nor can nftables before 6.13
 * compare two addresses under a mask; a chain for each subnet can (cni/chains.h says when it goes). */
#include "cni/masq.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/chains.h"
#include "cni/takeover.h"
#include "os/nft_rule.h"

static const struct nft_pair masq = { { &nft_inet, "masq4" }, { &nft_inet, "masq6" } };

int read_masq_backend(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	int bad = read_string(f, v, slot, r);
	const char *name = bad == 0 ? *(const char **)slot : "";

	if (bad < 0)
		return bad;
	if (!strcmp(name, "iptables"))
		fprintf(stderr, "%s%s: \"iptables\" is answered with nftables, the one backend there is\n", r->path, f->key);
	else if (strcmp(name, "nftables"))
		return field_refuse(f, r, "unknown backend \"%s\"; want \"nftables\"", name);
	return 0;
}

/* ---- Options ---- */

struct masq_conf {
	struct list exclude;            /* of struct prefix */
	struct list source;             /* of struct addr */
	bool        random_ports;
};

/* One address, or a list. */
static int read_source(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field list = *f;
	scoped(json_put) json_t *one = json_is_string(v) ? json_pack("[O]", v) : NULL;

	list.item = read_addr;
	list.size = sizeof(struct addr);
	return read_list(&list, one ? one : v, slot, r);
}

static const struct field masq_fields[] = {
	FIELD(struct masq_conf, exclude,      "ipMasqExclude",     read_list, .item = read_prefix, .size = sizeof(struct prefix)),
	FIELD(struct masq_conf, source,       "ipMasqSource",      read_source),
	FIELD(struct masq_conf, random_ports, "ipMasqRandomPorts", read_bool),
	FIELD_END
};

static int read_conf(struct cni_call *c, struct masq_conf *out)
{
	struct reading r = { .arena = &c->arena, .err = &c->err };

	*out = (struct masq_conf){ 0 };
	return fields_read(masq_fields, c->json, out, &r);
}

static const struct addr *source_of(const struct masq_conf *conf, int family)
{
	for_list (const struct addr, a, &conf->source)
		if (a->family == family)
			return a;
	return NULL;
}

/* DEL and GC need none of it, and must not be stopped by what ADD refused. */
int masq_settle(struct cni_call *c)
{
	bool cleans = c->verb == VERB_DEL || c->verb == VERB_GC;
	struct masq_conf conf;
	char text[ADDR_TEXT];
	int r = cleans ? 0 : read_conf(c, &conf);

	if (r < 0 || cleans)
		return r;
	for_list (const struct addr, a, &conf.source) {
		if (addr_is_unspecified(a) || addr_is_loopback(a))
			return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ipMasqSource: %s: want an address of the host that others can answer to",
			               addr_text(a, text));
		if (source_of(&conf, a->family) != a)
			return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "ipMasqSource: two addresses of one family; want one of each");
	}
	return 0;
}

/* Of what makes a chain another one than the plain one of its subnet; "" for nothing. */
static const char *options_hash(const struct masq_conf *conf, int family, char out[24])
{
	const struct addr *source = source_of(conf, family);
	char text[PREFIX_TEXT], so_far[24] = "";

	snprintf(out, 24, "%s", conf->random_ports ? "_random" : "");
	if (source)
		snprintf(out, 24, "_%016llx", (unsigned long long)hash_strings(conf->random_ports ? "random" : "", addr_text(source, text), NULL));
	for_list (const struct prefix, p, &conf->exclude) {
		if (p->addr.family != family)
			continue;
		strcpy(so_far, out);
		snprintf(out, 24, "_%016llx", (unsigned long long)hash_strings(so_far, prefix_text(p, text), NULL));
	}
	return out;
}

/* The chain's name tells the subnet, in letters that nft takes without quotes. */
static void chain_of(const struct masq_conf *conf, const struct prefix *p, char out[NFT_NAME])
{
	struct prefix net = prefix_network(p);
	char text[PREFIX_TEXT], options[24];

	prefix_text(&net, text);
	for (char *s = text; *s; s++)
		if (*s == ':')
			*s = '_';
	snprintf(out, NFT_NAME, "masq_%s%s", text, options_hash(conf, p->addr.family, options));
}

/* ---- Elements ---- */

static struct nft_element element_of(const struct cni_call *c, const struct masq_conf *conf, const struct prefix *p)
{
	struct nft_element el = { .comment = "" };

	nft_put_addr(&el.key, &p->addr);
	chain_of(conf, p, el.chain);
	snprintf(el.comment, sizeof el.comment, "%s", c->who.owner);
	return el;
}

/* ---- Adding ---- */

struct masq_chain {
	const struct masq_conf *conf;
	const struct prefix    *subnet;
};

static void leave_alone(struct nft *nft, const char *chain, const struct prefix *to)
{
	struct nft_rule r = rule_begin(nft, &nft_inet, chain);

	match_address(&r, NFT_DESTINATION, to, false);
	do_verdict(&r, NFT_RETURN, NULL);
	rule_end(&r);
}

static void write_chain(struct nft *nft, const char *name, const void *arg)
{
	const struct masq_chain *chain = arg;
	int family = chain->subnet->addr.family;
	const struct addr *source = source_of(chain->conf, family);
	struct nft_rule rest;

	leave_alone(nft, name, chain->subnet);
	for_list (const struct prefix, p, &chain->conf->exclude)
		if (p->addr.family == family)
			leave_alone(nft, name, p);
	rest = rule_begin(nft, &nft_inet, name);
	if (source)
		do_source(&rest, source, chain->conf->random_ports);
	else
		do_masquerade(&rest, chain->conf->random_ports);
	rule_end(&rest);
}

static int add_all(struct nft *nft, void *call)
{
	struct cni_call *c = call;
	struct masq_conf conf;
	int r = read_conf(c, &conf);

	if (r < 0)
		return r;
	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct nft_element el = element_of(c, &conf, &ip->address);
		struct masq_chain chain = { &conf, &ip->address };

		r = nft_chain_ensure(nft, &nft_inet, el.chain, write_chain, &chain, &c->err);
		/* the address is ours, by its lease: whoever is named there is gone */
		if (r < 0 || (r = nft_claim(nft, nft_of(&masq, ip->address.addr.family), &el, true, "masquerading", c)) < 0)
			return r;
	}
	return 0;
}

/* ---- Removing ---- */

static int remove_swept(struct leaving *l)
{
	int r = leave_swept(l, &masq.v4);

	return r < 0 ? r : leave_swept(l, &masq.v6);
}

static int remove_known(struct leaving *l, const struct result *known)
{
	static const struct masq_conf none;
	int r = 0;

	for_list (const struct ip_conf, ip, &known->ips) {
		struct nft_element el = element_of(l->c, &none, &ip->address);         /* which chain, the kernel knows */

		if (r == 0)
			r = leave(l, nft_of(&masq, ip->address.addr.family), &el);
	}
	return r;
}

/* An ADD that takes itself back knows best what it added. */
static int remove_all(struct nft *nft, void *leaving)
{
	struct leaving *l = leaving;
	struct cni_call *c = l->c;
	const struct result *known = c->verb == VERB_ADD ? &c->result : &c->prev;
	int r;

	*l = (struct leaving){ .c = c, .nft = nft };
	r = leave_recorded(l, &nft_inet, "masq");
	if (r == -ENOENT)
		r = c->verb != VERB_GC && known->ips.count > 0 ? remove_known(l, known) : remove_swept(l);
	return r < 0 ? r : leave_chains(l);
}

int masq_del(struct cni_call *c)
{
	struct leaving l = { .c = c };
	int r = nft_work(c, &nft_inet, "masq", remove_all, &l);

	return r < 0 || l.count ? r : takeover_in_del(c, takeover_masquerade);
}

static int remove_remains(struct nft *nft, void *call)
{
	struct leaving l = { .c = call, .nft = nft };
	int r = remove_swept(&l);

	return r < 0 ? r : leave_chains(&l);
}

/* What an attachment of our own name has left behind goes first: it died without a DEL. */
int masq_add(struct cni_call *c)
{
	int r = nft_has_record(c, "masq") ? nft_work(c, &nft_inet, "masq", remove_remains, c) : 0;

	return r < 0 ? r : nft_work(c, &nft_inet, "masq", add_all, c);
}

int masq_gc(struct cni_call *c)
{
	return masq_del(c);
}

/* ---- Checking ---- */

static int check_one(struct nft *nft, struct cni_call *c, const struct masq_conf *conf, const struct ip_conf *ip)
{
	struct nft_element el = element_of(c, conf, &ip->address);
	char what[80], text[ADDR_TEXT];
	int r, rules;

	snprintf(what, sizeof what, "masquerading of %s", addr_text(&ip->address.addr, text));
	r = nft_check(nft, nft_of(&masq, ip->address.addr.family), &el, what, c);
	if (r < 0)
		return r;
	rules = nft_chain_rules(nft, &nft_inet, el.chain, &c->err);
	if (rules > 0)
		return 0;
	err_set(&c->err, CNI_FAILED, -ENOENT, "%s: nftables chain %s has lost its rules", what, el.chain);
	return err_detail(&c->err, "somebody has flushed it; `plumb restore` brings it back"), -ENOENT;
}

static int check_all(struct nft *nft, void *call)
{
	struct cni_call *c = call;
	struct masq_conf conf;
	int r = read_conf(c, &conf);

	for_list (const struct ip_conf, ip, &c->prev.ips)
		if (r == 0 && result_ip_is_of(&c->prev, ip, c->who.ifname))
			r = check_one(nft, c, &conf, ip);
	return r;
}

int masq_check(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "masq", check_all, c);
}
