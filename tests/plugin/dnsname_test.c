/* dnsname: containers by their names. Questions are dig's, asked in the containers' own namespaces. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <arpa/inet.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fixture.h"

/* ---- Networks with names, and containers on them ---- */

/* A bridge of its own, 10.NUMBER.0.0/24 and fd00:NUMBER::/64 (v4: IPv4 alone); the first container is .2 and ::2. `more` is members of dnsname's
 * configuration. */
struct net {
	const char *name;
	int         number;
	const char *more;
	bool        v4;
};

static const char *bridge_of(const struct net *n)
{
	const char *v6 = n->v4 ? "" : keep(", [{'subnet': 'fd00:%d::/64'}]", n->number);

	return json("{'cniVersion': '1.1.0', 'name': '%s', 'type': 'bridge', 'bridge': 'br%d', 'isGateway': true, 'isDefaultGateway': true,"
	            " 'ipam': {'type': 'host-local', 'ranges': [[{'subnet': '10.%d.0.0/24'}]%s]}}", n->name, n->number, n->number, v6);
}

static const char *names_of_net(const struct net *n)
{
	return json_quotes(keep("{'cniVersion': '1.1.0', 'name': '%s', 'type': 'dnsname', 'domainName': 'dns.test'%s%s}", n->name, *n->more ? ", " : "", n->more));
}

/* Its container id is "id-POD"; its name the pod's. */
static struct answer names(const char *verb, const char *pod, const char *ifname, const char *conf)
{
	return call(.plugin = "dnsname", .verb = verb, .pod = pod, .ifname = ifname, .container = keep("id-%s", pod), .conf = conf,
	            .args = keep("IgnoreUnknown=1;K8S_POD_NAME=%s", pod));
}

static const char *join_as(const struct net *n, const char *pod, const char *ifname)
{
	struct answer a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = pod, .ifname = ifname, .container = keep("id-%s", pod),
	                                 .conf = conf_set(bridge_of(n), "isDefaultGateway", strcmp(ifname, "eth0") ? "false" : "true")));
	const char *told = with_prev(names_of_net(n), a);

	note("%s on %s", pod, n->name);
	return with_prev(names_of_net(n), expect_ok(names("ADD", pod, ifname, told)));
}

static void leave_as(const struct net *n, const char *pod, const char *ifname, const char *told)
{
	expect_ok(names("DEL", pod, ifname, told));
	expect_ok(call(.plugin = "bridge", .verb = "DEL", .pod = pod, .ifname = ifname, .container = keep("id-%s", pod), .conf = bridge_of(n)));
}

static const char *join(const struct net *n, const char *pod)                    { return join_as(n, pod, "eth0"); }
static void        leave(const struct net *n, const char *pod, const char *told) { leave_as(n, pod, "eth0", told); }

static const struct net one = { "one", 1, "" }, two = { "two", 2, "" }, three = { "three", 3, "" };

/* On the host and with names on the plugin's side nothing is left but this. */
#define LEFT_OF(number_text, network) STORE_STAYS(network), FORWARDING_STAYS, BRIDGE_STAYS("br" number_text), RULESET_STAYS, NAMES_STAY

/* ---- Questions ---- */

static const char *asked_by(const char *where, const char *question)
{
	const char *out = sh_(where, "dig +tries=1 +time=3 +noall +comments +answer +nottlid %s 2>&1 || :", question), *status = strstr(out, "status: ");

	if (!status)
		return strstr(out, "refused") ? "refused" : strstr(out, "timed out") ? "timeout" : keep("%s", out);
	return keep("%.*s", (int)strcspn(status + 8, ","), status + 8);
}

/* The answers in order, with spaces between; else what there was of an answer: "NXDOMAIN", "NODATA", "refused", "timeout". */
static const char *dig_(const char *where, const char *question)
{
	const char *text = sh_(where, "dig +tries=1 +time=3 +short %s 2>/dev/null | sort | tr '\\n' ' ' | sed 's/ $//'", question), *status;

	if (*text && *text != ';')
		return text;
	status = asked_by(where, question);
	return !strcmp(status, "NOERROR") ? "NODATA" : status;
}

#define expect_answer(where, question, want)    AT_(expect_text_(dig_(where, question), want, keep("%s in %s", question, where)))

/* "dig @server name" of a container that is on network `number`. */
#define expect_name(where, number, question, want) expect_answer(where, keep("@10.%d.0.1 %s", number, question), want)

/* ---- What resolves ---- */

TEST(names_resolve)
{
	struct world w = world_begin("web db");
	static const struct net n = { "one", 1, "'runtimeConfig': {'aliases': {'one': ['front', 'www'], 'two': ['elsewhere']}}" };
	const char *web = join(&n, "web"), *db = join(&one, "db");

	expect_name("db", 1, "web", "10.1.0.2");
	expect_name("db", 1, "web.dns.test", "10.1.0.2");
	expect_name("db", 1, "front", "10.1.0.2");
	expect_name("db", 1, "www.dns.test", "10.1.0.2");
	expect_name("db", 1, "elsewhere", "NXDOMAIN");
	expect_name("db", 1, "id-web", "10.1.0.2");
	expect_name("db", 1, "WEB.DNS.test", "10.1.0.2");
	expect_name("db", 1, "AAAA web", "fd00:1::2");
	expect_name("db", 1, "AAAA Front.Dns.Test", "fd00:1::2");
	expect_name("web", 1, "db", "10.1.0.3");
	expect_name("web", 1, "web", "10.1.0.2");               /* itself, by its own name */
	expect_answer("db", "@fd00:1::1 web", "10.1.0.2");
	expect_answer("db", "@fd00:1::1 AAAA web", "fd00:1::2");
	expect_name("db", 1, "-x 10.1.0.2", "web.dns.test.");
	expect_name("db", 1, "-x fd00:1::2", "web.dns.test.");
	expect_name("db", 1, "-x 10.1.0.9", "NXDOMAIN");
	expect_name("db", 1, "nobody", "NXDOMAIN");
	expect_name("db", 1, "nobody.dns.test", "NXDOMAIN");
	leave(&n, "web", web);
	expect_name("db", 1, "web", "NXDOMAIN");
	expect_name("db", 1, "front", "NXDOMAIN");
	expect_name("db", 1, "-x 10.1.0.2", "NXDOMAIN");
	leave(&one, "db", db);
	expect_untouched(&w, LEFT_OF("1", "one"));
}

TEST(names_by_tcp)
{
	struct world w = world_begin("web db");
	const char *out;

	(void)w;
	join(&one, "web");
	join(&one, "db");
	expect_name("db", 1, "+tcp web", "10.1.0.2");
	expect_answer("db", "+tcp @fd00:1::1 AAAA web", "fd00:1::2");
	out = sh("db", "dig +tcp +keepopen +short +tries=1 +time=3 @10.1.0.1 web A @10.1.0.1 db.dns.test A @10.1.0.1 web AAAA @10.1.0.1 nobody A | tr '\\n' ' '");
	expect_text(out, "10.1.0.2 10.1.0.3 fd00:1::2 ");
}

/* One client that holds its connection open keeps nobody else waiting. */
TEST(names_beside_an_idle_connection)
{
	struct world w = world_begin("web db");
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };

	(void)w;
	join(&one, "web");
	join(&one, "db");
	inet_pton(AF_INET, "10.1.0.1", &at.sin_addr);
	for (int i = 0; i < 5; i++) {
		int fd = world_socket("db", AF_INET, SOCK_STREAM, 0);

		expect(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
		expect(write(fd, "\0\x20half", 6) == 6);        /* the half of a question */
	}
	expect_name("web", 1, "db", "10.1.0.3");
	expect_name("web", 1, "+tcp db", "10.1.0.3");
}

