/* static: the addresses that the configuration, or the runtime, says. Nothing is remembered and nothing is looked up. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "cni/plugin.h"
#include "cni/version.h"

struct static_address {
	const char   *text;             /* as configured; NULL: address is read already */
	struct prefix address;
	struct addr   gateway;          /* may be unset */
};

struct static_conf {
	struct {
		struct list addresses;  /* of struct static_address */
		struct list routes;     /* of struct ip_route */
		struct dns  dns;
	} ipam;
	struct { struct list ips; } runtime;                    /* runtimeConfig.ips, of const char * */
	struct { struct { struct list ips; } cni; } args;       /* args.cni.ips, of const char * */
};

static const struct field address_fields[] = {
	FIELD(struct static_address, text,    "address", read_string),
	FIELD(struct static_address, gateway, "gateway", read_addr),
	FIELD_END
};
static const struct field ipam_fields[] = {
	FIELD(struct static_conf, ipam.addresses, "addresses", read_list, .item = read_object, .sub = address_fields,
	      .size = sizeof(struct static_address)),
	FIELD(struct static_conf, ipam.routes,    "routes",    read_list, .item = read_route, .size = sizeof(struct ip_route)),
	FIELD(struct static_conf, ipam.dns,       "dns",       read_object, .sub = dns_fields),
	FIELD_END
};

#define TEXTS .item = read_string, .size = sizeof(char *)
static const struct field runtime_fields[] = { FIELD(struct static_conf, runtime.ips, "ips", read_list, TEXTS), FIELD_END };
static const struct field args_cni_fields[] = { FIELD(struct static_conf, args.cni.ips, "ips", read_list, TEXTS), FIELD_END };
static const struct field args_fields[] = { { .key = "cni", .read = read_object, .sub = args_cni_fields }, FIELD_END };

/* These three have no offset of their own: the fields of the tables that they lead to are members of struct static_conf itself. */
static const struct field static_fields[] = {
	{ .key = "ipam",          .read = read_object, .sub = ipam_fields },
	{ .key = "runtimeConfig", .read = read_object, .sub = runtime_fields },
	{ .key = "args",          .read = read_object, .sub = args_fields },
	FIELD_END
};

/* ---- Gathering the addresses: each source in turn, a later one in place of all before where it has any ---- */

static struct static_address *add_address(struct static_conf *conf, struct arena *a)
{
	return arena_push(a, &conf->ipam.addresses.items, &conf->ipam.addresses.count, sizeof(struct static_address));
}

/* IP of CNI_ARGS: parted by commas, added to what ipam.addresses says. */
static int take_env_ips(struct static_conf *conf, char *ips, struct cni_call *c)
{
	char *item;

	while ((item = strsep(&ips, ","))) {
		struct prefix p;
		struct static_address *slot;

		item = text_trim(item);
		if (!prefix_parse(item, &p)) {
			err_set(&c->err, CNI_BAD_ENV, -EINVAL, "the 'ip' field is expected to be in CIDR notation, got: '%s'", item);
			err_detail(&c->err, "CNI_ARGS: IP=%s: want an address with its prefix length, such as 10.1.2.3/24", item);
			return -EINVAL;
		}
		slot = add_address(conf, &c->arena);
		if (!slot)
			return err_nomem(&c->err, "addresses");
		slot->address = p;
	}
	return 0;
}

/* GATEWAY of CNI_ARGS: of those addresses of CNI_ARGS whose network it is in. */
static int take_env_gateways(struct static_conf *conf, char *gateways, struct cni_call *c)
{
	char *item;

	while ((item = strsep(&gateways, ","))) {
		struct addr gateway;

		item = text_trim(item);
		if (!addr_parse(item, &gateway)) {
			err_set(&c->err, CNI_BAD_ENV, -EINVAL, "invalid gateway address: %s", item);
			err_detail(&c->err, "CNI_ARGS: GATEWAY=%s: want an address such as 10.1.2.3", item);
			return -EINVAL;
		}
		for_list (struct static_address, a, &conf->ipam.addresses)
			if (!a->text && prefix_contains(&a->address, &gateway))
				a->gateway = gateway;
	}
	return 0;
}

/* Empty values are as good as none. */
static int take_env(struct static_conf *conf, struct cni_call *c)
{
	const char *ip = NULL, *gateway = NULL;
	const struct arg args[] = { { "IP", &ip }, { "GATEWAY", &gateway }, { NULL, NULL } };
	int r = args_read(c, args);

	if (r == 0 && ip && *ip)
		r = take_env_ips(conf, arena_strdup(&c->arena, ip), c);
	if (r == 0 && gateway && *gateway)
		r = take_env_gateways(conf, arena_strdup(&c->arena, gateway), c);
	return r;
}

