/* checkListeners: a published port takes connections before a process of the host gets to see them, which nobody would notice. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "portmap/portmap.h"

static int try_to_bind(const struct mapping *m, int family, uint32_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	scoped(fd_close) int fd = socket(family, (m->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, m->protocol);
	int on = 1;

	if (fd < 0)
		return -errno;
	if (mapping_is_exact(m))
		memcpy(family == AF_INET ? (void *)&v4.sin_addr : &v6.sin6_addr, m->host_ip.bytes, addr_size(family));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (m->protocol == IPPROTO_TCP)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);       /* connections that linger are no listener */
	return bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6, family == AF_INET ? sizeof v4 : sizeof v6) < 0 ? -errno : 0;
}

/* Where the host has no such protocol or address, nobody listens there either. */
int listeners_check(struct job *j)
{
	for_list (const struct mapping, m, mappings_of(j->c))
		for (size_t i = 0; i < j->n_targets; i++) {
			int family = j->targets[i].address->addr.family;

			for (uint32_t port = m->host.first; mapping_concerns(m, family) && port <= m->host.last; port++) {
				if (try_to_bind(m, family, port) != -EADDRINUSE)
					continue;
				err_set(&j->c->err, CNI_FAILED, -EADDRINUSE, "%s: a process of the host listens on port %u", mapping_text(m, j->what), port);
				err_detail(&j->c->err, "`ss -lnp sport = :%u` shows which; end it, publish another port, or leave checkListeners out", port);
				return -EADDRINUSE;
			}
		}
	return 0;
}
