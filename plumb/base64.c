#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *a, const void *data, size_t len)
{
	char *out = arena_alloc(a, (len + 2) / 3 * 4 + 1), *p = out;
	const uint8_t *in = data;

	for (size_t i = 0; p && i < len; i += 3) {
		uint32_t three = in[i] << 16 | (i + 1 < len ? in[i + 1] << 8 : 0) | (i + 2 < len ? in[i + 2] : 0);

		*p++ = digits[three >> 18];
		*p++ = digits[three >> 12 & 63];
		*p++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digits[three & 63] : '=';
	}
	return out;
}

char *base64_decode(struct arena *a, const char *text, size_t *len)
{
	size_t size = strlen(text), pad = size >= 4 ? (text[size - 1] == '=') + (text[size - 2] == '=') : 0;
	char *out = size % 4 == 0 ? arena_alloc(a, size / 4 * 3 + 1) : NULL, *p = out;
	uint32_t bits = 0;

	for (size_t i = 0; out && i < size; i++) {
		const char *digit = i < size - pad ? strchr(digits, text[i]) : digits;

		if (!digit)
			return NULL;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 == 3) {
			*p++ = (char)(bits >> 16);
			*p++ = (char)(bits >> 8);
			*p++ = (char)bits;
		}
	}
	if (!out)
		return NULL;
	*len = p - out - pad;
	out[*len] = '\0';
	return out;
}
