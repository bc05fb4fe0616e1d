/* plumb run: a command in a network namespace of its own, attached to networks for as long as it runs; with hosts, resolv.conf and a host name of
 * its own, and nothing more: it is no container. What it leaves on record is in runs.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "attachments.h"
#include "command.h"
#include "lock.h"
#include "resolv.h"
#include "runs.h"
#include "sandbox.h"
#include "signals.h"

struct joined {
	struct network  network;
	struct endpoint endpoint;
	bool            attached;
};

struct run {
	struct run_record record;
	int            lock;            /* on the record's folder; -1: not yet ours */
	struct sandbox sandbox;
	struct list    networks;        /* of struct joined */
	json_t        *results;         /* of the attached, in order; the call's */
	const char    *resolv, *hosts;  /* files to stand in for those of /etc; NULL: none */
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
	if (special && !strcmp(special, "host") && (o->detach || o->name || o->hostname || o->dns.count || o->add_hosts.count || o->aliases.count))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL,
		                   "--network host runs the command as it is: without a name, a record, or files of its own");
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
		.container = run->record.id, .netns = run->sandbox.path, .ifname = arena_printf(&c->arena, "eth%zu", index), .name = c->opt.name,
	};
	if (j != publisher(run))
		c->opt.ports = (struct list){ 0 };
	r = endpoint_wish(c, &j->network, &j->endpoint);
	c->opt.ports = ports;
	if (r < 0 || (r = lock_container(c, run->record.id)) < 0)
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

/* Files stand in for those that are there; a distribution without one has nothing to be covered. */
static const char *stand_in(struct call *c, const struct run *run, const char *name)
{
	const char *path = arena_printf(&c->arena, "/etc/%s", name);

	if (path && access(path, F_OK) == 0)
		return arena_printf(&c->arena, "%s/%s", run->record.dir, name);
	fprintf(stderr, "plumb: run: no /etc/%s to stand in for: the command has none\n", name);
	return NULL;
}

static int write_files(struct call *c, struct run *run)
{
	const char *resolv = arena_printf(&c->arena, "%s/resolv.conf", run->record.dir);
	int r = resolv ? resolv_write(c, run->results, resolv) : err_nomem(&c->trouble.err, "resolv.conf");

	if (r > 0)
		run->resolv = stand_in(c, run, "resolv.conf");
	if (r < 0)
		return r;
	r = run_hosts_write(c, &run->record);
	if (r < 0)
		return err_sys(&c->trouble.err, CNI_IO, r, "%s/hosts", run->record.dir);
	run->hosts = stand_in(c, run, "hosts");
	return 0;
}

/* The record says from the first moment on who keeps it. */
static int claim(struct call *c, struct run *run)
{
	run->record.keeper = getpid();
	run->record.keeper_start = process_start(run->record.keeper);
	run->lock = run_claim(c, &run->record);
	return run->lock < 0 ? run->lock : run_write(c, &run->record);
}

static int set_up(struct call *c, struct run *run)
{
	size_t index = 0;
	int r = claim(c, run);

	if (r == 0)
		r = sandbox_make(c, run->record.id, &run->sandbox);
	for_list (struct joined, j, &run->networks)
		if (r == 0 && (r = attach(c, run, j, index++)) == 0)
			r = interrupted();
	if (r != 0 || (r = write_files(c, run)) < 0)
		return r;
	return interrupted();
}

/* ---- Down ---- */

static void detach(struct call *c, const char *network, const struct network *n, const struct endpoint *e)
{
	struct trouble before = c->trouble;

	c->trouble = (struct trouble){ 0 };
	c->subject = network;
	if (lock_container(c, e->container) < 0)
		trouble_tell(c, &c->trouble);
	c->trouble = before;
	attachment_clear(c, network, n, e);
	lock_release(c);
}

