/* A resolv.conf of the host, which host-local reads for the containers; then as a run's own is written from it. */
#include <string.h>

#include "base/scoped.h"
#include "cni/version.h"
#include "host-local/resolv.h"
#include "lib/fuzz.h"
#include "plumb/resolv.c"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static bool begins(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* No value may become a line or a word of its own. */
static void look_at(char *text)
{
	char *line;

	while ((line = line_of(&text))) {
		require(!*line || begins(line, "domain ") || begins(line, "search ") || begins(line, "nameserver ") || begins(line, "options "));
		for (const unsigned char *p = (unsigned char *)line; *p; p++)
			require(*p >= ' ' && *p != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	scoped(arena_free) struct arena arena = { 0 };
	scoped(json_put) json_t *j = NULL;
	struct text written = { .used = 0 };
	struct result r = { 0 };
	struct err e = { 0 };

	require(resolv_conf_parse(text, &arena, &r.dns) == 0);
	j = result_json(&r, CNI_NEWEST, &e);
	require(j);
	require_prints(j);
	append_dns(&written, &r.dns, true, true);
	require(strlen(written.data) == written.used);
	look_at(written.data);
	return 0;
}
