/* Golden rulesets: for each mix of options, the exact nftables tables that result.
 *
 * A folder beside this file is a case: `steps`, a line a call ("bridge ADD pod1 eth0 net.json"), the configurations that it names, and the text
 * of `nft list table inet plumb` and `nft list table bridge plumb` after the last step, as inet.nft and bridge.nft; a file that is not there stands for
 * a table that is not there. Each ADD is given the result of the one before for the same interface, CHECK and DEL that of the last, as a runtime does.
 * Addresses and MACs are told in the configurations, so that nothing varies.
 *
 *	GOLDEN_UPDATE=1 build/plain/tests/golden/golden [PATTERN]...    writes the text there is to the files: read the difference before you keep it */
#include <dirent.h>
#include <errno.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#define GOLDEN "tests/golden"

/* ---- nft ---- */

/* What nft answers to a command in a namespace of the world; NULL: it refuses, and *why says why. */
static const char *nft_in(const char *netns, const char *command, const char **why)
{
	int ns = world_netns(netns), host = world_netns("host");
	struct nft_ctx *nft = NULL;
	const char *text = NULL;

	if (ns < 0 || host < 0 || world_enter_netns(ns) < 0)
		fail("namespace %s: %s", netns, strerror(errno));
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_STATELESS);
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	if (nft_run_cmd_from_buffer(nft, command) == 0)
		text = keep("%s", nft_ctx_get_output_buffer(nft));
	else if (why)
		*why = keep("%s", nft_ctx_get_error_buffer(nft));
	nft_ctx_free(nft);
	if (world_enter_netns(host) < 0)
		fail("leaving %s: %s", netns, strerror(errno));
	return text;
}

/* The text of a table of plumb's, "" where there is none. */
static const char *table_in(const char *netns, const char *family)
{
	const char *text = nft_in(netns, keep("list table %s plumb", family), NULL);

	return text ? text : "";
}

/* As the nft at hand prints it: versions differ in spaces and names, not in what they mean. */
static const char *as_printed_here(const char *family, const char *text)
{
	const char *why = "", *scratch = keep("scratch-%s", family);
	struct fault fault;

	if (!*text)
		return text;
	if (world_furnish(scratch, &fault) < 0)
		fail("%s", fault.text);
	if (!nft_in(scratch, text, &why))
		fail("the expected text of table %s plumb is refused: %s", family, why);
	return table_in(scratch, family);
}

/* ---- Files ---- */

static const char *file_or_nothing(const char *path)
{
	const char *text = file_read(path);

	return text ? text : "";
}

static void update(const char *path, const char *text)
{
	if (*text)
		file_write(path, text);
	else
		remove(path);
}

static void compare(const char *folder, const char *family)
{
	const char *path = keep("%s/%s.nft", folder, family), *got = table_in("host", family), *want = file_or_nothing(path), *here;

	if (getenv("GOLDEN_UPDATE")) {
		update(path, got);
		return;
	}
	here = strcmp(got, want) ? as_printed_here(family, want) : want;
	if (!strcmp(got, here))
		return;
	file_write("/run/wanted", here);
	file_write("/run/got", got);
	fail("table %s plumb is not as in %s:\n%s", family, path, sh("host", "diff -u /run/wanted /run/got || true"));
}

/* ---- Steps ---- */

/* The last result for each interface of a container. */
static struct known {
	char          who[64];
	struct answer result;
} known[16];

static struct known *known_of(const char *pod, const char *ifname)
{
	const char *who = keep("%s/%s", pod, ifname);
	struct known *k = known;

	while (*k->who && strcmp(k->who, who))
		k++;
	snprintf(k->who, sizeof k->who, "%s", who);
	return k;
}

static void take_step(const char *folder, const char *line)
{
	char name[32], verb[16], pod[32], ifname[32], file[64], rest[64] = "";
	const char *conf;
	struct known *k;
	struct answer a;

	note("%s", line);
	if (sscanf(line, "%31s %15s %31s %31s %63s %63s", name, verb, pod, ifname, file, rest) < 5)
		fail("want PLUGIN VERB POD INTERFACE FILE [fails]");
	need_plugin(name);
	k = known_of(pod, ifname);
	conf = file_read(keep("%s/%s", folder, file));
	if (!conf)
		fail("%s/%s cannot be read", folder, file);
	a = call(.plugin = name, .verb = verb, .pod = pod, .ifname = ifname, .conf = k->result.json ? with_prev(conf, k->result) : conf);
	if (!strcmp(rest, "fails")) {
		expect(a.status == 1);
		return;
	}
	expect_ok(a);
	if (!strcmp(verb, "ADD"))
		k->result = a;
}

/* ---- The cases ---- */

static const char *folders[200];

static int is_folder(const struct dirent *entry)
{
	char path[512];

	snprintf(path, sizeof path, GOLDEN "/%s/steps", entry->d_name);
	return access(path, R_OK) == 0;
}

static void __attribute__((constructor)) gather(void)
{
	static const char *const none[] = { "no-folders-here", NULL };
	struct dirent **entries = NULL;
	int n = scandir(GOLDEN, &entries, is_folder, alphasort);

	if (n <= 0)
		memcpy(folders, none, sizeof none);
	for (int i = 0; i < n && i < 199; i++)
		folders[i] = entries[i]->d_name;        /* for the program's length */
	free(entries);
}

TEST_EACH(golden, folders, name)
{
	const char *folder = keep(GOLDEN "/%s", name);
	char *steps = keep("%s", file_or_nothing(keep("%s/steps", folder))), *line;

	if (!*steps)
		fail("no steps in %s; run this where the sources are", folder);
	world_begin("pod1 pod2 lan");
	while ((line = strsep(&steps, "\n")))
		if (*line && *line != '#')
			take_step(folder, line);
	compare(folder, "inet");
	compare(folder, "bridge");
}

/* What plugins load when the table is not there is what spec/ruleset.nft declares, no more and no less; and so it stays when it is loaded again. */
static const char *const families[] = { "inet", "bridge", NULL };

TEST_EACH(ruleset_is_as_declared, families, family)
{
	const char *path = strcmp(family, "bridge") ? "spec/ruleset.nft" : "spec/ruleset-bridge.nft", *declared, *why = "";

	world_begin("declared");
	if (!nft_in("declared", file_or_nothing(path), &why))
		fail("%s: %s", path, why);
	declared = table_in("declared", family);
	sh("host", "%s/plumb-ruleset %s", bin_dir(), family);
	expect_text(table_in("host", family), declared);
	sh("host", "%s/plumb-ruleset %s", bin_dir(), family);
	expect_text(table_in("host", family), declared);
}
