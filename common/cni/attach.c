#include "cni/attach.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { NETWORK_SHARE = 40, CONTAINER_SHARE = 68 };      /* with an interface of 15 and two slashes: 125 */

void attach_host_ifname(const char *network, const char *container, const char *ifname, char out[16])
{
	uint64_t h = hash_strings(network, container, ifname, NULL);

	snprintf(out, 16, "veth%011llx", (unsigned long long)(h >> 20));
}

static void append_share(char *out, const char *name, size_t share)
{
	if (strlen(name) <= share)
		strcat(out, name);
	else
		sprintf(out + strlen(out), "%.*s~%016llx", (int)share - 17, name, (unsigned long long)hash_strings(name, NULL));
}

void attach_owner_network(const char *network, char out[OWNER_SIZE])
{
	out[0] = '\0';
	append_share(out, network, NETWORK_SHARE);
	strcat(out, "/");
}

void attach_owner(const char *network, const char *container, const char *ifname, char out[OWNER_SIZE])
{
	attach_owner_network(network, out);
	append_share(out, container, CONTAINER_SHARE);
	snprintf(out + strlen(out), OWNER_SIZE - strlen(out), "/%s", ifname);
}

const char *attach_describe(const char *owner, char *out, size_t size)
{
	const char *container = strchr(owner, '/'), *ifname = container ? strchr(container + 1, '/') : NULL;

	if (!ifname)
		snprintf(out, size, "\"%s\"", owner);
	else
		snprintf(out, size, "container \"%.*s\" of network \"%.*s\" (%s)", (int)(ifname - container - 1), container + 1,
		         (int)(container - owner), owner, ifname + 1);
	return out;
}
