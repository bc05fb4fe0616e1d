/* The network namespaces of a world. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "inside.h"

int world_enter_netns(int netns)
{
	return setns(netns, CLONE_NEWNET);
}

/* The host's namespace is init's, whatever the caller has entered since. */
int world_netns(const char *name)
{
	char path[300];

	if (!strcmp(name, "host"))
		return open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, strchr(name, '/') ? "%s" : "/run/netns/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Runs step(arg) in a namespace and comes back. */
static int within(int netns, int (*step)(void *arg), void *arg)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int r = back < 0 ? -1 : world_enter_netns(netns), error;

	if (r == 0) {
		r = step(arg);
		error = errno;
		if (world_enter_netns(back) < 0)
			abort();        /* what came next would hit the wrong namespace */
		errno = error;
	}
	if (back >= 0)
		close(back);
	return r;
}

struct socket_wish {
	int family, type, protocol;
};

static int socket_make(void *arg)
{
	struct socket_wish *w = arg;

	return socket(w->family, w->type | SOCK_CLOEXEC, w->protocol);
}

int world_socket(const char *netns, int family, int type, int protocol)
{
	struct socket_wish wish = { family, type, protocol };
	int ns = world_netns(netns), fd = ns < 0 ? -1 : within(ns, socket_make, &wish);

	if (ns >= 0)
		close(ns);
	return fd;
}

/* A namespace in no process's use lives on by the file that it is bound to. */
static int netns_make(const char *name, struct fault *why)
{
	int back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd, r;
	char path[300];

	snprintf(path, sizeof path, "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	r = back < 0 || fd < 0 || unshare(CLONE_NEWNET) < 0 ? -1 : mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL);
	if (r < 0)
		fault_note(why, "network namespace %s", name);
	if (fd >= 0)
		close(fd);
	if (back >= 0 && world_enter_netns(back) < 0)
		r = fault_note(why, "returning from the new network namespace %s", name);
	if (back >= 0)
		close(back);
	return r;
}

/* ---- The LAN ---- */

static bool has_ipv6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}

static bool has_link_local(const char *ifname)
{
	FILE *f = fopen("/proc/thread-self/net/if_inet6", "re");
	char address[33], name[32];
	bool found = false;

	while (f && !found && fscanf(f, "%32s %*s %*s %*s %*s %31s", address, name) == 2)
		found = !strncmp(address, "fe80", 4) && !strcmp(name, ifname);
	if (f)
		fclose(f);
	return found;
}

/* The kernel notices a carrier on its own time and gives the link-local address then. Nobody shall see the world change after its start. */
static int settle(const char *ifname, struct fault *why)
{
	for (int ms = 0; has_ipv6() && !has_link_local(ifname); ms++) {
		if (ms > 5000) {
			errno = ETIMEDOUT;
			return fault_note(why, "waiting for the link-local address of %s", ifname);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return 0;
}

/* One end of the LAN's cable: addresses that need no second of duplicate detection, and up. */
static int lan_end_up(const char *ifname, const char *v4, const char *v6, struct fault *why)
{
	char path[128];
	int fd;

	if (rtnl_address(ifname, v4, 24, why) < 0)
		return -1;
	if (has_ipv6()) {
		snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/accept_dad", ifname);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) < 0)
			return fault_note(why, "%s", path);
		close(fd);
		if (rtnl_address(ifname, v6, 64, why) < 0)
			return -1;
	}
	return rtnl_up(ifname, why);
}

static int lan_peer_up(void *why)
{
	return rtnl_up("lo", why) < 0 ? -1 : lan_end_up("eth0", "192.0.2.2", "2001:db8:1::2", why);
}

static int lan_peer_settle(void *why)
{
	return settle("eth0", why);
}

static int lan_host_up(struct fault *why)
{
	if (lan_end_up("lan0", "192.0.2.1", "2001:db8:1::1", why) < 0 || rtnl_default_route("192.0.2.2", why) < 0)
		return -1;
	return has_ipv6() ? rtnl_default_route("2001:db8:1::2", why) : 0;
}

enum { LAN0_INDEX = 100 };

static int lan_make(struct fault *why)
{
	int peer, r;

	if (netns_make("lan", why) < 0)
		return -1;
	peer = world_netns("lan");
	r = peer < 0 ? fault_note(why, "network namespace lan") : rtnl_veth("lan0", LAN0_INDEX, "eth0", peer, why);
	if (r == 0 && (r = within(peer, lan_peer_up, why)) == 0 && (r = lan_host_up(why)) == 0 && (r = settle("lan0", why)) == 0)
		r = within(peer, lan_peer_settle, why);
	if (peer >= 0)
		close(peer);
	return r;
}

int world_furnish(const char *names, struct fault *why)
{
	char *copy = strdup(names), *rest = copy, *name;
	int r = 0;

	while (r == 0 && (name = strsep(&rest, " ")))
		if (*name)
			r = !strcmp(name, "lan") ? lan_make(why) : netns_make(name, why);
	free(copy);
	return r;
}
