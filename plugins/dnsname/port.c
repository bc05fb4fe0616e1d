/* The port that a view's server listens on. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "dnsname/dnsname.h"

enum { PORT_FIRST = 20000, PORTS = 10000, PORT_LAST = 65535 };

/* 1: nobody has it; 0: somebody has; negative. */
static int can_bind(struct cni_call *c, const struct addr *a, int type, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	scoped(fd_close) int fd = socket(a->family, type | SOCK_CLOEXEC, 0);
	bool is_v4 = a->family == AF_INET;
	char text[ADDR_TEXT];

	memcpy(&v4.sin_addr, a->bytes, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, a->bytes, sizeof v6.sin6_addr);
	if (fd >= 0 && bind(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof v4 : sizeof v6) == 0)
		return 1;
	if (fd >= 0 && errno == EADDRINUSE)
		return 0;
	return err_sys(&c->err, CNI_FAILED, -errno, "looking for a free port of %s for a name server", addr_text(a, text));
}

static int is_free(struct cni_call *c, const struct server *s, uint16_t port)
{
	int r = 1;

	for_list (const struct network, n, &s->networks)
		for_list (const struct prefix, p, &n->addresses)
			if (r == 1 && (r = can_bind(c, &p->addr, SOCK_DGRAM, port)) == 1)
				r = can_bind(c, &p->addr, SOCK_STREAM, port);
	return r;
}

struct search {
	struct cni_call *c;
	uint16_t         port;
};

/* One that is damaged is nobody's whom we could ask about it. */
static int has_port(const char *view, void *search)
{
	struct search *k = search;
	long port = 0;
	int r = names_number(k->c, server_path(k->c, view, "port"), PORT_LAST, &port);

	return r < 0 && r != -EBADMSG ? r : port == k->port;
}

/* Views have locks of their own: so that two do not find the same port free, the directory of all is locked. */
static int lock_choice(struct cni_call *c, int *out)
{
	scoped(fd_close) int fd = open(NAMES "/servers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_sys(&c->err, CNI_IO, -errno, "locking " NAMES "/servers");
	*out = fd_keep(&fd);
	return 0;
}

/* No port that others expect: below those that the kernel gives to whoever asks for any. */
int port_choose(struct cni_call *c, struct server *s)
{
	uint64_t hash = hash_strings(s->view, NULL);
	scoped(fd_close) int held = -1;
	int r = lock_choice(c, &held);
	char text[8];

	for (unsigned i = 0; r == 0 && i < PORTS; i++) {
		struct search k = { c, PORT_FIRST + (hash + i) % PORTS };
		int taken = names_each(c, NAMES "/servers", has_port, &k), free = taken ? 0 : is_free(c, s, k.port);

		if (taken < 0 || free < 0)
			return first_failure(taken, free);
		if (!free)
			continue;
		s->port = k.port;
		snprintf(text, sizeof text, "%u", k.port);
		return names_write(c, server_path(c, s->view, "port"), text);
	}
	return r < 0 ? r :
	       err_set(&c->err, CNI_TRY_LATER, -EADDRINUSE, "name server of %s: no port is free from %d to %d", s->view, PORT_FIRST, PORT_FIRST + PORTS - 1);
}

/* Another one would leave what leads to this one leading nowhere. */
int port_read(struct cni_call *c, const char *view, uint16_t *out)
{
	const char *path = server_path(c, view, "port");
	long port = 0;
	int r = names_number(c, path, PORT_LAST, &port);

	*out = (uint16_t)port;
	if (r != -EBADMSG)
		return r;
	err_set(&c->err, CNI_FAILED, r, "name server of %s: %s is damaged, and says no port", view, path);
	err_detail(&c->err, "write the port there that `nft list table inet plumb` shows in names4 and names6 for the network's containers, or DEL and ADD them all");
	return r;
}
