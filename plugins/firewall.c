/* firewall: who may talk to a container, and whom it may talk to. Chained after the plugin that made the container's interface.
 *
 * Without a policy (the reference's "open") there is nothing to do in nftables: our table drops nothing that no key asks for. Where firewalld runs, the
 * container's addresses are bound to a zone of it. */
#include "cni/takeover.h"
#include "firewall/firewall.h"

static int firewall_add(struct cni_call *c)
{
	scoped(undo_run) struct undo policy = { 0 }, zone = { 0 };
	int r;

	c->result = c->prev;
	if ((r = policy_add(c)) < 0)
		return r;
	policy = undo_by(c, policy_del);
	if ((r = isolation_add(c)) < 0)
		return r;
	if (zone_is_wanted(c)) {
		if ((r = zone_add(c)) < 0)
			return r;
		zone = undo_by(c, zone_del);
	}
	if ((r = foreign_accept(c)) < 0 || (r = foreign_tell(c)) < 0)
		return r;
	undo_keep(&policy);
	undo_keep(&zone);
	return 0;
}

static int firewall_del(struct cni_call *c)
{
	int r = policy_del(c);

	r = first_failure(r, zone_is_wanted(c) ? zone_del(c) : 0);
	r = first_failure(r, takeover_in_del(c, takeover_firewall));
	return first_failure(r, foreign_leave(c));
}

static int firewall_check(struct cni_call *c)
{
	int r = policy_check(c);

	if (r < 0 || (r = isolation_check(c)) < 0)
		return r;
	if (zone_is_wanted(c) && (r = zone_check(c)) < 0)
		return r;
	return foreign_tell(c);
}

static int firewall_gc(struct cni_call *c)
{
	int r = first_failure(policy_gc(c), zone_gc(c));

	return c->net.dry_run ? r : first_failure(r, foreign_leave(c));
}

CNI_PLUGIN("firewall", .about = "who may talk to a container, and whom it may talk to", .fields = firewall_fields, .conf_size = sizeof(struct firewall_conf),
           .settle = firewall_settle, .flags = PLUGIN_NEEDS_PREV | PLUGIN_NO_NETNS, .oldest = "0.4.0", .add = firewall_add, .del = firewall_del,
           .check = firewall_check, .status = foreign_tell, .gc = firewall_gc);
