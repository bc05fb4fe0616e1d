#include "survey.h"

#include <errno.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attachment.h"
#include "cni/version.h"
#include "os/address.h"
#include "os/netns.h"
#include "plumb.h"

enum { SHORT_ID = 12 };

/* ---- The host ---- */

struct addresses {
	struct call *c;
	struct list *out;
};

static bool is_link_local(const struct prefix *p)
{
	return p->addr.family == AF_INET6 && p->addr.bytes[0] == 0xfe && (p->addr.bytes[1] & 0xc0) == 0x80;
}

static int note_address(const struct prefix *p, void *arg)
{
	struct addresses *a = arg;
	struct prefix *slot = is_link_local(p) ? NULL : arena_push(&a->c->arena, &a->out->items, &a->out->count, sizeof *slot);

	if (slot)
		*slot = *p;
	return 0;
}

static int note_link(const struct link *l, void *arg)
{
	struct survey *s = arg;
	struct seen_link *slot = arena_push(&s->c->arena, &s->links.items, &s->links.count, sizeof *slot);
	struct err gone = { 0 };

	if (!slot)
		return -ENOMEM;
	slot->link = *l;
	address_each(&s->nl, l->index, 0, note_address, &(struct addresses){ s->c, &slot->addresses }, &gone);
	return 0;
}

static int note_route(const struct route *r, void *arg)
{
	struct survey *s = arg;
	struct route *slot = arena_push(&s->c->arena, &s->routes.items, &s->routes.count, sizeof *slot);

	if (!slot)
		return -ENOMEM;
	*slot = *r;
	return 0;
}

static int read_host(struct survey *s)
{
	struct err *e = &s->c->trouble.err;
	int r = netlink_open(&s->nl, NETLINK_ROUTE, e);

	gethostname(s->host, sizeof s->host - 1);
	if (r < 0 || (r = link_each(&s->nl, note_link, s, e)) < 0 || (r = route_each(&s->nl, AF_INET, note_route, s, e)) < 0)
		return r;
	return route_each(&s->nl, AF_INET6, note_route, s, e);
}

/* ---- Attachments ---- */

/* The last part of a namespace's path, where a person chose it: what runtimes make up themselves (cni-1f2e…, a process's) says nothing. */
static const char *netns_name(const char *netns)
{
	const char *name = strrchr(netns, '/');

	if (!name || !strstr(netns, "/netns/") || !strncmp(name, "/cni-", 5) || !strncmp(name, "/netns-", 7))
		return NULL;
	return name + (strncmp(name, "/plumb-", 7) ? 1 : 7);
}

static const char *name_of(struct call *c, const struct cached *a)
{
	const char *name = attached_arg(a, "K8S_POD_NAME");
	char *text;

	if (!name || !*name)
		name = netns_name(a->endpoint.netns);
	text = arena_printf(&c->arena, "%.*s", name && *name ? INT_MAX : SHORT_ID, name && *name ? name : a->endpoint.container);
	if (text)
		utf8_mend(text);        /* a path may be of any bytes */
	return text ? text : "";
}

static int note_attachment(struct call *c, const struct cached *record, void *arg)
{
	struct survey *s = arg;
	struct seen_attachment *a = arena_push(&c->arena, &s->attachments.items, &s->attachments.count, sizeof *a);
	struct err ignored = { 0 };

	if (!a)
		return -ENOMEM;
	*a = (struct seen_attachment){ .record = *record, .name = name_of(c, record), .fault = attachment_fault(c, &record->endpoint) };
	if (record->unfinished)
		a->fault = "its ADD was cut off";
	if (record->result && result_read(record->result, CNI_NEWEST, "result.", CNI_DECODE, &c->arena, &a->result, &ignored) < 0)
		a->result = (struct result){ 0 };
	return 0;
}

