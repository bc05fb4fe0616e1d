/* What is on record of a plumb run: its state, as ps, stop and exec read it, and the hosts file that is written by it. */
#include <string.h>
#include <sys/stat.h>

#include "lib/fuzz.h"
#include "plumb/plumb.h"
#include "plumb/runs.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir("/run/plumb", 0755);
	mkdir(RUNS_DIR, 0755);
	mkdir(RUNS_DIR "/web", 0755);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call c = { .lock_fd = -1, .opt = { .conf_dir = "/run/none", .cache_dir = "/run/none" }, .trees = json_array() };
	struct run_record run, again;

	write_file(RUNS_DIR "/web/state", data, size);
	if (run_read(&c, "web", &run) == 0) {
		require(name_valid(run.id) && run.netns && run.hostname && !run.alive);
		require(json_is_array(run.command) && json_is_array(run.aliases) && json_is_array(run.hosts));
		require(run_hosts_write(&c, &run) == 0);
		require(run_write(&c, &run) == 0 && run_read(&c, "web", &again) == 0);
		require(!strcmp(run.id, again.id) && run.pid == again.pid && run.exit_code == again.exit_code && json_equal(run.command, again.command));
	}
	json_decref(c.trees);
	arena_free(&c.arena);
	return 0;
}
