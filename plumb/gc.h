/* Garbage collection, for who finds garbage. */
#ifndef PLUMB_GC_H
#define PLUMB_GC_H

struct call;

/* What `plumb gc NAME` does, told on stdout a line an attachment unless c->opt.json. An exit code, or negative with c->trouble set. */
int gc_network(struct call *c, const char *name);

#endif
