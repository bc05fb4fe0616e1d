#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "portmap/portmap.h"

static const struct { const char *name; uint8_t number; } protocols[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

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

static const struct field mapping_fields[] = {
	FIELD(struct mapping, host_port,      "hostPort",      read_uint, .min = 1, .max = 65535),
	FIELD(struct mapping, container_port, "containerPort", read_uint, .min = 1, .max = 65535),
	FIELD(struct mapping, protocol,       "protocol",      read_protocol),
	FIELD(struct mapping, host_ip,        "hostIP",        read_addr),
	FIELD_END
};

static int read_mapping(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field object = { .key = f->key, .sub = mapping_fields };
	struct mapping *m = slot;
	int bad;

	m->protocol = IPPROTO_TCP;
	bad = read_object(&object, v, slot, r);
	if (bad == 0 && (!m->host_port || !m->container_port))
		return field_refuse(f, r, "Invalid %s port number: it is missing; want 1 to 65535", m->host_port ? "container" : "host");
	return bad;
}

static const struct field runtime_fields[] = {
	{ .key = "portMappings", .read = read_list, .offset = 0, .item = read_mapping, .size = sizeof(struct mapping) },
	FIELD_END
};

const struct field portmap_fields[] = {
	FIELD(struct portmap_conf, snat,           "snat",                 read_bool),
	FIELD(struct portmap_conf, masq_all,       "masqAll",              read_bool),
	FIELD(struct portmap_conf, backend,        "backend",              read_string),
	FIELD(struct portmap_conf, external_chain, "externalSetMarkChain", read_string),
	FIELD(struct portmap_conf, mark_bit,       "markMasqBit",          read_uint, .max = 31),
	FIELD(struct portmap_conf, conditions4,    "conditionsV4",         read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct portmap_conf, conditions6,    "conditionsV6",         read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct portmap_conf, runtime,        "runtimeConfig",        read_object, .sub = runtime_fields),
	FIELD_END
};

const char *mapping_text(const struct mapping *m, char out[80])
{
	const char *protocol = m->protocol == IPPROTO_TCP ? "tcp" : m->protocol == IPPROTO_UDP ? "udp" : "sctp";
	char ip[ADDR_TEXT];

	addr_text(&m->host_ip, ip);
	snprintf(out, 80, m->host_ip.family == AF_INET6 ? "host port [%s]:%u/%s" : *ip ? "host port %s:%u/%s" : "host port %s%u/%s", ip, m->host_port, protocol);
	return out;
}

static bool mapping_same_key(const struct mapping *a, const struct mapping *b)
{
	return a->host_port == b->host_port && a->protocol == b->protocol && addr_equal(&a->host_ip, &b->host_ip);
}

bool mapping_is_repeated(const struct cni_call *c, const struct mapping *m)
{
	for (const struct mapping *before = mappings_of(c)->items; before < m; before++)
		if (mapping_same_key(before, m))
			return true;
	return false;
}

/* The same key twice could lead to one place only. */
static int refuse_twice(struct cni_call *c, const struct list *mappings)
{
	const struct mapping *all = mappings->items;
	char text[80];

	for (size_t i = 1; i < mappings->count; i++)
		for (size_t k = 0; k < i; k++)
			if (mapping_same_key(&all[i], &all[k]) && all[i].container_port != all[k].container_port)
				return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "runtimeConfig.portMappings[%zu]: %s is mapped by portMappings[%zu] already, to container port %u",
				               i, mapping_text(&all[i], text), k, all[k].container_port);
	return 0;
}

static int refuse_conditions(struct cni_call *c, const char *key, const struct list *conditions)
{
	const char *first = conditions->count ? *(const char **)conditions->items : "";

	if (!*first)
		return 0;
	err_set(&c->err, CNI_UNSUPPORTED_FIELD, -ENOTSUP, "%s[0]: \"%s\": conditions are not supported", key, first);
	err_detail(&c->err, "publish on a hostIP instead, or filter in a table of your own");
	return -ENOTSUP;
}

/* Our one backend marks nothing: markMasqBit and externalSetMarkChain, which say how, are checked and have no effect. */
int portmap_settle(struct cni_call *c)
{
	struct portmap_conf *conf = c->conf;
	int r;

	if (!json_member(c->json, "snat"))
		conf->snat = true;
	if (conf->external_chain && json_member(c->json, "markMasqBit"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "externalSetMarkChain: Cannot specify externalSetMarkChain and markMasqBit");
	if (conf->backend && strcmp(conf->backend, "nftables") && strcmp(conf->backend, "iptables"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "backend: unrecognized backend \"%s\"; want \"nftables\"", conf->backend);
	if (conf->backend && !strcmp(conf->backend, "iptables"))
		fputs("backend: \"iptables\" is answered with nftables, the one backend there is\n", stderr);
	if ((r = refuse_conditions(c, "conditionsV4", &conf->conditions4)) < 0 || (r = refuse_conditions(c, "conditionsV6", &conf->conditions6)) < 0)
		return r;
	return refuse_twice(c, &conf->runtime.mappings);
}
