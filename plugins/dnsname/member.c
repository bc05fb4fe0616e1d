/* Attachments on record, as their ADDs made them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "dnsname/dnsname.h"
#include "os/netns.h"

static const struct field member_fields[] = {
	FIELD(struct member, netns,     "netns",     read_string),
	FIELD(struct member, inode,     "inode",     read_int, .min = 0, .max = 1ll << 62),
	FIELD(struct member, addresses, "addresses", read_list, .item = read_addr, .size = sizeof(struct addr)),
	FIELD(struct member, view,      "view",      read_string),
	FIELD(struct member, probe,     "probe",     read_string),
	FIELD(struct member, dotted,    "dotted",    read_bool),
	FIELD_END
};

static const char *member_path(struct cni_call *c, const char *container, const char *network, const char *ifname)
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

int member_begin(struct cni_call *c, struct member *out)
{
	uint64_t chance = 0;

	if (getrandom(&chance, sizeof chance, 0) < 0)
		return err_sys(&c->err, CNI_FAILED, -errno, "random number");
	*out = (struct member){
		.network = c->who.network, .container = c->who.container, .ifname = c->who.ifname, .netns = c->who.netns,
		.inode = c->pod_fd >= 0 ? (long long)netns_inode(c->pod_fd) : 0, .view = "",
		.probe = arena_printf(&c->arena, "_%016llx", (unsigned long long)chance),
	};
	return addresses_of(c, &out->addresses);
}

int member_write(struct cni_call *c, const struct member *r)
{
	json_t *addresses = json_array();
	char text[ADDR_TEXT];

	for_list (const struct addr, a, &r->addresses)
		json_array_append_new(addresses, json_string(addr_text(a, text)));
	return names_save(c, member_path(c, r->container, r->network, r->ifname), json_pack("{s:s, s:I, s:o, s:s, s:s, s:b}", "netns", r->netns, "inode",
	                 (json_int_t)r->inode, "addresses", addresses, "view", r->view, "probe", r->probe, "dotted", r->dotted));
}

int member_announce(struct cni_call *c, const struct member *r)
{
	return names_mark(c, member_path(c, r->container, r->network, r->ifname));
}

int member_read(struct cni_call *c, const char *container, const char *network, const char *ifname, struct member *out)
{
	const struct member nothing = { .network = network, .container = container, .ifname = ifname, .netns = "", .view = "", .probe = "" };
	int r;

	*out = nothing;
	r = names_load(c, member_path(c, container, network, ifname), member_fields, out);
	if (r != -EBADMSG)
		return r;
	*out = nothing;
	return 1;
}

static const char *container_path(struct cni_call *c, const char *container)
{
	return arena_printf(&c->arena, NAMES "/containers/%s", container);
}

int member_remove(struct cni_call *c, const struct member *r)
{
	int bad = names_remove(c, member_path(c, r->container, r->network, r->ifname));

	return bad < 0 ? bad : names_remove_dir(c, container_path(c, r->container));
}

struct members {
	struct cni_call *c;
	const char      *container, *network;   /* network NULL: of any */
	struct list     *out;
	int              bad;                   /* the first that cannot be read */
};

static int note_record(const char *entry, void *records)
{
	struct members *k = records;
	char *network = arena_strdup(&k->c->arena, entry), *colon = network ? strchr(network, ':') : NULL, *ifname = colon ? colon + 1 : NULL;
	struct member r, *slot;
	int there;

	if (!network)
		return err_nomem(&k->c->err, "attachments");
	if (!ifname)
		return 0;
	*colon = '\0';
	if (k->network && strcmp(network, k->network))
		return 0;
	there = member_read(k->c, k->container, network, ifname, &r);
	k->bad = first_failure(k->bad, there);
	if (there != 1)
		return 0;
	slot = arena_push(&k->c->arena, &k->out->items, &k->out->count, sizeof *slot);
	if (!slot)
		return err_nomem(&k->c->err, "attachments");
	*slot = r;
	return 0;
}

static int note_records(const char *container, void *records)
{
	struct members *k = records;

	k->container = arena_strdup(&k->c->arena, container);
	if (!k->container)
		return err_nomem(&k->c->err, "attachments");
	k->bad = first_failure(k->bad, names_each(k->c, container_path(k->c, k->container), note_record, k));
	return 0;
}

int members_of(struct cni_call *c, const char *container, struct list *out)
{
	struct members k = { .c = c, .out = out };
	int r = note_records(container, &k);

	return first_failure(first_failure(k.bad, r), 0);
}

int members_on(struct cni_call *c, const char *network, struct list *out)
{
	struct members k = { .c = c, .network = network, .out = out };
	int r = names_each(c, NAMES "/containers", note_records, &k);

	return first_failure(first_failure(k.bad, r), 0);
}

static int sweep(const char *container, void *call)
{
	struct cni_call *c = call;

	return names_remove_dir(c, container_path(c, container));
}

int members_sweep(struct cni_call *c)
{
	return names_each(c, NAMES "/containers", sweep, c);
}

bool member_is_same(const struct member *a, const struct member *b)
{
	return !strcmp(a->container, b->container) && (a->inode && b->inode ? a->inode == b->inode : !strcmp(a->netns, b->netns));
}

int member_check(struct cni_call *c, const struct member *r)
{
	struct member told;
	const struct addr *had = r->addresses.items, *a;
	char text[ADDR_TEXT];
	int bad = member_begin(c, &told);

	for (size_t i = 0; bad == 0 && i < told.addresses.count; i++) {
		a = &((const struct addr *)told.addresses.items)[i];
		if (i >= r->addresses.count || !addr_equal(&had[i], a)) {
			bad = err_set(&c->err, CNI_FAILED, -ENOENT, "the names of container %s do not lead to %s", c->who.container, addr_text(a, text));
			err_detail(&c->err, "DEL and ADD the attachment to mend it");
		}
	}
	return bad;
}
