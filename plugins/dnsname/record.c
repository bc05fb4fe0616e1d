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
#include <sys/random.h>
#include <sys/stat.h>

#include "cni/attach.h"
#include "dnsname/dnsname.h"
#include "os/address.h"
#include "os/file.h"
#include "os/link.h"
#include "os/netns.h"
#include "os/patience.h"
#include "os/route.h"

enum { FILE_LIMIT = 1 << 20, LOCK_MS = 30 * 1000, TRIES = 20 };

/* ---- Files ---- */

/* Each directory on the way to a path. */
static void make_way(const char *path)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof dir, "%s", path);
	mkdir("/run/plumb", 0755);
	for (char *slash = dir + strlen("/run/plumb"); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		mkdir(dir, 0755);
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

/* ---- JSON ---- */

/* Strings of what is read are the tree's, which lives as long as the call. */
static int json_load(struct cni_call *c, const char *path, const struct field *fields, void *out)
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

static int json_save(struct cni_call *c, const char *path, json_t *j)
{
	scoped(json_put) json_t *tree = j;
	scoped(mem_free) char *text = tree ? json_dumps(tree, JSON_INDENT(1)) : NULL;

	return names_write(c, path, text);
}

static json_t *strings_json(const struct list *l)
{
	json_t *j = json_array();

	for_list (const char *, s, l)
		json_array_append_new(j, json_string(*s));
	return j;
}

/* ---- Networks ---- */

static const char *network_path(struct cni_call *c, const char *network, const char *file)
{
	return arena_printf(&c->arena, NAMES "/networks/%s/%s", network, file);
}

static const struct field network_fields[] = {
	FIELD(struct network, link,       "link",      read_string),
	FIELD(struct network, addresses,  "addresses", read_list, .item = read_prefix, .size = sizeof(struct prefix)),
	FIELD(struct network, domain,     "domain",    read_string),
	FIELD(struct network, forward,    "forward",   read_bool),
	FIELD(struct network, servers,    "servers",   read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct network, host_names, "hostNames", read_list, .item = read_string, .size = sizeof(char *)),
	FIELD_END
};

int network_read(struct cni_call *c, const char *name, struct network *out)
{
	*out = (struct network){ .name = name, .link = "", .domain = "" };
	return json_load(c, network_path(c, name, "about"), network_fields, out);
}

int network_write(struct cni_call *c, const struct network *n)
{
	json_t *addresses = json_array();
	char text[PREFIX_TEXT];

	for_list (const struct prefix, p, &n->addresses)
		json_array_append_new(addresses, json_string(prefix_text(p, text)));
	return json_save(c, network_path(c, n->name, "about"), json_pack("{s:s, s:o, s:s, s:b, s:o, s:o}", "link", n->link, "addresses", addresses,
	                 "domain", n->domain, "forward", n->forward, "servers", strings_json(&n->servers), "hostNames", strings_json(&n->host_names)));
}

struct gathering {
	struct cni_call *c;
	struct list     *out;
};

/* (Go's IsGlobalUnicast, by which the reference picks: no loopback, link-local, multicast one.) */
static bool is_asked(const struct addr *a)
{
	const uint8_t *b = a->bytes;

	if (addr_is_loopback(a) || addr_is_unspecified(a))
		return false;
	return a->family == AF_INET ? !(b[0] == 169 && b[1] == 254) && b[0] < 224 : !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) && b[0] != 0xff;
}

static int gather(const struct prefix *p, void *gathering)
{
	struct gathering *g = gathering;
	struct prefix *slot;

	if (!is_asked(&p->addr))
		return 0;
	slot = arena_push(&g->c->arena, &g->out->items, &g->out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&g->c->err, "addresses");
	*slot = *p;
	return 0;
}

/* The gateways of prevResult that are the host's own: where its first link has no address (a bridge whose gateway is on a VLAN of it). */
static int gather_gateways(struct cni_call *c, struct list *out)
{
	struct gathering g = { c, out };
	int r = 0;

	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct prefix p = { .addr = ip->gateway, .len = ip->address.len };

		if (r == 0 && addr_is_set(&p.addr) && route_is_local(&c->host, &p.addr))
			r = gather(&p, &g);
	}
	return r;
}

