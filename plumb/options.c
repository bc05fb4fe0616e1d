#include "options.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "plumb.h"
#include "ports.h"

#define DEFAULT_CONF_DIR  "/etc/cni/net.d"
#define DEFAULT_CACHE_DIR "/var/lib/cni"
#define DEFAULT_BIN_PATH  "/opt/cni/bin:/usr/libexec/cni:/usr/lib/cni"

enum { LIST_LIMIT = 4096 };     /* of one option's values: more is a script gone wild */

struct row;
typedef int row_reader(const struct row *o, const char *text, void *slot, struct call *c);

struct row {
	const char *name;
	char        letter;             /* 0: none */
	const char *value;              /* what the value is called; NULL: a flag */
	unsigned    commands;           /* enum command_bit */
	row_reader *read;
	size_t      offset;             /* into struct options */
	const char *help;               /* NULL: another name of the one before, as other programs have it */
};

/* ---- Readers ---- */

static int refuse(struct call *c, const struct row *o, const char *text, const char *want)
{
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--%s %s: want %s", o->name, text, want);
}

static int take_flag(const struct row *o, const char *text, void *slot, struct call *c)
{
	(void)o, (void)text, (void)c;
	*(bool *)slot = true;
	return 0;
}

static int take_text(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (!*text)
		return refuse(c, o, "\"\"", "a value");
	*(const char **)slot = text;
	return 0;
}

static int take_texts(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct list *list = slot;
	const char **item;

	if (list->count >= LIST_LIMIT)
		return refuse(c, o, text, "fewer of them");
	item = arena_push(&c->arena, &list->items, &list->count, sizeof *item);
	return item ? take_text(o, text, item, c) : err_nomem(&c->trouble.err, o->name);
}

static int take_id(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (!name_valid(text))
		return refuse(c, o, text, "a letter or digit, then letters, digits, '_', '.', '-', at most 200");
	return take_text(o, text, slot, c);
}

static int take_ifname(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (ifname_fault(text))
		return refuse(c, o, text, "an interface name: 1 to 15 characters, no '/', ':' or white space");
	return take_text(o, text, slot, c);
}

static int take_mac(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct mac m;

	if (!mac_parse(text, &m) || (m.bytes[0] & 1))
		return refuse(c, o, text, "a unicast MAC such as 02:00:00:00:00:01");
	return take_text(o, text, slot, c);
}

static int take_ip(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct prefix p;
	struct addr a;

	if (!addr_parse(text, &a) && !prefix_parse(text, &p))
		return refuse(c, o, text, "an address such as 10.1.2.3 or 10.1.2.3/24");
	return take_texts(o, text, slot, c);
}

/* One, or several parted by commas. */
static int take_network(const struct row *o, const char *text, void *slot, struct call *c)
{
	char *rest = arena_strdup(&c->arena, text), *name;
	int r = rest ? 0 : err_nomem(&c->trouble.err, o->name);

	while (r == 0 && (name = strsep(&rest, ","))) {
		if (!name_valid(name))
			return refuse(c, o, text, "a network's name: a letter or digit, then letters, digits, '_', '.', '-', at most 200 characters");
		r = take_texts(o, name, slot, c);
	}
	return r;
}

static void *next_of(struct list *list, size_t size, const struct row *o, struct call *c)
{
	void *item = list->count < LIST_LIMIT ? arena_push(&c->arena, &list->items, &list->count, size) : NULL;

	if (!item)
		refuse(c, o, "", "fewer of them");
	return item;
}

static int take_address(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct addr *a = next_of(slot, sizeof *a, o, c);

	if (!a)
		return -E2BIG;
	return addr_parse(text, a) ? 0 : refuse(c, o, text, "an address such as 10.1.2.1");
}

static int take_server(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct addr a;

	return addr_parse(text, &a) ? take_texts(o, text, slot, c) : refuse(c, o, text, "the address of a name server");
}

static int take_subnet(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct prefix *p = next_of(slot, sizeof *p, o, c), net;

	if (!p)
		return -E2BIG;
	if (!prefix_parse(text, p))
		return refuse(c, o, text, "a subnet such as 10.1.2.0/24");
	net = prefix_network(p);
	return prefix_equal(&net, p) ? 0 : refuse(c, o, text, "a subnet without host bits");
}

