/* A record of firewalld zones, as the firewall plugin reads it back; what it writes it reads. */
#include <string.h>
#include <sys/stat.h>

#include "firewall/zone.h"
#include "lib/call.h"
#include "lib/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir("/run/plumb", 0755);
	mkdir(ZONE_RECORDS, 0700);
	return 0;
}

static bool writable(const struct binding *b)
{
	bool fine = b->zone && *b->zone && !strpbrk(b->zone, " \n");

	for_list (char *, source, &b->sources)
		fine &= **source && !strpbrk(*source, " \n");
	return fine && b->sources.count > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_call c = { .plugin = plugin_find("firewall"), .pod_fd = -1, .who = { .network = "net", .owner = "net/c1/eth0" } };
	struct binding b = { 0 }, again = { 0 };
	char path[PATH_MAX];
	int r;

	write_file(record_path(&c, path), data, size);
	r = record_read(&c, path, &b);
	require_outcome(r, &c.err);
	if (r == 0 && writable(&b)) {
		require(record_write(&c, &b) == 0);
		require(record_read(&c, path, &again) == 0);
		require(!strcmp(again.zone, b.zone) && again.sources.count == b.sources.count);
	}
	record_is_stale(&c, "net:c2:eth0.zone");
	call_end(&c);
	return 0;
}
