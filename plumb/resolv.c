#include "resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "cni/result.h"
#include "cni/version.h"
#include "os/file.h"
#include "plumb.h"

enum { TEXT_LIMIT = 4096 };

struct text {
	char   data[TEXT_LIMIT];
	size_t used;
};

/* What does not fit is left out whole. */
static void append(struct text *t, const char *a, const char *b, const char *c)
{
	int n = snprintf(t->data + t->used, sizeof t->data - t->used, "%s%s%s", a, b, c);

	if (n > 0 && t->used + n < sizeof t->data) {
		t->used += n;
		return;
	}
	t->data[t->used] = '\0';
	fprintf(stderr, "plumb: run: the networks' DNS is longer than %d bytes: \"%s\" is left out\n", TEXT_LIMIT, b);
}

/* One word: a line's end or a space in it would say something else. */
static bool is_word(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return false;
	return *s != '\0';
}

/* A left-out line would say nothing of itself; control characters are not for a terminal. */
static void tell_unfit(const char *key, const char *value)
{
	scoped(mem_free) char *copy = strdup(value);

	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	fprintf(stderr, "plumb: run: dns.%s: \"%s\" cannot stand in /etc/resolv.conf and is left out\n", key, copy ? copy : "");
}

/* An address, and for a link-local one maybe the interface behind it. */
static bool is_server(const char *text)
{
	const char *zone = strchr(text, '%');
	char bare[ADDR_TEXT];
	struct addr a;

	if (!zone)
		return addr_parse(text, &a);
	return text_format(bare, sizeof bare, "%.*s", (int)(zone - text), text) && addr_parse(bare, &a) && a.family == AF_INET6 &&
	       !ifname_fault(zone + 1) && is_word(zone + 1);
}

static void append_words(struct text *t, const char *key, const struct list *words)
{
	bool any = false;

	for_list (const char *, word, words)
		if (is_word(*word)) {
			append(t, any ? " " : key, any ? "" : " ", *word);
			any = true;
		} else {
			tell_unfit(key, *word);
		}
	if (any)
		append(t, "\n", "", "");
}

static void append_servers(struct text *t, const struct list *servers)
{
	for_list (const char *, server, servers)
		if (is_server(*server))
			append(t, "nameserver ", *server, "\n");
		else
			tell_unfit("nameservers", *server);
}

static void append_dns(struct text *t, const struct dns *d, bool first, bool servers)
{
	if (d->domain && first && is_word(d->domain))
		append(t, "domain ", d->domain, "\n");
	else if (d->domain && first)
		tell_unfit("domain", d->domain);
	if (first)                      /* of several search lines the last one holds: the first network's shall */
		append_words(t, "search", &d->search);
	if (servers)
		append_servers(t, &d->nameservers);
	append_words(t, "options", &d->options);
}

int resolv_write(struct call *c, const json_t *results, const char *path)
{
	struct text text = { .used = 0 };
	const struct list *given = &c->opt.dns;
	scoped(fd_close) int fd = -1;
	json_t *result;
	size_t begin, i;
	int r;

	append_servers(&text, given);
	begin = text.used;
	json_array_foreach(results, i, result) {
		struct err ignored = { 0 };
		struct result of;

		if (result_read(result, CNI_NEWEST, "result.", CNI_DECODE, &c->arena, &of, &ignored) == 0)
			append_dns(&text, &of.dns, text.used == begin, given->count == 0);
	}
	if (text.used == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	r = fd < 0 ? -errno : file_write(fd, text.data, text.used);
	return r < 0 ? err_sys(&c->trouble.err, CNI_IO, r, "%s", path) : 1;
}
