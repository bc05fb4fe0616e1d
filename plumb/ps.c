/* plumb ps: lists what plumb run runs, and what it has run behind. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "attachments.h"
#include "plumb.h"
#include "runs.h"
#include "table.h"

struct listing {
	struct table table;
	json_t      *json;
	struct list  attached;          /* of struct cached: all there are */
};

/* ---- Words ---- */

/* What a terminal would take for more than letters, as blanks: a row is one line. */
static const char *one_line(struct arena *a, const char *text)
{
	char *line = arena_strdup(a, text);

	for (char *p = line; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return line ? line : "";
}

static const char *command_text(struct call *c, const struct run_record *run)
{
	const char *text = "";
	json_t *word;
	size_t i;

	json_array_foreach(run->command, i, word)
		if (text)
			text = arena_printf(&c->arena, "%s%s%s", text, *text ? " " : "", json_string_value(word));
	return text ? one_line(&c->arena, text) : "";
}

static const char *span_text(struct call *c, long long seconds)
{
	static const struct { long long length; const char *name; } units[] = {
		{ 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (seconds >= units[i].length || units[i].length == 1)
			return arena_printf(&c->arena, "%lld %s%s", seconds / units[i].length, units[i].name,
			                    seconds / units[i].length == 1 ? "" : "s");
	return "";
}

static const char *status_word(const struct run_record *run)
{
	return run->ended ? "exited" : !run->alive ? "dead" : run->pid ? "running" : "starting";
}

static const char *status_text(struct call *c, const struct run_record *run)
{
	long long now = time(NULL);

	if (run->ended)
		return arena_printf(&c->arena, "Exited (%d) %s ago", run->exit_code, span_text(c, now - run->ended));
	if (!run->alive)
		return "Dead";
	return run->pid ? arena_printf(&c->arena, "Up %s", span_text(c, now - run->created)) : "Starting";
}

static const char *joined(struct call *c, const char *text, const char *more)
{
	return text && *text ? arena_printf(&c->arena, "%s, %s", text, more ? more : "") : more;
}

static const char *network_text(struct call *c, const struct cached *a)
{
	const char *address = attached_address(c, a, AF_INET);

	if (!*address)
		address = attached_address(c, a, AF_INET6);
	return arena_printf(&c->arena, "%s%s%.*s", a->network, *address ? "=" : "", (int)strcspn(address, "/"), address);
}

static const char *port_text(struct call *c, const json_t *mapping)
{
	const char *ip = json_member_string(mapping, "hostIP"), *protocol = json_member_string(mapping, "protocol");
	long long host = json_integer_value(json_member(mapping, "hostPort")), container = json_integer_value(json_member(mapping, "containerPort"));

	return arena_printf(&c->arena, ip && strchr(ip, ':') ? "[%s]:%lld->%lld/%s" : "%s:%lld->%lld/%s", ip ? ip : "0.0.0.0", host, container,
	                    protocol ? protocol : "tcp");
}

/* ---- One of them ---- */

static bool is_of(const struct cached *a, const struct run_record *run)
{
	return !strcmp(a->endpoint.container, run->id) && !strcmp(a->endpoint.netns, run->netns);
}

static void add_row(struct call *c, struct listing *l, const struct run_record *run)
{
	const char *networks = "", *ports = "";

	for_list (const struct cached, a, &l->attached) {
		json_t *mapping;
		size_t i;

		if (!is_of(a, run))
			continue;
		networks = joined(c, networks, network_text(c, a));
		json_array_foreach(attached_ports(a), i, mapping)
			ports = joined(c, ports, port_text(c, mapping));
	}
	table_row(c, &l->table, (const char *[]){ run->name, run->pid ? arena_printf(&c->arena, "%d", (int)run->pid) : "-", status_text(c, run),
	                                          networks, ports, command_text(c, run) });
}

static json_t *networks_json(struct call *c, const struct listing *l, const struct run_record *run)
{
	json_t *networks = json_array();

	for_list (const struct cached, a, &l->attached) {
		json_t *ports = attached_ports(a), *one;

		if (!is_of(a, run))
			continue;
		one = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "network", a->network, "interface", a->endpoint.ifname,
		                "ipv4", attached_address(c, a, AF_INET), "ipv6", attached_address(c, a, AF_INET6), "mac", attached_mac(c, a),
		                "ports", ports ? json_incref(ports) : json_array());
		json_array_append_new(networks, one);
	}
	return networks;
}

static json_t *run_json(struct call *c, const struct listing *l, const struct run_record *run)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:i, s:b, s:s, s:s, s:O, s:o}", "name", run->name, "id", run->id,
	                 "status", status_word(run), "pid", (int)run->pid, "keeper", (int)run->keeper, "created", (json_int_t)run->created,
	                 "ended", (json_int_t)run->ended, "exitCode", run->exit_code, "detached", run->detached, "hostname", run->hostname,
	                 "netns", run->netns, "command", run->command, "networks", networks_json(c, l, run));
}

int ps_run(struct call *c)
{
	struct listing l = { .table = { .columns = 6 }, .json = call_keep(c, json_array()) };
	struct list runs;
	int r;

	runs_mend(c);
	if ((r = runs_all(c, &runs)) < 0 || (!c->opt.quiet && (r = attachments_of(c, NULL, &l.attached)) < 0))
		return r;
	table_row(c, &l.table, (const char *[]){ "NAME", "PID", "STATUS", "NETWORKS", "PORTS", "COMMAND" });
	for_list (const struct run_record, run, &runs) {
		if (run->ended && !c->opt.all)
			continue;
		if (c->opt.json)
			json_array_append_new(l.json, run_json(c, &l, run));
		else if (c->opt.quiet)
			puts(run->name);
		else
			add_row(c, &l, run);
	}
	if (c->opt.json)
		print_json(l.json);
	else if (!c->opt.quiet)
		table_print(&l.table);
	return EXIT_DONE;
}
