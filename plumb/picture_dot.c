/* The picture in Graphviz' language: from the left to the right the LAN, the host's uplinks and published ports, its networks, the containers. */
#include <string.h>

#include "plumb.h"
#include "sketch.h"

enum { BOXES_LIMIT = 8 };        /* containers of a network that get a box each */

/* Names in the file are by place, so that the same host gives the same file. */
static size_t place(const struct list *list, const void *item, size_t size)
{
	return ((const char *)item - (const char *)list->items) / size;
}

static size_t id_of_link(const struct sketch *k, const struct seen_link *l) { return place(&k->p->s->links, l, sizeof *l) + 1; }
static size_t id_of_network(const struct sketch *k, const struct seen_network *n) { return place(&k->p->s->networks, n, sizeof *n) + 1; }
static size_t id_of_box(const struct sketch *k, const struct seen_attachment *a)
{
	return place(&k->p->s->attachments, picture_first(k->p, a), sizeof *a) + 1;
}

/* ---- Uplinks ---- */

static void draw_uplinks(const struct sketch *k)
{
	for_list (const struct seen_link, l, &k->p->s->links) {
		if (!survey_is_uplink(k->p->s, l))
			continue;
		begin_node(k, "link", id_of_link(k, l), "white", LINE, false);
		row(k, INK, 12, true, l->link.name);
		rows(k, INK, picture_prefixes(k->p->s, &l->addresses));
		end_node(k);
		edge(k, "dir=none color=\"" LINE "\" penwidth=1.6", "lan -> \"link%zu\"", id_of_link(k, l));
	}
}

/* ---- Containers ---- */

static bool is_on_several(const struct sketch *k, const struct seen_attachment *a)
{
	for_list (const struct drawn_network, d, &k->p->networks)
		for_list (const struct seen_attachment *, other, &d->shown)
			if ((*other)->network != a->network && attachment_same_container(*other, a))
				return true;
	return false;
}

static void draw_box(const struct sketch *k, const struct seen_attachment *a)
{
	const char *id = a->record.endpoint.container;

	begin_node(k, "box", id_of_box(k, a), a->fault ? ROSE : "white", a->fault ? RED : BLUE, a->fault);
	row(k, a->fault ? RED : INK, 12, true, a->name);
	if (strcmp(id, a->name) != 0 && strncmp(id, "plumb-", 6) != 0)
		row(k, MUTED, 8, false, arena_printf(&k->p->s->c->arena, "%.20s%s", id, strlen(id) > 20 ? "…" : ""));
	for_list (const struct drawn_network, d, &k->p->networks)
		for_list (const struct seen_attachment *, same, &d->shown)
			if (attachment_same_container(*same, a))
				rows(k, a->fault ? RED : INK,
				     arena_printf(&k->p->s->c->arena, "%s  %s", (*same)->record.endpoint.ifname, picture_addresses(k->p->s, *same)));
	if (a->fault)
		row(k, RED, 9, false, a->fault);
	end_node(k);
}

static void draw_attachment(const struct sketch *k, const struct seen_attachment *a)
{
	const char *veth = a->near && !strcmp(a->pod.kind, "veth") ? a->near->link.name : "";

	edge(k,
	     arena_printf(&k->p->s->c->arena, "dir=none color=\"%s\" style=%s label=<<font point-size=\"8\" color=\"" MUTED "\">%s </font>>",
			  a->fault ? RED : BLUE, a->fault ? "dashed" : "solid", *veth ? safe(k, veth) : " "),
	     "\"net%zu\" -> \"box%zu\"", id_of_network(k, a->network), id_of_box(k, a));
}

/* Its published ports, on the side that they are asked at. */
static void draw_ports(const struct sketch *k, const struct seen_attachment *a)
{
	struct list ports;
	bool from_lan = false;

	picture_ports(k->p->s, a, &ports);
	if (!ports.count || a->fault)
		return;
	begin_node(k, "ports", id_of_box(k, a), LEAF, GREEN, false);
	for_list (const struct drawn_port, port, &ports) {
		row(k, GREEN, 10, false, arena_printf(&k->p->s->c->arena, "%s → %s/%s", port->host, port->container, port->protocol));
		from_lan |= port->from_lan;
	}
	end_node(k);
	if (from_lan)
		edge(k, "color=\"" GREEN "\" arrowsize=0.7", "lan -> \"ports%zu\"", id_of_box(k, a));
	edge(k, "color=\"" GREEN "\" arrowsize=0.7 weight=0", "\"ports%zu\" -> \"box%zu\"", id_of_box(k, a), id_of_box(k, a));
}

