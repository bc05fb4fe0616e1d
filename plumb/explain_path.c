/* --path: where to, from whom, and what becomes of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "ports.h"
#include "glyphs.h"
#include "plumb.h"

static const char *const outcomes[] = { [REACHES] = "reaches", [MAY_FAIL] = "may fail", [FAILS] = "fails" };

/* ---- Where to ---- */

static int refuse(struct survey *s, const char *want)
{
	return trouble_set(&s->c->trouble, EXIT_USAGE, -EINVAL, "--path %s: want HOST:PORT[/tcp|udp|sctp]: %s", s->c->opt.path, want);
}

/* A container by name, or an address; localhost is the host's. */
static bool read_host(struct survey *s, char *text, struct addr *out)
{
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		text++;
	}
	if (!strcmp(text, "localhost"))
		return addr_parse("127.0.0.1", out);
	if (addr_parse(text, out))
		return true;
	for_list (const struct seen_attachment, a, &s->attachments) {
		const struct addr *address = attachment_is(a, text) ? attachment_address(a, AF_INET) : NULL;

		if (!address && attachment_is(a, text))
			address = attachment_address(a, AF_INET6);
		if (address) {
			*out = *address;
			return true;
		}
	}
	return false;
}

static bool read_protocol(const char *text, uint8_t *out)
{
	const char *known = port_protocol(text);

	*out = !known ? 0 : !strcmp(known, "tcp") ? IPPROTO_TCP : !strcmp(known, "udp") ? IPPROTO_UDP : IPPROTO_SCTP;
	return known;
}

/* "HOST:PORT[/PROTO]" of --path; HOST may be a container's name. */
static int read_path(struct survey *s, const struct seen_attachment *subject, struct trip *t)
{
	char *text = arena_strdup(&s->c->arena, s->c->opt.path), *slash = text ? strrchr(text, '/') : NULL, *colon;
	const char *digits;
	unsigned port;

	*t = (struct trip){ .protocol = IPPROTO_TCP };
	if (slash)
		*slash = '\0';
	if (slash && !read_protocol(slash + 1, &t->protocol))
		return refuse(s, "the protocol is tcp, udp or sctp");
	colon = text ? strrchr(text, ':') : NULL;
	if (!colon || (strchr(text, ':') != colon && text[0] != '['))
		return refuse(s, "such as 192.0.2.1:8080, [fd00::1]:53/udp or :80 for the container itself");
	*colon = '\0';
	digits = colon + 1;
	if (!port_number(&digits, &port) || *digits)
		return refuse(s, "a port is a number from 1 to 65535");
	t->port = (uint16_t)port;
	if (!*text) {
		const struct addr *own = attachment_address(subject, AF_INET);

		own = own ? own : attachment_address(subject, AF_INET6);
		if (!own)
			return refuse(s, "the container has no address");
		t->to = *own;
		return 0;
	}
	return read_host(s, text, &t->to) ? 0 : refuse(s, "an address, localhost, or a container's name");
}

/* ---- From whom ---- */

static int follow(struct survey *s, struct ruleset *rs, const struct trip *t, struct list *out)
{
	struct journey *j = arena_push(&s->c->arena, &out->items, &out->count, sizeof *j);

	if (!j)
		return err_nomem(&s->c->trouble.err, "paths");
	journey_make(rs, s, t, j);
	return 0;
}

/* One that is on the same network and no other, else the like. */
static int nearness(const struct survey *s, const struct seen_attachment *a, const struct seen_attachment *subject)
{
	if (a->fault || attachment_same_container(a, subject))
		return 0;
	return 1 + 2 * (a->network == subject->network) + !attachment_is_elsewhere_too(s, a);
}

static const struct seen_attachment *neighbour(const struct survey *s, const struct seen_attachment *subject)
{
	const struct seen_attachment *best = NULL;

	for_list (const struct seen_attachment, a, &s->attachments)
		if (nearness(s, a, subject) > (best ? nearness(s, best, subject) : 0))
			best = a;
	return best;
}

static const struct seen_attachment *named(const struct survey *s, const char *text)
{
	for_list (const struct seen_attachment, a, &s->attachments)
		if (!a->fault && attachment_is(a, text))
			return a;
	return NULL;
}

