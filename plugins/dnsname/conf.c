#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dnsname/dnsname.h"

static const struct field runtime_fields[] = {
	FIELD(__typeof__(((struct dnsname_conf *)0)->runtime), aliases, "aliases", read_json),
	FIELD_END
};

const struct field dnsname_fields[] = {
	FIELD(struct dnsname_conf, domain,     "domainName",    read_string, .max = 253),
	FIELD(struct dnsname_conf, internal,   "internal",      read_bool),
	FIELD(struct dnsname_conf, forward,    "forward",       read_bool),
	FIELD(struct dnsname_conf, servers,    "servers",       read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct dnsname_conf, host_names, "hostNames",     read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct dnsname_conf, runtime,    "runtimeConfig", read_object, .sub = runtime_fields),
	FIELD_END
};

/* ---- The grammar of names: what we write into files and hand to the server has no other letters ---- */

const char *dns_name_fault(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(name);

	if (len > 253)
		return "longer than 253 letters";
	do {
		len = strspn(name, letters);
		if (len == 0)
			return *name == '.' || !*name ? "a part of it is empty" : "want letters, digits, '-', '_' and '.'";
		if (len > 63)
			return "a part of it is longer than 63 letters";
		name += len;
		if (*name && *name != '.')
			return "want letters, digits, '-', '_' and '.'";
	} while (*name++ && *name);
	return NULL;
}

static int refuse(struct cni_call *c, const char *place, const char *value, const char *why)
{
	return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "%s: \"%.200s\" is no DNS name: %s", place, value, why);
}

/* ---- Settling ---- */

/* "192.0.2.53", "192.0.2.53#5353", "2001:db8::53#5353". */
static bool is_server(const char *text)
{
	char address[ADDR_TEXT];
	const char *port = strchr(text, '#');
	struct addr a;
	unsigned n = 0;
	char more;

	if (!text_format(address, sizeof address, "%.*s", (int)(port ? port - text : (long)strlen(text)), text) || !addr_parse(address, &a))
		return false;
	return !port || (strlen(port) <= 6 && sscanf(port, "#%u%c", &n, &more) == 1 && n > 0 && n < 65536);
}

static int check_servers(struct cni_call *c, const struct list *servers)
{
	size_t i = 0;

	for_list (const char *, s, servers) {
		if (!is_server(*s))
			return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "servers[%zu]: want an address, or one with a port such as 192.0.2.53#5353, got %.100s", i, *s);
		i++;
	}
	return 0;
}

static int check_names(struct cni_call *c, const struct list *names)
{
	char place[32];
	size_t i = 0;

	for_list (const char *, name, names) {
		const char *why = dns_name_fault(*name);

		snprintf(place, sizeof place, "hostNames[%zu]", i++);
		if (why)
			return refuse(c, place, *name, why);
	}
	return 0;
}

static const json_t *aliases_of(const struct cni_call *c)
{
	const struct dnsname_conf *conf = c->conf;

	return conf->runtime.aliases ? json_object_get(conf->runtime.aliases, c->who.network) : NULL;
}

static int check_aliases(struct cni_call *c)
{
	const struct dnsname_conf *conf = c->conf;
	const json_t *all = conf->runtime.aliases, *ours = aliases_of(c), *one;
	char place[NAME_MAX_LEN + 64];
	size_t i;

	if (all && !json_is_object(all))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "runtimeConfig.aliases: want an object of lists, a network each");
	if (ours && !json_is_array(ours) && !json_is_null(ours))
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "runtimeConfig.aliases.%s: want a list", c->who.network);
	json_array_foreach(ours, i, one) {
		const char *why = json_is_string(one) ? dns_name_fault(json_string_value(one)) : "want a string";

		snprintf(place, sizeof place, "runtimeConfig.aliases.%s[%zu]", c->who.network, i);
		if (why)
			return refuse(c, place, json_is_string(one) ? json_string_value(one) : "", why);
	}
	return 0;
}

