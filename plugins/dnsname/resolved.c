/* Where systemd-resolved runs, the host itself resolves containers' names: their domain, and the network's addresses, are asked of the network's
 * server. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "dnsname/dnsname.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"

enum { DEADLINE_MS = 5000 };

static const char *resolvectl(struct cni_call *c)
{
	return access(RESOLVED_SOCKET, F_OK) == 0 ? tool_find(c, "resolvectl") : NULL;
}

static void run(struct words *w, const char *link)
{
	struct err why = { 0 };

	if (tool_run(words_argv(w), DEADLINE_MS, &why) < 0)
		fprintf(stderr, "the host does not resolve the names on %s: %s\n", link, why.msg);
}

/* The name under which addresses of a prefix are asked for; "" where it ends within a byte (IPv6: half of one), so that there is no such name: a
 * larger zone would have more than we answer for. */
static const char *reverse_zone(const struct prefix *p, char *out, size_t size)
{
	bool v4 = p->addr.family == AF_INET;
	unsigned step = v4 ? 8 : 4;
	size_t len = 0;

	out[0] = '\0';
	if (p->len == 0 || p->len % step)
		return out;
	for (int i = (int)(p->len / step) - 1; i >= 0 && len < size; i--) {
		unsigned byte = p->addr.bytes[v4 ? i : i / 2];

		len += v4 ? snprintf(out + len, size - len, "%u.", byte) : snprintf(out + len, size - len, "%x.", i % 2 ? byte & 0xf : byte >> 4);
	}
	if (len < size)
		snprintf(out + len, size - len, v4 ? "in-addr.arpa" : "ip6.arpa");
	return out;
}

void resolved_route(struct cni_call *c, const struct server *s)
{
	const struct network *n = server_network(s, 0);
	const char *program = resolvectl(c);
	struct words dns = { .c = c }, domain = { .c = c };
	char text[160];

	if (!program || !*n->link || !*n->domain)
		return;
	word(&dns, "%s", program);
	word(&dns, "dns");
	word(&dns, "%s", n->link);
	word(&domain, "%s", program);
	word(&domain, "domain");
	word(&domain, "%s", n->link);
	word(&domain, "~%s", n->domain);
	for_list (const struct prefix, p, &n->addresses) {
		word(&dns, p->addr.family == AF_INET ? "%s:%u" : "[%s]:%u", addr_text(&p->addr, text), s->port);
		if (*reverse_zone(p, text, sizeof text))
			word(&domain, "~%s", text);
	}
	run(&dns, n->link);
	run(&domain, n->link);
}

void resolved_forget(struct cni_call *c, const char *link)
{
	const char *program = resolvectl(c);
	struct words revert = { .c = c };

	if (!program || !*link)
		return;
	word(&revert, "%s", program);
	word(&revert, "revert");
	word(&revert, "%s", link);
	run(&revert, link);
}
