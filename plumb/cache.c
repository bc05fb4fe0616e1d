#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base64.h"
#include "os/file.h"
#include "plumb.h"

#define KIND    "cniCacheV1"
#define RESULTS "results"
#define ADDING  "adding"        /* not among the results, where libcni would take it for one */
enum { FILE_LIMIT = 16 << 20, UNFINISHED = ':' };        /* parts the names of a file that is being written; none of them has one */

static const char *path_in(struct call *c, const char *folder, const char *network, const struct endpoint *e)
{
	return arena_printf(&c->arena, "%s/%s/%s-%s-%s", c->opt.cache_dir, folder, network, e->container, e->ifname);
}

static const char *path_of(struct call *c, const char *network, const struct endpoint *e)
{
	return path_in(c, RESULTS, network, e);
}

/* ---- Reading ---- */

static json_t *decode_config(struct call *c, const json_t *root)
{
	const char *text = json_string_value(json_object_get(root, "config"));
	struct err ignored = { 0 };
	size_t len = 0;
	char *bytes = text ? base64_decode(&c->arena, text, &len) : NULL;

	return bytes ? call_keep(c, json_read_object(bytes, len, "config", &ignored)) : NULL;
}

static json_t *object_or_null(json_t *j)
{
	return json_is_object(j) ? j : NULL;
}

static const char *text_or(const json_t *root, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(root, key));

	return s ? s : otherwise;
}

/* libcni before 1.2 left the namespace's path out; the container's interface tells it. */
static const char *netns_of(const json_t *root)
{
	json_t *iface, *result = object_or_null(json_object_get(root, "result"));
	const char *ifname = text_or(root, "ifName", ""), *netns = text_or(root, "netns", "");
	size_t i;

	if (*netns || !result)
		return netns;
	json_array_foreach(json_member(result, "interfaces"), i, iface) {
		const char *name = json_member_string(iface, "name"), *sandbox = json_member_string(iface, "sandbox");

		if (name && sandbox && !strcmp(name, ifname))
			return sandbox;
	}
	return netns;
}

/* False: not of the kind. */
static bool take(struct call *c, json_t *root, const char *path, struct cached *out)
{
	if (strcmp(text_or(root, "kind", ""), KIND))
		return false;
	*out = (struct cached){
		.path = path, .network = text_or(root, "networkName", ""),
		.endpoint = {
			.container = text_or(root, "containerId", ""), .netns = netns_of(root), .ifname = text_or(root, "ifName", ""),
			.cni_args = json_object_get(root, "cniArgs"), .capability_args = object_or_null(json_object_get(root, "capabilityArgs")),
		},
		.result = object_or_null(json_object_get(root, "result")), .config = decode_config(c, root),
	};
	return true;
}

static json_t *load(struct call *c, const char *path, struct err *e)
{
	size_t len;
	char *text = file_read(&c->arena, path, FILE_LIMIT, &len);
	int why = errno;

	if (text)
		return call_keep(c, json_read_object(text, len, path, e));
	errno = why;
	return NULL;
}

/* One that cannot be made out is as good as none: its ADD was cut off, maybe along with the machine. */
static bool read_unfinished(struct call *c, const char *network, const struct endpoint *e, struct cached *out)
{
	const char *path = path_in(c, ADDING, network, e);
	struct err ignored = { 0 };
	json_t *root = path ? load(c, path, &ignored) : NULL;

	if (!root || !take(c, root, path, out))
		return false;
	out->unfinished = true;
	return true;
}

int cache_read(struct call *c, const char *network, const struct endpoint *e, struct cached *out)
{
	const char *path = path_of(c, network, e);
	struct err *err = &c->trouble.err;
	json_t *root = path ? load(c, path, err) : NULL;
	int why = errno;

	if (!root && err->code)
		return -EBADMSG;
	if (!root && why != ENOENT && why != ENOTDIR)
		return err_sys(err, CNI_IO, -why, "%s", path ? path : network);
	if (!root && !read_unfinished(c, network, e, out))
		return -ENOENT;
	if (root && !take(c, root, path, out)) {
		*out = (struct cached){ .path = path, .network = network, .endpoint = *e, .result = root };
		return 0;
	}
	/* "a-b" with "c" and "a" with "b-c" have one file name */
	if (strcmp(out->network, network) || strcmp(out->endpoint.container, e->container) || strcmp(out->endpoint.ifname, e->ifname))
		return err_set(err, CNI_FAILED, -EEXIST, "%s belongs to container \"%s\" of network \"%s\" (%s): choose another id", out->path,
		               out->endpoint.container, out->network, out->endpoint.ifname);
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int visit(struct call *c, const char *network, const char *path, bool unfinished, cache_visit *each, void *arg)
{
	struct err ignored = { 0 };
	json_t *root = load(c, path, &ignored);
	const char *finished;
	struct cached a;

	if (!root || !take(c, root, path, &a) || (network && strcmp(a.network, network)))
		return 0;
	/* they become a path and an environment again */
	if (!name_valid(a.network) || !name_valid(a.endpoint.container) || ifname_fault(a.endpoint.ifname))
		return 0;
	finished = unfinished ? path_of(c, a.network, &a.endpoint) : NULL;
	if (finished && access(finished, F_OK) == 0)
		return 0;
	a.unfinished = unfinished;
	return each(c, &a, arg);
}

static int visit_folder(struct call *c, const char *network, const char *folder, cache_visit *each, void *arg)
{
	const char *dir = arena_printf(&c->arena, "%s/%s", c->opt.cache_dir, folder);
	struct dirent **names = NULL;
	int n = dir ? scandir(dir, &names, NULL, by_name) : -1, r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(&c->trouble.err, CNI_IO, -errno, "%s", dir ? dir : folder);
	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(&c->arena, "%s/%s", dir, names[i]->d_name);

		if (r == 0 && path && !strchr(names[i]->d_name, UNFINISHED) && (!network || !strncmp(names[i]->d_name, network, strlen(network))))
			r = visit(c, network, path, !strcmp(folder, ADDING), each, arg);
		free(names[i]);
	}
	free(names);
	return r;
}

