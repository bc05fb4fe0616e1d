#include "os/xtables.h"

#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <string.h>

#include "base/scoped.h"

enum { TRIES = 5 };                     /* the table may grow between the two questions */

/* The kernel loads a module for a table that it is asked about, so we ask only for one that is there. */
static bool is_there(int family, const char *table)
{
	FILE *f = fopen(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", "re");
	char line[XT_TABLE_MAXNAMELEN + 1];
	bool found = false;

	while (f && !found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		found = !strcmp(line, table);
	}
	if (f)
		fclose(f);
	return found;
}

/* The numbers and the heads of what is answered are the same for IPv4 and IPv6. NULL: try again, or give up, as errno says. */
static struct ipt_get_entries *entries_read(int fd, int level, const char *table)
{
	struct ipt_getinfo info = { .name = "" };
	socklen_t len = sizeof info;
	struct ipt_get_entries *all;

	snprintf(info.name, sizeof info.name, "%s", table);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) < 0)
		return NULL;
	len = sizeof *all + info.size;
	all = calloc(1, len);
	if (!all)
		return NULL;
	memcpy(all->name, info.name, sizeof info.name);
	all->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, all, &len) == 0)
		return all;
	free(all);
	return NULL;
}

bool xtables_contain(int family, const char *table, const void *what, size_t len)
{
	scoped(fd_close) int fd = is_there(family, table) ? socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;
	scoped(mem_free) struct ipt_get_entries *all = NULL;

	for (int tries = 0; fd >= 0 && !all && tries < TRIES; tries++) {
		all = entries_read(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, table);
		if (!all && errno != EAGAIN)
			return false;
	}
	return all && memmem(all->entrytable, all->size, what, len);
}
