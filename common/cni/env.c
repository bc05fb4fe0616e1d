#include "cni/env.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "os/netns.h"

const char *env(const char *name)
{
	const char *v = getenv(name);

	return v ? v : "";
}

/* ---- The verb and the attachment ---- */

enum { ON_ADD = 1 << VERB_ADD, ON_DEL = 1 << VERB_DEL, ON_CHECK = 1 << VERB_CHECK, ON_STATUS = 1 << VERB_STATUS, ON_GC = 1 << VERB_GC };

static int verb_of(const char *name)
{
	for (int v = 0; verb_names[v]; v++)
		if (!strcmp(verb_names[v], name))
			return v;
	return -1;
}

/* (CNI specification 1.1.0, section 2 "CNI operations": required parameters; STATUS takes none, the reference wants CNI_PATH.) */
int env_read(struct cni_call *c)
{
	const struct { const char *name, **slot; unsigned required; } vars[] = {
		{ "CNI_CONTAINERID", &c->who.container, ON_ADD | ON_DEL | ON_CHECK },
		{ "CNI_NETNS",       &c->who.netns,     ON_ADD | ON_CHECK },
		{ "CNI_IFNAME",      &c->who.ifname,    ON_ADD | ON_DEL | ON_CHECK },
		{ "CNI_ARGS",        &c->args,          0 },
		{ "CNI_PATH",        &c->path,          ON_ADD | ON_DEL | ON_CHECK | ON_STATUS | ON_GC },
	};
	const char *command = env("CNI_COMMAND"), *fault;
	int verb = verb_of(command);
	char missing[128] = "";

	if (verb < 0) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "unknown CNI_COMMAND: %s", command);
		err_detail(&c->err, "want ADD, DEL, CHECK, STATUS, GC or VERSION");
		return -EINVAL;
	}
	c->verb = verb;
	for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
		*vars[i].slot = env(vars[i].name);
		if (!**vars[i].slot && (vars[i].required & 1u << verb))
			snprintf(missing + strlen(missing), sizeof missing - strlen(missing), "%s%s", *missing ? "," : "", vars[i].name);
	}
	if (*missing) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "required env variables [%s] missing", missing);
		err_detail(&c->err, "container runtimes set them; by hand, `plumb add NETWORK NETNS` does");
		return -EINVAL;
	}
	if (!((ON_ADD | ON_DEL | ON_CHECK) & 1u << verb))
		return 0;
	if (!name_valid(c->who.container)) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "invalid characters in containerID");
		err_detail(&c->err, "CNI_CONTAINERID=%s: want a letter or digit, then letters, digits, '_', '.', '-', at most %d characters",
		           c->who.container, NAME_MAX_LEN);
		return -EINVAL;
	}
	fault = ifname_fault(c->who.ifname);
	if (fault) {
		err_set(&c->err, CNI_BAD_ENV, -EINVAL, "%s", fault);
		err_detail(&c->err, "CNI_IFNAME=%s: want 1 to 15 characters", c->who.ifname);
		return -EINVAL;
	}
	return 0;
}

/* ---- The container's namespace ---- */

/* Says nothing about whether the namespace is still there, which DEL takes other failures to mean. */
static bool is_for_a_moment(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE || r == -EINTR || r == -EIO;
}

/* Our namespace and the container's must differ, or the host's own links would be taken for the container's. */
int env_open_netns(struct cni_call *c)
{
	const char *override = env("CNI_NETNS_OVERRIDE");
	bool may_be_same = !strcasecmp(override, "true") || !strcmp(override, "1") || (c->plugin->flags & PLUGIN_HOST_NETNS);
	bool needed = (c->verb == VERB_ADD || c->verb == VERB_CHECK) && !(c->plugin->flags & PLUGIN_NO_NETNS);
	scoped(fd_close) int own = -1;
	struct err ignored = { 0 };

	if (!*c->who.netns || c->verb == VERB_STATUS || c->verb == VERB_GC)
		return 0;
	c->pod_fd = netns_open(c->who.netns, needed ? &c->err : &ignored);
	if (c->pod_fd < 0 && !needed && is_for_a_moment(c->pod_fd))
		return err_sys(&c->err, CNI_TRY_LATER, c->pod_fd, "failed to open netns \"%s\"", c->who.netns);
	if (c->pod_fd < 0)
		return needed ? c->pod_fd : 0;
	own = netns_open_self(&c->err);
	if (own < 0)
		return own;
	if (may_be_same || !netns_same(own, c->pod_fd))
		return 0;
	err_set(&c->err, CNI_BAD_NETNS, -EINVAL, "plugin's netns and netns from CNI_NETNS should not be the same");
	err_detail(&c->err, "CNI_NETNS=%s: want the container's own, not the host's; CNI_NETNS_OVERRIDE=true takes this one", c->who.netns);
	return -EINVAL;
}

/* ---- CNI_ARGS ---- */

static int ignore_unknown(struct cni_call *c, const char *pair, const char *value, bool *on)
{
	*on = !strcmp(value, "1") || !strcasecmp(value, "true");
	if (*on || !strcmp(value, "0") || !strcasecmp(value, "false"))
		return 0;
	err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: error parsing value of pair \"%s\": boolean unmarshal error: invalid input %s", pair, value);
	err_detail(&c->err, "CNI_ARGS: IgnoreUnknown=%s: want 1 or true, 0 or false", value);
	return -EINVAL;
}

static int refuse_pair(struct cni_call *c, const char *pair)
{
	err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: invalid pair \"%s\"", pair);
	err_detail(&c->err, "CNI_ARGS=%s: want KEY=VALUE, parted by semicolons", c->args);
	return -EINVAL;
}

static int refuse_unknown(struct cni_call *c, const char *unknown, const struct arg *args)
{
	char known[128] = "";

	for (; args->key; args++)
		snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", *known ? ", " : "", args->key);
	err_set(&c->err, CNI_BAD_ENV, -EINVAL, "ARGS: unknown args [%s]", unknown);
	err_detail(&c->err, "CNI_ARGS: %s takes %s; IgnoreUnknown=1 among them lets others pass", c->plugin->name, *known ? known : "none");
	return -EINVAL;
}

int args_read(struct cni_call *c, const struct arg *args)
{
	char *rest, *pair, unknown[256] = "";
	bool ignore = false;

	if (!*c->args)
		return 0;
	rest = arena_strdup(&c->arena, c->args);
	while ((pair = strsep(&rest, ";"))) {
		char *value = strchr(pair, '=');
		const struct arg *a = args;
		int bad = 0;

		if (!value || strchr(value + 1, '='))
			return refuse_pair(c, pair);
		for (*value++ = '\0'; a->key && strcmp(a->key, pair); a++)
			;
		if (a->key)
			*a->value = value;
		else if (!strcmp(pair, "IgnoreUnknown"))
			bad = ignore_unknown(c, pair, value, &ignore);
		else
			snprintf(unknown + strlen(unknown), sizeof unknown - strlen(unknown), "%s\"%s=%s\"", *unknown ? " " : "", pair, value);
		if (bad < 0)
			return bad;
	}
	return *unknown && !ignore ? refuse_unknown(c, unknown, args) : 0;
}
