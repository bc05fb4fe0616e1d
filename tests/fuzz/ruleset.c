/* Everybody's rules, as plumb explain and plumb doctor read them: what `nft -j list ruleset` prints, a line that is "--", what iptables-save prints. Packets of both families
 * are sent through all hooks. No program is run. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "lib/fuzz.h"
#include "plumb/rules.c"
#include "plumb/rules_iptables.c"
#include "plumb/survey.h"

static const char *nft_text, *save_text;

/* Stands in for plumb's own. */
const char *program_find(struct call *c, const char *name)
{
	return c ? name : NULL;
}

char *program_output(struct call *c, const char *const *argv, const char *input, bool quiet, struct err *e)
{
	(void)input, (void)quiet, (void)e;
	return arena_strdup(&c->arena, strcmp(argv[0], "nft") ? save_text : nft_text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void send_through(struct ruleset *rs, int family, bool answer)
{
	static const char *const all_hooks[] = { "prerouting", "input", "forward", "output", "postrouting" };
	struct packet p = { .family = family, .protocol = IPPROTO_TCP, .port = 80, .in = "eth0", .out = "br0", .answer = answer };

	addr_parse(family == AF_INET ? "192.0.2.2" : "2001:db8:1::2", &p.from);
	addr_parse(family == AF_INET ? "10.89.0.2" : "fd00:89::2", &p.to);
	for (size_t i = 0; i < ARRAY_LEN(all_hooks); i++) {
		struct ruling r = { 0 };
		bool passes = rules_pass(rs, all_hooks[i], NULL, &p, &r);

		require(passes == !r.dropped);
		require(!r.dropped || (r.by && r.chain && r.place));
		require(!r.by || r.dropped || r.maybe);
		if (r.by)
			require_utf8(r.by);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	char *cut = strstr(text, "\n--\n");
	struct call c = { .lock_fd = -1, .trees = json_array() };
	struct survey host = { .c = &c };
	struct ruleset rs;
	char *rest, *line;

	if (cut)
		*cut = '\0';
	nft_text = text;
	save_text = cut ? cut + 4 : "";
	rules_read(&c, &host, &rs);
	for (rest = arena_strdup(&c.arena, save_text); (line = line_of(&rest));)
		take_legacy_line(&rs, AF_INET, line, "filter of iptables-legacy");
	for (int i = 0; i < 4; i++)
		send_through(&rs, i & 1 ? AF_INET6 : AF_INET, i & 2);
	json_decref(c.trees);
	arena_free(&c.arena);
	return 0;
}
