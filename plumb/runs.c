#include "runs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "attachment.h"
#include "attachments.h"
#include "lock.h"
#include "os/file.h"
#include "os/patience.h"
#include "plumb.h"
#include "sandbox.h"

enum { STATE_LIMIT = 1 << 20, TRIES = 16 };

/* ---- Processes ---- */

long long process_start(pid_t pid)
{
	scoped(fd_close) int fd = -1;
	char path[32], text[1024], *p;
	unsigned long long start = 0;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	p = strrchr(text, ')');         /* the name before it may have anything in it; the start is the 20th word behind */
	for (int i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	return p && sscanf(p, "%llu", &start) == 1 ? (long long)start : 0;
}

/* By a descriptor of the process, which its number's next owner does not get. */
void process_signal(pid_t pid, long long start, int signal)
{
	scoped(fd_close) int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (pid <= 0 || process_start(pid) != start)
		return;
	if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0)
		kill(pid, signal);
}

/* ---- Reading ---- */

static json_t *list_in(struct call *c, const json_t *root, const char *key)
{
	json_t *list = root ? json_object_get(root, key) : NULL;

	return json_is_array(list) ? list : call_keep(c, json_array());
}

static long long number_in(const json_t *root, const char *key)
{
	return root ? json_integer_value(json_object_get(root, key)) : 0;
}

static const char *text_in(const json_t *root, const char *key, const char *otherwise)
{
	const char *text = root ? json_string_value(json_object_get(root, key)) : NULL;

	return text ? text : otherwise;
}

