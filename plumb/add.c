/* plumb add: attaches a namespace to a network. */
#include "attachment.h"
#include "lock.h"
#include "report.h"

int add_run(struct call *c)
{
	struct endpoint e;
	struct network n;
	json_t *result;
	int r;

	if ((r = endpoint_read(c, c->opt.operands[1], &e)) < 0 || (r = network_find(c, c->subject, &n)) < 0)
		return r;
	if ((r = endpoint_wish(c, &n, &e)) < 0 || (r = lock_container(c, e.container)) < 0)
		return r;
	if ((r = attachment_add(c, &n, &e, &result)) < 0)
		return r;
	if (c->opt.json)
		print_json(result);
	else
		report_attachment(c, &n, &e, result);
	return EXIT_DONE;
}