/* musl takes NXDOMAIN for the one family for the name's not being there at all. */
TEST(names_of_one_family_only)
{
	struct world w = world_begin("web db");
	static const struct net n = { "one", 1, "'runtimeConfig': {'aliases': {'one': ['a.b.c']}}", .v4 = true };

	(void)w;
	join(&n, "web");
	join(&n, "db");
	expect_name("db", 1, "AAAA web", "NODATA");
	expect_name("db", 1, "AAAA web.dns.test", "NODATA");
	expect_name("db", 1, "AAAA a.b.c", "NODATA");
	expect_name("db", 1, "MX web", "NODATA");
	expect_name("db", 1, "HTTPS web.dns.test", "NODATA");
	expect_name("db", 1, "AAAA nobody", "NXDOMAIN");
}

TEST(names_without_a_name)
{
	struct world w = world_begin("web db");
	const char *id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", *conf;

	(void)w;
	join(&one, "db");
	conf = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .container = id, .conf = bridge_of(&one))));
	expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "web", .container = id, .conf = conf));
	expect_name("db", 1, "0123456789ab", "10.1.0.3");
	expect_name("db", 1, "0123456789ab.dns.test", "10.1.0.3");
	expect_name("db", 1, "-x 10.1.0.3", "0123456789ab.dns.test.");
	expect_ok(call(.plugin = "dnsname", .verb = "CHECK", .pod = "web", .container = id, .conf = conf));
	/* the hostname, as nerdctl tells it */
	expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "web", .container = id, .conf = conf, .args = "IgnoreUnknown=1;NERDCTL_CNI_DHCP_HOSTNAME=host1"));
	expect_name("db", 1, "host1", "10.1.0.3");
	expect_ok(call(.plugin = "dnsname", .verb = "DEL", .pod = "web", .container = id, .conf = conf));
	expect_name("db", 1, "host1", "NXDOMAIN");
	expect_name("db", 1, "0123456789ab", "NXDOMAIN");
}

TEST(names_that_runtimes_allow_and_dns_does_not)
{
	struct world w = world_begin("web db");
	struct answer a;

	(void)w;
	join(&one, "db");
	a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one)));
	a = expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "web", .conf = with_prev(names_of_net(&one), a), .args = "K8S_POD_NAME=a..b"));
	expect_contains(a.err, "\"a..b\" does not resolve");
	expect_name("db", 1, "web", "10.1.0.3");                /* the id does */
}

/* Replicas: all of them; and those that are left. */
TEST(names_shared_by_containers)
{
	struct world w = world_begin("web db client");
	static const struct net n = { "one", 1, "'runtimeConfig': {'aliases': {'one': ['app']}}" };
	const char *web = join(&n, "web");

	(void)w;
	join(&n, "db");
	join(&one, "client");
	expect_name("client", 1, "app", "10.1.0.2 10.1.0.3");
	expect_name("client", 1, "AAAA app.dns.test", "fd00:1::2 fd00:1::3");
	leave(&n, "web", web);
	expect_name("client", 1, "app", "10.1.0.3");
}

TEST(names_without_a_domain)
{
	struct world w = world_begin("web db");
	const char *conf = conf_set(names_of_net(&one), "domainName", "''");
	struct answer a;

	(void)w;
	join(&one, "db");
	a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one)));
	a = expect_ok(names("ADD", "web", "eth0", with_prev(conf, a)));
	expect_json(a, "dns.nameservers", "[\"10.1.0.1\", \"fd00:1::1\"]");
	expect_json(a, "dns.search", "absent");
	expect_name("db", 1, "web", "10.1.0.3");
	expect_name("db", 1, "-x 10.1.0.3", "web.");
}

/* A runtime that was killed never calls DEL; whoever has the address next has no other names than its own. */
TEST(names_go_with_the_address)
{
	struct world w = world_begin("web db client");

	(void)w;
	join(&one, "client");
	join(&one, "web");
	sh("host", "ip -n web link del eth0; rm /var/lib/cni/networks/one/10.1.0.3 /var/lib/cni/networks/one/fd00:1::3 /var/lib/cni/networks/one/last*");
	join(&one, "db");
	expect_name("client", 1, "db", "10.1.0.3");
	expect_name("client", 1, "web", "NXDOMAIN");
	expect_name("client", 1, "-x 10.1.0.3", "db.dns.test.");
	expect_ok(names("DEL", "web", "eth0", names_of_net(&one)));        /* late */
	expect_name("client", 1, "db", "10.1.0.3");
}

/* The same attachment again, by another address: nothing of the first is left. */
TEST(names_of_an_attachment_added_again)
{
	struct world w = world_begin("web db");
	const char *conf = join(&one, "web"), *moved;

	(void)w;
	join(&one, "db");
	moved = conf_set(conf, "prevResult", "{'interfaces': [{'name': 'br1'}, {'name': 'eth0', 'sandbox': '/run/netns/web'}], 'ips': [{'address': '10.1.0.77/24', 'interface': 1}]}");
	expect_ok(names("ADD", "web", "eth0", moved));
	expect_name("db", 1, "web", "10.1.0.77");
	expect_name("db", 1, "AAAA web", "NODATA");
	expect_contains(elements_of("names4"), "10.1.0.77 . 10.1.0.1");
	expect(!strstr(elements_of("names4"), "10.1.0.2 . "));
	expect(!strstr(elements_of("names6"), "one/id-web/"));
	expect_ok(names("CHECK", "web", "eth0", moved));
	expect_ok(names("DEL", "web", "eth0", moved));
	expect_name("db", 1, "web", "NXDOMAIN");
}

/* ---- Upstream ---- */

/* A server that answers everything with 192.0.2.99 and notes what it was asked. */
static void upstream(const char *where, const char *address, int port)
{
	sh(where, "dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --port=%d --listen-address=%s --bind-interfaces --address=/#/192.0.2.99 --user=root --group= "
	   "--pid-file=/run/upstream.pid --log-queries --log-facility=/run/upstream.log", port, address);
}

static const char *upstream_saw(void)
{
	return sh("host", "sed -n 's/.*query\\[\\([A-Z]*\\)\\] \\([^ ]*\\) from.*/\\1 \\2/p' /run/upstream.log | sort -u | tr '\\n' ' '");
}

static void ask_all_sorts(void)
{
	dig_("db", "@10.1.0.1 nobody");
	dig_("db", "@10.1.0.1 AAAA nobody");
	dig_("db", "@10.1.0.1 MX nobody");
	dig_("db", "@10.1.0.1 nobody.dns.test");
	dig_("db", "@10.1.0.1 SRV _x._tcp.dns.test");
	dig_("db", "@10.1.0.1 -x 10.1.0.77");
	dig_("db", "@10.1.0.1 AAAA ally.example");
	dig_("db", "@10.1.0.1 TXT ally.example");
	dig_("db", "@10.1.0.1 AAAA gate.example");
}

#define SORTS "'runtimeConfig': {'aliases': {'one': ['ally.example']}}, 'hostNames': ['gate.example']"

/* What is not the network's is asked upstream; what is, never; nor a name without a dot. */
TEST(names_upstream)
{
	struct world w = world_begin("db lan");
	static const struct net n = { "one", 1, "'servers': ['192.0.2.2#5353'], " SORTS, .v4 = true };

	(void)w;
	upstream("lan", "192.0.2.2", 5353);
	join(&n, "db");
	expect_name("db", 1, "example.org", "192.0.2.99");
	expect_name("db", 1, "+tcp www.example.org", "192.0.2.99");
	expect_name("db", 1, "ally.example", "10.1.0.2");
	ask_all_sorts();
	expect_text(upstream_saw(), "A example.org A www.example.org ");
}

