/* Locks on networks and on servers: files that go with what they lock. */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "dnsname/dnsname.h"
#include "os/patience.h"

enum { LOCK_MS = 30 * 1000, TRIES = 20 };

int names_lock(struct cni_call *c, const char *path, int *out)
{
	struct patience patience;
	struct stat st;
	int r = -ESTALE;

	patience_begin(&patience, LOCK_MS);
	while (r == -ESTALE || (r == -EINTR && !patience_is_over(&patience))) {
		scoped(fd_close) int fd = names_open(c, path, 0);

		r = fd < 0 ? fd : flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0 ? -errno : 0;
		if (r == 0 && st.st_nlink == 0)
			r = -ESTALE;                    /* removed with its directory while we waited */
		if (r == 0)
			*out = fd_keep(&fd);
	}
	patience_end(&patience);
	if (r == -EINTR) {
		err_set(&c->err, CNI_TRY_LATER, -ETIME, "names: %s is still locked after %d seconds", path, LOCK_MS / 1000);
		err_detail(&c->err, "try again; if a process that holds it hangs, end it");
		return -ETIME;
	}
	return r < 0 ? err_sys(&c->err, CNI_IO, r, "lock %s", path) : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the networks to lock, sorted, each once. */
static int networks_to_lock(struct cni_call *c, const char **out, size_t room, size_t *count)
{
	struct list records = { 0 };
	size_t n = 0, unique = 0;
	int r = *c->who.container ? members_of(c, c->who.container, &records) : 0;

	if (r < 0)
		return r;
	out[n++] = c->who.network;
	for_list (const struct member, rec, &records)
		if (n < room)
			out[n++] = rec->network;
	qsort(out, n, sizeof *out, compare_names);
	for (size_t i = 0; i < n; i++)
		if (unique == 0 || strcmp(out[i], out[unique - 1]))
			out[unique++] = out[i];
	*count = unique;
	return 0;
}

/* Which networks the container is on may change until they are locked: then begin anew. */
int locks_take(struct cni_call *c, struct locks *l)
{
	const char *wanted[ARRAY_LEN(l->fds)], *again[ARRAY_LEN(l->fds)];
	size_t count, now;
	int r;

	for (int tries = 0; tries < TRIES; tries++) {
		if ((r = networks_to_lock(c, wanted, ARRAY_LEN(wanted), &count)) < 0)
			return r;
		for (size_t i = 0; i < count; i++) {
			if ((r = names_lock(c, network_path(c, wanted[i], "lock"), &l->fds[i])) < 0)
				return r;
			l->count = i + 1;
		}
		if ((r = networks_to_lock(c, again, ARRAY_LEN(again), &now)) < 0)
			return r;
		for (size_t i = 0; r == 0 && i < count && i < now; i++)
			r = strcmp(wanted[i], again[i]);
		if (r == 0 && count == now)
			return 0;
		locks_drop(l);
	}
	return err_set(&c->err, CNI_TRY_LATER, -EBUSY, "names of container %s: it is put on networks all the time", c->who.container);
}

void locks_drop(struct locks *l)
{
	while (l->count)
		close(l->fds[--l->count]);
}
