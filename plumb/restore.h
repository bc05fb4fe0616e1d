/* Restoring, for who finds that something is lost. */
#ifndef PLUMB_RESTORE_H
#define PLUMB_RESTORE_H

struct call;

/* nft_restore finds plumb-ruleset from now on: beside the plugins, where one of their directories has it. */
void restore_find_helper(struct call *c);

#endif