/* DEL and GC go by what is on record, and must not be stopped by what ADD refused. */
int dnsname_settle(struct cni_call *c)
{
	struct dnsname_conf *conf = c->conf;
	const char *why;
	int r;

	if (c->verb == VERB_DEL || c->verb == VERB_GC)
		return 0;
	conf->domain = conf->domain ? conf->domain : "";
	why = *conf->domain ? dns_name_fault(conf->domain) : NULL;
	if (why)
		return refuse(c, "domainName", conf->domain, why);
	if (conf->domain[0] && conf->domain[strlen(conf->domain) - 1] == '.')
		return refuse(c, "domainName", conf->domain, "leave the dot at its end away");
	conf->asks_upstream = !conf->internal && (conf->forward || !json_member(c->json, "forward"));
	if (conf->internal && conf->forward)
		return err_set(&c->err, CNI_BAD_CONFIG, -EINVAL, "internal and forward: one says that nothing is asked upstream, the other that it is");
	if ((r = check_servers(c, &conf->servers)) < 0 || (r = check_names(c, &conf->host_names)) < 0)
		return r;
	return check_aliases(c);
}

/* ---- What a container is called ---- */

struct naming {
	struct cni_call *c;
	struct list     *names, *dotted;
};

static int push(struct cni_call *c, struct list *to, const char *name)
{
	const char **slot;

	for_list (const char *, seen, to)
		if (!strcasecmp(*seen, name))
			return 0;
	slot = arena_push(&c->arena, &to->items, &to->count, sizeof *slot);
	if (slot)
		*slot = name;
	return slot && name ? 0 : err_nomem(&c->err, "names");
}

static bool is_under(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return d > 0 && n > d && name[n - d - 1] == '.' && !strcasecmp(name + n - d, domain);
}

/* "web": web.DOMAIN, then web. "web.DOMAIN": that. "web.": just web. */
static int name_add(struct naming *k, const char *given)
{
	const char *domain = ((const struct dnsname_conf *)k->c->conf)->domain;
	size_t len = strlen(given);
	bool whole = given[len - 1] == '.';
	const char *name = whole ? arena_printf(&k->c->arena, "%.*s", (int)len - 1, given) : given, *full;
	int r = 0;

	if (!name)
		return err_nomem(&k->c->err, "names");
	full = *domain && !whole && !is_under(name, domain) ? arena_printf(&k->c->arena, "%s.%s", name, domain) : NULL;
	if (full && !dns_name_fault(full))
		r = push(k->c, k->names, full);
	if (r == 0)
		r = push(k->c, k->names, name);
	if (r == 0 && strchr(name, '.') && !is_under(name, domain))
		r = push(k->c, k->dotted, name);
	return r;
}

/* A name that runtimes allow and DNS does not: said, and passed over, as the container has others. */
static int name_add_if_possible(struct naming *k, const char *what, const char *name)
{
	const char *why = *name ? dns_name_fault(name) : NULL;

	if (why)
		fprintf(stderr, "%s \"%.200s\" does not resolve, as it is no DNS name: %s\n", what, name, why);
	return *name && !why ? name_add(k, name) : 0;
}

int names_of(struct cni_call *c, struct list *names, struct list *dotted)
{
	const char *pod = "", *hostname = "", *short_id = arena_printf(&c->arena, "%.12s", c->who.container);
	const struct arg args[] = { { "K8S_POD_NAME", &pod }, { "NERDCTL_CNI_DHCP_HOSTNAME", &hostname }, { NULL } };
	struct naming k = { c, names, dotted };
	const json_t *alias;
	size_t i;
	int r = args_read(c, args);

	if (r == 0)
		r = name_add_if_possible(&k, "the container's name", pod);
	if (r == 0)
		r = name_add_if_possible(&k, "the container's hostname", hostname);
	json_array_foreach(aliases_of(c), i, alias)
		if (r == 0)
			r = name_add(&k, json_string_value(alias));
	if (r == 0 && !dns_name_fault(c->who.container))
		r = name_add(&k, c->who.container);
	if (r == 0 && short_id && !dns_name_fault(short_id))
		r = name_add(&k, short_id);
	return r;
}
