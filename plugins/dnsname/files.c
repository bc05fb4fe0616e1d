/* What is on disk, under /run/plumb/names:
 *
 *	networks/NETWORK/lock, about, hosts/ADDRESS     the network; a file of names for each attachment, by its first address
 *	containers/CONTAINER/NETWORK:IFNAME             the attachment: whose it is, where its names are, who answers it; empty: only announced
 *	servers/VIEW/lock, port, pid, dotted            a server
 *	servers/VIEW/networks, users/CONTAINER          of several networks: which, and who is answered by it
 *
 * A file of names is called by an address, and not by its owner, because dnsmasq keeps a note of every file name it has ever seen; addresses come again.
 *
 * A file is written beside its place, as ".NAME.new", and renamed into it. Two never write one file at a time, by the locks, so that a ".new" that is there
 * is of a call that was killed: the next one that writes takes it over, and whoever removes the file removes it too. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "dnsname/dnsname.h"
#include "os/file.h"

enum { FILE_LIMIT = 16 << 20, TRIES = 20 };          /* /etc/passwd, and names with a dot, may be many */

const char *network_path(struct cni_call *c, const char *network, const char *file)
{
	return arena_printf(&c->arena, NAMES "/networks/%s/%s", network, file);
}

static int refuse(struct cni_call *c, int r, const char *path)
{
	struct err e = { 0 };

	if (c->err.code)
		return r;
	err_sys(&e, CNI_IO, r, "%s", path);
	if (file_remedy(r))
		err_detail(&e, "%s", file_remedy(r));
	c->err = e;
	return r;
}

/* What errno says of a path: 0: it is not there; negative: that cannot be told. */
static int absent(struct cni_call *c, const char *path)
{
	return errno == ENOENT ? 0 : refuse(c, -errno, path);
}

/* ---- Writing ---- */

