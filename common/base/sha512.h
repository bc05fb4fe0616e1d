/* SHA-512, for names that others make with it. */
#ifndef PLUMB_BASE_SHA512_H
#define PLUMB_BASE_SHA512_H

enum { SHA512_HEX = 129 };

/* The hash of a text's bytes, as 128 hex digits. */
void sha512_hex(const char *text, char out[SHA512_HEX]);

#endif
