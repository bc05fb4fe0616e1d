/* base/sha512: known answers (NIST, and sha512sum at the edges of a block). */
#include "unit.h"

#include "base/sha512.h"

static void known_answers(void **state)
{
	static const struct { const char *name; char c; size_t times; const char *begin; } rows[] = {
		{ "nothing", 0, 0, "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" },
		{ "1 bytes", 'x', 1, "a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238b" },
		{ "111 bytes", 'x', 111, "9a2a120825c2319867758ec277924f6faa254968bf752046dacdd948d8ad299b" },
		{ "112 bytes", 'x', 112, "a3722b515ef40c910f2419f6e0da8ca51d410114ce6272faae64045f9e9f630e" },
		{ "127 bytes", 'x', 127, "1d5a8893e7b7ed83d485d26f88cfb846f3760279916976fe538e539fc16f7cd1" },
		{ "128 bytes", 'x', 128, "e2e22f8422b54b06e35c3ea30a383d1de7a8fbc27992923074103117020d8dd7" },
		{ "129 bytes", 'x', 129, "19015483ea99fa74728fd7b13adba6b729cfa4ab7c388573efa2641d2af0577f" },
		{ "239 bytes", 'x', 239, "805c40517b44cef414a06c632b4ee9c21d34c85a84c3f9530274db86e2a3e38c" },
		{ "240 bytes", 'x', 240, "3e05caa7e0fddab685e6052bd902c316505180504344d00b1217e1349a532d1d" },
		{ "400 bytes", 'x', 400, "ff0e46d5d5152c0fce5556f2458bc052452643a6f3dbe192fed920ab78fd4bd1" },
	}, *row;

	(void)state;
	for_rows(row, rows) {
		char text[512] = "", hex[SHA512_HEX];

		memset(text, row->c, row->times);
		sha512_hex(text, hex);
		assert_int_equal(strlen(hex), SHA512_HEX - 1);
		hex[strlen(row->begin)] = '\0';
		row_text(row->name, hex, row->begin);
	}
}

static void hash_of_the_standard(void **state)
{
	char hex[SHA512_HEX];

	(void)state;
	sha512_hex("abc", hex);
	assert_string_equal(hex, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers), cmocka_unit_test(hash_of_the_standard) };

	return cmocka_run_group_tests_name("base/sha512", tests, NULL, NULL);
}
