/* What the kernel can do, tried in a network namespace that ends with the try; and how it is set. */
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cni/execute.h"
#include "doctor.h"
#include "os/link.h"
#include "os/netns.h"
#include "os/nft.h"
#include "os/sysctl.h"
#include "plumb.h"

/* ---- Features ---- */

enum { RULESET_MS = 30 * 1000 };

/* 0 or why not. */
struct features {
	int         veth, bridge, vlan, nftables, ruleset, ipv6, sctp;
	const char *helper;             /* plumb-ruleset; NULL: not there */
};

static int try_veth(struct netlink *nl)
{
	struct err ignored = { 0 };
	scoped(fd_close) int self = netns_open_self(&ignored);
	struct veth v = { .near = "v0", .far = "v1", .near_mac = mac_random(), .far_mac = mac_random(), .pod = self };
	struct link made;

	return veth_create(nl, &v, &made, &ignored);
}

static int try_bridge(struct netlink *nl, const char *name, bool vlan)
{
	struct err ignored = { 0 };

	return bridge_create(nl, &(struct bridge){ .name = name, .mac = mac_random(), .vlan_filtering = vlan }, &ignored);
}

/* The whole of spec/ruleset.nft, by the helper that loads it: NAT, fib, sets of concatenations and ranges, … */
static int try_ruleset(struct features *f)
{
	char *argv[] = { (char *)f->helper, "inet", NULL };
	struct err ignored = { 0 };
	struct spawned out = { 0 };
	int r = spawn_run(&(struct spawn){ .path = f->helper,
					  .argv = argv,
					  .env = environ,
					  .input = "",
					  .output_limit = 1 << 20,
					  .deadline_ms = RULESET_MS,
					  .quiet = true},
			  &out, &ignored);

	free(out.output);
	return r < 0 ? r : out.status ? -EOPNOTSUPP : 0;
}

static int pass_over(const struct nft_chain_seen *chain, void *arg)
{
	(void)chain, (void)arg;
	return 0;
}

static int try_nftables(void)
{
	struct err ignored = { 0 };
	struct nft nft;
	int r = nft_open(&nft, &ignored);

	if (r < 0)
		return r;
	r = nft_chain_each(&nft, pass_over, NULL, &ignored);
	nft_close(&nft);
	return r;
}

static void try_all(struct features *f, struct netlink *nl)
{
	f->veth = try_veth(nl);
	f->bridge = try_bridge(nl, "b0", false);
	f->vlan = try_bridge(nl, "b1", true);
	f->nftables = try_nftables();
	f->ruleset = f->helper && f->nftables == 0 ? try_ruleset(f) : 0;
	f->ipv6 = sysctl_number(1, "net/ipv6/conf/all/disable_ipv6") ? -EAFNOSUPPORT : 0;
	f->sctp = f->ruleset == 0 && f->nftables == 0 && sysctl_number(-1, "net/netfilter/nf_conntrack_sctp_timeout_established") < 0
			  ? -EPROTONOSUPPORT
			  : 0;
}

/* False: no namespace of our own is to be had. */
static bool features_try(struct features *f)
{
	struct err ignored = { 0 };
	scoped(netns_leave) int back = netns_open_self(&ignored);
	struct netlink nl = { 0 };

	if (back < 0)
		return false;
	if (unshare(CLONE_NEWNET) < 0 || netlink_open(&nl, NETLINK_ROUTE, &ignored) < 0)
		return false;
	try_all(f, &nl);
	netlink_close(&nl);
	return true;
}

static void tell_missing(struct examination *x, int r, enum level level, const char *what, const char *why)
{
	if (r < 0)
		find_add(x, (struct finding){ level, "kernel-feature", find_words(x, "the kernel has no %s: %s", what, strerror(-r)), why,
		                              "load the module, or take a kernel that has it" });
}

static bool wants_family(const struct survey *s, int family)
{
	for_list (const struct seen_network, n, &s->networks)
		for_list (const struct seen_subnet, sub, &n->subnets)
			if (sub->net.addr.family == family)
				return true;
	return false;
}

static bool wants_sctp(const struct survey *s)
{
	json_t *port;
	size_t i;

	for_list (const struct seen_attachment, a, &s->attachments)
		json_array_foreach(attached_ports(&a->record), i, port) {
			const char *protocol = json_member_string(port, "protocol");

			if (protocol && !strcmp(protocol, "sctp"))
				return true;
		}
	return false;
}

static bool wants_vlans(const struct survey *s)
{
	json_t *plugin;
	size_t i;

	for_list (const struct seen_network, n, &s->networks)
		json_array_foreach(n->conf.plugins, i, plugin)
			if (json_member(plugin, "vlan") || json_member(plugin, "vlanTrunk"))
				return true;
	return false;
}

