/* What a call is told on stdin. Part of the shared main. */
#ifndef PLUMB_CNI_CONF_H
#define PLUMB_CNI_CONF_H

#include "cni/plugin.h"

/* All of stdin into c->input. 0 or negative with c->err set. */
int conf_input(struct cni_call *c);
/* Reads c->input: what every configuration has, prevResult, the attachments to keep (GC), and the plugin's own (plugin_read_conf). The same. */
int conf_read(struct cni_call *c);

/* Whether a plugin knows this version of the specification. */
bool conf_version_fits(const struct cni_plugin *p, const char *version);

#endif
