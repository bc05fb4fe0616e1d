/* without: runs a program on a kernel without something, as far as it can tell: its system calls are refused by a filter (seccomp).
 *
 *	without nftables COMMAND…       no netlink sockets of netfilter
 *	without setns COMMAND…          it may enter no namespace
 *	without netlink COMMAND…        no netlink sockets at all */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter no_nftables[] = {
	LOAD(nr), UNLESS(SYS_socket, 5), LOAD(args[0]), UNLESS(AF_NETLINK, 3), LOAD(args[2]), UNLESS(NETLINK_NETFILTER, 1), REFUSE(EPROTONOSUPPORT), ALLOW,
};
static struct sock_filter no_netlink[] = {
	LOAD(nr), UNLESS(SYS_socket, 3), LOAD(args[0]), UNLESS(AF_NETLINK, 1), REFUSE(EAFNOSUPPORT), ALLOW,
};
static struct sock_filter no_setns[] = {
	LOAD(nr), UNLESS(SYS_setns, 1), REFUSE(EPERM), ALLOW,
};

#define FILTER(name, filter) { name, { sizeof(filter) / sizeof *(filter), filter } }
static struct {
	const char       *name;
	struct sock_fprog program;
} filters[] = {
	FILTER("nftables", no_nftables), FILTER("netlink", no_netlink), FILTER("setns", no_setns),
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 2 && i < sizeof filters / sizeof *filters; i++) {
		if (strcmp(filters[i].name, argv[1]))
			continue;
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filters[i].program) < 0)
			break;
		execv(argv[2], argv + 2);
		break;
	}
	fprintf(stderr, "without %s: %s\n", argc > 1 ? argv[1] : "WHAT COMMAND", strerror(errno));
	return 127;
}
