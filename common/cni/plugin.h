/* What a plugin is, and what a call of it knows. `main` is shared (plugin.c): environment, configuration, version, verb, output.
 *
 * A plugin file ends with CNI_PLUGIN("name", .add = …), which is all that registers it: in an executable of its own, in another
 * plugin's executable as an address plugin that runs in process, and in the multi-call binary. */
#ifndef PLUMB_CNI_PLUGIN_H
#define PLUMB_CNI_PLUGIN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/scoped.h"
#include "base/text.h"
#include "cni/result.h"
#include "os/netlink.h"

enum verb { VERB_ADD, VERB_DEL, VERB_CHECK, VERB_STATUS, VERB_GC, VERB_VERSION };
extern const char *const verb_names[];

/* An attachment: this container's interface on this network. */
struct attachment {
	const char *network, *container, *ifname;
	const char *netns;                      /* CNI_NETNS, "" when not given */
	char        host_ifname[IFNAME_SIZE];   /* what we name the host's end: always the same for the same attachment */
	char        owner[128];                 /* what our nftables elements carry as their comment (attach.h) */
};

/* One entry of GC's list of attachments that are still valid. */
struct valid_attachment {
	const char *container, *ifname;
};

/* What every configuration has, whatever the plugin. */
struct net_conf {
	const char   *cni_version;              /* "" when absent: 0.1.0 */
	const char   *name, *type;
	struct { const char *type; } ipam;
	struct dns    dns;
	const json_t *prev_result;              /* as given, or NULL */
	const char   *trace;                    /* append a line of timings to this file */
	struct list   valid;                    /* GC: of struct valid_attachment */
	bool          dry_run;                  /* GC: only say on stderr what would be removed */
};

struct cni_plugin;

struct cni_call {
	const struct cni_plugin *plugin;
	enum verb         verb;
	struct attachment who;
	const char       *args, *path;          /* CNI_ARGS, CNI_PATH; "" when not given */
	char             *input;                /* the configuration's text, for delegates */
	size_t            input_len;
	json_t           *json;                 /* the configuration; strings read from it are borrowed */
	struct net_conf   net;
	void             *conf;                 /* the plugin's own, read by its table */
	struct result     prev;                 /* prevResult, empty when has_prev is false */
	bool              has_prev;
	struct result     result;               /* what ADD answers with */
	int               pod_fd;               /* the container's network namespace, -1: none */
	struct netlink    host, pod;            /* rtnetlink there; opened by call_host and iface.h's pod_enter */
	json_t           *answers;              /* what delegates printed; results borrow from it */
	struct arena      arena;
	struct err        err;
};

typedef int cni_step(struct cni_call *c);

/* A guard that takes a step of ADD back by a step of DEL: scoped(undo_run) struct undo u = { 0 }; once done: u = undo_by(c, masq_del);
 * undo_keep(&u) when all went well. */
struct undo {
	struct cni_call *call;
	cni_step        *step;
};
static inline struct undo undo_by(struct cni_call *c, cni_step *step) { return (struct undo){ c, step }; }
static inline void undo_keep(struct undo *u) { u->call = NULL; }
static inline void undo_run(struct undo *u)
{
	if (u->call)
		u->step(u->call);
}

enum plugin_flags {
	PLUGIN_NO_NETNS = 1,            /* never looks into the container's namespace, which need not exist (address plugins) */
	PLUGIN_HOST_NETNS = 2,          /* the container's namespace is the host's own */
	PLUGIN_CHECK_NEEDS_NO_PREV = 4, /* CHECK works without prevResult (loopback) */
	PLUGIN_NEEDS_PREV = 8,          /* ADD only as part of a chain */
};

struct cni_plugin {
	const char         *name;
	const char         *about;      /* one line for people */
	const struct field *fields;     /* of the configuration, into a struct of conf_size bytes (zeroed first) */
	size_t              conf_size;
	int               (*settle)(struct cni_call *c);        /* after reading: defaults, contradictions; every verb */
	cni_step           *add, *del, *check, *status, *gc;    /* missing ones succeed, doing nothing */
	const char         *oldest;     /* version supported, NULL: all */
	unsigned            flags;
};

/* main's registry: one pointer a plugin, gathered by the linker. */
#define CNI_PLUGIN(plugin_name, ...) \
	static const struct cni_plugin this_plugin = { .name = plugin_name, ##__VA_ARGS__ }; \
	static const struct cni_plugin *const this_plugin_entry __attribute__((used, section("cni_plugins"))) = &this_plugin

/* A plugin of this executable, or NULL. */
const struct cni_plugin *plugin_find(const char *name);

/* Reads the plugin's own configuration from c->json into c->conf. 0 or negative. */
int plugin_read_conf(struct cni_call *c);
/* Runs the call's verb of its plugin; for in-process delegates. */
int plugin_run(struct cni_call *c);

/* Opens c->host on first use. */
int call_host(struct cni_call *c);

/* One key of CNI_ARGS and where its value goes. */
struct arg {
	const char  *key;
	const char **value;
};
/* Reads CNI_ARGS. Keys are exact-case; a key that is not in args (ended by a NULL key) is an error unless IgnoreUnknown=1 is given too.
 * Values are in the call's arena. */
int args_read(struct cni_call *c, const struct arg *args);

/* Refusals that several plugins have in common (conf.c). */
int refuse_check_without_prev(struct cni_call *c);
int refuse_without_ipam(struct cni_call *c);            /* an address plugin's */

#endif
