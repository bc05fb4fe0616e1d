/* What is attacked: a plugin in its chain, a host for it, and the calls that a runtime makes of it. */
#ifndef PLUMB_CRASH_SCENARIO_H
#define PLUMB_CRASH_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "test.h"

enum { CHAIN_MAX = 4 };

struct member {
	const char *plugin, *conf;              /* ' for "; @ for a digit that differs between containers */
	const char *ifname;                     /* of its own, with which another network's chain begins; NULL: the one before's, "eth0" */
};

struct scenario {
	const char   *name;
	struct member chain[CHAIN_MAX];         /* up to the one under attack, which is the last */
	size_t        neighbour;                /* how many steps of the chain the neighbour has taken; 0: all */
	bool          fresh;                    /* plumb's first call on this host: else there is a neighbour, attached before */
	bool          command;                  /* by the plumb command, which runs the whole chain, as one tree of processes */
	bool          other_build;              /* host-local is of another build, so that it is executed */
	bool          host_netns;               /* the container is in the host's namespace */
	const char   *needs, *lacks;            /* a command that succeeds where it can be done; what to say where not */
	bool          flow;                     /* a connection goes through the published port before it is taken down */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

extern const char *const verbs[];               /* until NULL */

/* Once a world: what is there before anything of plumb's, some of it others'; then, where the scenario has one, the neighbour. */
void scenario_begin(const struct scenario *s);
/* What became of the container under attack is not the neighbour's trouble: the last plugin's CHECK of it, where there is one. */
void neighbour_check(const struct scenario *s);
/* Back to what a fresh host has. */
void scenario_reset(const struct scenario *s);

/* The container under attack, and what was answered when it was attached. */
struct attachment {
	const struct scenario *s;
	const char   *pod;                      /* "pod1"; the neighbour is pod2 */
	size_t        count;                    /* steps that ADD has taken */
	struct answer results[CHAIN_MAX];
};

/* How many calls attach a container: one for each member, or one of the command. */
size_t chain_steps(const struct scenario *s);

/* One step of a verb, with what a runtime would send; `at`: the words before the program's, for tests/crash/at, NULL for none. */
struct answer chain_call(const struct attachment *a, size_t step, const char *verb, const char *const *at);
/* The first `count` steps, which must succeed; DEL goes backwards, and GC is told that all but the container under attack are valid. */
void chain_add(struct attachment *a, size_t count);
void chain_del(struct attachment *a, size_t count);
void chain_gc(const struct attachment *a, size_t count);
/* CHECK of what was added. */
void chain_check(const struct attachment *a);

/* A datagram to the published port, and whether the kernel still knows of it. */
bool flow_is_known(void);
void flow_begin(void);

#endif
