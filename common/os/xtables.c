#include "os/xtables.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scoped.h"

enum { TRIES = 5 };                     /* the table may grow between the two questions */

/* The kernel loads a module for a table that it is asked about, so we ask only for one that is there. */
static bool is_there(int family, const char *table)
{
	scoped(fd_close) int fd = open(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names", O_RDONLY | O_CLOEXEC);
	char names[32 * XT_TABLE_MAXNAMELEN];           /* a line each; the kernel has five of its own */
	ssize_t n = fd < 0 ? -1 : read(fd, names, sizeof names - 1);
	char *rest = NULL;

	names[n > 0 ? n : 0] = '\0';
	for (char *name = strtok_r(names, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		if (!strcmp(name, table))
			return true;
	return false;
}

/* A table as the kernel gives it. The numbers and the heads are the same for IPv4 and IPv6. */
struct xtable {
	struct ipt_getinfo      info;
	struct ipt_get_entries *all;
};

static void xtable_free(struct xtable *t)
{
	free(t->all);
}

/* t->all NULL: try again, or give up, as errno says. */
static void entries_read(int fd, int level, const char *table, struct xtable *t)
{
	socklen_t len = sizeof t->info;
	struct ipt_get_entries *all;

	t->info = (struct ipt_getinfo){ .name = "" };
	snprintf(t->info.name, sizeof t->info.name, "%s", table);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &t->info, &len) < 0)
		return;
	len = sizeof *all + t->info.size;
	all = calloc(1, len);
	if (!all)
		return;
	memcpy(all->name, t->info.name, sizeof t->info.name);
	all->size = t->info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, all, &len) == 0)
		t->all = all;
	else
		free(all);
}

/* Whether there is one. */
static bool table_read(int family, const char *table, struct xtable *t)
{
	scoped(fd_close) int fd = is_there(family, table) ? socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;

	for (int tries = 0; fd >= 0 && !t->all && tries < TRIES; tries++) {
		entries_read(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, table, t);
		if (!t->all && errno != EAGAIN)
			return false;
	}
	return t->all;
}

bool xtables_contain(int family, const char *table, const void *what, size_t len)
{
	scoped(xtable_free) struct xtable t = { .all = NULL };

	return table_read(family, table, &t) && memmem(t.all->entrytable, t.all->size, what, len);
}

/* ---- What FORWARD does ---- */

/* An entry of either family: what it matches, as bytes, and its target. */
struct entry {
	const uint8_t                    *matches;
	size_t                            matches_len;
	bool                              more;         /* matches of extensions */
	const struct xt_standard_target  *target;
	unsigned                          next;
};

/* False: there is none, or it does not lie within the table. */
static bool entry_at(int family, const struct xtable *t, unsigned offset, struct entry *out)
{
	const size_t size = t->all->size, head = family == AF_INET ? sizeof(struct ipt_entry) : sizeof(struct ip6t_entry);
	const char *at = (const char *)t->all->entrytable + offset;
	const struct ipt_entry *v4 = (const void *)at;
	const struct ip6t_entry *v6 = (const void *)at;
	size_t target;

	if (offset + head > size)
		return false;
	if (family == AF_INET)
		*out = (struct entry){ .matches = (const void *)&v4->ip, .matches_len = sizeof v4->ip, .next = v4->next_offset };
	else
		*out = (struct entry){ .matches = (const void *)&v6->ipv6, .matches_len = sizeof v6->ipv6, .next = v6->next_offset };
	target = family == AF_INET ? v4->target_offset : v6->target_offset;
	out->more = target > head;
	out->target = (const void *)(at + target);
	return target >= head && offset + target + sizeof *out->target <= size && out->next > 0;
}

static bool takes_all(const struct entry *e)
{
	for (size_t i = 0; i < e->matches_len; i++)
		if (e->matches[i])
			return false;
	return !e->more;
}

/* A verdict is there as -1 less it; what is not negative is a jump. */
static bool drops(const struct entry *e)
{
	const char *name = e->target->target.u.user.name;

	return !strcmp(name, "REJECT") || (!*name && e->target->verdict == -NF_DROP - 1);
}

static bool accepts(const struct entry *e)
{
	return !*e->target->target.u.user.name && e->target->verdict == -NF_ACCEPT - 1;
}

/* The chain's last entry is its policy. */
bool xtables_forward_drops(int family)
{
	scoped(xtable_free) struct xtable t = { .all = NULL };

	if (!table_read(family, "filter", &t))
		return false;
	for (unsigned at = t.info.hook_entry[NF_INET_FORWARD]; at <= t.info.underflow[NF_INET_FORWARD];) {
		struct entry e;

		if (!entry_at(family, &t, at, &e))
			break;
		if (takes_all(&e) && (drops(&e) || accepts(&e)))
			return drops(&e);
		at += e.next;
	}
	return false;
}
