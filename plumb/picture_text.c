/* The picture as a tree of text. */
#include <string.h>

#include "glyphs.h"
#include "picture.h"
#include "plumb.h"

/* A line's beginning, and that of what is below it. */
struct twig {
	const char *trunk;
	bool        last;
};

static void begin(const struct twig *t)
{
	printf("%s%s%s%s", ink(INK_DIM), t->trunk, glyph(t->last ? GLYPH_LAST : GLYPH_BRANCH), ink(INK_PLAIN));
}

static const char *below(const struct picture *p, const struct twig *t)
{
	return arena_printf(&p->s->c->arena, "%s%s", t->trunk, glyph(t->last ? GLYPH_GAP : GLYPH_TRUNK));
}

static void show_ports(const struct picture *p, const struct seen_attachment *a, const char *trunk)
{
	struct list ports;
	size_t i = 0;

	picture_ports(p->s, a, &ports);
	for_list (const struct drawn_port, port, &ports) {
		begin(&(struct twig){ trunk, ++i == ports.count });
		printf("%s%s %s %s/%s%s%s\n", ink(INK_GREEN), port->host, glyph(GLYPH_ARROW), port->container, port->protocol,
		       port->from_lan ? "" : "  (from this host only)", ink(INK_PLAIN));
	}
}

static void show_attachment(const struct picture *p, const struct seen_attachment *a, const struct twig *t)
{
	const struct endpoint *e = &a->record.endpoint;
	const char *addresses = picture_addresses(p->s, a);

	begin(t);
	if (a->fault)
		printf("%s%s ", ink(INK_RED), glyph(GLYPH_BAD));
	printf("%s%s%s  %s%s%s", a->fault ? "" : ink(INK_BOLD), a->name, a->fault ? "" : ink(INK_PLAIN), e->ifname, *addresses ? " " : "", addresses);
	if (a->fault)
		printf("  dead: %s", a->fault);
	else if (a->near && !strcmp(a->pod.kind, "veth"))
		printf("  %s%s%s", ink(INK_DIM), a->near->link.name, ink(INK_PLAIN));
	printf("%s\n", a->fault ? ink(INK_PLAIN) : "");
	show_ports(p, a, below(p, t));
}

static void show_way(const struct picture *p, const struct drawn_network *d)
{
	const struct seen_network *n = d->network;

	if (d->way == OUT_NONE && n->subnets.count)
		printf("  %sno way out%s%s%s", ink(INK_YELLOW), d->why && *d->why ? ": " : "", d->why ? d->why : "", ink(INK_PLAIN));
	else if (d->uplink)
		printf("  %s %s%s", d->way == OUT_MASQUERADED ? "masqueraded" : "routed", glyph(GLYPH_ARROW),
		       arena_printf(&p->s->c->arena, " %s", d->uplink));
	if (!n->link && n->link_name)
		printf("  %s(not made yet)%s", ink(INK_DIM), ink(INK_PLAIN));
	if (!n->configured)
		printf("  %s(no longer configured)%s", ink(INK_YELLOW), ink(INK_PLAIN));
}

static size_t show_apart(const struct picture *p, const struct seen_network *n, const char *trunk, bool print)
{
	const char *all = "";

	for_list (const struct apart, pair, &p->apart) {
		const struct seen_network *other = pair->a == n ? pair->b : pair->b == n ? pair->a : NULL;

		if (other)
			all = arena_printf(&p->s->c->arena, "%s%s%s", all, *all ? ", " : "", other->name);
	}
	if (*all && print) {
		begin(&(struct twig){ trunk, true });
		printf("%skept apart from %s%s\n", ink(INK_RED), all, ink(INK_PLAIN));
	}
	return *all != '\0';
}

static void show_network(const struct picture *p, const struct drawn_network *d, const struct twig *t)
{
	const struct seen_network *n = d->network;
	const char *subnets = picture_subnets(p->s, n), *trunk = below(p, t), *span;
	size_t left = d->shown.count + (d->rest.count > 0) + show_apart(p, n, trunk, false);

	begin(t);
	printf("%s%s%s%s  %s  %s", ink(INK_BOLD), ink(INK_BLUE), n->name, ink(INK_PLAIN), picture_kind(p->s, n), subnets);
	if (n->link)
		printf("  MTU %u", n->link->link.mtu);
	show_way(p, d);
	putchar('\n');
	for_list (const struct seen_attachment *, a, &d->shown)
		show_attachment(p, *a, &(struct twig){ trunk, --left == 0 });
	if (d->rest.count) {
		span = picture_span(p->s, &d->rest, glyph(GLYPH_DASH));
		begin(&(struct twig){ trunk, --left == 0 });
		printf("and %zu more%s%s\n", d->rest.count, *span ? "  " : "", span);
	}
	show_apart(p, n, trunk, true);
}

static void show_uplinks(const struct picture *p, const struct twig *t)
{
	const char *trunk = below(p, t);
	size_t left = 0;

	for_list (const struct seen_link, l, &p->s->links)
		left += survey_is_uplink(p->s, l);
	begin(t);
	puts(left ? "uplinks" : "no uplinks");
	for_list (const struct seen_link, l, &p->s->links) {
		if (!survey_is_uplink(p->s, l))
			continue;
		begin(&(struct twig){ trunk, --left == 0 });
		printf("%s  %s\n", l->link.name, picture_prefixes(p->s, &l->addresses));
	}
}

void picture_text(const struct picture *p)
{
	size_t left = p->networks.count;

	printf("%s%s%s  %zu network%s, %zu container%s\n", ink(INK_BOLD), p->s->host, ink(INK_PLAIN), p->networks.count,
	       p->networks.count == 1 ? "" : "s", p->containers, p->containers == 1 ? "" : "s");
	show_uplinks(p, &(struct twig){ "", left == 0 });
	for_list (const struct drawn_network, d, &p->networks)
		show_network(p, d, &(struct twig){ "", --left == 0 });
}
