/* What a configuration list says. (CNI specification 1.1.0, section 1; section 3 tells what is made of it.) */
#include "network.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cni/version.h"
#include "confdir.h"
#include "plumb.h"

enum { PLUGINS_LIMIT = 64 };

const char *plugin_type(const json_t *plugin)
{
	return json_member_string(plugin, "type");
}

bool network_declares(const struct network *n, const char *capability)
{
	json_t *plugin;
	size_t i;

	json_array_foreach(n->plugins, i, plugin)
		if (json_is_true(json_object_get(json_member(plugin, "capabilities"), capability)))
			return true;
	return false;
}

/* true, false, and as libcni takes them "true" and "false". */
static int read_switch(const struct field *f, const json_t *v, void *slot, struct reading *r)
{
	const char *text = json_string_value(v);

	if (!text)
		return read_bool(f, v, slot, r);
	if (strcasecmp(text, "true") && strcasecmp(text, "false"))
		return field_refuse(f, r, "want true or false");
	*(bool *)slot = !strcasecmp(text, "true");
	return 0;
}

struct list_conf {
	const char   *name, *version;
	struct list   versions;         /* of const char * */
	bool          disable_check, disable_gc, inlined_only;
	const json_t *plugins;
};
static const struct field list_fields[] = {
	FIELD(struct list_conf, name,          "name",                   read_string),
	FIELD(struct list_conf, version,       "cniVersion",             read_string),
	FIELD(struct list_conf, versions,      "cniVersions",            read_list, .item = read_string, .size = sizeof(char *)),
	FIELD(struct list_conf, disable_check, "disableCheck",           read_switch),
	FIELD(struct list_conf, disable_gc,    "disableGC",              read_switch),
	FIELD(struct list_conf, inlined_only,  "loadOnlyInlinedPlugins", read_switch),
	FIELD(struct list_conf, plugins,       "plugins",                read_json),
	FIELD_END
};

/* The highest of all that are named and known to us. A list that names none is of the oldest version. */
static int select_version(const struct list_conf *conf, struct network *out, struct err *e)
{
	const char *best = NULL;

	for (size_t i = 0; i <= conf->versions.count; i++) {
		const char *v = i < conf->versions.count ? ((const char **)conf->versions.items)[i] : conf->version;

		if (v && !version_well_formed(v))
			return err_set(e, CNI_BAD_CONFIG, -EINVAL, "%s: \"%s\": want a version such as %s",
			               v == conf->version ? "cniVersion" : "cniVersions", v, CNI_NEWEST);
		if (v && version_known(v) && (!best || version_compare(v, best) > 0))
			best = v;
	}
	if (!best && (conf->version || conf->versions.count))
		return err_set(e, CNI_BAD_VERSION, -EINVAL, "cniVersion: \"%s\": none of the versions named is known here; the newest known is %s",
		               conf->version ? conf->version : "", CNI_NEWEST);
	out->version = best ? best : cni_versions[0];
	return 0;
}

static int check_plugins(const json_t *plugins, struct err *e)
{
	json_t *plugin;
	size_t i;

	if (json_array_size(plugins) > PLUGINS_LIMIT)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "plugins: more than %d", PLUGINS_LIMIT);
	json_array_foreach(plugins, i, plugin) {
		const char *type = json_is_object(plugin) ? plugin_type(plugin) : NULL;

		if (!type)
			return err_set(e, CNI_BAD_CONFIG, -EINVAL, "plugins[%zu]: want an object with a \"type\"", i);
		if (!type_valid(type))
			return err_set(e, CNI_BAD_CONFIG, -EINVAL, "plugins[%zu].type: \"%s\": want the plain name of a plugin, no path", i, type);
	}
	return 0;
}

/* What stands in the folder of the network's name comes behind the list's own. The list then says that it is complete, so that
 * whoever reads it from the cache does not add the folder's once more. */
static int add_folder(struct call *c, const struct list_conf *conf, struct network *out, struct err *e)
{
	json_t *found = call_keep(c, json_array());
	int r = conf->inlined_only ? 0 : confdir_plugins(c, conf->name, found, e);

	if (r < 0)
		return r;
	out->plugins = (json_t *)conf->plugins;
	if (!out->plugins)
		json_object_set_new(out->list, "plugins", out->plugins = json_array());
	if (json_array_size(found) > 0) {
		json_array_extend(out->plugins, found);
		json_object_set_new(out->list, "loadOnlyInlinedPlugins", json_true());
	}
	if (json_array_size(out->plugins) == 0)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "plugins: none, and none in the folder %s/%s", c->opt.conf_dir, conf->name);
	return check_plugins(out->plugins, e);
}

static json_t *wrap(struct call *c, json_t *single)
{
	json_t *list = json_pack("{s:O*, s:O*, s:b, s:[O]}", "cniVersion", json_member(single, "cniVersion"),
	                         "name", json_member(single, "name"), "loadOnlyInlinedPlugins", true, "plugins", single);

	return call_keep(c, list);
}

int network_read(struct call *c, json_t *json, const char *where, struct network *out, struct err *e)
{
	struct reading r = { .arena = &c->arena, .err = e };
	struct list_conf conf = { 0 };
	int bad;

	*out = (struct network){ .path = where, .list = !json_member(json, "plugins") && plugin_type(json) ? wrap(c, json) : json };
	if (!out->list)
		return err_nomem(e, where);
	if ((bad = fields_read(list_fields, out->list, &conf, &r)) < 0)
		return bad;
	if (!conf.name)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "name: missing");
	if (!name_valid(conf.name))
		return err_set(e, CNI_BAD_CONFIG, -EINVAL,
		               "name: \"%.*s%s\": want a letter or digit, then letters, digits, '_', '.', '-', at most %d characters",
		               NAME_MAX_LEN, conf.name, strlen(conf.name) > NAME_MAX_LEN ? "..." : "", NAME_MAX_LEN);
	if (conf.plugins ? !json_is_array(conf.plugins) : conf.inlined_only)
		return err_set(e, CNI_BAD_CONFIG, -EINVAL, "plugins: want a list%s", conf.plugins ? "" : ", as loadOnlyInlinedPlugins is set");
	out->name = conf.name;
	out->disable_check = conf.disable_check;
	out->disable_gc = conf.disable_gc;
	if ((bad = select_version(&conf, out, e)) < 0)
		return bad;
	return add_folder(c, &conf, out, e);
}
