/* plumb-ruleset: loads what plumb has in nftables, from its text form, when a plugin finds it missing.
 *
 *     plumb-ruleset inet|bridge           load it; loading it again changes nothing and keeps every element
 *     plumb-ruleset print inet|bridge     show the text
 *
 * It is a program of its own because libnftables takes longer to load than a plugin to run. On failure it says why on
 * stdout, where the plugin reads it. */
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

extern const char ruleset_inet[], ruleset_bridge[];

static const char *text_of(const char *name)
{
	return !strcmp(name, "inet") ? ruleset_inet : !strcmp(name, "bridge") ? ruleset_bridge : NULL;
}

static int load(const char *text)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int bad;

	if (!nft) {
		puts("libnftables: no memory");
		return 1;
	}
	nft_ctx_buffer_error(nft);
	nft_ctx_buffer_output(nft);
	bad = nft_run_cmd_from_buffer(nft, text);
	if (bad)
		printf("%.*s\n", (int)strcspn(nft_ctx_get_error_buffer(nft), "\n"), nft_ctx_get_error_buffer(nft));      /* the rest shows the source */
	nft_ctx_free(nft);
	return bad != 0;
}

int main(int argc, char **argv)
{
	const char *text = argc == 2 ? text_of(argv[1]) : argc == 3 && !strcmp(argv[1], "print") ? text_of(argv[2]) : NULL;

	if (!text) {
		fputs("usage: plumb-ruleset [print] inet|bridge\n", stderr);
		return 2;
	}
	if (argc == 3)
		return fputs(text, stdout) < 0;
	return load(text);
}
