/* What plumb doctor has found. */
#ifndef PLUMB_DOCTOR_H
#define PLUMB_DOCTOR_H

#include "rules.h"
#include "survey.h"

enum level { LEVEL_PROBLEM, LEVEL_WARNING, LEVEL_NOTE };        /* something does not work; will not for long, or not for all; worth to know */

struct finding {
	enum level  level;
	const char *id;                 /* always the same for the same kind: "forwarding-off" */
	const char *what, *why, *remedy;        /* why: why it matters */
	enum { FIX_NONE, FIX_GC, FIX_RESTORE } fix;
	const char *network;            /* of FIX_GC */
};

struct examination {
	struct call   *c;
	struct survey *s;
	struct ruleset rs;
	struct list    findings;        /* of struct finding */
};

/* Strings are the arena's, or last. */
void find_add(struct examination *x, struct finding f);
const char *find_words(struct examination *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void examine_kernel(struct examination *x);     /* features, forwarding, rp_filter, br_netfilter */
void examine_firewall(struct examination *x);   /* what others drop; what the reference plugins left */
void examine_networks(struct examination *x);   /* configurations, subnets, pools, bridges */
void examine_records(struct examination *x);    /* dead attachments, leases, lost tables */
void examine_install(struct examination *x);    /* plugins, helpers, directories, name servers */

#endif
