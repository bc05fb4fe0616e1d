#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool text_format(char *out, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN || !is_alnum((unsigned char)name[0]))
		return false;
	for (const char *p = name; *p; p++)
		if (!is_alnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	return true;
}

bool type_valid(const char *type)
{
	size_t len = strlen(type);

	if (len == 0 || len > NAME_MAX_LEN || !strcmp(type, ".") || !strcmp(type, ".."))
		return false;
	for (const unsigned char *p = (const unsigned char *)type; *p; p++)
		if (*p == '/' || *p == '\\' || *p < 0x20 || *p == 0x7f)
			return false;
	return true;
}

const char *ifname_fault(const char *name)
{
	if (!*name)
		return "interface name is empty";
	if (strlen(name) >= IFNAME_SIZE)
		return "interface name is too long";
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return "interface name is . or ..";
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if (*p == '/' || *p == ':' || isspace(*p))
			return "interface name contains / or : or whitespace characters";
	return NULL;
}

/* The length of the well-formed sequence at s, or 0. (Unicode 15, table 3-7.) */
static size_t utf8_sequence(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

void utf8_mend(char *s)
{
	while (*s) {
		size_t len = utf8_sequence((const unsigned char *)s);

		if (len == 0) {
			*s = '?';
			len = 1;
		}
		s += len;
	}
}

uint64_t hash_strings(const char *first, ...)
{
	uint64_t h = 0xcbf29ce484222325u;
	va_list ap;

	va_start(ap, first);
	for (const char *s = first; s; s = va_arg(ap, const char *))
		for (const unsigned char *p = (const unsigned char *)s;; p++) {
			h = (h ^ *p) * 0x100000001b3u;
			if (!*p)
				break;
		}
	va_end(ap);
	return h;
}

char *text_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]))
		s[--len] = '\0';
	return s;
}
