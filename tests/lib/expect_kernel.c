/* Expectations of what the kernel has. */
#include <string.h>

#include "test.h"

static const char *names_in(const char *netns)
{
	const char *text = "";

	for (const struct link_seen *l = links_in(netns); l->index; l++)
		text = keep("%s %s", text, l->name);
	return text;
}

struct link_seen expect_link_(const char *netns, const char *name, const char *kind)
{
	struct link_seen l = link_in(netns, name);

	if (!l.index)
		fail_("there is no link %s in %s; there are:%s", name, netns, names_in(netns));
	if (kind && strcmp(l.kind, kind))
		fail_("link %s in %s is of kind \"%s\", wanted %s", name, netns, l.kind, kind);
	return l;
}

void expect_no_link_(const char *netns, const char *name)
{
	if (link_in(netns, name).index)
		fail_("there is a link %s in %s, and should not be", name, netns);
}

void expect_addr_(const char *netns, const char *name, const char *address)
{
	int index = expect_link_(netns, name, NULL).index;
	bool found = false;

	for (const struct address_seen *a = addresses_in(netns, true); a->index; a++)
		found |= a->index == index && !strcmp(a->text, address);
	if (!found)
		fail_("%s of %s lacks the address %s; it has: %s", name, netns, address, addresses_of(netns, name));
}

void expect_route_(const char *netns, const char *route, bool there)
{
	const char *routes = routes_text(netns);
	bool found = false;
	size_t len = strlen(route);

	for (const char *line = routes; *line; line = strchr(line, '\n') + 1)
		found |= !strncmp(line, route, len) && (line[len] == '\n' || line[len] == ' ');
	if (found != there)
		fail_("%s %s route %s; it has:\n%s", netns, there ? "lacks the" : "should not have the", route, routes);
}