int cache_each(struct call *c, const char *network, cache_visit *each, void *arg)
{
	int r = visit_folder(c, network, RESULTS, each, arg);

	return r == 0 ? visit_folder(c, network, ADDING, each, arg) : r;
}

/* ---- Writing ---- */

/* result NULL: left out. */
static json_t *record_json(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result)
{
	scoped(mem_free) char *list = json_dumps(n->list, JSON_COMPACT);
	char *config = list ? base64_encode(&c->arena, list, strlen(list)) : NULL;

	if (!config)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:O*, s:O*, s:O*}", "kind", KIND, "containerId", e->container, "config", config,
	                 "ifName", e->ifname, "networkName", n->name, "netns", *e->netns ? e->netns : NULL, "cniArgs", e->cni_args,
	                 "capabilityArgs", e->capability_args, "result", result);
}

static int make_dirs(struct call *c)
{
	const char *results = arena_printf(&c->arena, "%s/" RESULTS, c->opt.cache_dir);
	const char *adding = arena_printf(&c->arena, "%s/" ADDING, c->opt.cache_dir);

	if (!results || !adding)
		return -ENOMEM;
	mkdir(c->opt.cache_dir, 0755);
	if (mkdir(results, 0700) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(adding, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int cache_prepare(struct call *c, const char *network, const struct endpoint *e)
{
	int r;

	if (strlen(network) + strlen(e->container) + strlen(e->ifname) + 2 > NAME_MAX)
		return trouble_set(&c->trouble, EXIT_USAGE, -ENAMETOOLONG, "the names of network, container and interface: together longer than %d",
		                   NAME_MAX - 2);
	r = make_dirs(c);
	if (r == 0 && access(c->opt.cache_dir, W_OK) < 0)
		r = -errno;
	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "%s: no place for the attachment's result", c->opt.cache_dir) : 0;
}

/* A file that is not yet whole is kept out of results/, where libcni would read it. Whoever comes next for the attachment finds it by its name. */
static const char *path_unfinished(struct call *c, const char *network, const struct endpoint *e)
{
	return arena_printf(&c->arena, "%s/" ADDING "/%s%c%s%c%s", c->opt.cache_dir, network, UNFINISHED, e->container, UNFINISHED, e->ifname);
}

/* lasting: it outlives a machine that crashes. */
static int write_whole(const char *unfinished, const char *path, const char *text, bool lasting)
{
	scoped(fd_close) int fd = unfinished ? open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	int r;

	if (fd < 0)
		return unfinished ? -errno : -ENOMEM;
	r = file_write(fd, text, strlen(text));
	if (r == 0 && lasting && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(unfinished, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(unfinished);
	return r;
}

static int write_record(struct call *c, const char *path, const struct network *n, const struct endpoint *e, const json_t *result)
{
	scoped(json_put) json_t *record = record_json(c, n, e, result);
	scoped(mem_free) char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
	int r = make_dirs(c);

	if (r == 0)
		r = text && path ? write_whole(path_unfinished(c, n->name, e), path, text, result) : -ENOMEM;
	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "%s", path ? path : n->name) : 0;
}

static void remove_from(struct call *c, const char *folder, const char *network, const struct endpoint *e)
{
	const char *path = path_in(c, folder, network, e);

	if (path)
		unlink(path);
}

int cache_begin(struct call *c, const struct network *n, const struct endpoint *e)
{
	return write_record(c, path_in(c, ADDING, n->name, e), n, e, NULL);
}

int cache_write(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result)
{
	int r = write_record(c, path_of(c, n->name, e), n, e, result);

	if (r == 0)
		remove_from(c, ADDING, n->name, e);
	return r;
}

void cache_remove(struct call *c, const char *network, const struct endpoint *e)
{
	const char *unfinished = path_unfinished(c, network, e);

	remove_from(c, RESULTS, network, e);
	remove_from(c, ADDING, network, e);
	if (unfinished)
		unlink(unfinished);
}

void cache_sweep(struct call *c)
{
	const char *dir = arena_printf(&c->arena, "%s/" ADDING, c->opt.cache_dir);
	scoped(dir_close) DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strchr(entry->d_name, UNFINISHED))
			unlinkat(dirfd(d), entry->d_name, 0);
}
