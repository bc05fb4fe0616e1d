/* Leaves behind in a world what many attachments would have, without running a plugin for each.
 *
 *   fill links BRIDGE POD FIRST COUNT QUEUES
 *       veth pairs from the bridge to a container's namespace, all up; QUEUES 0: as many as the kernel likes
 *   fill leases DIR BASE FIRST COUNT
 *       lease files of host-local's store for the containers FIRST…, and the pointer at the last
 *   fill records CONTAINER ADDRESS PORT PORTS BASE FIRST PORT-OF-FIRST COUNT
 *       what plumb has on record for one attachment, again for each of the containers FIRST…: the same messages with another container id, address and
 *       ports, written as records and sent to the kernel. So it is what plumb would have left, whatever that is.
 *
 * Container I has the id %064x of I and the I-th address behind BASE. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>

#include "message.h"

enum { ID_LEN = 64 };

static struct batch batch;

static void ask(int fd, uint32_t seq, const char *what)
{
	int r = exchange(fd, &batch, seq, NULL, NULL);

	if (r < 0)
		fail(what, -r);
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static uint32_t address_of(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		fail(text, EINVAL);
	return ntohl(a.s_addr);
}

/* ---- Links ---- */

struct ends {
	int near, far;
};

static void note_ends(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = NLMSG_DATA(h);
	struct ends *e = arg;
	int left = (int)IFLA_PAYLOAD(h);

	for (struct rtattr *a = IFLA_RTA(i); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_LINK)
			memcpy(&e->far, RTA_DATA(a), sizeof e->far);
}

static int links(char **args)
{
	unsigned first = number(args[2]), count = number(args[3]);
	int master = (int)if_nametoindex(args[0]), pod = open(args[1], O_RDONLY | O_CLOEXEC), host = netlink_socket(NETLINK_ROUTE), inside, r;

	if (!master || pod < 0 || setns(pod, CLONE_NEWNET) < 0)
		fail(args[0], errno);
	inside = netlink_socket(NETLINK_ROUTE);
	for (unsigned i = first; i < first + count; i++) {
		char near[IFNAMSIZ], far[IFNAMSIZ];
		struct veth v = { .near = near, .far = far, .master = master, .pod = pod, .queues = number(args[4]) };
		struct ends made = { 0 };

		snprintf(near, sizeof near, "veth%011x", i);
		snprintf(far, sizeof far, "e%x", i);
		veth_new(&batch, &v, NLM_F_ECHO);
		if ((r = exchange(host, &batch, batch.seq, note_ends, &made)) < 0)
			fail(near, -r);
		link_up(&batch, made.far, NLM_F_ACK);
		ask(inside, batch.seq, far);
	}
	return 0;
}

/* ---- Leases ---- */

static void file_write(int dir, const char *name, const void *bytes, size_t len)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		fail(name, errno);
	close(fd);
}

static int leases(char **args)
{
	uint32_t base = address_of(args[1]);
	unsigned first = number(args[2]), count = number(args[3]);
	int dir = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[ID_LEN + 16], name[INET_ADDRSTRLEN] = "";

	if (dir < 0)
		fail(args[0], errno);
	for (unsigned i = first; i < first + count; i++) {
		struct in_addr a = { htonl(base + i) };
		int len = snprintf(text, sizeof text, "%064x\r\neth0", i);

		inet_ntop(AF_INET, &a, name, sizeof name);
		file_write(dir, name, text, (size_t)len);
	}
	if (count)
		file_write(dir, "last_reserved_ip.0", name, strlen(name));
	return 0;
}

/* ---- Records ---- */

#define RECORDS "/run/plumb/nftables"

/* What tells one attachment's bytes from another's. */
struct identity {
	char     id[ID_LEN + 1];
	uint32_t address;
	uint16_t port;
};

struct record {
	char  *name;
	char  *bytes;
	size_t len;
};

static void replace(char *bytes, size_t len, const void *from, const void *to, size_t size)
{
	for (char *at = bytes; (at = memmem(at, len - (size_t)(at - bytes), from, size)); at += size)
		memcpy(at, to, size);
}