int network_describe(struct cni_call *c, struct network *out)
{
	const struct dnsname_conf *conf = c->conf;
	const char *link = result_host_link(&c->prev);
	struct gathering g = { c, &out->addresses };
	struct link l = { .index = 0 };
	int r;

	*out = (struct network){ .name = c->who.network, .link = "", .domain = conf->domain, .forward = conf->asks_upstream, .servers = conf->servers, .host_names = conf->host_names };
	if ((r = call_host(c)) < 0)
		return r;
	if (!link)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "prevResult.interfaces: none on the host, whose address could be asked for names");
	if ((r = link_by_name(&c->host, link, &l, &c->err)) < 0)
		return err_set(&c->err, CNI_FAILED, r, "prevResult.interfaces: there is no interface %s on the host", link);
	if ((r = address_each(&c->host, l.index, 0, gather, &g, &c->err)) < 0)
		return r;
	if (out->addresses.count > 0 && strcmp(l.kind, "veth"))
		out->link = link;
	else if (out->addresses.count == 0)
		r = gather_gateways(c, &out->addresses);
	if (r < 0 || out->addresses.count > 0)
		return r;
	err_set(&c->err, CNI_BAD_CONFIG, -EADDRNOTAVAIL, "interface %s has no address to be asked for names", link);
	err_detail(&c->err, "give the network a gateway: \"isGateway\": true in bridge");
	return -EADDRNOTAVAIL;
}

static int is_entry(const char *entry, void *arg)
{
	(void)entry, (void)arg;
	return 1;
}

bool hosts_are_left(struct cni_call *c, const char *network)
{
	return names_each(network_path(c, network, "hosts"), is_entry, NULL) == 1;
}

void network_remove(struct cni_call *c, const char *network)
{
	static const char *const files[] = { "about", "lock" }, *const dirs[] = { "hosts", "" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(network_path(c, network, files[i]));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		rmdir(network_path(c, network, dirs[i]));
}

/* ---- Attachments ---- */

static const struct field record_fields[] = {
	FIELD(struct record, netns,     "netns",     read_string),
	FIELD(struct record, inode,     "inode",     read_int, .min = 0, .max = 1ll << 62),
	FIELD(struct record, addresses, "addresses", read_list, .item = read_addr, .size = sizeof(struct addr)),
	FIELD(struct record, view,      "view",      read_string),
	FIELD(struct record, probe,     "probe",     read_string),
	FIELD(struct record, dotted,    "dotted",    read_bool),
	FIELD_END
};

static const char *record_path(struct cni_call *c, const char *container, const char *network, const char *ifname)
{
	return arena_printf(&c->arena, NAMES "/containers/%s/%s:%s", container, network, ifname);
}

static int addresses_of(struct cni_call *c, struct list *out)
{
	for_list (const struct ip_conf, ip, &c->prev.ips) {
		struct addr *slot;

		if (c->prev.ips.count > 1 && !result_ip_is_of(&c->prev, ip, c->who.ifname))
			continue;
		slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);
		if (!slot)
			return err_nomem(&c->err, "addresses");
		*slot = ip->address.addr;
	}
	return out->count ? 0 : err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "prevResult.ips: no ip address was found in the network");
}

int record_begin(struct cni_call *c, struct record *out)
{
	uint64_t chance = 0;

	if (getrandom(&chance, sizeof chance, 0) < 0)
		return err_sys(&c->err, CNI_FAILED, -errno, "random number");
	*out = (struct record){
		.network = c->who.network, .container = c->who.container, .ifname = c->who.ifname, .netns = c->who.netns,
		.inode = c->pod_fd >= 0 ? (long long)netns_inode(c->pod_fd) : 0, .view = "",
		.probe = arena_printf(&c->arena, "_%016llx", (unsigned long long)chance),
	};
	return addresses_of(c, &out->addresses);
}

int record_write(struct cni_call *c, const struct record *r)
{
	json_t *addresses = json_array();
	char text[ADDR_TEXT];

	for_list (const struct addr, a, &r->addresses)
		json_array_append_new(addresses, json_string(addr_text(a, text)));
	return json_save(c, record_path(c, r->container, r->network, r->ifname), json_pack("{s:s, s:I, s:o, s:s, s:s, s:b}", "netns", r->netns, "inode",
	                 (json_int_t)r->inode, "addresses", addresses, "view", r->view, "probe", r->probe, "dotted", r->dotted));
}

int record_announce(struct cni_call *c, const struct record *r)
{
	return access(record_path(c, r->container, r->network, r->ifname), F_OK) == 0 ? 0 : record_write(c, r);
}

int record_read(struct cni_call *c, const char *container, const char *network, const char *ifname, struct record *out)
{
	*out = (struct record){ .network = network, .container = container, .ifname = ifname, .netns = "", .view = "", .probe = "" };
	return json_load(c, record_path(c, container, network, ifname), record_fields, out);
}

