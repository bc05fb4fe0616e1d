/* The names of an attachment: a file in the form of /etc/hosts, which name servers watch. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dnsname/dnsname.h"

static const char *hosts_path(struct cni_call *c, const struct member *r)
{
	char text[ADDR_TEXT] = "";

	if (r->addresses.count)
		addr_text(r->addresses.items, text);
	return arena_printf(&c->arena, NAMES "/networks/%s/hosts/%s", r->network, text); /* without an address: no file's */
}

/* The first line says whose the file is. */
static const char *hosts_head(struct cni_call *c, const struct member *r)
{
	return arena_printf(&c->arena, "#%s:%s:%s\n", r->network, r->container, r->ifname);
}

/* A file in the form of /etc/hosts: its names once for each address, so that they are told by each. */
int hosts_write(struct cni_call *c, const struct member *r)
{
	struct list names = { 0 }, dotted = { 0 };
	scoped(mem_free) char *text = NULL;
	const char *head = hosts_head(c, r);
	char address[ADDR_TEXT];
	size_t len;
	FILE *f;
	int bad = names_of(c, &names, &dotted);

	if (bad < 0)
		return bad;
	f = head ? open_memstream(&text, &len) : NULL;
	if (!f)
		return err_nomem(&c->err, "names");
	fputs(head, f);
	for_list (const char *, name, &dotted)
		fprintf(f, "#dotted %s\n", *name);
	for_list (const struct addr, a, &r->addresses) {
		fputs(addr_text(a, address), f);
		for_list (const char *, name, &names)
			fprintf(f, " %s", *name);
		fprintf(f, " %s\n", r->probe);
	}
	if (fclose(f) != 0)
		return err_nomem(&c->err, "names");
	return names_write(c, hosts_path(c, r), text);
}

enum { NOWHERE, OURS, OTHERS };

/* Whose the file of the attachment's first address is; negative: that cannot be told. */
static int whose(struct cni_call *c, const struct member *r)
{
	const char *head = hosts_head(c, r);
	char *text;
	int there = !head ? err_nomem(&c->err, "names") : r->addresses.count ? names_read(c, hosts_path(c, r), &text) : 0;

	if (there < 0)
		return there;
	return !there ? NOWHERE : !strncmp(text, head, strlen(head)) ? OURS : OTHERS;
}

int hosts_are_there(struct cni_call *c, const struct member *r)
{
	int who = whose(c, r);

	return who < 0 ? who : who == OURS;
}

/* An address that has been given to somebody else since has his names. */
int hosts_remove(struct cni_call *c, const struct member *r)
{
	int who = whose(c, r);

	return who < 0 || who == OTHERS || !r->addresses.count ? first_failure(who, 0) : names_remove(c, hosts_path(c, r));
}

int hosts_check(struct cni_call *c, const struct member *r)
{
	int who = whose(c, r);

	if (who < 0 || who == OURS)
		return first_failure(who, 0);
	err_set(&c->err, CNI_FAILED, -ENOENT, who == NOWHERE ? "the container's names are missing: %s" : "another container has the address of %s",
	        hosts_path(c, r));
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -ENOENT;
}

struct sweep {
	struct cni_call *c;
	int              bad;
};

/* One that is of no attachment on record. What cannot be read stays. */
static int sweep_one(struct cni_call *c, const char *path)
{
	char *text, container[NAME_MAX_LEN + 1], ifname[IFNAME_SIZE];
	struct member r;
	int bad = names_read(c, path, &text), has_owner = 0;

	if (bad < 0)
		return bad;
	if (text && sscanf(text, "#%*[^:]:%200[^:]:%15s", container, ifname) == 2)
		has_owner = member_read(c, container, c->who.network, ifname, &r);
	return has_owner == 0 ? names_remove(c, path) : first_failure(has_owner, 0);
}

static int sweep(const char *entry, void *arg)
{
	struct sweep *k = arg;
	const char *path = arena_printf(&k->c->arena, NAMES "/networks/%s/hosts/%s", k->c->who.network, entry);

	k->bad = first_failure(k->bad, sweep_one(k->c, path));
	return 0;
}

int hosts_sweep(struct cni_call *c)
{
	const char *dir = network_path(c, c->who.network, "hosts");
	struct sweep k = { c, 0 };
	int r = names_each(c, dir, sweep, &k);

	return first_failure(first_failure(k.bad, r), names_clean(c, dir));
}

int hosts_are_left(struct cni_call *c, const char *network)
{
	return names_has_any(c, network_path(c, network, "hosts"));
}
