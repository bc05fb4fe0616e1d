/* DEL: whatever of the attachment is there goes, by key where the keys are known. */
#include <errno.h>
#include <string.h>

#include "portmap/portmap.h"

static int is_ours(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;
	int r = nft_find(j->nft, set, el, &j->c->err);

	return r == 1 ? nft_owned_by(el, j->c->who.owner) : r;
}

/* DEL without mappings: asks whether the container's address is in a set of published containers. Only snat and masqAll put it there; without them
 * the answer is yes. */
static int may_have_ports(struct job *j)
{
	const struct portmap_conf *conf = j->c->conf;
	int r = !conf->snat && !conf->masq_all;

	for (size_t i = 0; i < j->n_targets && r == 0; i++)
		r = snat_each(j->c, &j->targets[i], is_ours, j);
	return r;
}

static int give_back(const struct nft_set *set, struct nft_element *el, void *job)
{
	struct job *j = job;

	return leave(&j->leaving, set, el);
}

/* By the link that leads to the container now, and by every one that prevResult tells: the route may be gone already. */
static int snat_by_any_link(struct job *j, const struct target *t)
{
	int r = snat_by_link(j->c, t, give_back, j);

	for_list (const struct iface, i, &j->c->prev.ifaces) {
		struct target named = { .address = t->address };

		if (r == 0 && i->name && !i->sandbox && strcmp(i->name, t->link) && text_format(named.link, sizeof named.link, "%s", i->name))
			r = snat_by_link(j->c, &named, give_back, j);
	}
	return r;
}

static int give_back_target(struct job *j, const struct target *t)
{
	int r = 0;

	for_list (const struct mapping, m, mappings_of(j->c))
		if (r == 0)
			r = publish_each(j->c, m, t, give_back, j);
	if (r == 0)
		r = snat_each(j->c, t, give_back, j);
	return r == 0 ? snat_by_any_link(j, t) : r;
}

int sweep_all(struct nft *nft, void *job)
{
	struct job *j = job;
	int r = 0;

	j->leaving = (struct leaving){ .c = j->c, .nft = nft, .swept = port_note_gone, .arg = j };
	j->gone = (struct list){ 0 };
	for (const struct nft_set *const *set = portmap_sets; *set; set++)
		r = first_failure(r, leave_swept(&j->leaving, *set));
	return r < 0 ? r : leave_chains(&j->leaving);
}

/* Without a record: by key where the mappings are known, else everything that says to be the attachment's. */
static int give_back_known(struct job *j)
{
	int r = 0, sweep = j->n_targets == 0;

	if (!sweep && mappings_of(j->c)->count == 0)
		sweep = may_have_ports(j);
	if (sweep != 0)
		return sweep < 0 ? sweep : sweep_all(j->nft, j);
	for (size_t i = 0; i < j->n_targets && r == 0; i++)
		r = give_back_target(j, &j->targets[i]);
	return r < 0 ? r : leave_chains(&j->leaving);
}

int unpublish_all(struct nft *nft, void *job)
{
	struct job *j = job;
	int r;

	j->nft = nft;
	j->leaving = (struct leaving){ .c = j->c, .nft = nft, .swept = port_note_gone, .arg = j };
	j->gone = (struct list){ 0 };
	r = leave_recorded(&j->leaving, &nft_inet, "portmap");
	if (r == -ENOENT)
		return give_back_known(j);
	return r < 0 ? r : leave_chains(&j->leaving);
}
