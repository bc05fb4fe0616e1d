/* A line of iptables-save, as nft's JSON would have it. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scoped.h"
#include "rules.h"

/* The next word, which may be in quotes; NULL: no more. Changes the line. */
static char *next_word(char **line)
{
	char *s = *line + strspn(*line, " "), *word = s, *end = s;
	bool quoted = *s == '"';

	if (!*s)
		return NULL;
	for (s += quoted; *s && (quoted ? *s != '"' : *s != ' '); s++) {
		if (*s == '\\' && s[1])
			s++;
		*end++ = *s;
	}
	*line = *s ? s + 1 : s;
	*end = '\0';
	return word;
}

static void put_match(json_t *list, json_t *left, json_t *right, bool other)
{
	json_array_append_new(list, json_pack("{s:{s:s, s:o, s:o}}", "match", "op", other ? "!=" : "==", "left", left, "right", right));
}

static json_t *payload(const char *protocol, const char *field)
{
	return json_pack("{s:{s:s, s:s}}", "payload", "protocol", protocol, "field", field);
}

static json_t *address(const char *text)
{
	char copy[PREFIX_TEXT];
	struct prefix p;

	if (strchr(text, '/') && prefix_parse(text, &p))
		return json_pack("{s:{s:s, s:i}}", "prefix", "addr", addr_text(&p.addr, copy), "len", p.len);
	return json_string(text);
}

/* "80", "80:90", "80,90:95". */
static json_t *ports(const char *text)
{
	json_t *set = json_array();
	char copy[256], *rest = copy, *part;

	snprintf(copy, sizeof copy, "%s", text);
	while ((part = strsep(&rest, ","))) {
		char *colon = strchr(part, ':');
		int from = atoi(part), to = colon ? (colon[1] ? atoi(colon + 1) : 65535) : from;

		json_array_append_new(set, json_pack("{s:[i, i]}", "range", from, to));
	}
	return json_pack("{s:o}", "set", set);
}

/* "NEW,ESTABLISHED" in nft's letters. */
static json_t *words(const char *text)
{
	json_t *set = json_array();
	char copy[256], *rest = copy, *part;

	snprintf(copy, sizeof copy, "%s", text);
	for (char *s = copy; *s; s++)
		*s = (char)(*s >= 'A' && *s <= 'Z' ? *s + 32 : *s);
	while ((part = strsep(&rest, ",")))
		json_array_append_new(set, json_string(part));
	return json_pack("{s:o}", "set", set);
}

static json_t *link_name(char *text)
{
	size_t len = strlen(text);

	if (len && text[len - 1] == '+')
		text[len - 1] = '*';
	return json_string(text);
}

static void put_unknown(json_t *list, const char *type, const char *name)
{
	json_array_append_new(list, json_pack("{s:{s:s, s:s}}", "xt", "type", type, "name", name));
}

/* Where a -j or -g leads. */
static void put_target(json_t *list, const char *name, char *rest, bool go)
{
	static const struct {
		const char *name, *verdict;
	} known[] = {{"ACCEPT", "accept"}, {"DROP", "drop"}, {"RETURN", "return"}, {"REJECT", "reject"}, {"MASQUERADE", "masquerade"}};
	static const char *const passing[] = {"LOG",   "NFLOG",    "MARK",     "CONNMARK", "TCPMSS",  "CT",   "AUDIT",
					      "TRACE", "CHECKSUM", "CLASSIFY", "DSCP",     "NOTRACK", "SNAT", "REDIRECT"};
	char *to = strstr(rest, "--to-destination "), *colon;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].name, name)) {
			json_array_append_new(list, json_pack("{s:n}", known[i].verdict));
			return;
		}
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (!strcmp(passing[i], name))
			return;
	if (!strcmp(name, "DNAT") && to) {
		to += strlen("--to-destination ");
		to[strcspn(to, " ")] = '\0';
		colon = *to == '[' ? strstr(to, "]:") : strchr(to, ':') == strrchr(to, ':') ? strchr(to, ':') : NULL;
		if (colon)
			*colon = '\0';
		json_array_append_new(list, json_pack("{s:{s:s, s:o*}}", "dnat", "addr", to + (*to == '['), "port",
		                                      colon ? json_integer(atoi(colon + 1 + (*to == '['))) : NULL));
	} else {
		json_array_append_new(list, json_pack("{s:{s:s}}", go ? "goto" : "jump", "target", name));
	}
}

struct line {
	json_t     *list;
	const char *ip, *protocol;      /* "ip" or "ip6"; the -p */
	bool        other;              /* a '!' stands before */
};

static bool is(const char *word, const char *a, const char *b)
{
	return !strcmp(word, a) || !strcmp(word, b);
}

/* An option that is known, with its value. */
static bool take_option(struct line *l, const char *word, char *value)
{
	const char *transport = l->protocol ? l->protocol : "th";

	if (is(word, "-s", "--source") || is(word, "-d", "--destination"))
		put_match(l->list, payload(l->ip, word[1] == 's' || word[2] == 's' ? "saddr" : "daddr"), address(value), l->other);
	else if (is(word, "-i", "-o"))
		put_match(l->list, json_pack("{s:{s:s}}", "meta", "key", word[1] == 'i' ? "iifname" : "oifname"), link_name(value), l->other);
	else if (is(word, "-p", "--protocol"))
		put_match(l->list, json_pack("{s:{s:s}}", "meta", "key", "l4proto"), json_string(l->protocol = value), l->other);
	else if (is(word, "--dport", "--dports"))
		put_match(l->list, payload(transport, "dport"), ports(value), l->other);
	else if (is(word, "--ctstate", "--state"))
		put_match(l->list, json_pack("{s:{s:s}}", "ct", "key", "state"), words(value), l->other);
	else if (is(word, "--dst-type", "--dst-type") && !strcmp(value, "LOCAL"))
		put_match(l->list, json_pack("{s:{s:s, s:[s]}}", "fib", "result", "type", "flags", "daddr"), json_string("local"), l->other);
	else
		return is(word, "--comment", "-A") || is(word, "-m", "--match");
	return true;
}

json_t *iptables_expressions(const char *text, int family)
{
	scoped(mem_free) char *copy = strdup(text);
	struct line l = { .list = json_array(), .ip = family == AF_INET ? "ip" : "ip6" };
	char *rest = copy, *word;

	while (rest && (word = next_word(&rest))) {
		if (!strcmp(word, "!")) {
			l.other = true;
			continue;
		}
		if (is(word, "-j", "-g")) {
			char *name = next_word(&rest);

			if (name)
				put_target(l.list, name, rest, word[1] == 'g');
			break;
		}
		if (word[0] == '-' && (*rest != '-' || is(word, "--comment", "-A"))) {
			char *value = next_word(&rest);

			if (!value || !take_option(&l, word, value))
				put_unknown(l.list, "match", word);
		} else {
			put_unknown(l.list, "match", word);
		}
		l.other = false;
	}
	return l.list;
}
