#include "host-local/table.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

static const char magic[8] = { 'p', 'l', 'u', 'm', 'b', 'i', 'x', '1' };

_Static_assert(sizeof(struct lease_record) == 128, "part of the index's format");
_Static_assert(sizeof(struct table_header) == 128, "part of the index's format");

uint64_t lease_owner(const char *id, const char *ifname)
{
	uint64_t h = hash_strings(id, ifname, (const char *)NULL);

	return h ? h : 1;
}

struct addr lease_record_address(const struct lease_record *r)
{
	struct addr a = { .family = r->family };

	memcpy(a.bytes, r->address, sizeof a.bytes);
	return a;
}

/* ---- Layout: header, chains by owner, chains by address, records ---- */

size_t table_size(uint32_t capacity)
{
	return sizeof(struct table_header) + capacity * (2 * sizeof(uint32_t) + sizeof(struct lease_record));
}

static void lay_out(struct table *t, void *memory, uint32_t capacity)
{
	t->header = memory;
	t->by_owner = (uint32_t *)(t->header + 1);
	t->by_address = t->by_owner + capacity;
	t->records = (struct lease_record *)(t->by_address + capacity);
}

void table_format(struct table *t, void *memory, uint32_t capacity, const char *boot)
{
	lay_out(t, memory, capacity);
	memcpy(t->header->magic, magic, sizeof magic);
	t->header->capacity = capacity;
	strncpy(t->header->boot, boot, sizeof t->header->boot - 1);
}

bool table_attach(struct table *t, void *memory, size_t size, const char *boot)
{
	const struct table_header *h = memory;
	uint32_t n;

	if (size < sizeof *h || memcmp(h->magic, magic, sizeof magic) || strncmp(h->boot, boot, sizeof h->boot))
		return false;
	n = h->capacity;
	if (n < TABLE_LEAST || n > TABLE_MOST || (n & (n - 1)) || table_size(n) != size || h->fresh > n || h->used > n || h->free > n)
		return false;
	lay_out(t, memory, n);
	return true;
}

/* ---- Chains ---- */

static uint32_t *chain_of_owner(const struct table *t, uint64_t owner)
{
	return &t->by_owner[(owner ^ owner >> 32) & (t->header->capacity - 1)];
}

/* Neighbouring addresses are in neighbouring chains: walks over a full range stay in few pages. */
static uint32_t *chain_at(const struct table *t, const struct addr *a)
{
	size_t size = addr_size(a->family);
	uint64_t network = 0;
	uint32_t host = 0;

	for (size_t i = 0; i < size - 2; i++)
		network = (network ^ a->bytes[i]) * 0x100000001b3u;
	for (size_t i = size - 2; i < size; i++)
		host = host << 8 | a->bytes[i];
	return &t->by_address[((network ^ network >> 32) + host) & (t->header->capacity - 1)];
}

/* A link's record; NULL at the chain's end, and for what only a damaged file holds. */
static struct lease_record *record(const struct table *t, uint32_t link)
{
	return link && link <= t->header->fresh ? &t->records[link - 1] : NULL;
}

static uint32_t link_to(const struct table *t, const struct lease_record *r)
{
	return (uint32_t)(r - t->records) + 1;
}

struct lease_record *table_at(const struct table *t, const struct addr *a)
{
	struct lease_record *r = record(t, *chain_at(t, a));

	for (uint32_t steps = 0; r && steps <= t->header->used; steps++) {
		if (r->family == a->family && !memcmp(r->address, a->bytes, sizeof r->address))
			return r;
		r = record(t, r->next_at_address);
	}
	return NULL;
}

struct lease_record *table_next(const struct table *t, uint64_t owner, const struct lease_record *after)
{
	struct lease_record *r = record(t, after ? after->next_of_owner : *chain_of_owner(t, owner));

	for (uint32_t steps = 0; r && steps <= t->header->used; steps++) {
		if (r->owner == owner)
			return r;
		r = record(t, r->next_of_owner);
	}
	return NULL;
}

struct lease_record *table_walk(const struct table *t, const struct lease_record *after)
{
	for (uint32_t i = after ? link_to(t, after) : 0; i < t->header->fresh; i++)
		if (t->records[i].family)
			return &t->records[i];
	return NULL;
}

/* ---- Changes. Whoever makes one has unsealed the table before: one cut off half way is thrown away. ---- */

struct lease_record *table_add(struct table *t, uint64_t owner, const struct addr *address, const struct lease_record *like)
{
	uint32_t *of_owner = chain_of_owner(t, owner), *at_address = chain_at(t, address), link = t->header->free;
	struct lease_record *r = record(t, link);

	if (r)
		t->header->free = r->next_of_owner;
	else if (t->header->fresh < t->header->capacity)
		r = record(t, link = ++t->header->fresh);
	if (!r)
		return NULL;
	*r = like ? *like : (struct lease_record){ 0 };
	r->owner = owner;
	r->family = address->family;
	memcpy(r->address, address->bytes, sizeof r->address);
	r->next_of_owner = *of_owner;
	r->next_at_address = *at_address;
	atomic_signal_fence(memory_order_seq_cst);      /* whole before it is found: a rebuild still reads what a killed process left */
	*of_owner = *at_address = link;
	t->header->used++;
	return r;
}

static void unlink_from(struct table *t, uint32_t *chain, size_t next, uint32_t link)
{
	for (uint32_t steps = 0; *chain && *chain <= t->header->fresh && steps <= t->header->used; steps++) {
		uint32_t *after = (uint32_t *)((char *)&t->records[*chain - 1] + next);

		if (*chain == link) {
			*chain = *after;
			return;
		}
		chain = after;
	}
}

void table_remove(struct table *t, struct lease_record *r)
{
	struct addr address = lease_record_address(r);
	uint32_t link = link_to(t, r);

	unlink_from(t, chain_of_owner(t, r->owner), offsetof(struct lease_record, next_of_owner), link);
	unlink_from(t, chain_at(t, &address), offsetof(struct lease_record, next_at_address), link);
	atomic_signal_fence(memory_order_seq_cst);
	r->family = 0;
	r->next_of_owner = t->header->free;
	t->header->free = link;
	if (t->header->used)                            /* a damaged file says anything */
		t->header->used--;
}
