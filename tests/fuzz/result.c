/* Results of every version, as prevResult and as plugins answer: what can be read prints in every version, and what was printed reads the same. */
#include <string.h>

#include "base/scoped.h"
#include "cni/result.h"
#include "cni/version.h"
#include "lib/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void read_again(const json_t *printed, const char *version)
{
	scoped(arena_free) struct arena arena = { 0 };
	scoped(json_put) json_t *again = NULL;
	struct err e = { 0 };
	struct result r;

	require(result_read(printed, version, "", CNI_DECODE, &arena, &r, &e) == 0);
	again = result_json(&r, version, &e);
	require(again && json_equal(again, (json_t *)printed));
}

static void print_in(const struct result *r, const char *version)
{
	struct err e = { 0 };
	scoped(json_put) json_t *printed = result_json(r, version, &e);

	require_outcome(printed ? 0 : -1, &e);
	if (!printed)
		return;
	require_prints(printed);
	read_again(printed, version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	struct err e = { 0 };
	scoped(json_put) json_t *json = json_read_object(text, size, "result", &e);

	require_outcome(json ? 0 : -1, &e);
	if (!json)
		return 0;
	for (const char *const *otherwise = cni_versions; *otherwise; otherwise++) {
		scoped(arena_free) struct arena arena = { 0 };
		struct result r, twice;
		struct err why = { 0 };
		int bad = result_read(json, *otherwise, "prevResult.", CNI_DECODE, &arena, &r, &why);

		require_outcome(bad, &why);
		if (bad < 0)
			continue;
		twice = r;
		require(result_follow(&twice, &r, &arena) == 0);
		result_pod_ip(&twice, 2, "eth0");
		for (const char *const *version = cni_versions; *version; version++)
			print_in(*version == *otherwise ? &twice : &r, *version);
	}
	return 0;
}