/* Whether somebody holds the folder. */
static bool is_locked(const char *dir)
{
	scoped(fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

bool run_is_alive(const struct run_record *run)
{
	return is_locked(run->dir);
}

int run_read(struct call *c, const char *name, struct run_record *out)
{
	const char *dir = name_valid(name) ? arena_printf(&c->arena, RUNS_DIR "/%s", name) : NULL;
	const char *path = dir ? arena_printf(&c->arena, "%s/state", dir) : NULL;
	struct err ignored = { 0 };
	json_t *root;
	struct stat st;
	size_t len;
	char *text;

	if (!path || lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return -ENOENT;
	text = file_read(&c->arena, path, STATE_LIMIT, &len);
	root = text ? call_keep(c, json_read_object(text, len, path, &ignored)) : NULL;
	*out = (struct run_record){
		.name = arena_strdup(&c->arena, name), .dir = dir, .id = text_in(root, "id", name), .netns = text_in(root, "netns", ""),
		.hostname = text_in(root, "hostname", name), .command = list_in(c, root, "command"), .aliases = list_in(c, root, "aliases"),
		.hosts = list_in(c, root, "hosts"), .pid = (pid_t)number_in(root, "pid"), .keeper = (pid_t)number_in(root, "keeper"),
		.pid_start = number_in(root, "pidStart"), .keeper_start = number_in(root, "keeperStart"), .created = number_in(root, "created"),
		.ended = number_in(root, "ended"), .exit_code = (int)number_in(root, "exitCode"),
		.detached = root && json_is_true(json_object_get(root, "detached")), .alive = is_locked(dir),
	};
	return name_valid(out->id) ? 0 : -ENOENT;
}

int run_named(struct call *c, const char *name, struct run_record *out)
{
	int r = run_read(c, name, out);

	if (r == -ENOENT)
		trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "no plumb run \"%.*s\"", NAME_MAX_LEN, name);
	return r;
}

int runs_all(struct call *c, struct list *out)
{
	struct dirent **names = NULL;
	int n = scandir(RUNS_DIR, &names, NULL, alphasort), r = 0;

	*out = (struct list){ 0 };
	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(&c->trouble.err, CNI_IO, -errno, RUNS_DIR);
	for (int i = 0; i < n; i++) {
		struct run_record run, *slot;

		if (r == 0 && run_read(c, names[i]->d_name, &run) == 0) {
			slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
			if (slot)
				*slot = run;
			else
				r = err_nomem(&c->trouble.err, RUNS_DIR);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

/* ---- Writing ---- */

static json_t *state_json(const struct run_record *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:O, s:i, s:I, s:i, s:I, s:I, s:I, s:i, s:b}", "name", r->name, "id", r->id,
	                 "netns", r->netns, "hostname", r->hostname, "command", r->command, "aliases", r->aliases, "hosts", r->hosts,
	                 "pid", (int)r->pid, "pidStart", (json_int_t)r->pid_start, "keeper", (int)r->keeper,
	                 "keeperStart", (json_int_t)r->keeper_start, "created", (json_int_t)r->created, "ended", (json_int_t)r->ended,
	                 "exitCode", r->exit_code, "detached", r->detached);
}

static int write_whole(struct call *c, const char *dir, const char *text)
{
	const char *path = arena_printf(&c->arena, "%s/state", dir), *unfinished = arena_printf(&c->arena, "%s/state.new", dir);
	scoped(fd_close) int fd = path && unfinished ? open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644) : -1;
	int r;

	if (fd < 0)
		return path && unfinished ? -errno : -ENOMEM;
	r = file_write(fd, text, strlen(text));
	if (r == 0 && rename(unfinished, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(unfinished);
	return r;
}

int run_write(struct call *c, const struct run_record *run)
{
	scoped(json_put) json_t *state = state_json(run);
	scoped(mem_free) char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
	int r = text ? write_whole(c, run->dir, text) : -ENOMEM;

	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "%s/state", run->dir) : 0;
}

void run_forget(struct call *c, const struct run_record *run)
{
	static const char *const files[] = { "state", "state.new", "hosts", "resolv.conf", "log" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *path = arena_printf(&c->arena, "%s/%s", run->dir, files[i]);

		if (path)
			unlink(path);
	}
	rmdir(run->dir);
}

/* ---- Locking ---- */

int run_lock(struct call *c, const struct run_record *run, unsigned patience_s)
{
	scoped(fd_close) int fd = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct patience patience;
	int r;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : err_sys(&c->trouble.err, CNI_IO, -errno, "%s", run->dir);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd_keep(&fd);
	if (patience_s == 0)
		return -ETIME;
	patience_begin(&patience, (int)patience_s * 1000);
	do
		r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
	while (r == -EINTR && !patience_is_over(&patience));
	patience_end(&patience);
	return r == 0 ? fd_keep(&fd) : r == -EINTR ? -ETIME : err_sys(&c->trouble.err, CNI_IO, r, "%s", run->dir);
}

/* A folder that is locked may have been removed between its opening and the lock. */
static bool is_still(int fd, const char *dir)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(dir, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* What its keeper would have done at the end. The caller holds the folder. */
static void mend(struct call *c, const struct run_record *run)
{
	struct list attached;

	if (attachments_of(c, NULL, &attached) == 0)
		for_list (const struct cached, a, &attached) {
			if (strcmp(a->endpoint.container, run->id) || !sandbox_is_of(a->endpoint.netns, run->id) || lock_container(c, run->id) < 0)
				continue;
			attachment_clear(c, a->network, NULL, &a->endpoint);
			lock_release(c);
		}
	if (*run->netns && sandbox_abandoned(run->netns, run->id))
		sandbox_discard(run->netns);
	run_forget(c, run);
}

static int refuse_name(struct call *c, const struct run_record *there)
{
	if (there->alive) {
		trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "the name \"%s\" is in use by a plumb run", there->name);
		err_detail(&c->trouble.err, "plumb stop %s ends it", there->name);
	} else {
		trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "the name \"%s\" is in use by a plumb run that has ended", there->name);
		err_detail(&c->trouble.err, "plumb rm %s forgets it", there->name);
	}
	return -EEXIST;
}

/* 1: gone now, or soon: try again; negative: the name stays taken. */
static int clear_name(struct call *c, const char *name)
{
	scoped(fd_close) int fd = -1;
	struct run_record there;

	if (run_read(c, name, &there) < 0)
		return 1;
	if (there.alive || there.ended)
		return refuse_name(c, &there);
	fd = run_lock(c, &there, 0);
	if (fd >= 0 && is_still(fd, there.dir))
		mend(c, &there);
	return 1;
}

int run_claim(struct call *c, struct run_record *run)
{
	run->dir = arena_printf(&c->arena, RUNS_DIR "/%s", run->name);
	if (!run->dir)
		return err_nomem(&c->trouble.err, run->name);
	for (int i = 0; i < TRIES; i++) {
		int fd, r;

		mkdir("/run/plumb", 0755);
		mkdir(RUNS_DIR, 0755);
		if (mkdir(run->dir, 0755) == 0) {
			fd = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still(fd, run->dir))
				return fd;
			fd_close(&fd);
		} else if (errno != EEXIST && errno != ENOENT) {
			return err_sys(&c->trouble.err, CNI_IO, -errno, "%s", run->dir);
		} else if ((r = clear_name(c, run->name)) < 0) {
			return r;
		}
	}
	return trouble_set(&c->trouble, EXIT_FAILED, -EBUSY, "%s comes and goes: others use the name at the same time", run->dir);
}

/* ---- Mending ---- */

static bool may_mend(const struct call *c)
{
	return geteuid() == 0 && access(c->opt.cache_dir, W_OK) == 0;
}

static void mend_attachment(struct call *c, const struct cached *a)
{
	const struct endpoint *e = &a->endpoint;

	if (!sandbox_is_of(e->netns, e->container) || !attachment_fault(c, e) || lock_container(c, e->container) < 0)
		return;
	attachment_clear(c, a->network, NULL, e);
	if (sandbox_abandoned(e->netns, e->container))
		sandbox_discard(e->netns);
	lock_release(c);
}

/* Runs that were killed, then attachments of runs that are not on record at all: an earlier boot's. */
void runs_mend(struct call *c)
{
	struct list runs, attached;

	if (!may_mend(c) || runs_all(c, &runs) < 0)
		return;
	for_list (const struct run_record, run, &runs) {
		scoped(fd_close) int fd = run->alive || run->ended ? -1 : run_lock(c, run, 0);

		if (fd >= 0 && is_still(fd, run->dir))
			mend(c, run);
	}
	if (attachments_of(c, NULL, &attached) == 0)
		for_list (const struct cached, a, &attached)
			mend_attachment(c, a);
}

/* ---- Files ---- */

static int compare_interfaces(const void *a, const void *b)
{
	return strcmp(((const struct cached *)a)->endpoint.ifname, ((const struct cached *)b)->endpoint.ifname);
}

static void append(struct call *c, const char **text, const char *address, const char *names)
{
	if (*text && *address)
		*text = arena_printf(&c->arena, "%s%s\t%s\n", *text, address, names);
}

/* The gateway of its first network that has one; "" where none does. */
static const char *gateway_of(const struct call *c, const struct list *attached, const struct run_record *run)
{
	(void)c;
	for_list (const struct cached, a, attached) {
		json_t *ips = a->result && !strcmp(a->endpoint.container, run->id) ? json_member(a->result, "ips") : NULL, *ip;
		size_t i;

		json_array_foreach(ips, i, ip) {
			const char *gateway = json_is_object(ip) ? json_member_string(ip, "gateway") : NULL;

			if (gateway)
				return gateway;
		}
	}
	return "";
}

static const char *hosts_text(struct call *c, const struct run_record *run, const struct list *attached)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const char *names = run->hostname, *text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
	json_t *item;
	size_t i;

	json_array_foreach(run->aliases, i, item)
		if (names && json_string_value(item))
			names = arena_printf(&c->arena, "%s %s", names, json_string_value(item));
	for_list (const struct cached, a, attached)
		for (size_t f = 0; f < ARRAY_LEN(families) && names && !strcmp(a->endpoint.container, run->id); f++) {
			const char *address = attached_address(c, a, families[f]);
			const char *bare = arena_printf(&c->arena, "%.*s", (int)strcspn(address, "/"), address);

			append(c, &text, bare ? bare : "", names);
		}
	json_array_foreach(run->hosts, i, item) {
		const char *name = json_string_value(json_array_get(item, 0)), *address = json_string_value(json_array_get(item, 1));

		if (name && address)
			append(c, &text, strcmp(address, "host-gateway") ? address : gateway_of(c, attached, run), name);
	}
	return text;
}

int run_hosts_write(struct call *c, const struct run_record *run)
{
	const char *path = arena_printf(&c->arena, "%s/hosts", run->dir), *text;
	scoped(fd_close) int fd = -1;
	struct list attached;
	int r = attachments_of(c, NULL, &attached);

	if (r < 0)
		return r;
	if (attached.count)
		qsort(attached.items, attached.count, sizeof(struct cached), compare_interfaces);
	text = hosts_text(c, run, &attached);
	fd = path && text ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644) : -1;
	if (fd < 0)
		return path && text ? -errno : -ENOMEM;
	return file_write(fd, text, strlen(text));
}

void run_files_refresh(struct call *c, const char *container)
{
	struct list runs;

	if (runs_all(c, &runs) < 0)
		return;
	for_list (const struct run_record, run, &runs)
		if (run->alive && !strcmp(run->id, container))
			run_hosts_write(c, run);
}