TEST_EACH(names_of_an_internal_network, ((const char *const[]){ "'internal': true", "'forward': false", NULL }), more)
{
	struct world w = world_begin("db lan");
	struct net n = { "one", 1, keep("%s, 'servers': ['192.0.2.2#5353'], " SORTS, more) };

	(void)w;
	upstream("lan", "192.0.2.2", 5353);
	join(&n, "db");
	expect_name("db", 1, "db", "10.1.0.2");
	expect_name("db", 1, "example.org", "REFUSED");
	ask_all_sorts();
	expect_text(upstream_saw(), "");
}

/* The host's resolv.conf, also where it names a server on the host's loopback only; and when it changes. */
TEST(names_upstream_of_the_host)
{
	struct world w = world_begin("db lan");

	(void)w;
	upstream("host", "127.0.0.53", 53);
	file_write("/run/etc/resolv.conf", "nameserver 127.0.0.53\noptions edns0\nsearch dns.test\n");
	sh("host", "mount --bind /run/etc/resolv.conf /etc/resolv.conf");
	join(&one, "db");
	expect_name("db", 1, "example.org", "192.0.2.99");
	dig_("db", "@10.1.0.1 nobody");
	dig_("db", "@10.1.0.1 nobody.dns.test");
	expect_text(upstream_saw(), "A example.org ");
}

TEST(names_of_the_host)
{
	struct world w = world_begin("db");
	static const struct net n = { "one", 1, "'hostNames': ['host.containers.internal', 'host.docker.internal', 'gateway']" };

	(void)w;
	join(&n, "db");
	expect_name("db", 1, "host.containers.internal", "10.1.0.1");
	expect_name("db", 1, "AAAA host.containers.internal", "fd00:1::1");
	expect_name("db", 1, "host.docker.internal", "10.1.0.1");
	expect_name("db", 1, "gateway", "10.1.0.1");
	expect_name("db", 1, "MX host.docker.internal", "NODATA");
}

/* ---- Several networks ---- */

TEST(names_of_several_networks)
{
	struct world w = world_begin("both web db lone");
	const char *web = join(&one, "web"), *db = join(&two, "db"), *both, *second, *third;

	join(&three, "lone");
	both = join(&one, "both");
	expect_name("both", 1, "web", "10.1.0.2");
	expect_name("both", 1, "db", "NXDOMAIN");
	second = join_as(&two, "both", "eth1");
	for (int number = 1; number <= 2; number++) {           /* by either network's address: those of both, and of no other */
		expect_name("both", number, "web", "10.1.0.2");
		expect_name("both", number, "+tcp db.dns.test", "10.2.0.2");
		expect_name("both", number, "both", "10.1.0.3 10.2.0.3");
		expect_name("both", number, "-x 10.2.0.2", "db.dns.test.");
		expect_name("both", number, "lone", "NXDOMAIN");
	}
	expect_answer("both", "@fd00:2::1 AAAA web", "fd00:1::2");
	expect_name("web", 1, "both", "10.1.0.3");
	expect_name("web", 1, "db", "NXDOMAIN");
	expect_name("db", 2, "web", "NXDOMAIN");
	expect_ok(names("CHECK", "both", "eth0", both));
	expect_ok(names("CHECK", "both", "eth1", second));

	third = join_as(&three, "both", "eth2");                /* names that come later, and a third network */
	expect_name("both", 1, "lone", "10.3.0.2");
	expect_name("both", 3, "web", "10.1.0.2");
	leave(&two, "db", db);
	expect_name("both", 1, "db", "NXDOMAIN");
	db = join(&two, "db");
	expect_name("both", 1, "db", "10.2.0.4");

	leave_as(&three, "both", "eth2", third);
	expect_name("both", 2, "lone", "NXDOMAIN");
	expect_name("both", 2, "web", "10.1.0.2");
	leave(&one, "both", both);                              /* the first, and so what the container had to begin with */
	expect_name("both", 2, "db", "10.2.0.4");
	expect_name("both", 2, "web", "NXDOMAIN");
	leave_as(&two, "both", "eth1", second);
	expect_text(sh("host", "ls /run/plumb/names/servers | tr '\\n' ' '"), "one three two ");
	leave(&one, "web", web);
	leave(&two, "db", db);
	expect_text(sh("host", "ls /run/plumb/names/servers"), "three\n");
	(void)w;
}

/* Nobody else is answered, whatever address is asked. */
TEST(names_are_for_their_network)
{
	struct world w = world_begin("web db");
	const char *port;

	(void)w;
	join(&one, "web");
	join(&two, "db");
	port = sh("host", "cat /run/plumb/names/servers/one/port");
	expect_answer("db", "@10.1.0.1 web", "refused");
	expect_answer("db", keep("+time=1 -p %s @10.1.0.1 web", port), "timeout");
	expect_name("db", 2, "web", "NXDOMAIN");
}

/* Two runtimes may have a container of the same id: they are two. */
TEST(names_of_two_containers_with_one_id)
{
	struct world w = world_begin("web db");
	struct answer a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .container = "1", .conf = bridge_of(&one)));
	struct answer b = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "db", .container = "1", .conf = bridge_of(&two)));

	(void)w;
	expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "web", .container = "1", .conf = with_prev(names_of_net(&one), a), .args = "K8S_POD_NAME=web"));
	expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "db", .container = "1", .conf = with_prev(names_of_net(&two), b), .args = "K8S_POD_NAME=db"));
	expect_name("db", 2, "web", "NXDOMAIN");
	expect_name("web", 1, "db", "NXDOMAIN");
}

/* ---- Port 53, and who else has it ---- */

TEST(names_beside_another_server)
{
	struct world w = world_begin("web db lan");

	(void)w;
	tcp_serve("host", "0.0.0.0", 53);
	udp_serve("host", "0.0.0.0", 53);
	join(&one, "web");
	join(&one, "db");
	expect_name("db", 1, "web", "10.1.0.2");
	expect_name("db", 1, "+tcp web", "10.1.0.2");
	expect_contains(udp_ask("lan", "192.0.2.1", 53), "host saw ");
	expect_contains(tcp_ask("lan", "192.0.2.1", 53), "host saw ");
	expect_contains(tcp_ask("db", "192.0.2.1", 53), "host saw ");  /* by another address of the host */
}

/* And it may begin when containers are there already. */
TEST(names_take_port_53_from_nobody)
{
	struct world w = world_begin("web db lan");

	(void)w;
	join(&one, "web");
	join(&one, "db");
	tcp_serve("host", NULL, 53);
	udp_serve("host", NULL, 53);
	expect_name("db", 1, "web", "10.1.0.2");
	expect_contains(udp_ask("lan", "192.0.2.1", 53), "host saw ");
}

/* A container that publishes port 53 (Pi-hole and its like) serves the LAN, and is not asked for containers' names. */
TEST(names_beside_a_published_port_53)
{
	struct world w = world_begin("hole db lan");
	const char *ports = "{'portMappings': [{'hostPort': 53, 'containerPort': 53, 'protocol': 'udp'}, {'hostPort': 53, 'containerPort': 53}]}";
	const char *hole = join(&one, "hole");

	(void)w;
	join(&one, "db");
	udp_serve("hole", NULL, 53);
	tcp_serve("hole", NULL, 53);
	expect_ok(call(.plugin = "portmap", .verb = "ADD", .pod = "hole", .conf = conf_set(conf_set(hole, "type", "'portmap'"), "runtimeConfig", ports)));
	expect_contains(udp_ask("lan", "192.0.2.1", 53), "hole saw 192.0.2.2");
	expect_name("db", 1, "hole", "10.1.0.2");
	expect_name("db", 1, "+tcp hole", "10.1.0.2");
}

