/* host-local's index, a mapped file that may hold anything: its table is walked, asked and changed. The input lies over an empty table, behind one byte that
 * chooses how large. */
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "host-local/liveness.h"
#include "host-local/table.h"
#include "lib/fuzz.h"

#define BOOT "f0e1d2c3-0000-4000-8000-000000000000"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void look_around(struct table *t)
{
	struct liveness l = { .network = "net", .looked = true, .count = 0 };
	struct lease_file file = { .id = "c1", .ifname = "eth0" };
	unsigned seen = 0, owned = 0;

	for (struct lease_record *r = NULL; (r = table_walk(t, r)); seen++) {
		struct addr a = lease_record_address(r);
		char text[ADDR_TEXT];

		addr_text(&a, text);
		lease_is_dead(&l, &file, r);
	}
	require(seen <= t->header->capacity);
	for (struct lease_record *r = NULL; owned < t->header->used && (r = table_next(t, lease_owner("c1", "eth0"), r)); owned++)
		require(r->owner == lease_owner("c1", "eth0"));
}

static void change(struct table *t, uint8_t n)
{
	struct addr a = { .family = AF_INET, .bytes = { 10, 1, 0, n } };
	struct lease_record *r = table_at(t, &a);

	if (r)
		table_remove(t, r);
	r = table_add(t, lease_owner("c1", "eth0"), &a, r);
	if (r)
		require(table_at(t, &a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t capacity = TABLE_LEAST << (size ? data[0] & 1 : 0);
	size_t room = table_size(capacity), len = size > 1 ? size - 1 : 0;
	scoped(mem_free) void *memory = calloc(1, room);
	struct table t;

	require(memory);
	table_format(&t, memory, capacity, BOOT);
	memcpy(memory, data + (size > 0), len < room ? len : room);
	if (!table_attach(&t, memory, room, BOOT)) {
		table_format(&t, memory, capacity, BOOT);
		t.header->magic[0] = 'p';
		if (!table_attach(&t, memory, room, BOOT))
			return 0;
	}
	look_around(&t);
	for (uint8_t n = 2; n < 6; n++)
		change(&t, n);
	look_around(&t);
	return 0;
}
