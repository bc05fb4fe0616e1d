/* Whether anybody listens, by /proc/net of the namespace that is asked for. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "journey.h"
#include "plumb.h"

enum { TCP_LISTENING = 10 };    /* the state in /proc/net/tcp */

struct hearing {
	const struct packet *p;
	bool                 heard;
	bool                 elsewhere;         /* on the port, but at another address */
	bool                 blind;             /* it cannot be told */
};

/* "0100007F:1F90": four bytes a word, each in the machine's order. */
static bool read_socket(const char *text, int family, struct addr *a, unsigned *port)
{
	*a = (struct addr){ .family = family };
	for (size_t i = 0; i < addr_size(family) / 4; i++, text += 8) {
		unsigned word;

		if (sscanf(text, "%8X", &word) != 1)
			return false;
		memcpy(a->bytes + 4 * i, &word, 4);
	}
	return sscanf(text, ":%4X", port) == 1;
}

static void hear_line(struct hearing *h, const char *line, int family, const struct addr *to)
{
	char local[64];
	unsigned port, state;
	struct addr a;

	if (sscanf(line, " %*d: %63s %*s %X", local, &state) != 2 || !read_socket(local, family, &a, &port) || port != h->p->port)
		return;
	if (h->p->protocol == IPPROTO_TCP && state != TCP_LISTENING)
		return;
	if (addr_is_unspecified(&a) || addr_equal(&a, to))
		h->heard = true;
	else
		h->elsewhere = true;
}

/* An IPv4 packet may be heard by a socket of IPv6, as ::ffff:10.1.2.3. */
static void hear_file(struct hearing *h, int family)
{
	char path[64], line[512];
	struct addr to = h->p->to;
	FILE *f;

	snprintf(path, sizeof path, "/proc/thread-self/net/%s%s", protocol_name(h->p->protocol), family == AF_INET6 ? "6" : "");
	if (family == AF_INET6 && to.family == AF_INET) {
		to = (struct addr){ .family = AF_INET6, .bytes = { [10] = 0xff, [11] = 0xff } };
		memcpy(to.bytes + 12, h->p->to.bytes, 4);
	}
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		hear_line(h, line, family, &to);
	if (f)
		fclose(f);
	else if (family == h->p->family)
		h->blind = true;
}

static void hear_sctp(struct hearing *h)
{
	FILE *f = fopen("/proc/thread-self/net/sctp/eps", "re");
	char line[1024];
	unsigned port;

	h->blind = !f;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, " %*s %*s %*s %*s %*s %u", &port) == 1 && port == h->p->port)
			h->heard = true;
	if (f)
		fclose(f);
}

static int hear(struct netlink *pod, void *arg)
{
	struct hearing *h = arg;

	(void)pod;
	if (h->p->protocol == IPPROTO_SCTP) {
		hear_sctp(h);
		return 0;
	}
	hear_file(h, AF_INET6);
	if (h->p->family == AF_INET)
		hear_file(h, AF_INET);
	return 0;
}

bool journey_is_heard(struct journey *j, const struct seen_attachment *a)
{
	struct hearing h = { .p = &j->p };
	const char *who = a ? arena_printf(&j->s->c->arena, "container %s", a->name) : "the host", *place = place_text(j->s->c, &j->p.to, j->p.port);
	int r = a ? attachment_enter(a, hear, &h) : hear(NULL, &h);

	if (r < 0 || (h.blind && !h.heard))
		return stage_maybe(j, NULL, "whether anybody in %s listens on %s port %u cannot be told", who, protocol_name(j->p.protocol),
				   j->p.port);
	if (h.heard) {
		stage_good(j, "%s listens on %s port %u", who, protocol_name(j->p.protocol), j->p.port);
		return true;
	}
	return stage_bad(j,
			 h.elsewhere ? "have the program listen on 0.0.0.0 (or ::), not on 127.0.0.1"
			 : a         ? "start the program, or look at the port that it listens on"
				     : "publish the port (-p), or start the program of the host that is meant",
			 "refused: nobody in %s listens on %s %s%s", who, place, protocol_name(j->p.protocol),
			 h.elsewhere ? "; somebody does, at another address only" : "");
}