static void examine_features(struct examination *x)
{
	struct features f = { .helper = plugin_path(&x->c->arena, x->c->opt.bin_path, "plumb-ruleset") };

	if (!features_try(&f)) {
		find_add(x, (struct finding){ LEVEL_NOTE, "kernel-untried", "what the kernel can do was not tried: no network namespace can be made",
					     NULL, "run it as root" });
		return;
	}
	tell_missing(x, f.veth, LEVEL_PROBLEM, "veth links (CONFIG_VETH)", "bridge and ptp connect containers by them");
	tell_missing(x, f.bridge, LEVEL_PROBLEM, "bridges (CONFIG_BRIDGE)", "networks of type bridge cannot be made");
	tell_missing(x, f.bridge == 0 ? f.vlan : 0, wants_vlans(x->s) ? LEVEL_PROBLEM : LEVEL_NOTE,
		     "VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING)", "\"vlan\" and \"vlanTrunk\" of networks of type bridge fail");
	tell_missing(x, f.nftables, LEVEL_PROBLEM, "nf_tables (CONFIG_NF_TABLES)", "no published ports, no masquerading, no policy");
	if (f.ruleset < 0)
		find_add(x, (struct finding){ LEVEL_PROBLEM, "kernel-ruleset", "the kernel does not take plumb's ruleset",
					     "no published ports, no masquerading, no policy",
					     find_words(x,
							"`unshare -n %s inet` says what it lacks: NAT (CONFIG_NFT_NAT, CONFIG_NFT_MASQ), "
							"CONFIG_NFT_FIB_INET, CONFIG_NFT_CT are needed",
							f.helper) });
	tell_missing(x, f.ipv6, wants_family(x->s, AF_INET6) ? LEVEL_PROBLEM : LEVEL_NOTE, "IPv6, or it is switched off",
		     "networks with IPv6 addresses fail");
	tell_missing(x, f.sctp, wants_sctp(x->s) ? LEVEL_PROBLEM : LEVEL_NOTE, "tracking of SCTP connections (CONFIG_NF_CT_PROTO_SCTP)",
		     "published ports of sctp do not work");
}

/* ---- Settings ---- */

static bool routes_family(const struct seen_network *n, int family)
{
	if (n->internal || !n->link)
		return false;
	for_list (const struct seen_attachment *, a, &n->attachments)
		if (!(*a)->fault && attachment_address(*a, family))
			return true;
	return false;
}

static void examine_forwarding(struct examination *x, int family)
{
	const char *name = family == AF_INET ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding", *networks = "";
	bool on = family == AF_INET ? sysctl_number(0, "net/ipv4/ip_forward") : sysctl_number(0, "net/ipv6/conf/all/forwarding");

	for_list (const struct seen_network, n, &x->s->networks)
		if (!on && routes_family(n, family))
			networks = find_words(x, "%s%s%s", networks, *networks ? ", " : "", n->name);
	if (*networks)
		find_add(x, (struct finding){
				    LEVEL_PROBLEM, "forwarding-off", find_words(x, "%s is 0", name),
				    find_words(x, "nothing goes from containers to other machines, nor in by published ports: networks %s", networks),
				    find_words(x, "sysctl -w %s=1, and find who switches it off (/etc/sysctl.conf, /etc/sysctl.d)", name) });
}

static bool is_default_link(const struct survey *s, int index)
{
	for_list (const struct route, r, &s->routes)
		if (r->index == index && r->dst.addr.family == AF_INET && prefix_is_default(&r->dst))
			return true;
	return false;
}

/* Strict where it hurts: on a link that others come by, when the way back to them leads by another. */
static void examine_rp_filter(struct examination *x)
{
	long all = sysctl_number(0, "net/ipv4/conf/all/rp_filter");
	bool published = false, another = false;

	for_list (const struct seen_attachment, a, &x->s->attachments)
		published |= attached_ports(&a->record) != NULL;
	for_list (const struct seen_link, l, &x->s->links)
		another |= is_default_link(x->s, l->link.index);
	for_list (const struct seen_link, l, &x->s->links) {
		long own = sysctl_number(0, "net/ipv4/conf/%s/rp_filter", l->link.name);

		if (!published || !another || (all > own ? all : own) != 1 || !survey_is_uplink(x->s, l) || is_default_link(x->s, l->link.index))
			continue;
		find_add(x, (struct finding){ LEVEL_WARNING, "rp-filter-strict",
					     find_words(x, "rp_filter of %s is strict, and the default route leads elsewhere", l->link.name),
					     "who comes in there from farther than its own subnet is dropped, also when asking for a published port",
					     find_words(x, "sysctl -w net.ipv4.conf.%s.rp_filter=2 (and conf.all), or a route back by %s",
							l->link.name, l->link.name) });
	}
}

static void examine_br_netfilter(struct examination *x)
{
	if (sysctl_number(0, "net/bridge/bridge-nf-call-iptables") || sysctl_number(0, "net/bridge/bridge-nf-call-ip6tables"))
		find_add(x, (struct finding){ LEVEL_NOTE, "br-netfilter", "br_netfilter is on",
					     "what neighbours on one bridge say to each other passes all chains of the forward hook, others' too",
					     "nothing, if Kubernetes or Docker wants it; else sysctl -w net.bridge.bridge-nf-call-iptables=0" });
}

void examine_kernel(struct examination *x)
{
	examine_features(x);
	examine_forwarding(x, AF_INET);
	examine_forwarding(x, AF_INET6);
	examine_rp_filter(x);
	examine_br_netfilter(x);
}
