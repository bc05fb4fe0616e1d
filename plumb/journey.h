/* What would happen to a connection: where it comes from, what translates, drops or masquerades it, who gets it, whether anybody listens there.
 * Nothing is sent. */
#ifndef PLUMB_JOURNEY_H
#define PLUMB_JOURNEY_H

#include "rules.h"
#include "survey.h"

struct trip {
	enum { FROM_LAN, FROM_HOST, FROM_CONTAINER } origin;
	const struct seen_attachment *from;     /* of FROM_CONTAINER */
	struct addr to;
	uint16_t    port;
	uint8_t     protocol;           /* IPPROTO_… */
};

enum outcome { REACHES, MAY_FAIL, FAILS };

/* One thing on the way. */
struct stage {
	enum outcome mark;
	bool         fact;              /* neither good nor bad */
	const char  *words;
};

struct journey {
	struct ruleset      *rs;
	const struct survey *s;
	struct trip          trip;
	struct list          stages;    /* of struct stage */
	enum outcome         outcome;
	const char          *why, *rule, *remedy;       /* of what does not reach, or may not; rule: the one that drops it; each may be NULL */
	const struct chain  *dropper;   /* the base chain of that rule; NULL: no rule drops it */
	struct packet        p;         /* as it arrives */
	struct addr          asker;     /* who the answer is for, where that is not j->p.from: it was masqueraded */
	bool                 answers;   /* what journey_passes sends is the answer */
	const struct seen_attachment *target;           /* the container that gets it; NULL: the host, or a place outside */
	bool                 published, masqueraded, bridged;
};

/* Everything is the call's. */
void journey_make(struct ruleset *rs, const struct survey *s, const struct trip *t, struct journey *out);

/* "tcp", "udp", "sctp". */
const char *protocol_name(uint8_t protocol);
/* "10.1.2.3:80", "[fd00::1]:80", in the arena. */
const char *place_text(struct call *c, const struct addr *a, uint16_t port);

/* ---- Parts: each says what it found, and returns whether it goes on (journey_ends.c, journey_rules.c) ---- */

void stage_note(struct journey *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void stage_good(struct journey *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The first that fails is why; remedy may be NULL. Both return false and true, for the caller to return. */
bool stage_bad(struct journey *j, const char *remedy, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool stage_maybe(struct journey *j, const char *remedy, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool journey_begins(struct journey *j);         /* where it comes from: fills in j->p */
bool journey_arrives(struct journey *j);        /* at whoever has the address */
bool journey_is_heard(struct journey *j, const struct seen_attachment *a);      /* NULL: by the host */
/* The answer's way back through the hooks that see it, which rules may drop though they let the question pass. */
bool journey_comes_back(struct journey *j);
/* Through a hook's chains. what: in words. */
bool journey_passes(struct journey *j, const char *hook, const char *family, const char *what);

#endif
