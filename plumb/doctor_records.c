/* What is on record: attachments that are dead, leases of nobody, nftables that have lost what records tell of. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/attach.h"
#include "cni/nftables.h"
#include "cni/version.h"
#include "doctor.h"
#include "os/file.h"
#include "plumb.h"

enum { LEASE_LIMIT = 4096 };

/* ---- Attachments ---- */

static void examine_dead(struct examination *x)
{
	for_list (const struct seen_attachment, a, &x->s->attachments) {
		const struct endpoint *e = &a->record.endpoint;

		if (!a->fault || a->has_pod || (access(e->netns, F_OK) == 0 && *e->netns && !a->record.unfinished))
			continue;
		find_add(x, (struct finding){ LEVEL_WARNING, "attachment-dead",
					     find_words(x, "network %s: container %s (%s) is attached on record only: %s", a->record.network, a->name,
							e->ifname, a->fault),
					     "its address, its ports and its interface's name stay taken",
					     find_words(x, "plumb gc %s, or plumb doctor --fix", a->record.network), FIX_GC, a->record.network });
	}
}

static void tell_lame(struct examination *x, const struct seen_attachment *a, const char *fault)
{
	find_add(x, (struct finding){ LEVEL_PROBLEM, "attachment-lame",
				     find_words(x, "network %s: container %s lives, but %s", a->record.network, a->name, fault),
				     "it is cut off from the network", find_words(x, "plumb explain %s; then detach and attach it anew", a->name) });
}

/* What somebody has done to the bridge of a living container; NULL: nothing. */
static const char *bridge_fault(struct examination *x, const struct seen_attachment *a)
{
	const struct seen_network *n = a->network;

	if (!a->has_pod || !a->near || !n->type || strcmp(n->type, "bridge") || !n->link_name)
		return NULL;
	if (!n->link)
		return find_words(x, "bridge %s is gone", n->link_name);
	return a->near->link.master == n->link->link.index ? NULL : find_words(x, "its link %s is no port of bridge %s", a->near->link.name, n->link_name);
}

static void examine_lamed(struct examination *x)
{
	for_list (const struct seen_attachment, a, &x->s->attachments) {
		const char *fault = a->fault ? NULL : bridge_fault(x, a);

		if (fault)
			tell_lame(x, a, fault);
		if (a->fault && !a->record.unfinished && *a->record.endpoint.netns && access(a->record.endpoint.netns, F_OK) == 0 &&
		    strncmp(a->fault, "its plumb run", 13) != 0)
			tell_lame(x, a, a->fault);
	}
}

/* ---- Leases ---- */

static bool is_on_record(const struct survey *s, const struct seen_network *n, const char *container, const char *ifname)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (a->network == n && !strcmp(a->record.endpoint.container, container) && (!*ifname || !strcmp(a->record.endpoint.ifname, ifname)))
			return true;
	return false;
}

/* Whether somebody lives on the network whom no record tells of: another runtime's container, whose records are elsewhere. */
static bool has_strangers(const struct survey *s, const struct seen_network *n)
{
	for_list (const struct seen_link, l, &s->links) {
		bool known = false;

		if (!n->link || l->link.master != n->link->link.index)
			continue;
		for_list (const struct seen_attachment, a, &s->attachments)
			known |= a->near == l;
		if (!known)
			return true;
	}
	return false;
}

/* ptp routes each address by a link of its own. */
static bool has_route(const struct survey *s, const struct addr *a)
{
	for_list (const struct route, r, &s->routes)
		if (addr_equal(&r->dst.addr, a) && r->dst.len == addr_size(a->family) * 8)
			return true;
	return false;
}

static void examine_lease(struct examination *x, const struct seen_network *n, const char *name, const struct addr *a)
{
	size_t len;
	char *holder = file_read(&x->c->arena, find_words(x, "%s/%s", n->lease_dir, name), LEASE_LIMIT, &len), *ifname;
	bool stranger, asked = n->conf.version && version_at_least(n->conf.version, "1.1.0");

	if (!holder)
		return;
	ifname = strstr(holder, "\r\n");
	if (ifname) {
		*ifname = '\0';
		ifname += 2;
	}
	text_trim(holder);
	if (is_on_record(x->s, n, holder, ifname ? ifname : ""))
		return;
	stranger = has_strangers(x->s, n) || has_route(x->s, a);
	find_add(x, (struct finding){
			    stranger ? LEVEL_NOTE : LEVEL_WARNING, "lease-stale",
			    find_words(x, "network %s: %s is held by container %s, which is not on record", n->name, name,
				       *holder ? holder : "(nobody)"),
			    stranger ? "the network has containers whose records are not here: if another runtime keeps them elsewhere, all is well"
				     : "the address is not given to others",
			    stranger ? "name their runtime's directory by --cache-dir, or its containers by plumb gc --valid"
			    : asked  ? find_words(x, "plumb gc %s, or plumb doctor --fix", n->name)
				     : find_words(x, "remove %s/%s (plumb gc asks plugins from \"cniVersion\": \"1.1.0\" on)", n->lease_dir, name),
			    stranger || !asked ? FIX_NONE : FIX_GC, n->name });
}

