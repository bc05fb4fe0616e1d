#include "sctp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

enum { CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, OUR_PARAMETER = 0xc0de };    /* a type whose high bits say: unknown ones are passed over */

struct packet {
	uint16_t from, to;
	uint32_t tag, checksum;
	uint8_t  chunk, flags;
	uint16_t chunk_len;
	uint32_t initiate_tag, window;
	uint16_t out_streams, in_streams;
	uint32_t tsn;
	uint16_t parameter, parameter_len;
	char     words[128];
} __attribute__((packed));

enum { WITHOUT_WORDS = offsetof(struct packet, parameter) };

/* CRC32c, least significant bit first. */
static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void packet_send(int fd, struct packet *p, const struct sockaddr_in *to)
{
	size_t words = strnlen(p->words, sizeof p->words - 4), len = words ? WITHOUT_WORDS + 4 + ((words + 3) & ~3u) : WITHOUT_WORDS;

	p->parameter = htons(OUR_PARAMETER);
	p->parameter_len = htons(4 + words);
	p->chunk_len = htons((words ? WITHOUT_WORDS + 4 + words : WITHOUT_WORDS) - offsetof(struct packet, chunk));
	p->window = htonl(65536);
	p->out_streams = p->in_streams = htons(1);
	p->checksum = 0;
	p->checksum = crc32c((uint8_t *)p, len);        /* goes on the wire with its low byte first, as it lies in memory here */
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		p->checksum = __builtin_bswap32(p->checksum);
	sendto(fd, p, len, 0, (const struct sockaddr *)to, sizeof *to);
}

/* The next packet that a raw socket gets, behind its IP header, with the sender; false: not one of ours. */
static bool packet_receive(int fd, struct packet *p, struct sockaddr_in *from)
{
	uint8_t raw[2048] = { 0 };
	socklen_t len = sizeof *from;
	ssize_t n = recvfrom(fd, raw, sizeof raw - 1, 0, (struct sockaddr *)from, &len);
	size_t ip = (raw[0] & 15) * (size_t)4;
	uint32_t sum;

	memset(p, 0, sizeof *p);
	if (n < (ssize_t)(ip + WITHOUT_WORDS) || n > (ssize_t)(ip + sizeof *p))
		return false;
	memcpy(p, raw + ip, n - ip);
	sum = p->checksum;
	memset(raw + ip + offsetof(struct packet, checksum), 0, 4);
	return sum == crc32c(raw + ip, n - ip);
}

static int raw_socket(const char *netns)
{
	int fd = world_socket(netns, AF_INET, SOCK_RAW, IPPROTO_SCTP);

	if (fd < 0)
		fail_("raw SCTP socket in %s: %s", netns, strerror(errno));
	return fd;
}

static void answer_each(int fd, const char *netns, int port)
{
	struct sockaddr_in client;
	struct packet ask, answer;
	char address[64];

	for (;;) {
		if (!packet_receive(fd, &ask, &client) || ask.chunk != CHUNK_INIT || ask.to != htons(port))
			continue;
		answer = (struct packet){ .from = ask.to, .to = ask.from, .tag = ask.initiate_tag, .chunk = CHUNK_INIT_ACK, .initiate_tag = htonl(7), .tsn = htonl(1) };
		snprintf(answer.words, sizeof answer.words - 4, "%s saw %s", netns, inet_ntop(AF_INET, &client.sin_addr, address, sizeof address));
		packet_send(fd, &answer, &client);
	}
}

void sctp_serve_raw(const char *netns, int port)
{
	int fd = raw_socket(netns);

	if (fork() == 0)
		answer_each(fd, netns, port);
	close(fd);
}

const char *sctp_ask_raw(const char *netns, const char *address, int port, int patience_ms)
{
	struct packet ask = { .from = htons(30000 + getpid() % 30000), .to = htons(port), .chunk = CHUNK_INIT, .initiate_tag = htonl(99), .tsn = htonl(1) }, answer;
	struct sockaddr_in to = { .sin_family = AF_INET }, from;
	int fd = raw_socket(netns);
	struct pollfd p = { fd, POLLIN, 0 };

	inet_pton(AF_INET, address, &to.sin_addr);
	for (int waited = 0; waited < patience_ms; waited += 100) {
		if (waited % 500 == 0)
			packet_send(fd, &ask, &to);
		while (poll(&p, 1, 100) > 0) {
			if (!packet_receive(fd, &answer, &from) || answer.chunk != CHUNK_INIT_ACK || answer.to != ask.from)
				continue;
			close(fd);
			answer.words[sizeof answer.words - 1] = '\0';
			return keep("%s%s", from.sin_addr.s_addr == to.sin_addr.s_addr ? "" : "from a foreign address: ", answer.words);
		}
	}
	close(fd);
	return "timeout";
}
