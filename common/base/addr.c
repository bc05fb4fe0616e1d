#include "base/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>

size_t addr_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

bool addr_parse(const char *text, struct addr *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct addr a = { .family = AF_INET };

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		a.family = AF_INET6;
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return false;
		if (!memcmp(a.bytes, mapped, sizeof mapped)) {
			a.family = AF_INET;
			memcpy(a.bytes, a.bytes + 12, 4);
			memset(a.bytes + 4, 0, 12);
		}
	}
	*out = a;
	return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	const char *slash = strchr(text, '/');
	char host[ADDR_TEXT];
	struct prefix p;
	unsigned len = 0;

	if (!slash || (size_t)(slash - text) >= sizeof host)
		return false;
	memcpy(host, text, slash - text);
	host[slash - text] = '\0';
	if (!addr_parse(host, &p.addr))
		return false;
	if (!isdigit((unsigned char)slash[1]) || strlen(slash + 1) > 3 || (slash[1] == '0' && slash[2]))
		return false;
	for (const char *d = slash + 1; *d; d++) {
		if (!isdigit((unsigned char)*d))
			return false;
		len = len * 10 + (*d - '0');
	}
	if (strchr(host, ':') && p.addr.family == AF_INET) {    /* ::ffff:a.b.c.d/len counts all 128 bits */
		if (len < 96)
			return false;
		len -= 96;
	}
	if (len > addr_size(p.addr.family) * 8)
		return false;
	p.len = len;
	*out = p;
	return true;
}

bool mac_parse(const char *text, struct mac *out)
{
	struct mac m;

	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		const char *p = text + i * 3;
		unsigned value;

		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) || (i < 5 && p[2] != text[2]))
			return false;
		sscanf(p, "%2x", &value);
		m.bytes[i] = value;
	}
	if (text[2] != ':' && text[2] != '-')
		return false;
	*out = m;
	return true;
}

/* ::a.b.c.d (RFC 4291, section 2.5.5.1), which C libraries write with dots and Go does not. */
static bool is_ipv4_compatible(const struct addr *a)
{
	static const uint8_t zero[12];

	return a->family == AF_INET6 && !memcmp(a->bytes, zero, sizeof zero) && (a->bytes[12] || a->bytes[13]);
}

const char *addr_text(const struct addr *a, char out[ADDR_TEXT])
{
	if (is_ipv4_compatible(a))
		sprintf(out, "::%x:%x", a->bytes[12] << 8 | a->bytes[13], a->bytes[14] << 8 | a->bytes[15]);
	else if (!addr_is_set(a) || !inet_ntop(a->family, a->bytes, out, ADDR_TEXT))
		out[0] = '\0';
	return out;
}

const char *prefix_text(const struct prefix *p, char out[PREFIX_TEXT])
{
	addr_text(&p->addr, out);
	sprintf(out + strlen(out), "/%u", p->len);
	return out;
}

const char *mac_text(const struct mac *m, char out[MAC_TEXT])
{
	const uint8_t *b = m->bytes;

	sprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	return out;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool addr_next(struct addr *a)
{
	for (size_t i = addr_size(a->family); i-- > 0;)
		if (++a->bytes[i])
			return true;
	return false;
}

void addr_mask(struct addr *a, unsigned len)
{
	for (size_t i = 0; i < addr_size(a->family); i++) {
		unsigned bits = len > i * 8 ? len - i * 8 : 0;

		if (bits < 8)
			a->bytes[i] &= (uint8_t)(0xff00u >> bits);
	}
}

struct addr addr_last(const struct prefix *p)
{
	struct addr a = p->addr;

	for (size_t i = 0; i < addr_size(a.family); i++) {
		unsigned bits = p->len > i * 8 ? p->len - i * 8 : 0;

		if (bits < 8)
			a.bytes[i] |= 0xff >> bits;
	}
	return a;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == AF_INET ? a->bytes[0] == 127 : a->family == AF_INET6 && !memcmp(a->bytes, one, 16);
}

bool addr_is_unspecified(const struct addr *a)
{
	static const uint8_t zero[16];

	return addr_is_set(a) && !memcmp(a->bytes, zero, 16);
}

struct prefix prefix_network(const struct prefix *p)
{
	struct prefix n = *p;

	addr_mask(&n.addr, n.len);
	return n;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr x = *a, y = p->addr;

	if (x.family != y.family)
		return false;
	addr_mask(&x, p->len);
	addr_mask(&y, p->len);
	return addr_equal(&x, &y);
}

bool prefix_is_default(const struct prefix *p)
{
	return p->len == 0 && addr_is_unspecified(&p->addr);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

struct mac mac_random(void)
{
	struct mac m = { { 0 } };

	if (getrandom(m.bytes, sizeof m.bytes, GRND_NONBLOCK) < 0 && getrandom(m.bytes, sizeof m.bytes, GRND_INSECURE) < 0)
		while (getrandom(m.bytes, sizeof m.bytes, 0) < 0 && errno == EINTR)     /* before 5.6, early in the boot: wait */
			;
	m.bytes[0] = (m.bytes[0] & 0xfc) | 0x02;
	return m;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}
