/* plumb-firewalld: puts sources into zones of firewalld, for the firewall plugin, and puts them back when firewalld has forgotten them.
 *
 *     plumb-firewalld running                  0: firewalld is on the system bus; 1: it is not
 *     plumb-firewalld add ZONE SOURCE...       add them; where firewalld has forgotten others that are on record, restore those too
 *     plumb-firewalld remove ZONE SOURCE...    remove those that are on no record
 *     plumb-firewalld query ZONE SOURCE...     0: all are in the zone; 1: not all
 *     plumb-firewalld restore                  add all that is on record (records.h)
 *     plumb-firewalld follow                   restore now, and whenever firewalld starts or has reloaded; runs until it is ended
 *
 * Other failures: 2, and why on stdout, where the plugin reads it; restore tells on stderr what could not be added.
 * It is all runtime configuration, which firewalld forgets when it reloads. The next `add` notices, at the cost of one question; `follow` is for
 * those who do not want to wait for one (contrib/).
 * libsystemd is here for sd-bus: D-Bus in C, blocking, without a main loop of another library, and on every host that has firewalld. */
#include <string.h>

#include "records.h"
#include "restore.h"
#include "zone.h"

static enum answer add_all(sd_bus *bus, const char *zone, char **sources)
{
	for (char **s = sources; *s; s++)
		if (zone_add(bus, zone, *s, stdout) == FAILED)
			return FAILED;
	restore_forgotten(bus, sources);
	return YES;
}

static enum answer remove_all(sd_bus *bus, const char *zone, char **sources)
{
	for (char **s = sources; *s; s++)
		if (!records_have(zone, *s))
			zone_remove(bus, zone, *s);
	return YES;
}

static enum answer query_all(sd_bus *bus, const char *zone, char **sources)
{
	enum answer a = YES;

	for (char **s = sources; *s && a == YES; s++)
		a = zone_query(bus, zone, *s, stdout);
	return a;
}

static enum answer run(sd_bus *bus, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(what, "running"))
		return firewalld_is_running(bus);
	if (argc == 2 && !strcmp(what, "restore"))
		return restore_all(bus);
	if (argc == 2 && !strcmp(what, "follow"))
		return restore_follow(bus);
	if (argc > 3 && !strcmp(what, "add"))
		return add_all(bus, argv[2], argv + 3);
	if (argc > 3 && !strcmp(what, "remove"))
		return remove_all(bus, argv[2], argv + 3);
	if (argc > 3 && !strcmp(what, "query"))
		return query_all(bus, argv[2], argv + 3);
	puts("usage: plumb-firewalld running | restore | follow | add ZONE SOURCE... | remove ZONE SOURCE... | query ZONE SOURCE...");
	return FAILED;
}

int main(int argc, char **argv)
{
	scoped(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_open_system(&bus);

	if (r < 0 && argc == 2 && !strcmp(argv[1], "running"))
		return NO;
	if (r < 0) {
		printf("the system bus: %s\n", strerror(-r));
		return FAILED;
	}
	return run(bus, argc, argv);
}
