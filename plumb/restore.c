/* plumb restore: brings back what attachments have in nftables, after somebody has flushed the ruleset, and in firewalld's zones. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cni/execute.h"
#include "cni/nftables.h"
#include "os/file.h"
#include "plumb.h"
#include "restore.h"
#include "zones.h"

enum { RECORD_LIMIT = 64 << 20 };

struct restoring {
	const struct nft_table *table;
	bool                    there;          /* already */
	size_t                  records, attachments;
	uint64_t                last;           /* attachment seen */
};

/* ---- What is on record ---- */

/* Whether a record has something of the table's family. (Its first message is a note, of no subsystem.) */
static bool concerns(char *bytes, size_t len, const struct nft_table *table)
{
	int left = len > INT_MAX ? 0 : (int)len;

	for (struct nlmsghdr *h = (void *)bytes; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
		const struct nfgenmsg *g = nlmsg_data(h);

		if (h->nlmsg_type != NLMSG_NOOP && nlmsg_valid_hdr(h, sizeof *g) && g->nfgen_family == table->family)
			return true;
	}
	return false;
}

/* A record's name is its attachment's, a dot and a word. The names come sorted. */
static void count(struct restoring *what, const char *name)
{
	const char *dot = strrchr(name, '.');
	char attachment[NAME_MAX + 1];
	uint64_t hash;

	snprintf(attachment, sizeof attachment, "%.*s", (int)(dot ? dot - name : (ptrdiff_t)strlen(name)), name);
	hash = hash_strings(attachment, NULL);
	what->records++;
	what->attachments += hash != what->last;
	what->last = hash;
}

static int count_records(struct call *c, struct restoring *what)
{
	struct dirent **names = NULL;
	int n = scandir(NFT_RECORDS, &names, NULL, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(&c->trouble.err, CNI_IO, -errno, NFT_RECORDS);
	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(&c->arena, NFT_RECORDS "/%s", names[i]->d_name);
		size_t len;
		char *bytes = path && names[i]->d_name[0] != '.' ? file_read(&c->arena, path, RECORD_LIMIT, &len) : NULL;

		if (bytes && concerns(bytes, len, what->table))
			count(what, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* ---- What is there ---- */

static int is_of_table(const struct nft_chain_seen *chain, void *arg)
{
	struct restoring *what = arg;

	what->there |= chain->family == what->table->family && !strcmp(chain->table, what->table->name);
	return 0;
}

static int look(struct nft *nft, void *arg)
{
	struct err ignored = { 0 };

	return nft_chain_each(nft, is_of_table, arg, &ignored);
}

/* A transaction that only reads: it refuses a table of a newer edition, and one that is switched off. */
static int see_table(struct call *c, struct restoring *what)
{
	return nft_transact(&(struct nft_work){ .table = what->table, .decide = look, .arg = what, .reads = true }, &c->trouble.err);
}

/* ---- Bringing back ---- */

/* The helper is beside the plugins. Where none of their directories has it, it may be beside ourselves. */
void restore_find_helper(struct call *c)
{
	char *path = plugin_path(&c->arena, c->opt.bin_path, "plumb-ruleset");

	if (!path)
		return;
	*strrchr(path, '/') = '\0';
	nft_helpers_in(path);
}

static void tell(const struct call *c, const struct restoring *what, json_t *list)
{
	const char *name = what->table->ruleset;

	if (c->opt.json)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:b, s:I, s:I}", "family", name, "table", what->table->name, "wasThere", what->there,
						"records", (json_int_t)what->records, "attachments", (json_int_t)what->attachments));
	else
		printf("nftables table %s %s: chains and rules loaded%s, %zu record%s of %zu attachment%s put back\n", name, what->table->name,
		       what->there ? " anew" : "", what->records, what->records == 1 ? "" : "s", what->attachments,
		       what->attachments == 1 ? "" : "s");
}

static int restore_table(struct call *c, const struct nft_table *table, json_t *list)
{
	struct restoring what = { .table = table };
	int r = count_records(c, &what);

	if (r < 0 || (r = see_table(c, &what)) < 0)
		return r;
	if (what.records == 0 && !what.there)
		return 0;
	r = nft_restore(table, &c->trouble.err);
	if (r < 0)
		return r;
	tell(c, &what, list);
	return 1;
}

int restore_run(struct call *c)
{
	static const struct nft_table *const tables[] = { &nft_inet, &nft_bridge };
	json_t *list = call_keep(c, json_array());
	int done = 0, zones;

	restore_find_helper(c);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int r = restore_table(c, tables[i], list);

		if (r < 0)
			return r;
		done += r;
	}
	zones = zones_restore(c);
	if (c->opt.json) {
		scoped(json_put) json_t *j = json_pack("{s:O, s:i}", "restored", list, "zones", zones < 0 ? 0 : zones);

		print_json(j);
	} else if (zones > 0) {
		printf("firewalld: %d attachment%s back in %s zone%s\n", zones, zones == 1 ? "" : "s", zones == 1 ? "its" : "their", zones == 1 ? "" : "s");
	} else if (!done && zones == 0) {
		puts("nothing to restore: no nftables table of plumb is there, and nothing on record in " NFT_RECORDS);
	}
	return zones < 0 ? zones : EXIT_DONE;
}
