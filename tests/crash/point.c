#include "point.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "at.h"
#include "calls.h"
#include "fixture.h"

static pid_t link_remover;
static int pod1;                        /* the namespace itself, whatever becomes of its path */

struct world point_world(const struct scenario *s)
{
	struct world w = world_begin(s->flow ? "pod1 pod2 lan" : "pod1 pod2");

	pod1 = world_netns("pod1");
	scenario_begin(s);
	world_settled(&w);
	return w;
}

static bool is(const char *verb, const char *other)
{
	return !strcmp(verb, other);
}

/* A verb that changes nothing. */
static bool only_reads(const char *verb)
{
	return is(verb, "CHECK") || is(verb, "STATUS") || is(verb, "VERSION");
}

static const char *at_program(void)
{
	return keep("%s/../tests/crash/at", bin_dir());
}

/* ---- The plan ---- */

static void plan_add(struct plan *plan, unsigned long n, const char *action, enum recovery by)
{
	struct point p = { .n = n, .by = by };

	snprintf(p.action, sizeof p.action, "%s", action);
	plan->points = realloc(plan->points, (plan->count + 1) * sizeof p);
	if (!plan->points)
		abort();
	plan->points[plan->count++] = p;
}

static bool has_gc(const struct scenario *s, const char *verb)
{
	return !s->host_netns && !only_reads(verb);
}

static enum recovery one_of(const struct scenario *s, const char *verb, unsigned long n)
{
	return n % 2 && has_gc(s, verb) ? BY_GC : BY_DEL;
}

/* Everybody dies: each recovery has its turn. */
static void plan_death(struct plan *plan, const struct scenario *s, const char *verb, unsigned long n, const char *action)
{
	plan_add(plan, n, action, BY_DEL);
	if (has_gc(s, verb))
		plan_add(plan, n, action, BY_GC);
}

/* A failed verb has taken everything back itself: both recoveries have to find the same, so one of them will do. */
static void plan_errors(struct plan *plan, const struct scenario *s, const char *verb, unsigned long n, const char *call)
{
	for (char *rest = keep("%s", call_errors(call)), *word; (word = strsep(&rest, " "));)
		if (*word)
			plan_add(plan, n, *word == '~' ? keep("lose:%s", word + 1) : keep("fail:%s", word), one_of(s, verb, n));
}

/* A call of a process that the attacked one has started: a delegate, a helper, under `plumb` a plugin. One may die and the other live. */
static void plan_child(struct plan *plan, const struct scenario *s, const char *verb, unsigned long n, bool returns)
{
	static const char *const befores[] = { "kill-before", "one-before", "root-before", "term-before" }, *const afters[] = { "kill-after", "one-after" };

	for (size_t i = 0; i < 4; i++)
		plan_add(plan, n, befores[i], one_of(s, verb, n + i));
	for (size_t i = 0; returns && i < 2; i++)
		plan_add(plan, n, afters[i], one_of(s, verb, n + i + 1));
}

/* The command is linked dynamically, and glibc's loader does not look whether it got its first memory. */
enum { LOADER = 2 };

/* What a plugin's own calls may answer is tried where it is attacked alone. */
static void plan_call(struct plan *plan, const struct scenario *s, const char *verb, unsigned long n, bool child, const char *call)
{
	bool returns = strcmp(call, "exit_group") && strcmp(call, "exit");

	if (!child)
		plan_death(plan, s, verb, n, "kill-before");
	if (!child && returns)
		plan_death(plan, s, verb, n, "kill-after");
	if (child)
		plan_child(plan, s, verb, n, returns);
	else if (s->command)
		plan_add(plan, n, "term-before", one_of(s, verb, n));
	if (!s->command || (!child && n > LOADER))
		plan_errors(plan, s, verb, n, call);
	if ((is(verb, "ADD") || is(verb, "DEL")) && !s->host_netns && !child)
		plan_add(plan, n, "run:ip netns del pod1", one_of(s, verb, n));
}

static struct plan plan_read(const struct scenario *s, const char *verb, const char *list)
{
	struct plan plan = { 0 };

	for (char *rest = keep("%s", list), *line; (line = strsep(&rest, "\n"));) {
		unsigned long n;
		char call[64];
		int child;

		if (sscanf(line, "%lu %d %*s %63s", &n, &child, call) == 3)
			plan_call(&plan, s, verb, n, child, call);
	}
	return plan;
}

/* ---- What comes before the verb ---- */

static struct attachment prepare(const struct scenario *s, const char *verb)
{
	struct attachment a = { .s = s, .pod = "pod1" };
	size_t all = chain_steps(s);

	if (is(verb, "ADD"))
		chain_add(&a, all - 1);
	else if (strcmp(verb, "STATUS") && strcmp(verb, "VERSION"))
		chain_add(&a, all);
	if (s->flow && is(verb, "DEL"))
		flow_begin();
	return a;
}

