/* A call of the plumb command: what was asked, what went wrong, how it ends. */
#ifndef PLUMB_PLUMB_H
#define PLUMB_PLUMB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/scoped.h"
#include "base/text.h"
#include "options.h"

/* What scripts may rely on; the man page has the same table. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,                /* a plugin refused, or anything that has no number of its own */
	EXIT_USAGE = 2,
	EXIT_NO_NETWORK = 3,            /* no such network, or nothing is attached to it under that name */
	EXIT_NO_PLUGIN = 4,
	EXIT_BAD_CONFIG = 5,            /* the network's configuration cannot be used, or not for what was asked */
	EXIT_NOT_READY = 6,             /* a plugin said: try again later, or not available (CNI errors 11, 50, 51) */
	EXIT_RUN = 125,                 /* of run: the command was not started; the others are the shell's */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

/* What went wrong, whose words they are, and how plumb is to end for it. */
struct trouble {
	struct err err;
	int        exit;                /* an enum exit_code; 0 with err set: as err.code says */
	char       plugin[NAME_MAX_LEN + 1];    /* the plugin that refused, "" when it was not a plugin */
};

struct call {
	const struct subcommand *command;
	const char    *subject;         /* the network at hand, for words; NULL: none yet */
	struct options opt;
	struct arena   arena;
	struct trouble trouble;         /* the first; main tells it */
	json_t        *trees;           /* JSON that lives as long as the call: others borrow from it */
	int            lock_fd;         /* see lock.h; -1: not open */
	uint64_t       told[16];        /* hashes of what trouble_tell has said lately */
	size_t         told_count;
};

enum subcommand_flags {
	SUB_NETWORK = 1,                /* the first operand is a network's name, which becomes part of paths */
	SUB_COMMAND = 2,                /* a command is among the operands: the first operand ends our options, and failures of ours are EXIT_RUN */
};

struct subcommand {
	const char *name, *operands;    /* one word, or two ("network create"); the operands in words, for usage */
	unsigned    bit;                /* an enum command_bit */
	unsigned    flags;              /* enum subcommand_flags */
	int         min, max;           /* how many operands; max -1: any number */
	int       (*run)(struct call *c);       /* an exit code, or negative with c->trouble set */
	const char *about;              /* NULL: another name of the one before */
};

/* One file each, or one for two that are each other's opposite. */
int add_run(struct call *c);
int del_run(struct call *c);
int check_run(struct call *c);
int gc_run(struct call *c);
int status_run(struct call *c);
int run_run(struct call *c);
int ps_run(struct call *c);
int stop_run(struct call *c);
int rm_run(struct call *c);
int exec_run(struct call *c);
int logs_run(struct call *c);
int restore_run(struct call *c);
int publish_run(struct call *c);
int unpublish_run(struct call *c);
int ports_run(struct call *c);
int network_create_run(struct call *c);
int network_ls_run(struct call *c);
int network_inspect_run(struct call *c);
int network_rm_run(struct call *c);
int network_prune_run(struct call *c);
int network_connect_run(struct call *c);
int network_disconnect_run(struct call *c);
int graph_run(struct call *c);
int explain_run(struct call *c);
int doctor_run(struct call *c);

/* Notes a failure with its exit code; returns ret. The first one stays. */
int trouble_set(struct trouble *t, int exit, int ret, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int trouble_exit(const struct trouble *t);
/* "plumb: add app-network: bridge: msg: details" on stderr. What has been said to the letter is not said again. */
void trouble_tell(struct call *c, const struct trouble *t);
/* The same as JSON, the caller's. */
json_t *trouble_json(const struct call *c, const struct trouble *t);
/* "plumb: LINE" on stderr, unless that has been said lately. */
void tell_once(struct call *c, const char *line);

/* For commands with several operands, each of which may fail: tells the trouble at hand and forgets it, so that the work goes on. Its exit code. */
int trouble_pass(struct call *c);

/* Hands a tree over to the call; borrowed from then on. NULL stays NULL. */
json_t *call_keep(struct call *c, json_t *tree);
/* JSON for people and scripts on stdout. */
void print_json(const json_t *j);

#endif
