/* What a runtime passes on from its users, runtimeConfig (port mappings, addresses, ranges, MAC, …), for every plugin; and the elements that mappings become. */
#include <stdio.h>
#include <sys/socket.h>

#include "lib/call.h"
#include "lib/fuzz.h"
#include "portmap/portmap.h"

static const char before[] =
	"{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"type\":\"x\",\"bridge\":\"br0\",\"conditionsV4\":[\"ip saddr 192.0.2.0/24\"],"
	"\"ipam\":{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.1.0.0/24\"}]],\"addresses\":[{\"address\":\"10.1.0.2/24\"}]},"
	"\"prevResult\":{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/run/netns/pod1\"}],"
	"\"ips\":[{\"interface\":0,\"address\":\"10.1.0.2/24\"},{\"interface\":0,\"address\":\"fd00:1::2/64\"}]},\"runtimeConfig\":";
static const char *const plugins[] = { "bridge", "ptp", "portmap", "firewall", "host-local", "static", "none", "host", "loopback" };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static int look_at(const struct nft_set *set, struct nft_element *el, void *count)
{
	require(set && set->table && set->name);
	require(el->key.len > 0 && el->key.len <= sizeof el->key.bytes && el->key_end.len <= el->key.len);
	require(el->value.len <= sizeof el->value.bytes);
	require_utf8(el->comment);
	++*(unsigned *)count;
	return *(unsigned *)count > 4096;       /* enough seen */
}

static void look_at_mappings(struct cni_call *c)
{
	char text[MAPPING_TEXT];
	unsigned count = 0;

	for_list (const struct mapping, m, mappings_of(c)) {
		require(m->host.first >= 1 && m->host.first <= m->host.last && m->host.last <= 65535);
		require(m->container.first >= 1 && m->container.last <= 65535);
		require_utf8(mapping_text(m, text));
		for_list (const struct ip_conf, ip, &c->prev.ips) {
			struct target t = { .address = &ip->address, .link = "veth1" };

			if (publish_each(c, m, &t, look_at, &count) || publish_rivals(c, m, ip->address.addr.family, look_at, &count))
				return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(mem_free) char *given = text_of(data, size), *json = NULL;
	int len = asprintf(&json, "%s%s}", before, given);

	require(len > 0);
	for (size_t i = 0; i < ARRAY_LEN(plugins); i++) {
		struct cni_call c;

		if (call_begin(&c, VERB_ADD, plugins[i], "", json, len) == 0 && c.plugin->fields == portmap_fields)
			look_at_mappings(&c);
		call_end(&c);
	}
	return 0;
}
