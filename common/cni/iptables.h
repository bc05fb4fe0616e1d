/* Rules that another program has made with iptables, taken away with iptables, whichever kind made them: iptables-nft or iptables-legacy. */
#ifndef PLUMB_CNI_IPTABLES_H
#define PLUMB_CNI_IPTABLES_H

#include "cni/plugin.h"

struct iptables_rules;
/* Whether a rule is meant, a line as `iptables -S` prints it. */
typedef bool iptables_meant(const struct cni_call *c, const struct iptables_rules *rules, const char *line);

struct iptables_rules {
	const char *table, *chain;      /* where they are */
	const char *own;                /* the chain that they lead to, which goes with the last of them; NULL: there is none */
	iptables_meant *is_meant;
};

/* Removes the rules meant, and their own chain. 1: there were some; 0: there were none, and then, as a rule, no program was run; or negative.
 * Without an own chain rules are looked for in the families of prevResult's addresses only. */
int iptables_forget(struct cni_call *c, const struct iptables_rules *rules);

/* Calls each for the rules of a chain, as lines, in whichever kind of iptables and both families; none where there is no such chain. Its name begins
 * with "CNI-". 0, or what each has returned. */
int iptables_each(struct cni_call *c, const char *table, const char *chain, int (*each)(struct cni_call *c, char *line, void *arg), void *arg);

/* Whether it leads to the own chain: the line's end. */
bool iptables_leads_to_own(const struct iptables_rules *rules, const char *line);

#endif
