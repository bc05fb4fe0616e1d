/* An attachment told to people. */
#ifndef PLUMB_REPORT_H
#define PLUMB_REPORT_H

#include "endpoint.h"

/* On stdout: the interface, its addresses, the published ports, DNS. */
void report_attachment(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result);

#endif
