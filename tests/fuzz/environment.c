/* The environment, a line a variable in the order below; and the names that are made of it. */
#include <string.h>

#include "cni/attach.h"
#include "cni/env.h"
#include "lib/call.h"
#include "lib/fuzz.h"

static const char *const names[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_ARGS", "CNI_PATH" };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void look_at_names(const struct attachment *who)
{
	char link[IFNAME_SIZE], owner[OWNER_SIZE], words[256];

	require(!strchr(who->container, '/') && !strchr(who->ifname, '/'));
	attach_host_ifname("net", who->container, who->ifname, link);
	attach_owner("net", who->container, who->ifname, owner);
	require(!ifname_fault(link));
	require(strlen(owner) < OWNER_SIZE && !strncmp(owner, "net/", 4));
	attach_describe(owner, words, sizeof words);
	require(strstr(words, "net"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_call c = { .plugin = plugin_find("bridge"), .pod_fd = -1 };
	scoped(mem_free) char *copy = text_of(data, size);
	char *rest = copy;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *value = line_of(&rest);

		if (value)
			setenv(names[i], value, 1);
		else
			unsetenv(names[i]);
	}
	r = env_read(&c);
	require_outcome(r, &c.err);
	if (r == 0 && *c.who.container && (c.verb == VERB_ADD || c.verb == VERB_DEL || c.verb == VERB_CHECK))
		look_at_names(&c.who);
	return 0;
}
