/* Every plugin's configuration, by every verb, through the main that they share: "VERB PLUGIN [CNI_ARGS]\n{ … }". */
#include "lib/call.h"
#include "lib/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_call c;

	call_of_input(&c, data, size);
	call_end(&c);
	return 0;
}
