#include "zone.h"

#include <string.h>

#define DBUS "org.freedesktop.DBus"

enum answer firewalld_is_running(sd_bus *bus)
{
	scoped(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int owned = 0, r = sd_bus_call_method(bus, DBUS, "/org/freedesktop/DBus", DBUS, "NameHasOwner", NULL, &reply, "s", FIREWALLD);

	return r >= 0 && sd_bus_message_read(reply, "b", &owned) >= 0 && owned ? YES : NO;
}

/* Calls a method of the interface zone. 0 and its answer, or negative with e set. */
static int call(sd_bus *bus, const char *method, const char *zone, const char *source, sd_bus_message **answer, sd_bus_error *e)
{
	scoped(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(bus, &m, FIREWALLD, FIREWALLD_PATH, FIREWALLD ".zone", method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, false);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", zone, source);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, e, answer);
	if (r < 0 && !sd_bus_error_is_set(e))
		sd_bus_error_set_errno(e, r);
	return r < 0 ? r : 0;
}

/* The error is firewalld's word for what is wrong, then its subject: "INVALID_ZONE: no-such-zone". */
static bool says(const sd_bus_error *e, const char *word)
{
	return e->message && !strncmp(e->message, word, strlen(word));
}

static void tell_holder(sd_bus *bus, const char *source, FILE *to)
{
	scoped(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *holder;
	int r = sd_bus_call_method(bus, FIREWALLD, FIREWALLD_PATH, FIREWALLD ".zone", "getZoneOfSource", NULL, &reply, "s", source);

	if (r >= 0 && sd_bus_message_read(reply, "s", &holder) >= 0 && *holder)
		fprintf(to, "; `firewall-cmd --zone=%s --remove-source=%s` takes it out of that zone", holder, source);
}

static enum answer tell(sd_bus *bus, const sd_bus_error *e, const char *zone, const char *source, FILE *to)
{
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) || sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
		fputs("firewalld is not running: " FIREWALLD " is not on the system bus\n", to);
		return FAILED;
	}
	fprintf(to, "zone %s, source %s: ", zone, source);
	for (const char *s = e->message ? e->message : e->name; *s; s++)
		fputc(*s == '\n' ? ' ' : *s, to);
	if (says(e, "ZONE_CONFLICT"))
		tell_holder(bus, source, to);
	if (says(e, "INVALID_ZONE"))
		fputs("; `firewall-cmd --get-zones` lists those that there are", to);
	fputc('\n', to);
	return FAILED;
}

enum answer zone_query(sd_bus *bus, const char *zone, const char *source, FILE *complaints)
{
	scoped(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	scoped(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
	int is_in = 0, r = call(bus, "querySource", zone, source, &reply, &e);

	if (r < 0)
		return tell(bus, &e, zone, source, complaints);
	return sd_bus_message_read(reply, "b", &is_in) >= 0 && is_in ? YES : NO;
}

enum answer zone_add(sd_bus *bus, const char *zone, const char *source, FILE *complaints)
{
	scoped(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = call(bus, "addSource", zone, source, NULL, &e);

	return r == 0 || says(&e, "ZONE_ALREADY_SET") ? YES : tell(bus, &e, zone, source, complaints);
}

void zone_remove(sd_bus *bus, const char *zone, const char *source)
{
	scoped(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

	call(bus, "removeSource", zone, source, NULL, &e);
}