struct plan plan_make(const struct scenario *s, const char *verb)
{
	const char *list = "/run/calls";
	const char *at[] = { at_program(), "-l", list, NULL };
	struct attachment a = prepare(s, verb);
	struct plan plan;

	expect_ok(chain_call(&a, chain_steps(s) - 1, verb, at));
	plan = plan_read(s, verb, file_read(list));
	unlink(list);
	chain_del(&a, chain_steps(s));
	scenario_reset(s);
	return plan;
}

/* ---- What must be so ---- */

/* A name server may be started anew. What leads to it, and what it knows, must be as before. */
#define SERVER_MAY_BE_NEW "file /run/plumb/names/servers/*/pid*"

static const char *const stays[] = {
	"address pod1: lo 127.0.0.1/8", "file /var/lib/cni/networks/net*/last_reserved_ip.*", "file /run/plumb/leases/*", "file /var/lib/cni/plumb.lock*", "dir /var/lib/cni/adding",
	SERVER_MAY_BE_NEW, NULL,
};
static const char *const first_stays[] = {
	RULESET_STAYS, STORE_STAYS("net"), BRIDGE_STAYS("br0"), FORWARDING_STAYS, NAMES_STAY, NULL,
};
/* Between two looks at a living attachment: the kernel gives link-local addresses in its own time. */
static const char *const kernels_own[] = {
	"file /var/lib/cni/networks/net*/last_reserved_ip.*", "file /run/plumb/leases/*", "file /var/lib/cni/plumb.lock*", "dir /var/lib/cni/adding",
	"address *: * fe80::*", "address pod1: lo 127.0.0.1/8", SERVER_MAY_BE_NEW,
	NULL,
};
/* portmap sets hairpin mode where br_netfilter is on; it goes with the port. */
static const char *const port_is_there[] = {
	"file /var/lib/cni/networks/net*/last_reserved_ip.*", "file /run/plumb/leases/*", "address *: * fe80::*", "link host: veth* master br0 *", RULESET_STAYS, NAMES_STAY, SERVER_MAY_BE_NEW, NULL,
};
static const char *const first_kernels_own[] = {
	RULESET_STAYS, STORE_STAYS("net"), BRIDGE_STAYS("br0"), FORWARDING_STAYS, NAMES_STAY, "address *: * fe80::*", "address pod1: lo 127.0.0.1/8", NULL,
};

/* What the kernel takes its time for (a namespace's end) is waited for. */
static void expect_as(const struct snapshot *before, const char *const allowed[], const char *what)
{
	const char *difference = "";

	for (int turn = 0; turn < 100; turn++) {
		struct snapshot now = snapshot_take();

		difference = snapshot_difference(before, &now, allowed);
		if (!*difference)
			return;
		usleep(5000);
	}
	fail("%s:\n%s", what, difference);
}

static void expect_as_at_first(const struct scenario *s, struct world *w, const char *what, bool flow_may_stay)
{
	expect_as(&w->start, s->fresh ? first_stays : stays, what);
	if (s->flow && !flow_may_stay && flow_is_known())
		fail("%s: the kernel still knows of the connection through the published port", what);
}

/* An error says what is wrong: in JSON, but where stdout cannot be written, or the C library gives up before main; the command's on stderr. */
static void expect_words(const struct scenario *s, struct answer a, const char *action)
{
	bool mute = strstr(a.err, ": write of ") || strstr(a.err, "error while loading shared libraries");

	if (s->command ? !*a.err : !mute && (!json_is_integer(json_object_get(a.json, "code")) || !*json_at(a, "msg")))
		fail("%s: it fails with exit status %d and no words", action, a.status);
}

static bool was_reached(struct answer a)
{
	const char *last = NULL;

	for (const char *p = a.err; (p = strstr(p, AT_REACHED)); p++)
		last = p;
	return last && strncmp(last, AT_NOT_REACHED, strlen(AT_NOT_REACHED));
}

/* ---- One point ---- */

/* The container's namespace has come to its end: there is neither path nor link. The namespace itself is kept, and brought back empty: the kernel takes
 * long over a new one. Nobody waits for the link's end, as nobody would. */
static void netns_end(void)
{
	const char *const words[] = { "sh", "-c", "ip link del eth0; ip link del eth1", NULL };

	umount2("/run/netns/pod1", MNT_DETACH);
	unlink("/run/netns/pod1");
	link_remover = fork();
	if (link_remover == 0) {
		if (world_enter_netns(pod1) == 0 && freopen("/dev/null", "w", stderr))
			execvp(words[0], (char *const *)words);
		_exit(127);
	}
}

/* It must not find the next container's. */
static void netns_ended(void)
{
	while (link_remover > 0 && waitpid(link_remover, NULL, 0) < 0 && errno == EINTR)
		;
	link_remover = 0;
}

