/* IP addresses, prefixes and MACs as values. */
#ifndef PLUMB_BASE_ADDR_H
#define PLUMB_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	int     family;         /* AF_INET, AF_INET6, or 0: none */
	uint8_t bytes[16];      /* network order; the first 4 for AF_INET, the rest 0 */
};

struct prefix {
	struct addr addr;       /* host bits are kept: an address with its mask */
	uint8_t     len;        /* 0 … 32 or 128 */
};

struct mac {
	uint8_t bytes[6];
};

enum { ADDR_TEXT = 46, PREFIX_TEXT = 50, MAC_TEXT = 18 };

static inline bool addr_is_set(const struct addr *a) { return a->family != 0; }
size_t addr_size(int family);                           /* 4 or 16 bytes */

/* "10.1.2.3", "fd00::1". An IPv4-mapped IPv6 address becomes IPv4, as in Go's net.ParseIP. False: not an address. */
bool addr_parse(const char *text, struct addr *out);
/* "10.1.2.3/24". False: not an address with a prefix length. (Go's net.ParseCIDR, host bits kept.) */
bool prefix_parse(const char *text, struct prefix *out);
/* "02:00:00:00:00:01", with ':' or '-'. False: not six bytes in hex. */
bool mac_parse(const char *text, struct mac *out);

const char *addr_text(const struct addr *a, char out[ADDR_TEXT]);
const char *prefix_text(const struct prefix *p, char out[PREFIX_TEXT]);
const char *mac_text(const struct mac *m, char out[MAC_TEXT]);

bool addr_equal(const struct addr *a, const struct addr *b);
int  addr_compare(const struct addr *a, const struct addr *b);          /* as numbers; both of one family */
bool addr_next(struct addr *a);                                         /* one up; false when it wrapped to 0 */
void addr_mask(struct addr *a, unsigned len);                           /* clears the host bits */
struct addr addr_last(const struct prefix *p);                          /* all host bits set */
bool addr_is_loopback(const struct addr *a);
bool addr_is_unspecified(const struct addr *a);

struct prefix prefix_network(const struct prefix *p);                   /* without host bits */
bool prefix_contains(const struct prefix *p, const struct addr *a);     /* false across families */
bool prefix_is_default(const struct prefix *p);                         /* 0.0.0.0/0 or ::/0 */
bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* A fresh random unicast MAC, locally administered. */
struct mac mac_random(void);
bool mac_equal(const struct mac *a, const struct mac *b);

#endif
