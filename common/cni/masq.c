/* An address is an element of masq4 or masq6 that leads to a chain of its subnet; the chain lets the subnet's own traffic pass and masquerades the
 * rest. Subnets may overlap, and a set of intervals cannot hold overlapping ones, nor can nftables before 6.13 compare two addresses under a mask; a
 * chain for each subnet can, and the kernel counts who uses it: it goes with its last element. */
#include "cni/masq.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/nftables.h"

static const struct nft_pair masq = { { &nft_inet, "masq4" }, { &nft_inet, "masq6" } };

enum { CHAIN_RULES = 2 };

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

static bool is_first_of_its_subnet(const struct result *r, const struct ip_conf *ip)
{
	struct prefix net = prefix_network(&ip->address);

	for (const struct ip_conf *before = r->ips.items; before < ip; before++) {
		struct prefix other = prefix_network(&before->address);

		if (prefix_equal(&net, &other))
			return false;
	}
	return true;
}

static int add_all(struct nft *nft, void *call, struct err *e)
{
	struct cni_call *c = call;

	for_list (const struct ip_conf, ip, &c->result.ips) {
		struct nft_element el = element_of(c, &ip->address);
		int use = nft_chain_use(nft, &nft_inet, el.chain, e), r;

		if (use < 0 && use != -ENOENT)
			return use;
		if (use == -ENOENT && is_first_of_its_subnet(&c->result, ip))
			nft_add_masq_chain(nft, &nft_inet, el.chain, &ip->address);
		/* the address is ours, by its lease: whoever is named there is gone */
		if ((r = nft_claim(nft, nft_of(&masq, ip->address.addr.family), &el, true, "masquerading", c)) < 0)
			return r;
	}
	return 0;
}

int masq_add(struct cni_call *c)
{
	return nft_transact(&nft_inet, add_all, c, &c->err);
}

/* ---- Removing ---- */

/* Elements that go in a transaction, by the chains that they lead to. */
struct leaving {
	struct cni_call      *c;
	struct nft           *nft;
	const struct nft_set *set;
	struct list           chains;   /* of struct leaving_chain */
};
struct leaving_chain {
	char name[NFT_NAME];
	int  elements;
};

static int note_leaving(struct leaving *l, const char *name)
{
	struct leaving_chain *chain;

	for_list (struct leaving_chain, seen, &l->chains)
		if (!strcmp(seen->name, name)) {
			seen->elements++;
			return 0;
		}
	chain = arena_push(&l->c->arena, &l->chains.items, &l->chains.count, sizeof *chain);
	if (!chain)
		return err_nomem(&l->c->err, "masquerading");
	strcpy(chain->name, name);
	chain->elements = 1;
	return 0;
}

static int leave_if_ours(const struct nft_element *el, void *arg)
{
	struct leaving *l = arg;

	if (!(l->c->verb == VERB_GC ? nft_is_stale(el, l->c) : nft_owned_by(el, l->c->who.owner)))
		return 0;
	nft_remove(l->nft, l->set, el);
	return note_leaving(l, el->chain);
}

static int remove_swept(struct leaving *l)
{
	const struct nft_set *const sets[] = { &masq.v4, &masq.v6 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(sets) && r >= 0; i++) {
		l->set = sets[i];
		r = nft_each(l->nft, l->set, leave_if_ours, l, &l->c->err);
	}
	return r;
}

static int remove_known(struct leaving *l)
{
	int r = 0;

	for_list (const struct ip_conf, ip, &l->c->prev.ips) {
		struct nft_element el = element_of(l->c, &ip->address);

		r = nft_give_back(l->nft, nft_of(&masq, ip->address.addr.family), &el, l->c);
		if (r == 1)
			r = note_leaving(l, el.chain);
		if (r < 0)
			break;
	}
	return r;
}

/* Chains that nobody uses but the elements that leave with them. */
static int remove_chains(struct leaving *l)
{
	for_list (const struct leaving_chain, chain, &l->chains) {
		int use = nft_chain_use(l->nft, &nft_inet, chain->name, &l->c->err);

		if (use < 0 && use != -ENOENT)
			return use;
		if (use == chain->elements + CHAIN_RULES)
			nft_remove_chain(l->nft, &nft_inet, chain->name);
	}
	return 0;
}

static int remove_all(struct nft *nft, void *call, struct err *e)
{
	struct cni_call *c = call;
	struct leaving l = { .c = c, .nft = nft };
	int r = c->verb != VERB_GC && c->prev.ips.count > 0 ? remove_known(&l) : remove_swept(&l);

	(void)e;
	return r < 0 ? r : remove_chains(&l);
}

int masq_del(struct cni_call *c)
{
	return nft_transact(&nft_inet, remove_all, c, &c->err);
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
	return nft_transact(&nft_inet, check_all, c, &c->err);
}