static bool is_joined(const struct run *run, const struct cached *a)
{
	for_list (const struct joined, j, &run->networks)
		if (j->attached && !strcmp(j->network.name, a->network) && !strcmp(j->endpoint.ifname, a->endpoint.ifname))
			return true;
	return false;
}

/* What plumb network connect has added meanwhile. */
static void detach_connected(struct call *c, const struct run *run)
{
	struct trouble before = c->trouble;
	struct list attached;

	c->trouble = (struct trouble){ 0 };
	if (run->sandbox.path && attachments_of(c, NULL, &attached) == 0)
		for_list (const struct cached, a, &attached)
			if (!strcmp(a->endpoint.container, run->record.id) && !strcmp(a->endpoint.netns, run->sandbox.path) &&
			    !a->unfinished && !is_joined(run, a))
				detach(c, a->network, NULL, &a->endpoint);
	c->trouble = before;
}

/* What is kept of one with -d and without --rm, for plumb ps -a and plumb logs. */
static void settle_record(struct call *c, struct run *run, int code)
{
	struct trouble before = c->trouble;

	if (!c->opt.detach || c->opt.rm || code < 0) {
		run_forget(c, &run->record);
		return;
	}
	c->trouble = (struct trouble){ 0 };
	run->record.pid = 0;
	run->record.ended = time(NULL);
	run->record.exit_code = code;
	if (run_write(c, &run->record) < 0)
		trouble_tell(c, &c->trouble);
	c->trouble = before;
}

/* Whatever happened. What cannot be removed is told, and plumb gc finds it by the cache. */
static void take_down(struct call *c, struct run *run, int code)
{
	struct joined *all = run->networks.items;

	signals_finish();
	detach_connected(c, run);
	for (size_t i = run->networks.count; i-- > 0;)
		if (all[i].attached)
			detach(c, all[i].network.name, &all[i].network, &all[i].endpoint);
	sandbox_remove(&run->sandbox);
	if (run->lock >= 0)
		settle_record(c, run, code);
	fd_close(&run->lock);
}

/* ---- Running ---- */

/* Its exit code, or negative. */
static int run_command(struct call *c, struct run *run, int (*started)(struct call *c, int told), int told)
{
	const struct command cmd = {
		.argv = c->opt.operands, .netns = run->sandbox.fd, .resolv = run->resolv, .hosts = run->hosts, .hostname = run->record.hostname,
	};
	pid_t pid;
	int r = command_start(c, &cmd, &pid);

	if (r < 0)
		return r;
	run->record.pid = pid;
	run->record.pid_start = process_start(pid);
	if (run_write(c, &run->record) < 0)             /* others will not find it; the command runs */
		trouble_pass(c);
	if (started)
		started(c, told);
	return command_attend(pid);
}

static int run_here(struct call *c, struct run *run)
{
	const char *subject;
	int r = set_up(c, run);

	if (r == 0)
		r = run_command(c, run, NULL, -1);
	subject = c->subject;
	take_down(c, run, r);
	c->subject = subject;
	return r;
}

/* ---- Behind ---- */

/* What the keeper tells whoever started it. */
struct outcome {
	int            code;            /* 0: the command runs; else what plumb run is to return */
	struct trouble trouble;
};

static int tell_outcome(int fd, int code, const struct trouble *t)
{
	struct outcome o = { .code = code, .trouble = *t };
	ssize_t n = write(fd, &o, sizeof o);

	close(fd);
	return n == sizeof o ? 0 : -EIO;
}

static int tell_started(struct call *c, int told)
{
	(void)c;
	return tell_outcome(told, 0, &(struct trouble){ 0 });
}

/* A session of its own; what it prints, and what the command does, goes to the log. */
static int leave_terminal(struct call *c, const struct run *run)
{
	const char *path = arena_printf(&c->arena, "%s/log", run->record.dir);
	scoped(fd_close) int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	scoped(fd_close) int out = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	setsid();
	if (in < 0 || out < 0)
		return err_sys(&c->trouble.err, CNI_IO, -errno, "%s", in < 0 ? "/dev/null" : path ? path : "log");
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
		return err_sys(&c->trouble.err, CNI_IO, -errno, "%s", path);
	return 0;
}

