/* What fuzz targets share. A target is one file of tests/fuzz: LLVMFuzzerTestOneInput hands its input to what it attacks and says what must hold of the
 * outcome. It runs in two ways: under libFuzzer (`make fuzz`), and compiled by any compiler over its corpus (lib/replay.c, part of `make check`). */
#ifndef PLUMB_TESTS_FUZZ_H
#define PLUMB_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Ends the program where what must hold does not. */
#define require(what) ((what) ? (void)0 : require_failed(#what, __FILE__, __LINE__))
void require_failed(const char *what, const char *file, int line) __attribute__((noreturn));

/* ---- What an input consists of ---- */

/* A copy of exactly the size, ended by '\0' (which is not counted): a step past it is seen. The caller's to free. */
char *text_of(const void *data, size_t size);
/* The text up to the next line's end, which is taken off; *text is what is left, or NULL. */
char *line_of(char **text);

/* ---- What must hold of an outcome ---- */

/* 0 or more comes without an error; a failure has a code, words in UTF-8, and a form in JSON. */
void require_outcome(int r, const struct err *e);
/* The same where a failure may come without words, for the caller to decide. */
void require_outcome_or_silence(int r, const struct err *e);
void require_utf8(const char *text);
/* What is printed is what was meant: parsed again it is equal. */
void require_prints(const json_t *j);

/* ---- Where it happens ---- */

/* Namespaces of our own: an empty /run, /var/lib and /etc/cni, a network without links. What a target does to files and settings is done there. Where that cannot be had
 * the program ends and says so: nothing is tried on the machine's own. For LLVMFuzzerInitialize. */
void world_of_our_own(void);
/* Writes a file anew. */
void write_file(const char *path, const void *data, size_t size);

#endif
