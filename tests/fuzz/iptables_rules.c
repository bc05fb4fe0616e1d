/* What `iptables -S` prints, from which rules of the reference plugins are picked to be removed. */
#include <string.h>

#include "base/scoped.h"
#include "cni/iptables.h"
#include "lib/fuzz.h"

/* No program is run. */
#define iptables_forget unused_iptables_forget
int unused_iptables_forget(struct cni_call *c, const struct iptables_rules *rules);
#include "common/cni/iptables.c"
#undef iptables_forget
#include "common/cni/takeover.c"

int iptables_forget(struct cni_call *c, const struct iptables_rules *rules)
{
	return c && rules ? 0 : -1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* A script removes what is meant, and says nothing else. */
static void look_at(const char *script, const struct iptables_rules *rules)
{
	scoped(mem_free) char *copy = strdup(script);
	char *rest = copy, *line = line_of(&rest), end[64];

	require(*line == '*' && !strcmp(line + 1, rules->table));
	snprintf(end, sizeof end, "-D %s ", rules->chain);
	while ((line = line_of(&rest)) && strcmp(line, "COMMIT"))
		require(!strncmp(line, end, strlen(end)) || !strncmp(line, "-F CNI-", 7) || !strncmp(line, "-X CNI-", 7));
	require(line);
}

static void pick(struct cni_call *c, const char *text, const struct iptables_rules *rules)
{
	scoped(mem_free) char *listed = strdup(text), *script = NULL;
	struct place p = { .c = c, .family = AF_INET };
	bool empty;

	script = write_script(&p, rules, listed, &empty);
	require(script);
	look_at(script, rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	struct ip_conf ip = { .address = { { AF_INET, { 10, 1, 0, 2 } }, 24 }, .iface = -1 };
	struct cni_call c = { .who = { .network = "net", .container = "c1", .ifname = "eth0" }, .prev.ips = { &ip, 1, true } };
	const struct iptables_rules all[] = {
		{ "nat", "CNI-HOSTPORT-DNAT", "CNI-DN-0123456789abcdef01234", is_of_chain },
		{ "nat", "POSTROUTING", "CNI-0123456789abcdef01234567", is_masqueraded },
		{ "filter", "CNI-FORWARD", NULL, is_of_address },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		pick(&c, text, &all[i]);
	return 0;
}
