/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "camera.h"
#include "json.h"
#include "scratch.h"

static host_status read_text(const char *text)
{
	json_t *root;
	scratch_text("a.json", text);
	host_status status = json_file_read(scratch_path("a.json"), &root);
	json_decref(root);
	return status;
}

static void rejects_malformed_files(void **state)
{
	(void)state;
	json_t *root;
	assert_int_equal(json_file_read(scratch_path("none.json"), &root), HOST_USAGE);
	assert_null(root);
	assert_failure_ends("none.json: missing");
	assert_int_equal(read_text("{\"a\": }"), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), "a.json: line 1: "));
	assert_int_equal(read_text(""), HOST_USAGE);
	assert_int_equal(read_text("{\"a\": NaN}"), HOST_USAGE);
	assert_int_equal(read_text("{\"a\": 1e999}"), HOST_USAGE);
	assert_int_equal(read_text("{\"a\": 1, \"a\": 2}"), HOST_USAGE);
	assert_int_equal(read_text("{} trailing"), HOST_USAGE);
	assert_int_equal(read_text("[1]"), HOST_USAGE);
	assert_failure_ends("a.json: expected an object {...}");
}

static void getters_name_place_and_reason(void **state)
{
	(void)state;
	json_t *root = json_pack("{s:i, s:f, s:[i,i], s:s, s:{s:s}}", "whole", 3, "half", 0.5, "pair", 1, 2, "text",
		"mm", "inner", "x", "y");
	const json_place place = {"f.json", "", root};
	json_place inner;
	int64_t integer;
	double number = 7.0, pair[2];
	const char *text;
	assert_int_equal(json_read_integer(place, "whole", 0, 10, &integer), HOST_OK);
	assert_int_equal(integer, 3);
	assert_int_equal(json_read_numbers(place, "pair", 2, pair), HOST_OK);
	assert_int_equal(json_read_text(place, "text", &text), HOST_OK);
	assert_int_equal(json_read_number_if(place, "absent", 0, 1, &number), HOST_OK);
	assert_true(number == 7.0);
	assert_int_equal(json_read_integer(place, "half", 0, 10, &integer), HOST_USAGE);
	assert_failure_ends("f.json: half: expected a whole number");
	assert_int_equal(json_read_number(place, "whole", 0, 2, &number), HOST_USAGE);
	assert_failure_ends("f.json: whole: 3 is not within 0 to 2");
	assert_int_equal(json_read_number(place, "text", 0, 2, &number), HOST_USAGE);
	assert_failure_ends("f.json: text: expected a number");
	assert_int_equal(json_read_numbers(place, "pair", 9, pair), HOST_USAGE);
	assert_failure_ends("f.json: pair: expected 9 numbers");
	assert_int_equal(json_read_text(place, "absent", &text), HOST_USAGE);
	assert_failure_ends("f.json: absent: missing");
	assert_int_equal(json_read_object_if(place, "inner", &inner), HOST_OK);
	assert_int_equal(json_read_number(inner, "x", 0, 1, &number), HOST_USAGE);
	assert_failure_ends("f.json: inner.x: expected a number");
	json_decref(root);
}

static void whole_numbers_fit(void **state)
{
	(void)state;
	json_t *root = json_pack("{s:f, s:f, s:f}", "most", 0x1p63, "less", 0x1.fffffffffffffp62, "least", -0x1p63);
	const json_place place = {"f.json", "", root};
	int64_t integer;
	assert_int_equal(json_read_integer(place, "most", INT64_MIN, INT64_MAX, &integer), HOST_USAGE);
	assert_failure_ends("f.json: most: is above 9223372036854775807");
	assert_int_equal(json_read_integer(place, "less", INT64_MIN, INT64_MAX, &integer), HOST_OK);
	assert_true(integer == INT64_MAX - 1023);
	assert_int_equal(json_read_integer(place, "least", INT64_MIN, INT64_MAX, &integer), HOST_OK);
	assert_true(integer == INT64_MIN);
	json_decref(root);
}

static void assert_foreign(const char *text, const char *expected)
{
	json_t *value = json_foreign(text);
	assert_string_equal(json_string_value(value), expected);
	json_decref(value);
}

