/* As much SCTP as it takes to see where a packet goes, over raw sockets: an INIT, and an INIT ACK that carries words (RFC 9260, sections
 * 3.3.2 and 3.3.3), so that conntrack sees a handshake begin. IPv4. */
#ifndef PLUMB_TEST_SCTP_H
#define PLUMB_TEST_SCTP_H

void sctp_serve_raw(const char *netns, int port);
const char *sctp_ask_raw(const char *netns, const char *address, int port, int patience_ms);

#endif