static void lo_down(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = world_socket("pod1", AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		fail("lo of pod1: %s", strerror(errno));
	close(fd);
}

static void netns_begin(void)
{
	int fd = open("/run/netns/pod1", O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

	if (fd < 0 || mount(keep("/proc/self/fd/%d", pod1), "/run/netns/pod1", NULL, MS_BIND, NULL) < 0)
		fail("namespace pod1: %s", strerror(errno));
	close(fd);
	lo_down();
}

/* What is to hold right after the verb, before anybody cleans up. */
static void judge(struct attachment *a, const char *verb, const struct point *p, struct answer answer, const struct snapshot *before)
{
	const struct scenario *s = a->s;
	bool failed = answer.status != 0 && answer.status != AT_KILLED;
	const char *const *allowed = a->count > 0 ? port_is_there : s->fresh ? first_kernels_own : kernels_own;

	if (failed)
		expect_words(s, answer, p->action);
	if (!strncmp(p->action, "run:", 4))             /* there is no namespace to look into */
		return;
	if (is(verb, "ADD") && failed && before->count)
		expect_as(before, allowed, "ADD failed, and has not taken everything back");
	if (is(verb, "ADD") && answer.status == 0) {
		a->results[a->count++] = answer;
		chain_check(a);
	}
}

static void recover(struct attachment *a, const char *verb, enum recovery by, bool succeeded)
{
	size_t all = chain_steps(a->s);

	bool netns_gone = access("/run/netns/pod1", F_OK) < 0;

	if (by == BY_GC || netns_gone)
		netns_end();
	if (by == BY_DEL)
		chain_del(a, is(verb, "DEL") && succeeded ? all - 1 : all);
	else
		chain_gc(a, is(verb, "GC") && succeeded && !a->s->command ? all - 1 : all);      /* the command's GC goes by the namespace, which was there */
	a->count = 0;
	if (by == BY_GC || netns_gone)
		netns_begin();
}

/* The next container of the same name has it as if nothing had been. */
static void once_more(const struct scenario *s)
{
	struct attachment a = { .s = s, .pod = "pod1" };

	chain_add(&a, chain_steps(s));
	chain_check(&a);
	chain_del(&a, chain_steps(s));
}

static struct answer strike(const struct attachment *a, const char *verb, const struct point *p)
{
	const char *at[] = { at_program(), keep("%lu", p->n), p->action, NULL };
	struct answer answer = chain_call(a, chain_steps(a->s) - 1, verb, at);

	if (!was_reached(answer) && answer.status != 0)
		fail("%s was left in peace, and fails with exit status %d", verb, answer.status);
	return answer;
}

/* A verb that changes nothing needs nothing cleaned up. */
static bool try_reading(const struct attachment *standing, const char *verb, const struct point *p)
{
	struct answer answer = strike(standing, verb, p);

	if (answer.status != 0 && answer.status != AT_KILLED)
		expect_words(standing->s, answer, p->action);
	return was_reached(answer);
}

static bool try_changing(const struct scenario *s, const char *verb, const struct point *p, struct world *w)
{
	struct attachment a = prepare(s, verb);
	bool takes_error = !strncmp(p->action, "fail", 4) || !strncmp(p->action, "lose", 4), takes_back = is(verb, "ADD") && takes_error, flow_may_stay;
	struct snapshot before = takes_back || !strncmp(p->action, "one", 3) ? snapshot_take() : (struct snapshot){ 0 };
	struct answer answer = strike(&a, verb, p);

	judge(&a, verb, p, answer, &before);
	recover(&a, verb, p->by, answer.status == 0);
	/* forgetting connections is tried once, behind the ports' removal; what died or failed there leaves one to end by itself, or with the port's next ADD */
	flow_may_stay = is(verb, "DEL") && (p->by == BY_GC || (takes_error && answer.status == 0));
	expect_as_at_first(s, w, p->by == BY_DEL ? "DEL has left something, or taken too much" : "GC has left something, or taken too much",
	                   flow_may_stay);
	neighbour_check(s);
	netns_ended();
	if (!takes_back || answer.status == 0) {        /* else all was as before ADD: the next point's is the next one */
		once_more(s);
		expect_as_at_first(s, w, "the next ADD and DEL have left something", flow_may_stay);
	}
	scenario_reset(s);
	return was_reached(answer);
}

struct attachment point_prepare(const struct scenario *s, const char *verb, struct world *w)
{
	struct attachment none = { .s = s, .pod = "pod1" }, standing;

	if (!only_reads(verb))
		return none;
	standing = prepare(s, verb);
	world_settled(w);
	return standing;
}

bool point_try(const struct attachment *a, const char *verb, const struct point *p, struct world *w)
{
	bool reached;

	if (!only_reads(verb))
		return try_changing(a->s, verb, p, w);
	reached = try_reading(a, verb, p);
	expect_as(&w->start, a->s->fresh ? first_kernels_own : kernels_own, "it only reads, and has changed something");
	return reached;
}
