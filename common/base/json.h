/* JSON in and out of structs, by tables; the only module that knows jansson's header.
 *
 * Keys match without regard to case, an exact match first, as Go's encoding/json does: runtimes send "HostPort" where the
 * documents say "hostPort". null, and "" for a string, mean absent. Unknown keys are passed over. A complaint names the
 * exact place: `ipam.ranges[0][1].rangeEnd: want …`. */
#ifndef PLUMB_BASE_JSON_H
#define PLUMB_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { JSON_DEPTH_LIMIT = 64 };

/* One object from text of len bytes: duplicate keys, nesting past JSON_DEPTH_LIMIT and anything behind the object refused.
 * what names the text in the complaint ("network configuration"). The reference is the caller's; NULL: e says why (CNI_DECODE). */
json_t *json_read_object(const char *text, size_t len, const char *what, struct err *e);

/* For `scoped(json_put) json_t *j`. */
static inline void json_put(json_t **j) { json_decref(*j); }

/* The member called key whatever its case, borrowed; NULL when absent or null. */
json_t *json_member(const json_t *object, const char *key);
/* The same for a string that is not empty; NULL otherwise. */
const char *json_member_string(const json_t *object, const char *key);

/* ---- Reading by table ---- */

/* Where we are and where things go. Strings read are borrowed from the JSON tree; arrays are made in the arena. */
struct reading {
	struct arena *arena;
	struct err   *err;
	char          path[256];        /* so far, with its dot: "", "ipam.", "ipam.ranges[0]" */
};

struct field;
typedef int field_reader(const struct field *f, const json_t *v, void *slot, struct reading *r);

struct field {
	const char         *key;
	field_reader       *read;
	size_t              offset;
	long long           min, max;           /* of a number; max also of a string's length, where it is not 0 */
	const struct field *sub;                /* the fields of an object, or of each object in a list */
	size_t              size;               /* of an item, for lists */
	field_reader       *item;               /* how each item of a list is read */
};

#define FIELD(type, member, name, reader, ...) { .key = name, .read = reader, .offset = offsetof(type, member), ##__VA_ARGS__ }
#define FIELD_END { .key = NULL }

/* Fills in the struct at base from object. 0 or -EINVAL with r->err set (CNI_BAD_CONFIG). A member that is absent leaves
 * its slot alone, so defaults are set before. */
int fields_read(const struct field *table, const json_t *object, void *base, struct reading *r);

/* Complains about the field at hand: "<path><key>: <words>". Returns -EINVAL. */
int field_refuse(const struct field *f, struct reading *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A list in a struct: items made in the arena. */
struct list {
	void  *items;
	size_t count;
	bool   given;           /* the key was there, maybe as [] */
};

/* Readers, and the slot that each fills. */
field_reader read_bool;         /* bool */
field_reader read_int;          /* long long, min … max */
field_reader read_uint;         /* uint32_t, min … max */
field_reader read_uint_or_0;    /* the same, and 0 for "as it comes" */
field_reader read_string;       /* const char *, borrowed; at most .max bytes where given */
field_reader read_addr;         /* struct addr */
field_reader read_prefix;       /* struct prefix, host bits kept */
field_reader read_mac;          /* struct mac, and it must be unicast */
field_reader read_object;       /* a struct described by .sub, in place */
field_reader read_json;         /* const json_t *, borrowed, as it is */
field_reader read_list;         /* struct list of items of .size, each read by .item (which may use .sub) */
field_reader read_list_inner;   /* as .item of a list of lists: .sub is the one field that describes the inner list */

/* The items of a list, typed: for_list (struct port, p, &conf->ports) … */
#define for_list(type, var, list) \
	for (__typeof__(type) *var = (list)->items; var && var < (__typeof__(type) *)(list)->items + (list)->count; var++)

#endif
