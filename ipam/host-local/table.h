/* The index's table: which lease belongs to whom and which address is held, each in a step or two. Plain memory, which may be a mapped
 * file; knows nothing of files. Two chained hash tables over one array of records. */
#ifndef PLUMB_HOST_LOCAL_TABLE_H
#define PLUMB_HOST_LOCAL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { LEASE_NETNS_SIZE = 84, TABLE_BOOT_SIZE = 40, TABLE_LEAST = 256, TABLE_MOST = 1 << 24 };

/* Links are record numbers counted from 1; 0 ends a chain. */
struct lease_record {
	uint64_t owner;                         /* lease_owner of what the file says; 0: of nobody that we know */
	uint64_t netns_inode;                   /* the namespace it was taken for, 0: not known */
	uint8_t  address[16];                   /* as in struct addr */
	uint16_t family;                        /* AF_INET, AF_INET6; 0: the record is free */
	uint16_t of_this_boot;                  /* taken by ourselves since the machine started */
	uint32_t next_of_owner, next_at_address;
	char     netns[LEASE_NETNS_SIZE];       /* the path that led to it, "" when not known or too long */
};

struct table_header {
	char     magic[8];
	uint32_t capacity;                      /* records, a power of two; as many chains in each of the two hash tables */
	uint32_t used;                          /* of these, in chains */
	uint32_t fresh;                         /* records from here on were never used */
	uint32_t free;                          /* the first of those given back, linked by next_of_owner */
	int64_t  seal_sec;                      /* the directory's time when this table was right; all 0: do not trust it */
	int64_t  seal_nsec;
	char     boot[TABLE_BOOT_SIZE];
	char     reserved[48];
};

struct table {
	struct table_header *header;            /* NULL: none */
	uint32_t            *by_owner, *by_address;
	struct lease_record *records;
};

/* Bytes that a table of this capacity takes. */
size_t table_size(uint32_t capacity);
/* Lays an empty table into zeroed memory of table_size bytes. boot: the boot it belongs to. */
void table_format(struct table *t, void *memory, uint32_t capacity, const char *boot);
/* Takes a table that is there. False when it is not one of ours, of this boot and size. */
bool table_attach(struct table *t, void *memory, size_t size, const char *boot);

/* A record for a lease; NULL when the table is full. */
struct lease_record *table_add(struct table *t, uint64_t owner, const struct addr *address, const struct lease_record *like);
void table_remove(struct table *t, struct lease_record *r);
/* The record of an address, or NULL. */
struct lease_record *table_at(const struct table *t, const struct addr *address);
/* The records of an owner, one after the other: after NULL the first; NULL: no more. In a damaged file they may go round in a circle: whoever follows them
 * counts, up to the header's `used`. */
struct lease_record *table_next(const struct table *t, uint64_t owner, const struct lease_record *after);
/* All records: after NULL the first; NULL: no more. */
struct lease_record *table_walk(const struct table *t, const struct lease_record *after);

struct addr lease_record_address(const struct lease_record *r);

/* What an owner is known by; ifname "" for files of the older format, which name the container alone. Never 0. */
uint64_t lease_owner(const char *id, const char *ifname);

#endif