/* A port is replaced where it is as tcp's key in a map has it, behind its protocol, so that nothing that happens to look like it is. */
static void replace_port(char *bytes, size_t len, uint16_t from, uint16_t to)
{
	unsigned char old[6] = { IPPROTO_TCP, 0, 0, 0, (unsigned char)(from >> 8), (unsigned char)from };
	unsigned char new[6] = { IPPROTO_TCP, 0, 0, 0, (unsigned char)(to >> 8), (unsigned char)to };

	replace(bytes, len, old, new, sizeof old);
}

static void become(char *bytes, size_t len, const struct identity *from, const struct identity *to, unsigned ports)
{
	uint32_t old = htonl(from->address), new = htonl(to->address);

	replace(bytes, len, from->id, to->id, ID_LEN);
	replace(bytes, len, &old, &new, sizeof old);
	for (unsigned k = ports; k-- > 0;)
		replace_port(bytes, len, (uint16_t)(from->port + k), (uint16_t)(to->port + k));
}

static struct record record_read(int dir, const char *name)
{
	struct record r = { .name = strdup(name), .bytes = malloc(1 << 20) };
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, r.bytes, 1 << 20);

	if (n < 0)
		fail(name, errno);
	close(fd);
	r.len = (size_t)n;
	return r;
}

/* The records of an attachment are those whose name has its container's id. */
static unsigned records_of(int dir, const char *id, struct record *out, unsigned room)
{
	DIR *d = fdopendir(dup(dir));
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		if (strstr(e->d_name, id) && n < room)
			out[n++] = record_read(dir, e->d_name);
	closedir(d);
	return n;
}

static void commit(int fd)
{
	uint32_t last = batch.seq;

	batch.last->nlmsg_flags |= NLM_F_ACK;
	nft_edge(&batch, NFNL_MSG_BATCH_END);
	ask(fd, last, "elements");
	nft_edge(&batch, NFNL_MSG_BATCH_BEGIN);
}

/* The elements of a record; its chains and rules are there already, for the first attachment that needed them. */
static void send_elements(int fd, char *bytes, size_t len)
{
	ssize_t left = (ssize_t)len;

	for (struct nlmsghdr *h = (void *)bytes; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
			continue;
		if (batch.len + h->nlmsg_len + 64 > sizeof batch.bytes / 2)
			commit(fd);
		message(&batch, h->nlmsg_type, h->nlmsg_flags, (char *)h + NLMSG_HDRLEN, h->nlmsg_len - NLMSG_HDRLEN);
	}
}

static int records(char **args)
{
	struct identity from = { .address = address_of(args[1]), .port = (uint16_t)number(args[2]) }, to = { 0 };
	unsigned ports = number(args[3]), first = number(args[5]), port = number(args[6]), count = number(args[7]), n;
	int dir = open(RECORDS, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = netlink_socket(NETLINK_NETFILTER);
	struct record one[8];

	snprintf(from.id, sizeof from.id, "%s", args[0]);
	if (dir < 0 || (n = records_of(dir, from.id, one, 8)) == 0)
		fail(RECORDS, ENOENT);
	nft_edge(&batch, NFNL_MSG_BATCH_BEGIN);
	for (unsigned i = 0; i < count; i++) {
		snprintf(to.id, sizeof to.id, "%064x", first + i);
		to.address = address_of(args[4]) + first + i;
		to.port = (uint16_t)(port + i * ports);
		for (unsigned k = 0; k < n; k++) {
			char *copy = memcpy(malloc(one[k].len), one[k].bytes, one[k].len), *name = strdup(one[k].name);
			uint32_t note = *(uint32_t *)copy;      /* a message too, of the note's length; it comes first */

			replace(name, strlen(name), from.id, to.id, ID_LEN);
			become(copy, one[k].len, &from, &to, ports);
			file_write(dir, name, copy, one[k].len);
			send_elements(fd, copy + note, one[k].len - note);
			free(copy);
			free(name);
		}
	}
	if (count)
		commit(fd);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int       (*fill)(char **args);
		int         n_args;
	} kinds[] = { { "links", links, 5 }, { "leases", leases, 4 }, { "records", records, 8 } };

	for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(argv[1], kinds[i].name) && argc == kinds[i].n_args + 2)
			return kinds[i].fill(argv + 2);
	fail("fill links|leases|records …", EINVAL);
}
