#include "host-local/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/scoped.h"
#include "base/text.h"

#define INDEX_PARENT "/run/plumb"
#define INDEX_DIR    INDEX_PARENT "/leases"

/* ---- Files ---- */

/* What /run held may have outlived the machine's last boot, where it is no tmpfs. False: it cannot be told. */
static bool boot_read(char out[TABLE_BOOT_SIZE])
{
	scoped(fd_close) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, TABLE_BOOT_SIZE - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static int index_dir_open(void)
{
	int fd = open(INDEX_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	mkdir(INDEX_PARENT, 0755);
	mkdir(INDEX_DIR, 0700);
	return open(INDEX_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void *map(int fd, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Named by the directory's identity: two directories never share a file, by whatever path and in whatever mount namespace. */
void lease_index_open(struct lease_index *ix, int store)
{
	scoped(fd_close) int fd = -1;
	struct stat st;
	void *p;

	*ix = (struct lease_index){ .dir = -1 };
	if (!boot_read(ix->boot) || fstat(store, &st) < 0)
		return;
	snprintf(ix->name, sizeof ix->name, "%x-%x-%llx", major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino);
	ix->dir = index_dir_open();
	fd = ix->dir < 0 ? -1 : openat(ix->dir, ix->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (p = map(fd, st.st_size)) == NULL)
		return;
	ix->now.size = st.st_size;
	if (!table_attach(&ix->now.table, p, st.st_size, ix->boot)) {
		munmap(p, st.st_size);
		ix->now = (struct mapped_table){ 0 };
	}
}

void mapped_table_free(struct mapped_table *t)
{
	if (t->table.header)
		munmap(t->table.header, t->size);
	*t = (struct mapped_table){ 0 };
}

void lease_index_close(struct lease_index *ix)
{
	mapped_table_free(&ix->now);
	fd_close(&ix->dir);
	ix->dir = -1;
}

/* ---- Right or not ---- */

bool lease_index_is_right(const struct lease_index *ix, int store)
{
	const struct table_header *h = ix->now.table.header;
	struct stat st;

	if (!h || (h->seal_sec == 0 && h->seal_nsec == 0) || fstat(store, &st) < 0)
		return false;
	return st.st_mtim.tv_sec == h->seal_sec && st.st_mtim.tv_nsec == h->seal_nsec;
}

void lease_index_unseal(struct lease_index *ix)
{
	if (ix->now.table.header)
		ix->now.table.header->seal_sec = ix->now.table.header->seal_nsec = 0;
}

/* The stamp is a second old, so that no change that comes after can have the same time, however coarse the kernel's clock. A file
 * system that rounds times would hide changes within its step: then nothing is sealed, and neither where the time is not ours to set. */
void lease_index_seal(struct lease_index *ix, int store)
{
	struct table_header *h = ix->now.table.header;
	struct timespec stamp[2] = { { .tv_nsec = UTIME_OMIT } };
	struct stat st;

	if (!h || ix->dir < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &stamp[1]);
	stamp[1].tv_sec--;
	stamp[1].tv_nsec |= 1;
	if (futimens(store, stamp) < 0 || fstat(store, &st) < 0)
		return;
	if (st.st_mtim.tv_sec != stamp[1].tv_sec || st.st_mtim.tv_nsec != stamp[1].tv_nsec)
		return;
	h->seal_sec = stamp[1].tv_sec;
	h->seal_nsec = stamp[1].tv_nsec;
}

/* ---- New tables ---- */

/* A file of this size with its memory granted, so that a full /run is an error now and not a signal later; -1: none. */
static int file_make(struct lease_index *ix, size_t size)
{
	scoped(fd_close) int fd = -1;
	char name[sizeof ix->name + 4];

	if (ix->dir < 0)
		return -1;
	snprintf(name, sizeof name, "%s.new", ix->name);
	unlinkat(ix->dir, name, 0);
	fd = openat(ix->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, size) != 0) {
		if (fd >= 0)
			unlinkat(ix->dir, name, 0);
		return -1;
	}
	return fd_keep(&fd);
}

int lease_index_make(struct lease_index *ix, uint32_t capacity, struct mapped_table *out)
{
	size_t size = table_size(capacity);
	scoped(fd_close) int fd = -1;
	void *p;

	*out = (struct mapped_table){ 0 };
	if (capacity > TABLE_MOST)
		return -ENOSPC;
	fd = file_make(ix, size);
	if (fd < 0) {                   /* from here on in our own memory */
		fd_close(&ix->dir);
		ix->dir = -1;
	}
	p = map(fd, size);
	if (!p)
		return -ENOMEM;
	out->size = size;
	table_format(&out->table, p, capacity, ix->boot);
	return 0;
}

int lease_index_grow(struct lease_index *ix, const struct mapped_table *from, struct mapped_table *out)
{
	int r = lease_index_make(ix, from->table.header->capacity * 2, out);

	if (r < 0)
		return r;
	for (struct lease_record *old = NULL; (old = table_walk(&from->table, old));) {
		struct addr a = lease_record_address(old);

		table_add(&out->table, old->owner, &a, old);
	}
	return 0;
}

void lease_index_use(struct lease_index *ix, struct mapped_table *t)
{
	char name[sizeof ix->name + 4];

	mapped_table_free(&ix->now);
	ix->now = *t;
	*t = (struct mapped_table){ 0 };
	snprintf(name, sizeof name, "%s.new", ix->name);
	if (ix->dir >= 0 && renameat(ix->dir, name, ix->dir, ix->name) < 0)
		unlinkat(ix->dir, name, 0);
}