static int take_number(const struct row *o, const char *text, void *slot, struct call *c)
{
	unsigned long n = 0;

	for (const char *p = text; *p >= '0' && *p <= '9' && n <= 65535; p++)
		n = n * 10 + (*p - '0');
	if (!*text || text[strspn(text, "0123456789")] || n > 65535)
		return refuse(c, o, text, "a number, 65535 at most");
	*(uint32_t *)slot = (uint32_t)n;
	return 0;
}

static int take_mtu(const struct row *o, const char *text, void *slot, struct call *c)
{
	int r = take_number(o, text, slot, c);

	return r == 0 && *(uint32_t *)slot < 68 ? refuse(c, o, text, "a number from 68 to 65535") : r;
}

/* KEY=VALUE, or KEY alone. */
static int take_pair(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct pair *p = next_of(slot, sizeof *p, o, c);
	char *mended = arena_strdup(&c->arena, text);
	size_t len = strcspn(text, "=");

	if (!p || !mended)
		return -E2BIG;
	utf8_mend(mended);
	if (len == 0 || strcmp(mended, text))
		return refuse(c, o, text, "KEY=VALUE, in UTF-8");
	*p = (struct pair){ arena_printf(&c->arena, "%.*s", (int)len, text), text[len] ? text + len + 1 : NULL };
	return p->key ? 0 : err_nomem(&c->trouble.err, o->name);
}

static int take_full_pair(const struct row *o, const char *text, void *slot, struct call *c)
{
	return strchr(text, '=') ? take_pair(o, text, slot, c) : refuse(c, o, text, "KEY=VALUE");
}

