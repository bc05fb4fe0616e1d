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
static int hosts_are_of(struct cni_call *c, const struct member *r)
{
	const char *text = names_read(c, hosts_path(c, r)), *head = hosts_head(c, r);

	return !text ? -ENOENT : !strncmp(text, head, strlen(head));
}

bool hosts_are_there(struct cni_call *c, const struct member *r)
{
	return hosts_are_of(c, r) == 1;
}

/* An address that has been given to somebody else since has his names. */
void hosts_remove(struct cni_call *c, const struct member *r)
{
	if (hosts_are_of(c, r) == 1)
		unlink(hosts_path(c, r));
}

int hosts_check(struct cni_call *c, const struct member *r)
{
	int ours = hosts_are_of(c, r);

	if (ours == 1)
		return 0;
	err_set(&c->err, CNI_FAILED, -ENOENT, ours < 0 ? "the container's names are missing: %s" : "another container has the address of %s",
	        hosts_path(c, r));
	err_detail(&c->err, "DEL and ADD the attachment to mend it");
	return -ENOENT;
}

/* One that is of no attachment on record. */
static int sweep(const char *entry, void *call)
{
	struct cni_call *c = call;
	const char *path = network_path(c, c->who.network, arena_printf(&c->arena, "hosts/%s", entry));
	char *text = names_read(c, path), container[NAME_MAX_LEN + 1], ifname[IFNAME_SIZE];
	struct member r;

	if (!text || sscanf(text, "#%*[^:]:%200[^:]:%15s", container, ifname) != 2 || member_read(c, container, c->who.network, ifname, &r) < 0)
		unlink(path);
	return 0;
}

void hosts_sweep(struct cni_call *c)
{
	names_each(network_path(c, c->who.network, "hosts"), sweep, c);
}

bool hosts_are_left(struct cni_call *c, const char *network)
{
	return names_has_any(network_path(c, network, "hosts"));
}