/* ---- The host ---- */

TEST(names_for_the_host)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *db = join(&two, "db");

	(void)w;
	expect_answer("host", "@10.1.0.1 web", "10.1.0.2");
	expect_answer("host", "+tcp @fd00:1::1 AAAA web.dns.test", "fd00:1::2");
	expect_answer("host", "@10.2.0.1 db", "10.2.0.2");
	leave(&one, "web", web);
	expect_answer("host", "@10.1.0.1 web", "refused");
	expect_answer("host", "@10.2.0.1 db", "10.2.0.2");
	leave(&two, "db", db);
}

/* A program that notes what it is told. */
static void fake_program(const char *name, const char *then)
{
	file_write(keep("/run/fake/%s", name), keep("#!/bin/sh\necho \"%s $*\" >>/run/fake/log\n%s\n", name, then));
	sh("host", "chmod +x /run/fake/%s", name);
}

static struct answer names_with_path(const char *verb, const char *pod, const char *conf)
{
	return call(.plugin = "dnsname", .verb = verb, .pod = pod, .container = keep("id-%s", pod), .conf = conf, .args = keep("K8S_POD_NAME=%s", pod),
	            .program = "/usr/bin/env", .argv = (const char *[]){ "PATH=/run/fake:/usr/sbin:/usr/bin:/sbin:/bin", keep("%s/dnsname", bin_dir()), NULL });
}

TEST(names_are_routed_by_systemd_resolved)
{
	struct world w = world_begin("web db");
	const char *port, *web, *db;

	(void)w;
	fake_program("resolvectl", "");
	file_write("/run/systemd/resolve/io.systemd.Resolve", "");
	web = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one))));
	expect_ok(names_with_path("ADD", "web", web));
	port = sh("host", "tr -d '\\n' </run/plumb/names/servers/one/port");
	expect_text(file_read("/run/fake/log"), keep("resolvectl dns br1 10.1.0.1:%s [fd00:1::1]:%s\n"
	            "resolvectl domain br1 ~dns.test ~0.1.10.in-addr.arpa ~0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa\n", port, port));
	db = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "db", .conf = bridge_of(&one))));
	file_write("/run/fake/log", "");
	expect_ok(names_with_path("ADD", "db", db));
	expect_ok(names_with_path("DEL", "web", web));
	expect_text(file_read("/run/fake/log"), "");            /* it is told once */
	expect_ok(names_with_path("DEL", "db", db));
	expect_text(file_read("/run/fake/log"), "resolvectl revert br1\n");
}

/* ---- The server's life ---- */

static int server_pid(const char *view)
{
	const char *text = file_read(keep("/run/plumb/names/servers/%s/pid", view));

	return text ? atoi(text) : 0;
}

static void kill_server(const char *view, int sig)
{
	int pid = server_pid(view);

	expect(pid > 0 && kill(pid, sig) == 0);
	if (sig == SIGKILL)
		eventually(kill(pid, 0) < 0 && errno == ESRCH);
}

/* Of a user of its own, with no capability, no more descriptors than its own, and no way up. */
TEST(server_has_few_rights)
{
	struct world w = world_begin("web");
	const char *status, *fds;
	int pid;

	(void)w;
	join(&one, "web");
	pid = server_pid("one");
	expect(pid > 0);
	status = file_read(keep("/proc/%d/status", pid));
	expect_contains(status, "NoNewPrivs:\t1");
	if (strstr(file_read("/proc/self/uid_map"), "4294967295")) {    /* in a user namespace there may be none but root, who has no rights outside */
		expect(!strstr(status, "Uid:\t0\t"));
		expect_contains(status, "CapPrm:\t0000000000000000");
		expect_contains(status, "CapEff:\t0000000000000000");
	}
	fds = sh("host", "readlink /proc/%d/fd/0 /proc/%d/fd/1 /proc/%d/fd/2", pid, pid, pid);
	expect_text(fds, "/dev/null\n/dev/null\n/dev/null\n");
	expect_text(sh("host", "readlink /proc/%d/cwd", pid), "/\n");
	expect_text(sh("host", "cut -d' ' -f6 /proc/%d/stat", pid), sh("host", "cut -d' ' -f5 /proc/%d/stat", pid));
	expect(getpgid(pid) != getpgid(0) && getsid(pid) != getsid(0));
}

TEST(server_comes_back)
{
	struct world w = world_begin("web db client");
	const char *web = join(&one, "web"), *client = join(&one, "client"), *db;

	(void)w;
	kill_server("one", SIGKILL);
	expect_error(names("CHECK", "web", "eth0", web), 999, "does not run");
	expect_error(call(.plugin = "dnsname", .verb = "STATUS", .conf = names_of_net(&one)), 51, "does not run");
	db = join(&one, "db");
	expect_name("client", 1, "web", "10.1.0.2");
	expect_name("client", 1, "db", "10.1.0.4");
	expect_ok(names("CHECK", "web", "eth0", web));
	expect_ok(call(.plugin = "dnsname", .verb = "STATUS", .conf = names_of_net(&one)));
	kill_server("one", SIGKILL);
	leave(&one, "db", db);
	expect_name("client", 1, "web", "10.1.0.2");
	expect_name("client", 1, "db", "NXDOMAIN");
	kill_server("one", SIGKILL);
	expect_ok(names("CHECK", "web", "eth0", conf_set(web, "repair", "true")));
	expect_name("client", 1, "web", "10.1.0.2");
	kill_server("one", SIGSTOP);                            /* it is there, and does not answer */
	expect_error(names("CHECK", "web", "eth0", web), 999, "does not answer");
	join(&one, "db");
	expect_name("client", 1, "web", "10.1.0.2");
	kill_server("one", SIGKILL);
	leave(&one, "web", web);
	leave(&one, "client", client);
}

TEST(server_of_several_networks_comes_back)
{
	struct world w = world_begin("both web db");

	(void)w;
	join(&one, "web");
	join(&one, "both");
	join_as(&two, "both", "eth1");
	kill_server("one+two", SIGKILL);
	join(&two, "db");
	expect_name("both", 1, "db", "10.2.0.3");
	expect_name("both", 2, "web", "10.1.0.2");
}

TEST(server_ends_with_the_last_name)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *db = join(&one, "db");
	int pid = server_pid("one");

	leave(&one, "web", web);
	expect(kill(pid, 0) == 0);
	leave(&one, "db", db);
	eventually(kill(pid, 0) < 0 && errno == ESRCH);
	expect_untouched(&w, LEFT_OF("1", "one"));
	leave(&one, "db", db);
	web = join(&one, "web");
	kill_server("one", SIGKILL);
	leave(&one, "web", web);
	expect_untouched(&w, LEFT_OF("1", "one"));
}

/* Somebody has been tidying up. */
static const char *const files[] = {
	"names/containers/*", "names/networks/one/about", "names/networks/one/hosts", "names/servers/one/pid", "names/servers/one", "names", "nftables", NULL
};

TEST_EACH(del_with_files_missing, files, what)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web");
	int pid = server_pid("one");

	sh("host", "rm -rf /run/plumb/%s", what);
	leave(&one, "web", web);
	if (strcmp(what, "names"))
		eventually(kill(pid, 0) < 0 && errno == ESRCH);
	expect_text(elements_of("names4"), "");
	web = join(&one, "web");
	join(&one, "db");
	expect_name("db", 1, "web", "10.1.0.3");
	(void)w;
}

/* ---- What cannot be read is not gone ---- */

#define NAMES_DIR "/run/plumb/names/"

