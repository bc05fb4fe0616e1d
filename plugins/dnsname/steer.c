/* Who may ask, and who is answered by whom: elements of names4 and names6 (spec/ruleset.nft), a container's address and the address that it asks,
 * which lead to a server's port. A network has an element of its own besides, by which the host asks. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cni/attach.h"
#include "cni/chains.h"
#include "dnsname/dnsname.h"
#include "os/conntrack.h"

static const struct nft_pair names = { { &nft_inet, "names4" }, { &nft_inet, "names6" } };
static const struct nft_pair names_host = { { &nft_inet, "names_host4" }, { &nft_inet, "names_host6" } };

enum { PORT_OF_DNS = 53 };

struct job {
	struct cni_call     *c;
	struct nft          *nft;
	const struct member *record;
	const struct server *server;            /* that answers it */
	uint16_t             own;               /* port of the network's own server */
	bool                 last;
};

/* The call as one of the attachment's: elements and records are by who that is. */
static struct cni_call call_for(const struct cni_call *c, const struct member *r)
{
	struct cni_call of = *c;

	of.who = (struct attachment){ .network = r->network, .container = r->container, .ifname = r->ifname, .netns = r->netns };
	attach_owner(r->network, r->container, r->ifname, of.who.owner);
	if (of.verb == VERB_GC)
		of.verb = VERB_DEL;
	return of;
}

static int work(struct cni_call *c, const struct member *r, nft_decide *decide, struct job *j)
{
	struct cni_call of = call_for(c, r);
	int bad;

	j->c = &of;
	bad = nft_work(&of, &nft_inet, "names", decide, j);
	c->err = of.err;
	c->arena = of.arena;
	return bad;
}

static const struct network *network_of(const struct job *j)
{
	for_list (const struct network, n, &j->server->networks)
		if (!strcmp(n->name, j->record->network))
			return n;
	return NULL;
}

/* Calls each for the container's addresses with those that it may ask. */
typedef int pair_fn(struct job *j, const struct addr *who, const struct addr *asked);

static int each_pair(struct job *j, pair_fn *each)
{
	const struct network *n = network_of(j);
	int r = 0;

	for_list (const struct addr, a, &j->record->addresses)
		for_list (const struct prefix, p, n ? &n->addresses : &(struct list){ 0 })
			if (r == 0 && p->addr.family == a->family)
				r = each(j, a, &p->addr);
	return r;
}

static struct nft_element element_of(const struct job *j, const struct addr *who, const struct addr *asked)
{
	struct nft_element el = { .comment = "" };

	nft_put_addr(&el.key, who);
	nft_put_addr(&el.key, asked);
	nft_put_addr(&el.value, asked);
	nft_put_port(&el.value, j->server->port);
	snprintf(el.comment, sizeof el.comment, "%s", j->c->who.owner);
	return el;
}

/* ---- Adding ---- */

static int claim(struct job *j, const struct addr *who, const struct addr *asked)
{
	struct nft_element el = element_of(j, who, asked);

	return nft_claim(j->nft, nft_of(&names, asked->family), &el, true, "the container's address", j->c);    /* ours, by its lease */
}

/* Two networks may have one address; then the host asks the one that was there first. */
static int share(struct job *j, const struct addr *asked)
{
	const struct nft_set *set = nft_of(&names_host, asked->family);
	struct nft_element el = { .comment = "" }, there;
	int r;

	nft_put_addr(&el.key, asked);
	there = el;
	nft_put_addr(&el.value, asked);
	nft_put_port(&el.value, j->own);
	attach_owner_network(j->record->network, el.comment);
	r = nft_find(j->nft, set, &there, &j->c->err);
	if (r < 0 || (r == 1 && !nft_owned_by(&there, el.comment)))
		return r < 0 ? r : 0;
	j->nft->there = r == 1 && !memcmp(there.value.bytes, el.value.bytes, el.value.len);
	if (r == 1 && !j->nft->there)
		nft_remove(j->nft, set, &there);
	nft_add(j->nft, set, &el);
	j->nft->there = false;
	return 0;
}

