/* A target without libFuzzer: runs over each input of its corpus, tests/fuzz/corpus/TARGET, or over the files that it is given. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define CORPUS "tests/fuzz/corpus"

enum { SECONDS_EACH = 60, MIB_MOST = 1024 };    /* an endless loop, or memory without end; all else is far below, under a sanitizer too */

static const char *program;
static char       *current = "";        /* the input at hand, for words */

/* Only what may be done in a signal handler. */
static void tell_culprit(void)
{
	const char *parts[] = { "not ok 1 - ", program, "\n# input: ", current, "\n" };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (write(STDOUT_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
}

static void on_signal(int number)
{
	signal(number, SIG_DFL);
	tell_culprit();
	raise(number);
}

/* A sanitizer ends the program without a signal. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));        // NOLINT(bugprone-reserved-identifier)

static void catch_ends(void)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGALRM };

	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell_culprit);
	else
		for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
			signal(signals[i], on_signal);
	signal(SIGALRM, on_signal);
}

/* True: it was an input. */
static bool run_file(char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t size;

	if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) {
		if (f)
			fclose(f);
		return false;
	}
	data = malloc(st.st_size + 1);
	size = data ? fread(data, 1, st.st_size, f) : 0;
	fclose(f);
	current = path;
	alarm(SECONDS_EACH);
	LLVMFuzzerTestOneInput(data, size);
	alarm(0);
	free(data);
	return true;
}

static unsigned run_folder(const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);
	unsigned count = 0;

	for (int i = 0; i < n; i++) {
		char path[1024];

		snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
		count += run_file(path);
		free(names[i]);
	}
	free(names);
	return count;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	unsigned count = 0;
	struct rusage used;
	char folder[256];

	program = slash ? slash + 1 : argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0);
	LLVMFuzzerInitialize(&argc, &argv);
	catch_ends();
	puts("1..1");
	/* every input, and none at all */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	snprintf(folder, sizeof folder, CORPUS "/%s", program);
	for (int i = 1; i < argc; i++)
		count += run_file(argv[i]);
	if (argc == 1)
		count = run_folder(folder);
	getrusage(RUSAGE_SELF, &used);
	printf("# %u inputs, %ld MiB at most\n", count, used.ru_maxrss / 1024);
	if (count && used.ru_maxrss / 1024 <= MIB_MOST) {
		printf("ok 1 - %s\n", program);
		return 0;
	}
	printf("not ok 1 - %s: %s\n", program, count ? "an input takes too much memory" : "no corpus; run it where the sources are");
	return 1;
}
