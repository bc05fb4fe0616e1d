/* What the kernel has, asked with libmnl: another library than the code under test uses. Namespaces go by their names: "host", "pod1". */
#ifndef PLUMB_TEST_KERNEL_H
#define PLUMB_TEST_KERNEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPERSTATE_UP = 6 };      /* IF_OPER_UP of linux/if.h, which does not go together with net/if.h */

struct link_seen {
	int      index, master, peer;   /* peer: a veth's other end, in its own namespace */
	char     name[16], kind[16], mac[20];
	uint32_t mtu, promiscuity, tx_queues, rx_queues;
	unsigned flags;                 /* IFF_… */
	int      operstate;             /* OPERSTATE_UP, … */
	bool     hairpin, isolated, vlan_filtering;
};

struct address_seen {
	int  index;
	char text[64];                  /* 10.1.2.3/24 */
	unsigned flags;                 /* IFA_F_… */
	int  scope;
};

struct route_seen {
	int  family, index;
	char dst[64], gateway[64], source[64];  /* "default", "10.1.0.0/16"; "" for none */
	uint32_t table, priority, mtu, advmss;
	int  scope, type, protocol;
	bool multipath;
};

struct rule_seen {
	int      family;
	uint32_t priority, table;
	char     text[160];             /* from … to … iif … mark … */
};

/* Lists, ended by an entry with index 0 (rules: by an empty text), for the test's length. Addresses and routes without the kernel's own: local
 * table, multicast, IPv6 link-local where with_local is false. */
struct link_seen *links_in(const char *netns);
struct address_seen *addresses_in(const char *netns, bool with_local);
struct route_seen *routes_in(const char *netns, bool with_local);
struct rule_seen *rules_in(const char *netns);

/* A link by name, index 0: there is none. */
struct link_seen link_in(const char *netns, const char *name);
/* Its addresses, in the kernel's order, with spaces between; link-local ones left out. */
const char *addresses_of(const char *netns, const char *name);
/* "default via 10.1.0.1 dev eth0", one a line, sorted; the text that expect_route looks for. */
const char *routes_text(const char *netns);

struct link_seen expect_link_(const char *netns, const char *name, const char *kind);
void expect_no_link_(const char *netns, const char *name);
void expect_addr_(const char *netns, const char *name, const char *address);
void expect_route_(const char *netns, const char *route, bool there);

/* Returns the link, for a closer look. kind NULL: any. */
#define expect_link(netns, name, kind)          AT_(expect_link_(netns, name, kind))
#define expect_no_link(netns, name)             AT_(expect_no_link_(netns, name))
#define expect_addr(netns, name, address)       AT_(expect_addr_(netns, name, address))
/* A route whose text begins with this: "default via 10.1.0.1 dev eth0", with " metric", " table", " mtu" after it where they are set. */
#define expect_route(netns, route)              AT_(expect_route_(netns, route, true))
#define expect_no_route(netns, route)           AT_(expect_route_(netns, route, false))

/* The nftables ruleset of a namespace as nft prints it, without counters. */
const char *ruleset_in(const char *netns);
/* Elements of a set or map of table inet plumb, one a line: 'tcp . 8080 : 10.1.0.2 . 80 comment "net/pod1/eth0"'; "" for none. */
const char *elements_of(const char *set);

#endif