/* A directory in the place of a file, a file in that of a directory: what is there cannot be read, by root neither. */
static void obstruct(const char *file)
{
	sh("host", "cd " NAMES_DIR " && if [ -d %s ]; then mv %s /run/aside && touch %s; else mv %s /run/aside && mkdir %s; fi", file, file, file, file, file);
}

static void restore(const char *file)
{
	sh("host", "cd " NAMES_DIR " && rm -r %s && mv /run/aside %s", file, file);
}

static const char *const for_del[] = { "networks/one/hosts", "networks/one/hosts/10.1.0.2", "containers/id-web/one:eth0", "containers/id-web", "servers", NULL };

/* Nobody takes the container for the last one of the network; and what has failed can be done again. */
TEST_EACH(del_does_not_take_for_gone, for_del, file)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *db = join(&one, "db");
	int pid = server_pid("one");

	obstruct(file);
	expect_error(names("DEL", "web", "eth0", web), 5, file);
	expect_error(names("DEL", "web", "eth0", conf_set(web, "prevResult", NULL)), 5, file);
	restore(file);
	expect_number(server_pid("one"), pid);
	expect_name("db", 1, "db", "10.1.0.3");
	expect_ok(names("CHECK", "db", "eth0", db));
	leave(&one, "web", web);
	expect_name("db", 1, "web", "NXDOMAIN");
	expect_name("db", 1, "db", "10.1.0.3");
	leave(&one, "db", db);
	expect_untouched(&w, LEFT_OF("1", "one"));
}

static const char *const for_gc[] = { "containers", "networks/one/hosts", "networks/one/hosts/10.1.0.2", "containers/id-web/one:eth0", "servers", NULL };

TEST_EACH(gc_does_not_take_for_gone, for_gc, file)
{
	struct world w = world_begin("web db");
	const char *valid = "[{'containerID': 'id-db', 'ifname': 'eth0'}]", *db, *conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", valid);
	int pid;

	(void)w;
	join(&one, "web");
	db = join(&one, "db");
	pid = server_pid("one");
	obstruct(file);
	expect_error(call(.plugin = "dnsname", .verb = "GC", .conf = conf), 5, "names");
	restore(file);
	expect_number(server_pid("one"), pid);
	expect_ok(names("CHECK", "db", "eth0", db));
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf));
	eventually(!strcmp(dig_("db", "@10.1.0.1 web"), "NXDOMAIN"));
	expect_name("db", 1, "db", "10.1.0.3");
	expect_text(sh("host", "ls " NAMES_DIR "containers " NAMES_DIR "networks/one/hosts | tr '\\n' ' '"),
	            NAMES_DIR "containers: id-db  " NAMES_DIR "networks/one/hosts: 10.1.0.3 ");
}

static const char *const for_add[] = { "servers/one/port", "servers/one/pid", "servers/one", "servers", "networks/one/hosts", "networks/one/about", "containers", NULL };

/* A server's port stays: others are led there. */
TEST_EACH(add_does_not_take_for_gone, for_add, file)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *port = file_read(NAMES_DIR "servers/one/port"), *elements = elements_of("names4"), *db;

	(void)w;
	db = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "db", .container = "id-db", .conf = bridge_of(&one))));
	obstruct(file);
	expect_error(names("ADD", "db", "eth0", db), 5, "names");
	restore(file);
	expect_file(NAMES_DIR "servers/one/port", port);
	expect_text(elements_of("names4"), elements);
	expect_ok(names("DEL", "db", "eth0", db));
	expect_no_file(NAMES_DIR "containers/id-db");
	expect_ok(names("CHECK", "web", "eth0", web));
	expect_ok(names("ADD", "db", "eth0", db));
	expect_name("db", 1, "web", "10.1.0.2");
	expect_name("web", 1, "db", "10.1.0.3");
}

static const char *const for_check[] = { "servers/one/port", "servers/one/pid", "servers/one", "networks/one/hosts", "networks/one/about", "containers", NULL };

TEST_EACH(check_does_not_take_for_gone, for_check, file)
{
	struct world w = world_begin("web");
	const char *web = join(&one, "web");

	(void)w;
	obstruct(file);
	expect_error(names("CHECK", "web", "eth0", web), 5, "names");
	if (strcmp(file, "containers"))
		expect_error(call(.plugin = "dnsname", .verb = "STATUS", .conf = names_of_net(&one)), 5, "names");
	restore(file);
	expect_ok(names("CHECK", "web", "eth0", web));
	expect_ok(call(.plugin = "dnsname", .verb = "STATUS", .conf = names_of_net(&one)));
}

/* A number that is none. The process is found without its pid file; the port is not chosen anew. */
TEST(files_of_a_server_are_damaged)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *port = file_read(NAMES_DIR "servers/one/port"), *db;

	(void)w;
	file_write(NAMES_DIR "servers/one/pid", "12x\n");
	db = join(&one, "db");
	expect_file(NAMES_DIR "servers/one/port", port);
	expect_name("db", 1, "web", "10.1.0.2");
	file_write(NAMES_DIR "servers/one/pid", "");
	leave(&one, "db", db);
	expect_name("web", 1, "db", "NXDOMAIN");
	expect_text(sh("host", "pgrep -c -f -- --pid-file=" NAMES_DIR "servers/one/pi[d]"), "1\n");
	file_write(NAMES_DIR "servers/one/port", "port");
	expect_error(names("CHECK", "web", "eth0", web), 999, "says no port");
	db = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "db", .container = "id-db", .conf = bridge_of(&one))));
	expect_error(names("ADD", "db", "eth0", db), 999, "says no port");
	file_write(NAMES_DIR "servers/one/port", port);
	expect_ok(names("CHECK", "web", "eth0", web));
	file_write(NAMES_DIR "servers/one/port", "0");
	leave(&one, "web", web);
	expect_text(sh("host", "ls " NAMES_DIR "servers " NAMES_DIR "containers | grep -v : | tr -d '\\n'"), "");
}

/* ---- What calls leave that are killed ---- */

TEST(del_and_gc_find_what_killed_calls_leave)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web"), *db = join(&one, "db");
	static const char *const left[] = { "networks/one/.about.new", "networks/one/hosts/.10.1.0.2.new", "servers/one/.dotted.new", "containers/id-web/.one:eth0.new",
	                                    "servers/one+two/lock", "servers/one+two/.networks.new", NULL };

	for (const char *const *file = left; *file; file++)
		file_write(keep(NAMES_DIR "%s", *file), "half");
	leave(&one, "web", web);
	expect_text(sh("host", "find " NAMES_DIR " -name '.*' | grep -v dotted || :"), "");
	expect_no_file(NAMES_DIR "servers/one+two");
	sh("host", "mkdir " NAMES_DIR "containers/id-web");     /* announced, but for the file */
	file_write(NAMES_DIR "networks/one/hosts/.10.1.0.9.new", "half");
	file_write(NAMES_DIR "servers/one+two/networks", "one\ntwo\n");
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", "[{'containerID': 'id-db', 'ifname': 'eth0'}]")));
	expect_no_file(NAMES_DIR "containers/id-web");
	expect_no_file(NAMES_DIR "servers/one+two");
	expect_text(sh("host", "find " NAMES_DIR " -name '.*' | grep -v dotted || :"), "");
	file_write(NAMES_DIR "containers/id-web/one:eth0", ""); /* announced */
	expect_error(names("CHECK", "web", "eth0", web), 999, "do not lead to");
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", "[{'containerID': 'id-db', 'ifname': 'eth0'}]")));
	expect_no_file(NAMES_DIR "containers/id-web");
	leave(&one, "db", db);
	expect_untouched(&w, LEFT_OF("1", "one"));
}

/* On record with the one server, and led to the other: the ADD on the second network died in between, in either order. */
static const char *const orders[] = { "s/\"one+two\"/\"one\"/", "", NULL };

