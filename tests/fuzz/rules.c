/* ADD, CHECK, DEL and GC of the plugins that write rules, whatever the configuration says (conf.c has the form), with a kernel that agrees to all: what they
 * send must be whole messages, what they answer well-formed. */
#include "lib/call.h"
#include "lib/fuzz.h"
#include "lib/kernel.h"
#include "os/spawn.h"

/* No program is run. */
int spawn_run(const struct spawn *s, struct spawned *out, struct err *e)
{
	(void)s, (void)e;
	*out = (struct spawned){ .output = NULL };
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	world_of_our_own();
	return 0;
}

static void run(struct cni_call *c, enum verb verb)
{
	c->verb = verb;
	err_clear(&c->err);
	require_outcome_or_silence(plugin_run(c), &c->err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_call c;
	int r;

	kernel_agrees();
	r = call_of_input(&c, data, size);
	if (r == 0 && (c.plugin == plugin_find("portmap") || c.plugin == plugin_find("firewall"))) {
		run(&c, c.verb);
		if (c.verb == VERB_ADD) {
			run(&c, VERB_CHECK);
			run(&c, VERB_DEL);
		}
	}
	call_end(&c);
	return 0;
}
