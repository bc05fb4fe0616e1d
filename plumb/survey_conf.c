/* Networks of a survey: what their configurations say. */
#include <errno.h>
#include <string.h>

#include "confdir.h"
#include "plumb.h"
#include "survey.h"

static void address_in(const json_t *o, const char *key, struct addr *out)
{
	const char *text = json_member_string(o, key);
	struct prefix p;

	if (text && !addr_parse(text, out) && prefix_parse(text, &p))
		*out = p.addr;
}

static void note_subnet(struct survey *s, struct seen_network *n, const json_t *range, size_t set)
{
	const char *text = json_member_string(range, "subnet");
	struct seen_subnet *slot;
	struct prefix p;

	if (!text)
		text = json_member_string(range, "address");
	if (!text || !prefix_parse(text, &p) || !(slot = arena_push(&s->c->arena, &n->subnets.items, &n->subnets.count, sizeof *slot)))
		return;
	slot->net = prefix_network(&p);
	slot->set = set;
	address_in(range, "gateway", &slot->gateway);
	address_in(range, "rangeStart", &slot->first);
	address_in(range, "rangeEnd", &slot->last);
}

/* host-local's old form stands in ipam itself, and counts as a set of its own. */
static void note_subnets(struct survey *s, struct seen_network *n, const json_t *ipam)
{
	json_t *set, *range;
	size_t i, k, number = 0;

	if (json_member_string(ipam, "subnet"))
		note_subnet(s, n, ipam, number++);
	json_array_foreach(json_member(ipam, "ranges"), i, set) {
		json_array_foreach(set, k, range)
			if (json_is_object(range))
				note_subnet(s, n, range, number);
		number++;
	}
	json_array_foreach(json_member(ipam, "addresses"), i, range)
		if (json_is_object(range))
			note_subnet(s, n, range, number++);
}

static void note_ipam(struct survey *s, struct seen_network *n, const json_t *ipam)
{
	const char *type = json_member_string(ipam, "type"), *dir = json_member_string(ipam, "dataDir");

	note_subnets(s, n, ipam);
	if (type && !strcmp(type, "host-local"))
		n->lease_dir = arena_printf(&s->c->arena, "%s/%s", dir ? dir : "/var/lib/cni/networks", n->name);
}

static void note_plugin(struct survey *s, struct seen_network *n, const json_t *plugin)
{
	const char *type = plugin_type(plugin), *bridge = json_member_string(plugin, "bridge"), *parent = json_member_string(plugin, "master");
	json_t *ipam = json_member(plugin, "ipam");

	if (!n->type)
		n->type = type;
	if (!strcmp(type, "bridge"))
		n->link_name = bridge ? bridge : "cni0";
	else if (parent && !n->link_name)
		n->link_name = parent;
	n->masquerades |= json_is_true(json_member(plugin, "ipMasq"));
	if (!strcmp(type, "firewall")) {
		n->internal |= json_is_true(json_member(plugin, "internal"));
		n->policy = json_member_string(plugin, "ingressPolicy");
	}
	if (json_is_object(ipam))
		note_ipam(s, n, ipam);
}

void survey_describe(struct survey *s, struct seen_network *n)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->conf.plugins, i, plugin)
		note_plugin(s, n, plugin);
	if (n->policy && !strcmp(n->policy, "open"))
		n->policy = NULL;
}

static int note_network(struct call *c, const char *path, const struct network *conf, const struct err *why, void *arg)
{
	struct survey *s = arg;
	struct broken_conf *b;
	struct seen_network *n;

	if (!conf) {
		b = arena_push(&c->arena, &s->broken.items, &s->broken.count, sizeof *b);
		if (b)
			*b = (struct broken_conf){ path, arena_printf(&c->arena, "%s%s%s", why->msg, why->details[0] ? ": " : "", why->details) };
		return b ? 0 : -ENOMEM;
	}
	if (survey_network(s, conf->name))
		return 0;               /* of two with one name the first counts */
	n = arena_push(&c->arena, &s->networks.items, &s->networks.count, sizeof *n);
	if (!n)
		return -ENOMEM;
	*n = (struct seen_network){ .name = conf->name, .conf = *conf, .configured = true };
	survey_describe(s, n);
	return 0;
}

int survey_networks(struct survey *s)
{
	return confdir_each(s->c, note_network, s);
}
