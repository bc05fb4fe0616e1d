/* The index made anew from the files. */
#include <errno.h>
#include <fcntl.h>

#include "base/scoped.h"
#include "base/trace.h"
#include "host-local/store.h"

/* What we know of the lease beyond its file is carried over. */
static int note_file(struct store *s, struct mapped_table *fresh, const struct addr *a, const struct lease_file *file, bool unread)
{
	const struct lease_record *known = s->index.now.table.header ? table_at(&s->index.now.table, a) : NULL;
	uint64_t owner = *file->id ? lease_owner(file->id, file->ifname) : unread && known ? known->owner : 0;

	if (known && known->owner != owner)
		known = NULL;
	while (!table_add(&fresh->table, owner, a, known)) {
		struct mapped_table larger;
		int r = lease_index_grow(&s->index, fresh, &larger);

		if (r < 0)
			return r;
		mapped_table_free(fresh);
		*fresh = larger;
	}
	return 0;
}

static int scan_file(struct store *s, struct mapped_table *fresh, const char *name)
{
	struct lease_file file;
	struct addr a;
	int r;

	if (!lease_name_parse(name, &a))
		return 0;
	r = lease_file_read(s->dir, name, &file);
	if (r == -ENOENT || (r == 0 && file.empty))
		return 0;
	s->unread = first_failure(s->unread, r);        /* somebody holds it */
	return note_file(s, fresh, &a, &file, r < 0);
}

static int scan(struct store *s, struct mapped_table *fresh)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(dir_close) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		r = -errno;
		fd_close(&fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(d))) {
		if (lease_name_is_litter(entry->d_name))
			unlinkat(s->dir, entry->d_name, 0);
		else
			r = scan_file(s, fresh, entry->d_name);
	}
	return r < 0 ? r : -errno;
}

int store_rescan(struct store *s)
{
	scoped(trace_end) struct trace_span span = trace_begin("lease scan");
	struct mapped_table fresh;
	int r = lease_index_make(&s->index, TABLE_LEAST, &fresh);

	s->trusted = false;
	s->unread = 0;
	if (r == 0)
		r = scan(s, &fresh);
	if (r < 0) {
		mapped_table_free(&fresh);
		return err_sys(s->err, CNI_IO, r, "lease directory %s: cannot be read", s->path);
	}
	lease_index_use(&s->index, &fresh);
	s->scanned = true;
	s->trusted = s->unread == 0;
	return 0;
}
