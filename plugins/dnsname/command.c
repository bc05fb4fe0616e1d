/* What a server is told: its command line, and a file of names with a dot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dnsname/dnsname.h"

const char *server_path(struct cni_call *c, const char *view, const char *file)
{
	return arena_printf(&c->arena, NAMES "/servers/%s/%s", view, file);
}

/* ---- Its command line ---- */

/* The user's and its group's names: 1; 0: there is none of the name; negative: that cannot be told. */
static int find_user(struct cni_call *c, const char *user, char out[64])
{
	char *users, *groups, *line, name[64];
	int gid = -1, id, r;

	if ((r = names_read(c, "/etc/passwd", &users)) < 0 || (r = names_read(c, "/etc/group", &groups)) < 0)
		return r;

	while (users && gid < 0 && (line = strsep(&users, "\n")))
		if (sscanf(line, "%63[^:]:%*[^:]:%*d:%d:", name, &id) == 2 && !strcmp(name, user))
			gid = id;
	while (groups && gid >= 0 && (line = strsep(&groups, "\n")))
		if (sscanf(line, "%63[^:]:%*[^:]:%d:", out, &id) == 2 && id == gid)
			return 1;
	return 0;
}

/* In a user namespace with no ids but root's there is nobody else to be: root there has no rights outside. */
static int has_other_users(struct cni_call *c)
{
	char *map, *groups, *line;
	unsigned long long count, all = 0;
	int r;

	if ((r = names_read(c, "/proc/self/uid_map", &map)) < 0 || (r = names_read(c, "/proc/self/setgroups", &groups)) < 0)
		return r;
	if (!map)                               /* a kernel without user namespaces */
		return 1;
	while ((line = strsep(&map, "\n")))
		all += sscanf(line, "%*u %*u %llu", &count) == 1 ? count : 0;
	return all > 1 && !(groups && !strncmp(groups, "deny", 4));
}

static int user_words(struct words *w)
{
	static const char *const users[] = { "dnsmasq", "nobody" };
	char group[64];
	int r = has_other_users(w->c);

	if (r == 0) {
		word(w, "--user=root");
		word(w, "--group=");
		return 0;
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(users); i++)
		if ((r = find_user(w->c, users[i], group)) == 1) {
			word(w, "--user=%s", users[i]);
			word(w, "--group=%s", group);
			return 0;
		}
	word(w, "--user=nobody");               /* who is not in that file, maybe */
	return r;
}

/* Addresses of the network that nobody has are not asked for elsewhere. */
static void network_words(struct words *w, const struct network *n)
{
	char text[PREFIX_TEXT];

	if (*n->link)
		word(w, "--interface=%s", n->link);
	if (*n->domain)
		word(w, "--local=/%s/", n->domain);
	word(w, "--hostsdir=" NAMES "/networks/%s/hosts", n->name);
	for_list (const struct prefix, p, &n->addresses) {
		struct prefix net = prefix_network(p);

		if (!*n->link)
			word(w, "--listen-address=%s", addr_text(&p->addr, text));
		word(w, "--rev-server=%s", prefix_text(&net, text));
	}
	for_list (const char *, name, &n->host_names) {
		word(w, "--local=/%s/", *name);
		for_list (const struct prefix, p, &n->addresses)
			word(w, "--host-record=%s,%s", *name, addr_text(&p->addr, text));
	}
}

/* One network that may ask upstream is enough: whoever is on two may use either. Servers that are named go before those of the host. */
static void upstream_words(struct words *w, const struct server *s)
{
	bool forward = false, named = false;

	for_list (const struct network, n, &s->networks) {
		forward |= n->forward;
		for_list (const char *, server, &n->servers) {
			if (n->forward)
				word(w, "--server=%s", *server);
			named |= n->forward;
		}
	}
	word(w, forward && !named ? "--resolv-file=/etc/resolv.conf" : "--no-resolv");
}

int server_command(struct cni_call *c, const struct server *s, char ***out)
{
	struct words w = { .c = c };
	const char *program = tool_find(c, "dnsmasq");
	int r;

	if (!program) {
		err_set(&c->err, CNI_FAILED, -ENOENT, "dnsmasq, which answers for names, is not installed");
		err_detail(&c->err, "Debian: apt install dnsmasq-base; no service of it has to run");
		return -ENOENT;
	}
	word(&w, "%s", program);
	word(&w, "--conf-file=/dev/null");
	word(&w, "--no-hosts");
	word(&w, "--no-ident");
	word(&w, "--bind-dynamic");                     /* and so only what comes in by the interface is answered */
	word(&w, "--except-interface=lo");
	word(&w, "--port=%u", s->port);
	word(&w, "--pid-file=%s", server_path(c, s->view, "pid"));
	word(&w, "--servers-file=%s", server_path(c, s->view, "dotted"));
	word(&w, "--log-facility=/dev/null");
	word(&w, "--local=//");                         /* a name without a dot is a container's or nobody's */
	word(&w, "--domain-needed");
	word(&w, "--cache-size=1000");
	word(&w, "--dns-forward-max=1000");
	if ((r = user_words(&w)) < 0)
		return r;
	for_list (const struct network, n, &s->networks)
		network_words(&w, n);
	upstream_words(&w, s);
	*out = words_argv(&w);
	return *out ? 0 : err_nomem(&c->err, "name server");
}

/* ---- Names with a dot that are containers', though they are in no domain of ours: all about them is answered here ---- */

struct dotted {
	struct cni_call *c;
	const char      *network;
	FILE            *out;
};

static int tell_dotted(const char *entry, void *arg)
{
	struct dotted *d = arg;
	char *rest, *line;
	int r = names_read(d->c, arena_printf(&d->c->arena, NAMES "/networks/%s/hosts/%s", d->network, entry), &rest);

	if (r < 0)
		return r;
	while (rest && (line = strsep(&rest, "\n")))
		if (!strncmp(line, "#dotted ", 8))
			fprintf(d->out, "server=/%s/\n", line + 8);
	return 0;
}

int server_write_dotted(struct cni_call *c, const struct server *s)
{
	const char *path = server_path(c, s->view, "dotted");
	char *before;
	scoped(mem_free) char *text = NULL;
	size_t len;
	int r = names_read(c, path, &before);
	FILE *f = r < 0 ? NULL : open_memstream(&text, &len);

	if (!f)
		return first_failure(r, err_nomem(&c->err, "names"));
	for_list (const struct network, n, &s->networks)
		if (r >= 0)
			r = names_each(c, network_path(c, n->name, "hosts"), tell_dotted, &(struct dotted){ c, n->name, f });
	if (fclose(f) != 0)
		return err_nomem(&c->err, "names");
	if (r < 0)
		return r;
	return before && !strcmp(before, text) ? names_abandon(c, path) : names_write(c, path, text);
}