TEST_EACH(names_when_the_second_add_died, orders, edit)
{
	struct world w = world_begin("both web");
	const char *second;

	(void)w;
	join(&one, "web");
	join(&one, "both");
	second = join_as(&two, "both", "eth1");
	sh("host", "sed -i '%s' '" NAMES_DIR "containers/id-both/one:eth0' && rm " NAMES_DIR "networks/two/hosts/*", edit);
	leave_as(&two, "both", "eth1", second);
	expect_name("both", 1, "web", "10.1.0.2");
	expect_name("both", 1, "+tcp web", "10.1.0.2");
	expect_no_file(NAMES_DIR "servers/one+two");
}

/* Who has written down that a name with a dot is a container's may have died before he told the server. */
TEST(server_is_told_of_what_is_written)
{
	struct world w = world_begin("web db");
	static const struct net n = { "one", 1, "'internal': true, 'runtimeConfig': {'aliases': {'one': ['a.b.c']}}", .v4 = true };
	static const struct net plain = { "one", 1, "'internal': true", .v4 = true };

	(void)w;
	join(&plain, "db");
	expect_name("db", 1, "AAAA a.b.c", "REFUSED");
	file_write(NAMES_DIR "servers/one/dotted", "server=/a.b.c/\n");
	join(&n, "web");
	expect_name("db", 1, "AAAA a.b.c", "NODATA");
}

TEST(dnsmasq_is_missing)
{
	struct world w = world_begin("web");
	struct answer a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one)));

	(void)w;
	sh("host", "for d in /usr/sbin /usr/bin /usr/local/sbin /usr/local/bin; do [ ! -e $d/dnsmasq ] || mount --bind /dev/null $d/dnsmasq; done");
	a = expect_error(call(.plugin = "dnsname", .verb = "ADD", .pod = "web", .conf = with_prev(names_of_net(&one), a)), 999, "dnsmasq");
	expect_contains(json_at(a, "details"), "dnsmasq-base");
	expect_error(call(.plugin = "dnsname", .verb = "STATUS", .conf = names_of_net(&one)), 50, "not installed");
	expect_text(elements_of("names4"), "");
	expect_no_file("/run/plumb/names/networks/one");
	expect_no_file("/run/plumb/names/containers/web");
}

/* As a unit of systemd, where that runs. */
TEST(server_is_a_unit_of_systemd)
{
	struct world w = world_begin("web db");
	const char *web, *log;

	(void)w;
	fake_program("systemd-run", "while [ \"$1\" != -- ]; do shift; done; shift; exec \"$@\"");
	sh("host", "mkdir -p /run/systemd/system");
	web = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one))));
	expect_ok(names_with_path("ADD", "web", web));
	log = file_read("/run/fake/log");
	expect_contains(log, "--unit=plumb-names-one ");
	expect_contains(log, "--service-type=forking");
	expect_contains(log, "--property=PIDFile=/run/plumb/names/servers/one/pid");
	expect_answer("web", "@10.1.0.1 web", "10.1.0.2");
	expect_ok(names_with_path("DEL", "web", web));
	fake_program("systemd-run", "exit 1");                  /* it is there, and cannot */
	expect_ok(names_with_path("ADD", "web", web));
	expect_answer("web", "@10.1.0.1 web", "10.1.0.2");
}

/* ---- Policies, and a ruleset that was flushed ---- */

/* What a policy keeps from a container, it may still ask for names. */
static const char *const policies[] = { "{'internal': true, 'hostReachable': false}", "{'egressAllow': ['192.0.2.0/24']}", "{'egressDeny': ['host', 'lan']}", NULL };

TEST_EACH(names_under_a_policy, policies, policy)
{
	struct world w = world_begin("web db lan");
	const char *conf = join(&one, "web");

	(void)w;
	join(&one, "db");
	conf = conf_set(conf, "type", "'firewall'");
	for (const char *key = "internal hostReachable egressAllow egressDeny"; *key; key += strcspn(key, " ") + (strchr(key, ' ') != NULL)) {
		const char *name = keep("%.*s", (int)strcspn(key, " "), key), *value = json_at((struct answer){ .json = json_loads(json_quotes(policy), 0, NULL) }, name);

		if (strcmp(value, "absent"))
			conf = conf_set(conf, name, value);
	}
	udp_serve("host", "10.1.0.1", 7000);
	expect_contains(udp_ask("web", "10.1.0.1", 7000), "host saw");
	expect_ok(call(.plugin = "firewall", .verb = "ADD", .pod = "web", .conf = conf));
	expect_text(ask_("udp", "web", 0, "10.1.0.1", 7000, BRIEFLY), "timeout");
	expect_name("web", 1, "db", "10.1.0.3");
	expect_name("web", 1, "+tcp db", "10.1.0.3");
	expect_answer("web", "@fd00:1::1 AAAA db", "fd00:1::3");
	if (strstr(policy, "internal"))                         /* and nothing but names */
		expect_answer("web", keep("+time=1 -p %s @10.1.0.1 db", sh("host", "cat /run/plumb/names/servers/one/port")), "timeout");
}

TEST(names_after_a_flush)
{
	struct world w = world_begin("web db both");

	(void)w;
	join(&one, "web");
	join(&one, "both");
	join_as(&two, "both", "eth1");
	sh("host", "nft flush ruleset");
	expect_name("web", 1, "both", "refused");
	join(&one, "db");
	expect_name("web", 1, "both", "10.1.0.3");
	expect_name("both", 2, "db", "10.1.0.4");
	expect_answer("host", "@10.1.0.1 db", "10.1.0.4");
	expect_answer("host", "@10.2.0.1 both", "10.2.0.2");
}

TEST(check_notices_what_was_changed)
{
	struct world w = world_begin("web db");
	const char *web = join(&one, "web");

	(void)w;
	expect_ok(names("CHECK", "web", "eth0", web));
	sh("host", "nft flush map inet plumb names6");
	expect_error(names("CHECK", "web", "eth0", web), 999, "names6");
	expect_ok(names("CHECK", "web", "eth0", conf_set(web, "repair", "true")));
	sh("host", "rm /run/plumb/names/networks/one/hosts/10.1.0.2");
	expect_error(names("CHECK", "web", "eth0", web), 999, "missing");
}

/* What calls leave that are killed between two steps. */
TEST(gc_removes_what_is_on_no_record)
{
	struct world w = world_begin("web both");

	(void)w;
	join(&one, "web");
	join(&one, "both");
	join_as(&two, "both", "eth1");
	sh("host", "rm -r /run/plumb/names/containers/id-both /run/plumb/names/networks/two/hosts/*");
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", "[{'containerID': 'id-web', 'ifname': 'eth0'}]")));
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&two), "cni.dev/valid-attachments", "[]")));
	expect_name("web", 1, "web", "10.1.0.2");
	eventually(!strcmp(dig_("web", "@10.1.0.1 both"), "NXDOMAIN"));
	expect_text(sh("host", "ls /run/plumb/names/servers /run/plumb/names/networks | grep -v : | tr '\\n' ' '"), "one  one ");
}

