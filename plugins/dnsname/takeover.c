/* What containers/dnsname has left: a directory for each network with `addnhosts`, a line for each address (ADDRESS NAME ALIAS…), which its dnsmasq
 * reads when it starts and at SIGHUP. Containers that it has set up go on being answered by that; their DEL is ours. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsname/dnsname.h"

static const char *their_file(struct cni_call *c, const char *file)
{
	const char *run = getenv("XDG_RUNTIME_DIR");

	return arena_printf(&c->arena, "%s/containers/cni/dnsname/%s/%s", run && *run ? run : "/run", c->who.network, file);
}

static bool is_of_container(const struct cni_call *c, const char *line, const char *pod)
{
	char address[ADDR_TEXT] = "", name[256] = "";
	struct addr a;

	if (sscanf(line, "%45s %255s", address, name) != 2 || !addr_parse(address, &a))
		return false;
	if (c->prev.ips.count == 0)
		return *pod && !strcmp(name, pod);
	for_list (const struct ip_conf, ip, &c->prev.ips)
		if (addr_equal(&ip->address.addr, &a))
			return true;
	return false;
}

/* The lines that stay; *gone: how many do not. */
static const char *without_container(struct cni_call *c, char *lines, const char *pod, int *gone)
{
	const char *kept = "";
	char *line;

	while (kept && (line = strsep(&lines, "\n"))) {
		if (is_of_container(c, line, pod))
			++*gone;
		else if (*line)
			kept = arena_printf(&c->arena, "%s%s\n", kept, line);
	}
	return kept;
}

static int signal_theirs(struct cni_call *c, int sig)
{
	const char *conf = their_file(c, "dnsmasq.conf"), *said = conf ? arena_printf(&c->arena, "--conf-file=%s", conf) : NULL;
	long pid = 0;
	int r = names_number(c, their_file(c, "pidfile"), 1 << 22, &pid);

	return r == 1 ? program_signal(c, (pid_t)pid, said, sig) : r == -EBADMSG ? 0 : r;
}

/* By their file of names DEL finds them, so it goes last. */
static int end_theirs(struct cni_call *c)
{
	static const char *const files[] = { "pidfile", "addnhosts.old", "dnsmasq.conf", "lock", "addnhosts" };
	int r = signal_theirs(c, SIGTERM);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++)
		r = names_remove(c, their_file(c, files[i]));
	return r < 0 ? r : names_remove_dir(c, their_file(c, ""));
}

int takeover_names(struct cni_call *c)
{
	scoped(fd_close) int held = -1;
	const char *pod = "", *kept;
	const struct arg args[] = { { "K8S_POD_NAME", &pod }, { NULL } };
	struct err ignored = c->err;
	char *lines;
	int gone = 0, r;

	if (c->verb != VERB_DEL || (r = names_there(c, their_file(c, "addnhosts"))) == 0)
		return 0;
	if (r < 0)
		return r;
	args_read(c, args);
	c->err = ignored;               /* what it says is a hint, and DEL not the place to refuse it */
	if ((r = names_lock(c, their_file(c, "lock"), &held)) < 0)
		return r;
	if ((r = names_read(c, their_file(c, "addnhosts"), &lines)) < 0)
		return r;
	kept = lines ? without_container(c, lines, pod, &gone) : "";
	if (!kept)
		return err_nomem(&c->err, "names");
	if (!*kept)
		return end_theirs(c);
	if (gone && (r = names_write(c, their_file(c, "addnhosts"), kept)) < 0)
		return r;
	return signal_theirs(c, SIGHUP);        /* also when they are gone already: who has seen to it may have died before he could tell */
}
