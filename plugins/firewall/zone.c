/* firewalld: the container's addresses become sources of a zone, in the runtime configuration, as the reference does. D-Bus is spoken by a helper
 * program beside the plugins, plumb-firewalld, so that only hosts with firewalld need its library.
 *
 * firewalld forgets its runtime configuration when it reloads. So what ADD binds is on record, from which the helper restores it: when an ADD finds
 * that others' are missing, or when it is told to (plumb/firewalld/firewalld.c). A record is there before its sources are, and goes before they do:
 * what has no record is never put back. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "firewall/firewall.h"
#include "firewall/zone.h"
#include "os/spawn.h"

enum { HELPER_DEADLINE_MS = 30 * 1000 };

#define SYSTEM_BUS "/run/dbus/system_bus_socket"

static bool is_v4(const struct ip_conf *ip) { return ip->address.addr.family == AF_INET; }

/* Each address of prevResult with its full length, as the reference writes them. */
static int binding_of_result(struct cni_call *c, struct binding *b)
{
	const struct firewall_conf *conf = c->conf;
	int r = 0;

	b->zone = *conf->zone ? conf->zone : "trusted";
	for_list (const struct ip_conf, ip, &c->prev.ips) {
		char text[ADDR_TEXT];

		if (r == 0 && result_ip_is_of(&c->prev, ip, c->who.ifname))
			r = binding_push(c, b, arena_printf(&c->arena, "%s/%d", addr_text(&ip->address.addr, text), is_v4(ip) ? 32 : 128));
	}
	return r;
}

static int helper_path(char out[PATH_MAX], struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 32);

	if (n < 0)
		return err_sys(e, CNI_FAILED, -errno, "/proc/self/exe");
	out[n] = '\0';
	strcpy(strrchr(out, '/') + 1, "plumb-firewalld");
	if (access(out, X_OK) == 0)
		return 0;
	err_sys(e, CNI_FAILED, -errno, "%s, which speaks to firewalld", out);
	err_detail(e, "install it beside the plugins, or set \"backend\": \"nftables\"");
	return -ENOENT;
}

/* Runs the helper: plumb-firewalld WHAT [ZONE SOURCE…]. Its exit status, 0 or 1, or negative; what it prints is words for the error. */
static int ask(struct cni_call *c, const char *what, const struct binding *b, struct err *e)
{
	size_t count = b ? b->sources.count : 0;
	char **argv = arena_alloc(&c->arena, (count + 4) * sizeof *argv), path[PATH_MAX];
	struct spawn s = { .path = path, .argv = argv, .env = environ, .input = "", .output_limit = 1 << 16, .deadline_ms = HELPER_DEADLINE_MS };
	struct spawned out;
	int r;

	if (!argv)
		return err_nomem(e, "sources");
	if ((r = helper_path(path, e)) < 0)
		return r;
	argv[0] = path;
	argv[1] = (char *)what;
	argv[2] = b ? (char *)b->zone : NULL;
	if (count)
		memcpy(argv + 3, b->sources.items, count * sizeof *argv);
	r = spawn_run(&s, &out, e);
	if (r == 0 && out.status > 1)
		r = err_set(e, CNI_FAILED, -EREMOTEIO, "firewalld: %s", out.output_len ? text_trim(out.output) : "plumb-firewalld failed");
	free(out.output);
	return r < 0 ? r : out.status;
}

/* What comes of it is no failure, as with the reference: firewalld may have been stopped since, or reloaded. */
static void release(struct cni_call *c, const struct binding *b)
{
	struct err ignored = { 0 };

	if (b->sources.count)
		ask(c, "remove", b, &ignored);
}

/* The record goes, then what it says. One that cannot be read stays, so that it can be done again. */
static int record_undo(struct cni_call *c, const char *path)
{
	struct binding b = { 0 };
	int r = record_read(c, path, &b);

	if (r < 0)
		return r;
	unlink(path);
	release(c, &b);
	return 0;
}

/* ---- The verbs ---- */

/* (The reference: "firewalld", or no backend and firewalld is on the bus.) */
static bool find_wanted(struct cni_call *c)
{
	const struct firewall_conf *conf = c->conf;
	char path[PATH_MAX];
	struct err ignored = { 0 };

	if (c->verb == VERB_DEL && access(record_path(c, path), F_OK) == 0)
		return true;
	if (conf->backend && *conf->backend)
		return !strcmp(conf->backend, "firewalld");
	return access(SYSTEM_BUS, F_OK) == 0 && ask(c, "running", NULL, &ignored) == 0;
}

bool zone_is_wanted(struct cni_call *c)
{
	struct firewall_conf *conf = c->conf;

	if (conf->zone_wanted == ZONE_NOT_ASKED)
		conf->zone_wanted = find_wanted(c) ? ZONE_WANTED : ZONE_NOT_WANTED;
	return conf->zone_wanted == ZONE_WANTED;
}

/* What an ADD before it bound, and no DEL let go, is let go of now: but for what both have, which the helper sees by the new record. */
int zone_add(struct cni_call *c)
{
	struct binding before = { 0 }, b = { 0 };
	char path[PATH_MAX];
	int r = binding_of_result(c, &b);

	if (r < 0 || b.sources.count == 0)
		return r;
	if (strpbrk(b.zone, " \t\r\n"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "firewalldZone: \"%s\": want a zone's name, without spaces", b.zone);
	if ((r = record_read(c, record_path(c, path), &before)) < 0 || (r = record_write(c, &b)) < 0)
		return r;
	release(c, &before);
	r = ask(c, "add", &b, &c->err);
	if (r < 0)
		record_undo(c, path);
	return r;
}

/* Without a record: it may have been the reference's plugin that bound them. */
int zone_del(struct cni_call *c)
{
	struct binding b = { 0 };
	char path[PATH_MAX];
	int r;

	record_abandon(c);
	if (access(record_path(c, path), F_OK) == 0)
		return record_undo(c, path);
	r = binding_of_result(c, &b);
	release(c, &b);
	return r;
}

int zone_check(struct cni_call *c)
{
	struct binding b = { 0 };
	int r = binding_of_result(c, &b);

	if (r < 0 || b.sources.count == 0)
		return r;
	if ((r = ask(c, "query", &b, &c->err)) != 1)
		return r;
	err_set(&c->err, CNI_FAILED, -ENOENT, "firewalld: an address of the container is not in zone %s", b.zone);
	err_detail(&c->err, "`firewall-cmd --reload` forgets it; the next ADD brings it back, or now: `plumb-firewalld restore`");
	return -ENOENT;
}

/* A stale record's source may be a living container's by now: then that one's record keeps it in the zone. */
int zone_gc(struct cni_call *c)
{
	scoped(dir_close) DIR *dir = opendir(ZONE_RECORDS);
	char path[PATH_MAX];
	struct dirent *d;
	int r = 0;

	while (dir && (d = readdir(dir))) {
		if (!record_is_stale(c, d->d_name))
			continue;
		snprintf(path, sizeof path, ZONE_RECORDS "/%s", d->d_name);
		if (c->net.dry_run) {
			fprintf(stderr, "firewall: would take out of its zone of firewalld what %s tells\n", path);
			continue;
		}
		r = first_failure(r, record_undo(c, path));
	}
	return r;
}
