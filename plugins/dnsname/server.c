/* Name servers: dnsmasq, one for each view that somebody needs, in the host's namespace. What it is told is its command line, whole, so that the
 * line of a running one says whether it is what is wanted; names are files that it watches. It runs under a user of its own, with no capability,
 * and may gain none. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/trace.h"
#include "dnsname/dnsname.h"
#include "os/file.h"

enum { START_MS = 20 * 1000, LEARN_MS = 3000, ASK_MS = 500 };

int server_lock(struct cni_call *c, const char *view, int *out)
{
	return names_lock(c, server_path(c, view, "lock"), out);
}

/* ---- Loading: its networks and its port ---- */

static int add_network(struct cni_call *c, struct server *s, const char *name)
{
	struct network n, *slot;
	int r = network_recall(c, name, &n);

	if (r < 0)
		return r;
	if (r == 0)
		return err_set(&c->err, CNI_FAILED, -ENOENT, "network %s: what is known of it for its name server is missing in " NAMES "/networks/%s", name, name);
	slot = arena_push(&c->arena, &s->networks.items, &s->networks.count, sizeof *slot);
	if (!slot)
		return err_nomem(&c->err, "networks");
	*slot = n;
	return 0;
}

/* A server of one network has no file that says so. */
static int load_networks(struct cni_call *c, struct server *s)
{
	const char *path = server_path(c, s->view, "networks");
	char *rest, *name;
	int r;

	if (!view_is_of_several(s->view))
		return add_network(c, s, s->view);
	r = names_read(c, path, &rest);
	if (r == 0)
		return err_set(&c->err, CNI_FAILED, -ENOENT, "name server of %s: of which networks it is is missing: %s", s->view, path);
	r = first_failure(r, 0);
	while (r == 0 && (name = strsep(&rest, "\n")))
		r = *name ? add_network(c, s, name) : 0;
	return r;
}

int server_load(struct cni_call *c, const char *view, struct server *out)
{
	int r;

	*out = (struct server){ .view = view };
	if ((r = load_networks(c, out)) < 0 || (r = port_read(c, view, &out->port)) < 0)
		return r;
	return 0;
}

/* ---- Starting ---- */

/* As a unit of its own a server outlives the runtime's service. Only where the system's namespaces are ours. */
static bool can_be_unit(void)
{
	return access("/run/systemd/system", F_OK) == 0 && file_is_same("/proc/1/ns/net", "/proc/self/ns/net") &&
	       file_is_same("/proc/1/ns/mnt", "/proc/self/ns/mnt");
}

static int run_as_unit(struct cni_call *c, const struct server *s, char *const *argv)
{
	static const char *const properties[] = {
		"NoNewPrivileges=yes", "CapabilityBoundingSet=CAP_SETUID CAP_SETGID", "ProtectSystem=strict", ("ReadWritePaths=" NAMES),
		"ProtectHome=yes", "PrivateDevices=yes", "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectControlGroups=yes",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX", "RestrictNamespaces=yes", "MemoryDenyWriteExecute=yes", "LockPersonality=yes",
	};
	const char *program = tool_find(c, "systemd-run");
	struct words w = { .c = c };
	struct err ignored = { 0 };
	char *unit = arena_strdup(&c->arena, s->view);

	for (char *u = unit; u && *u; u++)
		if (*u == '+' || *u == '~')
			*u = ':';
	if (!program || !unit)
		return -ENOENT;
	word(&w, "%s", program);
	word(&w, "--quiet");
	word(&w, "--collect");
	word(&w, "--unit=plumb-names-%s", unit);
	word(&w, "--description=Names of containers on %s", s->view);
	word(&w, "--service-type=forking");
	word(&w, "--property=PIDFile=%s", server_path(c, s->view, "pid"));
	for (size_t i = 0; i < ARRAY_LEN(properties); i++)
		word(&w, "--property=%s", properties[i]);
	word(&w, "--");
	for (; *argv; argv++)
		word(&w, "%s", *argv);
	return tool_run(words_argv(&w), START_MS, &ignored);
}

static int start(struct cni_call *c, const struct server *s, char *const *argv)
{
	scoped(trace_end) struct trace_span span = trace_begin("name server");
	struct err why = { 0 };
	int r = server_write_dotted(c, s);

	if (r < 0)
		return r;
	if (can_be_unit() && run_as_unit(c, s, argv) == 0)
		return 0;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);         /* for what we start from here on, too, which needs none */
	r = tool_run(argv, START_MS, &why);
	if (r < 0) {
		err_set(&c->err, CNI_FAILED, r, "starting the name server of %s: %.300s", s->view, why.msg);
		err_detail(&c->err, "it was to listen on port %u of the network's addresses, with the names of " NAMES "/networks", s->port);
	}
	return r;
}

/* ---- Stopping ---- */

