/* What a name server answers. The input is the answer to a question for "web.dns.test", of either family. */
#include <string.h>
#include <sys/socket.h>

#include "base/scoped.h"
#include "dnsname/dnsname.h"
#include "lib/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct addr address = { .family = families[i], .bytes = { 10, 1, 0, 2 } };
		uint8_t question[64];
		size_t len = question_write(question, sizeof question, 0x1234, "web.dns.test", families[i]);

		answer_read(data, size, question, len, &address);
	}
	return 0;
}
