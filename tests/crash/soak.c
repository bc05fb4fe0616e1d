/* soak: 64 containers come and go at once on one bridge and one pool of addresses, and now and then die without a word, while
 *
 * - another program changes nftables all the time,
 * - somebody flushes the whole ruleset,
 * - the reference's host-local (Debian's) takes addresses from the same pool,
 * - the runtime calls GC.
 *
 * No address is given twice, at any time. At each point of rest what the kernel and the store hold is compared, line by line, with a model of what they
 * should hold: who is here, by which address and port. In the end nothing is left.
 *
 *	SOAK_SECONDS=60 SOAK_SEED=1 soak        the seed is the containers' and the disturbers'; the kernel's scheduler has no seed */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"
#include "test.h"

enum { CONTAINERS = 64, THEIRS = 8 /* the last ones, attached by the reference's host-local alone */, FIRST_PORT = 20000, BETWEEN_RESTS_MS = 4000 };

#define STORE "/var/lib/cni/networks/net/"
static const char reference[] = "/usr/lib/cni/host-local";

static const char bridge[] = "{'cniVersion':'1.1.0','name':'net','type':'bridge','bridge':'br0','isDefaultGateway':true,'ipMasq':true,"
                             "'ipam':{'type':'host-local','subnet':'10.1.0.0/24'}}";
static const char their_pool[] = "{'cniVersion':'1.0.0','name':'net','type':'x','ipam':{'type':'host-local','subnet':'10.1.0.0/24'}}";
static const char portmap[] = "{'cniVersion':'1.1.0','name':'net','type':'portmap','snat':true,'runtimeConfig':{'portMappings':"
                              "[{'hostPort':%d,'containerPort':80,'protocol':'tcp'}]}}";

/* ---- The model, which all processes share ---- */

enum state { AWAY, HERE, DEAD /* it has died without a DEL, and waits for GC */ };

struct container {
	_Atomic int  state;
	_Atomic bool collected;                 /* a GC that was told of its death has succeeded */
	char         address[16];
};

static struct model {
	struct container containers[CONTAINERS + 1];    /* from 1; */
	_Atomic int  owner[256];                /* of 10.1.0.N: the container's number */
	_Atomic bool resting, over;
	_Atomic int  at_rest, adds, dels, deaths, refusals, flushes, gcs;
} *model;

static bool is_theirs(int n)
{
	return n > CONTAINERS - THEIRS;
}

static const char *pod_of(int n)
{
	return keep("pod%d", n);
}

static int port_of(int n)
{
	return FIRST_PORT + n;
}

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

/* ---- Containers ---- */

/* A call that the other program's changes have kept from its end, and that says so, may be made again: CNI's error 11. */
static struct answer insist(struct call c)
{
	struct answer a = call_(c);

	for (int tries = 0; a.status != 0 && !strcmp(json_at(a, "code"), "11") && tries < 20; tries++) {
		atomic_fetch_add(&model->refusals, 1);
		a = call_(c);
	}
	return expect_ok(a);
}

static struct answer our_call(int n, const char *plugin, const char *verb, const char *conf)
{
	return insist((struct call){ .plugin = plugin, .verb = verb, .pod = pod_of(n), .conf = conf });
}

static struct answer their_call(int n, const char *verb)
{
	return insist((struct call){ .plugin = "host-local", .verb = verb, .pod = pod_of(n), .conf = their_pool, .program = reference });
}

static int last_byte(const char *address)
{
	return atoi(strrchr(address, '.') + 1);
}

/* From here on it is ours alone, until we begin to give it back. */
static void claim_address(int n, struct answer a)
{
	struct container *c = &model->containers[n];
	int nobody = 0;

	snprintf(c->address, sizeof c->address, "%.*s", (int)strcspn(json_at(a, "ips[0].address"), "/"), json_at(a, "ips[0].address"));
	if (!atomic_compare_exchange_strong(&model->owner[last_byte(c->address)], &nobody, n))
		fail("%s was given to %s, and %s has it", c->address, pod_of(n), pod_of(nobody));
}