/* ---- Networks ---- */

static void draw_gateway(const struct sketch *k, const struct drawn_network *d)
{
	const struct seen_network *n = d->network;
	const char *subnets = picture_subnets(k->p->s, n);

	begin_node(k, "net", id_of_network(k, n), "white", d->way == OUT_NONE ? MUTED : BLUE, !n->link && n->link_name);
	row(k, BLUE, 12, true, n->link_name ? n->link_name : n->type ? n->type : "?");
	rows(k, INK, subnets);
	if (n->link && !survey_is_uplink(k->p->s, n->link) && n->link->addresses.count)
		rows(k, MUTED, arena_printf(&k->p->s->c->arena, "gateway %s", picture_prefixes(k->p->s, &n->link->addresses)));
	if (n->link)
		row(k, MUTED, 9, false, arena_printf(&k->p->s->c->arena, "MTU %u", n->link->link.mtu));
	else if (n->link_name)
		row(k, MUTED, 9, false, "not made yet");
	end_node(k);
}

static void draw_way(const struct sketch *k, const struct drawn_network *d)
{
	const struct seen_link *up = d->uplink ? survey_link(k->p->s, d->uplink) : NULL;
	const char *colour = d->way == OUT_MASQUERADED ? ORANGE : MUTED;

	if (!up || d->way == OUT_NONE || !survey_is_uplink(k->p->s, up))
		return;
	edge(k,
	     arena_printf(&k->p->s->c->arena, "dir=back color=\"%s\" arrowsize=0.8 label=<<font point-size=\"9\" color=\"%s\">%s</font>>", colour,
			  colour, d->way == OUT_MASQUERADED ? "masqueraded" : "routed"),
	     "\"link%zu\" -> \"net%zu\"", id_of_link(k, up), id_of_network(k, d->network));
}

/* Where there are many, those that have nothing special are lines of one box. */
static bool is_a_line(const struct sketch *k, const struct drawn_network *d, const struct seen_attachment *a)
{
	return d->shown.count > BOXES_LIMIT && !a->fault && !attached_ports(&a->record) && !is_on_several(k, a);
}

static void line(const struct sketch *k, const struct seen_attachment *a)
{
	static const char cell[] = "<td align=\"left\"><font color=\"%s\" point-size=\"%d\">%s%s%s</font></td>";

	fputs("<tr>", k->to);
	fprintf(k->to, cell, INK, 10, "<b>", safe(k, a->name), "</b>");
	fprintf(k->to, cell, INK, 10, " ", safe(k, picture_addresses(k->p->s, a)), " ");
	fprintf(k->to, cell, MUTED, 8, "", safe(k, a->near ? a->near->link.name : ""), "");
	fputs("</tr>", k->to);
}

static void draw_lines(const struct sketch *k, const struct drawn_network *d)
{
	bool any = d->rest.count > 0;

	for_list (const struct seen_attachment *, a, &d->shown)
		any |= is_a_line(k, d, *a);
	if (!any)
		return;
	begin_node(k, "more", id_of_network(k, d->network), "white", BLUE, false);
	for_list (const struct seen_attachment *, a, &d->shown)
		if (is_a_line(k, d, *a))
			line(k, *a);
	if (d->rest.count)
		fprintf(k->to, "<tr><td colspan=\"3\" align=\"left\"><font color=\"" MUTED "\" point-size=\"10\">and %zu more  %s</font></td></tr>",
			d->rest.count, safe(k, picture_span(k->p->s, &d->rest, "–")));
	end_node(k);
	edge(k, "dir=none color=\"" BLUE "\" penwidth=2.4", "\"net%zu\" -> \"more%zu\"", id_of_network(k, d->network), id_of_network(k, d->network));
}

