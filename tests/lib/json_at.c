/* A value in an answer by its path. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* One step: ".name", "name" or "[number]"; *path moves behind it. */
static json_t *step(json_t *j, const char **path)
{
	char name[128];
	size_t len;

	if (**path == '[') {
		size_t i = strtoul(*path + 1, (char **)path, 10);

		*path += **path == ']';
		return json_array_get(j, i);
	}
	*path += **path == '.';
	len = strcspn(*path, ".[");
	if (len >= sizeof name)
		fail_("path too long: %s", *path);
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len;
	return json_object_get(j, name);
}

const char *json_at(struct answer a, const char *path)
{
	json_t *j = a.json;

	while (j && *path)
		j = step(j, &path);
	if (!j)
		return "absent";
	return json_is_string(j) ? json_string_value(j) : json_dumps(j, JSON_ENCODE_ANY | JSON_SORT_KEYS);
}
