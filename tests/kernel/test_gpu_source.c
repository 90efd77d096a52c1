/* SPDX-License-Identifier: Apache-2.0
 * Where kernel sources come from, how includes are put in place, and what is said of sources that are wrong. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static const char GOOD[] = "__kernel void good(__global int *out) { out[get_global_id(0)] = ANSWER; }\n";

static enm_result open_folder(enm_context **out_context)
{
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	return enm_context_create(&def, out_context);
}

static void refuse(enm_result expected, const char *text)
{
	enm_context *context = NULL;
	assert_result(open_folder(&context), expected);
	assert_null(context);
	assert_error_has(text);
	assert_null(strchr(enm_last_error(), '\n'));
}

static int setup(void **state)
{
	int failed = fixture_folder_setup(state);
	if (failed == 0)
		fixture_make_folder("kernels");
	return failed;
}

static void embedded_programs_are_all_there_and_sorted(void **state)
{
	(void)state;
	char(*names)[GPU_NAME_MAX];
	uint32_t count, found = 0;
	assert_ok(gpu_source_names(NULL, &names, &count));
	for (uint32_t i = 0; i < count; i++) {
		gpu_text text;
		found += strcmp(names[i], "selfcheck") == 0;
		assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0);
		assert_ok(gpu_source_get(NULL, names[i], &text));
		assert_int_equal(strlen(text.bytes), text.size);
		assert_null(strstr(text.bytes, "#include \""));
		assert_int_equal(strncmp(text.bytes, "#pragma OPENCL FP_CONTRACT OFF\n", 31), 0);
		free(text.bytes);
	}
	assert_int_equal(found, 1);
	free(names);
}

static void includes_are_put_in_place_with_their_lines(void **state)
{
	(void)state;
	gpu_text text;
	fixture_text("kernels/a.cl", "// one\n \t# include\t\"b.h\" // why\nint a;");
	fixture_text("kernels/b.h", "int b;\n");
	assert_ok(gpu_source_get(fixture_path("kernels"), "a", &text));
	assert_string_equal(text.bytes,
		"#pragma OPENCL FP_CONTRACT OFF\n#line 1 \"a.cl\"\n// one\n#line 1 \"b.h\"\nint b;\n"
		"#line 3 \"a.cl\"\nint a;\n");
	free(text.bytes);
}

static void a_folder_stands_in_for_the_library(void **state)
{
	(void)state;
	enm_context *context;
	enm_context_stats stats;
	fixture_text("kernels/good.cl", "#include \"answer.h\"\n");
	fixture_text("kernels/answer.h", "#define ANSWER 42\n#include \"body.h\"\n");
	fixture_text("kernels/body.h", GOOD);
	fixture_text("kernels/notes.txt", "no kernel\n");
	assert_ok(open_folder(&context));
	assert_ok(enm_context_get_stats(context, &stats));
	assert_int_equal(stats.programs_built, 1);
	bool passed = true;
	assert_result(enm_context_self_check(context, &passed), ENM_E_BUILD); /* its kernels are not in the folder */
	assert_false(passed);
	assert_error_has("there is no program selfcheck.cl");
	enm_context_destroy(&context);

	assert_int_equal(setenv("ENAMEL_KERNEL_DIR", fixture_path("kernels"), 1), 0);
	enm_context_def def = fixture_def(NULL);
	def.cache_dir = "";
	assert_ok(enm_context_create(&def, &context));
	unsetenv("ENAMEL_KERNEL_DIR");
	assert_ok(enm_context_get_stats(context, &stats));
	assert_int_equal(stats.programs_built, 1);
	enm_context_destroy(&context);
}

static void says_file_and_reason_of_a_broken_kernel(void **state)
{
	(void)state;
	fixture_text("kernels/broken.cl",
		"#include \"sound.h\"\n\n__kernel void broken(__global int *out) { out[0] = nonsense; }\n");
	fixture_text("kernels/sound.h", "#define SOUND 1\n#define SOUND_TOO 2\n");
	enm_context *context;
	fixture_log log;
	enm_context_def def = fixture_def(&log);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_result(enm_context_create(&def, &context), ENM_E_BUILD);
	assert_error_has("broken.cl: clBuildProgram: ");
	assert_error_has("nonsense");
	assert_true(log.counts[ENM_LOG_ERROR] == 1);
}

static void warnings_are_errors_and_do_not_pass_unseen(void **state)
{
	(void)state;
	fixture_text("kernels/sloppy.cl", "__kernel void sloppy(__global int *out) { int x = 1.5f; out[0] = x; "
					  "\n#warning a warning\n }\n");
	enm_context *context;
	fixture_log log;
	enm_context_def def = fixture_def(&log);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_ok(enm_context_create(&def, &context));
	enm_device_info info;
	assert_ok(enm_context_device(context, &info));
	if (strcmp(info.platform, "Oclgrind") == 0)
		print_message("not checked: Oclgrind does not know -Werror\n");
	else
		assert_true(log.without_werror);
	enm_context_destroy(&context);
}

static void says_what_is_wrong_with_a_folder(void **state)
{
	(void)state;
	refuse(ENM_E_BUILD, "no .cl file in it");
	fixture_text("kernels/a.cl", "#include \"missing.h\"\n");
	refuse(ENM_E_BUILD, "missing.h: No such file");
	fixture_text("kernels/a.cl", "int a;\n#include \"../secret.h\"\n");
	refuse(ENM_E_BUILD, "a.cl:2: includes ../secret.h, which is outside kernels/");
	fixture_text("kernels/a.cl", "#include \"a.cl\"\n");
	refuse(ENM_E_BUILD, "a.cl:1: includes nested deeper than 8");
	fixture_text("kernels/a.cl", "");
	refuse(ENM_E_BUILD, "a.cl: empty");

	enm_context *context;
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("nowhere");
	assert_result(enm_context_create(&def, &context), ENM_E_BUILD);
	assert_error_has("nowhere: No such file");
	char name[120];
	memset(name, 'x', sizeof(name));
	memcpy(name, "kernels/", 8);
	memcpy(name + sizeof(name) - 4, ".cl", 4);
	fixture_text(name, GOOD);
	refuse(ENM_E_BUILD, "longer than 63 characters");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embedded_programs_are_all_there_and_sorted),
		TEST(includes_are_put_in_place_with_their_lines),
		TEST(a_folder_stands_in_for_the_library),
		TEST(says_file_and_reason_of_a_broken_kernel),
		TEST(warnings_are_errors_and_do_not_pass_unseen),
		TEST(says_what_is_wrong_with_a_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
