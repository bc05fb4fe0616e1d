/* Plugins that a test writes as shell scripts. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conform.h"

static const char *const usual_body =
	"case $CNI_COMMAND in\n"
	"ADD) echo '{\"cniVersion\": \"1.1.0\", \"ips\": [{\"address\": \"10.1.0.9/24\", \"gateway\": \"10.1.0.1\"}], \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}' ;;\n"
	"esac\n";

void fake(const char *name, const char *body)
{
	const char *path = keep(FAKES "/%s", name), *log = keep(FAKES "/log/%s", name);

	file_write(keep("%s.calls", log), "");
	file_write(path, keep("#!/bin/sh\nlog=%s\nenv >$log.$CNI_COMMAND.env\ncat >$log.$CNI_COMMAND.in\necho $CNI_COMMAND >>$log.calls\n%s", log, body ? body : usual_body));
	if (chmod(path, 0755) < 0)
		fail("chmod %s", path);
}

const char *fake_calls(const char *name)
{
	char *calls = keep("%s", file_read(keep(FAKES "/log/%s.calls", name)));
	size_t len = strlen(calls);

	for (char *c = calls; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (len)
		calls[len - 1] = '\0';
	return calls;
}

static const char *fake_file(const char *name, const char *verb, const char *what)
{
	const char *text = file_read(keep(FAKES "/log/%s.%s.%s", name, verb, what));

	if (!text)
		fail("the delegate %s has not been called for %s; calls: %s", name, verb, fake_calls(name));
	return text;
}

const char *fake_env(const char *name, const char *verb)   { return fake_file(name, verb, "env"); }
const char *fake_input(const char *name, const char *verb) { return fake_file(name, verb, "in"); }

const char *fakes_path(void)
{
	return keep(FAKES ":%s", bin_dir());
}
