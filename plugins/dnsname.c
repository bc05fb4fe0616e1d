/* dnsname: names for the containers of a network. Chained after the plugin that made the container's interface.
 *
 * A network's name server (dnsmasq) answers at the host's addresses on it. A name is a line of a file that the server watches; ADD and DEL return
 * when it has been asked and knows. It listens on a port of its own, and nftables leads questions there: so it takes port 53 from nobody, and a
 * container on several networks is answered by a server that knows the names of all of them. spec/names.md has the whole of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cni/nftables.h"
#include "dnsname/dnsname.h"

/* ---- ADD ---- */

static int take_back(struct cni_call *c);

static int dnsname_add(struct cni_call *c)
{
	scoped(undo_run) struct undo undo = { 0 };
	scoped(locks_drop) struct locks locks = { .count = 0 };
	struct list names = { 0 }, dotted = { 0 };
	struct network network = { 0 };
	struct member mine;
	int r;

	c->result = c->prev;
	if ((r = network_describe(c, &network)) < 0 || (r = member_begin(c, &mine)) < 0 || (r = names_of(c, &names, &dotted)) < 0)
		return r;
	mine.dotted = dotted.count > 0;
	undo = undo_by(c, take_back);
	if ((r = member_announce(c, &mine)) < 0 || (r = locks_take(c, &locks)) < 0)
		return r;
	if ((r = network_join(c, &mine, &network)) < 0 || (r = network_answer(c, &network)) < 0)
		return r;
	undo_keep(&undo);
	return 0;
}

/* ---- DEL ---- */

static int is_known(struct cni_call *c)
{
	char path[NFT_RECORD_PATH];
	int r;

	if ((r = names_there(c, network_path(c, c->who.network, ""))) != 0 || (r = names_there(c, nft_record_path(c, "names", path))) != 0)
		return r;
	return names_there(c, arena_printf(&c->arena, NAMES "/containers/%s", c->who.container));
}

static int member_of_call(struct cni_call *c, struct member *out)
{
	return member_read(c, c->who.container, c->who.network, c->who.ifname, out);
}

/* Without a record, as when ADD was killed early, by the addresses of prevResult. */
static void member_guess(struct cni_call *c, struct member *out)
{
	struct err ignored = c->err;

	member_begin(c, out);
	out->probe = "";
	c->err = ignored;
}

static int dnsname_del(struct cni_call *c)
{
	scoped(locks_drop) struct locks locks = { .count = 0 };
	struct member r;
	int known = member_of_call(c, &r), bad = 0;

	if (known == 0)
		bad = takeover_names(c);
	if (known < 0 || bad < 0)
		return first_failure(known, bad);
	if ((known = is_known(c)) <= 0)
		return known;
	if ((bad = locks_take(c, &locks)) < 0 || (bad = member_of_call(c, &r)) < 0)
		return bad;
	if (!r.addresses.count)
		member_guess(c, &r);
	return network_leave(c, &r);
}

/* An ADD that has failed says why; what comes of taking it back is no news. */
static int take_back(struct cni_call *c)
{
	struct err why = c->err;
	int r;

	err_clear(&c->err);
	r = dnsname_del(c);
	c->err = why;
	return r;
}

/* ---- CHECK, STATUS ---- */

static int server_is_dead(struct cni_call *c, int code)
{
	err_set(&c->err, code, -ESRCH, "a name server of network %s does not run", c->who.network);
	err_detail(&c->err, "the next ADD or DEL on the network starts it; so does CHECK with \"repair\": true");
	return -ESRCH;
}

