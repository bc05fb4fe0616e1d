/* /proc/locks, where the holder of host-local's lock is looked up: a line, then the inode that is meant. */
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "lib/fuzz.h"
#include "ipam/host-local/lock.c"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	struct stat st = { .st_dev = makedev(0xfd, 1), .st_ino = 5678 };
	char *rest = text, *line;

	while ((line = line_of(&rest)))
		holder_in(line, &st);
	return 0;
}
