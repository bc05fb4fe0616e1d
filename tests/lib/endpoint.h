/* Addresses with ports, and waiting for sockets. */
#ifndef PLUMB_TEST_ENDPOINT_H
#define PLUMB_TEST_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage at;
	socklen_t               len;
};

/* The test fails where the text is no address. */
struct endpoint endpoint_of(const char *address, int port);
/* The address; IPv4's where it came by an IPv6 socket. */
const char *endpoint_text(const struct endpoint *e, char out[64]);

/* "refused", "timeout", "unreachable", or errno's words. */
const char *words_of(int error);

/* Waits for POLLIN or POLLOUT; false: the deadline (clock.h) came first. */
bool ready_by(int fd, short what, long long deadline);

#endif
