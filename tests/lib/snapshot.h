/* What a world holds, as lines of text that can be compared: links, addresses, routes and rules of every namespace, the host's nftables
 * rules, a few settings, files under /run and /var/lib/cni. Left out is what moves by itself: interface numbers, counters, neighbours. */
#ifndef PLUMB_TEST_SNAPSHOT_H
#define PLUMB_TEST_SNAPSHOT_H

#include <stddef.h>

struct snapshot {
	char  **lines;          /* sorted */
	size_t  count, room;
};

struct snapshot snapshot_take(void);
void snapshot_add(struct snapshot *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The lines as "- gone" and "+ new", but for those that a pattern allows; "" when there is no difference. */
char *snapshot_difference(const struct snapshot *before, const struct snapshot *now, const char *const allowed[]);

/* Stands among the patterns for the lines of plumb's rulesets as plumb-ruleset loads them, without elements. */
#define RULESET_IS_STATIC "(ruleset)"

/* snapshot_net.c, snapshot_nft.c, snapshot_files.c */
void snapshot_net(struct snapshot *s, const char *netns);
void snapshot_nft(struct snapshot *s, const char *netns);
void snapshot_files(struct snapshot *s, const char *dir);

#endif
