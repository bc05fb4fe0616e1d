/* One question to a name server, by UDP: is this the address of that name? It is asked of our own servers, to know what they know. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/trace.h"
#include "dnsname/dnsname.h"

enum { HEADER = 12, TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1, IS_ANSWER = 0x80, RECURSE = 0x01, NXDOMAIN = 3 };

static uint8_t *put16(uint8_t *at, unsigned v)
{
	*at++ = v >> 8;
	*at++ = v & 0xff;
	return at;
}

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static unsigned type_of(int family)
{
	return family == AF_INET ? TYPE_A : TYPE_AAAA;
}

size_t question_write(uint8_t *out, size_t room, uint16_t id, const char *name, int family)
{
	uint8_t *at = out;

	if (room < HEADER + strlen(name) + 2 + 4)
		return 0;
	memset(out, 0, HEADER);
	put16(out, id);
	out[2] = RECURSE;
	out[5] = 1;                     /* one question */
	at += HEADER;
	while (*name) {
		size_t len = strcspn(name, ".");

		*at++ = len;
		memcpy(at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	*at++ = 0;
	at = put16(at, type_of(family));
	return put16(at, CLASS_IN) - out;
}

/* Behind a name, NULL: it does not end. */
static const uint8_t *name_skip(const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		if ((*at & 0xc0) == 0xc0)
			return at + 2 <= end ? at + 2 : NULL;
		if (*at == 0)
			return at + 1;
		at += 1 + *at;
	}
	return NULL;
}

int answer_read(const uint8_t *answer, size_t len, const uint8_t *question, size_t question_len, const struct addr *address)
{
	const uint8_t *end = answer + len, *at = answer + question_len;
	size_t size = addr_size(address->family);
	unsigned code;

	if (len < question_len || memcmp(answer, question, 2) || !(answer[2] & IS_ANSWER) ||
	    memcmp(answer + HEADER, question + HEADER, question_len - HEADER))
		return -EBADMSG;
	code = answer[3] & 0xf;
	if (code == NXDOMAIN)
		return 0;
	if (code)
		return -EREMOTEIO;
	for (unsigned n = get16(answer + 6); n > 0; n--) {
		size_t data;

		at = name_skip(at, end);
		if (!at || end - at < 10 || (size_t)(end - at - 10) < (data = get16(at + 8)))
			return -EBADMSG;
		if (get16(at) == type_of(address->family) && data == size && !memcmp(at + 10, address->bytes, size))
			return 1;
		at += 10 + data;
	}
	return 0;
}

static int connect_to(const struct addr *server, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v4 = server->family == AF_INET;
	scoped(fd_close) int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(&v4.sin_addr, server->bytes, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, server->bytes, sizeof v6.sin6_addr);
	if (fd < 0 || connect(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof v4 : sizeof v6) < 0)
		return -errno;
	return fd_keep(&fd);
}

int ask_address(const struct addr *server, uint16_t port, const char *name, const struct addr *address, int ms)
{
	uint64_t now = trace_now(), end = now + ms * 1000000ull;
	uint8_t question[320], answer[2048];
	size_t len = question_write(question, sizeof question, now >> 10, name, address->family);
	scoped(fd_close) int fd = connect_to(server, port);

	if (fd < 0 || len == 0)
		return fd < 0 ? fd : -EMSGSIZE;
	if (send(fd, question, len, 0) < 0)
		return -errno;
	for (; (now = trace_now()) < end; ) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;
		int r;

		if (poll(&p, 1, (end - now) / 1000000 + 1) <= 0)
			continue;
		n = recv(fd, answer, sizeof answer, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;                  /* ECONNREFUSED: nobody listens */
		r = n < 0 ? -EBADMSG : answer_read(answer, n, question, len, address);
		if (r != -EBADMSG)
			return r;
	}
	return -ETIMEDOUT;
}