/* A word of a hosts file. */
static bool is_host_name(const char *text)
{
	return *text && strlen(text) <= 253 && !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static int take_hostname(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (!is_host_name(text) || strlen(text) > 64)
		return refuse(c, o, text, "letters, digits, '.', '-', '_', at most 64");
	return take_text(o, text, slot, c);
}

static int take_alias(const struct row *o, const char *text, void *slot, struct call *c)
{
	return is_host_name(text) ? take_texts(o, text, slot, c) : refuse(c, o, text, "a name: letters, digits, '.', '-', '_'");
}

/* NAME:ADDR, the address maybe in brackets; "host-gateway" means the host, as the first network's gateway. */
static int take_add_host(const struct row *o, const char *text, void *slot, struct call *c)
{
	char *name = arena_strdup(&c->arena, text), *address = name ? strpbrk(name, ":=") : NULL;
	struct pair *p = next_of(slot, sizeof *p, o, c);
	struct addr a;

	if (!p || !address)
		return p ? refuse(c, o, text, "NAME:ADDR, such as db.test:10.1.2.3") : -E2BIG;
	*address++ = '\0';
	if (*address == '[' && address[strlen(address) - 1] == ']') {
		address[strlen(address) - 1] = '\0';
		address++;
	}
	if (!is_host_name(name) || (strcmp(address, "host-gateway") && !addr_parse(address, &a)))
		return refuse(c, o, text, "NAME:ADDR, such as db.test:10.1.2.3, or NAME:host-gateway");
	*p = (struct pair){ name, address };
	return 0;
}

static int take_format(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (strcmp(text, "json"))
		return refuse(c, o, text, "json, the one format there is besides the table");
	*(bool *)slot = true;
	return 0;
}

/* The address family is for the user's eyes: --ip takes both. */
static int take_ip6(const struct row *o, const char *text, void *slot, struct call *c)
{
	return strchr(text, ':') ? take_ip(o, text, slot, c) : refuse(c, o, text, "an IPv6 address");
}

static int take_port(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct list *list = slot;
	struct port *port = list->count < LIST_LIMIT ? arena_push(&c->arena, &list->items, &list->count, sizeof *port) : NULL;

	if (!port || !port_parse(text, port))
		return refuse(c, o, text, "[HOSTIP:]HOST:CONTAINER[/tcp|udp|sctp], such as 8080:80 or [::1]:5353:53/udp");
	return 0;
}

static int take_attachment(const struct row *o, const char *text, void *slot, struct call *c)
{
	struct list *list = slot;
	char *container = arena_strdup(&c->arena, text), *slash = container ? strchr(container, '/') : NULL;
	struct named_attachment *a;

	if (slash)
		*slash++ = '\0';
	if (!slash || !name_valid(container) || ifname_fault(slash))
		return refuse(c, o, text, "a container's id and its interface, such as web/eth0");
	a = arena_push(&c->arena, &list->items, &list->count, sizeof *a);
	if (!a)
		return err_nomem(&c->trouble.err, o->name);
	*a = (struct named_attachment){ container, slash };
	return 0;
}

/* ---- The table ---- */

enum {
	ATTACHING = CMD_ADD | CMD_RUN, WISHING = ATTACHING | CMD_NET_CONNECT, ONE = CMD_ADD | CMD_DEL | CMD_CHECK,
	NETWORKS = CMD_ALL & ~(CMD_RESTORE | CMD_STOP | CMD_EXEC | CMD_LOGS), TABLES = CMD_NET_LS | CMD_NET_INSPECT | CMD_PS | CMD_PORTS,
};

#define ROW(long_name, letter, value, commands, reader, member, help) \
	{ long_name, letter, value, commands, reader, offsetof(struct options, member), help }

static const struct row rows[] = {
	ROW("network",   'n', "NAME",  CMD_RUN,       take_network,    networks,  "a network to attach to, or none, host; repeatable, or NAME,NAME"),
	ROW("network",   'n', "NAME",  CMD_PUBLISH | CMD_UNPUBLISH | CMD_PORTS, take_network, networks, "the network that is meant"),
	ROW("allow-from", 0,  "CIDR",  CMD_PUBLISH,   take_subnet,     allowed,   "who may come in by the port, nobody else; repeatable"),
	ROW("all",       0,   NULL,    CMD_UNPUBLISH, take_flag,       all,       "every port of the container"),
	ROW("net",       0,   "NAME",  CMD_RUN,       take_network,    networks,  NULL),
	ROW("name",      0,   "NAME",  CMD_RUN,         take_id,         name,      "what to call it (its id)"),
	ROW("ifname",    'i', "IF",    ONE | CMD_NET_CONNECT, take_ifname, ifname, "the interface's name in the container (eth0; connect: the first free)"),
	ROW("id",        0,   "ID",    ONE | CMD_RUN, take_id,         id,        "the container's id (made from NETNS; of run, its name, or random)"),
	ROW("network-alias", 0, "NAME", CMD_RUN,        take_alias,      aliases,   "a further name on its networks; repeatable"),
	ROW("alias",     0,   "NAME",  CMD_NET_CONNECT, take_alias,    aliases,   "a further name on the network; repeatable"),
	ROW("publish",   'p', "PORTS", ATTACHING,     take_port,       ports,     "[HOSTIP:]HOST:CONTAINER[/PROTO]; repeatable"),
	ROW("ip",        0,   "ADDR",  WISHING,       take_ip,         ips,       "ask for this address; repeatable"),
	ROW("ip6",       0,   "ADDR",  WISHING,       take_ip6,        ips,       "ask for this IPv6 address"),
	ROW("mac",       0,   "MAC",   WISHING,       take_mac,        mac,       "ask for this MAC; --mac-address is the same"),
	ROW("mac-address", 0, "MAC",   WISHING,       take_mac,        mac,       NULL),
	ROW("hostname",  0,   "NAME",  CMD_RUN,         take_hostname,   hostname,  "its host name (its name)"),
	ROW("add-host",  0,   "NAME:ADDR", CMD_RUN,     take_add_host,   add_hosts, "a line more in /etc/hosts; repeatable"),
	ROW("dns",       0,   "ADDR",  CMD_RUN,         take_server,     dns,       "a name server, in place of the networks'; repeatable"),
	ROW("detach",    'd', NULL,    CMD_RUN,         take_flag,       detach,    "in the background; print the name"),
	ROW("rm",        0,   NULL,    CMD_RUN,         take_flag,       rm,        "forget it when it has ended (without -d: always)"),
	ROW("interactive", 'i', NULL,  CMD_RUN | CMD_EXEC, take_flag,  ignored,   NULL),
	ROW("tty",       't', NULL,    CMD_RUN | CMD_EXEC, take_flag,  ignored,   NULL),
	ROW("driver",    'd', "DRIVER", CMD_NET_CREATE,    take_text,       driver,    "bridge (the default), ptp, macvlan, ipvlan, host, none"),
	ROW("subnet",    0,   "CIDR",  CMD_NET_CREATE,     take_subnet,     subnets,   "its subnet, one of each family (picked from a pool)"),
	ROW("gateway",   0,   "ADDR",  CMD_NET_CREATE,     take_address,    gateways,  "the gateway of a --subnet (its first address)"),
	ROW("ip-range",  0,   "CIDR",  CMD_NET_CREATE,     take_subnet,     ranges,    "give addresses from this part of a --subnet only"),
	ROW("ipv6",      0,   NULL,    CMD_NET_CREATE,     take_flag,       ipv6,      "an IPv6 subnet too"),
	ROW("internal",  0,   NULL,    CMD_NET_CREATE,     take_flag,       internal,  "no way in from outside, none out"),
	ROW("isolate",   0,   NULL,    CMD_NET_CREATE,     take_flag,       isolate,   "keep other isolated networks out"),
	ROW("mtu",       0,   "N",     CMD_NET_CREATE,     take_mtu,        mtu,       "the MTU (that of the default route's link)"),
	ROW("dns",       0,   "ADDR",  CMD_NET_CREATE,     take_server,     dns,       "where names that are not the network's are asked for; repeatable"),
	ROW("no-dns",    0,   NULL,    CMD_NET_CREATE,     take_flag,       no_dns,    "containers do not find each other by name"),
	ROW("disable-dns", 0, NULL,    CMD_NET_CREATE,     take_flag,       no_dns,    NULL),
	ROW("opt",       'o', "KEY=VALUE", CMD_NET_CREATE, take_pair,       opts,      "an option of the driver; repeatable; plumb-network(1) has them"),
	ROW("label",     0,   "KEY=VALUE", CMD_NET_CREATE, take_pair,       labels,    "a label; repeatable"),
	ROW("dry-run",   0,   NULL,    CMD_NET_CREATE,     take_flag,       dry_run,   "print the configuration and write nothing"),
	ROW("all",       'a', NULL,    CMD_PS,        take_flag,       all,       "those that have ended too"),
	ROW("quiet",     'q', NULL,    CMD_NET_LS | CMD_PS, take_flag, quiet,     "names only"),
	ROW("filter",    'f', "KEY=VALUE", CMD_NET_LS, take_full_pair, filters,  "name=, id=, driver=, label=KEY[=VALUE], dangling=true; repeatable"),
	ROW("filter",    0,   "KEY=VALUE", CMD_NET_PRUNE, take_full_pair, filters, "name=, id=, driver=, label=KEY[=VALUE]; repeatable"),
	ROW("format",    0,   "json",  TABLES,        take_format,     json,      "answer in JSON"),
	ROW("force",     'f', NULL,    CMD_NET_RM | CMD_NET_PRUNE | CMD_NET_DISCONNECT | CMD_RM, take_flag, force, "do it nevertheless, without asking"),
	ROW("follow",    'f', NULL,    CMD_LOGS,      take_flag,       follow,    "go on with what comes, until it ends"),
	ROW("time",      't', "SECONDS", CMD_STOP,    take_number,     patience_s, "how long to wait after TERM before KILL (10)"),
	ROW("valid",     0,   "ID/IF", CMD_GC,        take_attachment, valid,     "an attachment to keep, all others go; repeatable"),
	ROW("all",       0,   NULL,    CMD_GC,        take_flag,       all,       "keep none"),
	ROW("dry-run",   0,   NULL,    CMD_GC,        take_flag,       dry_run,   "only say what would be removed"),
	ROW("output",    'o', "FILE",  CMD_GRAPH,     take_text,       output,    "draw to FILE.svg, FILE.png or FILE.dot (a tree on stdout)"),
	ROW("watch",     0,   NULL,    CMD_GRAPH,     take_flag,       watch,     "draw the tree anew each second until interrupted"),
	ROW("path",      0,   "PLACE", CMD_EXPLAIN,   take_text,       path,      "HOST:PORT[/PROTO]: follow a connection to there"),
	ROW("from",      0,   "WHO",   CMD_EXPLAIN,   take_text,       from,      "with --path: lan, host or a container (all of these)"),
	ROW("fix",       0,   NULL,    CMD_DOCTOR,    take_flag,       fix,       "remove what is stale, put back what is lost"),
	ROW("conf-dir",  0,   "DIR",   NETWORKS,      take_text,       conf_dir,  "configurations ($NETCONFPATH, " DEFAULT_CONF_DIR ")"),
	ROW("bin-dir",   0,   "DIRS",  CMD_ALL & ~(CMD_STOP | CMD_EXEC | CMD_LOGS), take_texts, bin_dirs, "plugins; repeatable ($CNI_PATH, " DEFAULT_BIN_PATH ")"),
	ROW("cache-dir", 0,   "DIR",   NETWORKS,      take_text,       cache_dir, "results of attachments (" DEFAULT_CACHE_DIR ")"),
	ROW("json",      0,   NULL,    CMD_ALL & ~CMD_GRAPH, take_flag, json,      "answer in JSON on stdout"),
	ROW("help",      'h', NULL,    CMD_ALL,       take_flag,       help,      "this text"),
	ROW("version",   0,   NULL,    CMD_ALL,       take_flag,       version,   "the version"),
};

/* ---- Reading argv ---- */

struct args {
	char **left;            /* what is still to be read, ended by NULL */
};

static int apply(struct call *c, const struct row *o, const char *inline_value, struct args *a)
{
	void *slot = (char *)&c->opt + o->offset;

	if (!o->value) {
		if (inline_value)
			return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--%s takes no value", o->name);
		return o->read(o, NULL, slot, c);
	}
	if (!inline_value && !*a->left)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--%s: want %s after it", o->name, o->value);
	return o->read(o, inline_value ? inline_value : *a->left++, slot, c);
}

static int take_long(struct call *c, const char *text, struct args *a)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);

	for (const struct row *o = rows; o < rows + ARRAY_LEN(rows); o++)
		if ((o->commands & c->command->bit) && strlen(o->name) == len && !strncmp(o->name, text, len))
			return apply(c, o, equals ? equals + 1 : NULL, a);
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "no option --%.*s; see plumb %s --help", (int)len, text, c->command->name);
}

