/* Who may work on attachments at the same time: one a container, and nobody while a network's garbage is collected.
 * (CNI specification 1.1.0, section 3 "Lifecycle & Ordering".)
 *
 * Record locks on CACHEDIR/plumb.lock: the kernel drops them with the process, and knows who holds one. */
#ifndef PLUMB_LOCK_H
#define PLUMB_LOCK_H

struct call;

/* To add, delete or check an attachment of the container. Waits; a holder that takes too long is named. */
int lock_container(struct call *c, const char *container);
/* To collect garbage: nobody adds or deletes meanwhile. */
int lock_all(struct call *c);
void lock_release(struct call *c);

#endif