/* key: args.cni.ips or runtimeConfig.ips, for words. */
static int take_list(struct static_conf *conf, const struct list *ips, const char *key, struct cni_call *c)
{
	size_t i = 0;

	if (ips->count == 0)
		return 0;
	conf->ipam.addresses = (struct list){ 0 };
	for_list (const char *const, text, ips) {
		struct prefix p;
		struct static_address *slot;

		if (!*text || !prefix_parse(*text, &p)) {
			err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "an entry in the 'ips' field is NOT in CIDR notation, got: '%s'",
			        *text ? *text : "");
			err_detail(&c->err, "%s[%zu]: want an address with its prefix length, such as 10.1.2.3/24", key, i);
			return -EINVAL;
		}
		slot = add_address(conf, &c->arena);
		if (!slot)
			return err_nomem(&c->err, "addresses");
		slot->address = p;
		i++;
	}
	return 0;
}

static int parse_configured(struct static_conf *conf, struct err *e)
{
	size_t i = 0;

	for_list (struct static_address, a, &conf->ipam.addresses) {
		const char *text = a->text ? a->text : "";

		if (!addr_is_set(&a->address.addr) && !prefix_parse(text, &a->address)) {
			err_set(e, CNI_BAD_CONFIG, -EINVAL, "the 'address' field is expected to be in CIDR notation, got: '%s'", text);
			err_detail(e, "ipam.addresses[%zu].address: want an address with its prefix length, such as 10.1.2.3/24", i);
			return -EINVAL;
		}
		i++;
	}
	return 0;
}

static int refuse_families(const struct static_conf *conf, const char *version, struct err *e)
{
	int v4 = 0, v6 = 0;

	for_list (const struct static_address, a, &conf->ipam.addresses)
		if (a->address.addr.family == AF_INET)
			v4++;
		else
			v6++;
	return version_refuse_families(version, v4, v6, "addresses", e);
}

/* What nothing was taken for needs no addresses: DEL succeeds whatever they are. */
static int static_settle(struct cni_call *c)
{
	struct static_conf *conf = c->conf;
	int r;

	if (c->verb != VERB_ADD && c->verb != VERB_CHECK)
		return 0;
	if (!json_member(c->json, "ipam"))
		return refuse_without_ipam(c);
	if ((r = take_env(conf, c)) < 0 || (r = take_list(conf, &conf->args.cni.ips, "args.cni.ips", c)) < 0 ||
	    (r = take_list(conf, &conf->runtime.ips, "runtimeConfig.ips", c)) < 0)
		return r;
	r = parse_configured(conf, &c->err);
	return r < 0 ? r : refuse_families(conf, c->net.cni_version, &c->err);
}

/* ---- The verbs ---- */

static int static_add(struct cni_call *c)
{
	const struct static_conf *conf = c->conf;

	c->result.routes = conf->ipam.routes;
	c->result.dns = conf->ipam.dns;
	for_list (const struct static_address, a, &conf->ipam.addresses) {
		struct ip_conf *ip = result_add_ip(&c->result, &c->arena);

		if (!ip)
			return err_nomem(&c->err, "result");
		ip->address = a->address;
		ip->gateway = a->gateway;
	}
	return 0;
}

/* An address that is in prevResult must have its gateway. One that is missing may have been taken out by a plugin behind us. */
static int static_check(struct cni_call *c)
{
	const struct static_conf *conf = c->conf;
	char address[ADDR_TEXT], want[ADDR_TEXT], got[ADDR_TEXT];

	if (!c->has_prev)
		return refuse_check_without_prev(c);
	for_list (const struct static_address, a, &conf->ipam.addresses)
		for_list (const struct ip_conf, ip, &c->prev.ips) {
			if (!addr_equal(&a->address.addr, &ip->address.addr))
				continue;
			if (!addr_is_set(&a->gateway) || addr_equal(&a->gateway, &ip->gateway))
				break;
			err_set(&c->err, CNI_FAILED, -EINVAL, "static: Failed to match addr %s on interface %s",
			        addr_text(&a->address.addr, address), c->who.ifname);
			err_detail(&c->err, "its gateway is %s in the configuration, \"%s\" in prevResult", addr_text(&a->gateway, want),
			           addr_text(&ip->gateway, got));
			return -EINVAL;
		}
	return 0;
}

CNI_PLUGIN("static", .about = "gives the addresses that the configuration or the runtime says", .flags = PLUGIN_NO_NETNS,
           .fields = static_fields, .conf_size = sizeof(struct static_conf), .settle = static_settle,
           .add = static_add, .check = static_check);
