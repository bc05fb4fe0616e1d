#include "report.h"

#include <stdio.h>
#include <string.h>

#include "cni/result.h"
#include "plumb.h"

static void tell_interface(const struct result *r, const struct endpoint *e)
{
	for_list (const struct iface, i, &r->ifaces)
		if (i->sandbox && i->name)
			printf("  interface  %s%s%s\n", i->name, i->mac ? ", MAC " : "", i->mac ? i->mac : "");
	if (r->ifaces.count == 0)
		printf("  interface  %s\n", e->ifname);
}

static void tell_addresses(const struct result *r)
{
	char text[PREFIX_TEXT], gateway[ADDR_TEXT];

	for_list (const struct ip_conf, ip, &r->ips) {
		printf("  address    %s", prefix_text(&ip->address, text));
		if (addr_is_set(&ip->gateway))
			printf(", gateway %s", addr_text(&ip->gateway, gateway));
		putchar('\n');
	}
}

/* Not what was asked for but what plugins were given. */
static void tell_ports(const struct endpoint *e)
{
	json_t *port;
	size_t i;

	json_array_foreach(e->capability_args ? json_object_get(e->capability_args, "portMappings") : NULL, i, port) {
		const char *ip = json_member_string(port, "hostIP"), *protocol = json_member_string(port, "protocol");
		bool brackets = ip && strchr(ip, ':');

		printf("  port       %s%s%s%s%lld -> %lld/%s\n", brackets ? "[" : "", ip ? ip : "", brackets ? "]" : "", ip ? ":" : "",
		       (long long)json_integer_value(json_member(port, "hostPort")),
		       (long long)json_integer_value(json_member(port, "containerPort")), protocol ? protocol : "tcp");
	}
}

static void tell_words(const char *label, const struct list *words)
{
	if (words->count == 0)
		return;
	printf("  %-10s", label);
	for_list (const char *, word, words)
		printf(" %s", *word);
	putchar('\n');
}

void report_attachment(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result)
{
	struct err ignored = { 0 };
	struct result r;

	printf("%s: attached %s as %s\n", n->name, e->netns, e->container);
	if (result_read(result, n->version, "result.", CNI_DECODE, &c->arena, &r, &ignored) < 0)
		return;
	tell_interface(&r, e);
	tell_addresses(&r);
	tell_ports(e);
	tell_words("nameserver", &r.dns.nameservers);
	tell_words("search", &r.dns.search);
}
