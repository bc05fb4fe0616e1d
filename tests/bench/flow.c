/* Traffic from one container's namespace to another's, by way of the host and its rules.
 *
 *   flow connect   SERVER CLIENT ADDRESS PORT COUNT    TCP connections, one after the other, to where a server listens at port 80
 *   flow datagrams SERVER CLIENT ADDRESS PORT COUNT    UDP datagrams there and back
 *
 * SERVER and CLIENT are namespaces' files. Prints the median and the least of one, in us. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVED = 80, WARM = 20 };

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(netns);
	close(fd);
}

/* ---- The server ---- */

static int served(int type)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(SERVED) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || (type == SOCK_STREAM && listen(fd, 1024) < 0))
		fail("port 80");
	return fd;
}

static void __attribute__((noreturn)) serve(int fd, int type)
{
	struct sockaddr_in from;
	char datagram[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		socklen_t len = sizeof from;

		if (type == SOCK_STREAM)
			close(accept(fd, NULL, NULL));
		else if (recvfrom(fd, datagram, sizeof datagram, 0, (struct sockaddr *)&from, &len) > 0)
			sendto(fd, datagram, 1, 0, (struct sockaddr *)&from, len);
	}
}

static pid_t server_start(const char *netns, int type)
{
	int fd;
	pid_t pid;

	enter(netns);
	fd = served(type);
	pid = fork();
	if (pid == 0)
		serve(fd, type);
	close(fd);
	return pid;
}

/* ---- The client ---- */

static int patient(int type)
{
	struct timeval limit = { .tv_sec = 2 };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return fd;
}

/* Reset at its end, so that no port waits for its time to be used again. */
static double connection(const struct sockaddr_in *to)
{
	struct linger hard = { .l_onoff = 1 };
	int fd = patient(SOCK_STREAM);
	double begun = now_us(), took;

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0)
		fail("connecting");
	took = now_us() - begun;
	close(fd);
	return took;
}

static double datagram(int fd, const struct sockaddr_in *to)
{
	double begun = now_us();
	char answer[64];

	if (sendto(fd, "?", 1, 0, (const struct sockaddr *)to, sizeof *to) < 0 || recv(fd, answer, sizeof answer, 0) < 0)
		fail("datagram");
	return now_us() - begun;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	bool connects = argc == 7 && !strcmp(argv[1], "connect");
	int type = connects ? SOCK_STREAM : SOCK_DGRAM, count = argc == 7 ? atoi(argv[6]) : 0, fd;
	struct sockaddr_in to = { .sin_family = AF_INET };
	double *took;
	pid_t server;

	if (count < 1 || inet_pton(AF_INET, argv[4], &to.sin_addr) != 1)
		return fputs("usage: flow connect|datagrams SERVER CLIENT ADDRESS PORT COUNT\n", stderr), 2;
	to.sin_port = htons((uint16_t)atoi(argv[5]));
	took = calloc((size_t)count + WARM, sizeof *took);
	server = server_start(argv[2], type);
	enter(argv[3]);
	fd = patient(type);
	for (int i = 0; i < count + WARM; i++)
		took[i] = connects ? connection(&to) : datagram(fd, &to);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	qsort(took + WARM, (size_t)count, sizeof *took, compare);
	printf("%.1f %.1f\n", took[WARM + count / 2], took[WARM]);
	free(took);
	return 0;
}
