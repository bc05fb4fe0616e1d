/* What is installed: plugins and helpers, of one build; directories that can be written; name servers that run. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni/execute.h"
#include "doctor.h"
#include "os/file.h"
#include "plumb.h"
#include "program.h"

#define NAMES "/run/plumb/names"

enum { BUILD_TEXT = 40, FIRST_PAGE = 4096, TEXT_LIMIT = 64 << 10 };

/* ---- Builds ---- */

/* The ELF note that self.c puts into each executable: "plumb", then the build's id. False: it is not plumb's. */
static bool read_build(const char *path, char out[BUILD_TEXT + 1])
{
	static const char mark[] = "\x01\0\0\0plumb\0\0";               /* with the end that C gives it */
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char page[FIRST_PAGE];
	ssize_t n = fd < 0 ? -1 : pread(fd, page, sizeof page, 0);
	const char *at = n > 0 ? memmem(page, (size_t)n, mark, sizeof mark) : NULL;

	if (!at || at + sizeof mark + BUILD_TEXT > page + n)
		return false;
	memcpy(out, at + sizeof mark, BUILD_TEXT);
	out[BUILD_TEXT] = '\0';
	return strspn(out, "0123456789abcdef") == BUILD_TEXT;
}

static const char *const own_plugins[] = { "bridge", "ptp", "portmap", "firewall", "host-local", "static", "loopback", "none", "host", "dnsname" };

static void examine_builds(struct examination *x)
{
	const char *others = "", *foreign = "", *path;
	char own[BUILD_TEXT + 1] = "", build[BUILD_TEXT + 1];
	size_t ours = 0;

	read_build("/proc/self/exe", own);
	for (size_t i = 0; i < ARRAY_LEN(own_plugins); i++) {
		if (!(path = plugin_path(&x->c->arena, x->c->opt.bin_path, own_plugins[i])))
			continue;
		if (!read_build(path, build))
			foreign = find_words(x, "%s%s%s", foreign, *foreign ? ", " : "", path);
		else if (strcmp(build, own) != 0)
			others = find_words(x, "%s%s%s", others, *others ? ", " : "", own_plugins[i]);
		ours += read_build(path, build);
	}
	if (*own && *others)
		find_add(x, (struct finding){ LEVEL_WARNING, "mixed-builds",
					     find_words(x, "of another build than this plumb: %s (of %s)", others, x->c->opt.bin_path),
					     "plugins of one build run their address plugins in process, others execute them; and an older one may "
					     "refuse a newer one's ruleset",
					     "install all of one build: make install" });
	if (ours && *foreign)
		find_add(x, (struct finding){ LEVEL_WARNING, "mixed-plugins", find_words(x, "not plumb's, beside plumb's: %s", foreign),
					     "both work, but neither knows what the other has in iptables or nftables: a port may be published twice",
					     "install all of plumb's, or none" });
}

/* ---- Helpers ---- */

static bool names_type(const struct survey *s, const char *wanted)
{
	json_t *plugin;
	size_t i;

	for_list (const struct seen_network, n, &s->networks)
		json_array_foreach(n->conf.plugins, i, plugin)
			if (!strcmp(plugin_type(plugin), wanted))
				return true;
	return false;
}

static bool has_table(const struct ruleset *rs, const char *name)
{
	for_list (const struct chain, c, &rs->chains)
		if (!strcmp(c->table, name))
			return true;
	return false;
}

static void examine_helpers(struct examination *x)
{
	const char *dirs = x->c->opt.bin_path;

	if (!plugin_path(&x->c->arena, dirs, "plumb-ruleset"))
		find_add(x, (struct finding){ LEVEL_PROBLEM, "helper-missing", find_words(x, "no plumb-ruleset in %s", dirs),
					     "after a boot, or a flush, nothing that needs nftables can be attached",
					     "install it beside the plugins: make install" });
	if (has_table(&x->rs, "firewalld") && !plugin_path(&x->c->arena, dirs, "plumb-firewalld"))
		find_add(x, (struct finding){ LEVEL_WARNING, "helper-missing",
					     find_words(x, "firewalld runs, and there is no plumb-firewalld in %s", dirs),
					     "containers cannot be bound to a zone, and firewalld drops what they send",
					     "build with libsystemd's headers and install it beside the plugins" });
	if (!program_find(x->c, "nft"))
		find_add(x, (struct finding){ LEVEL_WARNING, "helper-missing", "no program nft",
					     "plumb explain and plumb doctor read the rules by it; the plugins do without", "install nftables" });
	if (names_type(x->s, "dnsname") && !program_find(x->c, "dnsmasq"))
		find_add(x, (struct finding){ LEVEL_PROBLEM, "helper-missing", "no program dnsmasq, and networks name the plugin dnsname",
					     "containers do not find each other by name", "install dnsmasq (Debian: dnsmasq-base)" });
}

/* ---- Directories ---- */

/* The first of it that is there. */
static bool is_writable(struct examination *x, const char *path, const char **where)
{
	char *copy = arena_strdup(&x->c->arena, path), *slash;

	*where = copy;
	while (access(copy, W_OK) < 0) {
		if (errno != ENOENT || !(slash = strrchr(copy, '/')) || slash == copy)
			return false;
		*slash = '\0';
	}
	return true;
}

static void examine_directories(struct examination *x)
{
	const char *const wanted[][2] = {{"/run/plumb", "what nftables and leases are restored and looked up by is not kept"},
					 {x->c->opt.cache_dir, "nothing can be attached"},
					 {"/var/lib/cni/networks", "no address can be given"}};
	const char *where;

	for (size_t i = 0; i < ARRAY_LEN(wanted) && geteuid() == 0; i++)
		if (!is_writable(x, wanted[i][0], &where)) {
			int why = errno;

			find_add(x, (struct finding){ LEVEL_PROBLEM, "not-writable", find_words(x, "%s cannot be written: %s", where, strerror(why)),
						     wanted[i][1], "mount it writable, or make room" });
		}
}

/* ---- Name servers (dnsname): /run/plumb/names/servers/VIEW/pid ---- */

static bool server_runs(struct examination *x, const char *pid_file)
{
	const char *wanted = find_words(x, "--pid-file=%s", pid_file);
	size_t len, size;
	char *pid = file_read(&x->c->arena, pid_file, TEXT_LIMIT, &len), *command;

	if (!pid)
		return false;
	command = file_read(&x->c->arena, find_words(x, "/proc/%d/cmdline", atoi(pid)), TEXT_LIMIT, &size);
	return command && memmem(command, size, wanted, strlen(wanted) + 1);
}

static void examine_servers(struct examination *x)
{
	scoped(dir_close) DIR *d = opendir(NAMES "/servers");
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' || server_runs(x, find_words(x, NAMES "/servers/%s/pid", entry->d_name)))
			continue;
		find_add(x, (struct finding){ LEVEL_PROBLEM, "name-server-dead",
					     find_words(x, "the name server of network %s does not run", entry->d_name),
					     "its containers do not find each other by name, nor anybody else",
					     "attach a container to the network (it is started anew with that), or see in the journal why it ended" });
	}
}

void examine_install(struct examination *x)
{
	examine_builds(x);
	examine_helpers(x);
	examine_directories(x);
	examine_servers(x);
}
