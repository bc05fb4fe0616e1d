/* Addresses, prefixes and MACs as text: what is read and written again reads the same. */
#include <string.h>

#include "base/addr.h"
#include "base/scoped.h"
#include "lib/fuzz.h"
#include "plumb/ports.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void look_at_address(const char *text)
{
	char written[ADDR_TEXT];
	struct addr a, again;

	if (!addr_parse(text, &a))
		return;
	require(addr_parse(addr_text(&a, written), &again) && addr_equal(&a, &again));
	addr_next(&again);
	addr_is_loopback(&again);
}

static void look_at_prefix(const char *text)
{
	char written[PREFIX_TEXT];
	struct prefix p, again, network;
	struct addr last;

	if (!prefix_parse(text, &p))
		return;
	require(prefix_parse(prefix_text(&p, written), &again) && prefix_equal(&p, &again));
	network = prefix_network(&p);
	last = addr_last(&p);
	require(prefix_contains(&p, &p.addr) && prefix_contains(&network, &last) && addr_compare(&network.addr, &last) <= 0);
}

static void look_at_mac(const char *text)
{
	char written[MAC_TEXT];
	struct mac m, again;

	if (mac_parse(text, &m))
		require(mac_parse(mac_text(&m, written), &again) && mac_equal(&m, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *text = text_of(data, size);
	struct port port;

	look_at_address(text);
	look_at_prefix(text);
	look_at_mac(text);
	if (port_parse(text, &port))
		require(port.host >= 1 && port.container >= 1 && port.host + port.count - 1 <= 65535 && port.container + port.count - 1 <= 65535);
	return 0;
}