static const struct row *row_of_letter(struct call *c, char letter)
{
	for (const struct row *o = rows; o < rows + ARRAY_LEN(rows); o++)
		if ((o->commands & c->command->bit) && o->letter == letter)
			return o;
	return NULL;
}

/* -p8080:80 and -p 8080:80; flags may share one '-': -aq. */
static int take_short(struct call *c, const char *text, struct args *a)
{
	int r = 0;

	for (; r == 0 && *text; text++) {
		const struct row *o = row_of_letter(c, *text);

		if (!o)
			return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "no option -%c; see plumb %s --help", *text, c->command->name);
		if (o->value)
			return apply(c, o, text[1] ? text + 1 : NULL, a);
		r = apply(c, o, NULL, a);
	}
	return r;
}

/* Operands gather at the start of argv. What run executes has options of its own: the first operand ends ours. */
static int read_args(struct call *c, char **argv)
{
	bool run = c->command->flags & SUB_COMMAND;
	struct args a = { argv };
	int r = 0;

	c->opt.operands = argv;
	while (r == 0 && *a.left) {
		char *word = *a.left++;
		bool end = !strcmp(word, "--");

		if (!end && word[0] == '-' && word[1]) {
			r = word[1] == '-' ? take_long(c, word + 2, &a) : take_short(c, word + 1, &a);
			continue;
		}
		if (!end)
			argv[c->opt.operand_count++] = word;
		while ((end || run) && *a.left)
			argv[c->opt.operand_count++] = *a.left++;
	}
	argv[c->opt.operand_count] = NULL;
	return r;
}

