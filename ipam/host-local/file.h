/* Lease files, in the reference plugin's format: the name is the address, the content "CONTAINER\r\nIFNAME" without an end of line,
 * or the container alone (its older format). All calls are made under the store's lock. dir: the store's directory. */
#ifndef PLUMB_HOST_LOCAL_FILE_H
#define PLUMB_HOST_LOCAL_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/addr.h"

enum { LEASE_TEXT = 512 };

struct lease_file {
	const char     *id, *ifname;            /* into text; ifname "" in the older format; both "" when nobody can be told */
	bool            empty;                  /* a reservation whose maker died: as good as none */
	struct timespec born;                   /* last written, that is */
	char            text[LEASE_TEXT];
};

/* 0 or -errno (-ENOENT, or why it could not be read; *out is then nobody's). What is no file, or too long, or not text, counts as held by nobody in
 * particular. */
int lease_file_read(int dir, const char *name, struct lease_file *out);
/* Splits the len bytes in out->text; sets all but born. */
void lease_file_parse(struct lease_file *out, size_t len);

/* Appears whole or not at all, and never in another's place: -EEXIST. 0 or -errno. */
int lease_file_make(int dir, const char *name, const char *id, const char *ifname);

/* Whether one could be made now, as far as the file system goes: tried by a file that leaves no trace. 0 or -errno. The one call here
 * that needs no lock. */
int lease_file_probe(int dir);

/* The address last given from the n-th set; unset when it is not known. */
struct addr last_reserved_read(int dir, size_t n);
/* Replaced whole. A failure only restarts the round robin, so it is not reported. */
void last_reserved_write(int dir, size_t n, const struct addr *a);

/* Whether a file of this name is a lease: an address as it is written in full. */
bool lease_name_parse(const char *name, struct addr *out);
/* Whether it is a temporary file of ours, left behind by a process that died. */
bool lease_name_is_litter(const char *name);

#endif
