/* plumb add: attaches a namespace to a network. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "attachment.h"
#include "lock.h"
#include "report.h"

static int tell(struct call *c, const struct network *n, const struct endpoint *e, const json_t *result)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int r = 0;

	sigaction(SIGPIPE, &ignore, &before);
	if (c->opt.json)
		print_json(result);
	else
		report_attachment(c, n, e, result);
	if (fflush(stdout) != 0 || ferror(stdout))
		r = errno ? -errno : -EIO;
	sigaction(SIGPIPE, &before, NULL);
	return r;
}

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
	r = tell(c, &n, &e, result);
	if (r == 0)
		return EXIT_DONE;
	/* Whoever asked does not know of it, and would not detach it. */
	attachment_clear(c, n.name, &n, &e);
	signal(SIGPIPE, SIG_IGN);       /* not before: plugins would ignore it too */
	err_sys(&c->trouble.err, CNI_IO, r, "writing the result to stdout");
	err_detail(&c->trouble.err, "the attachment was undone");
	return r;
}
