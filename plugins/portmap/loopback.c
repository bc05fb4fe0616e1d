/* What the host itself has to allow, so that published ports are reached from 127.0.0.0/8, from ::1, and by containers of the same bridge. It stays: other
 * containers may have come to need it. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "os/link.h"
#include "os/route.h"
#include "os/sysctl.h"
#include "portmap/portmap.h"

/* What stands for ::1 where answers come in by other links than lo (spec/ruleset.nft); lo is the first link of every namespace. */
#define LOOPBACK_STANDIN "fd70:6c75:6d62::1"
enum { LOOPBACK_INDEX = 1 };

/* The bridge itself, or ptp's end of the veth: no port. */
static bool is_way_to_target(const struct job *j, const char *link)
{
	for (size_t i = 0; i < j->n_targets; i++)
		if (!strcmp(j->targets[i].link, link))
			return true;
	return false;
}

/* A bridge with netfilter on it (br_netfilter) translates a frame before it is routed, and would have to send it out by the port it came in by:
 * which takes hairpin mode. */
static void hairpin_where_bridged(struct job *j)
{
	struct cni_call *c = j->c;
	struct err ignored = { 0 };

	if (sysctl_number(0, "net/bridge/bridge-nf-call-iptables") == 0 && sysctl_number(0, "net/bridge/bridge-nf-call-ip6tables") == 0)
		return;
	for_list (const struct iface, i, &c->prev.ifaces) {
		struct link l;

		if (i->name && !i->sandbox && !is_way_to_target(j, i->name) && link_by_name(&c->host, i->name, &l, &ignored) == 0 && l.master && !l.hairpin)
			port_set(&c->host, l.index, true, l.isolated, &ignored);
	}
}

/* 127.0.0.0/8 may leave by the link that leads to the container; the ruleset sees that nothing of it comes in from there. */
static int localnet_enable(struct job *j)
{
	for (size_t i = 0; i < j->n_targets; i++) {
		const struct target *t = &j->targets[i];
		int r = t->address->addr.family == AF_INET && *t->link ? sysctl_set("1", "net/ipv4/conf/%s/route_localnet", t->link) : 0;

		if (r < 0)
			return err_sys(&j->c->err, CNI_FAILED, r, "unable to enable route_localnet on %s", t->link);
	}
	return 0;
}

/* ::1 has no such setting: the ruleset gives what comes from there another address (spec/ruleset.nft), and the answer to that is the host's own. */
static void loopback6_enable(struct job *j)
{
	struct route standin = { .dst.len = 128, .type = RTN_LOCAL, .table = RT_TABLE_LOCAL, .scope = -1, .index = LOOPBACK_INDEX };
	struct err why = { 0 };

	addr_parse(LOOPBACK_STANDIN, &standin.dst.addr);
	for (size_t i = 0; i < j->n_targets; i++)
		if (j->targets[i].address->addr.family == AF_INET6 && route_add(&j->c->host, &standin, &why) < 0 && why.code)
			fprintf(stderr, "portmap: published ports are not reached at ::1: %s: %s\n", why.msg, why.details);
}

int loopback_enable(struct job *j)
{
	hairpin_where_bridged(j);
	loopback6_enable(j);
	return localnet_enable(j);
}