/* Two containers that containers/dnsname has set up: its files as it writes them, its server. Our DEL takes them away. */
TEST(del_of_what_the_reference_set_up)
{
#define THEIRS "/run/containers/cni/dnsname/one"
	struct world w = world_begin("web db");
	const char *conf[2], *pods[] = { "web", "db" };
	int pid;

	(void)w;
	for (int i = 0; i < 2; i++)
		conf[i] = with_prev(names_of_net(&one), expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = pods[i], .conf = bridge_of(&one))));
	file_write(THEIRS "/addnhosts", "10.1.0.2\tweb\twww\nfd00:1::2\tweb\twww\n10.1.0.3\tdb\nfd00:1::3\tdb\n");
	file_write(THEIRS "/dnsmasq.conf", "strict-order\nlocal=/dns.test/\ndomain=dns.test\nexpand-hosts\npid-file=" THEIRS "/pidfile\nexcept-interface=lo\n"
	           "bind-dynamic\nno-hosts\ninterface=br1\naddn-hosts=" THEIRS "/addnhosts\nno-resolv\nlog-facility=/dev/null\ngroup=\n");
	file_write(THEIRS "/lock", "");
	sh("host", "dnsmasq -u root --conf-file=" THEIRS "/dnsmasq.conf");
	pid = atoi(file_read(THEIRS "/pidfile"));
	expect_name("db", 1, "web", "10.1.0.2");
	expect_ok(names("DEL", "web", "eth0", conf[0]));
	expect_file(THEIRS "/addnhosts", "10.1.0.3\tdb\nfd00:1::3\tdb\n");
	eventually(!strcmp(dig_("db", "@10.1.0.1 web.dns.test"), "NXDOMAIN"));
	expect_name("db", 1, "db", "10.1.0.3");
	expect_ok(names("ADD", "web", "eth0", conf[0]));        /* ours beside theirs, as after a reload of one container */
	expect_name("web", 1, "web", "10.1.0.2");
	expect_ok(names("DEL", "db", "eth0", conf_set(conf[1], "prevResult", NULL)));
	eventually(kill(pid, 0) < 0 && errno == ESRCH);
	expect_no_file(THEIRS);
	expect_name("web", 1, "web", "10.1.0.2");
}

/* Whatever the runtime's umask: servers run as a user of their own. */
TEST(names_under_a_narrow_umask)
{
	struct world w = world_begin("web db");

	(void)w;
	umask(077);
	join(&one, "web");
	join(&one, "db");
	expect_name("db", 1, "web", "10.1.0.2");
}

TEST(gc_removes_what_no_attachment_has)
{
	struct world w = world_begin("web db both");
	const char *web = join(&one, "web"), *valid = "[{'containerID': 'id-web', 'ifname': 'eth0'}]";
	struct answer a;

	(void)w;
	join(&one, "both");
	join_as(&two, "both", "eth1");
	join(&one, "db");
	a = expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(conf_set(names_of_net(&one), "cni.dev/valid-attachments", valid), "dryRun", "true")));
	expect_contains(a.err, "would remove the names of container \"id-db\" of network \"one\" (eth0)");
	expect_name("web", 1, "db", "10.1.0.4");
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", valid)));
	expect_name("web", 1, "db", "NXDOMAIN");
	expect_name("web", 1, "both", "NXDOMAIN");
	expect_name("web", 1, "web", "10.1.0.2");
	expect_name("both", 2, "both", "10.2.0.2");
	expect_name("both", 2, "web", "NXDOMAIN");
	expect_text(sh("host", "ls /run/plumb/names/servers | tr '\\n' ' '"), "one two ");
	expect_ok(names("CHECK", "web", "eth0", web));
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&one), "cni.dev/valid-attachments", "[]")));
	expect_ok(call(.plugin = "dnsname", .verb = "GC", .conf = conf_set(names_of_net(&two), "cni.dev/valid-attachments", "[]")));
	expect_text(sh("host", "ls /run/plumb/names/servers /run/plumb/names/containers /run/plumb/names/networks | grep -v : | tr -d '\\n'"), "");
	expect_text(elements_of("names4"), "");
	expect_text(elements_of("names_host4"), "");
}

/* ---- Other networks than bridges, and configurations that are wrong ---- */

TEST(names_on_ptp)
{
	struct world w = world_begin("web db");
	const char *ipam = "{'type': 'host-local', 'subnet': '10.1.0.0/24', 'routes': [{'dst': '0.0.0.0/0'}]}", *told[2];
	const char *ptp = keep("{'cniVersion': '1.1.0', 'name': 'one', 'type': 'ptp', 'ipam': %s}", ipam);
	static const char *const pods[] = { "web", "db" };

	(void)w;
	for (int i = 0; i < 2; i++) {
		told[i] = with_prev(names_of_net(&one), expect_ok(call(.plugin = "ptp", .verb = "ADD", .pod = pods[i], .conf = ptp)));
		expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = pods[i], .conf = told[i]));
	}
	expect_name("web", 1, "db", "10.1.0.3");
	expect_name("db", 1, "web", "10.1.0.2");
	expect_ok(call(.plugin = "dnsname", .verb = "DEL", .pod = "web", .conf = told[0]));
	expect_ok(call(.plugin = "ptp", .verb = "DEL", .pod = "web", .conf = ptp));
	expect_name("db", 1, "web", "NXDOMAIN");
	expect_name("db", 1, "db", "10.1.0.3");
}

TEST(dnsname_bad_configurations)
{
	static const struct { const char *key, *value, *place; } bad[] = {
		{ "domainName", "'a b'", "domainName" }, { "domainName", "'x/y'", "domainName" }, { "domainName", "'a..b'", "domainName" }, { "domainName", "7", "domainName" },
		{ "servers", "['x']", "servers[0]" }, { "servers", "['192.0.2.1', '192.0.2.1#0']", "servers[1]" }, { "servers", "['/x/192.0.2.1']", "servers[0]" },
		{ "hostNames", "['ok', 'a,b']", "hostNames[1]" }, { "internal", "'yes'", "internal" },
		{ "runtimeConfig", "{'aliases': {'one': ['ok', 'a b']}}", "runtimeConfig.aliases.one[1]" },
		{ "runtimeConfig", "{'aliases': {'one': ['x\\n192.0.2.9 evil']}}", "runtimeConfig.aliases.one[0]" },
		{ "runtimeConfig", "{'aliases': {'one': 'x'}}", "runtimeConfig.aliases.one" }, { "runtimeConfig", "{'aliases': ['x']}", "runtimeConfig.aliases" },
	};
	struct world w = world_begin("web");
	struct answer a = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .conf = bridge_of(&one)));
	const char *conf = with_prev(names_of_net(&one), a);

	world_settled(&w);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		note("%s: %s", bad[i].key, bad[i].value);
		expect_error(names("ADD", "web", "eth0", conf_set(conf, bad[i].key, bad[i].value)), 7, bad[i].place);
		expect_ok(names("DEL", "web", "eth0", bad[i].place[0] == 'd' || bad[i].place[0] == 'i' ? conf : conf_set(conf, bad[i].key, bad[i].value)));
	}
	expect_error(names("ADD", "web", "eth0", conf_set(conf_set(conf, "internal", "true"), "forward", "true")), 7, "internal");
	expect_error(names("ADD", "web", "eth0", names_of_net(&one)), 7, "prevResult");
	sh("host", "ip addr flush dev br1");
	expect_error(names("ADD", "web", "eth0", conf), 7, "isGateway");
	sh("host", "ip addr add 10.1.0.1/24 dev br1; ip addr add fd00:1::1/64 dev br1 nodad");
	expect_untouched(&w, "address host: br1 *", "route host: *");
}

/* ---- Many, and all the time ---- */

/* Questions that are under way all the time, in a process of its own: of each, whether it was answered. */
struct asking {
	unsigned asked, answered, wrong;
	bool     stop;
};

