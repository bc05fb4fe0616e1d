/* Which file of the configuration directory has the network. (How libcni looks: LoadNetworkConf.) */
#include "confdir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "network.h"
#include "os/file.h"
#include "plumb.h"

enum { FILE_LIMIT = 4 << 20, FILES_LIMIT = 4096 };

static json_t *read_json_file(struct call *c, const char *path, struct err *e)
{
	size_t len;
	char *text = file_read(&c->arena, path, FILE_LIMIT, &len);

	if (!text && errno == EINVAL)
		err_set(e, CNI_IO, -EINVAL, "%s: not a plain file", path);
	else if (!text && errno == EFBIG)
		err_set(e, CNI_IO, -EFBIG, "%s: longer than %d MiB", path, FILE_LIMIT >> 20);
	else if (!text)
		err_sys(e, CNI_IO, -errno, "%s", path);
	if (!text)
		return NULL;
	return call_keep(c, json_read_object(text, len, path, e));
}

/* ---- Names in a directory, sorted ---- */

/* The ending of a name, with its dot, is one of those in endings (".conflist", or ".conf.json": several in a row). */
static bool ends_in(const char *name, const char *endings)
{
	const char *dot = strrchr(name, '.');

	for (const char *at = dot && dot[1] ? strstr(endings, dot) : NULL; at; at = strstr(at + 1, dot))
		if (at[strlen(dot)] == '\0' || at[strlen(dot)] == '.')
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *path, const struct dirent *d)
{
	struct stat st;

	if (d->d_type != DT_UNKNOWN)
		return d->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Paths of a directory's files; a directory that is not there has none. */
static int list_files(struct call *c, const char *dir, const char *endings, struct list *out, struct err *e)
{
	scoped(dir_close) DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, CNI_IO, -errno, "%s", dir);
	while ((entry = readdir(d))) {
		char *path, **slot;

		if (!ends_in(entry->d_name, endings))
			continue;
		path = arena_printf(&c->arena, "%s/%s", dir, entry->d_name);
		if (!path || out->count >= FILES_LIMIT)
			return err_set(e, CNI_IO, -E2BIG, "%s: more than %d files", dir, FILES_LIMIT);
		if (is_folder(path, entry))
			continue;
		slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
		if (!slot)
			return err_nomem(e, dir);
		*slot = path;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(char *), by_name);
	return 0;
}

int confdir_plugins(struct call *c, const char *network, json_t *array, struct err *e)
{
	const char *dir = arena_printf(&c->arena, "%s/%s", c->opt.conf_dir, network);
	struct list files = { 0 };
	int r = dir ? list_files(c, dir, ".conf", &files, e) : err_nomem(e, network);

	for_list (char *, path, &files) {
		json_t *plugin = r == 0 ? read_json_file(c, *path, e) : NULL;

		if (r == 0 && !plugin)
			r = -EINVAL;
		if (r == 0 && !plugin_type(plugin))
			r = err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s: type: missing", *path);
		if (r == 0)
			json_array_append(array, plugin);
	}
	return r;
}

/* ---- Finding ---- */

struct search {
	struct call    *c;
	const char     *name;           /* NULL: whichever comes first */
	struct network *out;
	char            broken[768];    /* the files that could not be read, and why, for words */
	size_t          unnamed;        /* how many more */
	char            seen[512];      /* the names that there are, for words */
};

/* A complaint about a key does not tell of which file. */
static void note_broken(struct search *s, const char *path, const struct err *why)
{
	size_t used = strlen(s->broken);

	if (text_format(s->broken + used, sizeof s->broken - used, "%s%s%s%s%s%s", used ? "; " : "", strstr(why->msg, path) ? "" : path,
	                strstr(why->msg, path) ? "" : ": ", why->msg, why->details[0] ? ": " : "", why->details))
		return;
	s->broken[used] = '\0';
	s->unnamed++;
}

static void note_seen(struct search *s, const char *name)
{
	size_t used = strlen(s->seen);

	if (used + strlen(name) + 3 < sizeof s->seen)
		snprintf(s->seen + used, sizeof s->seen - used, "%s%s", used ? ", " : "", name);
}

