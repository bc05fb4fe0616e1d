/* host-local's files: what a lease says, what its name may be; and the last address given. */
#include <string.h>

#include "base/scoped.h"
#include "host-local/file.h"
#include "lib/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void look_at_name(const char *name)
{
	char text[ADDR_TEXT];
	struct addr a;

	if (!lease_name_parse(name, &a))
		return;
	require(!strcmp(addr_text(&a, text), name));
	require(!lease_name_is_litter(name) && !strchr(name, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *name = text_of(data, size);
	struct lease_file f;
	size_t len = size < sizeof f.text ? size : sizeof f.text;

	memset(&f, 0x55, sizeof f);
	memcpy(f.text, data, len);
	lease_file_parse(&f, len);
	require(f.id >= f.text && f.id + strlen(f.id) < f.text + sizeof f.text);
	require(f.ifname >= f.text && f.ifname + strlen(f.ifname) < f.text + sizeof f.text);
	require(!f.empty || (!*f.id && !*f.ifname));
	look_at_name(name);
	return 0;
}
