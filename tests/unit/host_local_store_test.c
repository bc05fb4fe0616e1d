/* host-local: when the store seals its index. The index and the look at the files are the test's own. */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include "base/scoped.h"
#include "host-local/index.h"

static struct table_header header;
static int scan_answer, seals;

static void open_index(struct lease_index *ix, int store)
{
	(void)store;
	*ix = (struct lease_index){ .now.table.header = &header, .dir = -1 };
}

static void close_index(struct lease_index *ix)
{
	ix->now.table.header = NULL;
}

static void note_seal(struct lease_index *ix, int store)
{
	(void)ix;
	(void)store;
	seals++;
}

#define lease_index_open  open_index
#define lease_index_close close_index
#define lease_index_seal  note_seal
#include "ipam/host-local/store.c"

int store_rescan(struct store *s)
{
	s->trusted = scan_answer == 0;
	return scan_answer;
}

/* How often the index is sealed when the store is opened, with the index unsealed by one that died, and closed. */
static int seals_after(int answer, int *r)
{
	scoped(arena_free) struct arena a = { 0 };
	char path[] = "/tmp/plumb-store-test-XXXXXX", lock[sizeof path + 5];
	struct store s;

	assert_non_null(mkdtemp(path));
	scan_answer = answer;
	seals = 0;
	*r = store_open(&s, path, false, &a, NULL);
	store_close(&s);
	snprintf(lock, sizeof lock, "%s/lock", path);
	unlink(lock);
	rmdir(path);
	return seals;
}

static void an_index_made_anew_is_sealed(void **state)
{
	int r;

	(void)state;
	assert_int_equal(seals_after(0, &r), 1);
	assert_int_equal(r, 0);
}

static void an_index_that_may_be_wrong_is_not_sealed(void **state)
{
	int r;

	(void)state;
	assert_int_equal(seals_after(-EIO, &r), 0);
	assert_int_equal(r, -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_made_anew_is_sealed),
		cmocka_unit_test(an_index_that_may_be_wrong_is_not_sealed),
	};

	return cmocka_run_group_tests_name("host-local store", tests, NULL, NULL);
}
