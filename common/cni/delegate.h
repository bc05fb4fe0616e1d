/* Delegation: another plugin does a part of the work, with our environment and our configuration.
 * (CNI specification 1.1.0, section 4.) */
#ifndef PLUMB_CNI_DELEGATE_H
#define PLUMB_CNI_DELEGATE_H

#include "cni/plugin.h"

/* Finds `type` in CNI_PATH and has it do a verb. Where what is found is of the same build as ourselves and we contain it, it runs in process;
 * otherwise it is executed, its stderr being ours. Its error becomes ours whole: code, msg, details. result, for ADD, may be NULL else. */
int delegate_run(struct cni_call *c, const char *type, enum verb verb, struct result *result);

#endif