/* 1: found; 0: not in this file, or it cannot be read and another may do; negative: it is this one, and it cannot be used. */
static int try_file(struct search *s, const char *path)
{
	struct err why = { 0 };
	json_t *json = read_json_file(s->c, path, &why);
	const char *name = json ? json_member_string(json, "name") : NULL;
	int r = json ? network_read(s->c, json, path, s->out, &why) : -EINVAL;

	if (r == 0 && s->name && strcmp(s->name, name)) {
		note_seen(s, name);
		return 0;
	}
	if (r == 0)
		return 1;
	note_broken(s, path, &why);
	if (!name || !s->name || strcmp(s->name, name))
		return 0;
	s->c->trouble = (struct trouble){ .err = why, .exit = EXIT_BAD_CONFIG };
	err_detail(&s->c->trouble.err, "in %s", path);
	return r;
}

static int not_found(const struct search *s)
{
	struct trouble *t = &s->c->trouble;
	const char *dir = s->c->opt.conf_dir;

	if (s->name)
		trouble_set(t, EXIT_NO_NETWORK, -ENOENT, "no network \"%s\" in %s", s->name, dir);
	else
		trouble_set(t, EXIT_NO_NETWORK, -ENOENT, "no network in %s", dir);
	if (s->seen[0])
		err_detail(&t->err, "there: %s", s->seen);
	if (s->broken[0])
		err_detail(&t->err, "not to be used: %s", s->broken);
	if (s->unnamed)
		err_detail(&t->err, "nor %zu more", s->unnamed);
	return -ENOENT;
}

int network_find(struct call *c, const char *name, struct network *out)
{
	/* Asked for by name, lists go first; the first of all is the first by its file's name. */
	static const char *const by_kind[] = { ".conflist", ".conf.json", NULL }, *const together[] = { ".conflist.conf.json", NULL };
	struct search s = { .c = c, .name = name, .out = out };

	for (const char *const *endings = name ? by_kind : together; *endings; endings++) {
		struct list files = { 0 };
		int r = list_files(c, c->opt.conf_dir, *endings, &files, &c->trouble.err);

		if (r < 0)
			return r;
		for_list (char *, path, &files) {
			if ((r = try_file(&s, *path)) == 0)
				continue;
			/* asked for whichever comes first, another may have been meant */
			if (r > 0 && !name && s.broken[0])
				fprintf(stderr, "plumb: taking network \"%s\" of %s, as what comes before is not to be used: %s\n", out->name, *path,
				        s.broken);
			return r < 0 ? r : 0;
		}
	}
	return not_found(&s);
}

/* ---- All of them ---- */

static int visit_conf(struct call *c, const char *path, confdir_visit *each, void *arg)
{
	struct err why = { 0 };
	struct network n = { 0 };
	json_t *json = read_json_file(c, path, &why);
	int r = json ? network_read(c, json, path, &n, &why) : -EINVAL;

	return each(c, path, r == 0 ? &n : NULL, &why, arg);
}

int confdir_each(struct call *c, confdir_visit *each, void *arg)
{
	static const char *const kinds[] = { ".conflist", ".conf.json" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++) {
		struct list files = { 0 };

		r = list_files(c, c->opt.conf_dir, kinds[i], &files, &c->trouble.err);
		for_list (char *, path, &files)
			if (r == 0)
				r = visit_conf(c, *path, each, arg);
	}
	return r;
}

struct visit {
	network_visit *each;
	void          *arg;
	struct list    names;           /* of const char *, those that have been */
};

static bool is_seen(const struct list *names, const char *name)
{
	for_list (const char *, seen, names)
		if (!strcmp(*seen, name))
			return true;
	return false;
}

static int visit_network(struct call *c, const char *path, const struct network *n, const struct err *why, void *visit)
{
	struct visit *v = visit;
	const char **name;

	if (!n) {
		const char *line = arena_printf(&c->arena, "passing over %s: %s%s%s", path, why->msg, why->details[0] ? ": " : "", why->details);

		if (line)
			tell_once(c, line);
		return 0;
	}
	if (is_seen(&v->names, n->name))
		return 0;
	name = arena_push(&c->arena, &v->names.items, &v->names.count, sizeof *name);
	if (!name)
		return err_nomem(&c->trouble.err, path);
	*name = n->name;
	return v->each(c, n, v->arg);
}

int network_each(struct call *c, network_visit *each, void *arg)
{
	struct visit v = { each, arg, { 0 } };

	return confdir_each(c, visit_network, &v);
}
