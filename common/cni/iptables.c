/* The kernel is asked first, without a program: whether the own chain is there, by its name. (iptables-nft's chains are nftables' chains.)
 * What iptables lists is what iptables-restore reads: so a rule goes as it was listed, with "-D" for "-A", all of them in one step. */
#include "cni/iptables.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/env.h"
#include "cni/execute.h"
#include "os/nft.h"
#include "os/xtables.h"

enum { OUTPUT_LIMIT = 64 << 20, DEADLINE_MS = 30 * 1000, TRIES = 3 };

/* One kind of iptables, one family of addresses. */
struct place {
	struct cni_call *c;
	struct nft      *nft;
	bool             legacy;
	int              family;
};

/* ---- Asking the kernel ---- */

static struct nft_table table_of(const struct place *p, const char *name)
{
	return (struct nft_table){ .family = p->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6, .name = name };
}

static int has_chain(const struct place *p, const char *table, const char *chain)
{
	struct nft_table t = table_of(p, table);
	int use;

	if (p->legacy)
		return xtables_contain(p->family, table, chain, strlen(chain) + 1);
	use = nft_chain_use(p->nft, &t, chain, &p->c->err);
	return use >= 0 ? 1 : use == -ENOENT ? 0 : use;
}

/* Without an own chain: is there a rule that may be meant? The first one of the chain is nobody's. */
static int has_rules(const struct place *p, const struct iptables_rules *rules)
{
	struct nft_table t = table_of(p, rules->table);
	bool concerned = false;
	int n;

	for_list (const struct ip_conf, ip, &p->c->prev.ips)
		concerned |= ip->address.addr.family == p->family &&
		             (!p->legacy || xtables_contain(p->family, rules->table, ip->address.addr.bytes, addr_size(p->family)));
	if (!concerned || p->legacy)
		return concerned && has_chain(p, rules->table, rules->chain);
	n = nft_chain_rules(p->nft, &t, rules->chain, &p->c->err);
	return n < 0 ? (n == -ENOENT ? 0 : n) : n > 1;
}

/* ---- Running it ---- */

/* args[0] is set here: one binary is all of these programs, and goes by the name it is called. */
static int run(const struct place *p, const char *suffix, char **args, const char *input, struct spawned *out)
{
	struct cni_call *c = p->c;
	const char *ip = p->family == AF_INET ? "ip" : "ip6";
	const char *dirs = arena_printf(&c->arena, "%s:/usr/sbin:/sbin:/usr/local/sbin", env("PATH"));
	char *name = arena_printf(&c->arena, "%stables-%s%s", ip, p->legacy ? "legacy" : "nft", suffix);
	char *plain = arena_printf(&c->arena, "%stables%s", ip, suffix);
	struct spawn s = {
		.argv = args, .env = environ, .input = input, .input_len = strlen(input), .output_limit = OUTPUT_LIMIT, .deadline_ms = DEADLINE_MS,
	};

	*out = (struct spawned){ 0 };
	if (!dirs || !name || !plain)
		return err_nomem(&c->err, "iptables");
	s.path = plugin_path(&c->arena, dirs, args[0] = name);
	if (!s.path)
		s.path = plugin_path(&c->arena, dirs, args[0] = plain);
	if (s.path)
		return spawn_run(&s, out, &c->err);
	err_set(&c->err, CNI_FAILED, -ENOENT, "rules that another CNI plugin made with %s are there, and no %s to remove them", name, name);
	err_detail(&c->err, "install iptables, or flush its tables");
	return -ENOENT;
}

/* The rules of the chain as text, the caller's; NULL: *r says why, 0 for an answer that is worth another try. */
static char *list_rules(const struct place *p, const struct iptables_rules *rules, int *r)
{
	char *args[] = { NULL, "-w", "-t", (char *)rules->table, "-S", (char *)rules->chain, NULL };
	struct spawned out;

	if (!strncmp(rules->chain, "CNI-", 4) && (*r = has_chain(p, rules->table, rules->chain)) != 1)
		return *r < 0 ? NULL : strdup("");              /* of the others all tables have one */
	*r = run(p, "", args, "", &out);
	if (*r == 0 && out.status == 0)
		return out.output ? out.output : strdup("");
	free(out.output);
	return NULL;
}

