#include "traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "fixture.h"
#include "sctp.h"
#include "test.h"

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
	if (fork() == 0) {
		if (tcp)
			serve_tcp(fd, netns);
		else
			serve_udp(fd, netns);
	}
	close(fd);
}

/* ---- Asking ---- */

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
	if (!ready_by(fd, POLLOUT, deadline))
		return "timeout";
	if ((error = socket_error(fd)))
		return words_of(error);
	if (!ready_by(fd, POLLIN, deadline))
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
		if (!ready_by(fd, POLLIN, again < deadline ? again : deadline))
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
