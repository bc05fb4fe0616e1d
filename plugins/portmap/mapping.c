#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "portmap/portmap.h"

enum { PORTS_MOST = 2 * 65535 };        /* single ports of one ADD, ranges that are one element not counted */

static const struct { const char *name; uint8_t number; } protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

/* ---- Reading ---- */

static int read_protocol(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	const char *name = json_is_string(v) ? json_string_value(v) : "";

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (!strcasecmp(protocols[i].name, name)) {
			*(uint8_t *)slot = protocols[i].number;
			return 0;
		}
	return field_refuse(f, r, "want \"tcp\", \"udp\" or \"sctp\", got \"%s\"", name);
}

/* A number, or "8000-8999". */
static int read_ports(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct ports *p = slot;
	char end;

	if (!json_is_string(v)) {
		int bad = read_uint(f, v, &p->first, r);

		p->last = p->first;
		return bad;
	}
	if (strspn(json_string_value(v), "0123456789-") != json_string_length(v) || json_string_length(v) > 11 ||
	    sscanf(json_string_value(v), "%u-%u%c", &p->first, &p->last, &end) != 2 || p->first < 1 || p->first > p->last || p->last > 65535)
		return field_refuse(f, r, "\"%s\": want a port from 1 to 65535, or a range such as \"8000-8999\"", json_string_value(v));
	return 0;
}

const struct field mapping_fields[] = {
	FIELD(struct mapping, host,       "hostPort",      read_ports, .min = 1, .max = 65535),
	FIELD(struct mapping, host_last,  "hostPortEnd",   read_uint, .min = 1, .max = 65535),
	FIELD(struct mapping, container,  "containerPort", read_ports, .min = 1, .max = 65535),
	FIELD(struct mapping, protocol,   "protocol",      read_protocol),
	FIELD(struct mapping, host_ip,    "hostIP",        read_addr),
	FIELD(struct mapping, allow_from, "allowFrom",     read_list, .item = read_prefix, .size = sizeof(struct prefix)),
	FIELD_END
};

int read_mapping(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field object = { .key = f->key, .sub = mapping_fields };
	struct mapping *m = slot;
	uint32_t more;
	int bad;

	m->protocol = IPPROTO_TCP;
	bad = read_object(&object, v, slot, r);
	if (bad < 0)
		return bad;
	if (!m->host.first || !m->container.first)
		return field_refuse(f, r, "Invalid %s port number: it is missing; want 1 to 65535", m->host.first ? "container" : "host");
	if (m->host_last && m->host_last < m->host.first)
		return field_refuse(f, r, "hostPortEnd: %u is below hostPort, %u", m->host_last, m->host.first);
	if (m->host_last)
		m->host.last = m->host_last;
	more = m->host.last - m->host.first;
	if (m->container.first == m->container.last)
		m->container.last = m->container.first + more;
	if (m->container.last - m->container.first != more || m->container.last > 65535)
		return field_refuse(f, r, "the host's ports are %u, the container's %u to %u: want as many, up to 65535", more + 1, m->container.first, m->container.last);
	for_list (const struct prefix, p, &m->allow_from)
		if (addr_is_set(&m->host_ip) && p->addr.family != m->host_ip.family)
			return field_refuse(f, r, "allowFrom: hostIP is of another family: nobody could come from there");
	return 0;
}

/* ---- Words ---- */

const char *mapping_text(const struct mapping *m, char out[MAPPING_TEXT])
{
	const char *protocol = m->protocol == IPPROTO_TCP ? "tcp" : m->protocol == IPPROTO_UDP ? "udp" : "sctp";
	char ip[ADDR_TEXT], last[8] = "";

	addr_text(&m->host_ip, ip);
	if (mapping_is_range(m))
		snprintf(last, sizeof last, "-%u", m->host.last);
	snprintf(out, MAPPING_TEXT, m->host_ip.family == AF_INET6 ? "host port [%s]:%u%s/%s" : *ip ? "host port %s:%u%s/%s" : "host port %s%u%s/%s",
	         ip, m->host.first, last, protocol);
	return out;
}

bool mapping_concerns(const struct mapping *m, int family)
{
	return !addr_is_set(&m->host_ip) || m->host_ip.family == family;
}

/* ---- Settling ---- */

