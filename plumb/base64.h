/* Base64 (RFC 4648, section 4), as Go's encoding/json writes bytes. */
#ifndef PLUMB_BASE64_H
#define PLUMB_BASE64_H

#include "base/arena.h"

/* Text of the arena; NULL: no memory. */
char *base64_encode(struct arena *a, const void *data, size_t len);
/* Bytes of the arena, ended by a '\0' that is not counted; NULL: not base64, or no memory. */
char *base64_decode(struct arena *a, const char *text, size_t *len);

#endif
