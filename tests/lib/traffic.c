#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "sctp.h"
#include "test.h"

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

struct endpoint {
	struct sockaddr_storage at;
	socklen_t               len;
};

static struct endpoint endpoint_of(const char *address, int port)
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

static const char *endpoint_text(const struct endpoint *e, char out[64])
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

static const char *words_of(int error)
{
	switch (error) {
	case ECONNREFUSED: return "refused";
	case ETIMEDOUT: return "timeout";
	case ENETUNREACH: case EHOSTUNREACH: return "unreachable";
	default: return strerror(error);
	}
}

/* ---- Serving ---- */

static void say_who(const char *netns, const struct endpoint *client, char out[128])
{
	char address[64];

	snprintf(out, 128, "%s saw %s", netns, endpoint_text(client, address));
}

static void __attribute__((noreturn)) serve_tcp(int fd, const char *netns)
{
	char answer[128];

	for (;;) {
		struct endpoint client = { .len = sizeof client.at };
		int conn = accept(fd, (struct sockaddr *)&client.at, &client.len);

		if (conn < 0)
			continue;
		say_who(netns, &client, answer);
		if (write(conn, answer, strlen(answer)) < 0)
			fprintf(stderr, "tcp server in %s: %s\n", netns, strerror(errno));
		close(conn);
	}
}

static void __attribute__((noreturn)) serve_udp(int fd, const char *netns)
{
	char request[128], answer[128];

	for (;;) {
		struct endpoint client = { .len = sizeof client.at };

		if (recvfrom(fd, request, sizeof request, 0, (struct sockaddr *)&client.at, &client.len) < 0)
			continue;
		say_who(netns, &client, answer);
		sendto(fd, answer, strlen(answer), 0, (struct sockaddr *)&client.at, client.len);
	}
}

void serve_(const char *protocol, const char *netns, const char *address, int port)
{
	bool tcp = !strcmp(protocol, "tcp");
	struct endpoint e = endpoint_of(address ? address : "::", port);
	int fd, on = 1, off = 0;

	if (!strcmp(protocol, "sctp")) {
		sctp_serve_raw(netns, port);
		return;
	}
	fd = world_socket(netns, e.at.ss_family, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (fd < 0)
		fail_("%s server in %s: %s", protocol, netns, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (!address)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&e.at, e.len) < 0 || (tcp && listen(fd, 50) < 0))
		fail_("%s server in %s at %s port %d: %s", protocol, netns, address ? address : "any", port, strerror(errno));
	if (fork() == 0)
		tcp ? serve_tcp(fd, netns) : serve_udp(fd, netns);
	close(fd);
}

/* ---- Asking ---- */

static bool readable_by(int fd, short what, long long deadline)
{
	struct pollfd p = { fd, what, 0 };
	long long left = deadline - now_ms();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static const char *ask_tcp(int fd, const struct endpoint *to, long long deadline)
{
	char answer[128];
	ssize_t n;
	int error;

	if (connect(fd, (const struct sockaddr *)&to->at, to->len) < 0 && errno != EINPROGRESS)
		return words_of(errno);
	if (!readable_by(fd, POLLOUT, deadline))
		return "timeout";
	if ((error = socket_error(fd)))
		return words_of(error);
	if (!readable_by(fd, POLLIN, deadline))
		return "timeout";
	n = read(fd, answer, sizeof answer - 1);
	if (n < 0)
		return words_of(errno);
	answer[n] = '\0';
	return keep("%s", answer);
}

/* A datagram may be lost while neighbours are found out: again now and then. */
static const char *ask_udp(int fd, const struct endpoint *to, long long deadline)
{
	char answer[128];
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)&to->at, to->len) < 0)
		return words_of(errno);
	while (now_ms() < deadline) {
		long long again = now_ms() + 400;

		if (send(fd, "who am I?", 9, 0) < 0)
			return words_of(errno);
		if (!readable_by(fd, POLLIN, again < deadline ? again : deadline))
			continue;
		n = read(fd, answer, sizeof answer - 1);
		if (n < 0)
			return words_of(errno);
		answer[n] = '\0';
		return keep("%s", answer);
	}
	return "timeout";
}

const char *ask_(const char *protocol, const char *netns, int from_port, const char *address, int port, int patience_ms)
{
	bool tcp = !strcmp(protocol, "tcp");
	struct endpoint to = endpoint_of(address, port), from = endpoint_of(to.at.ss_family == AF_INET ? "0.0.0.0" : "::", from_port);
	long long deadline = now_ms() + patience_ms;
	const char *answer;
	int fd, on = 1;

	if (!strcmp(protocol, "sctp"))
		return sctp_ask_raw(netns, address, port, patience_ms);
	fd = world_socket(netns, to.at.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	if (fd < 0)
		fail_("%s client in %s: %s", protocol, netns, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (from_port && bind(fd, (struct sockaddr *)&from.at, from.len) < 0)
		fail_("%s client in %s at port %d: %s", protocol, netns, from_port, strerror(errno));
	answer = tcp ? ask_tcp(fd, &to, deadline) : ask_udp(fd, &to, deadline);
	close(fd);
	return answer;
}

/* ---- Ping ---- */

static uint16_t internet_checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A raw socket gets every ICMP packet: ours is told by its identifier. */
static bool is_echo_reply(const uint8_t *packet, ssize_t len, bool v6, uint16_t id)
{
	size_t skip_len = v6 ? 0 : (packet[0] & 15) * 4u;

	return len >= (ssize_t)skip_len + 8 && packet[skip_len] == (v6 ? 129 : 0) && packet[skip_len + 4] == id >> 8 &&
	       packet[skip_len + 5] == (id & 0xff);
}

const char *ping_(const char *netns, const char *address, int patience_ms)
{
	struct endpoint to = endpoint_of(address, 0);
	bool v6 = to.at.ss_family == AF_INET6;
	long long deadline = now_ms() + patience_ms;
	uint16_t id = (uint16_t)(getpid() * 31 + now_ms()), sum;
	uint8_t echo[16] = { v6 ? 128 : 8, 0, 0, 0, id >> 8, id & 0xff, 0, 1 }, packet[1500];
	int fd = world_socket(netns, to.at.ss_family, SOCK_RAW, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	const char *answer = "timeout";

	if (fd < 0)
		fail_("ping in %s: %s", netns, strerror(errno));
	sum = internet_checksum(echo, sizeof echo);     /* the kernel does it for ICMPv6 */
	echo[2] = sum >> 8;
	echo[3] = sum & 0xff;
	while (now_ms() < deadline && !strcmp(answer, "timeout")) {
		long long again = now_ms() + 500;

		if (sendto(fd, echo, sizeof echo, 0, (struct sockaddr *)&to.at, to.len) < 0) {
			answer = words_of(errno);
			break;
		}
		while (!strcmp(answer, "timeout") && readable_by(fd, POLLIN, again < deadline ? again : deadline))
			if (is_echo_reply(packet, recv(fd, packet, sizeof packet, 0), v6, id))
				answer = "answers";
	}
	close(fd);
	return answer;
}
