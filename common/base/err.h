/* Errors: filled once, where the cause is known; printed once, by main.
 *
 * Functions return 0 (or a count, a descriptor) or a negative errno, so that a caller can branch; the words ride in a
 * struct err. Pure helpers return the errno alone. */
#ifndef PLUMB_BASE_ERR_H
#define PLUMB_BASE_ERR_H

/* Codes of the CNI specification, section "Error"; 8 and 999 as the reference plugins use them. */
enum err_code {
	CNI_OK = 0,
	CNI_BAD_VERSION = 1,
	CNI_UNSUPPORTED_FIELD = 2,
	CNI_UNKNOWN_CONTAINER = 3,
	CNI_BAD_ENV = 4,
	CNI_IO = 5,
	CNI_DECODE = 6,
	CNI_BAD_CONFIG = 7,
	CNI_BAD_NETNS = 8,
	CNI_TRY_LATER = 11,
	CNI_UNAVAILABLE = 50,
	CNI_LIMITED = 51,
	CNI_FAILED = 999,
};

struct err {
	int  code;              /* an enum err_code, or whatever a delegate answered; 0 while all is well */
	char msg[512];          /* what we were doing, to what */
	char details[1024];     /* why: the kernel's, the library's or strerror's words; the remedy. May be empty */
};

/* Each returns ret, so that a caller fails in one line. The first failure is the cause and stays; later ones are noise.
 * What is not UTF-8 is mended, a cut-off letter too. e may be NULL: then nothing is noted. */

/* msg is the printf-like text. */
int err_set(struct err *e, int code, int ret, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The same, with strerror(-ret) as the details; of what is denied to others than root, with that besides. */
int err_sys(struct err *e, int code, int ret, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Out of memory: err_sys with -ENOMEM. what names what memory was for. */
int err_nomem(struct err *e, const char *what);

/* Appends to the details of an error that has been set: holder, remedy. Parts are joined by "; ". */
void err_detail(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Back to "all is well": for a step that was tried and need not succeed. */
void err_clear(struct err *e);

#endif