void record_remove(struct cni_call *c, const struct record *r)
{
	unlink(record_path(c, r->container, r->network, r->ifname));
	rmdir(arena_printf(&c->arena, NAMES "/containers/%s", r->container));
}

struct records {
	struct cni_call *c;
	const char      *container, *network;   /* network NULL: of any */
	struct list     *out;
};

static int note_record(const char *entry, void *records)
{
	struct records *k = records;
	const char *colon = strchr(entry, ':');
	struct record r, *slot;
	char *network = colon ? arena_printf(&k->c->arena, "%.*s", (int)(colon - entry), entry) : NULL, *ifname = colon ? arena_strdup(&k->c->arena, colon + 1) : NULL;

	if (!network || !ifname || (k->network && strcmp(network, k->network)) || record_read(k->c, k->container, network, ifname, &r) < 0)
		return 0;
	slot = arena_push(&k->c->arena, &k->out->items, &k->out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&k->c->err, "attachments");
	*slot = r;
	return 0;
}

static int note_records(const char *container, void *records)
{
	struct records *k = records;

	k->container = arena_strdup(&k->c->arena, container);
	return k->container ? names_each(arena_printf(&k->c->arena, NAMES "/containers/%s", k->container), note_record, k) : err_nomem(&k->c->err, "attachments");
}

int records_of(struct cni_call *c, const char *container, struct list *out)
{
	return note_records(container, &(struct records){ .c = c, .out = out });
}

int records_on(struct cni_call *c, const char *network, struct list *out)
{
	return names_each(NAMES "/containers", note_records, &(struct records){ .c = c, .network = network, .out = out });
}

bool same_container(const struct record *a, const struct record *b)
{
	return !strcmp(a->container, b->container) && (a->inode && b->inode ? a->inode == b->inode : !strcmp(a->netns, b->netns));
}

/* ---- Names ---- */

static const char *hosts_path(struct cni_call *c, const struct record *r)
{
	char text[ADDR_TEXT] = "";

	if (r->addresses.count)
		addr_text(r->addresses.items, text);
	return arena_printf(&c->arena, NAMES "/networks/%s/hosts/%s", r->network, text);        /* without an address: no file's */
}

/* The first line says whose the file is. */
static const char *hosts_head(struct cni_call *c, const struct record *r)
{
	return arena_printf(&c->arena, "#%s:%s:%s\n", r->network, r->container, r->ifname);
}

/* A file in the form of /etc/hosts: its names once for each address, so that they are told by each. */
int hosts_write(struct cni_call *c, const struct record *r)
{
	struct list names = { 0 }, dotted = { 0 };
	scoped(mem_free) char *text = NULL;
	char address[ADDR_TEXT];
	size_t len;
	FILE *f;
	int bad = names_of(c, &names, &dotted);

	if (bad < 0)
		return bad;
	f = open_memstream(&text, &len);
	if (!f)
		return err_nomem(&c->err, "names");
	fputs(hosts_head(c, r), f);
	for_list (const char *, name, &dotted)
		fprintf(f, "#dotted %s\n", *name);
	for_list (const struct addr, a, &r->addresses) {
		fputs(addr_text(a, address), f);
		for_list (const char *, name, &names)
			fprintf(f, " %s", *name);
		fprintf(f, " %s\n", r->probe);
	}
	fclose(f);
	return names_write(c, hosts_path(c, r), text);
}

/* 1: the attachment's; 0: another's; -ENOENT. */
static int hosts_are_of(struct cni_call *c, const struct record *r)
{
	const char *text = names_read(c, hosts_path(c, r)), *head = hosts_head(c, r);

	return !text ? -ENOENT : !strncmp(text, head, strlen(head));
}

bool hosts_are_there(struct cni_call *c, const struct record *r)
{
	return hosts_are_of(c, r) == 1;
}

/* An address that has been given to somebody else since has his names. */
void hosts_remove(struct cni_call *c, const struct record *r)
{
	if (hosts_are_of(c, r) == 1)
		unlink(hosts_path(c, r));
}

int hosts_check(struct cni_call *c, const struct record *r)
{
	int ours = hosts_are_of(c, r);

	if (ours == 1)
		return 0;
	err_set(&c->err, CNI_FAILED, -ENOENT, ours < 0 ? "the container's names are missing: %s" : "another container has the address of %s", hosts_path(c, r));
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -ENOENT;
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
	int r = *c->who.container ? records_of(c, c->who.container, &records) : 0;

	if (r < 0)
		return r;
	out[n++] = c->who.network;
	for_list (const struct record, rec, &records)
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
