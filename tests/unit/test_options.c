/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <string.h>

#include "options.h"
#include "scratch.h"

typedef struct wishes {
	bool flag;
	const char *text;
	int64_t integer, range[2];
	double number;
	uint32_t size[2];
	int choice;
} wishes;

static wishes got;
static options_result result;

static host_status parse(int argc, char **argv)
{
	static const char *const shapes[] = {"arch", "phantom", NULL};
	option_def table[] = {
		{"flag", OPTION_FLAG, &got.flag, 0, 0, NULL, "a flag", NULL, false},
		{"out", OPTION_TEXT, &got.text, 0, 0, "FILE", "a file", NULL, false},
		{"seed", OPTION_INTEGER, &got.integer, -5, 1000, "N", "a number", NULL, false},
		{"voxel-mm", OPTION_NUMBER, &got.number, 0.001, 100, "MM", "a length", NULL, false},
		{"size", OPTION_SIZE, got.size, 16, 4096, "WxH", "a size", NULL, false},
		{"frames", OPTION_RANGE, got.range, 0, 0, "A:B", "a range", NULL, false},
		{"shape", OPTION_CHOICE, &got.choice, 0, 0, "NAME", "a choice", shapes, false},
	};
	options_def def = {"THING [options]", "Tests.", table, sizeof table / sizeof *table, 1, 2};
	memset(&got, 0, sizeof got);
	return options_parse(&def, argc, argv, &result);
}

#define PARSE(...)                                                                                                     \
	parse((int)(sizeof((char *[]){"test", __VA_ARGS__}) / sizeof(char *)), (char *[]){"test", __VA_ARGS__, NULL})

static void reads_every_kind(void **state)
{
	(void)state;
	assert_int_equal(PARSE("thing", "--flag", "--out", "a.ply", "--seed", "-3", "--voxel-mm=0.25", "--size",
				 "320x240", "--frames", "5:9", "--shape", "phantom", "second"),
		HOST_OK);
	assert_true(got.flag);
	assert_string_equal(got.text, "a.ply");
	assert_int_equal(got.integer, -3);
	assert_true(got.number == 0.25);
	assert_int_equal(got.size[0], 320);
	assert_int_equal(got.size[1], 240);
	assert_int_equal(got.range[0], 5);
	assert_int_equal(got.range[1], 9);
	assert_int_equal(got.choice, 1);
	assert_int_equal(result.positional_count, 2);
	assert_string_equal(result.positional[1], "second");
}

static void reads_open_ranges(void **state)
{
	(void)state;
	assert_int_equal(PARSE("thing", "--frames", ":7"), HOST_OK);
	assert_int_equal(got.range[0], 0);
	assert_int_equal(got.range[1], 7);
	assert_int_equal(PARSE("thing", "--frames", "7:"), HOST_OK);
	assert_int_equal(got.range[0], 7);
	assert_true(got.range[1] == INT64_MAX);
}

static void takes_names_behind_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--", "--odd"), HOST_OK);
	assert_string_equal(result.positional[0], "--odd");
}

static void help_wins(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--nonsense", "--help"), HOST_OK);
	assert_true(result.help);
}

#define REJECTS(text, ...)                                                                                             \
	do {                                                                                                           \
		assert_int_equal(PARSE(__VA_ARGS__), HOST_USAGE);                                                      \
		assert_failure_ends(text);                                                                             \
	} while (0)

static void rejects_unknown_options(void **state)
{
	(void)state;
	REJECTS("unknown option '--voxel' (--help lists them)", "thing", "--voxel", "1");
	REJECTS("unknown option '-v' (--help lists them)", "thing", "-v");
	REJECTS("--flag: takes no value", "thing", "--flag=1");
}

static void rejects_missing_values(void **state)
{
	(void)state;
	REJECTS("--out: no value given (wanted FILE)", "thing", "--out");
	REJECTS("--out: no value given (wanted FILE)", "thing", "--out", "--flag");
	REJECTS("--voxel-mm: no value given (wanted MM)", "thing", "--voxel-mm", "--flag");
	REJECTS("--out: value is empty", "thing", "--out=");
}

static void rejects_bad_numbers(void **state)
{
	(void)state;
	REJECTS("--voxel-mm: 0 is not within 0.001 to 100", "thing", "--voxel-mm", "0");
	REJECTS("--voxel-mm: -1 is not within 0.001 to 100", "thing", "--voxel-mm", "-1");
	REJECTS("--voxel-mm: 'nan' is not a number", "thing", "--voxel-mm", "nan");
	REJECTS("--voxel-mm: '1mm' is not a number", "thing", "--voxel-mm", "1mm");
	REJECTS("--seed: '1.5' is not a whole number", "thing", "--seed", "1.5");
	REJECTS("--seed: 1001 is not within -5 to 1000", "thing", "--seed", "1001");
	REJECTS("--seed: '99999999999999999999' is not a whole number", "thing", "--seed", "99999999999999999999");
}

static void rejects_bad_shapes(void **state)
{
	(void)state;
	REJECTS("--size: '320' is not of the form WxH, such as 320x240", "thing", "--size", "320");
	REJECTS("--size: 8x240 is not within 16 to 4096", "thing", "--size", "8x240");
	REJECTS("--frames: '5' is not of the form A:B, such as 0:100", "thing", "--frames", "5");
	REJECTS("--frames: 5:5 is empty: wanted 0 <= A < B (B is not included)", "thing", "--frames", "5:5");
	REJECTS("--frames: '-1:5x' is not of the form A:B, such as 0:100", "thing", "--frames=-1:5x");
	REJECTS("--shape: 'jaw' is none of arch, phantom", "thing", "--shape", "jaw");
}

static void counts_arguments(void **state)
{
	(void)state;
	REJECTS("too few arguments (usage: enamel THING [options])", "--flag");
	REJECTS("unexpected argument 'c' (usage: enamel THING [options])", "a", "b", "c");
	REJECTS("argument 1 is empty", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(reads_open_ranges),
		cmocka_unit_test(takes_names_behind_two_dashes),
		cmocka_unit_test(help_wins),
		cmocka_unit_test(rejects_unknown_options),
		cmocka_unit_test(rejects_missing_values),
		cmocka_unit_test(rejects_bad_numbers),
		cmocka_unit_test(rejects_bad_shapes),
		cmocka_unit_test(counts_arguments),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