static void ask_once(int fd, struct asking *a, unsigned i)
{
	/* A of "stay" and "nobody", in turn */
	static const uint8_t stay[] = "\0\0\1\0\0\1\0\0\0\0\0\0\4stay\3dns\4test\0\0\1\0\1", nobody[] = "\0\0\1\0\0\1\0\0\0\0\0\0\6nobody\0\0\1\0\1";
	const uint8_t *question = i % 2 ? nobody : stay;
	size_t len = i % 2 ? sizeof nobody - 1 : sizeof stay - 1;
	uint8_t out[64], in[600];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	memcpy(out, question, len);
	out[0] = i >> 8;
	out[1] = i;
	a->asked++;
	if (send(fd, out, len, 0) != (ssize_t)len || poll(&p, 1, 4000) != 1 || (n = recv(fd, in, sizeof in, 0)) < 12 || memcmp(in, out, 2))
		return;
	a->answered++;
	a->wrong += (i % 2 ? (in[3] & 0xf) != 3 : (in[3] & 0xf) != 0 || in[7] != 1 || memcmp(in + n - 4, "\012\1\0\2", 4));
}

/* each: how many questions are asked by the same port. Many are one conversation to the kernel; one each is what resolvers do. Ports are taken in
 * turn, so that none comes again within the half minute that the kernel remembers it, and not too many questions for that are asked. */
static struct asking *ask_all_the_time(const char *pod, const char *server, unsigned each)
{
	struct asking *a = mmap(NULL, sizeof *a, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in mine = { .sin_family = AF_INET };
	int fd = -1;

	inet_pton(AF_INET, server, &at.sin_addr);
	if (fork() > 0)
		return a;
	for (unsigned i = 0; !*(volatile bool *)&a->stop; i++) {
		if (i % each == 0) {
			close(fd);
			fd = world_socket(pod, AF_INET, SOCK_DGRAM, 0);
			mine.sin_port = htons(10000 + i / each % 50000);
			if (fd < 0 || bind(fd, (struct sockaddr *)&mine, sizeof mine) < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
				_exit(1);
		}
		ask_once(fd, a, i);
		if (each == 1)
			usleep(2000);
	}
	_exit(0);
}

static bool resolves_to(const char *pod, const char *name, const char *address)
{
	uint8_t out[80] = "\1\2\1\0\0\1", in[600], want[4];
	int fd = world_socket(pod, AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = strlen(name);
	ssize_t n;

	inet_pton(AF_INET, "10.1.0.1", &at.sin_addr);
	inet_pton(AF_INET, address, want);
	out[12] = len;
	memcpy(out + 13, name, len);
	memcpy(out + 13 + len, "\0\0\1\0\1", 5);
	if (sendto(fd, out, len + 18, 0, (struct sockaddr *)&at, sizeof at) < 0 || poll(&p, 1, 4000) != 1 || (n = recv(fd, in, sizeof in, 0)) < 12)
		fail("%s: no answer in %s", name, pod);
	close(fd);
	return (in[3] & 0xf) == 0 && in[7] == 1 && !memcmp(in + n - 4, want, 4);
}

/* 500 containers come and go one after the other while two others ask all the time, 10,000 questions at least: each is answered, and rightly; a name
 * is there when ADD has returned and not when DEL has. One of the two goes on and off a second network meanwhile, which changes who answers it. */
TEST(no_question_is_lost_while_names_come_and_go)
{
	struct world w = world_begin("stay moves watch");
	const char *prev = "{'cniVersion': '1.1.0', 'interfaces': [{'name': 'br1'}, {'name': 'eth0', 'sandbox': '/run/netns/x'}],"
	                   " 'ips': [{'address': '10.1.0.%d/24', 'interface': 1}]}";
	struct asking *all[2];
	const char *second = NULL;

	(void)w;
	join(&one, "stay");
	join(&one, "moves");
	join(&one, "watch");
	all[0] = ask_all_the_time("stay", "10.1.0.1", 50);
	all[1] = ask_all_the_time("moves", "10.1.0.1", 1);
	for (int i = 0; i < 500; i++) {
		const char *name = keep("c%d", i), *conf = conf_set(names_of_net(&one), "prevResult", keep(prev, 100 + i % 100));

		note("%s", name);
		expect_ok(call(.plugin = "dnsname", .verb = "ADD", .pod = "x", .container = name, .conf = conf));
		expect(resolves_to("watch", name, keep("10.1.0.%d", 100 + i % 100)));
		if (i % 50 == 20)
			second = join_as(&two, "moves", "eth1");
		if (i % 50 == 40)
			leave_as(&two, "moves", "eth1", second);
		expect_ok(call(.plugin = "dnsname", .verb = "DEL", .pod = "x", .container = name, .conf = conf));
		expect(!resolves_to("watch", name, keep("10.1.0.%d", 100 + i % 100)));
	}
	eventually(all[0]->asked + all[1]->asked >= 10000);
	for (int i = 0; i < 2; i++)
		all[i]->stop = true;
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < 2; i++) {
		note("%s: %u questions, %u answers, %u wrong", i ? "moves" : "stay", all[i]->asked, all[i]->answered, all[i]->wrong);
		expect_number(all[i]->answered, all[i]->asked);
		expect_number(all[i]->wrong, 0);
	}
	printf("# %u questions\n", all[0]->asked + all[1]->asked);
}

/* The first containers of a network, and all others, at once; some on two networks, by two calls at the same time. */
/* Runtimes call again what takes them too long. */
TEST(names_of_one_attachment_at_once)
{
	enum { CALLS = 6, ROUNDS = 8 };
	struct world w = world_begin("web db");
	const char *db = join(&one, "db"), *told;
	struct answer bridge = expect_ok(call(.plugin = "bridge", .verb = "ADD", .pod = "web", .container = "id-web", .conf = bridge_of(&one)));

	told = with_prev(names_of_net(&one), bridge);
	for (int i = 0; i < ROUNDS; i++) {
		int status = 0, failed = 0;

		for (int n = 0; n < CALLS; n++)
			if (fork() == 0) {
				expect_ok(names(n % 3 == 2 && i % 2 ? "DEL" : "ADD", "web", "eth0", told));
				_exit(0);
			}
		while (wait(&status) > 0)
			failed += status != 0;
		expect_number(failed, 0);
		expect_ok(names("ADD", "web", "eth0", told));
		expect_name("db", 1, "web", "10.1.0.3");
		expect_ok(names("CHECK", "web", "eth0", told));
		expect_ok(names("DEL", "web", "eth0", told));
		expect_name("db", 1, "web", "NXDOMAIN");
	}
	leave(&one, "web", told);
	leave(&one, "db", db);
	expect_untouched(&w, LEFT_OF("1", "one"));
}

TEST(names_many_at_once)
{
	enum { PODS = 16 };
	const char *pods = "watch";
	pid_t calls[PODS * 2];
	struct world w;
	int failed = 0;

	for (int i = 0; i < PODS; i++)
		pods = keep("%s p%d", pods, i);
	w = world_begin(pods);
	for (int i = 0; i < PODS * 2; i++) {
		calls[i] = fork();
		if (calls[i] == 0) {
			const struct net *n = i < PODS ? &one : &two;
			const char *pod = keep("p%d", i % PODS);

			join_as(n, pod, i < PODS ? "eth0" : "eth1");
			_exit(0);
		}
	}
	for (int i = 0; i < PODS * 2; i++) {
		int status = 0;

		waitpid(calls[i], &status, 0);
		failed += status != 0;
	}
	expect_number(failed, 0);
	join(&one, "watch");
	for (int i = 0; i < PODS; i++) {
		expect(strncmp(dig_("watch", keep("@10.1.0.1 p%d", i)), "10.1.0.", 7) == 0);
		expect(strstr(dig_(keep("p%d", i), keep("@10.1.0.1 p%d", (i + 1) % PODS)), " 10.2.0.") != NULL);
	}
	expect_text(sh("host", "ls /run/plumb/names/servers | tr '\\n' ' '"), "one one+two two ");
	(void)w;
}
