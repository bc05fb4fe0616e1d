#include "host-local/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scoped.h"
#include "base/trace.h"
#include "host-local/lock.h"
#include "os/file.h"

/* ---- Opening ---- */

/* mkdir -p. */
static int make_directories(struct arena *a, const char *path)
{
	char *p = arena_strdup(a, path);

	if (!p)
		return -ENOMEM;
	for (char *slash = strchr(p + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(p, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static void tell_remedy(struct err *e, int r)
{
	if (file_remedy(r))
		err_detail(e, "%s, or choose another by ipam.dataDir", file_remedy(r));
	else
		err_detail(e, "plugins run as root and must be able to write there; ipam.dataDir chooses another");
}

static int directory_open(const char *path, bool create, struct arena *a, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		int r = make_directories(a, path);

		if (r < 0) {
			err_sys(e, CNI_IO, r, "lease directory %s: cannot be made", path);
			tell_remedy(e, r);
			return r;
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ENOENT : err_sys(e, CNI_IO, -errno, "lease directory %s", path);
}

int store_open(struct store *s, const char *path, bool create, struct arena *a, struct err *e)
{
	scoped(trace_end) struct trace_span span = trace_begin("lease lock");
	int r = -ESTALE;

	*s = (struct store)STORE_CLOSED;
	s->path = path;
	s->arena = a;
	s->err = e;
	for (int tries = 0; r == -ESTALE && tries < 100; tries++) {     /* somebody removes the directory as often as we find it */
		fd_close(&s->dir);
		s->dir = directory_open(path, create, a, e);
		if (s->dir < 0)
			return s->dir;
		r = s->lock = store_lock(s->dir, path, STORE_DEADLINE_MS, e);
	}
	if (r < 0) {
		err_sys(e, CNI_IO, r, "lease directory %s", path);
		if (file_remedy(r))
			tell_remedy(e, r);
		return r;
	}
	lease_index_open(&s->index, s->dir);
	s->trusted = lease_index_is_right(&s->index, s->dir);
	return s->trusted ? 0 : store_rescan(s);
}

int store_is_writable(const char *path, struct arena *a, struct err *e)
{
	char *there = arena_strdup(a, path), *slash;
	scoped(fd_close) int dir = -1;
	int r;

	if (!there)
		return err_nomem(e, path);
	while ((dir = open(there, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 && errno == ENOENT && (slash = strrchr(there, '/')) && slash > there)
		*slash = '\0';
	r = dir < 0 ? -errno : lease_file_probe(dir);
	if (r == 0 || r == -ENOENT)
		return 0;
	err_sys(e, CNI_UNAVAILABLE, r, "lease directory %s: cannot be written", path);
	tell_remedy(e, r);
	return r;
}

void store_close(struct store *s)
{
	const struct table_header *h = s->index.now.table.header;

	if (s->lock >= 0 && s->trusted && h && h->seal_sec == 0 && h->seal_nsec == 0)
		lease_index_seal(&s->index, s->dir);
	lease_index_close(&s->index);
	fd_close(&s->lock);
	fd_close(&s->dir);
	s->lock = s->dir = -1;
}

/* ---- Taking and giving back: the directory is changed first, then the table; cut off in between, the table is not sealed ---- */

static int note_lease(struct store *s, const struct addr *a, uint64_t owner, const struct lease_netns *ns)
{
	struct lease_record *r = table_at(&s->index.now.table, a);
	struct mapped_table larger;
	int bad;

	if (r)                                  /* its file was removed, or emptied, behind our back */
		table_remove(&s->index.now.table, r);
	while (!(r = table_add(&s->index.now.table, owner, a, NULL))) {
		bad = lease_index_grow(&s->index, &s->index.now, &larger);
		if (bad < 0)
			return bad;
		lease_index_use(&s->index, &larger);
	}
	r->of_this_boot = 1;
	if (ns->inode && strlen(ns->path) < sizeof r->netns) {
		strcpy(r->netns, ns->path);
		r->netns_inode = ns->inode;
	}
	return 0;
}

/* What is in the way: an empty file is removed, and the index mended where it did not know the file. */
static int clear_way(struct store *s, const struct addr *a, const char *name)
{
	struct lease_file file;
	int r = lease_file_read(s->dir, name, &file);

	if (r == -ENOENT)
		return 0;
	if (r == 0 && file.empty)
		return unlinkat(s->dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (!store_holds(s, a) && !s->scanned && (r = store_rescan(s)) < 0)
		return r;
	return -EEXIST;
}

int store_reserve(struct store *s, const struct addr *a, const char *id, const char *ifname, const struct lease_netns *ns)
{
	char name[ADDR_TEXT];
	int r;

	addr_text(a, name);
	lease_index_unseal(&s->index);
	r = lease_file_make(s->dir, name, id, ifname);
	if (r == -EEXIST && (r = clear_way(s, a, name)) == 0) {
		lease_index_unseal(&s->index);
		r = lease_file_make(s->dir, name, id, ifname);
	}
	if (r == -EEXIST)
		return r;
	if (r < 0) {
		err_sys(s->err, CNI_IO, r, "lease file %s/%s: cannot be written", s->path, name);
		tell_remedy(s->err, r);
		return r;
	}
	r = note_lease(s, a, lease_owner(id, ifname), ns);
	if (r == 0)
		return 0;
	unlinkat(s->dir, name, 0);
	return err_sys(s->err, CNI_FAILED, r, "index of the leases in %s", s->path);
}

int store_release(struct store *s, const struct addr *a)
{
	struct lease_record *r = table_at(&s->index.now.table, a);
	char name[ADDR_TEXT];

	addr_text(a, name);
	lease_index_unseal(&s->index);
	if (unlinkat(s->dir, name, 0) < 0 && errno != ENOENT)
		return err_sys(s->err, CNI_IO, -errno, "lease file %s/%s: cannot be removed", s->path, name);
	if (r)
		table_remove(&s->index.now.table, r);
	return 0;
}

/* ---- Looking ---- */

bool store_holds(const struct store *s, const struct addr *a)
{
	return table_at(&s->index.now.table, a);
}

int store_look(struct store *s, const struct addr *a, struct lease_file *file, const struct lease_record **record)
{
	char name[ADDR_TEXT];
	int r = lease_file_read(s->dir, addr_text(a, name), file);

	*record = table_at(&s->index.now.table, a);
	if (r < 0 && r != -ENOENT)
		return err_sys(s->err, CNI_IO, r, "lease file %s/%s: cannot be read", s->path, name);
	return r == 0 && file->empty ? -ENOENT : r;
}

/* One look by the index. 1 when a file says something else than the index: somebody wrote into it. */
static int find_once(struct store *s, const char *id, const char *ifname, struct list *out)
{
	const struct table *t = &s->index.now.table;
	uint64_t owner = lease_owner(id, ifname);
	uint32_t left = t->header->used;
	int stale = 0;

	*out = (struct list){ 0 };
	for (struct lease_record *r = NULL; (r = table_next(t, owner, r));) {
		struct addr a = lease_record_address(r), *slot;
		struct lease_file file;
		char name[ADDR_TEXT];
		int bad = lease_file_read(s->dir, addr_text(&a, name), &file);

		if (bad < 0 && bad != -ENOENT)
			return err_sys(s->err, CNI_IO, bad, "lease file %s/%s: cannot be read", s->path, name);
		if (left-- == 0)                /* more than there are: a circle, in a file that something has damaged */
			return 1;
		if (bad < 0 || strcmp(file.id, id) || strcmp(file.ifname, ifname)) {
			stale = 1;
			continue;
		}
		slot = arena_push(s->arena, &out->items, &out->count, sizeof a);
		if (!slot)
			return err_nomem(s->err, "leases");
		*slot = a;
	}
	return stale;
}

int store_find(struct store *s, const char *id, const char *ifname, struct list *out)
{
	int r = find_once(s, id, ifname, out);

	if (r > 0 && !s->scanned && (r = store_rescan(s)) == 0)
		r = find_once(s, id, ifname, out);
	return r < 0 ? r : 0;
}

const struct lease_record *store_walk(const struct store *s, const struct lease_record *after)
{
	return table_walk(&s->index.now.table, after);
}
