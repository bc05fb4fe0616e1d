/* What the parts of the program share. */
#ifndef NETNS_FIXTURE_PROGRAM_H
#define NETNS_FIXTURE_PROGRAM_H

#include "fixture.h"

struct options {
	int         pods;
	bool        lan, background;
	unsigned    flags;
	const char *name;
};

/* Leaves optind behind the options; ends the program where they make no sense. */
struct options options_read(int argc, char **argv);
/* Makes the namespaces asked for, in the world. */
void furnish(const struct options *o);

void die(const struct fault *why) __attribute__((noreturn));
void misuse(void) __attribute__((noreturn));
/* A child's exit status, or 128 + the signal that ended it. */
int wait_for(pid_t pid);

int command_hold(int argc, char **argv);        /* hold.c */

#endif
