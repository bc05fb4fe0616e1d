/* Small strings: names by their grammar, UTF-8, hashes, formatting that says when it did not fit. */
#ifndef PLUMB_BASE_TEXT_H
#define PLUMB_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IFNAME_SIZE = 16, NAME_MAX_LEN = 200 };  /* an interface's name with its end; a network's or container's without */

/* snprintf into an array of known size; false when the text did not fit (it is then cut). */
bool text_format(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Network names and container ids: a letter or digit, then letters, digits, '_', '.', '-'; at most NAME_MAX_LEN.
 * (CNI specification 1.1.0, section 1 "Configuration format", section 2 "Parameters".) */
bool name_valid(const char *name);

/* A plugin's type: a plain file name. Not empty, no '/' or '\\', not "." or "..", no control character. */
bool type_valid(const char *type);

/* What is wrong with an interface's name, or NULL: 1 to 15 bytes, not "." or "..", no '/', ':' or white space.
 * (Linux, net/core/dev.c dev_valid_name; the words as the reference has them.) */
const char *ifname_fault(const char *name);

/* Replaces each byte that is not part of well-formed UTF-8, and a letter cut off at the end, by '?'. */
void utf8_mend(char *s);

/* FNV-1a, 64 bit, over the bytes of each string and its end, so that ("a","bc") and ("ab","c") differ. End with NULL. */
uint64_t hash_strings(const char *first, ...) __attribute__((sentinel));

/* Removes spaces, tabs, CR and LF at both ends, in place; the new start. */
char *text_trim(char *s);

#endif