bool iptables_leads_to_own(const struct iptables_rules *rules, const char *line)
{
	size_t len = strlen(line), end = strlen(rules->own);

	return len > end + 4 && !strcmp(line + len - end, rules->own) && !strncmp(line + len - end - 4, " -j ", 4);
}

/* What iptables-restore is to do, the caller's; *empty: nothing. */
static char *write_script(const struct place *p, const struct iptables_rules *rules, char *listed, bool *empty)
{
	bool goes = rules->own;
	char *script = NULL, *rest;
	size_t len = 0, start = strlen(rules->chain) + 4;
	FILE *f = open_memstream(&script, &len);

	if (!f)
		return NULL;
	*empty = true;
	fprintf(f, "*%s\n", rules->table);
	for (char *line = strtok_r(listed, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "-A ", 3) || strncmp(line + 3, rules->chain, start - 4) || line[start - 1] != ' ')
			continue;
		if (rules->is_meant(p->c, rules, line))
			*empty = fprintf(f, "-D %s\n", line + 3) < 0;
		else if (rules->own && iptables_leads_to_own(rules, line))
			goes = false;                           /* somebody else's, too */
	}
	if (goes)
		*empty = fprintf(f, "-F %s\n-X %s\n", rules->own, rules->own) < 0;
	fputs("COMMIT\n", f);
	return fclose(f) == 0 ? script : NULL;
}

/* 1: they are gone. 0: there is nothing to be done. -EAGAIN: it was refused; another program may have been quicker. */
static int try_once(const struct place *p, const struct iptables_rules *rules)
{
	char *args[] = { NULL, "-w", "--noflush", NULL };
	scoped(mem_free) char *listed = NULL, *script = NULL;
	struct spawned out;
	bool empty;
	int r = rules->own ? has_chain(p, rules->table, rules->own) : has_rules(p, rules);

	if (r != 1)
		return r;
	listed = list_rules(p, rules, &r);
	if (!listed)
		return r < 0 ? r : -EAGAIN;
	script = write_script(p, rules, listed, &empty);
	if (!script)
		return err_nomem(&p->c->err, "iptables rules");
	if (empty)
		return 0;
	r = run(p, "-restore", args, script, &out);
	free(out.output);
	return r < 0 ? r : out.status == 0 ? 1 : -EAGAIN;
}

static int forget_at(const struct place *p, const struct iptables_rules *rules)
{
	int r = -EAGAIN;

	for (int tries = 0; r == -EAGAIN && tries < TRIES; tries++)
		r = try_once(p, rules);
	if (r != -EAGAIN)
		return r;
	err_set(&p->c->err, CNI_FAILED, r, "ip%stables (%s) refused to remove the rules of chain %s, table %s, that another CNI plugin made",
	        p->family == AF_INET ? "" : "6", p->legacy ? "legacy" : "nft", rules->own ? rules->own : rules->chain, rules->table);
	err_detail(&p->c->err, "its own words are on stderr");
	return r;
}

int iptables_forget(struct cni_call *c, const struct iptables_rules *rules)
{
	scoped(nft_close) struct nft nft = { 0 };
	int r = nft_open(&nft, &c->err), found = 0;

	for (int i = 0; i < 4 && r >= 0; i++) {
		struct place p = { c, &nft, i & 1, i & 2 ? AF_INET6 : AF_INET };

		r = forget_at(&p, rules);
		found |= r == 1;
	}
	return r < 0 ? r : found;
}

static int each_at(const struct place *p, const char *table, const char *chain, int (*each)(struct cni_call *c, char *line, void *arg), void *arg)
{
	const struct iptables_rules rules = { .table = table, .chain = chain };
	int r = 0;
	scoped(mem_free) char *listed = list_rules(p, &rules, &r);
	char *rest = NULL;

	for (char *line = listed ? strtok_r(listed, "\n", &rest) : NULL; line && r == 0; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, "-A ", 3))
			r = each(p->c, line, arg);
	return r;
}

int iptables_each(struct cni_call *c, const char *table, const char *chain, int (*each)(struct cni_call *c, char *line, void *arg), void *arg)
{
	scoped(nft_close) struct nft nft = { 0 };
	int r = nft_open(&nft, &c->err);

	for (int i = 0; i < 4 && r == 0; i++) {
		struct place p = { c, &nft, i & 1, i & 2 ? AF_INET6 : AF_INET };

		r = each_at(&p, table, chain, each, arg);
	}
	return r;
}
