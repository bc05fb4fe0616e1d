/* plumb network rm, prune: removes networks that nobody uses. With a network go its configuration, its bridge where that is ours and empty, and
 * its empty lease folder. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "attachment.h"
#include "attachments.h"
#include "base/addr.h"
#include "confwrite.h"
#include "lock.h"
#include "netinfo.h"
#include "os/file.h"
#include "os/link.h"
#include "plumb.h"

enum { LEASE_LIMIT = 512 };

/* ---- Who uses it ---- */

struct users {
	char   words[512];              /* "web (eth0), api (eth0)" */
	size_t count;
};

static void note_user(struct users *u, const char *who)
{
	size_t used = strlen(u->words);

	u->count++;
	if (!text_format(u->words + used, sizeof u->words - used, "%s%s", used ? ", " : "", who))
		u->words[used] = '\0';
}

static bool is_listed(const struct list *attached, const char *container)
{
	for_list (const struct cached, a, attached)
		if (!strcmp(a->endpoint.container, container))
			return true;
	return false;
}

/* Leases of runtimes that keep their records elsewhere. */
static void note_leases(struct call *c, const struct network *n, const struct list *attached, struct users *u)
{
	const char *path = network_lease_dir(c, n);
	scoped(dir_close) DIR *d = path ? opendir(path) : NULL;
	struct dirent *entry;
	struct addr a;
	size_t len;

	while (d && (entry = readdir(d))) {
		const char *file = addr_parse(entry->d_name, &a) ? arena_printf(&c->arena, "%s/%s", path, entry->d_name) : NULL;
		char *holder = file ? file_read(&c->arena, file, LEASE_LIMIT, &len) : NULL;

		if (!holder || !*holder)
			continue;
		holder[strcspn(holder, "\r\n")] = '\0';
		if (!is_listed(attached, holder))
			note_user(u, arena_printf(&c->arena, "%s (lease %s)", holder, entry->d_name));
	}
}

/* One whose namespace is gone uses nothing. */
static bool is_stale(struct call *c, const struct cached *a)
{
	return a->unfinished || attachment_fault(c, &a->endpoint);
}

static int find_users(struct call *c, const struct network *n, struct list *attached, struct users *u)
{
	int r = attachments_of(c, n->name, attached);

	*u = (struct users){ .count = 0 };
	for_list (const struct cached, a, attached)
		if (r == 0 && !is_stale(c, a))
			note_user(u, attached_words(c, a));
	if (r == 0)
		note_leases(c, n, attached, u);
	return r;
}

/* ---- What goes with it ---- */

struct ports {
	int    bridge;
	size_t count;
};

static int count_port(const struct link *l, void *arg)
{
	struct ports *p = arg;

	p->count += l->master == p->bridge;
	return 0;
}

static int names_bridge(struct call *c, const struct network *n, void *bridge)
{
	const char *name = network_bridge(n);

	(void)c;
	return name && !strcmp(name, bridge);
}

/* A bridge of an address that the network's gateway is, without ports, that no other network names. */
static void remove_bridge(struct call *c, const struct network *n)
{
	const char *name = network_is_ours(n) ? network_bridge(n) : NULL;
	struct err why = { 0 };
	struct ports ports;
	struct netlink nl;
	struct link l;
	int r;

	if (!name || network_each(c, names_bridge, (void *)name) != 0 || netlink_open(&nl, NETLINK_ROUTE, &why) < 0)
		return;
	r = link_by_name(&nl, name, &l, &why);
	if (r == 0 && strcmp(l.kind, "bridge"))
		r = -ENODEV;
	ports = (struct ports){ .bridge = l.index };
	if (r == 0 && (r = link_each(&nl, count_port, &ports, &why)) == 0 && ports.count == 0)
		r = link_delete(&l, &why);
	netlink_close(&nl);
	if (r == 0 && ports.count > 0)
		fprintf(stderr, "plumb: network rm %s: bridge %s stays: it has %zu port%s still\n", n->name, name, ports.count,
		        ports.count == 1 ? "" : "s");
	else if (r < 0 && r != -ENODEV)
		fprintf(stderr, "plumb: network rm %s: %s: %s\n", n->name, why.msg, why.details);
}

/* host-local's index of the folder (spec/store.md). */
static void remove_index(struct call *c, const char *dir)
{
	const char *path;
	struct stat st;

	if (stat(dir, &st) < 0)
		return;
	path = arena_printf(&c->arena, "/run/plumb/leases/%x-%x-%llx", major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino);
	if (path)
		unlink(path);
}

