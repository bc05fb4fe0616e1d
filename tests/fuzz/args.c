/* CNI_ARGS, as the plugins that read it take it. */
#include <string.h>

#include "lib/call.h"
#include "lib/fuzz.h"

static const char conf[] = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\",\"ipam\":{\"type\":\"x\",\"subnet\":\"10.1.0.0/24\"}}";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const plugins[] = { "static", "host-local", "bridge" };
	scoped(mem_free) char *args = text_of(data, size);

	for (size_t i = 0; i < ARRAY_LEN(plugins); i++) {
		struct cni_call c;

		call_begin(&c, VERB_ADD, plugins[i], args, conf, strlen(conf));
		call_end(&c);
	}
	return 0;
}
