/* Records of what attachments have in nftables, in the kernel's own messages, for nft_restore and DEL. They are under /run, as short-lived as what they
 * tell of. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/scoped.h"
#include "os/file.h"
#include "os/nft.h"
#include "os/nft_message.h"

enum { RESTORE_DEADLINE_MS = 30 * 1000, RECORD_LIMIT = 64 << 20 };

/* The note is a message too, of no type that means something. */
struct note {
	struct nlmsghdr h;
	char            text[PATH_MAX];
};

/* What no restore sees: a record whose elements are being removed, and one that is being written (".new"). Of the record's own name, so that whoever
 * comes for the attachment finds what a killed process left of it. */
static void hidden_name(const char *path, const char *end, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, NFT_RECORDS "/.%s%s", strrchr(path, '/') + 1, end);
}

/* ---- Writing ---- */

static struct note make_note(const char *text)
{
	struct note n = { .h = { .nlmsg_type = NLMSG_NOOP } };

	snprintf(n.text, sizeof n.text, "%s", text ? text : "");
	n.h.nlmsg_len = NLMSG_ALIGN(sizeof n.h + strlen(n.text) + 1);
	return n;
}

static int refuse_to_write(struct err *e, int r, const char *path)
{
	err_sys(e, CNI_IO, r, "recording what goes into nftables: %s", path);
	if (file_remedy(r))
		err_detail(e, "%s", file_remedy(r));
	return r;
}

int nft_record_write(const char *path, const struct nft_messages *record, const char *note, struct err *e)
{
	struct note n = make_note(note);
	char new[PATH_MAX];
	scoped(fd_close) int fd = -1;
	int r = 0;

	hidden_name(path, ".new", new);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT) {
		if ((mkdir("/run/plumb", 0755) < 0 && errno != EEXIST) || (mkdir(NFT_RECORDS, 0700) < 0 && errno != EEXIST))
			return refuse_to_write(e, -errno, path);
		fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return refuse_to_write(e, -errno, path);
	r = file_write(fd, (const char *)&n, n.h.nlmsg_len);
	if (r == 0)
		r = file_write(fd, (const char *)record->bytes, record->len);
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(new);
		return refuse_to_write(e, r, path);
	}
	return 0;
}

/* ---- Hiding and removing ---- */

int nft_record_remove(const char *path, struct err *e)
{
	char hidden[PATH_MAX], new[PATH_MAX];

	hidden_name(path, "", hidden);
	hidden_name(path, ".new", new);
	if ((unlink(new) < 0 && errno != ENOENT) || (unlink(hidden) < 0 && errno != ENOENT) || (unlink(path) < 0 && errno != ENOENT))
		return err_sys(e, CNI_IO, -errno, "removing the record of what was in nftables: %s", path);
	return 0;
}

int nft_record_take_back(const char *path, struct err *e)
{
	char new[PATH_MAX];

	hidden_name(path, ".new", new);
	if ((unlink(new) < 0 && errno != ENOENT) || (unlink(path) < 0 && errno != ENOENT))
		return err_sys(e, CNI_IO, -errno, "removing the record of what was to be in nftables: %s", path);
	return 0;
}

void nft_record_replaced(const char *path)
{
	char hidden[PATH_MAX];

	hidden_name(path, "", hidden);
	unlink(hidden);
}

int nft_restores_wait(struct err *e)
{
	scoped(fd_close) int fd = open(NFT_RECORDS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int ms = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; ms++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(e, CNI_IO, -errno, "locking " NFT_RECORDS);
		if (ms == RESTORE_DEADLINE_MS) {
			err_set(e, CNI_TRY_LATER, -ETIME, "nftables is being restored from " NFT_RECORDS " for more than %d s", RESTORE_DEADLINE_MS / 1000);
			err_detail(e, "try again; /proc/locks tells which process that is");
			return -ETIME;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return 0;
}

int nft_record_hide(const char *path, struct err *e)
{
	char hidden[PATH_MAX];

	hidden_name(path, "", hidden);
	if (rename(path, hidden) < 0 && errno != ENOENT)
		return err_sys(e, CNI_IO, -errno, "removing the record of what was in nftables: %s", path);
	return access(hidden, F_OK) < 0 ? -ENOENT : nft_restores_wait(e);
}

void nft_record_show(const char *path)
{
	char hidden[PATH_MAX];

	hidden_name(path, "", hidden);
	syscall(SYS_renameat2, AT_FDCWD, hidden, AT_FDCWD, path, RENAME_NOREPLACE);       /* musl has no function for it */
}

/* ---- Reading ---- */

bool nft_has_records(void)
{
	scoped(dir_close) DIR *dir = opendir(NFT_RECORDS);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			return true;
	return false;
}

bool nft_record_note(const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	scoped(fd_close) int fd = -1;
	struct note n = { .h = { 0 } };
	ssize_t len;

	snprintf(path, sizeof path, NFT_RECORDS "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, &n, sizeof n - 1);
	if (len <= (ssize_t)sizeof n.h || n.h.nlmsg_type != NLMSG_NOOP || n.h.nlmsg_len <= sizeof n.h || n.h.nlmsg_len > (size_t)len)
		return false;
	n.text[n.h.nlmsg_len - sizeof n.h - 1] = '\0';
	snprintf(out, size, "%s", n.text);
	return true;
}

int nft_record_read(int dir, const char *name, uint8_t **bytes, int *len)
{
	scoped(fd_close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	scoped(mem_free) uint8_t *room = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > RECORD_LIMIT)
		return -EFBIG;
	if (!(room = malloc(st.st_size + 1)))
		return -ENOMEM;
	do
		n = read(fd, room, st.st_size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*bytes = room;
	*len = (int)n;
	room = NULL;
	return 0;
}

int nft_record_each(const char *path, const struct nft_table *table, int (*each)(const struct nft_set *set, struct nft_element *el, void *arg), void *arg,
                    struct err *e)
{
	char hidden[PATH_MAX];
	int len = 0, r = 0;
	scoped(mem_free) uint8_t *bytes = NULL;

	hidden_name(path, "", hidden);
	r = nft_record_read(AT_FDCWD, path, &bytes, &len);
	if (r == -ENOENT)
		r = nft_record_read(AT_FDCWD, hidden, &bytes, &len);
	if (r < 0)
		return r == -ENOENT ? r : err_sys(e, CNI_IO, r, "reading the record of what is in nftables: %s", path);
	for (struct nlmsghdr *h = (void *)bytes; r == 0 && nlmsg_ok(h, len); h = nlmsg_next(h, &len)) {
		struct nft_set set = { .table = table };
		struct nft_element el;

		if (nft_element_read(h, &set, &el) && ((struct nfgenmsg *)nlmsg_data(h))->nfgen_family == table->family)
			r = each(&set, &el, arg);
	}
	return r;
}
