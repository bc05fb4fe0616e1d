/* What the kernel answers about connections. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/sysctl.h"

/* Connections are tracked, whatever this machine does. */
#define sysctl_number(...) 1
#include "common/os/conntrack.c"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static bool is_local(const struct addr *a, void *arg)
{
	(void)arg;
	return a->bytes[0] & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conntrack_match list[] = {
		{ .family = AF_INET, .protocol = IPPROTO_UDP, .port = 53, .port_last = 53, .target = { AF_INET, { 10, 1, 0, 2 } }, .others = size & 1 },
		{ .family = AF_INET6, .protocol = IPPROTO_TCP, .port = 80, .port_last = 8080, .target = { AF_INET6, { 0xfd } }, .others = true },
	};
	struct err e = { 0 };

	kernel_answers(data, size);
	require_outcome(conntrack_forget(list, 2, is_local, NULL, &e), &e);
	return 0;
}
