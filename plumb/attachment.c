#include "attachment.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "chain.h"
#include "cni/version.h"
#include "os/netns.h"
#include "sandbox.h"

/* ---- What is there ---- */

const char *attachment_fault(struct call *c, const struct endpoint *e)
{
	struct err why = { 0 };
	scoped(fd_close) int fd = -1;

	if (!*e->netns)
		return NULL;
	fd = netns_open(e->netns, &why);
	if (fd == -ENOENT || fd == -EINVAL)
		return arena_printf(&c->arena, "its namespace %s is gone", e->netns);
	return sandbox_abandoned(e->netns, e->container) ? "its plumb run was killed" : NULL;
}

/* Whether the namespace has an interface of the name: 1 or 0; negative: there is no such namespace, or we may not look. */
static int interface_exists(struct call *c, const struct endpoint *e)
{
	struct err *err = &c->trouble.err;
	scoped(fd_close) int fd = netns_open(e->netns, err);
	scoped(netns_leave) int back = fd < 0 ? fd : netns_enter(fd, err);

	return back < 0 ? back : if_nametoindex(e->ifname) != 0;
}

struct holder_search {
	const char            *network;
	const struct endpoint *endpoint;
	struct stat            netns;
	struct cached         *other;
	bool                   found, own;
};

static int is_holder(struct call *c, const struct cached *a, void *arg)
{
	struct holder_search *s = arg;
	struct stat st;

	(void)c;
	if (a->unfinished || strcmp(a->endpoint.ifname, s->endpoint->ifname) || stat(a->endpoint.netns, &st) < 0 || st.st_dev != s->netns.st_dev ||
	    st.st_ino != s->netns.st_ino)
		return 0;
	if (!strcmp(a->network, s->network) && !strcmp(a->endpoint.container, s->endpoint->container)) {
		s->own = true;
	} else {
		*s->other = *a;
		s->found = true;
	}
	return 0;
}

int attachment_holder(struct call *c, const char *network, const struct endpoint *e, struct cached *other)
{
	struct holder_search s = { .network = network, .endpoint = e, .other = other };
	int r = stat(e->netns, &s.netns) < 0 ? 0 : cache_each(c, NULL, is_holder, &s);

	return r < 0 ? r : s.found && !s.own;
}

/* The network as it was when the attachment was made; else as the configuration directory has it now. */
static int network_then(struct call *c, const struct cached *record, const char *name, struct network *out)
{
	struct err ignored = { 0 };

	if (record->config && network_read(c, record->config, record->path, out, &ignored) == 0 && !strcmp(out->name, name))
		return 0;
	return network_find(c, name, out);
}

/* The same parameters as those of ADD. (Section 3, "Checking an attachment".) The namespace is the caller's: it may have moved. */
static struct endpoint endpoint_then(const struct cached *record, const struct endpoint *now)
{
	struct endpoint e = *now;

	if (!e.cni_args)
		e.cni_args = record->endpoint.cni_args;
	if (!e.capability_args)
		e.capability_args = record->endpoint.capability_args;
	return e;
}

/* ---- ADD ---- */

/* An earlier attachment of this name: either it is there, and adding would only break it, or what is left of it goes now. */
static int clear_place(struct call *c, const struct network *n, const struct endpoint *e, bool exists)
{
	struct cached record = { 0 };
	int r = cache_read(c, n->name, e, &record);

	if (r == -ENOENT)
		return 0;
	if (r < 0 && (r != -EBADMSG || exists))
		return r;
	if (exists && !record.unfinished) {
		trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container %s is attached already, as %s in %s", e->container, e->ifname, e->netns);
		err_detail(&c->trouble.err, "detach it with plumb del, or choose another --ifname");
		return -EEXIST;
	}
	fprintf(stderr, "plumb: %s: removing what is left of an earlier attachment of %s (%s)\n", n->name, e->container, e->ifname);
	attachment_clear(c, n->name, n, r == 0 ? &record.endpoint : e);
	return 0;
}

/* DEL over the whole chain. What could not be undone stays on record for gc, unless a plugin refused to undo by the words that it
 * had refused to begin with, or is missing: it will do so for ever. */