static bool is_host_locals(const char *name)
{
	static const char *const files[] = { "lock", ".lease.new", ".last_reserved_ip.new" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!strcmp(name, files[i]))
			return true;
	return !strncmp(name, "last_reserved_ip.", 17);
}

/* A folder that still has leases, or anything else, stays; with --force leases go too. */
static void remove_leases(struct call *c, const struct network *n)
{
	const char *dir = network_lease_dir(c, n);
	scoped(dir_close) DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *entry;
	struct addr a;

	while (d && (entry = readdir(d))) {
		bool goes = is_host_locals(entry->d_name) || (c->opt.force && addr_parse(entry->d_name, &a));
		const char *path = goes ? arena_printf(&c->arena, "%s/%s", dir, entry->d_name) : NULL;

		if (path)
			unlink(path);
	}
	if (!d)
		return;
	remove_index(c, dir);
	rmdir(dir);
}

/* ---- Removing ---- */

static int refuse_users(struct call *c, const struct network *n, const struct users *u)
{
	trouble_set(&c->trouble, EXIT_FAILED, -EBUSY, "network %s is in use by %s", n->name, u->words);
	err_detail(&c->trouble.err, "detach %s (plumb network disconnect), or remove it with -f", u->count == 1 ? "it" : "them");
	return -EBUSY;
}

static void detach_all(struct call *c, const struct network *n, const struct list *attached)
{
	for_list (const struct cached, a, attached)
		attachment_clear(c, n->name, n, &a->endpoint);
}

static int remove_network(struct call *c, const struct network *n)
{
	struct list attached;
	struct users users;
	int r = find_users(c, n, &attached, &users);

	if (r < 0)
		return r;
	if (users.count && !c->opt.force)
		return refuse_users(c, n, &users);
	detach_all(c, n, &attached);
	if (unlink(n->path) < 0 && errno != ENOENT)
		return err_sys(&c->trouble.err, CNI_IO, -errno, "%s", n->path);
	remove_bridge(c, n);
	remove_leases(c, n);
	puts(n->name);
	return 0;
}

static int refuse_others(struct call *c, const struct network *n)
{
	trouble_set(&c->trouble, EXIT_FAILED, -EPERM, "network %s was not made by plumb network create", n->name);
	err_detail(&c->trouble.err, "remove %s by hand, or with -f", n->path);
	return -EPERM;
}

static int remove_named(struct call *c, const char *text)
{
	struct network n;
	int r = network_named(c, text, &n);

	if (r == -ENOENT && c->opt.force) {
		c->trouble = (struct trouble){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	if (!network_is_ours(&n) && !c->opt.force)
		return refuse_others(c, &n);
	return remove_network(c, &n);
}

/* Nobody attaches meanwhile, and nobody makes or removes a network. */
static int lock_both(struct call *c)
{
	int lock = confdir_lock(c), r;

	if (lock < 0)
		return lock;
	r = lock_all(c);
	if (r == 0)
		return lock;
	close(lock);
	return r;
}

int network_rm_run(struct call *c)
{
	scoped(fd_close) int lock = lock_both(c);
	int code = EXIT_DONE;

	if (lock < 0)
		return lock;
	for (char **name = c->opt.operands; *name; name++)
		if (remove_named(c, *name) < 0)
			code = trouble_pass(c);
	return code;
}

/* ---- prune ---- */

static int gather_unused(struct call *c, const struct network *n, void *arg)
{
	struct list attached, *out = arg;
	struct network *slot;
	struct users users;
	int r = find_users(c, n, &attached, &users);

	if (r < 0 || !network_is_ours(n) || users.count || !network_matches(c, n, &c->opt.filters, false))
		return r;
	slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&c->trouble.err, "networks");
	*slot = *n;
	return 0;
}

static bool is_agreed(struct call *c)
{
	char answer[16] = "";

	if (c->opt.force)
		return true;
	fputs("WARNING! This will remove all networks made by plumb and not used by at least one container.\n"
	      "Are you sure you want to continue? [y/N] ", stderr);
	return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

int network_prune_run(struct call *c)
{
	scoped(fd_close) int lock = -1;
	struct list unused = { 0 };
	int code = EXIT_DONE, r = network_filters_check(c);

	if (r < 0)
		return r;
	if (!is_agreed(c))
		return EXIT_DONE;
	c->opt.force = false;           /* who asks for nothing to be asked does not ask for what is in use */
	if ((lock = lock_both(c)) < 0)
		return lock;
	if ((r = network_each(c, gather_unused, &unused)) < 0)
		return r;
	for_list (const struct network, n, &unused)
		if (remove_network(c, n) < 0)
			code = trouble_pass(c);
	return code;
}
