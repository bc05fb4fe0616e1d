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
	const char *help;
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

static int take_network(const struct row *o, const char *text, void *slot, struct call *c)
{
	if (!name_valid(text))
		return refuse(c, o, text, "a network's name: a letter or digit, then letters, digits, '_', '.', '-', at most 200 characters");
	return take_texts(o, text, slot, c);
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

enum { ATTACHING = CMD_ADD | CMD_RUN, ONE = CMD_ADD | CMD_DEL | CMD_CHECK, NETWORKS = CMD_ALL & ~CMD_RESTORE };

#define ROW(long_name, letter, value, commands, reader, member, help) \
	{ long_name, letter, value, commands, reader, offsetof(struct options, member), help }

static const struct row rows[] = {
	ROW("network",   'n', "NAME",  CMD_RUN,       take_network,    networks,  "a network to attach to, or none, host; repeatable"),
	ROW("ifname",    'i', "IF",    ONE,           take_ifname,     ifname,    "the interface's name in the container (eth0)"),
	ROW("id",        0,   "ID",    ONE | CMD_RUN, take_id,         id,        "the container's id (made from NETNS; of run, random)"),
	ROW("publish",   'p', "PORTS", ATTACHING,     take_port,       ports,     "[HOSTIP:]HOST:CONTAINER[/PROTO]; repeatable"),
	ROW("ip",        0,   "ADDR",  ATTACHING,     take_ip,         ips,       "ask for this address; repeatable"),
	ROW("mac",       0,   "MAC",   ATTACHING,     take_mac,        mac,       "ask for this MAC"),
	ROW("valid",     0,   "ID/IF", CMD_GC,        take_attachment, valid,     "an attachment to keep, all others go; repeatable"),
	ROW("all",       0,   NULL,    CMD_GC,        take_flag,       all,       "keep none"),
	ROW("dry-run",   0,   NULL,    CMD_GC,        take_flag,       dry_run,   "only say what would be removed"),
	ROW("conf-dir",  0,   "DIR",   NETWORKS,      take_text,       conf_dir,  "configurations ($NETCONFPATH, " DEFAULT_CONF_DIR ")"),
	ROW("bin-dir",   0,   "DIRS",  CMD_ALL,       take_texts,      bin_dirs,  "plugins; repeatable ($CNI_PATH, " DEFAULT_BIN_PATH ")"),
	ROW("cache-dir", 0,   "DIR",   NETWORKS,      take_text,       cache_dir, "results of attachments (" DEFAULT_CACHE_DIR ")"),
	ROW("json",      0,   NULL,    CMD_ALL,       take_flag,       json,      "answer in JSON on stdout"),
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

/* -p8080:80 and -p 8080:80; flags do not share one '-'. */
static int take_short(struct call *c, const char *text, struct args *a)
{
	for (const struct row *o = rows; o < rows + ARRAY_LEN(rows); o++)
		if ((o->commands & c->command->bit) && o->letter == *text)
			return apply(c, o, text[1] ? text + 1 : NULL, a);
	return trouble_set(&c->trouble, EXIT_USAGE, -EINVAL, "no option -%c; see plumb %s --help", *text, c->command->name);
}

/* Operands gather at the start of argv. What run executes has options of its own: the first operand ends ours. */
static int read_args(struct call *c, char **argv)
{
	bool run = c->command->bit == CMD_RUN;
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
	int r = read_args(c, argv), n = c->opt.operand_count;

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

		if (!(o->commands & command->bit))
			continue;
		snprintf(left, sizeof left, "%c%c%s--%s %s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
		         o->value ? o->value : "");
		fprintf(to, "  %-24s %s\n", left, o->help);
	}
}
