/* The command line, read by one table for all subcommands. */
#ifndef PLUMB_OPTIONS_H
#define PLUMB_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json.h"

struct call;
struct subcommand;

enum command_bit {
	CMD_ADD = 1 << 0, CMD_DEL = 1 << 1, CMD_CHECK = 1 << 2, CMD_GC = 1 << 3, CMD_STATUS = 1 << 4, CMD_RESTORE = 1 << 5,
	CMD_RUN = 1 << 6, CMD_PS = 1 << 7, CMD_STOP = 1 << 8, CMD_RM = 1 << 9, CMD_EXEC = 1 << 10, CMD_LOGS = 1 << 11,
	CMD_NET_CREATE = 1 << 12, CMD_NET_LS = 1 << 13, CMD_NET_INSPECT = 1 << 14, CMD_NET_RM = 1 << 15, CMD_NET_PRUNE = 1 << 16,
	CMD_NET_CONNECT = 1 << 17, CMD_NET_DISCONNECT = 1 << 18,
	CMD_PUBLISH = 1 << 19, CMD_UNPUBLISH = 1 << 20, CMD_PORTS = 1 << 21,
	CMD_GRAPH = 1 << 22, CMD_EXPLAIN = 1 << 23, CMD_DOCTOR = 1 << 24,
	CMD_ALL = (1 << 25) - 1,
};

/* KEY=VALUE: an --opt, a --label, a --filter; and NAME:ADDR of --add-host. */
struct pair {
	const char *key, *value;        /* value NULL: the key alone was given */
};

/* An attachment named on the command line: --valid ID/IF. */
struct named_attachment {
	const char *container, *ifname;
};

struct options {
	const char *conf_dir, *cache_dir;       /* never NULL once read */
	const char *bin_path;                   /* the same: directories parted by ':', as CNI_PATH has them */
	const char *ifname, *id, *mac;          /* NULL: not given */
	struct list bin_dirs, networks, ips;    /* of const char * */
	struct list ports;                      /* of struct port (ports.h) */
	struct list valid;                      /* of struct named_attachment */
	const char *name, *hostname, *driver;
	struct list aliases, dns;               /* of const char * */
	struct list add_hosts;                  /* of struct pair */
	struct list subnets, ranges;            /* of struct prefix */
	struct list allowed;                    /* of struct prefix */
	struct list gateways;                   /* of struct addr */
	struct list opts, labels, filters;      /* of struct pair */
	uint32_t    mtu;                        /* 0: not given */
	uint32_t    patience_s;                 /* of stop: how long to wait for the end */
	const char *output, *path, *from;       /* graph's, explain's; NULL: not given */
	bool        watch, fix;
	bool        ignored;                    /* what other programs want to be told and goes without saying here */
	bool        json, help, version, all, quiet, force, follow, detach, rm, dry_run, ipv6, internal, isolate, no_dns;
	char      **operands;                   /* ended by NULL */
	int         operand_count;
};

/* Reads argv (without the program's and the subcommand's names) into c->opt, defaults and environment included. 0, or negative with
 * c->trouble set. With help or version asked for, operands are not counted. */
int options_read(struct call *c, char **argv);

/* The options of a subcommand, a line each. */
void options_help(FILE *to, const struct subcommand *command);

#endif
