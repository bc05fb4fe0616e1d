#include "ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scoped.h"
#include "base/text.h"

bool port_number(const char **text, unsigned *out)
{
	unsigned n = 0;
	const char *p = *text;

	for (; *p >= '0' && *p <= '9' && n <= 65535; p++)
		n = n * 10 + (*p - '0');
	if (p == *text || n < 1 || n > 65535)
		return false;
	*text = p;
	*out = n;
	return true;
}

/* "80" or "8000-8009", to the end of the text. */
static bool parse_range(const char *text, uint16_t *first, uint16_t *count)
{
	unsigned from, to;

	if (!port_number(&text, &from))
		return false;
	to = from;
	if (*text == '-') {
		text++;
		if (!port_number(&text, &to))
			return false;
	}
	if (*text || to < from || to - from == 65535)
		return false;
	*first = (uint16_t)from;
	*count = (uint16_t)(to - from + 1);
	return true;
}

const char *port_protocol(const char *text)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcasecmp(known[i], text))
			return known[i];
	return NULL;
}

/* "10.1.2.3" or "[fd00::1]". */
static bool parse_host_ip(char *text, struct addr *out)
{
	size_t len = strlen(text);
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	if (brackets) {
		text[len - 1] = '\0';
		text++;
	}
	return (brackets == (strchr(text, ':') != NULL)) && addr_parse(text, out);
}

bool port_parse(const char *text, struct port *out)
{
	char copy[128], *slash, *container, *host;
	uint16_t wide;

	*out = (struct port){ .protocol = "tcp" };
	if (!text_format(copy, sizeof copy, "%s", text))
		return false;
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		if (!(out->protocol = port_protocol(slash + 1)))
			return false;
	}
	container = strrchr(copy, ':');
	if (!container)
		return false;
	*container++ = '\0';
	host = strrchr(copy, ':');
	if (host) {
		*host++ = '\0';
		if (!parse_host_ip(copy, &out->host_ip))
			return false;
	} else {
		host = copy;
	}
	return parse_range(host, &out->host, &out->count) && parse_range(container, &out->container, &wide) && wide == out->count;
}

json_t *ports_json(const struct list *ports)
{
	json_t *list = json_array();
	char ip[ADDR_TEXT];

	for_list (const struct port, p, ports)
		for (unsigned i = 0; i < p->count; i++)
			json_array_append_new(list, json_pack("{s:i, s:i, s:s, s:s*}", "hostPort", p->host + i, "containerPort", p->container + i,
			        "protocol", p->protocol, "hostIP", addr_is_set(&p->host_ip) ? addr_text(&p->host_ip, ip) : NULL));
	return list;
}