/* Whether the connection is meant to come to the container, or to leave it for elsewhere. */
static bool is_towards(const struct survey *s, const struct trip *t)
{
	return survey_local(s, &t->to) || survey_owner(s, &t->to);
}

int explain_paths(struct survey *s, struct ruleset *rs, const struct seen_attachment *subject, struct list *out)
{
	const char *from = s->c->opt.from;
	struct trip t;
	int r = read_path(s, subject, &t);

	if (r < 0)
		return r;
	if (from) {
		t.origin = !strcmp(from, "lan") ? FROM_LAN : !strcmp(from, "host") ? FROM_HOST : FROM_CONTAINER;
		if (t.origin == FROM_CONTAINER && !(t.from = named(s, from)))
			return trouble_set(&s->c->trouble, EXIT_USAGE, -ENOENT,
					   "--from %s: want lan, host or a container that is attached to a network", from);
		return follow(s, rs, &t, out);
	}
	if (!is_towards(s, &t)) {
		t.origin = FROM_CONTAINER;
		t.from = subject;
		return subject->fault ? 0 : follow(s, rs, &t, out);
	}
	t.origin = FROM_LAN;
	if ((r = follow(s, rs, &t, out)) < 0)
		return r;
	t.origin = FROM_HOST;
	if ((r = follow(s, rs, &t, out)) < 0)
		return r;
	t.origin = FROM_CONTAINER;
	t.from = neighbour(s, subject);
	return t.from ? follow(s, rs, &t, out) : 0;
}

/* ---- Told ---- */

static const char *origin_words(const struct journey *j)
{
	if (j->trip.origin == FROM_CONTAINER)
		return arena_printf(&j->s->c->arena, "container %s", j->trip.from->name);
	return j->trip.origin == FROM_LAN ? "the LAN" : "the host";
}

void explain_tell_path(const struct journey *j)
{
	static const enum glyph signs[] = { [REACHES] = GLYPH_GOOD, [MAY_FAIL] = GLYPH_MAYBE, [FAILS] = GLYPH_BAD };
	static const enum ink inks[] = { [REACHES] = INK_GREEN, [MAY_FAIL] = INK_YELLOW, [FAILS] = INK_RED };

	printf("\n%sfrom %s to %s/%s%s\n", ink(INK_BOLD), origin_words(j), place_text(j->s->c, &j->trip.to, j->trip.port),
	       protocol_name(j->trip.protocol), ink(INK_PLAIN));
	for_list (const struct stage, st, &j->stages)
		printf("  %s%s%s %s\n", ink(st->fact ? INK_DIM : inks[st->mark]), glyph(st->fact ? GLYPH_FACT : signs[st->mark]), ink(INK_PLAIN),
		       st->words);
	printf("  %s%s %s%s\n", ink(inks[j->outcome]), glyph(GLYPH_ARROW), outcomes[j->outcome], ink(INK_PLAIN));
	if (j->outcome != REACHES && j->remedy)
		printf("    to mend it: %s\n", j->remedy);
}

json_t *explain_path_json(const struct journey *j)
{
	static const char *const marks[] = { [REACHES] = "ok", [MAY_FAIL] = "unknown", [FAILS] = "bad" };
	json_t *stages = json_array();

	for_list (const struct stage, st, &j->stages)
		json_array_append_new(stages, json_pack("{s:s, s:s}", "state", st->fact ? "there" : marks[st->mark], "text", st->words));
	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:b, s:o}", "from",
			 j->trip.origin == FROM_LAN    ? "lan"
			 : j->trip.origin == FROM_HOST ? "host"
						       : j->trip.from->name,
			 "to", place_text(j->s->c, &j->trip.to, j->trip.port), "protocol", protocol_name(j->trip.protocol), "outcome",
			 outcomes[j->outcome], "why", j->why, "rule", j->rule, "remedy", j->outcome == REACHES ? NULL : j->remedy, "target",
			 j->target ? j->target->name : NULL, "published", j->published, "masqueraded", j->masqueraded, "stages", stages);
}
