#include "host-local/resolv.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "os/file.h"

enum { FILE_LIMIT = 64 << 10 };

#define BLANKS " \t\r\v\f"

static int add_word(struct list *to, const char *word, struct arena *a)
{
	const char **slot = arena_push(a, &to->items, &to->count, sizeof *slot);

	if (!slot)
		return -ENOMEM;
	*slot = word;
	to->given = true;
	return 0;
}

static char *next_word(char **rest)
{
	char *word;

	do {
		word = strsep(rest, BLANKS);
	} while (word && !*word);
	return word;
}

/* As the reference plugin: nameservers, search and options add up, the last domain counts; of a nameserver or domain the first word. */
static int parse_line(char *line, struct arena *a, struct dns *out)
{
	char *rest = line, *key = next_word(&rest), *word = key ? next_word(&rest) : NULL;
	struct list *all;

	if (!word || *key == '#' || *key == ';')
		return 0;
	if (!strcmp(key, "domain")) {
		out->domain = word;
		return 0;
	}
	if (!strcmp(key, "nameserver"))
		return add_word(&out->nameservers, word, a);
	all = !strcmp(key, "search") ? &out->search : !strcmp(key, "options") ? &out->options : NULL;
	for (; all && word; word = next_word(&rest))
		if (add_word(all, word, a) < 0)
			return -ENOMEM;
	return 0;
}

int resolv_conf_parse(char *text, struct arena *a, struct dns *out)
{
	char *line;
	int r = 0;

	*out = (struct dns){ 0 };
	utf8_mend(text);                /* it goes into JSON */
	while (r == 0 && (line = strsep(&text, "\n")))
		r = parse_line(line, a, out);
	return r;
}

int resolv_conf_read(const char *path, const char *key, struct arena *a, struct dns *out, struct err *e)
{
	size_t len;
	char *text = file_read(a, path, FILE_LIMIT, &len);

	if (!text && (errno == EINVAL || errno == EFBIG))
		return err_set(e, CNI_IO, -errno, "%s: %s: want a plain file of at most %d KiB", key, path, FILE_LIMIT >> 10);
	if (!text)
		return err_sys(e, CNI_IO, -errno, "%s: %s", key, path);
	return resolv_conf_parse(text, a, out) < 0 ? err_nomem(e, key) : 0;
}