static void release_address(int n)
{
	atomic_store(&model->owner[last_byte(model->containers[n].address)], 0);
}

static void come(int n, struct answer *attached)
{
	if (is_theirs(n)) {
		*attached = their_call(n, "ADD");
		claim_address(n, *attached);
	} else {
		*attached = our_call(n, "bridge", "ADD", bridge);
		claim_address(n, *attached);
		*attached = our_call(n, "portmap", "ADD", with_prev(json(portmap, port_of(n)), *attached));
	}
	atomic_fetch_add(&model->adds, 1);
	atomic_store(&model->containers[n].state, HERE);
}

static void go(int n, struct answer attached)
{
	release_address(n);
	if (is_theirs(n)) {
		their_call(n, "DEL");
	} else {
		our_call(n, "portmap", "DEL", with_prev(json(portmap, port_of(n)), attached));
		our_call(n, "bridge", "DEL", with_prev(bridge, attached));
	}
	atomic_fetch_add(&model->dels, 1);
	atomic_store(&model->containers[n].state, AWAY);
}

/* Its namespace ends, and its link with it; nobody calls DEL. */
static void die(int n)
{
	struct container *c = &model->containers[n];

	if (!is_theirs(n))
		sh(pod_of(n), "ip link del eth0");
	release_address(n);
	atomic_store(&c->collected, false);
	atomic_store(&c->state, DEAD);
	atomic_fetch_add(&model->deaths, 1);
}

static void rise(int n)
{
	struct container *c = &model->containers[n];
	const char *lease = file_read(keep(STORE "%s", c->address));

	if (lease && strstr(lease, keep("%s\r", pod_of(n))))
		fail("GC was told that %s is gone, and has left its lease of %s", pod_of(n), c->address);
	atomic_store(&c->state, AWAY);
}

/* A container's life, over and over. */
static void live(int n, unsigned seed)
{
	struct container *c = &model->containers[n];
	struct answer attached = { 0 };

	while (!atomic_load(&model->over)) {
		if (atomic_load(&model->resting)) {
			atomic_fetch_add(&model->at_rest, 1);
			while (atomic_load(&model->resting))
				pause_ms(5);
			atomic_fetch_sub(&model->at_rest, 1);
			continue;
		}
		switch (atomic_load(&c->state)) {
		case AWAY: come(n, &attached); break;
		case HERE: if (rand_r(&seed) % 8) go(n, attached); else die(n); break;
		case DEAD: if (atomic_load(&c->collected)) rise(n); break;
		}
		pause_ms(rand_r(&seed) % 50);
	}
}

/* ---- Those who disturb ---- */

static const char *valid_ones(bool is_dead[CONTAINERS + 1])
{
	char *list = keep("%s", "");

	for (int n = 1; n <= CONTAINERS; n++) {
		is_dead[n] = atomic_load(&model->containers[n].state) == DEAD;
		if (!is_dead[n])
			list = keep("%s%s{'containerID':'pod%d','ifname':'eth0'}", list, *list ? "," : "", n);
	}
	return keep("[%s]", list);
}

static void collect_garbage(void)
{
	bool is_dead[CONTAINERS + 1];
	const char *valid = valid_ones(is_dead), *const plugins[] = { "portmap", "bridge" }, *const confs[] = { json(portmap, 1), bridge };

	for (int i = 0; i < 2; i++)
		insist((struct call){ .plugin = plugins[i], .verb = "GC", .conf = conf_set(confs[i], "cni.dev/valid-attachments", valid) });
	for (int n = 1; n <= CONTAINERS; n++)
		if (is_dead[n])
			atomic_store(&model->containers[n].collected, true);
	atomic_fetch_add(&model->gcs, 1);
}

static void disturb(void (*act)(void), int at_least_ms, int spread_ms, unsigned seed)
{
	while (!atomic_load(&model->over)) {
		pause_ms(at_least_ms + (int)(rand_r(&seed) % (unsigned)spread_ms));
		if (!atomic_load(&model->resting))
			act();
	}
}