static void foreign_text_is_never_lost(void **state)
{
	(void)state;
	assert_foreign("", "");
	assert_foreign("Zahnbogen \xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\xb7\n", "Zahnbogen \xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\xb7\n");
	assert_foreign("Latin \xe4", "Latin \\xe4");
	assert_foreign("\xff\xc3\xa4\xc3", "\\xff\xc3\xa4\\xc3");
	assert_foreign("cut \xe2\x82", "cut \\xe2\\x82");
	assert_foreign("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* half of a pair */
}

static void writes_what_it_reads(void **state)
{
	(void)state;
	bool ok = true;
	json_t *root = json_object(), *back;
	json_put(root, "b", json_finite(0.25), &ok);
	json_put(root, "a", json_finite((double)NAN), &ok);
	assert_true(ok);
	assert_int_equal(json_file_write(scratch_path("b.json"), root), HOST_OK);
	assert_int_equal(json_file_read(scratch_path("b.json"), &back), HOST_OK);
	assert_true(json_is_null(json_object_get(back, "a")));
	assert_true(json_real_value(json_object_get(back, "b")) == 0.25);
	assert_int_equal(scratch_count("."), 1);
	json_put(root, "c", NULL, &ok);
	assert_false(ok);
	json_decref(root);
	json_decref(back);
}

#define CAMERA(width, matrix, scale, unit, more)                                                                       \
	"{\"width\":" width ",\"height\":240,\"intrinsic_matrix\":" matrix ",\"depth_scale\":" scale                   \
	",\"depth_unit\":" unit more "}"
#define GOOD_MATRIX "[240,0,0,0,250,0,159.5,119.5,1]"

static void rejects_camera(const char *text, const char *reason)
{
	camera_file file;
	scratch_text("camera.json", text);
	assert_int_equal(camera_read(scratch_path("camera.json"), &file), HOST_USAGE);
	assert_failure_ends(reason);
}

static void rejects_bad_cameras(void **state)
{
	(void)state;
	rejects_camera(CAMERA("320", "[0,0,0,0,250,0,1,1,1]", "1000", "\"mm\"", ""),
		"camera.json: intrinsic_matrix: focal length must be above 0");
	rejects_camera(CAMERA("320", "[240,0,0,0,-250,0,1,1,1]", "1000", "\"mm\"", ""),
		"camera.json: intrinsic_matrix: focal length must be above 0");
	rejects_camera(CAMERA("320", "[240,0,159.5,0,250,119.5,0,0,1]", "1000", "\"mm\"", ""),
		"camera.json: intrinsic_matrix: expected [fx,0,0, 0,fy,0, cx,cy,1] (column-major)");
	rejects_camera(
		CAMERA("320", "[240,0,0]", "1000", "\"mm\"", ""), "camera.json: intrinsic_matrix: expected 9 numbers");
	rejects_camera(CAMERA("320", "[240,0,0,0,250,0,9999,1,1]", "1000", "\"mm\"", ""),
		"camera.json: intrinsic_matrix: principal point is more than three image sizes off");
	rejects_camera(
		CAMERA("0", GOOD_MATRIX, "1000", "\"mm\"", ""), "camera.json: width: 0 is not within 16 to 4096");
	rejects_camera(
		CAMERA("320.5", GOOD_MATRIX, "1000", "\"mm\"", ""), "camera.json: width: expected a whole number");
	rejects_camera(CAMERA("320", GOOD_MATRIX, "0", "\"mm\"", ""),
		"camera.json: depth_scale: 0 is not within 1e-06 to 1000000000");
	rejects_camera(CAMERA("320", GOOD_MATRIX, "1000", "\"inch\"", ""),
		"camera.json: depth_unit: 'inch' is neither \"mm\" nor \"m\"");
	rejects_camera(CAMERA("320", GOOD_MATRIX, "1000", "3", ""), "camera.json: depth_unit: expected a text");
	rejects_camera(CAMERA("320", GOOD_MATRIX, "1000", "\"mm\"", ",\"distortion\":[1,2]"),
		"camera.json: distortion: expected 5 numbers");
	rejects_camera(CAMERA("320", GOOD_MATRIX, "1000", "\"mm\"", ",\"row_time_s\":-1"),
		"camera.json: row_time_s: -1 is not within 0 to 1");
	rejects_camera("{\"width\":320}", "camera.json: height: missing");
}

static void camera_comes_back(void **state)
{
	(void)state;
	camera_file file, back;
	scratch_text("camera.json", CAMERA("320", GOOD_MATRIX, "5000", "\"m\"",
					    ",\"fps\":25,\"row_time_s\":1e-4,\"distortion\":[0.1,0.2,0.3,0.4,0.5],"
					    "\"depth_residual\":{\"bow_um\":5,\"tilt_y_um\":-2.5}"));
	assert_int_equal(camera_read(scratch_path("camera.json"), &file), HOST_OK);
	assert_true(
		file.camera.fx == 240 && file.camera.fy == 250 && file.camera.cx == 159.5 && file.camera.cy == 119.5);
	assert_true(file.mm_per_unit == 1000 && file.depth_scale == 5000 && file.fps == 25 && file.row_time_s == 1e-4);
	assert_true(file.camera.residual.bow_um == 5.0f && file.camera.residual.tilt_y_um == -2.5f);
	assert_int_equal(camera_write(scratch_path("again.json"), &file), HOST_OK);
	assert_int_equal(camera_read(scratch_path("again.json"), &back), HOST_OK);
	assert_memory_equal(&file, &back, sizeof file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rejects_malformed_files, scratch_setup, scratch_teardown),
		cmocka_unit_test(getters_name_place_and_reason),
		cmocka_unit_test(whole_numbers_fit),
		cmocka_unit_test(foreign_text_is_never_lost),
		cmocka_unit_test_setup_teardown(writes_what_it_reads, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(rejects_bad_cameras, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(camera_comes_back, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