static const char *env_or(const char *name, const char *otherwise)
{
	const char *v = name ? getenv(name) : NULL;

	return v && *v ? v : otherwise;
}

static int settle(struct call *c)
{
	struct options *o = &c->opt;

	if (!o->conf_dir)
		o->conf_dir = env_or("NETCONFPATH", DEFAULT_CONF_DIR);
	if (!o->cache_dir)
		o->cache_dir = DEFAULT_CACHE_DIR;
	for_list (const char *, dir, &o->bin_dirs)
		o->bin_path = o->bin_path ? arena_printf(&c->arena, "%s:%s", o->bin_path, *dir) : *dir;
	if (!o->bin_path)
		o->bin_path = env_or("CNI_PATH", DEFAULT_BIN_PATH);
	if (o->all && o->valid.count)
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "--all and --valid contradict each other");
	return 0;
}

int options_read(struct call *c, char **argv)
{
	const struct subcommand *s = c->command;
	int r, n;

	c->opt.patience_s = 10;
	r = read_args(c, argv);
	n = c->opt.operand_count;

	if (r < 0 || c->opt.help || c->opt.version)
		return r;
	if (n < s->min || (s->max >= 0 && n > s->max))
		return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "want %s; see plumb %s --help",
		                   *s->operands ? s->operands : "no operands", s->name);
	return settle(c);
}

void options_help(FILE *to, const struct subcommand *command)
{
	for (const struct row *o = rows; o < rows + ARRAY_LEN(rows); o++) {
		char left[40];

		if (!(o->commands & command->bit) || !o->help)
			continue;
		snprintf(left, sizeof left, "%c%c%s--%s %s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
		         o->value ? o->value : "");
		fprintf(to, "  %-24s %s\n", left, o->help);
	}
}
