/* A container on one network is answered by that network's server. One on several is answered, on each of them, by a server that reads the names
 * of all, and of no others: the server of its view. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsname/dnsname.h"

enum { VIEW_LONGEST = 180 };

/* Neither can be in a network's name. */
bool view_is_of_several(const char *view)
{
	return strpbrk(view, "+~") != NULL;
}

static const char *user_path(struct cni_call *c, const char *view, const char *container)
{
	return arena_printf(&c->arena, NAMES "/servers/%s/users/%s", view, container);
}

/* ---- Which views there are ---- */

struct seeking {
	struct cni_call *c;
	const char      *network;
	view_fn         *each;
	void            *arg;
};

/* One that does not say of which networks it is has been left by a call that was killed, and nobody knows of it. */
static int meet_view(const char *entry, void *seeking)
{
	struct seeking *k = seeking;
	bool reads = k->c->verb == VERB_CHECK || k->c->verb == VERB_STATUS;
	const char *view = arena_strdup(&k->c->arena, entry);
	char *rest = NULL, *name;
	int r = !view ? err_nomem(&k->c->err, "networks") : !view_is_of_several(view) ? 1 : names_read(k->c, server_path(k->c, view, "networks"), &rest);

	if (r <= 0)
		return r == 0 && !reads ? server_stop_nameless(k->c, view) : r;
	while (rest && (name = strsep(&rest, "\n")))
		if (!strcmp(name, k->network))
			return k->each(k->c, view, k->arg);
	return 0;
}

int views_with(struct cni_call *c, const char *network, view_fn *each, void *arg)
{
	int r = each(c, network, arg);

	return r != 0 ? r : names_each(c, NAMES "/servers", meet_view, &(struct seeking){ c, network, each, arg });
}

/* ---- Which one a container has ---- */

static int compare_records(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->network, ((const struct member *)b)->network);
}

/* Its attachments, by the networks' names. One whose names are not there is only announced: its own ADD, which comes after us, will see to it. */
static int attachments_of(struct cni_call *c, const struct member *r, struct list *out)
{
	struct list all = { 0 };
	int bad = members_of(c, r->container, &all);

	for_list (const struct member, a, &all) {
		struct member *slot;
		int there = bad == 0 && member_is_same(a, r) ? hosts_are_there(c, a) : 0;

		bad = first_failure(bad, there < 0 ? there : 0);
		if (there != 1)
			continue;
		slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
		if (!slot)
			return err_nomem(&c->err, "attachments");
		*slot = *a;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(struct member), compare_records);
	return bad;
}

/* The view's name, and what its file of networks says: "" where there is one only. NULL: no memory. */
static const char *view_name(struct cni_call *c, const struct list *attachments, const char **networks)
{
	const char *name = NULL, *lines = "", *last = "";
	size_t count = 0;

	for_list (const struct member, a, attachments) {
		if (!strcmp(a->network, last))
			continue;
		if (!lines || (count && !name))
			return NULL;
		name = name ? arena_printf(&c->arena, "%s+%s", name, a->network) : a->network;
		lines = arena_printf(&c->arena, "%s%s\n", lines, a->network);
		last = a->network;
		count++;
	}
	if (!lines)
		return NULL;
	*networks = count > 1 ? lines : "";
	if (name && count > 1 && strlen(name) > VIEW_LONGEST)
		name = arena_printf(&c->arena, "%.*s~%016llx", VIEW_LONGEST - 17, name, (unsigned long long)hash_strings(name, NULL));
	return name;
}

/* ---- Coming and going ---- */

/* Under its lock, so that whoever finds it half made knows that nobody is making it. */
static int enter(struct cni_call *c, const char *view, const char *networks, const char *container)
{
	scoped(fd_close) int held = -1;
	const char *path = server_path(c, view, "networks");
	int r = server_lock(c, view, &held), there = r < 0 ? r : names_there(c, path);

	if (there < 0 || (!there && (r = names_write(c, path, networks)) < 0))
		return first_failure(there, r);
	return names_mark(c, user_path(c, view, container));
}

