/* plumb gc: removes what attachments left behind that are no more. (How libcni does it: GCNetworkList.) */
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "chain.h"
#include "cni/self.h"
#include "cni/version.h"
#include "gc.h"
#include "invoke.h"
#include "lock.h"
#include "runs.h"
#include "sandbox.h"

struct sweep {
	const struct network *network;
	json_t *valid;                  /* what plugins are told: {"containerID", "ifname"} */
	json_t *removed, *errors;       /* removed: with --dry-run, what would be */
	bool    quiet;                  /* no JSON of its own: it is a part of another command */
	int     code;                   /* to exit with: that of the first error */
};

static json_t *attachment_json(const char *container, const char *ifname)
{
	return json_pack("{s:s, s:s}", "containerID", container, "ifname", ifname);
}

/* Told at once, and the work goes on. */
static void note_trouble(struct call *c, struct sweep *s)
{
	trouble_tell(c, &c->trouble);
	json_array_append_new(s->errors, trouble_json(c, &c->trouble));
	if (s->code == EXIT_DONE)
		s->code = trouble_exit(&c->trouble);
	c->trouble = (struct trouble){ 0 };
}

/* Why it is to go, or NULL. --valid and --all decide for those who know; without, it is whether the namespace is there. */
static const char *why_stale(struct call *c, const struct cached *a)
{
	const struct endpoint *e = &a->endpoint;

	if (c->opt.all)
		return "--all";
	if (c->opt.valid.count == 0)
		return a->unfinished ? "its ADD was cut off" : attachment_fault(c, e);
	for_list (const struct named_attachment, v, &c->opt.valid)
		if (!strcmp(v->container, e->container) && !strcmp(v->ifname, e->ifname))
			return NULL;
	return "it is not among those of --valid";
}

static int sweep_one(struct call *c, const struct cached *a, void *arg)
{
	struct sweep *s = arg;
	const struct endpoint *e = &a->endpoint;
	const char *why = why_stale(c, a);
	bool abandoned = sandbox_abandoned(e->netns, e->container);
	struct endpoint ours = *e;
	struct cached other;

	if (!why) {
		if (c->opt.valid.count == 0)
			json_array_append_new(s->valid, attachment_json(e->container, e->ifname));
		return 0;
	}
	if (c->opt.dry_run) {
		json_array_append_new(s->removed, attachment_json(e->container, e->ifname));
		if (!c->opt.json)
			printf("%s: would remove %s (%s): %s\n", s->network->name, e->container, e->ifname, why);
		return 0;
	}
	if (a->unfinished && attachment_holder(c, a->network, e, &other) != 0)
		ours.netns = "";        /* it never had the interface of its name, which is another's now */
	if (attachment_del(c, s->network->name, s->network, &ours, false) < 0) {
		err_detail(&c->trouble.err, "container %s (%s)", e->container, e->ifname);
		note_trouble(c, s);
		return 0;
	}
	if (abandoned)
		sandbox_discard(e->netns);
	json_array_append_new(s->removed, attachment_json(e->container, e->ifname));
	if (!c->opt.json)
		printf("%s: removed %s (%s): %s\n", s->network->name, e->container, e->ifname, why);
	return 0;
}

/* A plugin that does not know dryRun would not only tell. */
static bool is_asked(struct call *c, const json_t *plugin)
{
	struct trouble ignored = { 0 };
	const char *path = c->opt.dry_run ? plugin_find_file(c, plugin_type(plugin), &ignored) : NULL;

	if (!path || self_is_plumb(path))
		return true;
	fprintf(stderr, "plumb: gc: %s is not asked what it would remove: it is not of plumb, and would remove it\n", path);
	return false;
}

/* GC came with CNI 1.1.0. Every plugin is asked, whatever the others answered. */
static void ask_plugins(struct call *c, struct sweep *s)
{
	const struct network *n = s->network;

	if (!version_at_least(n->version, "1.1.0")) {
		fprintf(stderr, "plumb: gc: network %s has cniVersion %s: its plugins are not asked to collect, which needs 1.1.0\n", n->name,
		        n->version);
		return;
	}
	for (size_t i = 0; i < json_array_size(n->plugins); i++)
		if (is_asked(c, json_array_get(n->plugins, i)) && chain_ask(c, n, i, s->valid, &c->trouble) < 0)
			note_trouble(c, s);
}

static void take_given(struct call *c, struct sweep *s)
{
	for_list (const struct named_attachment, v, &c->opt.valid)
		json_array_append_new(s->valid, attachment_json(v->container, v->ifname));
}

static void tell(struct call *c, const struct sweep *s)
{
	scoped(json_put) json_t *j = NULL;

	if (c->opt.json) {
		j = json_pack("{s:s, s:O, s:O, s:O}", "network", s->network->name, c->opt.dry_run ? "wouldRemove" : "removed", s->removed,
		              "valid", s->valid, "errors", s->errors);
		print_json(j);
	} else if (c->opt.dry_run) {
		printf("%s: nothing was removed (--dry-run)\n", s->network->name);
	}
}

static int sweep(struct call *c, struct sweep *s)
{
	int r = lock_all(c);

	if (r < 0)
		return r;
	take_given(c, s);
	r = cache_each(c, s->network->name, sweep_one, s);
	if (r < 0)
		return r;       /* the list of the valid is not known: plugins must not take it for whole */
	fflush(stdout);                 /* what plugins say comes behind it */
	ask_plugins(c, s);
	if (!c->opt.dry_run) {
		cache_sweep(c);
		sandbox_sweep(c);
	}
	if (!s->quiet)
		tell(c, s);
	return s->code;
}

/* The network as one of its records has it. Others may have been made by other configurations: those are detached by theirs. */
static int take_network(struct call *c, const struct cached *a, void *out)
{
	struct err ignored = { 0 };

	return a->config && network_read(c, a->config, a->path, out, &ignored) == 0 && !strcmp(((struct network *)out)->name, a->network);
}

static int find(struct call *c, struct network *out)
{
	int r = network_find(c, c->subject, out);
	struct trouble why = c->trouble;

	if (r == 0 || why.exit != EXIT_NO_NETWORK)
		return r;
	c->trouble = (struct trouble){ 0 };
	if (cache_each(c, c->subject, take_network, out) == 1) {
		fprintf(stderr, "plumb: gc %s: %s; going by the records of its attachments\n", c->subject, why.err.msg);
		return 0;
	}
	c->trouble = why;
	return r;
}

static int collect(struct call *c, bool quiet)
{
	struct network n;
	struct sweep s = { .network = &n, .quiet = quiet };
	int r;

	if ((r = find(c, &n)) < 0)
		return r;
	if (n.disable_gc) {
		fprintf(stderr, "plumb: gc %s: switched off by disableGC\n", n.name);
		return EXIT_DONE;
	}
	s.valid = call_keep(c, json_array());
	s.removed = call_keep(c, json_array());
	s.errors = call_keep(c, json_array());
	r = sweep(c, &s);
	lock_release(c);
	if (!c->opt.dry_run)
		runs_mend(c);
	return r;
}

int gc_run(struct call *c)
{
	return collect(c, false);
}

int gc_network(struct call *c, const char *name)
{
	const char *before = c->subject;
	int r;

	c->subject = name;
	r = collect(c, true);
	lock_release(c);
	c->subject = before;
	return r;
}