static int steer_all(struct nft *nft, void *job)
{
	struct job *j = job;
	int r;

	j->nft = nft;
	r = each_pair(j, claim);
	for_list (const struct prefix, p, network_of(j) ? &network_of(j)->addresses : &(struct list){ 0 })
		if (r == 0)
			r = share(j, &p->addr);
	return r;
}

static int forget(struct job *j, const struct addr *who, const struct addr *asked)
{
	struct conntrack_match m = {
		.family = asked->family, .protocol = IPPROTO_UDP, .port = PORT_OF_DNS, .port_last = PORT_OF_DNS, .from = *who, .to = *asked, .target = *asked,
		.target_port = j->server->port, .answered = !j->last,
	};
	struct err ignored = { 0 };

	conntrack_forget(&m, 1, NULL, NULL, &ignored);
	return 0;
}

int steer(struct cni_call *c, const struct member *r, const struct server *s)
{
	struct job j = { .record = r, .server = s };
	struct server own;
	int bad = server_load(c, r->network, &own);

	j.own = own.port;
	return bad < 0 ? bad : work(c, r, steer_all, &j);
}

void steer_forget(struct cni_call *c, const struct member *r, const struct server *before, bool stopped)
{
	struct job j = { .c = c, .record = r, .server = before, .last = stopped };

	each_pair(&j, forget);
}

/* ---- Removing ---- */

static int remove_share(const struct nft_element *el, void *job)
{
	struct job *j = job;
	char network[OWNER_SIZE];

	attach_owner_network(j->record->network, network);
	if (nft_owned_by(el, network))
		nft_remove(j->nft, nft_of(&names_host, el->key.len == 4 ? AF_INET : AF_INET6), el);
	return 0;
}

static int remove_shares(struct job *j)
{
	int r = nft_each(j->nft, &names_host.v4, remove_share, j, &j->c->err);

	return r < 0 ? r : nft_each(j->nft, &names_host.v6, remove_share, j, &j->c->err);
}

static int unsteer_all(struct nft *nft, void *job)
{
	struct job *j = job;
	struct leaving l = { .c = j->c, .nft = nft };
	int r = leave_recorded(&l, &nft_inet, "names");

	j->nft = nft;
	if (r == -ENOENT && (r = leave_swept(&l, &names.v4)) == 0)
		r = leave_swept(&l, &names.v6);
	return r >= 0 && j->last ? remove_shares(j) : r < 0 ? r : 0;
}

int unsteer(struct cni_call *c, const struct member *r, bool last)
{
	struct job j = { .record = r, .last = last };

	return work(c, r, unsteer_all, &j);
}

static int sweep_all(struct nft *nft, void *call)
{
	struct leaving l = { .c = call, .nft = nft };
	int r = leave_swept(&l, &names.v4);

	return r < 0 ? r : leave_swept(&l, &names.v6);
}

int steer_sweep(struct cni_call *c)
{
	return nft_work(c, &nft_inet, "names", sweep_all, c);
}

/* ---- Checking ---- */

static int check_one(struct job *j, const struct addr *who, const struct addr *asked)
{
	struct nft_element el = element_of(j, who, asked);
	char text[ADDR_TEXT], what[80];

	snprintf(what, sizeof what, "questions to %s", addr_text(asked, text));
	return nft_check(j->nft, nft_of(&names, asked->family), &el, what, j->c);
}

static int check_all(struct nft *nft, void *job)
{
	struct job *j = job;

	j->nft = nft;
	return each_pair(j, check_one);
}

int steer_check(struct cni_call *c, const struct member *r, const struct server *s)
{
	struct job j = { .record = r, .server = s };

	return work(c, r, check_all, &j);
}