static int join(struct cni_call *c, const struct member *r, const char *view, const char *networks)
{
	struct member joined = *r;
	struct server s;
	int bad = 0;

	if (*networks)
		bad = enter(c, view, networks, r->container);
	if (bad < 0 || (bad = server_run(c, view, &s)) < 0)
		return bad;
	if (*networks && (bad = server_learns(c, &s, r, true)) < 0)     /* a network's own knows already */
		return bad;
	joined.view = view;
	if (strcmp(r->view, view) && (bad = member_write(c, &joined)) < 0)
		return bad;
	return steer(c, r, &s);
}

static int stop_unused(struct cni_call *c, const char *view)
{
	int used = view_is_of_several(view) ? names_has_any(c, server_path(c, view, "users")) : 1;

	return used == 0 ? server_stop(c, view) : first_failure(used, 0);
}

static int release(struct cni_call *c, const char *view, const char *container)
{
	int r = view_is_of_several(view) ? names_remove(c, user_path(c, view, container)) : 0;

	return r < 0 ? r : stop_unused(c, view);
}

/* What the server of before has been asked is answered before conversations with it are forgotten. */
static int part(struct cni_call *c, const struct member *r)
{
	struct server before;
	struct err ignored = c->err;
	bool known = server_load(c, r->view, &before) == 0;
	int bad;

	c->err = ignored;
	if (known) {
		server_drain(&before);
		steer_forget(c, r, &before, false);
	}
	bad = release(c, r->view, r->container);
	if (known)
		steer_forget(c, r, &before, access(server_path(c, r->view, "pid"), F_OK) < 0);
	return bad;
}

/* All are answered by the new server before any old one may stop, so that no question is lost. Also those that are answered by it already, by what is on
 * record: who wrote that may have died before he led them there. */
int view_settle(struct cni_call *c, const struct member *r)
{
	struct list attachments = { 0 };
	const char *view, *networks;
	int bad = attachments_of(c, r, &attachments);

	if (bad < 0 || attachments.count == 0)
		return bad;
	view = view_name(c, &attachments, &networks);
	if (!view)
		return err_nomem(&c->err, "networks");
	for_list (const struct member, a, &attachments)
		if (bad == 0)
			bad = join(c, a, view, networks);
	for_list (const struct member, a, &attachments)
		if (bad == 0 && *a->view && strcmp(a->view, view))
			bad = part(c, a);
	return bad;
}

struct leaving {
	const struct member *r;
	struct list          stay;      /* of struct member: what else the container has */
};

static int leave(struct cni_call *c, const char *view, void *arg)
{
	const struct leaving *l = arg;

	for_list (const struct member, a, &l->stay)
		if (!strcmp(a->view, view) && (strcmp(a->network, l->r->network) || strcmp(a->ifname, l->r->ifname)))
			return 0;
	return release(c, view, l->r->container);
}

/* Also a view that no record tells of: of an ADD that was killed. */
int views_leave(struct cni_call *c, const struct member *r)
{
	struct leaving l = { .r = r };
	int bad = members_of(c, r->container, &l.stay);

	return bad < 0 ? bad : views_with(c, r->network, leave, &l);
}

/* ---- GC ---- */

struct sweep {
	struct cni_call *c;
	const char      *view;
};

static int sweep_user(const char *container, void *sweep)
{
	const struct sweep *k = sweep;
	int there = names_there(k->c, arena_printf(&k->c->arena, NAMES "/containers/%s", container));

	return there == 0 ? names_remove(k->c, user_path(k->c, k->view, container)) : first_failure(there, 0);
}

static int sweep_view(struct cni_call *c, const char *view, void *arg)
{
	int r = view_is_of_several(view) ? names_each(c, server_path(c, view, "users"), sweep_user, &(struct sweep){ c, view }) : 0;

	(void)arg;
	return r < 0 ? r : stop_unused(c, view);
}

int views_sweep(struct cni_call *c, const char *network)
{
	return views_with(c, network, sweep_view, NULL);
}
