#include "cni/nftables.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#include "cni/attach.h"

const struct nft_table nft_inet = { NFPROTO_INET, "plumb", "inet" };
const struct nft_table nft_bridge = { NFPROTO_BRIDGE, "plumb", "bridge" };

bool nft_owned_by(const struct nft_element *el, const char *owner)
{
	size_t len = strlen(owner);

	return !strncmp(el->comment, owner, len) && (el->comment[len] == '\0' || el->comment[len] == ' ');
}

bool nft_is_stale(const struct nft_element *el, struct cni_call *c)
{
	char owner[OWNER_SIZE];

	attach_owner_network(c->who.network, owner);
	if (strncmp(el->comment, owner, strlen(owner)))
		return false;
	for_list (const struct valid_attachment, a, &c->net.valid) {
		attach_owner(c->who.network, a->container, a->ifname, owner);
		if (nft_owned_by(el, owner))
			return false;
	}
	return true;
}

int nft_claim(struct nft *nft, const struct nft_set *set, struct nft_element *el, bool replace, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	char holder[256];
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 0)
		return r;
	if (r == 1 && !replace && !nft_owned_by(&there, c->who.owner)) {
		err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s is taken by %s", what,
		        there.comment[0] ? attach_describe(there.comment, holder, sizeof holder) : "an element that names no owner");
		err_detail(&c->err, "nftables table inet plumb, %s; DEL or GC that attachment, or choose another", set->name);
		return -EADDRINUSE;
	}
	if (r == 1)
		nft_remove(nft, set, &there);
	nft_add(nft, set, el);
	return 0;
}

int nft_give_back(struct nft *nft, const struct nft_set *set, struct nft_element *el, struct cni_call *c)
{
	int r = nft_find(nft, set, el, &c->err);

	if (r == 1 && !nft_owned_by(el, c->who.owner))
		return 0;
	if (r == 1)
		nft_remove(nft, set, el);
	return r;
}

int nft_check(struct nft *nft, const struct nft_set *set, const struct nft_element *el, const char *what, struct cni_call *c)
{
	struct nft_element there = { .key = el->key };
	char holder[256];
	int r = nft_find(nft, set, &there, &c->err);

	if (r < 0)
		return r;
	if (r == 0)
		err_set(&c->err, CNI_FAILED, -ENOENT, "%s: its element of nftables %s is missing", what, set->name);
	else if (!nft_owned_by(&there, c->who.owner))
		err_set(&c->err, CNI_FAILED, -EADDRINUSE, "%s: its element of nftables %s is held by %s", what, set->name,
		        attach_describe(there.comment, holder, sizeof holder));
	else if (el->value.len && (el->value.len != there.value.len || memcmp(el->value.bytes, there.value.bytes, el->value.len)))
		err_set(&c->err, CNI_FAILED, -EINVAL, "%s: its element of nftables %s leads elsewhere", what, set->name);
	else if (el->chain[0] && strcmp(el->chain, there.chain))
		err_set(&c->err, CNI_FAILED, -EINVAL, "%s: its element of nftables %s leads to chain %s", what, set->name, there.chain);
	else
		return 0;
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -EINVAL;
}

struct sweep {
	struct nft           *nft;
	const struct nft_set *set;
	struct cni_call      *c;
};

static int sweep_one(const struct nft_element *el, void *arg)
{
	struct sweep *s = arg;

	if (s->c->verb == VERB_GC ? nft_is_stale(el, s->c) : nft_owned_by(el, s->c->who.owner))
		nft_remove(s->nft, s->set, el);
	return 0;
}

int nft_sweep(struct nft *nft, const struct nft_set *set, struct cni_call *c)
{
	struct sweep s = { nft, set, c };

	return nft_each(nft, set, sweep_one, &s, &c->err);
}
