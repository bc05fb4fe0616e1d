/* Running a plugin as a runtime does. */
#ifndef PLUMB_TEST_CALL_H
#define PLUMB_TEST_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct world;

/* What a runtime tells. NULL is what stands in the comment; "" leaves the variable out. */
struct call {
	const char *plugin, *verb;
	const char *pod;                /* a namespace's name; CNI_NETNS is /run/netns/POD */
	const char *ifname;             /* "eth0" */
	const char *conf;               /* the JSON on stdin, ' for "; or a file's name; "": nothing */
	const char *raw;                /* stdin to the letter, raw_len bytes, in place of conf */
	size_t      raw_len;
	const char *container;          /* the pod's name */
	const char *netns;              /* CNI_NETNS to the letter */
	const char *args;               /* CNI_ARGS: not there */
	const char *path;               /* CNI_PATH: our own plugins */
	const char *more[8];            /* further variables, "NAME=value" */
	const char *program;            /* what is run, in place of our own plugin of the name */
	const char *const *argv;        /* further arguments */
	const char *in;                 /* the namespace that it runs in: "host" */
};

struct answer {
	int         status;             /* exit code, or 128 + signal */
	json_t     *json;               /* stdout, NULL: is no JSON */
	const char *out, *err;          /* stdout and stderr */
	const char *what;               /* "ptp ADD pod1 eth0", for words */
};

struct answer call_(struct call c);
#define call(...) AT_(call_((struct call){ __VA_ARGS__ }))

/* The usual: a network's configuration for an interface of a pod, whose name is the container's id too. */
struct answer plugin_(const struct world *w, const char *plugin, const char *verb, const char *pod, const char *ifname, const char *conf);
#define plugin(...) AT_(plugin_(__VA_ARGS__))

/* A configuration (' for ") with the result that ADD gave as prevResult, as a runtime sends it for CHECK and DEL. */
const char *with_prev(const char *conf, struct answer add);
/* A configuration (' for ") with a member set to a value in JSON, or none of it where value is NULL. */
const char *conf_set(const char *conf, const char *key, const char *value);

/* Whether the tests have this plugin to run. Ends the test as skipped where not. */
void need_plugin(const char *name);
/* Where build/MODE/bin is, found from the test program's own place. */
const char *bin_dir(void);

struct answer expect_ok_(struct answer a);
struct answer expect_error_(struct answer a, int code, const char *part);
void expect_json_(struct answer a, const char *path, const char *want);
void expect_result_(struct answer a, const char *want);
/* The value at a path, "ips[0].address" or "" for all: strings as they are, other values as JSON, "absent". */
const char *json_at(struct answer a, const char *path);

/* Success; the answer again. */
#define expect_ok(answer)                       AT_(expect_ok_(answer))
/* A CNI error with the code, whose msg or details contain part. */
#define expect_error(answer, code, part)        AT_(expect_error_(answer, code, part))
#define expect_json(answer, path, want)         AT_(expect_json_(answer, path, want))
/* Equal to the JSON `want` (' for "), whatever the order of members. The difference is shown line by line. */
#define expect_result(answer, want)             AT_(expect_result_(answer, want))

#endif
