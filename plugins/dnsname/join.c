/* An attachment's names come to the servers of its network, and go from them. */
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

	if (member_read(c, r->container, r->network, r->ifname, &before) == 0) {
		r->view = before.view;
		if (before.addresses.count && !addr_equal(before.addresses.items, r->addresses.items)) {
			hosts_remove(c, &before);
			if ((bad = unsteer(c, &before, false)) < 0)
				return bad;
		}
	}
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

/* Servers that somebody else needs, and which have died, come back. */
static int unteach(struct cni_call *c, const char *view, void *record)
{
	const struct member *r = record;
	struct err *e = &c->err, before = *e;
	struct server s;
	int bad;

	err_clear(e);
	bad = server_run(c, view, &s);
	if (bad < 0)
		fprintf(stderr, "names of %s are not answered: %s%s%s\n", view, e->msg, e->details[0] ? "; " : "", e->details);
	*e = before;
	if (bad < 0)
		return 0;
	if (r->dotted && (bad = server_tell_dotted(c, &s)) < 0)
		return bad;
	return r->addresses.count && *r->probe ? server_learns(c, &s, r, false) : 0;
}

int network_leave(struct cni_call *c, const struct member *r)
{
	bool last;
	int bad;

	hosts_remove(c, r);
	last = !hosts_are_left(c, r->network);
	bad = unsteer(c, r, last);
	member_remove(c, r);
	bad = first_failure(bad, view_settle(c, r));
	if (*r->view)
		bad = first_failure(bad, view_release(c, r->view, r->container));
	if (!last)
		return first_failure(bad, views_with(c, r->network, unteach, (void *)r));
	bad = first_failure(bad, server_stop(c, r->network));
	if (bad == 0)
		network_remove(c, r->network);
	return bad;
}
