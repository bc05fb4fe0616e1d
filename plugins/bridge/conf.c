#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridge/bridge.h"
#include "cni/ipam.h"
#include "cni/masq.h"

enum { VLAN_LAST = 4094 };

/* minID and maxID together, or id, or both. */
struct trunk_entry {
	uint32_t min, max, id;
};
static const struct field trunk_fields[] = {
	FIELD(struct trunk_entry, min, "minID", read_uint, .min = 1, .max = VLAN_LAST),
	FIELD(struct trunk_entry, max, "maxID", read_uint, .min = 1, .max = VLAN_LAST),
	FIELD(struct trunk_entry, id,  "id",    read_uint, .min = 1, .max = VLAN_LAST),
	FIELD_END
};

/* An entry may be two: its range and its single id. The second is a list item of its own, so the reader is of the whole list. */
static int read_trunk(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	struct field list = { .key = f->key, .read = read_list, .item = read_object, .sub = trunk_fields, .size = sizeof(struct trunk_entry) };
	struct list entries = { 0 }, *out = slot;
	int bad = read_list(&list, v, &entries, r);

	if (bad < 0)
		return bad;
	out->given = true;
	for (size_t n = 0; n < entries.count; n++) {
		const struct trunk_entry *t = (const struct trunk_entry *)entries.items + n;
		struct vlan_range wanted[2] = { { t->min, t->max }, { t->id, t->id } };
		char place[32];
		struct field at = { .key = place };

		snprintf(place, sizeof place, "%s[%zu]", f->key, n);
		if (!t->min != !t->max)
			return field_refuse(&at, r, "minID and maxID should be configured simultaneously, %s is missing", t->min ? "maxID" : "minID");
		if (t->min > t->max)
			return field_refuse(&at, r, "minID %u is greater than maxID %u", t->min, t->max);
		for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
			struct vlan_range *range = wanted[i].first ? arena_push(r->arena, &out->items, &out->count, sizeof *range) : NULL;

			if (range)
				*range = wanted[i];
			else if (wanted[i].first)
				return err_nomem(r->err, f->key);
		}
	}
	return 0;
}

static int read_ifname(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	int bad = read_string(f, v, slot, r);
	const char *fault = bad == 0 ? ifname_fault(*(const char **)slot) : NULL;

	return fault ? field_refuse(f, r, "\"%s\": %s", *(const char **)slot, fault) : bad;
}

static const struct field mac_field[] = { { .key = "mac", .read = read_mac, .offset = 0 }, FIELD_END };
static const struct field args_cni_field[] = { { .key = "cni", .read = read_object, .offset = 0, .sub = mac_field }, FIELD_END };

const struct field bridge_fields[] = {
	FIELD(struct bridge_conf, bridge,                      "bridge",                    read_ifname),
	FIELD(struct bridge_conf, is_gateway,                  "isGateway",                 read_bool),
	FIELD(struct bridge_conf, is_default_gateway,          "isDefaultGateway",          read_bool),
	FIELD(struct bridge_conf, force_address,               "forceAddress",              read_bool),
	FIELD(struct bridge_conf, ip_masq,                     "ipMasq",                    read_bool),
	FIELD(struct bridge_conf, masq_backend,                "ipMasqBackend",             read_masq_backend),
	FIELD(struct bridge_conf, mtu,                         "mtu",                       read_uint_or_0, .min = 68, .max = 65535),
	FIELD(struct bridge_conf, hairpin,                     "hairpinMode",               read_bool),
	FIELD(struct bridge_conf, promisc,                     "promiscMode",               read_bool),
	FIELD(struct bridge_conf, vlan,                        "vlan",                      read_uint, .max = VLAN_LAST),
	FIELD(struct bridge_conf, trunk,                       "vlanTrunk",                 read_trunk),
	FIELD(struct bridge_conf, preserve_default_vlan,       "preserveDefaultVlan",       read_bool),
	FIELD(struct bridge_conf, mac_spoof_check,             "macspoofchk",               read_bool),
	FIELD(struct bridge_conf, enable_dad,                  "enabledad",                 read_bool),
	FIELD(struct bridge_conf, disable_container_interface, "disableContainerInterface", read_bool),
	FIELD(struct bridge_conf, port_isolation,              "portIsolation",             read_bool),
	FIELD(struct bridge_conf, silent_ipv6,                 "silentIPv6",                read_bool),
	FIELD(struct bridge_conf, args,                        "args",                      read_object, .sub = args_cni_field),
	FIELD(struct bridge_conf, runtime,                     "runtimeConfig",             read_object, .sub = mac_field),
	FIELD_END
};

/* The MAC by capability comes before the one in args, which comes before CNI_ARGS. */
static int settle_mac(struct cni_call *c, struct bridge_conf *conf)
{
	static const struct mac none;
	const char *from_args = NULL;
	const struct arg args[] = { { "MAC", &from_args }, { NULL, NULL } };
	int r = args_read(c, args);

	if (r < 0)
		return r;
	if (!mac_equal(&conf->runtime.mac, &none))
		conf->mac = conf->runtime.mac;
	else if (!mac_equal(&conf->args.cni.mac, &none))
		conf->mac = conf->args.cni.mac;
	else if (from_args && *from_args && (!mac_parse(from_args, &conf->mac) || conf->mac.bytes[0] & 1))
		return err_set(&c->err, CNI_BAD_ENV, -EINVAL, "CNI_ARGS: MAC=%s: want a unicast MAC such as 02:00:00:00:00:01", from_args);
	return 0;
}

int bridge_settle(struct cni_call *c)
{
	struct bridge_conf *conf = c->conf;
	int r;

	if (!conf->bridge)
		conf->bridge = "cni0";
	if (conf->is_default_gateway)
		conf->is_gateway = true;
	if (has_ipam(c) && conf->disable_container_interface)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL,
		               "disableContainerInterface: cannot use IPAM when DisableContainerInterface flag is set");
	if (conf->hairpin && conf->promisc)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL,
		               "hairpinMode: cannot set hairpin mode and promiscuous mode at the same time");
	r = masq_settle(c);
	return r < 0 ? r : settle_mac(c, conf);
}
