/* A container on one network is answered by that network's server. One on several is answered, on each of them, by a server that reads the names
 * of all, and of no others: the server of its view. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsname/dnsname.h"

enum { VIEW_LONGEST = 180 };

static bool is_of_several(struct cni_call *c, const char *view)
{
	return access(server_path(c, view, "networks"), F_OK) == 0;
}

/* ---- Which views there are ---- */

struct seeking {
	struct cni_call *c;
	const char      *network;
	view_fn         *each;
	void            *arg;
};

static int meet_view(const char *view, void *seeking)
{
	struct seeking *k = seeking;
	char *rest = names_read(k->c, server_path(k->c, view, "networks")), *name;

	while (rest && (name = strsep(&rest, "\n")))
		if (!strcmp(name, k->network))
			return k->each(k->c, arena_strdup(&k->c->arena, view), k->arg);
	return 0;
}

int views_with(struct cni_call *c, const char *network, view_fn *each, void *arg)
{
	int r = each(c, network, arg);

	return r != 0 ? r : names_each(NAMES "/servers", meet_view, &(struct seeking){ c, network, each, arg });
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

		if (bad < 0 || !member_is_same(a, r) || !hosts_are_there(c, a))
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
		name = name ? arena_printf(&c->arena, "%s+%s", name, a->network) : a->network;
		lines = arena_printf(&c->arena, "%s%s\n", lines, a->network);
		last = a->network;
		count++;
	}
	*networks = count > 1 ? lines : "";
	if (name && count > 1 && strlen(name) > VIEW_LONGEST)
		name = arena_printf(&c->arena, "%.*s~%016llx", VIEW_LONGEST - 17, name, (unsigned long long)hash_strings(name, NULL));
	return name;
}

/* ---- Coming and going ---- */

static int join(struct cni_call *c, const struct member *r, const char *view, const char *networks)
{
	struct member joined = *r;
	struct server s;
	int bad = 0;

	if (*networks && !is_of_several(c, view))
		bad = names_write(c, server_path(c, view, "networks"), networks);
	if (bad == 0 && *networks)
		bad = names_write(c, arena_printf(&c->arena, "%s/%s", server_path(c, view, "users"), r->container), "");
	if (bad < 0 || (bad = server_run(c, view, &s)) < 0)
		return bad;
	if (*networks && (bad = server_learns(c, &s, r, true)) < 0)     /* a network's own knows already */
		return bad;
	if ((bad = steer(c, r, &s)) < 0)
		return bad;
	joined.view = view;
	return strcmp(r->view, view) ? member_write(c, &joined) : 0;
}

int view_release(struct cni_call *c, const char *view, const char *container)
{
	if (!is_of_several(c, view))
		return 0;
	unlink(arena_printf(&c->arena, "%s/%s", server_path(c, view, "users"), container));
	return names_has_any(server_path(c, view, "users")) ? 0 : server_stop(c, view);
}

/* What the server of before has been asked is answered before conversations with it are forgotten. */
static void part(struct cni_call *c, const struct member *r)
{
	struct server before;
	struct err ignored = c->err;
	bool known = server_load(c, r->view, &before) == 0;

	c->err = ignored;
	if (known) {
		server_drain(&before);
		steer_forget(c, r, &before, false);
	}
	view_release(c, r->view, r->container);
	if (known)
		steer_forget(c, r, &before, access(server_path(c, r->view, "pid"), F_OK) < 0);
}

/* All are answered by the new server before any old one may stop, so that no question is lost. */
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
		if (bad == 0 && (strcmp(a->view, view) || !strcmp(a->network, r->network)))
			bad = join(c, a, view, networks);
	for_list (const struct member, a, &attachments)
		if (bad == 0 && *a->view && strcmp(a->view, view))
			part(c, a);
	return bad;
}

/* ---- GC ---- */

struct sweep {
	struct cni_call *c;
	const char      *view;
	struct list      gone;          /* of const char *: containers */
};

static int note_gone(const char *container, void *sweep)
{
	struct sweep *k = sweep;
	const char **slot;

	if (access(arena_printf(&k->c->arena, NAMES "/containers/%s", container), F_OK) == 0)
		return 0;
	slot = arena_push(&k->c->arena, &k->gone.items, &k->gone.count, sizeof *slot);
	if (slot)
		*slot = arena_strdup(&k->c->arena, container);
	return slot && *slot ? 0 : -ENOMEM;
}

static int sweep_view(struct cni_call *c, const char *view, void *arg)
{
	struct sweep k = { c, view, { 0 } };

	(void)arg;
	names_each(server_path(c, view, "users"), note_gone, &k);
	for_list (const char *, container, &k.gone)
		view_release(c, view, *container);
	return 0;
}

void views_sweep(struct cni_call *c, const char *network)
{
	views_with(c, network, sweep_view, NULL);
}
