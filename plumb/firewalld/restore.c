#include "restore.h"

#include <string.h>
#include <time.h>

#include "records.h"

enum { RESTORE_SECONDS_OF_ADD = 10 };           /* somebody waits for the ADD; the next one goes on from there */

/* ---- All that is on record ---- */

struct restore {
	sd_bus     *bus;
	time_t      end;        /* 0: none */
	enum answer result;
};

/* One that cannot be added does not keep the others out. A record may go while its source is added: whoever is last removes the source. */
static int restore_one(const struct binding *b, void *arg)
{
	struct restore *all = arg;

	if (all->end && time(NULL) >= all->end)
		return 1;
	if (zone_add(all->bus, b->zone, b->source, stderr) == FAILED) {
		all->result = FAILED;
		if (firewalld_is_running(all->bus) != YES)
			return 1;
	}
	if (!record_is_there(b->record) && !records_have(b->zone, b->source))
		zone_remove(all->bus, b->zone, b->source);
	return 0;
}

static enum answer restore(sd_bus *bus, int seconds)
{
	struct restore all = { .bus = bus, .end = seconds ? time(NULL) + seconds : 0, .result = YES };

	records_each(FIRST_TO_LAST, restore_one, &all);
	return all.result;
}

enum answer restore_all(sd_bus *bus)
{
	return restore(bus, 0);
}

/* The one that restore comes to last tells for all of them. */
struct probe {
	sd_bus *bus;
	char  **own;            /* sources that tell nothing: they have just been added */
	bool    forgotten;
};

static int probe_one(const struct binding *b, void *arg)
{
	struct probe *p = arg;
	enum answer answer;

	for (char **own = p->own; *own; own++)
		if (!strcmp(*own, b->source))
			return 0;
	answer = zone_query(p->bus, b->zone, b->source, stderr);
	p->forgotten = answer == NO;
	return answer != FAILED;                /* its zone may be no more */
}

void restore_forgotten(sd_bus *bus, char **own)
{
	struct probe p = { .bus = bus, .own = own };

	records_each(LAST_TO_FIRST, probe_one, &p);
	if (p.forgotten)
		restore(bus, RESTORE_SECONDS_OF_ADD);
}

/* ---- Whenever firewalld forgets ---- */

#define RELOADED "type='signal',sender='" FIREWALLD "',path='" FIREWALLD_PATH "',interface='" FIREWALLD "',member='Reloaded'"
#define OWNER_CHANGED "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" FIREWALLD "'"

static int on_reloaded(sd_bus_message *m, void *due, sd_bus_error *e)
{
	(void)m, (void)e;
	*(bool *)due = true;
	return 0;
}

static int on_owner(sd_bus_message *m, void *due, sd_bus_error *e)
{
	const char *name, *before, *now;

	(void)e;
	if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && *now)
		*(bool *)due = true;
	return 0;
}

enum answer restore_follow(sd_bus *bus)
{
	bool due = firewalld_is_running(bus) == YES;
	int r = sd_bus_add_match(bus, NULL, RELOADED, on_reloaded, &due);

	if (r >= 0)
		r = sd_bus_add_match(bus, NULL, OWNER_CHANGED, on_owner, &due);
	while (r >= 0) {
		while ((r = sd_bus_process(bus, NULL)) > 0)
			;
		if (r == 0 && due) {
			due = false;
			restore_all(bus);
		} else if (r == 0) {
			r = sd_bus_wait(bus, UINT64_MAX);
		}
	}
	printf("the system bus: %s\n", strerror(-r));
	return FAILED;
}
