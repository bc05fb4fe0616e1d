/* A record of what an attachment has in nftables, as it is on disk: read for DEL, counted and put back by restore. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "cni/nftables.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/nft_message.h"
#include "os/spawn.h"

#define restore_run fuzz_restore_run
#define restore_find_helper fuzz_restore_find_helper
#include "plumb/restore.c"

#define NAME "net:c1:eth0.portmap"

/* The helper that loads the ruleset. */
int spawn_run(const struct spawn *s, struct spawned *out, struct err *e)
{
	(void)s, (void)e;
	*out = (struct spawned){ .output = NULL };
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	mkdir("/run/plumb", 0755);
	mkdir(NFT_RECORDS, 0700);
	mkdir("/run/helpers", 0755);
	write_file("/run/helpers/plumb-ruleset", "", 0);
	chmod("/run/helpers/plumb-ruleset", 0755);
	nft_helpers_in("/run/helpers");
	return 0;
}

static int look_at(const struct nft_set *set, struct nft_element *el, void *arg)
{
	(void)arg;
	require(strnlen(set->name, 4096) < 4096);
	require(el->key.len <= sizeof el->key.bytes && el->key_end.len <= sizeof el->key_end.bytes && el->value.len <= sizeof el->value.bytes);
	require(memchr(el->comment, '\0', sizeof el->comment) && memchr(el->chain, '\0', sizeof el->chain));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nft_table *const tables[] = { &nft_inet, &nft_bridge };
	scoped(mem_free) char *bytes = text_of(data, size);
	struct call c = { .lock_fd = -1 };
	char note[256];

	write_file(NFT_RECORDS "/" NAME, data, size);
	if (nft_record_note(NAME, note, sizeof note))
		require(memchr(note, '\0', sizeof note));
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct restoring what = { .table = tables[i] };
		struct err e = { 0 };

		concerns(bytes, size, tables[i]);
		require(count_records(&c, &what) == 0);
		kernel_agrees();
		require_outcome(nft_restore(tables[i], &e), &e);
	}
	require(nft_record_hide(NFT_RECORDS "/" NAME, &c.trouble.err) == 0);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		require(nft_record_each(NFT_RECORDS "/" NAME, tables[i], look_at, NULL, &c.trouble.err) == 0);
	arena_free(&c.arena);
	return 0;
}
