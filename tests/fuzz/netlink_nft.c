/* What the kernel answers about nftables: elements, chains, rules, and to transactions. The first byte says what was asked. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/scoped.h"
#include "cni/nftables.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/spawn.h"

/* Nobody needs to wait for another here. */
#define nanosleep(time, rest) ((void)(time))
#include "common/os/nft.c"

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
	mkdir("/run/helpers", 0755);
	write_file("/run/helpers/plumb-ruleset", "", 0);
	chmod("/run/helpers/plumb-ruleset", 0755);
	nft_helpers_in("/run/helpers");
	return 0;
}

static const struct nft_set set = { &nft_inet, "publish_any4" };

static struct nft_element port(void)
{
	struct nft_element el = { .comment = "net/c1/eth0" };

	nft_put_u8(&el.key, 6);
	nft_put_port(&el.key, 80);
	return el;
}

static int see_element(const struct nft_element *el, void *arg)
{
	(void)arg;
	require(el->key.len <= sizeof el->key.bytes && el->key_end.len <= sizeof el->key_end.bytes && el->value.len <= sizeof el->value.bytes);
	require(memchr(el->comment, '\0', sizeof el->comment) && memchr(el->chain, '\0', sizeof el->chain));
	return 0;
}

static int see_chain(const struct nft_chain_seen *chain, void *arg)
{
	(void)arg;
	require(strlen(chain->table) < 65536 && strlen(chain->name) < 65536);
	return 0;
}

static int see_rule(const struct nft_rule_seen *rule, void *arg)
{
	(void)arg;
	require(memchr(rule->comment, '\0', sizeof rule->comment));
	return 0;
}

static int claim(struct nft *nft, void *call)
{
	struct nft_element el = port();

	return nft_claim(nft, &set, &el, false, "host port 80/tcp", call);
}

static int look(struct nft *nft, void *call)
{
	struct nft_element el = port();

	return nft_check(nft, &set, &el, "host port 80/tcp", call);
}

static int transact(unsigned what, struct cni_call *c)
{
	struct nft_work work = { .table = &nft_inet, .decide = what ? look : claim, .arg = c, .reads = what };

	return nft_transact(&work, &c->err);
}

/* What is read is put together of whole messages. */
static int read_ruleset(struct cni_call *c)
{
	scoped(nft_messages_free) struct nft_messages out = { 0 };
	int r = nft_ruleset_read(&nft_inet, &out, &c->err), left = (int)out.len;
	unsigned count = 0;

	for (struct nlmsghdr *h = (void *)out.bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
		count++;
	require(left == 0 && count == out.count);
	return r;
}

static int ask(struct nft *nft, unsigned what, struct cni_call *c)
{
	struct nft_element el = port();
	int r;

	switch (what) {
	case 0:
		r = nft_find(nft, &set, &el, &c->err);
		see_element(&el, NULL);
		return r;
	case 1:
		return nft_each(nft, &set, see_element, NULL, &c->err);
	case 2:
		return nft_chain_rules(nft, &nft_inet, "gate_0", &c->err);
	case 3:
		return nft_chain_each(nft, see_chain, NULL, &c->err);
	case 4:
		return nft_rule_each(nft, &nft_inet, "forward", see_rule, NULL, &c->err);
	case 5:
		return nft_refuse_others(nft, &set, &el, "host port 80/tcp", c);
	case 8:
		return read_ruleset(c);
	default:
		return transact(what & 1, c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_call c = { .verb = VERB_ADD, .who = { .network = "net", .container = "c1", .ifname = "eth0", .owner = "net/c1/eth0" } };
	scoped(nft_close) struct nft nft = { 0 };

	kernel_answers(data + (size > 0), size - (size > 0));
	require(nft_open(&nft, &c.err) == 0);
	require_outcome_or_silence(ask(&nft, size ? data[0] & 15 : 0, &c), &c.err);
	arena_free(&c.arena);
	return 0;
}
