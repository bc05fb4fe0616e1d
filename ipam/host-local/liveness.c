#include "host-local/liveness.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/json.h"
#include "base/scoped.h"
#include "base/text.h"
#include "os/capability.h"
#include "os/file.h"
#include "os/netns.h"

#define RESULTS_DIR "/var/lib/cni/results"      /* where libcni caches what it gave to ADD */

enum { BOOT_MARGIN_S = 60, CACHE_LIMIT = 4 << 20 };

/* ---- A lease whose namespace we know ---- */

static bool leads_to(const char *path, uint64_t inode)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno != ENOENT && errno != ENOTDIR;
	return st.st_ino == inode;
}

/* There, and not to be looked at. To one with CAP_SYS_PTRACE that is a process of a user namespace around ours, no container of ours. One that has
 * just ended is refused in the same words; and the first of all is no container's. */
static bool is_hidden(int proc, const char *pid, int why)
{
	return (why == EACCES || why == EPERM) && !capability_has(CAP_SYS_PTRACE) && strcmp(pid, "1") != 0 && faccessat(proc, pid, F_OK, 0) == 0;
}

/* The path may be gone where the namespace is not: it was /proc/PID/ns/net of a process that ended before others, or is mounted
 * elsewhere. What a process is in is alive. */
static void look_at_processes(struct liveness *l)
{
	scoped(dir_close) DIR *proc = opendir("/proc");
	struct dirent *entry;

	l->looked = true;
	l->blind = !proc;
	while (proc && (entry = readdir(proc))) {
		char path[sizeof entry->d_name + 8];
		struct stat st;
		uint64_t *slot;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "%s/ns/net", entry->d_name);
		if (fstatat(dirfd(proc), path, &st, 0) < 0) {
			l->blind |= is_hidden(dirfd(proc), entry->d_name, errno);
			continue;
		}
		if (l->count && l->inodes[l->count - 1] == st.st_ino)
			continue;
		slot = arena_push(l->arena, &l->inodes, &l->count, sizeof *slot);
		if (!slot)
			l->blind = true;
		else
			*slot = st.st_ino;
	}
}

static bool process_in(struct liveness *l, uint64_t inode)
{
	if (!l->looked)
		look_at_processes(l);
	for (size_t i = 0; i < l->count; i++)
		if (l->inodes[i] == inode)
			return true;
	return l->blind || l->count == 0;       /* not even ourselves: that was no /proc */
}

/* ---- A lease that we know nothing of: older than this boot? ---- */

static bool is_of_earlier_boot(const struct timespec *born)
{
	struct timespec now, up;

	if (born->tv_sec == 0 || clock_gettime(CLOCK_REALTIME, &now) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0)
		return false;
	return born->tv_sec < now.tv_sec - up.tv_sec - BOOT_MARGIN_S;
}

/* Whether the path leads to a network namespace other than our own: after a boot /proc/PID may be anybody. True when in doubt. */
static bool leads_to_container(const char *path)
{
	scoped(fd_close) int fd = netns_open(path, NULL);
	scoped(fd_close) int own = fd < 0 ? -1 : netns_open_self(NULL);

	if (fd < 0)
		return fd != -ENOENT && fd != -ENOTDIR && fd != -EINVAL;
	return own < 0 || !netns_same(fd, own);
}

/* The runtime notes what it has attached, and where, and removes the note with DEL. True when in doubt. */
static bool runtime_vouches(const char *network, const struct lease_file *file)
{
	scoped(arena_free) struct arena arena = { 0 };
	scoped(json_put) json_t *note = NULL;
	char path[sizeof RESULTS_DIR + 3ul * LEASE_TEXT];
	const char *netns;
	size_t len;
	char *text;

	if (!text_format(path, sizeof path, RESULTS_DIR "/%s-%s-%s", network, file->id, file->ifname))
		return true;
	text = file_read(&arena, path, CACHE_LIMIT, &len);
	if (!text)
		return errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG;
	note = json_read_object(text, len, "cache", NULL);
	if (!note)
		return true;
	netns = json_member_string(note, "netns");
	return netns && leads_to_container(netns);
}

bool lease_is_dead(struct liveness *l, const struct lease_file *file, const struct lease_record *record)
{
	if (record && !memchr(record->netns, '\0', sizeof record->netns))
		return false;                   /* of a damaged file */
	if (record && record->netns_inode)
		return !leads_to(record->netns, record->netns_inode) && !process_in(l, record->netns_inode);
	if (record && record->of_this_boot)
		return false;
	if (!*file->id || !*file->ifname)       /* the older format, or somebody's own reservation */
		return false;
	return is_of_earlier_boot(&file->born) && !runtime_vouches(l->network, file);
}
