/* portmap: ports of the host, published to the container's. Chained after the plugin that made the container's interface.
 *
 * A port is an element of a map, owned by the attachment: a second claim is refused and told who has it; it never shadows. Only what is for an address of
 * the host is caught. The client's address is kept, but where the answer would not come back: from 127.0.0.0/8, and from the container's own network. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "cni/takeover.h"
#include "portmap/portmap.h"

/* ---- What an attachment has in nftables: its ports, and what gives their connections the host's address ---- */

static int each_element(struct job *j, struct nft *nft, int (*mapping)(struct job *j), element_fn *snat)
{
	int r = 0;

	j->nft = nft;
	for (size_t i = 0; i < j->n_targets && r == 0; i++) {
		j->target = &j->targets[i];
		for_list (const struct mapping, m, mappings_of(j->c)) {
			j->mapping = m;
			mapping_text(m, j->what);
			if (r == 0)
				r = mapping(j);
		}
		if (r == 0)
			r = snat_each(j->c, j->target, snat, j);
		if (r == 0)
			r = snat_by_link(j->c, j->target, snat, j);
	}
	return r;
}

/* ---- ADD ---- */

static int claim_as(struct job *j, const struct nft_set *set, struct nft_element *el, bool replace, const char *what)
{
	int r = nft_claim(j->nft, set, el, replace, what, j->c);

	return r == 0 && j->before.count ? set_element_keep(j->c, &j->claimed, set, el) : r;
}

static int claim(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;

	return claim_as(j, set, el, false, j->what);
}

static int refuse_rival(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;

	return nft_refuse_others(j->nft, set, el, j->what, j->c);
}

static int publish(struct job *j)
{
	int family = j->target->address->addr.family, r = 0;

	if (!mapping_concerns(j->mapping, family) || j->mapping->repeated)
		return 0;
	r = mapping_is_range(j->mapping) ? range_is_free(j) : publish_rivals(j->c, j->mapping, family, refuse_rival, j);
	if (r < 0 || (!mapping_is_range(j->mapping) && (r = shadows_evict(j)) < 0))
		return r;
	if (mapping_is_gated(j->c, j->mapping, family) && (r = gate_ensure(j->c, j->nft, j->mapping, family)) < 0)
		return r;
	return publish_each(j->c, j->mapping, j->target, claim, j);
}

static int claim_snat(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;

	return claim_as(j, set, el, true, "the container's address");           /* ours, by its lease */
}

/* What an attachment of our own name has and does not ask for any more goes in the same transaction: ports may change while the container runs. */
static int publish_all(struct nft *nft, void *job)
{
	struct job *j = job;
	int r;

	j->leaving = (struct leaving){ .c = j->c, .nft = nft, .swept = port_note_gone, .arg = j };
	j->claimed = j->gone = (struct list){ 0 };
	r = each_element(j, nft, publish, claim_snat);
	return r < 0 || j->before.count == 0 ? r : leave_replaced(&j->leaving, &nft_inet, &j->before, &j->claimed);
}

/* A host's address of a family that the container does not have cannot lead there. */
static void tell_of_unreachable(struct job *j)
{
	for_list (const struct mapping, m, mappings_of(j->c)) {
		bool reached = false;

		for (size_t i = 0; i < j->n_targets; i++)
			reached |= mapping_concerns(m, j->targets[i].address->addr.family);
		if (!reached && mapping_is_exact(m))
			fprintf(stderr, "runtimeConfig.portMappings[%zu]: %s is not published: the container has no IPv%c address\n", m->index, mapping_text(m, j->what),
			        m->host_ip.family == AF_INET ? '4' : '6');
	}
}

static int unpublish_what_was(struct job *j)
{
	int r = targets_find(j);

	if (r == 0)
		r = nft_work(j->c, &nft_inet, "portmap", unpublish_all, j);
	if (r == 0)
		connections_to_gone_forget(j);
	return r;
}

static int portmap_add(struct cni_call *c)
{
	const struct portmap_conf *conf = c->conf;
	struct job j = { .c = c };
	int r;

	c->result = c->prev;
	if (mappings_of(c)->count == 0)
		return nft_has_record(c, "portmap") ? unpublish_what_was(&j) : 0;
	if ((r = targets_find(&j)) < 0 || (conf->check_listeners && (r = listeners_check(&j)) < 0))
		return r;
	tell_of_unreachable(&j);
	if ((r = replaced_read(c, &nft_inet, "portmap", &j.before)) < 0)
		return r;
	if ((r = nft_work(c, &nft_inet, "portmap", publish_all, &j)) < 0) {
		replaced_stays(c, "portmap");
		return r;
	}
	if (conf->snat && (r = loopback_enable(&j)) < 0)
		return first_failure(r, nft_work(c, &nft_inet, "portmap", unpublish_all, &j));
	connections_to_others_forget(&j);
	connections_to_gone_forget(&j);
	return 0;
}

/* ---- DEL, GC ---- */

static int portmap_del(struct cni_call *c)
{
	struct job j = { .c = c };
	int r = targets_find(&j);

	if (r < 0 || (r = nft_work(c, &nft_inet, "portmap", unpublish_all, &j)) < 0)
		return r;
	if (!j.leaving.count && (mappings_of(c)->count > 0 || !c->has_prev) && (r = takeover_in_del(c, takeover_ports)) < 0)
		return r;
	connections_to_own_forget(&j);
	return 0;
}

static int portmap_gc(struct cni_call *c)
{
	struct job j = { .c = c };
	int r;

	r = first_failure(nft_work(c, &nft_inet, "portmap", sweep_all, &j), takeover_ports_gc(c));
	if (r == 0 && !c->net.dry_run && (r = call_host(c)) == 0)
		connections_to_gone_forget(&j);
	return r;
}

/* ---- CHECK ---- */

static int check_element(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;
	int r = publish_is_at_loopback(set) ? 0 : nft_check(j->nft, set, el, j->what, j->c);

	if (r < 0 || !el->chain[0] || gate_is_shut(j->mapping, j->target->address->addr.family))
		return r;
	return nft_check_chain(j->nft, el->chain, j->what, j->c);
}

static int check_mapping(struct job *j)
{
	return publish_each(j->c, j->mapping, j->target, check_element, j);
}

static int check_all(struct nft *nft, void *job)
{
	return each_element(job, nft, check_mapping, check_element);
}

static int portmap_check(struct cni_call *c)
{
	struct job j = { .c = c };
	int r;

	if (mappings_of(c)->count == 0)
		return 0;
	r = targets_find(&j);
	return r < 0 ? r : nft_work(c, &nft_inet, "portmap", check_all, &j);
}

CNI_PLUGIN("portmap", .about = "publishes ports of the host to the container", .fields = portmap_fields, .conf_size = sizeof(struct portmap_conf),
           .settle = portmap_settle, .flags = PLUGIN_NEEDS_PREV | PLUGIN_NO_NETNS, .add = portmap_add, .del = portmap_del,
           .check = portmap_check, .gc = portmap_gc);
