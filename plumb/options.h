/* The command line, read by one table for all subcommands. */
#ifndef PLUMB_OPTIONS_H
#define PLUMB_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/json.h"

struct call;
struct subcommand;

enum command_bit {
	CMD_ADD = 1, CMD_DEL = 2, CMD_CHECK = 4, CMD_GC = 8, CMD_STATUS = 16, CMD_RUN = 32, CMD_RESTORE = 64,
	CMD_ALL = CMD_ADD | CMD_DEL | CMD_CHECK | CMD_GC | CMD_STATUS | CMD_RUN | CMD_RESTORE,
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
	bool        json, help, version, all, dry_run;
	char      **operands;                   /* ended by NULL */
	int         operand_count;
};

/* Reads argv (without the program's and the subcommand's names) into c->opt, defaults and environment included. 0, or negative with
 * c->trouble set. With help or version asked for, operands are not counted. */
int options_read(struct call *c, char **argv);

/* The options of a subcommand, a line each. */
void options_help(FILE *to, const struct subcommand *command);

#endif