static void flush_everything(void)
{
	sh_try("host", "nft flush ruleset");
	atomic_fetch_add(&model->flushes, 1);
}

/* One nft that is fed changes of a table of its own, hundreds a second. */
static void change_another_table(void)
{
	FILE *nft = popen("exec nft -i >/dev/null 2>&1", "w");

	for (unsigned i = 1; nft && !atomic_load(&model->over); i++) {
		fprintf(nft, "add table inet other; add set inet other busy { type inet_service; }; add element inet other busy { %u }\n", i % 60000 + 1);
		fflush(nft);
		pause_ms(3);
	}
	if (nft)
		pclose(nft);
}

/* ---- Points of rest ---- */

static void model_lines(struct snapshot *s)
{
	for (int n = 1; n <= CONTAINERS; n++) {
		const struct container *c = &model->containers[n];

		if (atomic_load(&c->state) != HERE)
			continue;
		snapshot_add(s, "lease %s of pod%d\\r\\neth0", c->address, n);
		if (is_theirs(n))
			continue;
		snapshot_add(s, "pod%d has %s/24", n, c->address);
		snapshot_add(s, "port tcp . %d comment \"net/pod%d/eth0\" : %s . 80", port_of(n), n, c->address);
		snapshot_add(s, "masquerading of %s comment \"net/pod%d/eth0\" : goto masq_10.1.0.0/24", c->address, n);
		snapshot_add(s, "record net:pod%d:eth0.masq", n);
		snapshot_add(s, "record net:pod%d:eth0.portmap", n);
		snapshot_add(s, "a port of br0");
	}
}

static void each_name(const char *dir, void (*each)(struct snapshot *s, const char *name), struct snapshot *s)
{
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			each(s, entry->d_name);
	if (d)
		closedir(d);
}

static void lease_line(struct snapshot *s, const char *name)
{
	const char *text = file_read(keep(STORE "%s", name)), *cr = text ? strchr(text, '\r') : NULL;

	if (!strcmp(name, "lock") || !strncmp(name, "last_reserved_ip.", 17))
		return;
	snapshot_add(s, "lease %s of %.*s%s", name, cr ? (int)(cr - text) : 100, text ? text : "?", cr ? "\\r\\neth0" : "");
}

static void record_line(struct snapshot *s, const char *name)
{
	snapshot_add(s, "record %s", name);
}

static void element_lines(struct snapshot *s, const char *set, const char *what)
{
	for (char *rest = keep("%s", elements_of(set)), *line; (line = strsep(&rest, "\n"));)
		if (*line)
			snapshot_add(s, "%s %s", what, line);
}

static void found_lines(struct snapshot *s)
{
	struct link_seen *links = links_in("host"), br0 = link_in("host", "br0");

	each_name("/var/lib/cni/networks/net", lease_line, s);
	each_name("/run/plumb/nftables", record_line, s);
	element_lines(s, "publish_any4", "port");
	element_lines(s, "masq4", "masquerading of");
	for (const struct link_seen *l = links; l->index; l++)
		if (br0.index && l->master == br0.index)
			snapshot_add(s, "a port of br0");
	for (int n = 1; n <= CONTAINERS; n++)
		if (link_in(pod_of(n), "eth0").index)
			snapshot_add(s, "pod%d has %s", n, addresses_of(pod_of(n), "eth0"));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_lines(struct snapshot *s)
{
	if (s->count)
		qsort(s->lines, s->count, sizeof *s->lines, by_text);
}

/* Anybody's next ADD brings back what a flush has taken; GC was told of the dead. */
static void clean_up(void)
{
	int probe = CONTAINERS + 1;
	struct answer a = our_call(probe, "bridge", "ADD", bridge);

	our_call(probe, "bridge", "DEL", with_prev(bridge, a));
	collect_garbage();
}

static void compare(void)
{
	const char *const none[] = { NULL }, *difference = "";

	for (int turn = 0; turn < 10; turn++) {        /* a link that died with its namespace takes the kernel its time */
		struct snapshot want = { 0 }, found = { 0 };

		model_lines(&want);
		found_lines(&found);
		sort_lines(&want);
		sort_lines(&found);
		difference = snapshot_difference(&want, &found, none);
		if (!*difference)
			return;
		pause_ms(100);
	}
	fail("at rest, what should be there (-) is not what is there (+):\n%s", difference);
}

static void expect_all_alive(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid > 0)
		fail("a process of the soak has ended: see above");
}

