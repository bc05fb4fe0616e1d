/* plumb run: a command in a network namespace of its own, attached to networks for as long as it runs. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "command.h"
#include "lock.h"
#include "resolv.h"
#include "sandbox.h"
#include "signals.h"

struct joined {
	struct network  network;
	struct endpoint endpoint;
	bool            attached;
};

struct run {
	const char    *id;
	struct sandbox sandbox;
	struct list    networks;        /* of struct joined */
	json_t        *results;         /* of the attached, in order; the call's */
	const char    *resolv;
};

static bool names(const struct options *o, const char *special)
{
	for_list (const char *, name, &o->networks)
		if (!strcmp(*name, special))
			return true;
	return false;
}

static bool has_wishes(const struct options *o)
{
	return o->ports.count || o->ips.count || o->mac;
}

static int check_options(struct call *c)
{
	const struct options *o = &c->opt;
	const char *special = names(o, "host") ? "host" : names(o, "none") ? "none" : NULL;

	if (special && o->networks.count > 1)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--network %s goes with no other network", special);
	if (special && has_wishes(o))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--publish, --ip and --mac: --network %s has no plugins to do it", special);
	if (o->networks.count > 1 && (o->ips.count || o->mac))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--ip and --mac go with one network, not with several");
	return 0;
}

/* ---- Which networks ---- */

static int join(struct call *c, struct run *run, const char *name)
{
	struct joined *j = arena_push(&c->arena, &run->networks.items, &run->networks.count, sizeof *j);

	if (!j)
		return err_nomem(&c->trouble.err, "networks");
	c->subject = name;
	return network_find(c, name, &j->network);
}

static int find_networks(struct call *c, struct run *run)
{
	const struct options *o = &c->opt;
	int r = 0;

	if (o->networks.count == 0)
		return join(c, run, NULL);
	for_list (const char *, name, &o->networks)
		if (r == 0 && strcmp(*name, "none"))
			r = join(c, run, *name);
	return r;
}

/* A port has one owner: the first network that publishes ports. Where none does, the first one says so. */
static const struct joined *publisher(const struct run *run)
{
	for_list (const struct joined, j, &run->networks)
		if (network_declares(&j->network, "portMappings"))
			return j;
	return run->networks.items;
}

/* ---- Up ---- */

static int attach(struct call *c, struct run *run, struct joined *j, size_t index)
{
	struct list ports = c->opt.ports;
	json_t *result;
	int r;

	c->subject = j->network.name;
	j->endpoint = (struct endpoint){
		.container = run->id, .netns = run->sandbox.path, .ifname = arena_printf(&c->arena, "eth%zu", index),
	};
	if (j != publisher(run))
		c->opt.ports = (struct list){ 0 };
	r = endpoint_wish(c, &j->network, &j->endpoint);
	c->opt.ports = ports;
	if (r < 0 || (r = lock_container(c, run->id)) < 0)
		return r;
	r = attachment_add(c, &j->network, &j->endpoint, &result);
	lock_release(c);
	if (r < 0)
		return r;
	j->attached = true;
	json_array_append(run->results, result);
	return 0;
}

/* A signal that ends us while we are at it: the code to end with, or 0. */
static int interrupted(void)
{
	struct caught signal;

	while (signals_next(&signal, false))
		if (signal.number != SIGCHLD)
			return 128 + signal.number;
	return 0;
}

static int set_up(struct call *c, struct run *run)
{
	size_t index = 0;
	int r = sandbox_make(c, run->id, &run->sandbox);

	for_list (struct joined, j, &run->networks)
		if (r == 0 && (r = attach(c, run, j, index++)) == 0)
			r = interrupted();
	if (r != 0)
		return r;
	run->resolv = resolv_write(c, run->results);
	if (run->resolv && access("/etc/resolv.conf", F_OK) < 0) {
		fputs("plumb: run: no /etc/resolv.conf to stand in for: the networks' DNS is left out\n", stderr);
		unlink(run->resolv);
		run->resolv = NULL;
	}
	return c->trouble.err.code ? -EIO : interrupted();
}

/* ---- Down ---- */

/* Whatever happened. What cannot be removed is told, and plumb gc finds it by the cache. */
static void take_down(struct call *c, struct run *run)
{
	struct joined *all = run->networks.items;

	signals_finish();
	for (size_t i = run->networks.count; i-- > 0;) {
		struct trouble before = c->trouble;

		if (!all[i].attached)
			continue;
		c->trouble = (struct trouble){ 0 };
		c->subject = all[i].network.name;
		if (lock_container(c, run->id) < 0)
			trouble_tell(c, &c->trouble);
		c->trouble = before;
		attachment_clear(c, all[i].network.name, &all[i].network, &all[i].endpoint);
		lock_release(c);
	}
	if (run->resolv)
		unlink(run->resolv);
	sandbox_remove(&run->sandbox);
}

static int run_attached(struct call *c, struct run *run)
{
	const char *subject;
	int r = set_up(c, run);

	if (r == 0)
		r = command_run(c, &(struct command){ .argv = c->opt.operands, .netns = run->sandbox.fd, .resolv = run->resolv });
	subject = c->subject;
	take_down(c, run);
	c->subject = subject;
	return r;
}

int run_run(struct call *c)
{
	struct run run = { .sandbox.fd = -1 };
	int r = check_options(c);

	if (r < 0)
		return r;
	if (names(&c->opt, "host"))
		return command_become(c, c->opt.operands);
	run.id = c->opt.id ? c->opt.id : sandbox_new_id(c);
	run.results = call_keep(c, json_array());
	if (!run.id)
		return err_nomem(&c->trouble.err, "an id");
	if ((r = find_networks(c, &run)) < 0)
		return r;
	r = signals_catch();
	return r < 0 ? err_sys(&c->trouble.err, CNI_FAILED, r, "catching signals") : run_attached(c, &run);
}
