/* conditionsV4, conditionsV6 and allowFrom of portmap, a line a word or more, and the rules that they become. */
#include <string.h>
#include <sys/socket.h>

#include "lib/call.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/nft_message.h"
#include "portmap/portmap.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void write_rules(struct cni_call *c, const struct mapping *m, int family)
{
	struct nft nft;
	char name[NFT_NAME];

	kernel_agrees();
	require(nft_open(&nft, &c->err) == 0 && nft_begin(&nft, &c->err) == 0);
	gate_name(c, m, family, name);
	require(!strncmp(name, "gate_", 5));
	require(gate_ensure(c, &nft, m, family) == 0);
	require(nft_commit(&nft) == 0);
	nft_close(&nft);
}

/* Lines that read as a subnet are on allowFrom too. */
static struct list words_of(char *text, struct mapping *m, struct arena *a)
{
	struct list words = { 0 };
	char *line;

	while ((line = line_of(&text))) {
		const char **slot = arena_push(a, &words.items, &words.count, sizeof *slot);
		struct prefix p, *from;

		*slot = line;
		if (prefix_parse(line, &p) && (from = arena_push(a, &m->allow_from.items, &m->allow_from.count, sizeof p)))
			*from = p;
	}
	return words;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	struct portmap_conf conf = { .snat = true };
	struct cni_call c = { .plugin = plugin_find("portmap"), .pod_fd = -1, .conf = &conf };
	struct mapping m = { .host = { 80, 80 }, .container = { 80, 80 }, .protocol = IPPROTO_TCP };
	struct list words = words_of(text, &m, &c.arena);
	int r = conditions_read(&c, "conditionsV4", AF_INET, &words, &conf.gates4);

	require_outcome(r, &c.err);
	if (r == 0)
		write_rules(&c, &m, AF_INET);
	err_clear(&c.err);
	r = conditions_read(&c, "conditionsV6", AF_INET6, &words, &conf.gates6);
	require_outcome(r, &c.err);
	if (r == 0)
		write_rules(&c, &m, AF_INET6);
	call_end(&c);
	return 0;
}