/* Servers look into it, whatever the runtime's umask. */
static int make_dir(const char *dir)
{
	if (mkdir(dir, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(dir, 0755) < 0 ? -errno : 0;
}

/* Each directory on the way to a path. What else is in /run/plumb has directories that are shut by themselves. */
static int make_way(const char *path)
{
	char dir[PATH_MAX];
	struct stat st;
	int r = make_dir("/run/plumb");

	snprintf(dir, sizeof dir, "%s", path);
	if (r == 0 && stat("/run/plumb", &st) == 0 && !(st.st_mode & S_IXOTH))
		chmod("/run/plumb", 0755);
	for (char *slash = dir + strlen("/run/plumb"); r == 0 && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		r = make_dir(dir);
		*slash = '/';
	}
	return r == -ENOENT ? 0 : r;
}

/* Others remove directories that are empty, so the way may be gone again. Servers read as a user of their own: 0644. */
int names_open(struct cni_call *c, const char *path, int flags)
{
	int fd = -ENOENT;

	if (!path)
		return err_nomem(&c->err, "names");
	for (int tries = 0; tries < TRIES && fd == -ENOENT; tries++) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
		if (fd < 0 && (fd = -errno) == -ENOENT) {
			int r = make_way(path);

			fd = r < 0 ? r : fd;
		}
	}
	return fd < 0 ? refuse(c, fd, path) : fd;
}

static const char *temporary_of(struct cni_call *c, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? arena_printf(&c->arena, "%.*s/.%s.new", (int)(slash - path), path, slash + 1) : NULL;
}

int names_write(struct cni_call *c, const char *path, const char *text)
{
	const char *new = temporary_of(c, path);
	scoped(fd_close) int fd = -1;
	int r;

	if (!new || !text)
		return err_nomem(&c->err, "names");
	fd = names_open(c, new, O_TRUNC);
	if (fd < 0)
		return fd;
	r = fchmod(fd, 0644) < 0 ? -errno : file_write(fd, text, strlen(text));
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(new);
	return r < 0 ? refuse(c, r, path) : 0;
}

int names_mark(struct cni_call *c, const char *path)
{
	scoped(fd_close) int fd = names_open(c, path, 0);

	return fd < 0 ? fd : 0;
}

/* ---- Removing ---- */

int names_abandon(struct cni_call *c, const char *path)
{
	const char *new = temporary_of(c, path);

	if (!new)
		return err_nomem(&c->err, "names");
	return unlink(new) < 0 ? absent(c, new) : 0;
}

int names_remove(struct cni_call *c, const char *path)
{
	int r = path ? names_abandon(c, path) : err_nomem(&c->err, "names");

	if (r < 0 || !path)
		return r;
	return unlink(path) < 0 ? absent(c, path) : 0;
}

int names_remove_dir(struct cni_call *c, const char *dir)
{
	if (!dir)
		return err_nomem(&c->err, "names");
	return rmdir(dir) < 0 && errno != ENOTEMPTY && errno != EEXIST ? absent(c, dir) : 0;
}

/* ---- Reading ---- */

int names_there(struct cni_call *c, const char *path)
{
	if (!path)
		return err_nomem(&c->err, "names");
	return access(path, F_OK) == 0 ? 1 : absent(c, path);
}

int names_read(struct cni_call *c, const char *path, char **text)
{
	size_t len;

	*text = NULL;
	if (!path)
		return err_nomem(&c->err, "names");
	*text = file_read(&c->arena, path, FILE_LIMIT, &len);
	return *text ? 1 : absent(c, path);
}

long number_of(const char *text, long max)
{
	char *end;
	long n = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;

	return n > 0 && n <= max && (!*end || !strcmp(end, "\n")) ? n : 0;
}

int names_number(struct cni_call *c, const char *path, long max, long *out)
{
	char *text;
	int r = names_read(c, path, &text);

	if (!text)
		return r;
	*out = number_of(text, max);
	return *out ? 1 : -EBADMSG;
}

/* Hidden entries are what killed calls have left. */
static int each_entry(struct cni_call *c, const char *dir, bool hidden, int (*each)(const char *entry, void *arg), void *arg)
{
	scoped(dir_close) DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *entry = NULL;
	int r = 0;

	if (!dir)
		return err_nomem(&c->err, "names");
	if (!d)
		return absent(c, dir);
	while (r == 0 && (errno = 0, entry = readdir(d)))
		if ((entry->d_name[0] == '.') == hidden)
			r = each(entry->d_name, arg);
	return r == 0 && errno ? absent(c, dir) : r;
}

int names_each(struct cni_call *c, const char *dir, int (*each)(const char *entry, void *arg), void *arg)
{
	return each_entry(c, dir, false, each, arg);
}

static int is_entry(const char *entry, void *arg)
{
	(void)entry, (void)arg;
	return 1;
}

int names_has_any(struct cni_call *c, const char *dir)
{
	return names_each(c, dir, is_entry, NULL);
}

struct cleaning {
	struct cni_call *c;
	const char      *dir;
};

static int clean(const char *entry, void *cleaning)
{
	struct cleaning *k = cleaning;
	const char *path = arena_printf(&k->c->arena, "%s/%s", k->dir, entry);

	if (!strcmp(entry, ".") || !strcmp(entry, ".."))
		return 0;
	return !path ? err_nomem(&k->c->err, "names") : unlink(path) < 0 ? absent(k->c, path) : 0;
}

int names_clean(struct cni_call *c, const char *dir)
{
	return each_entry(c, dir, true, clean, &(struct cleaning){ c, dir });
}

/* ---- JSON ---- */

/* Strings of what is read are the tree's, which lives as long as the call. */
int names_load(struct cni_call *c, const char *path, const struct field *fields, void *out)
{
	char *text;
	struct err why = { 0 };
	struct reading reading = { .arena = &c->arena, .err = &why };
	int r = names_read(c, path, &text);
	json_t *j = text ? json_read_object(text, strlen(text), path, &why) : NULL;

	if (!text)
		return r;
	if (!j)
		return -EBADMSG;
	if (!c->answers)
		c->answers = json_array();
	if (json_array_append_new(c->answers, j) < 0)
		return err_nomem(&c->err, "names");
	return fields_read(fields, j, out, &reading) < 0 ? -EBADMSG : 1;
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
