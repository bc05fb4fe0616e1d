/* The same record as plumb-firewalld reads it, to restore from. */
#include <string.h>
#include <sys/stat.h>

#include "lib/fuzz.h"
#include "plumb/firewalld/records.c"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir("/run/plumb", 0755);
	mkdir(RECORDS, 0700);
	return 0;
}

static int look_at(const struct binding *b, void *arg)
{
	(void)arg;
	require(*b->zone && *b->source && !strchr(b->source, ' '));
	return records_have(b->zone, b->source) ? 0 : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	write_file(RECORDS "/net:c1:eth0.zone", data, size);
	require(records_each(FIRST_TO_LAST, look_at, NULL) == 0);
	require(record_is_there("net:c1:eth0.zone"));
	return 0;
}
