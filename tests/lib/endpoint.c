#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "clock.h"
#include "test.h"

struct endpoint endpoint_of(const char *address, int port)
{
	struct endpoint e = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&e.at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e.at;

	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return e;
	}
	if (inet_pton(AF_INET6, address, &v6->sin6_addr) != 1)
		fail_("no address: %s", address);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	e.len = sizeof *v6;
	return e;
}

const char *endpoint_text(const struct endpoint *e, char out[64])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&e->at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&e->at;

	if (e->at.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, 64);
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, out, 64);
	if (!strncmp(out, "::ffff:", 7))
		memmove(out, out + 7, strlen(out + 7) + 1);
	return out;
}

const char *words_of(int error)
{
	switch (error) {
	case ECONNREFUSED: return "refused";
	case ETIMEDOUT: return "timeout";
	case ENETUNREACH: case EHOSTUNREACH: return "unreachable";
	default: return strerror(error);
	}
}

bool ready_by(int fd, short what, long long deadline)
{
	struct pollfd p = { fd, what, 0 };
	long long left = deadline - now_ms();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}
