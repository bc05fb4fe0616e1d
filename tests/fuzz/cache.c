/* What libcni, or we, noted of an attachment (cniCacheV1): read for DEL and CHECK, and gone through for GC. */
#include <string.h>
#include <sys/stat.h>

#include "lib/fuzz.h"
#include "plumb/cache.h"
#include "plumb/plumb.h"

#define FOLDER "/var/lib/cni"
#define FILE_OF_IT "/net-c1-eth0"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir(FOLDER, 0755);
	mkdir(FOLDER "/results", 0700);
	mkdir(FOLDER "/adding", 0700);
	return 0;
}

static void look_at(struct call *c, const struct cached *a)
{
	struct err ignored = { 0 };
	struct network n;

	require(a->network && a->endpoint.container && a->endpoint.ifname && a->endpoint.netns);
	require(endpoint_args(c, &a->endpoint));
	if (a->result)
		require_prints(a->result);
	if (a->config)
		require_outcome(network_read(c, a->config, a->path, &n, &ignored), &ignored);
}

static int visit(struct call *c, const struct cached *a, void *arg)
{
	(void)arg;
	require(name_valid(a->network) && name_valid(a->endpoint.container) && !ifname_fault(a->endpoint.ifname));
	look_at(c, a);
	return 0;
}

static void read_all(void)
{
	struct call c = { .lock_fd = -1, .opt = { .conf_dir = "/run/none", .cache_dir = FOLDER }, .trees = json_array() };
	struct endpoint e = { .container = "c1", .netns = "", .ifname = "eth0" };
	struct cached a = { 0 };
	int r = cache_read(&c, "net", &e, &a);

	require_outcome_or_silence(r, &c.trouble.err);
	if (r == 0)
		look_at(&c, &a);
	err_clear(&c.trouble.err);
	require_outcome(cache_each(&c, NULL, visit, NULL), &c.trouble.err);
	json_decref(c.trees);
	arena_free(&c.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	write_file(FOLDER "/results" FILE_OF_IT, data, size);
	read_all();
	unlink(FOLDER "/results" FILE_OF_IT);
	write_file(FOLDER "/adding" FILE_OF_IT, data, size);
	read_all();
	unlink(FOLDER "/adding" FILE_OF_IT);
	return 0;
}
