/* An attachment's names come to the servers of its network, and go from them. */
#include <errno.h>
#include <stdio.h>

#include "dnsname/dnsname.h"

/* ---- Joining ---- */

static int teach(struct cni_call *c, const char *view, void *record)
{
	const struct member *r = record;
	struct server s;
	int bad = server_run(c, view, &s);

	if (bad < 0)
		return bad;
	if (r->dotted && (bad = server_tell_dotted(c, &s)) < 0)
		return bad;
	return server_learns(c, &s, r, true);
}

/* Its address may be another one than that of an attachment of the same name that died without a DEL. */
static int names_put(struct cni_call *c, struct member *r, const struct network *n)
{
	struct member before;
	int bad;

	if ((bad = member_read(c, r->container, r->network, r->ifname, &before)) < 0)
		return bad;
	r->view = before.view;
	if (before.addresses.count && !addr_equal(before.addresses.items, r->addresses.items))
		if ((bad = hosts_remove(c, &before)) < 0 || (bad = unsteer(c, &before, false)) < 0)
			return bad;
	if ((bad = member_write(c, r)) < 0 || (bad = network_note(c, n)) < 0)
		return bad;
	return hosts_write(c, r);
}

int network_join(struct cni_call *c, struct member *r, const struct network *n)
{
	int bad = names_put(c, r, n);

	if (bad == 0)
		bad = views_with(c, r->network, teach, r);
	return bad < 0 ? bad : view_settle(c, r);
}

/* ---- Leaving ---- */

/* A server that somebody else needs, and which has died, comes back. That it does not start is not for DEL to refuse. */
static int run_for_others(struct cni_call *c, const char *view, struct server *s)
{
	struct err *e = &c->err, before = *e;
	int bad;

	err_clear(e);
	bad = server_run(c, view, s);
	if (bad < 0 && bad != -ENOMEM && e->code != CNI_IO) {
		fprintf(stderr, "names of %s are not answered: %s%s%s\n", view, e->msg, e->details[0] ? "; " : "", e->details);
		err_clear(e);
		bad = 1;
	}
	if (before.code)
		*e = before;
	return bad;
}

struct unteaching {
	const struct member *r;
	int                  bad;
};

static int unteach_one(struct cni_call *c, const char *view, const struct member *r)
{
	struct server s;
	int bad = run_for_others(c, view, &s);

	if (bad != 0)
		return first_failure(bad, 0);
	if (r->dotted && (bad = server_tell_dotted(c, &s)) < 0)
		return bad;
	return r->addresses.count && *r->probe ? server_learns(c, &s, r, false) : 0;
}

static int unteach(struct cni_call *c, const char *view, void *arg)
{
	struct unteaching *k = arg;

	k->bad = first_failure(k->bad, unteach_one(c, view, k->r));
	return 0;
}

static int unteach_all(struct cni_call *c, const struct member *r)
{
	struct unteaching k = { r, 0 };
	int bad = views_with(c, r->network, unteach, &k);

	return first_failure(k.bad, bad);
}

/* Nothing answers it any more, and nobody but it is affected. last: it is the network's. */
static int leave_servers(struct cni_call *c, const struct member *r, bool last)
{
	int bad = view_settle(c, r);

	bad = first_failure(bad, views_leave(c, r));
	return first_failure(bad, last ? server_stop(c, r->network) : unteach_all(c, r));
}

int network_leave(struct cni_call *c, const struct member *r)
{
	int bad = hosts_remove(c, r), left = bad < 0 ? bad : hosts_are_left(c, r->network);

	if (left < 0)                   /* then it is not the last, and its names may be there */
		return first_failure(left, unsteer(c, r, false));
	bad = unsteer(c, r, !left);
	bad = first_failure(bad, leave_servers(c, r, !left));
	if (left)
		bad = first_failure(bad, names_abandon(c, network_path(c, r->network, "about")));
	if (bad < 0 || (bad = member_remove(c, r)) < 0)
		return bad;
	return left ? 0 : network_remove(c, r->network);
}