static int dnsname_check(struct cni_call *c)
{
	struct member r;
	struct server s;
	int bad = member_of_call(c, &r), runs;

	if (bad < 0)
		return bad;
	if (bad == 0) {
		err_set(&c->err, CNI_FAILED, -ENOENT, "container %s has no names on network %s", c->who.container, c->who.network);
		err_detail(&c->err, "DEL and ADD the attachment to mend it");
		return -ENOENT;
	}
	if ((bad = member_check(c, &r)) < 0 || (bad = hosts_check(c, &r)) < 0)
		return bad;
	if ((bad = server_load(c, *r.view ? r.view : r.network, &s)) < 0)
		return bad;
	runs = server_runs(c, &s);
	if (runs == 0 && json_is_true(json_member(c->json, "repair")))
		runs = server_run(c, s.view, &s) < 0 ? -ESRCH : 1;
	if (runs <= 0)
		return runs < 0 ? runs : server_is_dead(c, CNI_FAILED);
	if ((bad = server_learns(c, &s, &r, true)) < 0)
		return bad;
	return steer_check(c, &r, &s);
}

/* 1: it does not run. */
static int look(struct cni_call *c, const char *view, void *arg)
{
	struct server s;
	int r = server_load(c, view, &s), runs = r < 0 ? r : server_runs(c, &s);

	(void)arg;
	return runs < 0 ? runs : !runs;
}

static int dnsname_status(struct cni_call *c)
{
	int r;

	if (!tool_find(c, "dnsmasq")) {
		err_set(&c->err, CNI_UNAVAILABLE, -ENOENT, "dnsmasq, which answers for names, is not installed");
		err_detail(&c->err, "Debian: apt install dnsmasq-base; no service of it has to run");
		return -ENOENT;
	}
	r = hosts_are_left(c, c->who.network);
	if (r == 1)
		r = views_with(c, c->who.network, look, NULL);
	return r == 1 ? server_is_dead(c, CNI_LIMITED) : r;
}

/* ---- GC ---- */

static bool is_valid(const struct cni_call *c, const struct member *r)
{
	for_list (const struct valid_attachment, v, &c->net.valid)
		if (!strcmp(v->container, r->container) && !strcmp(v->ifname, r->ifname))
			return true;
	return false;
}

/* As DEL of that attachment would. */
static int collect(struct cni_call *c, const struct member *r)
{
	scoped(locks_drop) struct locks locks = { .count = 0 };
	const char *nobody = c->who.container;
	int bad;

	if (c->net.dry_run) {
		fprintf(stderr, "%s: would remove the names of container \"%s\" of network \"%s\" (%s)\n", c->plugin->name, r->container, r->network, r->ifname);
		return 0;
	}
	c->who.container = r->container;
	bad = locks_take(c, &locks);
	if (bad == 0)
		bad = network_leave(c, r);
	c->who.container = nobody;
	return bad;
}

/* What is on no record: names, and servers, of calls that were killed. */
static int tidy(struct cni_call *c)
{
	scoped(locks_drop) struct locks locks = { .count = 0 };
	int r = names_there(c, network_path(c, c->who.network, "")), left, bad;

	if (r <= 0 || (r = locks_take(c, &locks)) < 0)
		return r;
	r = hosts_sweep(c);
	r = first_failure(r, views_sweep(c, c->who.network));
	left = hosts_are_left(c, c->who.network);
	if (left != 0)
		return first_failure(r, first_failure(left, 0));
	bad = server_stop(c, c->who.network);
	return first_failure(r, bad < 0 ? bad : network_remove(c, c->who.network));
}

static int dnsname_gc(struct cni_call *c)
{
	struct list records = { 0 };
	int r = members_on(c, c->who.network, &records);

	for_list (const struct member, a, &records)
		if (!is_valid(c, a))
			r = first_failure(r, collect(c, a));
	r = first_failure(r, steer_sweep(c));
	if (c->net.dry_run)
		return r;
	r = first_failure(r, tidy(c));
	return first_failure(r, members_sweep(c));
}

CNI_PLUGIN("dnsname", .about = "names for the containers of a network", .fields = dnsname_fields, .conf_size = sizeof(struct dnsname_conf),
           .settle = dnsname_settle, .flags = PLUGIN_NEEDS_PREV | PLUGIN_NO_NETNS, .add = dnsname_add, .del = dnsname_del, .check = dnsname_check,
           .status = dnsname_status, .gc = dnsname_gc);