int attachment_enter(const struct seen_attachment *a, int (*look)(struct netlink *pod, void *arg), void *arg)
{
	struct err ignored = { 0 };
	scoped(fd_close) int fd = *a->record.endpoint.netns ? netns_open(a->record.endpoint.netns, &ignored) : -ENOENT;
	scoped(netns_leave) int back = fd < 0 ? fd : netns_enter(fd, &ignored);
	struct netlink nl = { 0 };
	int r = back < 0 ? back : netlink_open(&nl, NETLINK_ROUTE, &ignored);

	if (r == 0)
		r = look(&nl, arg);
	netlink_close(&nl);
	return r;
}

struct inside {
	struct survey          *s;
	struct seen_attachment *a;
};

static int look_inside(struct netlink *pod, void *arg)
{
	struct inside *in = arg;
	struct err ignored = { 0 };

	if (link_by_name(pod, in->a->record.endpoint.ifname, &in->a->pod, &ignored) < 0)
		return 0;
	in->a->has_pod = true;
	address_each(pod, in->a->pod.index, 0, note_address, &(struct addresses){ in->s->c, &in->a->addresses }, &ignored);
	return 0;
}

/* By the kernel's word (a veth's other end, a macvlan's parent); where the container's end is gone, by the record. */
static const struct seen_link *find_near(const struct survey *s, const struct seen_attachment *a)
{
	const struct seen_link *found = NULL;

	if (a->has_pod && a->pod.peer)
		return survey_link_at(s, a->pod.peer);
	for_list (const struct iface, i, &a->result.ifaces)
		if (!i->sandbox && i->name && (found = survey_link(s, i->name)) && !strcmp(found->link.kind, "veth"))
			return found;
	return NULL;
}

static void look_at(struct survey *s, struct seen_attachment *a)
{
	attachment_enter(a, look_inside, &(struct inside){ s, a });
	if (!a->fault && !a->has_pod)
		a->fault = arena_printf(&s->c->arena, "its interface %s is gone", a->record.endpoint.ifname);
	a->near = find_near(s, a);
	if (!a->fault && !a->near && a->pod.peer && !strcmp(a->pod.kind, "veth"))
		a->fault = "the host's end of its veth is gone";
}

/* ---- Who belongs where ---- */

/* A network that is not in the configuration directory (any more): as the attachment's record has it. */
static int adopt_network(struct survey *s, const struct cached *record)
{
	struct seen_network *n = arena_push(&s->c->arena, &s->networks.items, &s->networks.count, sizeof *n);
	struct err ignored = { 0 };

	if (!n)
		return -ENOMEM;
	*n = (struct seen_network){ .name = record->network };
	if (record->config && network_read(s->c, record->config, record->path, &n->conf, &ignored) == 0)
		survey_describe(s, n);
	else
		n->conf = (struct network){ 0 };
	return 0;
}

static int join_network(struct survey *s, struct seen_attachment *a)
{
	const struct seen_link *master;
	struct seen_attachment **slot;

	a->network = survey_network(s, a->record.network);
	slot = arena_push(&s->c->arena, &a->network->attachments.items, &a->network->attachments.count, sizeof(void *));
	if (!slot)
		return -ENOMEM;
	*slot = a;
	if (!a->network->link_name && a->near && (master = survey_link_at(s, a->near->link.master)))
		a->network->link_name = master->link.name;
	return 0;
}

int survey_read(struct call *c, struct survey *s)
{
	int r;

	*s = (struct survey){ .c = c };
	if ((r = read_host(s)) < 0 || (r = survey_networks(s)) < 0 || (r = cache_each(c, NULL, note_attachment, s)) < 0)
		return r;
	for_list (struct seen_attachment, a, &s->attachments) {
		look_at(s, a);
		if (!survey_network(s, a->record.network) && adopt_network(s, &a->record) < 0)
			return err_nomem(&c->trouble.err, "networks");
	}
	for_list (struct seen_attachment, a, &s->attachments)
		if (join_network(s, a) < 0)
			return err_nomem(&c->trouble.err, "attachments");
	for_list (struct seen_network, n, &s->networks)
		n->link = n->link_name ? survey_link(s, n->link_name) : NULL;
	return 0;
}

void survey_close(struct survey *s)
{
	netlink_close(&s->nl);
}