static void undo(struct call *c, const struct network *n, const struct endpoint *ours, const json_t *prev)
{
	struct trouble again = { 0 };

	if (chain_del(c, n, ours, prev, true, &again) < 0)
		trouble_tell(c, &again);
	if (!again.err.code || !strcmp(again.err.msg, c->trouble.err.msg))
		cache_remove(c, n->name, ours);
}

int attachment_add(struct call *c, struct network *n, struct endpoint *e, json_t **result)
{
	struct endpoint ours = *e;
	int exists = interface_exists(c, e), r;

	*result = NULL;
	if (exists < 0)
		return exists;
	if ((r = chain_complete(c, n)) < 0)
		return r;
	if ((r = cache_prepare(c, n->name, e)) < 0 || (r = clear_place(c, n, e, exists)) < 0 || (exists = interface_exists(c, e)) < 0)
		return exists < 0 ? exists : r;
	if (exists)
		ours.netns = "";        /* an interface that was there before is none of ours: without a namespace plugins give back the rest */
	if ((r = cache_begin(c, n, &ours)) < 0)
		return r;
	r = chain_add(c, n, e, result);
	if (r == 0)
		r = endpoint_granted(c, e, *result);
	if (r == 0)
		r = cache_write(c, n, e, *result);
	if (r < 0)
		undo(c, n, &ours, *result);
	return r;
}

/* ---- DEL ---- */

/* prevResult came with CNI 0.4.0. One that cannot be had any more is no reason to leave things behind. */
static json_t *result_for_del(struct call *c, const struct network *n, json_t *result)
{
	struct trouble ignored = { 0 };

	return result && version_at_least(n->version, "0.4.0") ? result_in_version(c, result, n->version, &ignored) : NULL;
}

int attachment_del(struct call *c, const char *network, const struct network *n, const struct endpoint *e, bool to_the_end)
{
	struct cached record = { 0 };
	struct network then;
	struct endpoint ours;
	int r = cache_read(c, network, e, &record);

	if (r == -EBADMSG) {            /* the plugins find what is theirs by name */
		trouble_tell(c, &c->trouble);
		c->trouble = (struct trouble){ 0 };
	} else if (r < 0 && r != -ENOENT) {
		return r;
	}
	if (!n || record.config) {
		if ((r = network_then(c, &record, network, &then)) < 0)
			return r;
		n = &then;
	}
	ours = endpoint_then(&record, e);
	r = chain_del(c, n, &ours, result_for_del(c, n, record.result), to_the_end, &c->trouble);
	if (r == 0 || to_the_end)
		cache_remove(c, network, e);
	return r;
}

void attachment_clear(struct call *c, const char *network, const struct network *n, const struct endpoint *e)
{
	struct trouble before = c->trouble;

	c->trouble = (struct trouble){ 0 };
	if (attachment_del(c, network, n, e, true) < 0)
		trouble_tell(c, &c->trouble);
	c->trouble = before;
}

/* ---- CHECK ---- */

static int not_attached(struct call *c, const struct endpoint *e)
{
	trouble_set(&c->trouble, EXIT_NO_NETWORK, -ENOENT, "container %s is not attached as %s", e->container, e->ifname);
	err_detail(&c->trouble.err, "nothing of it is in %s/results", c->opt.cache_dir);
	return -ENOENT;
}

int attachment_check(struct call *c, const char *network, const struct endpoint *e)
{
	struct cached record = { 0 };
	struct endpoint ours;
	struct network n;
	json_t *prev;
	int r = cache_read(c, network, e, &record);

	if (r < 0 && r != -ENOENT)
		return r;
	if ((r = network_then(c, &record, network, &n)) < 0)
		return r;
	if (!version_at_least(n.version, "0.4.0"))
		return trouble_set(&c->trouble, EXIT_BAD_CONFIG, -ENOTSUP, "cniVersion %s has no CHECK; 0.4.0 and newer have", n.version);
	if (n.disable_check) {
		fprintf(stderr, "plumb: check %s: switched off by disableCheck\n", network);
		return 0;
	}
	if (!record.result)
		return not_attached(c, e);
	prev = result_in_version(c, record.result, n.version, &c->trouble);
	ours = endpoint_then(&record, e);
	return prev ? chain_check(c, &n, &ours, prev) : -EBADMSG;
}
