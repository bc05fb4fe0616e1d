/* A kernel whose answers are the input: common/os/netlink.c is compiled here with other system calls under it. */
#ifndef PLUMB_TESTS_FUZZ_KERNEL_H
#define PLUMB_TESTS_FUZZ_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* From here on it answers with these datagrams, each behind its length (two bytes, the lower first); then the socket fails. Messages whose sequence
 * number is 0 get that of the last request, so that an input need not guess it. Borrowed. */
void kernel_answers(const uint8_t *data, size_t size);

/* From here on it agrees to all that it is told to do, and has nothing of what it is asked for. */
void kernel_agrees(void);

#endif
