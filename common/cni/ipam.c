#include "cni/ipam.h"

#include <errno.h>

#include "base/trace.h"
#include "cni/delegate.h"

static int ipam_run(struct cni_call *c, enum verb verb, struct result *result)
{
	return has_ipam(c) ? delegate_run(c, c->net.ipam.type, verb, result) : 0;
}

int lease_take(struct lease *l, struct cni_call *c)
{
	struct result got = { 0 };
	int r;

	if (!has_ipam(c))
		return 0;
	r = ipam_run(c, VERB_ADD, &got);
	if (r < 0)
		return r;
	l->held = c;                    /* not before: a second ADD that was refused must not give the first one's lease back */
	if (got.ips.count == 0) {
		err_set(&c->err, CNI_FAILED, -ENODATA, "IPAM plugin returned missing IP config");
		err_detail(&c->err, "ipam: \"%s\" gave no address; want a configuration of it that has some, or none of \"ipam\" at all", c->net.ipam.type);
		return -ENODATA;
	}
	c->result.ips = got.ips;
	c->result.routes = got.routes;
	c->result.dns = got.dns;
	return 0;
}

void lease_drop(struct lease *l)
{
	if (l->held)
		lease_give_back(l->held);
}

int lease_give_back(struct cni_call *c) { return ipam_run(c, VERB_DEL, NULL); }
int lease_check(struct cni_call *c)     { return ipam_run(c, VERB_CHECK, NULL); }
int lease_status(struct cni_call *c)    { return ipam_run(c, VERB_STATUS, NULL); }
int lease_gc(struct cni_call *c)        { return ipam_run(c, VERB_GC, NULL); }