static void draw_network(const struct sketch *k, const struct drawn_network *d)
{
	const struct seen_network *n = d->network;
	bool closed = d->way == OUT_NONE && n->subnets.count;

	fprintf(k->to,
		"subgraph \"cluster_net%zu\" { style=\"filled,rounded%s\"; color=\"%s\"; fillcolor=\"" SKY
		"\"; margin=14; labeljust=l; labelloc=t;\n",
		id_of_network(k, n), closed ? ",dashed" : "", closed ? MUTED : "#b9d2ee");
	fprintf(k->to,
		"label=<<font color=\"" BLUE "\" point-size=\"13\"><b>%s</b></font><font color=\"" MUTED "\" point-size=\"10\">  %s%s%s</font>>;\n",
		safe(k, n->name), safe(k, n->type ? n->type : ""), closed ? (n->internal ? " · internal, no way out" : " · no way out") : "",
		n->configured ? "" : " · no longer configured");
	draw_gateway(k, d);
	for_list (const struct seen_attachment *, a, &d->shown)
		if (!is_on_several(k, *a) && !is_a_line(k, d, *a))
			draw_box(k, *a);
	draw_lines(k, d);
	fputs("}\n", k->to);
}

static void draw_apart(const struct sketch *k)
{
	for_list (const struct apart, pair, &k->p->apart)
		if (!pair->a->internal && !pair->b->internal)   /* those are closed to all, and drawn so */
			edge(k,
			     "dir=none constraint=false style=dashed color=\"" RED "\" label=<<font point-size=\"9\" color=\"" RED
			     "\">✕ kept apart</font>>",
			     "\"net%zu\" -> \"net%zu\"", id_of_network(k, pair->a), id_of_network(k, pair->b));
}

static void draw_host(const struct sketch *k)
{
	fprintf(k->to,
		"subgraph cluster_host { style=\"filled,rounded\"; color=\"" LINE "\"; fillcolor=\"" PAPER "\"; margin=18; labeljust=l; labelloc=t;\n"
		"label=<<font point-size=\"15\" color=\"" INK "\"><b>%s</b></font>>;\n",
		safe(k, k->p->s->host));
	draw_uplinks(k);
	for_list (const struct drawn_network, d, &k->p->networks) {
		draw_network(k, d);
		for_list (const struct seen_attachment *, a, &d->shown) {
			if (is_on_several(k, *a) && picture_first(k->p, *a) == *a)
				draw_box(k, *a);
			draw_ports(k, *a);
		}
	}
	fputs("}\n", k->to);
	for_list (const struct drawn_network, d, &k->p->networks) {
		draw_way(k, d);
		for_list (const struct seen_attachment *, a, &d->shown)
			if (!is_a_line(k, d, *a))
				draw_attachment(k, *a);
	}
}

void picture_dot(const struct picture *p, FILE *to)
{
	struct sketch k = { p, to };

	fputs("digraph plumb {\nrankdir=LR; ranksep=0.9; nodesep=0.22; bgcolor=white; pad=0.3; compound=true; splines=true;\n"
	      "fontname=\"Helvetica,Arial,DejaVu Sans,sans-serif\"; fontsize=10;\n"
	      "node [shape=box fontname=\"Helvetica,Arial,DejaVu Sans,sans-serif\" fontsize=10 margin=\"0.12,0.06\" penwidth=1.2];\n"
	      "edge [fontname=\"Helvetica,Arial,DejaVu Sans,sans-serif\" fontsize=9];\n"
	      "label=<<font point-size=\"9\" color=\"" MUTED "\"><br/>published port <font color=\"" GREEN
	      "\">→</font>   masqueraded <font color=\"" ORANGE "\">→</font>   routed →   "
	      "<font color=\"" RED "\">red</font>: dead, or kept apart</font>>; labelloc=b;\n"
	      "lan [label=<<font point-size=\"12\" color=\"" INK "\"><b>LAN</b></font>> shape=ellipse style=filled fillcolor=white color=\"" LINE
	      "\"];\n",
	      to);
	draw_host(&k);
	draw_apart(&k);
	fputs("}\n", to);
}
