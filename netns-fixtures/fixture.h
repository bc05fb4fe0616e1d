/* Worlds to test network programs in.
 *
 * A world is a tree of processes with namespaces of its own. Its first network namespace plays the host; others, made in it
 * by name, play containers and a second machine. Nothing in it reaches the machine's own network, files or processes:
 *
 *   host            the network namespace that a world is born in, lo up
 *   pod1, pod2 …    empty ones, lo down, as a container runtime leaves them; bound at /run/netns/NAME, so `ip -n NAME` works
 *   lan             a machine on the host's LAN. The host has lan0 (192.0.2.1/24, 2001:db8:1::1/64) and its default routes by
 *                   the peer, eth0 (.2 and ::2), which knows no way to networks inside the host
 *
 * /run and /var/lib are empty and the world's own, /proc and /sys show the world, /proc/sys/net may be written. Processes see
 * none but the world's, and when the one that began the world ends, or the one that asked for it, everything in it is gone: there
 * is no teardown. Needs root, or else a kernel that lets users make user namespaces. Nothing here knows of CNI. */
#ifndef NETNS_FIXTURE_H
#define NETNS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Why a call failed, for people: what was tried, and errno's words. */
struct fault {
	char text[256];
};

enum { WORLD_USERS = 1 };       /* with a user namespace even for root. (Without the privilege there always is one.) */

/* As fork(): 0 in the child, which is root in a new world; in the caller the pid of the world's first process, whose exit status will be
 * the child's (or 128 + the signal that ended it). Killing it ends the world. -1: *why says what the kernel refused. */
pid_t world_fork(unsigned flags, struct fault *why);

/* ---- In a world ---- */

/* Makes the namespaces named in `names`, parted by spaces: "pod1 pod2 lan". 0, or -1 with *why. */
int world_furnish(const char *names, struct fault *why);

/* A namespace by its name ("host" too), or by a path; a descriptor, or -1 with errno. */
int world_netns(const char *name);

/* Enters a namespace by its descriptor, for this thread. 0 or -1. */
int world_enter_netns(int netns);

/* A socket that belongs to a namespace while the caller stays where it is; a descriptor, or -1 with errno. */
int world_socket(const char *netns, int family, int type, int protocol);

/* ---- From outside ---- */

/* Moves the calling process into the world whose first process is pid: its children will be in it whole, itself all but its place
 * among the processes. 0, or -1 with *why. */
int world_join(pid_t pid, struct fault *why);

/* Notes what failed, and errno's words where there is one; returns -1. */
int fault_note(struct fault *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
