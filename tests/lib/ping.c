/* Echo requests, by raw sockets: in a world everybody is root. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "fixture.h"
#include "test.h"

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
	uint16_t id = (uint16_t)(getpid() * 31LL + now_ms()), sum;
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
		while (!strcmp(answer, "timeout") && ready_by(fd, POLLIN, again < deadline ? again : deadline))
			if (is_echo_reply(packet, recv(fd, packet, sizeof packet, 0), v6, id))
				answer = "answers";
	}
	close(fd);
	return answer;
}