/* What it is known by goes last. */
static int remove_files(struct cni_call *c, const char *view)
{
	static const char *const files[] = { "pid", "port", "dotted" }, *const last[] = { "networks", "lock" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && r == 0; i++)
		r = names_remove(c, server_path(c, view, files[i]));
	if (r == 0)
		r = names_remove_dir(c, server_path(c, view, "users"));
	for (size_t i = 0; i < ARRAY_LEN(last) && r == 0; i++)
		r = names_remove(c, server_path(c, view, last[i]));
	return r < 0 ? r : names_remove_dir(c, server_path(c, view, ""));
}

static int stop(struct cni_call *c, const char *view)
{
	const struct err before = c->err;
	struct network n;
	int r = view_is_of_several(view) ? 0 : network_recall(c, view, &n);

	if (r == -EBADMSG)              /* what it says of the host's resolver is lost, and no reason to stay */
		c->err = before;
	else if (r < 0)
		return r;
	if (r == 1)
		resolved_forget(c, n.link);
	r = process_end(c, view);
	return r < 0 ? r : remove_files(c, view);
}

int server_stop(struct cni_call *c, const char *view)
{
	scoped(fd_close) int held = -1;
	int r = server_lock(c, view, &held);

	return r < 0 ? r : stop(c, view);
}

int server_stop_nameless(struct cni_call *c, const char *view)
{
	scoped(fd_close) int held = -1;
	int r = server_lock(c, view, &held), named = r < 0 ? r : names_there(c, server_path(c, view, "networks"));

	return named == 0 ? stop(c, view) : first_failure(named, 0);
}

/* ---- Running as it should ---- */

static const struct addr *asked_at(const struct server *s)
{
	const struct prefix *p = server_network(s, 0)->addresses.items;

	return p ? &p->addr : NULL;
}

static int start_anew(struct cni_call *c, const struct server *s, char *const *argv)
{
	int r;

	if ((r = process_end(c, s->view)) < 0)
		return r;
	r = start(c, s, argv);
	if (r == 0 && s->networks.count == 1)
		resolved_route(c, s);
	return r;
}

/* What it is to be told is read under its lock, so that whoever comes last tells it the newest. */
int server_run(struct cni_call *c, const char *view, struct server *out)
{
	scoped(fd_close) int held = -1;
	char **argv;
	int r = server_lock(c, view, &held);

	if (r < 0 || (r = server_load(c, view, out)) < 0 || (!out->port && (r = port_choose(c, out)) < 0) || (r = server_command(c, out, &argv)) < 0)
		return r;
	r = process_obeys(c, view, argv);
	if (r == 0)
		return start_anew(c, out, argv);
	return r < 0 ? r : 0;
}

/* A little longer each time, up to 10 ms: it learns of a file within a fraction of one. */
static void wait_a_little(int tries)
{
	struct timespec t = { .tv_nsec = (tries < 7 ? 100000l << tries : 10000000l) };

	nanosleep(&t, NULL);
}

/* 0; -ETIMEDOUT: it does not answer; -EAGAIN: it answers, and has not learned. */
static int learns(const struct server *s, const struct member *r, bool there, int ms)
{
	uint64_t end = trace_now() + ms * 1000000ull;
	const struct addr *at = asked_at(s), *address = r->addresses.items;
	int got;

	for (int tries = 0;; tries++) {
		got = at && address ? ask_address(at, s->port, r->probe, address, ASK_MS) : -EINVAL;
		if (got == there)
			return 0;
		if (trace_now() > end)
			return got < 0 ? -ETIMEDOUT : -EAGAIN;
		wait_a_little(tries);
	}
}

void server_drain(const struct server *s)
{
	if (s->port && asked_at(s))
		ask_address(asked_at(s), s->port, "_", asked_at(s), ASK_MS);
}

int server_learns(struct cni_call *c, const struct server *s, const struct member *r, bool there)
{
	scoped(trace_end) struct trace_span span = trace_begin("names known");
	char text[ADDR_TEXT], **argv;
	scoped(fd_close) int held = -1;
	int bad = learns(s, r, there, LEARN_MS);

	/* another call may have seen to it meanwhile */
	if (bad < 0 && c->verb != VERB_CHECK && server_lock(c, s->view, &held) == 0 && (bad = learns(s, r, there, ASK_MS)) < 0)
		if (server_command(c, s, &argv) == 0 && start_anew(c, s, argv) == 0)
			bad = learns(s, r, there, LEARN_MS);
	if (bad == 0 || c->err.code)
		return bad;
	err_set(&c->err, CNI_FAILED, bad, "name server of %s: %s", s->view, bad == -ETIMEDOUT ? "does not answer" : "does not know what it should");
	err_detail(&c->err, "it was asked at %s, port %u, for %s", asked_at(s) ? addr_text(asked_at(s), text) : "no address", s->port, r->probe);
	return bad;
}

int server_tell_dotted(struct cni_call *c, const struct server *s)
{
	scoped(fd_close) int held = -1;
	int r = server_lock(c, s->view, &held);

	/* also when it is written already: who has written it may have died before he could tell */
	return r < 0 || (r = server_write_dotted(c, s)) < 0 ? r : process_tell(c, s->view);
}