static void examine_leases(struct examination *x, const struct seen_network *n)
{
	scoped(dir_close) DIR *d = n->lease_dir ? opendir(n->lease_dir) : NULL;
	struct dirent *entry;
	struct addr a;

	while (d && (entry = readdir(d)))
		if (addr_parse(entry->d_name, &a))
			examine_lease(x, n, entry->d_name, &a);
}

/* ---- nftables ---- */

struct comparison {
	struct nft nft;
	size_t     records, missing, dead;
	char       network[NAME_MAX_LEN + 1];           /* of the first that is dead */
};

static int compare(const struct nft_set *set, struct nft_element *el, void *arg)
{
	struct comparison *k = arg;
	struct nft_element there = { .key = el->key };
	struct err ignored = { 0 };

	k->missing += nft_find(&k->nft, set, &there, &ignored) != 1;
	return 0;
}

/* Its first part, up to ':', is the network's name. */
static void compare_record(struct examination *x, struct comparison *k, const char *name)
{
	static const struct nft_table *const tables[] = { &nft_inet, &nft_bridge };
	struct err ignored = { 0 };
	char netns[PATH_MAX];

	k->records++;
	if (nft_record_note(name, netns, sizeof netns) && *netns && access(netns, F_OK) < 0 && errno == ENOENT) {
		if (!k->dead++)
			text_format(k->network, sizeof k->network, "%.*s", (int)strcspn(name, ":"), name);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		nft_record_each(find_words(x, NFT_RECORDS "/%s", name), tables[i], compare, k, &ignored);
}

static void tell_lost(struct examination *x, const struct comparison *k, const struct err *base)
{
	if (base->code)
		find_add(x,
			 (struct finding){
				 LEVEL_PROBLEM, "table-lost", find_words(x, "%s", base->msg),
				 "somebody has flushed or changed the ruleset: published ports, masquerading and policies are gone, or work in part",
				 "plumb restore, or plumb doctor --fix; contrib/plumb-restore.service does it by itself", FIX_RESTORE });
	else if (k->missing)
		find_add(x, (struct finding){ LEVEL_PROBLEM, "elements-lost",
					     find_words(x, "%zu element%s on record %s missing in table inet plumb", k->missing,
							k->missing == 1 ? "" : "s", k->missing == 1 ? "is" : "are"),
					     "published ports, masquerading or policies of their containers do not work",
					     "plumb restore, or plumb doctor --fix", FIX_RESTORE });
}

static bool has_dead(const struct survey *s, const char *network)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (a->fault && !strcmp(a->record.network, network))
			return true;
	return false;
}

/* What is on record gc detaches; for the rest it asks the plugins, of a network that is configured, in a version that has GC. */
static void tell_stale(struct examination *x, const struct comparison *k)
{
	const struct seen_network *n = survey_network(x->s, k->network);
	bool configured = n && n->configured, asked = configured && n->conf.version && version_at_least(n->conf.version, "1.1.0");
	bool collects = asked || has_dead(x->s, k->network);

	find_add(x, (struct finding){
			    LEVEL_WARNING, "nftables-stale",
			    find_words(x, "%zu record%s in " NFT_RECORDS " %s of containers whose namespace is gone", k->dead, k->dead == 1 ? "" : "s",
				       k->dead == 1 ? "is" : "are"),
			    "their published ports lead nowhere until another container claims them",
			    collects     ? find_words(x, "plumb gc %s, or plumb doctor --fix", k->network)
			    : configured ? find_words(x, "write \"cniVersion\": \"1.1.0\" into %s, from which on plugins can be asked; then plumb gc %s", n->conf.path,
						      k->network)
					 : find_words(x, "network %s is not configured: plumb network create -o cni-version=1.1.0 %s; plumb gc %s; plumb network rm %s",
						      k->network, k->network, k->network, k->network),
			    collects ? FIX_GC : FIX_NONE, find_words(x, "%s", k->network) });
}

static void examine_tables(struct examination *x)
{
	scoped(dir_close) DIR *d = opendir(NFT_RECORDS);
	struct comparison k = { .records = 0 };
	struct err e = { 0 }, base = { 0 };
	struct dirent *entry;

	if (!d || nft_open(&k.nft, &e) < 0)
		return;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			compare_record(x, &k, entry->d_name);
	if (k.records)
		nft_check_base(&k.nft, &nft_inet, &base);
	tell_lost(x, &k, &base);
	if (k.dead)
		tell_stale(x, &k);
	nft_close(&k.nft);
}

void examine_records(struct examination *x)
{
	examine_dead(x);
	examine_lamed(x);
	for_list (const struct seen_network, n, &x->s->networks)
		examine_leases(x, n);
	examine_tables(x);
}
