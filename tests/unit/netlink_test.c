/* Netlink: what is told of failures. */
#include "unit.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/netlink.h"

static void a_socket_that_cannot_be_opened_tells_the_kernels_reason(void **state)
{
	struct rlimit was, none;
	struct netlink nl;
	struct err e = { 0 };
	int r;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &was);
	none = (struct rlimit){ 0, was.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	r = netlink_open(&nl, NETLINK_ROUTE, &e);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(r, -EMFILE);
	assert_null(nl.sk);
	assert_string_equal(e.msg, "opening a netlink socket (route)");
	assert_string_equal(e.details, strerror(EMFILE));
}

/* What the kernel said of one request is not said of the next. */
static void a_request_that_cannot_be_sent_has_no_words_of_the_kernels(void **state)
{
	struct ifinfomsg i = { 0 };
	struct netlink nl;
	struct err e = { 0 };
	int r;

	(void)state;
	assert_int_equal(netlink_open(&nl, NETLINK_ROUTE, &e), 0);
	strcpy(nl.why, "of the request before");
	dup2(STDIN_FILENO, netlink_fd(&nl));
	r = netlink_do(&nl, netlink_request(RTM_GETLINK, 0, &i, sizeof i));
	assert_int_equal(r, -ENOTSOCK);
	assert_int_equal(netlink_refused(&nl, &e, r, "asking"), -ENOTSOCK);
	assert_string_equal(e.details, strerror(ENOTSOCK));
	netlink_close(&nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_that_cannot_be_opened_tells_the_kernels_reason),
		cmocka_unit_test(a_request_that_cannot_be_sent_has_no_words_of_the_kernels),
	};

	return cmocka_run_group_tests_name("netlink", tests, NULL, NULL);
}
