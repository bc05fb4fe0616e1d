/* What is on disk, under /run/plumb/names:
 *
 *	networks/NETWORK/lock, about, hosts/ADDRESS     the network; a file of names for each attachment, by its first address
 *	containers/CONTAINER/NETWORK:IFNAME             the attachment: whose it is, where its names are, who answers it
 *	servers/VIEW/networks, port, pid, dotted        a server
 *	servers/VIEW/users/CONTAINER                    who is answered by a server of several networks
 *
 * A file of names is called by an address, and not by its owner, because dnsmasq keeps a note of every file name it has ever seen; addresses come again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "dnsname/dnsname.h"
#include "os/file.h"
#include "os/patience.h"

enum { FILE_LIMIT = 1 << 20, LOCK_MS = 30 * 1000, TRIES = 20 };

const char *network_path(struct cni_call *c, const char *network, const char *file)
{
	return arena_printf(&c->arena, NAMES "/networks/%s/%s", network, file);
}

/* ---- Files ---- */

/* Servers look into it, whatever the runtime's umask. */
static void make_dir(const char *dir)
{
	if (mkdir(dir, 0755) == 0)
		chmod(dir, 0755);
}

/* Each directory on the way to a path. What else is in /run/plumb has directories that are shut by themselves. */
static void make_way(const char *path)
{
	char dir[PATH_MAX];
	struct stat st;

	snprintf(dir, sizeof dir, "%s", path);
	make_dir("/run/plumb");
	if (stat("/run/plumb", &st) == 0 && !(st.st_mode & S_IXOTH))
		chmod("/run/plumb", 0755);
	for (char *slash = dir + strlen("/run/plumb"); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		make_dir(dir);
		*slash = '/';
	}
}

/* Others remove directories that are empty, so the way may be gone again. Servers read as a user of their own: 0644. */
static int open_for_writing(const char *path)
{
	int fd = -1;

	for (int tries = 0; tries < TRIES && fd < 0; tries++) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
		if (fd < 0 && errno != ENOENT)
			break;
		if (fd < 0)
			make_way(path);
	}
	return fd;
}

int names_write(struct cni_call *c, const char *path, const char *text)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *temporary = slash ? arena_printf(&c->arena, "%.*s/.%d", (int)(slash - path), path, getpid()) : NULL;
	scoped(fd_close) int fd = -1;
	int r;

	if (!temporary || !text)
		return err_nomem(&c->err, "names");
	fd = open_for_writing(temporary);
	if (fd < 0)
		return err_sys(&c->err, CNI_IO, -errno, "%s", path);
	fchmod(fd, 0644);
	r = file_write(fd, text, strlen(text));
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary);
	return r < 0 ? err_sys(&c->err, CNI_IO, r, "%s", path) : 0;
}

char *names_read(struct cni_call *c, const char *path)
{
	size_t len;

	return path ? file_read(&c->arena, path, FILE_LIMIT, &len) : NULL;
}

int names_each(const char *dir, int (*each)(const char *entry, void *arg), void *arg)
{
	scoped(dir_close) DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *entry;
	int r = 0;

	while (d && r == 0 && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			r = each(entry->d_name, arg);
	return r;
}

static int is_entry(const char *entry, void *arg)
{
	(void)entry, (void)arg;
	return 1;
}

bool names_has_any(const char *dir)
{
	return names_each(dir, is_entry, NULL) == 1;
}

/* ---- JSON ---- */

/* Strings of what is read are the tree's, which lives as long as the call. */
int names_load(struct cni_call *c, const char *path, const struct field *fields, void *out)
{
	char *text = names_read(c, path);
	struct err why = { 0 };
	struct reading reading = { .arena = &c->arena, .err = &why };
	json_t *j = text ? json_read_object(text, strlen(text), path, &why) : NULL;

	if (!j)
		return -ENOENT;
	if (!c->answers)
		c->answers = json_array();
	json_array_append_new(c->answers, j);
	return fields_read(fields, j, out, &reading) < 0 ? -ENOENT : 0;
}

int names_save(struct cni_call *c, const char *path, json_t *j)
{
	scoped(json_put) json_t *tree = j;
	scoped(mem_free) char *text = tree ? json_dumps(tree, JSON_INDENT(1)) : NULL;

	return names_write(c, path, text);
}

json_t *names_json(const struct list *l)
{
	json_t *j = json_array();

	for_list (const char *, s, l)
		json_array_append_new(j, json_string(*s));
	return j;
}

/* ---- Locks ---- */

int names_lock(struct cni_call *c, const char *path, int *out)
{
	struct patience patience;
	struct stat st;
	int r = -ESTALE;

	patience_begin(&patience, LOCK_MS);
	while (r == -ESTALE || (r == -EINTR && !patience_is_over(&patience))) {
		scoped(fd_close) int fd = open_for_writing(path);

		r = fd < 0 ? -errno : flock(fd, LOCK_EX) < 0 ? -errno : 0;
		if (r == 0 && (fstat(fd, &st) < 0 || st.st_nlink == 0))
			r = -ESTALE;                    /* removed with its directory while we waited */
		if (r == 0)
			*out = fd_keep(&fd);
	}
	patience_end(&patience);
	if (r == -EINTR) {
		err_set(&c->err, CNI_TRY_LATER, -ETIME, "names: %s is still locked after %d seconds", path, LOCK_MS / 1000);
		err_detail(&c->err, "try again; if a process that holds it hangs, end it");
		return -ETIME;
	}
	return r < 0 ? err_sys(&c->err, CNI_IO, r, "lock %s", path) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the networks to lock, sorted, each once. */
static int networks_to_lock(struct cni_call *c, const char **out, size_t room, size_t *count)
{
	struct list records = { 0 };
	size_t n = 0, unique = 0;
	int r = *c->who.container ? members_of(c, c->who.container, &records) : 0;

	if (r < 0)
		return r;
	out[n++] = c->who.network;
	for_list (const struct member, rec, &records)
		if (n < room)
			out[n++] = rec->network;
	qsort(out, n, sizeof *out, compare_names);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(out[i], out[unique - 1]))
			out[unique++] = out[i];
	*count = unique;
	return 0;
}

/* Which networks the container is on may change until they are locked: then begin anew. */
int locks_take(struct cni_call *c, struct locks *l)
{
	const char *wanted[ARRAY_LEN(l->fds)], *again[ARRAY_LEN(l->fds)];
	size_t count, now;
	int r;

	for (int tries = 0; tries < TRIES; tries++) {
		if ((r = networks_to_lock(c, wanted, ARRAY_LEN(wanted), &count)) < 0)
			return r;
		for (size_t i = 0; i < count; i++) {
			if ((r = names_lock(c, network_path(c, wanted[i], "lock"), &l->fds[i])) < 0)
				return r;
			l->count = i + 1;
		}
		if ((r = networks_to_lock(c, again, ARRAY_LEN(again), &now)) < 0)
			return r;
		for (size_t i = 0; r == 0 && i < count && i < now; i++)
			r = strcmp(wanted[i], again[i]);
		if (r == 0 && count == now)
			return 0;
		locks_drop(l);
	}
	return err_set(&c->err, CNI_TRY_LATER, -EBUSY, "names of container %s: it is put on networks all the time", c->who.container);
}

void locks_drop(struct locks *l)
{
	while (l->count)
		close(l->fds[--l->count]);
}
