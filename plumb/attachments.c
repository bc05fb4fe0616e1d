#include "attachments.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cni/result.h"
#include "cni/version.h"
#include "os/file.h"
#include "os/netns.h"
#include "plumb.h"
#include "runs.h"

enum { ID_BEGINNING = 4, IFNAMES_LIMIT = 256 };

/* ---- Of a network ---- */

static int gather(struct call *c, const struct cached *a, void *arg)
{
	struct list *out = arg;
	struct cached *slot = arena_push(&c->arena, &out->items, &out->count, sizeof *slot);

	if (!slot)
		return err_nomem(&c->trouble.err, "attachments");
	*slot = *a;
	return 0;
}

int attachments_of(struct call *c, const char *network, struct list *out)
{
	*out = (struct list){ 0 };
	return cache_each(c, network, gather, out);
}

/* ---- What a record says ---- */

const char *attached_arg(const struct cached *a, const char *key)
{
	json_t *pair;
	size_t i;

	json_array_foreach(a->endpoint.cni_args, i, pair) {
		const char *name = json_string_value(json_array_get(pair, 0));

		if (name && !strcmp(name, key))
			return json_string_value(json_array_get(pair, 1));
	}
	return NULL;
}

const char *attached_name(const struct cached *a)
{
	const char *name = attached_arg(a, "K8S_POD_NAME");

	return name && *name ? name : a->endpoint.container;
}

/* Whether text is what `ip netns` or the runtime calls it (/run/netns/NAME, /run/user/1000/netns/NAME), or the number of a process in it. */
static bool is_netns_name(const char *netns, const char *text)
{
	const char *name = strstr(netns, "/netns/");
	char path[64];

	if (name && !strcmp(name + strlen("/netns/"), text))
		return true;
	return !text[strspn(text, "0123456789")] && text_format(path, sizeof path, "/proc/%s/ns/net", text) && file_is_same(netns, path);
}

bool attached_is(const struct cached *a, const char *text)
{
	const char *id = a->endpoint.container, *netns = a->endpoint.netns;

	if (strchr(text, '/'))
		return !strcmp(netns, text) || file_is_same(netns, text);
	if (!strcmp(id, text) || !strcmp(attached_name(a), text) || (strlen(text) >= ID_BEGINNING && !strncmp(id, text, strlen(text))))
		return true;
	return is_netns_name(netns, text);
}

int attached_refuse_unknown(struct call *c, const char *text)
{
	trouble_set(&c->trouble, EXIT_NO_NETWORK, -ENOENT, "no container \"%s\" is attached to %s", text,
	            c->opt.networks.count ? *(const char **)c->opt.networks.items : "any network");
	err_detail(&c->trouble.err, "want a name or id on record in %s/results, or a namespace", c->opt.cache_dir);
	return -ENOENT;
}

bool attached_same(const struct cached *a, const struct cached *b)
{
	return !strcmp(a->endpoint.container, b->endpoint.container);
}

json_t *attached_ports(const struct cached *a)
{
	json_t *ports = a->endpoint.capability_args ? json_member(a->endpoint.capability_args, "portMappings") : NULL;

	return json_array_size(ports) > 0 ? ports : NULL;
}

/* False: there is none that can be read. */
static bool result_of(struct call *c, const struct cached *a, struct result *out)
{
	struct err ignored = { 0 };

	return a->result && result_read(a->result, CNI_NEWEST, "result.", CNI_DECODE, &c->arena, out, &ignored) == 0;
}

const char *attached_mac(struct call *c, const struct cached *a)
{
	struct result r;

	if (result_of(c, a, &r))
		for_list (const struct iface, i, &r.ifaces)
			if (i->sandbox && i->name && i->mac && !strcmp(i->name, a->endpoint.ifname))
				return i->mac;
	return "";
}

const char *attached_address(struct call *c, const struct cached *a, int family)
{
	char text[PREFIX_TEXT];
	struct result r;
	const struct ip_conf *ip = result_of(c, a, &r) ? result_pod_ip(&r, family, a->endpoint.ifname) : NULL;
	const char *copy = ip ? arena_strdup(&c->arena, prefix_text(&ip->address, text)) : NULL;

	return copy ? copy : "";
}

const char *attached_words(struct call *c, const struct cached *a)
{
	const char *words = arena_printf(&c->arena, "%s (%s)", attached_name(a), a->endpoint.ifname);

	return words ? words : attached_name(a);
}

/* ---- Of a container ---- */

/* The one container on record that text means. 1: found; 0: none; negative: several. */
static int find_on_record(struct call *c, const char *text, struct endpoint *out)
{
	const struct cached *found = NULL;
	struct list all;
	int r = attachments_of(c, NULL, &all);

	if (r < 0)
		return r;
	for_list (const struct cached, a, &all) {
		bool exact = !strcmp(a->endpoint.container, text);

		if (!attached_is(a, text) || (found && attached_same(found, a)))
			continue;
		if (found && !exact && strcmp(found->endpoint.container, text))
			return trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "container \"%s\": several are meant: %s and %s", text,
			                   found->endpoint.container,
			                   a->endpoint.container);
		if (!found || exact)
			found = a;
	}
	if (!found)
		return 0;
	*out = (struct endpoint){ .container = found->endpoint.container, .netns = found->endpoint.netns, .name = attached_arg(found, "K8S_POD_NAME") };
	return 1;
}

int container_find(struct call *c, const char *text, struct endpoint *out)
{
	struct run_record run;
	struct stat st;
	int r;

	if (!strchr(text, '/') && name_valid(text) && run_read(c, text, &run) == 0 && run.alive) {
		*out = (struct endpoint){ .container = run.id, .netns = run.netns, .name = run.name };
		return 0;
	}
	if ((r = find_on_record(c, text, out)) != 0)
		return r < 0 ? r : 0;
	r = endpoint_read(c, text, out);
	out->ifname = NULL;
	if (r == 0 && stat(out->netns, &st) == 0) {
		if (name_valid(text) && text[strspn(text, "0123456789")])
			out->name = text;
		return 0;
	}
	c->trouble = (struct trouble){ 0 };
	trouble_set(&c->trouble, EXIT_FAILED, -ENOENT, "no container \"%s\"", text);
	err_detail(&c->trouble.err,
	           "want the name of a plumb run, a name or id on record in %s/results, a namespace's path or name, or a process's number",
	           c->opt.cache_dir);
	return -ENOENT;
}

const char *container_free_ifname(struct call *c, const struct endpoint *container)
{
	struct err *err = &c->trouble.err;
	scoped(fd_close) int fd = -1;
	scoped(netns_leave) int back = -1;
	struct list all;

	if (attachments_of(c, NULL, &all) < 0 || (fd = netns_open(container->netns, err)) < 0 || (back = netns_enter(fd, err)) < 0)
		return NULL;
	for (unsigned i = 0; i < IFNAMES_LIMIT; i++) {
		const char *name = arena_printf(&c->arena, "eth%u", i);
		bool taken = !name || if_nametoindex(name) != 0;

		for_list (const struct cached, a, &all)
			taken |= name && !strcmp(a->endpoint.container, container->container) && !strcmp(a->endpoint.ifname, name);
		if (!taken)
			return name;
	}
	trouble_set(&c->trouble, EXIT_FAILED, -EEXIST, "%s has %d interfaces already", container->netns, IFNAMES_LIMIT);
	return NULL;
}
