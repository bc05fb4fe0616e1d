#include "host-local/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scoped.h"
#include "cni/plugin.h"

static int compare_owners(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The owners that may keep their leases, sorted: each valid attachment, and its container alone for files of the older format. */
static uint64_t *valid_owners(const struct list *valid, struct arena *a, size_t *count)
{
	uint64_t *owners = arena_alloc(a, (2 * valid->count + 1) * sizeof *owners);

	*count = 0;
	if (!owners)
		return NULL;
	for_list (const struct valid_attachment, v, valid) {
		owners[(*count)++] = lease_owner(v->container, v->ifname);
		owners[(*count)++] = lease_owner(v->container, "");
	}
	qsort(owners, *count, sizeof *owners, compare_owners);
	return owners;
}

static bool is_valid(const uint64_t *owners, size_t count, uint64_t owner)
{
	return bsearch(&owner, owners, count, sizeof owner, compare_owners);
}

/* The index says that nobody wants it any more; the file has the last word. */
static int collect(struct store *store, const struct lease_record *r, const uint64_t *owners, size_t count, bool dry_run)
{
	struct addr a = lease_record_address(r);
	const struct lease_record *same;
	struct lease_file file;
	char text[ADDR_TEXT];
	int bad = store_look(store, &a, &file, &same);

	if (bad < 0 && bad != -ENOENT)
		return bad;
	if (bad == 0 && (!*file.id || is_valid(owners, count, lease_owner(file.id, file.ifname))))
		return 0;
	if (dry_run) {
		fprintf(stderr, "host-local: would give %s back, a lease of container \"%s\"\n", addr_text(&a, text), bad == 0 ? file.id : "");
		return 0;
	}
	return store_release(store, &a);
}

int store_collect(struct store *s, const struct list *valid, bool dry_run)
{
	uint64_t *owners;
	size_t count;
	int r = 0;

	owners = valid_owners(valid, s->arena, &count);
	if (!owners)
		return err_nomem(s->err, "valid attachments");
	for (const struct lease_record *lease = NULL; (lease = store_walk(s, lease));)
		if (lease->owner && !is_valid(owners, count, lease->owner))
			r = first_failure(r, collect(s, lease, owners, count, dry_run));
	if (r == 0 && s->unread < 0)
		r = err_sys(s->err, CNI_IO, s->unread, "lease directory %s: not every file can be read; the others are dealt with", s->path);
	return r;
}
