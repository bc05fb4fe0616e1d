/* What plumb run runs, on record: /run/plumb/run/NAME/, a folder that its keeper (the plumb run itself, or with -d the process behind it) holds
 * locked for as long as it lives. In it: state, JSON; hosts and resolv.conf, which stand in /etc for the command; with -d log, what the command
 * prints.
 *
 * Unlocked and ended (-d without --rm): kept for plumb ps -a and plumb logs, until plumb rm. Unlocked and not ended: its keeper was killed;
 * whoever comes next mends that. A reboot takes all of it. */
#ifndef PLUMB_RUNS_H
#define PLUMB_RUNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/json.h"

struct call;
struct list;

#define RUNS_DIR "/run/plumb/run"

struct run_record {
	const char *name, *id, *netns, *hostname;
	const char *dir;
	json_t     *command, *aliases, *hosts;          /* lists: of texts, of texts, of [NAME, ADDR]; never NULL */
	pid_t       pid;                /* the command's; 0: not started, or ended */
	pid_t       keeper;
	long long   pid_start, keeper_start;            /* when these began (/proc/PID/stat), as numbers are given again */
	long long   created, ended;     /* seconds since 1970; ended 0: it has not */
	int         exit_code;
	bool        detached;
	bool        alive;              /* the keeper lives */
};

/* What is on record under the name, alive or not; all of it the call's. -ENOENT without a word when there is nothing. */
int run_read(struct call *c, const char *name, struct run_record *out);
/* The same, with -ENOENT told: "no plumb run NAME". */
int run_named(struct call *c, const char *name, struct run_record *out);
/* Whether its keeper lives now. */
bool run_is_alive(const struct run_record *run);
/* All of them, sorted by name: of struct run_record. */
int runs_all(struct call *c, struct list *out);

/* Takes the name: the folder is made and locked by the descriptor, which is the caller's to keep open; run->dir is filled in. One of that name
 * that was killed is mended first. -EEXIST with c->trouble set where the name is taken. */
int run_claim(struct call *c, struct run_record *run);
int run_write(struct call *c, const struct run_record *run);
/* Removes the folder. The caller holds it locked. */
void run_forget(struct call *c, const struct run_record *run);
/* Locks the folder of one whose keeper is gone: the descriptor. Waits patience_s at most for the keeper to end; -ETIME without a word. 0 seconds:
 * not at all. */
int run_lock(struct call *c, const struct run_record *run, unsigned patience_s);

/* Detaches and removes what killed runs, and an earlier boot, left behind. Nothing where that may not be done (no root). */
void runs_mend(struct call *c);
/* Writes the hosts file of the container's run anew, if it is a run's: after an attachment came or went. */
void run_files_refresh(struct call *c, const char *container);
/* The hosts file, by what is attached now. In place: it may be mounted. 0 or -errno. */
int run_hosts_write(struct call *c, const struct run_record *run);

/* When a process began; 0: there is none. */
long long process_start(pid_t pid);
/* Sends a signal to the process if it is still the one that began then. */
void process_signal(pid_t pid, long long start, int signal);

#endif
