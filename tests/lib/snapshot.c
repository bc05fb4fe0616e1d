#include "snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "fixture.h"
#include "run.h"
#include "test.h"

void snapshot_add(struct snapshot *s, const char *fmt, ...)
{
	va_list ap;

	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->lines = realloc(s->lines, s->room * sizeof *s->lines);
	}
	va_start(ap, fmt);
	if (!s->lines || vasprintf(&s->lines[s->count++], fmt, ap) < 0)
		abort();
	va_end(ap);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void snapshot_sort(struct snapshot *s)
{
	if (s->count)
		qsort(s->lines, s->count, sizeof *s->lines, by_text);
}

/* Settings that plugins change and that a test should know of. */
static void snapshot_settings(struct snapshot *s)
{
	static const char *const names[] = {
		"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/route_localnet", "net/ipv4/conf/lo/route_localnet",
		"net/ipv4/conf/lan0/route_localnet", "net/ipv6/conf/lan0/accept_ra", "net/ipv4/conf/all/rp_filter",
		"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		snapshot_add(s, "setting host: %s = %s", names[i], sysctl_in("host", names[i]));
}

/* Name servers that run, by their pid files: what else their command lines say may differ. */
static void snapshot_servers(struct snapshot *s)
{
	static const char option[] = "--pid-file=";
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		char line[4096] = "";
		const char *comm = *entry->d_name >= '0' && *entry->d_name <= '9' ? file_read(keep("/proc/%s/comm", entry->d_name)) : NULL;
		int fd = comm && !strcmp(comm, "dnsmasq\n") ? open(keep("/proc/%s/cmdline", entry->d_name), O_RDONLY | O_CLOEXEC) : -1;
		ssize_t len = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

		if (fd >= 0)
			close(fd);
		for (const char *word = line; word < line + len; word += strlen(word) + 1)
			if (!strncmp(word, option, strlen(option)))
				snapshot_add(s, "server host: %s", word + strlen(option));
	}
	if (dir)
		closedir(dir);
}

struct snapshot snapshot_take(void)
{
	struct snapshot s = { 0 };
	struct dirent *entry;
	DIR *dir = opendir("/run/netns");

	snapshot_net(&s, "host");
	while (dir && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			snapshot_net(&s, entry->d_name);
	if (dir)
		closedir(dir);
	snapshot_settings(&s);
	snapshot_nft(&s, "host");
	snapshot_servers(&s);
	snapshot_files(&s, "/run");
	snapshot_files(&s, "/var/lib/cni");
	snapshot_sort(&s);
	return s;
}

/* ---- Comparison ---- */

/* The lines of our rulesets, as the helper loads them into an empty namespace. */
static const struct snapshot *static_ruleset(void)
{
	static struct snapshot lines;
	const char *const families[] = { "inet", "bridge" };
	struct fault why;

	if (lines.count)
		return &lines;
	snapshot_add(&lines, "%s", "");
	if (world_furnish("ruleset-as-loaded", &why) < 0)
		fail_("%s", why.text);
	for (size_t i = 0; i < 2; i++) {
		const char *argv[] = { keep("%s/plumb-ruleset", bin_dir()), families[i], NULL };
		struct ran ran = run_program(&(struct run){ .argv = argv, .netns = "ruleset-as-loaded", .deadline_ms = 30000 });

		if (ran.status != 0)
			fail_("plumb-ruleset %s: exit status %d\n%s%s", families[i], ran.status, ran.out, ran.err);
	}
	snapshot_nft(&lines, "ruleset-as-loaded");
	if (umount2("/run/netns/ruleset-as-loaded", MNT_DETACH) < 0 || unlink("/run/netns/ruleset-as-loaded") < 0)
		fail_("removing the namespace ruleset-as-loaded: %s", strerror(errno));
	snapshot_sort(&lines);
	return &lines;
}

static bool is_static_ruleset(char *line)
{
	const struct snapshot *s;

	if (strncmp(line, "nft ", 4))
		return false;
	s = static_ruleset();
	return bsearch(&line, s->lines, s->count, sizeof *s->lines, by_text) != NULL;
}

static bool is_allowed(char *line, const char *const allowed[])
{
	for (; *allowed; allowed++)
		if (!strcmp(*allowed, RULESET_IS_STATIC) ? is_static_ruleset(line) : fnmatch(*allowed, line, 0) == 0)
			return true;
	return false;
}

char *snapshot_difference(const struct snapshot *before, const struct snapshot *now, const char *const allowed[])
{
	size_t i = 0, k = 0, size;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);

	while (i < before->count || k < now->count) {
		int order = i == before->count ? 1 : k == now->count ? -1 : strcmp(before->lines[i], now->lines[k]);

		if (order == 0) {
			i++, k++;
			continue;
		}
		if (!is_allowed(order < 0 ? before->lines[i] : now->lines[k], allowed))
			fprintf(f, "%c %s\n", order < 0 ? '-' : '+', order < 0 ? before->lines[i] : now->lines[k]);
		if (order < 0)
			i++;
		else
			k++;
	}
	fclose(f);
	return text;
}
