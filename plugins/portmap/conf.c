#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "portmap/portmap.h"

static const struct field runtime_fields[] = {
	{ .key = "portMappings", .read = read_list, .offset = 0, .item = read_mapping, .size = sizeof(struct mapping) },
	FIELD_END
};

const struct field portmap_fields[] = {
	FIELD(struct portmap_conf, snat,            "snat",                 read_bool),
	FIELD(struct portmap_conf, masq_all,        "masqAll",              read_bool),
	FIELD(struct portmap_conf, strict_host_ip,  "strictHostIP",         read_bool),
	FIELD(struct portmap_conf, check_listeners, "checkListeners",       read_bool),
	FIELD(struct portmap_conf, backend,         "backend",              read_string),
	FIELD(struct portmap_conf, external_chain,  "externalSetMarkChain", read_string),
	FIELD(struct portmap_conf, mark_bit,        "markMasqBit",          read_uint, .max = 31),
	FIELD(struct portmap_conf, conditions4,     "conditionsV4",         read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct portmap_conf, conditions6,     "conditionsV6",         read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct portmap_conf, runtime,         "runtimeConfig",        read_object, .sub = runtime_fields),
	FIELD_END
};

/* Our one backend marks nothing: markMasqBit and externalSetMarkChain, which say how, are checked and have no effect. */
static int check_backend(struct cni_call *c, const struct portmap_conf *conf)
{
	if (conf->external_chain && json_member(c->json, "markMasqBit"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "externalSetMarkChain: Cannot specify externalSetMarkChain and markMasqBit");
	if (conf->backend && strcmp(conf->backend, "nftables") && strcmp(conf->backend, "iptables"))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "backend: unrecognized backend \"%s\"; want \"nftables\"", conf->backend);
	if (conf->backend && !strcmp(conf->backend, "iptables"))
		fputs("backend: \"iptables\" is answered with nftables, the one backend there is\n", stderr);
	return 0;
}

/* A configuration that ADD refuses must not keep DEL and GC from cleaning up what an earlier one made: there, mappings that make no sense are passed
 * over. */
int portmap_settle(struct cni_call *c)
{
	struct portmap_conf *conf = c->conf;
	bool cleans = c->verb == VERB_DEL || c->verb == VERB_GC;
	int r;

	if (!json_member(c->json, "snat"))
		conf->snat = true;
	if ((r = check_backend(c, conf)) == 0 && (r = conditions_read(c, "conditionsV4", AF_INET, &conf->conditions4, &conf->gates4)) == 0 &&
	    (r = conditions_read(c, "conditionsV6", AF_INET6, &conf->conditions6, &conf->gates6)) == 0)
		r = mappings_settle(c);
	if (r < 0 && cleans) {
		err_clear(&c->err);
		conf->mappings = (struct list){ 0 };
		return 0;
	}
	return r;
}