static void come_to_rest(void)
{
	long long deadline = now_ms() + 100000;

	atomic_store(&model->resting, true);
	while (atomic_load(&model->at_rest) < CONTAINERS) {
		expect_all_alive();
		if (now_ms() > deadline)
			fail("%d of %d containers have come to rest in 100 s: the others are stuck", atomic_load(&model->at_rest), CONTAINERS);
		pause_ms(5);
	}
	pause_ms(50);                           /* disturbers end what they are at */
	clean_up();
	compare();
}

/* ---- The soak ---- */

static pid_t spawn(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void release_all(unsigned seed)
{
	for (int n = 1; n <= CONTAINERS; n++)
		if (spawn() == 0) {
			live(n, seed + (unsigned)n);
			_exit(0);
		}
	if (spawn() == 0) {
		change_another_table();
		_exit(0);
	}
	if (spawn() == 0) {
		disturb(flush_everything, 300, 1500, seed + 1000);
		_exit(0);
	}
	if (spawn() == 0) {
		disturb(collect_garbage, 100, 600, seed + 2000);
		_exit(0);
	}
}

static void end_all(void)
{
	int status;

	atomic_store(&model->over, true);
	atomic_store(&model->resting, false);
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fail("a process of the soak has failed: see above");
}

/* Whoever is still here goes. Results are not known any more: as after a runtime's restart, DEL goes without. */
static void take_all_away(void)
{
	for (int n = 1; n <= CONTAINERS; n++) {
		if (atomic_load(&model->containers[n].state) == AWAY)
			continue;
		if (is_theirs(n)) {
			their_call(n, "DEL");
			continue;
		}
		our_call(n, "portmap", "DEL", json(portmap, port_of(n)));
		our_call(n, "bridge", "DEL", bridge);
	}
}

static char *all_pods(void)
{
	char *names = keep("%s", "");

	for (int n = 1; n <= CONTAINERS + 1; n++)
		names = keep("%s pod%d", names, n);
	return names;
}

static long number_env(const char *name, long otherwise)
{
	return getenv(name) ? strtol(getenv(name), NULL, 10) : otherwise;
}

TEST(soak_of_64_containers_on_one_bridge)
{
	unsigned seed = (unsigned)number_env("SOAK_SEED", time(NULL) / 86400);
	long long end, next;
	struct world w;

	if (access(reference, X_OK) < 0)
		skip("there is no %s to share the pool with", reference);
	w = world_begin(all_pods());
	model = mmap(NULL, sizeof *model, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	note("SOAK_SEED=%u", seed);
	release_all(seed);
	end = now_ms() + number_env("SOAK_SECONDS", 10) * 1000;
	for (next = now_ms() + BETWEEN_RESTS_MS; now_ms() < end; next += BETWEEN_RESTS_MS) {
		while (now_ms() < next && now_ms() < end) {
			expect_all_alive();
			pause_ms(20);
		}
		come_to_rest();
		atomic_store(&model->resting, false);
	}
	come_to_rest();
	end_all();
	take_all_away();
	sh_try("host", "nft delete table inet other");
	expect_untouched(&w, RULESET_STAYS, STORE_STAYS("net"), BRIDGE_STAYS("br0"), FORWARDING_STAYS, "address pod*: lo 127.0.0.1/8");
	printf("%d ADDs, %d DELs, %d deaths, %d flushes, %d GCs, %d calls told to try again; seed %u\n", model->adds, model->dels, model->deaths, model->flushes,
	       model->gcs, model->refusals, seed);
}
