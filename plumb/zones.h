/* Containers' zones of firewalld, put back by the helper plumb-firewalld. */
#ifndef PLUMB_ZONES_H
#define PLUMB_ZONES_H

struct call;

/* How many attachments' addresses are in their zones again: 0 where none is on record, or firewalld does not run. Negative with c->trouble set; what could
 * not be put back the helper has told on stderr. */
int zones_restore(struct call *c);

#endif
