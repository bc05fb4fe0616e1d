/* An address is an element of masq4 or masq6 that leads to a chain of its subnet; the chain lets the subnet's own traffic pass and masquerades the
 * rest. Subnets may overlap, and a set of intervals cannot hold overlapping ones, nor can nftables before 6.13 compare two addresses under a mask; a
 * chain for each subnet can, and the kernel counts who uses it: it goes with its last element. */
#include "cni/masq.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/chains.h"
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

/* The chain's name tells the subnet, in letters that nft takes without quotes. */
static void chain_of(const struct prefix *p, char out[NFT_NAME])
{
	struct prefix net = prefix_network(p);
	char text[PREFIX_TEXT];

	prefix_text(&net, text);
	for (char *s = text; *s; s++)
		if (*s == ':')
			*s = '_';
	snprintf(out, NFT_NAME, "masq_%s", text);
}

static struct nft_element element_of(const struct cni_call *c, const struct prefix *p)
{
	struct nft_element el = { .comment = "" };

	nft_put_addr(&el.key, &p->addr);
	chain_of(p, el.chain);
	snprintf(el.comment, sizeof el.comment, "%s", c->who.owner);
	return el;
}

/* ---- Adding ---- */

static void write_chain(struct nft *nft, const char *chain, const void *subnet)
{
	struct nft_rule own = rule_begin(nft, &nft_inet, chain), rest;

	match_address(&own, NFT_DESTINATION, subnet, false);
	do_verdict(&own, NFT_RETURN, NULL);
	rule_end(&own);
	rest = rule_begin(nft, &nft_inet, chain);
	do_masquerade(&rest, false);
	rule_end(&rest);
}

static int add_all(struct nft *nft, void *call, struct err *e)
{
	struct cni_call *c = call;

	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct nft_element el = element_of(c, &ip->address);
		int r = nft_chain_ensure(nft, &nft_inet, el.chain, write_chain, &ip->address, e);

		/* the address is ours, by its lease: whoever is named there is gone */
		if (r < 0 || (r = nft_claim(nft, nft_of(&masq, ip->address.addr.family), &el, true, "masquerading", c)) < 0)
			return r;
	}
	return 0;
}

int masq_add(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "masq", add_all, c);
}

/* ---- Removing ---- */

static int remove_known(struct leaving *l)
{
	int r = 0;

	for_list (const struct ip_conf, ip, &l->c->prev.ips) {
		struct nft_element el = element_of(l->c, &ip->address);

		if (r == 0)
			r = leave(l, nft_of(&masq, ip->address.addr.family), &el);
	}
	return r;
}

static int remove_swept(struct leaving *l)
{
	int r = leave_swept(l, &masq.v4);

	return r < 0 ? r : leave_swept(l, &masq.v6);
}

static int remove_all(struct nft *nft, void *call, struct err *e)
{
	struct cni_call *c = call;
	struct leaving l = { .c = c, .nft = nft };
	int r = c->verb != VERB_GC && c->prev.ips.count > 0 ? remove_known(&l) : remove_swept(&l);

	(void)e;
	return r < 0 ? r : leave_chains(&l);
}

int masq_del(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "masq", remove_all, c);
}

int masq_gc(struct cni_call *c)
{
	return masq_del(c);
}

/* ---- Checking ---- */

static int check_all(struct nft *nft, void *call, struct err *e)
{
	struct cni_call *c = call;
	int r = 0;

	(void)e;
	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct nft_element el = element_of(c, &ip->address);
		char what[80], text[ADDR_TEXT];

		if (!result_ip_is_of(&c->prev, ip, c->who.ifname))
			continue;
		snprintf(what, sizeof what, "masquerading of %s", addr_text(&ip->address.addr, text));
		r = first_failure(r, nft_check(nft, nft_of(&masq, ip->address.addr.family), &el, what, c));
	}
	return r;
}

int masq_check(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "masq", check_all, c);
}