/* The keeper: holds the record's lock, and takes all down at the end. */
static void keep(struct call *c, struct run *run, int told)
{
	struct trouble why;
	int r = leave_terminal(c, run);

	run->record.keeper = getpid();
	run->record.keeper_start = process_start(run->record.keeper);
	if (r == 0)
		r = run_command(c, run, tell_started, told);
	why = c->trouble;
	take_down(c, run, r);
	if (r < 0)
		tell_outcome(told, r, &why);
	fflush(stdout);
	_exit(0);
}

static int hand_over(struct call *c, struct run *run)
{
	scoped(fd_close) int in = -1;
	struct outcome o;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		n = -errno;
		take_down(c, run, -1);
		return err_sys(&c->trouble.err, CNI_FAILED, (int)n, "a keeper");
	}
	if (pid == 0) {
		close(fds[0]);
		keep(c, run, fds[1]);
	}
	close(fds[1]);
	in = fds[0];
	do
		n = read(in, &o, sizeof o);
	while (n < 0 && errno == EINTR);
	if (n != sizeof o)
		return trouble_set(&c->trouble, EXIT_FAILED, -EPIPE, "the keeper was killed before the command had started");
	c->trouble = o.trouble;
	if (o.code == 0)
		puts(run->record.name);
	return o.code;
}

static int run_behind(struct call *c, struct run *run)
{
	int r = set_up(c, run);

	if (r == 0)
		return hand_over(c, run);
	take_down(c, run, -1);
	return r;
}

/* ---- What is on record ---- */

static json_t *words_json(struct call *c, char **words)
{
	json_t *list = call_keep(c, json_array());

	for (; *words; words++) {
		char *word = arena_strdup(&c->arena, *words);

		if (word)
			utf8_mend(word);
		json_array_append_new(list, json_string(word ? word : ""));
	}
	return list;
}

static void note_names(struct call *c, struct run_record *r)
{
	r->aliases = call_keep(c, json_array());
	r->hosts = call_keep(c, json_array());
	for_list (const char *, alias, &c->opt.aliases)
		json_array_append_new(r->aliases, json_string(*alias));
	for_list (const struct pair, host, &c->opt.add_hosts)
		json_array_append_new(r->hosts, json_pack("[s, s]", host->key, host->value));
}

/* Without a name it is called by its id, without an id by its name. */
static int describe(struct call *c, struct run_record *r)
{
	const struct options *o = &c->opt;
	const char *id = o->id ? o->id : o->name ? o->name : sandbox_new_id(c);

	if (!id)
		return err_nomem(&c->trouble.err, "an id");
	*r = (struct run_record){
		.id = id, .name = o->name ? o->name : id, .netns = sandbox_path(c, id), .created = time(NULL), .detached = o->detach,
		.command = words_json(c, o->operands),
	};
	r->hostname = o->hostname ? o->hostname : arena_printf(&c->arena, "%.63s", r->name);
	note_names(c, r);
	return r->netns && r->hostname ? 0 : err_nomem(&c->trouble.err, "a record");
}

int run_run(struct call *c)
{
	struct run run = { .sandbox.fd = -1, .lock = -1 };
	int r = check_options(c);

	if (r < 0)
		return r;
	if (names(&c->opt, "host"))
		return command_become(c, c->opt.operands);
	run.results = call_keep(c, json_array());
	if ((r = describe(c, &run.record)) < 0 || (r = find_networks(c, &run)) < 0)
		return r;
	r = signals_catch();
	if (r < 0)
		return err_sys(&c->trouble.err, CNI_FAILED, r, "catching signals");
	return c->opt.detach ? run_behind(c, &run) : run_here(c, &run);
}
