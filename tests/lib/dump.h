/* rtnetlink dumps, by libmnl. */
#ifndef PLUMB_TEST_DUMP_H
#define PLUMB_TEST_DUMP_H

#include <libmnl/libmnl.h>
#include <stdint.h>

enum { ATTRS_MAX = 80 };

/* The attributes behind a message's header, or in a nest, by type; NULL where there is none. */
struct attrs {
	const struct nlattr *at[ATTRS_MAX];
};
struct attrs attrs_of(const struct nlmsghdr *h, size_t header_len);
struct attrs attrs_in(const struct nlattr *nest);       /* NULL: none */

uint32_t attr_number(const struct nlattr *a);           /* of 1, 2 or 4 bytes; 0 for NULL */
const char *attr_text(const struct nlattr *a);          /* "" for NULL */
/* An address as text, "" for NULL. */
const char *attr_address(int family, const struct nlattr *a);

/* Asks a namespace for a dump and calls each for every message of it; begins again, from reset, where it was interrupted. */
void dump(const char *netns, int type, int family, void (*each)(const struct nlmsghdr *h, void *arg), void (*reset)(void *arg), void *arg);

#endif