/* An element's range keeps the port that was asked for; conditions and strictness are of single ports. */
static bool is_one_element(const struct cni_call *c, const struct mapping *m)
{
	const struct portmap_conf *conf = c->conf;
	bool gated = (mapping_concerns(m, AF_INET) && mapping_is_gated(c, m, AF_INET)) || (mapping_concerns(m, AF_INET6) && mapping_is_gated(c, m, AF_INET6));

	return !mapping_is_range(m) || (m->host.first == m->container.first && !gated && !(conf->strict_host_ip && mapping_is_exact(m)));
}

static int spread(struct cni_call *c, struct portmap_conf *conf, const struct mapping *m)
{
	bool whole = is_one_element(c, m);

	for (uint32_t i = 0; i <= (whole ? 0 : m->host.last - m->host.first); i++) {
		struct mapping *one = conf->mappings.count < PORTS_MOST ? arena_push(&c->arena, &conf->mappings.items, &conf->mappings.count, sizeof *one) : NULL;

		if (!one && conf->mappings.count >= PORTS_MOST)
			return err_set(&c->err, CNI_BAD_CONFIG, -E2BIG, "runtimeConfig.portMappings: more than %d ports; a range that keeps its ports counts as one", PORTS_MOST);
		if (!one)
			return err_nomem(&c->err, "portMappings");
		*one = *m;
		if (!whole) {
			one->host = (struct ports){ m->host.first + i, m->host.first + i };
			one->container = (struct ports){ m->container.first + i, m->container.first + i };
		}
	}
	return 0;
}

/* By place: protocol and address (no address, and the unspecified ones, are one place), then first port. */
static int compare_places(const void *a, const void *b)
{
	const struct mapping *x = *(struct mapping *const *)a, *y = *(struct mapping *const *)b;
	int r = x->protocol - y->protocol;

	if (r == 0)
		r = mapping_is_exact(x) - mapping_is_exact(y);
	if (r == 0 && mapping_is_exact(x))
		r = memcmp(&x->host_ip, &y->host_ip, sizeof x->host_ip);
	if (r == 0)
		r = (x->host.first > y->host.first) - (x->host.first < y->host.first);
	return r ? r : (x > y) - (x < y);
}

static bool same_place(const struct mapping *a, const struct mapping *b)
{
	bool exact = mapping_is_exact(a);

	return a->protocol == b->protocol && exact == mapping_is_exact(b) && (exact ? addr_equal(&a->host_ip, &b->host_ip) :
	       (mapping_concerns(a, AF_INET) && mapping_concerns(b, AF_INET)) || (mapping_concerns(a, AF_INET6) && mapping_concerns(b, AF_INET6)));
}

/* The same port twice could lead to one place only. A repetition to the letter is passed over. */
static int compare_neighbours(struct cni_call *c, const struct mapping *before, struct mapping *m)
{
	char text[MAPPING_TEXT];

	if (!same_place(before, m) || m->host.first > before->host.last)
		return 0;
	m->repeated = m->host.first == before->host.first && m->host.last == before->host.last && m->container.first == before->container.first &&
	              addr_equal(&m->host_ip, &before->host_ip);
	if (m->repeated)
		return 0;
	return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "runtimeConfig.portMappings[%zu]: %s is mapped by portMappings[%zu] already, to container port %u", m->index,
	               mapping_text(m, text), before->index, before->container.first + (m->host.first - before->host.first));
}

int mappings_settle(struct cni_call *c)
{
	struct portmap_conf *conf = c->conf;
	scoped(mem_free) struct mapping **sorted = NULL;
	size_t index = 0;
	int r = 0;

	for_list (struct mapping, m, &conf->runtime.mappings) {
		m->index = index++;
		if (r == 0)
			r = spread(c, conf, m);
	}
	if (r < 0 || conf->mappings.count < 2)
		return r;
	sorted = calloc(conf->mappings.count, sizeof(struct mapping *));
	if (!sorted)
		return err_nomem(&c->err, "portMappings");
	for (size_t i = 0; i < conf->mappings.count; i++)
		sorted[i] = (struct mapping *)conf->mappings.items + i;
	qsort(sorted, conf->mappings.count, sizeof(void *), compare_places);
	for (size_t i = 1, kept = 0; i < conf->mappings.count && r == 0; i++) {
		r = compare_neighbours(c, sorted[kept], sorted[i]);
		if (!sorted[i]->repeated)
			kept = i;
	}
	return r;
}
