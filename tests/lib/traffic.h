/* Real traffic with real sockets between a world's namespaces. Addresses are IPv4 or IPv6 text.
 *
 * A server answers every request with "NAME saw ADDRESS", NAME being the namespace that it is in and ADDRESS the client's as it came.
 * Who asks gets that text, or "refused", "timeout", "unreachable", or errno's words. */
#ifndef PLUMB_TEST_TRAFFIC_H
#define PLUMB_TEST_TRAFFIC_H

/* Serves from now on; address NULL: on all. */
void serve_(const char *protocol, const char *netns, const char *address, int port);
#define tcp_serve(netns, address, port)         AT_(serve_("tcp", netns, address, port))
#define udp_serve(netns, address, port)         AT_(serve_("udp", netns, address, port))
/* SCTP by raw sockets, an INIT and its answer: the kernel need not have SCTP itself. */
#define sctp_serve(netns, address, port)        AT_(serve_("sctp", netns, address, port))

const char *ask_(const char *protocol, const char *netns, int from_port, const char *address, int port, int patience_ms);
enum { PATIENCE = 4000, PROMPTLY = 900, BRIEFLY = 300 };
#define tcp_ask(netns, address, port)           AT_(ask_("tcp", netns, 0, address, port, PATIENCE))
#define udp_ask(netns, address, port)           AT_(ask_("udp", netns, 0, address, port, PATIENCE))
#define sctp_ask(netns, address, port)          AT_(ask_("sctp", netns, 0, address, port, PATIENCE))
/* From a port of ours, so that conntrack takes several for one conversation. */
#define udp_ask_from(netns, from, address, port) AT_(ask_("udp", netns, from, address, port, PATIENCE))
/* Where silence is what is wanted. */
#define tcp_ask_briefly(netns, address, port)   AT_(ask_("tcp", netns, 0, address, port, BRIEFLY))

/* "answers" or "timeout" or errno's words, to an echo request. */
const char *ping_(const char *netns, const char *address, int patience_ms);
#define ping(netns, address)                    AT_(ping_(netns, address, PATIENCE))
/* Where it must not take the second that duplicate detection or a neighbour's forgetting would. */
#define ping_promptly(netns, address)           AT_(ping_(netns, address, PROMPTLY))
#define ping_briefly(netns, address)            AT_(ping_(netns, address, BRIEFLY))

#endif
