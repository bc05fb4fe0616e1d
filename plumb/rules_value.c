#include "rules_value.h"

#include <netinet/in.h>
#include <string.h>

#include "base/scoped.h"
#include "survey.h"

static const struct { const char *name; int number;
} protocols[] = {
	{ "tcp", IPPROTO_TCP},          {"udp", IPPROTO_UDP},       {"sctp", IPPROTO_SCTP},       {"icmp", IPPROTO_ICMP },
	{ "ipv6-icmp", IPPROTO_ICMPV6}, {"icmpv6", IPPROTO_ICMPV6}, {"udplite", IPPROTO_UDPLITE}, {"dccp", IPPROTO_DCCP },
	{ "esp", IPPROTO_ESP},          {"ah", IPPROTO_AH},         {"gre", IPPROTO_GRE },
};

int protocol_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (!strcmp(protocols[i].name, name))
			return protocols[i].number;
	return -1;
}

static enum match give(struct value *v, struct atom a)
{
	if (v->count == ATOMS)
		return MATCH_MAYBE;
	v->atoms[v->count++] = a;
	return MATCH_YES;
}

static enum match give_text(struct value *v, const char *text)
{
	return text ? give(v, (struct atom){ .kind = ATOM_TEXT, .text = text }) : MATCH_NO;
}

static enum match give_number(struct value *v, long long n)
{
	return give(v, (struct atom){ .kind = ATOM_NUMBER, .number = n });
}

static enum match give_protocol(struct value *v, const struct packet *p)
{
	return give(v, (struct atom){ .kind = ATOM_PROTOCOL, .number = p->protocol });
}

static enum match meta_value(const char *key, const struct packet *p, struct value *v)
{
	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		return give_text(v, p->in);
	if (!strcmp(key, "oifname") || !strcmp(key, "oif"))
		return give_text(v, p->out);
	if (!strcmp(key, "l4proto"))
		return give_protocol(v, p);
	if (!strcmp(key, "nfproto"))
		return give_text(v, p->family == AF_INET ? "ipv4" : "ipv6");
	if (!strcmp(key, "protocol"))
		return give_text(v, p->family == AF_INET ? "ip" : "ip6");
	return !strcmp(key, "mark") ? give_number(v, 0) : MATCH_MAYBE;
}

static enum match network_value(int family, const char *field, const struct packet *p, struct value *v)
{
	if (family != p->family)
		return MATCH_NO;
	if (!strcmp(field, "saddr"))
		return give(v, (struct atom){ .kind = ATOM_ADDR, .addr = p->from });
	if (!strcmp(field, "daddr"))
		return give(v, (struct atom){ .kind = ATOM_ADDR, .addr = p->to });
	if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr"))
		return give_protocol(v, p);
	return MATCH_MAYBE;
}

static enum match payload_value(const json_t *payload, const struct packet *p, struct value *v)
{
	const char *header = json_string_value(json_object_get(payload, "protocol")), *field = json_string_value(json_object_get(payload, "field"));
	int wanted;

	if (!header || !field)
		return MATCH_MAYBE;
	if (!strcmp(header, "ip") || !strcmp(header, "ip6"))
		return network_value(!strcmp(header, "ip") ? AF_INET : AF_INET6, field, p, v);
	if (!strcmp(header, "ether"))
		return p->mac && !strcmp(field, "saddr") ? give_text(v, p->mac) : MATCH_MAYBE;
	wanted = !strcmp(header, "th") ? p->protocol : protocol_number(header);
	if (wanted >= 0 && wanted != p->protocol)
		return MATCH_NO;
	if (wanted < 0 || (strcmp(field, "sport") && strcmp(field, "dport")))
		return MATCH_MAYBE;
	return give_number(v, (*field == 'd') != p->answer ? p->port : ASKING);
}

static enum match ct_value(const json_t *ct, const struct packet *p, struct value *v)
{
	const char *key = json_string_value(json_object_get(ct, "key"));

	if (!key || json_object_get(ct, "dir"))
		return MATCH_MAYBE;
	if (!strcmp(key, "state"))
		return give_text(v, p->answer ? "established" : "new");
	if (!strcmp(key, "status"))
		return give_text(v, p->translated ? "dnat" : "none");
	if (!strcmp(key, "direction"))
		return give_text(v, p->answer ? "reply" : "original");
	if (!strcmp(key, "protocol"))
		return give_protocol(v, p);
	return !strcmp(key, "mark") ? give_number(v, 0) : MATCH_MAYBE;
}

static bool has_word(const json_t *list, const char *word)
{
	json_t *item;
	size_t i;

	if (json_is_string(list))
		return !strcmp(json_string_value(list), word);
	json_array_foreach(list, i, item)
		if (json_is_string(item) && !strcmp(json_string_value(item), word))
			return true;
	return false;
}

static enum match fib_value(const struct ruleset *rs, const json_t *fib, const struct packet *p, struct value *v)
{
	const char *result = json_string_value(json_object_get(fib, "result"));
	const json_t *flags = json_object_get(fib, "flags");
	const struct addr *a = has_word(flags, "daddr") ? &p->to : &p->from;
	const struct seen_link *link = survey_local(rs->host, a);

	if (!result || strcmp(result, "type") || has_word(flags, "oif") || has_word(flags, "mark"))
		return MATCH_MAYBE;
	if (link && has_word(flags, "iif"))
		return give_text(v, p->in && !strcmp(link->link.name, p->in) ? "local" : "unicast");
	return give_text(v, link ? "local" : "unicast");
}

static enum match concat_value(const struct ruleset *rs, const json_t *parts, const struct packet *p, struct value *v)
{
	enum match all = MATCH_YES;
	json_t *part;
	size_t i;

	json_array_foreach(parts, i, part) {
		enum match m = value_of(rs, part, p, v);

		all = m < all ? m : all;
	}
	return all;
}

/* Of a mark that nobody has set, as far as we know. */
static enum match masked_value(const struct ruleset *rs, const json_t *sides, const struct packet *p, struct value *v)
{
	const json_t *mask = json_array_get(sides, 1);
	enum match m = value_of(rs, json_array_get(sides, 0), p, v);

	if (m != MATCH_YES || !json_is_integer(mask) || v->atoms[v->count - 1].kind != ATOM_NUMBER)
		return m == MATCH_NO ? m : MATCH_MAYBE;
	v->atoms[v->count - 1].number &= json_integer_value(mask);
	return MATCH_YES;
}

enum match value_of(const struct ruleset *rs, const json_t *e, const struct packet *p, struct value *v)
{
	const char *key = json_object_iter_key(json_object_iter((json_t *)e));
	json_t *arg = key ? json_object_get(e, key) : NULL;

	if (!key)
		return MATCH_MAYBE;
	if (!strcmp(key, "meta") && json_object_get(arg, "key"))
		return meta_value(json_string_value(json_object_get(arg, "key")), p, v);
	if (!strcmp(key, "payload"))
		return payload_value(arg, p, v);
	if (!strcmp(key, "ct"))
		return ct_value(arg, p, v);
	if (!strcmp(key, "fib"))
		return fib_value(rs, arg, p, v);
	if (!strcmp(key, "concat"))
		return concat_value(rs, arg, p, v);
	return !strcmp(key, "&") ? masked_value(rs, arg, p, v) : MATCH_MAYBE;
}
