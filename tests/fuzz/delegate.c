/* What a delegate prints, and how it ends: the first byte is its exit status. */
#include <errno.h>
#include <string.h>

#include "cni/delegate.h"
#include "cni/version.h"
#include "lib/call.h"
#include "lib/fuzz.h"
#include "os/spawn.h"

static const uint8_t *output;
static size_t         output_len;
static int            status;

int spawn_run(const struct spawn *s, struct spawned *out, struct err *e)
{
	(void)e;
	require(s->argv && s->env && s->deadline_ms > 0 && s->output_limit > 0);
	*out = (struct spawned){ .output = text_of(output, output_len), .output_len = output_len, .status = status };
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* Any file will do: it is not executed. */
static void run(const char *version, enum verb verb)
{
	struct cni_call c = {
		.plugin = plugin_find("bridge"), .verb = verb, .pod_fd = -1, .args = "", .path = "/proc/self", .input = "{}", .input_len = 2, .net.cni_version = version,
	};
	struct result result = { 0 };
	int r = delegate_run(&c, "status", verb, &result);

	require_outcome(r, &c.err);
	for_list (const struct ip_conf, ip, &result.ips)
		require(r < 0 || addr_is_set(&ip->address.addr));
	c.input = NULL;
	call_end(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	status = size ? data[0] : 0;
	output = data + (size > 0);
	output_len = size - (size > 0);
	run(CNI_NEWEST, VERB_ADD);
	run("0.2.0", VERB_ADD);
	run("", VERB_DEL);
	return 0;
}
