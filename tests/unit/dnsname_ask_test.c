/* Answers of a name server, which may be anything; and what is a DNS name. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dnsname/dnsname.h"

static const struct addr wanted = { .family = AF_INET, .bytes = { 10, 1, 0, 2 } }, wanted6 = { .family = AF_INET6, .bytes = { 0xfd, 0, [15] = 2 } };

static uint8_t question[320];
static size_t  question_len;

static void ask(const char *name, int family)
{
	question_len = question_write(question, sizeof question, 0x1234, name, family);
	assert_true(question_len > 0);
}

/* The question with QR and a code, a count of answers, and what follows. */
static int read_answer(uint8_t code, uint8_t answers, const char *rest, size_t len)
{
	uint8_t *answer = test_malloc(question_len + len);      /* to its very end, for who looks beyond */
	int r;

	memcpy(answer, question, question_len);
	answer[2] |= 0x80;
	answer[3] = code;
	answer[7] = answers;
	memcpy(answer + question_len, rest, len);
	r = answer_read(answer, question_len + len, question, question_len, question[question_len - 3] == 1 ? &wanted : &wanted6);
	test_free(answer);
	return r;
}

#define TO_NAME "\xc0\x0c"
#define A_OF(address) TO_NAME "\0\1\0\1\0\0\0\0\0\4" address

static void questions_are_written(void **state)
{
	(void)state;
	ask("web.dns.test", AF_INET);
	assert_memory_equal(question, "\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\3dns\4test\0\0\1\0\1", question_len);
	ask("_0123", AF_INET6);
	assert_memory_equal(question, "\x12\x34\1\0\0\1\0\0\0\0\0\0\5_0123\0\0\x1c\0\1", question_len);
	assert_int_equal(question_write(question, 20, 1, "too-long-for-that", AF_INET), 0);
}

static void answers_are_read(void **state)
{
	(void)state;
	ask("web", AF_INET);
	assert_int_equal(read_answer(0, 1, A_OF("\12\1\0\2"), 16), 1);
	assert_int_equal(read_answer(0, 1, A_OF("\12\1\0\3"), 16), 0);
	assert_int_equal(read_answer(0, 2, A_OF("\12\1\0\3") A_OF("\12\1\0\2"), 32), 1);
	assert_int_equal(read_answer(0, 1, "\3web\0\0\1\0\1\0\0\0\0\0\4\12\1\0\2", 19), 1);     /* the name in full */
	assert_int_equal(read_answer(0, 0, "", 0), 0);
	assert_int_equal(read_answer(3, 0, "", 0), 0);
	assert_int_equal(read_answer(2, 0, "", 0), -EREMOTEIO);
	ask("web", AF_INET6);
	assert_int_equal(read_answer(0, 1, TO_NAME "\0\x1c\0\1\0\0\0\0\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 28), 1);
}

static void what_is_no_answer_is_refused(void **state)
{
	(void)state;
	ask("web", AF_INET);
	for (size_t len = 0; len < 16; len++)                   /* cut off anywhere */
		assert_int_equal(read_answer(0, 1, A_OF("\12\1\0\2"), len), -EBADMSG);
	assert_int_equal(read_answer(0, 1, "\x3f" "abc", 4), -EBADMSG);
	assert_int_equal(read_answer(0, 255, "\0\0\1\0\1\0\0\0\0\xff\xff", 11), -EBADMSG);
	assert_int_equal(answer_read(question, question_len, question, question_len, &wanted), -EBADMSG);      /* a question */
	for (size_t len = 0; len < question_len; len++)
		assert_int_equal(answer_read(question, len, question, question_len, &wanted), -EBADMSG);
}

static void names_have_a_grammar(void **state)
{
	static const char *const good[] = { "a", "web", "web.dns.test", "Web_1", "_srv._tcp", "0", "a-", "web." };
	static const char *const bad[] = { "", ".", "a..b", ".a", "a b", "a\nb", "a/b", "a,b", "a#b", "a;b", "\xc3\xa4", "a*", "=a" };
	char label[65], name[260];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_null(dns_name_fault(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_non_null(dns_name_fault(bad[i]));
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_non_null(dns_name_fault(label));
	label[63] = '\0';
	assert_null(dns_name_fault(label));
	snprintf(name, sizeof name, "%s.%s.%s.%s", label, label, label, label);
	assert_non_null(dns_name_fault(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_written), cmocka_unit_test(answers_are_read), cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(names_have_a_grammar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
