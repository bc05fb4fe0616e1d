#include "cni/self.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/scoped.h"
#include "base/text.h"

const char plugin_self[] = PLUGIN_SELF;
const char plumb_version[] = PLUMB_VERSION;

/* An ELF note, which linkers place in the first page of the file: found with one read. */
struct note {
	unsigned name_size, text_size, type;
	char     name[8], text[96];
};
#define NOTE_TEXT BUILD_ID " "
static const struct note note __attribute__((used, aligned(4), section(".note.plumb"))) = {
	8, 96, 1, "plumb", NOTE_TEXT PLUGIN_SELF,
};

bool self_is_plumb(const char *path)
{
	scoped(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char page[4096];
	ssize_t n = pread(fd, page, sizeof page, 0);

	return n > 0 && memmem(page, n, &note, offsetof(struct note, text));
}

bool self_is_build_of(int fd, const char *name)
{
	char page[4096], wanted[96];
	ssize_t n = pread(fd, page, sizeof page, 0);

	if (n <= 0 || !text_format(wanted, sizeof wanted, "%s%s", NOTE_TEXT, name))
		return false;
	return memmem(page, n, wanted, strlen(wanted) + 1) || memmem(page, n, NOTE_TEXT, sizeof NOTE_TEXT);  /* or the multi-call binary */
}
