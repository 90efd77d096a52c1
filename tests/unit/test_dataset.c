/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataset.h"
#include "image.h"
#include "scratch.h"

#define WIDTH 32
#define HEIGHT 24

static const char camera_text[] = "{\"width\":32,\"height\":24,\"intrinsic_matrix\":[40,0,0,0,40,0,15.5,11.5,1],"
				  "\"depth_scale\":1000,\"depth_unit\":\"mm\",\"fps\":30,\"row_time_s\":0}";
static uint16_t depth[WIDTH * HEIGHT];
static uint8_t rgb[WIDTH * HEIGHT * 3];

static void make_folder_form(const char *list)
{
	scratch_make_folder("depth");
	scratch_text("camera.json", camera_text);
	scratch_text("depth.txt", list);
	scratch_depth("depth/0.png", WIDTH, HEIGHT, 14000, 15000);
	scratch_depth("depth/1.png", WIDTH, HEIGHT, 14001, 15000);
}

static void rejects(const char *camera, const char *reason)
{
	dataset d;
	assert_int_equal(dataset_open(scratch_folder(), camera, &d), HOST_USAGE);
	assert_failure_ends(reason);
	assert_null(d.frames);
}

static void reads_the_folder_form(void **state)
{
	(void)state;
	dataset d;
	dataset_reading reading;
	make_folder_form("# time name\n0.0 depth/0.png\n0.033 depth/1.png\n");
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_int_equal(d.layout, DATASET_FOLDER);
	assert_int_equal(d.frame_count, 2);
	assert_true(d.depth_mm_per_unit == 0.001 && d.camera.mm_per_unit == 1.0);
	assert_string_equal(d.unit, "mm");
	assert_false(d.has_color);
	assert_false(d.has_truth);
	dataset_read_frame(&d, 1, depth, rgb, &reading);
	assert_true(reading.usable);
	assert_false(reading.has_color);
	assert_int_equal(depth[0], 14001);
	assert_int_equal(depth[1], 15000);
	trajectory t;
	assert_int_equal(dataset_read_truth(&d, &t), HOST_USAGE);
	assert_failure_ends("groundtruth.txt: missing");
	dataset_close(&d);
	dataset_close(&d);
}

static void truth_is_checked(void **state)
{
	(void)state;
	dataset d;
	trajectory t;
	make_folder_form("0.0 depth/0.png\n");
	scratch_text("groundtruth.txt", "0 1 2 3 0 0 0 1\n");
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_true(d.has_truth);
	assert_int_equal(dataset_read_truth(&d, &t), HOST_OK);
	assert_true(t.poses[0].world_from_camera.t_mm[1] == 2.0);
	trajectory_free(&t);
	scratch_text("groundtruth.txt", "0 1 2 nan 0 0 0 1\n");
	assert_int_equal(dataset_read_truth(&d, &t), HOST_USAGE);
	assert_failure_ends("groundtruth.txt: line 1: NaN or infinity");
	scratch_text("groundtruth.txt", "0 1 2 3 0 0 0.1 1\n");
	assert_int_equal(dataset_read_truth(&d, &t), HOST_USAGE);
	assert_failure_ends("groundtruth.txt: line 1: quaternion is not of unit length");
	dataset_close(&d);
}

static void rejects_bad_folders(void **state)
{
	(void)state;
	dataset d;
	assert_int_equal(dataset_open(scratch_path("none"), NULL, &d), HOST_USAGE);
	assert_failure_ends("none: missing");
	scratch_text("plain", "x");
	assert_int_equal(dataset_open(scratch_path("plain"), NULL, &d), HOST_USAGE);
	assert_failure_ends("plain: is neither a folder nor a recording (*.enmrec)");
	rejects(NULL,
		"no known layout: neither depth.txt (folder form, TUM RGB-D) nor frame-NNNNNN.depth.png (7-Scenes)");
	scratch_text("camera.json", camera_text);
	rejects(NULL, "depth.txt: missing beside camera.json");
}

static void rejects_bad_lists(void **state)
{
	(void)state;
	make_folder_form("# nothing\n");
	rejects(NULL, "depth.txt: lists no frame");
	scratch_text("depth.txt", "0.0 depth/0.png\nsoon depth/1.png\n");
	rejects(NULL, "depth.txt: line 2: expected a timestamp in seconds");
	scratch_text("depth.txt", "0.0\n");
	rejects(NULL, "depth.txt: line 1: expected a file name behind the timestamp");
	scratch_text("depth.txt", "nan depth/0.png\n");
	rejects(NULL, "depth.txt: line 1: timestamp is NaN, infinite or beyond 4.5e9 s");
	scratch_text("depth.txt", "0.0 depth/0.png\n4.6e9 depth/1.png\n");
	rejects(NULL, "depth.txt: line 2: timestamp is NaN, infinite or beyond 4.5e9 s");
	scratch_write("depth.txt", "0 \0", 3);
	rejects(NULL, "depth.txt: is no text");
}

static void rejects_bad_cameras(void **state)
{
	(void)state;
	make_folder_form("0.0 depth/0.png\n");
	scratch_text("camera.json", "{");
	assert_int_equal(dataset_open(scratch_folder(), NULL, &(dataset){0}), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), "camera.json: line 1: "));
	scratch_text("camera.json", "{\"width\":64,\"height\":48,\"intrinsic_matrix\":[40,0,0,0,40,0,15.5,11.5,1],"
				    "\"depth_scale\":1000,\"depth_unit\":\"mm\"}");
	rejects(NULL, "camera: width, height: 64x48, but the depth pictures are 32x24");
	assert_int_equal(unlink(scratch_path("camera.json")), 0);
	rejects(NULL, "camera.json: missing, no --camera FILE given, and the folder's name says none of fr1, fr2, fr3");
	rejects(scratch_path("none.json"), "none.json: missing");
}

static void damaged_frames_stay_out(void **state)
{
	(void)state;
	static const char *const reasons[] = {"", "missing", "is empty", "damaged PNG",
		"is a grey of 8 bits or less PNG", "is a 8-bit RGB PNG", "is 16x24 pixels instead of 32x24",
		"no reading: every pixel is 0", "no reading: every pixel is 65535",
		"no reading: every pixel is 0 or 65535", ""};
	static const uint8_t pixels[WIDTH * HEIGHT * 3];
	char list[1024] = "";
	make_folder_form("");
	for (int i = 0; i < 10; i++)
		sprintf(list + strlen(list), "%d.0 depth/%d.png\n", i, i);
	strcat(list, "10.0 depth/0.png\n");
	scratch_text("depth.txt", list);
	assert_int_equal(unlink(scratch_path("depth/1.png")), 0);
	scratch_text("depth/2.png", "");
	scratch_depth("depth/3.png", WIDTH, HEIGHT, 1, 2);
	scratch_cut("depth/3.png", scratch_size("depth/3.png") - 20);
	scratch_write_png("depth/4.png", (scratch_png){WIDTH, HEIGHT, PNG_COLOR_TYPE_GRAY, 8}, pixels);
	scratch_write_png("depth/5.png", (scratch_png){WIDTH, HEIGHT, PNG_COLOR_TYPE_RGB, 8}, pixels);
	scratch_depth("depth/6.png", WIDTH / 2, HEIGHT, 1, 2);
	scratch_depth("depth/7.png", WIDTH, HEIGHT, 0, 0);
	scratch_depth("depth/8.png", WIDTH, HEIGHT, 65535, 65535);
	scratch_depth("depth/9.png", WIDTH, HEIGHT, 0, 65535);
	dataset d;
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_int_equal(d.frame_count, 11);
	for (size_t i = 0; i < 11; i++) {
		dataset_reading reading;
		dataset_read_frame(&d, i, depth, rgb, &reading);
		assert_int_equal(reading.usable, !*reasons[i]);
		if (strncmp(reading.reason, reasons[i], strlen(reasons[i])))
			fail_msg("frame %zu: \"%s\", expected \"%s\"", i, reading.reason, reasons[i]);
	}
	dataset_close(&d);
}

static void times_must_grow(void **state)
{
	(void)state;
	dataset d;
	dataset_reading reading;
	make_folder_form("0.0 depth/0.png\n0.1 depth/1.png\n0.1 depth/0.png\n0.05 depth/1.png\n0.2 depth/0.png\n");
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	const bool usable[5] = {true, true, false, false, true};
	for (size_t i = 0; i < 5; i++) {
		dataset_read_frame(&d, i, depth, NULL, &reading);
		assert_int_equal(reading.usable, usable[i]);
	}
	char fault[DATASET_REASON_BYTES];
	dataset_fault_text(&d.frames[2], fault);
	assert_string_equal(fault, "timestamp 0.100000 repeats 0.100000");
	dataset_fault_text(&d.frames[3], fault);
	assert_string_equal(fault, "timestamp 0.050000 runs backward: it follows 0.100000");
	dataset_close(&d);
}

static void color_follows_its_depth(void **state)
{
	(void)state;
	dataset d;
	dataset_reading reading;
	memset(rgb, 77, sizeof rgb);
	make_folder_form("0.0 depth/0.png\n0.1 depth/1.png\n0.2 depth/0.png\n");
	scratch_text("rgb.txt", "0.215 b.png\n0.015 a.png\n0.13 c.png\n");
	assert_int_equal(image_write_color(scratch_path("a.png"), WIDTH, HEIGHT, 3, rgb, IMAGE_FAST), HOST_OK);
	scratch_text("b.png", "broken");
	memset(rgb, 0, sizeof rgb);
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_true(d.has_color);
	assert_null(d.frames[1].color);
	dataset_read_frame(&d, 0, depth, rgb, &reading);
	assert_true(reading.usable && reading.has_color);
	assert_int_equal(rgb[5], 77);
	dataset_read_frame(&d, 2, depth, rgb, &reading);
	assert_true(reading.usable);
	assert_false(reading.has_color);
	assert_string_equal(d.frames[2].color, "b.png");
	assert_string_equal(reading.color_reason, "is neither PNG nor JPEG");
	dataset_close(&d);
}

static void reads_tum_by_name_and_by_option(void **state)
{
	(void)state;
	dataset d;
	scratch_make_folder("rgbd_dataset_freiburg3_desk");
	scratch_text("rgbd_dataset_freiburg3_desk/depth.txt", "# depth maps\n1305031102.1604 depth/1.png\n");
	assert_int_equal(dataset_open(scratch_path("rgbd_dataset_freiburg3_desk/"), NULL, &d), HOST_OK);
	assert_int_equal(d.layout, DATASET_TUM);
	assert_true(d.camera.camera.fx == 535.4 && d.depth_mm_per_unit == 0.2 && !strcmp(d.unit, "m"));
	assert_true(d.frames[0].time_s == 1305031102.1604);
	assert_non_null(strstr(d.note, "freiburg3"));
	dataset_close(&d);
	make_folder_form("0.0 depth/0.png\n");
	assert_int_equal(rename(scratch_path("camera.json"), scratch_path("mine.json")), 0);
	assert_int_equal(dataset_open(scratch_folder(), scratch_path("mine.json"), &d), HOST_OK);
	assert_true(d.camera.camera.fx == 40.0 && d.depth_mm_per_unit == 0.001);
	dataset_close(&d);
}

static void make_scenes(uint32_t width, uint32_t height)
{
	scratch_depth("frame-000007.depth.png", width, height, 65535, 900);
	scratch_depth("frame-000012.depth.png", width, height, 800, 900);
	scratch_depth("frame-000100.depth.png", width, height, 800, 900);
	scratch_text("frame-000007.pose.txt", "1 0 0 0.5\n0 1 0 0\n0 0 1 0\n0 0 0 1\n");
	scratch_text("frame-000008.depth.txt", "not a frame");
}

static void reads_seven_scenes(void **state)
{
	(void)state;
	dataset d;
	dataset_reading reading;
	trajectory t;
	make_scenes(WIDTH, HEIGHT);
	scratch_text("camera-intrinsics.txt", "40 0 15.5\n0 41 11.5\n0 0 1\n");
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_int_equal(d.layout, DATASET_SEVEN_SCENES);
	assert_int_equal(d.frame_count, 3);
	assert_true(d.frames[0].time_s == 7.0 && d.frames[2].time_s == 100.0);
	assert_true(d.camera.camera.fy == 41.0 && d.depth_mm_per_unit == 1.0 && !strcmp(d.unit, "m"));
	dataset_read_frame(&d, 0, depth, rgb, &reading);
	assert_true(reading.usable);
	assert_int_equal(depth[0], 0);
	assert_int_equal(depth[1], 900);
	assert_int_equal(dataset_read_truth(&d, &t), HOST_OK);
	assert_int_equal(t.count, 1);
	assert_true(t.poses[0].time_s == 7.0 && t.poses[0].world_from_camera.t_mm[0] == 500.0);
	trajectory_free(&t);
	scratch_text("frame-000012.pose.txt", "1 0 0 nan\n0 1 0 0\n0 0 1 0\n0 0 0 1\n");
	assert_int_equal(dataset_read_truth(&d, &t), HOST_USAGE);
	assert_failure_ends("frame-000012.pose.txt: is no rigid transform: NaN, scaled, sheared or mirrored");
	scratch_text("frame-000012.pose.txt", "1 0 0\n");
	assert_int_equal(dataset_read_truth(&d, &t), HOST_USAGE);
	assert_failure_ends("frame-000012.pose.txt: expected 16 numbers (4x4, row by row)");
	dataset_close(&d);
	scratch_text("camera-intrinsics.txt", "0 0 15.5\n0 41 11.5\n0 0 1\n");
	rejects(NULL, "camera-intrinsics.txt: focal length must be above 0");
	scratch_text("camera-intrinsics.txt", "40 0 15.5\n0 41\n");
	rejects(NULL, "camera-intrinsics.txt: expected 9 numbers (3x3, row by row)");
	assert_int_equal(unlink(scratch_path("camera-intrinsics.txt")), 0);
	rejects(NULL, "camera-intrinsics.txt: missing, no --camera FILE given, and pictures of 32x24 have no default");
}

static void seven_scenes_has_a_default(void **state)
{
	(void)state;
	dataset d;
	make_scenes(640, 480);
	assert_int_equal(dataset_open(scratch_folder(), NULL, &d), HOST_OK);
	assert_true(d.camera.camera.fx == 585.0 && d.camera.camera.cx == 320.0);
	assert_non_null(strstr(d.note, "assumed f 585"));
	dataset_close(&d);
}

/* The recorded datasets, where this machine has them. */
static void reads_shared_data(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t frames;
		dataset_layout layout;
		bool color;
	} known[] = {{"sim/cast", 831, DATASET_FOLDER, false}, {"sim/quadrant-color", 160, DATASET_FOLDER, true},
		{"real/room-50", 50, DATASET_SEVEN_SCENES, true}};
	uint16_t *large = malloc(640 * 480 * 2);
	uint8_t *large_rgb = malloc(640 * 480 * 3);
	int seen = 0;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char path[1024];
		snprintf(path, sizeof path, "%s/%s", SHARED_DATA, known[i].name);
		if (access(path, R_OK))
			continue;
		dataset d;
		trajectory t;
		dataset_reading reading;
		assert_int_equal(dataset_open(path, NULL, &d), HOST_OK);
		assert_int_equal(d.frame_count, known[i].frames);
		assert_int_equal(d.layout, known[i].layout);
		assert_int_equal(dataset_read_truth(&d, &t), HOST_OK);
		assert_int_equal(t.count, known[i].frames);
		dataset_read_frame(&d, known[i].frames - 1, large, large_rgb, &reading);
		assert_true(reading.usable);
		assert_int_equal(reading.has_color, known[i].color);
		trajectory_free(&t);
		dataset_close(&d);
		seen++;
	}
	free(large);
	free(large_rgb);
	if (!seen) {
		print_message("skipped: no shared data at %s\n", SHARED_DATA);
		skip();
	}
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(reads_the_folder_form),
		SCRATCH_TEST(truth_is_checked),
		SCRATCH_TEST(rejects_bad_folders),
		SCRATCH_TEST(rejects_bad_lists),
		SCRATCH_TEST(rejects_bad_cameras),
		SCRATCH_TEST(damaged_frames_stay_out),
		SCRATCH_TEST(times_must_grow),
		SCRATCH_TEST(color_follows_its_depth),
		SCRATCH_TEST(reads_tum_by_name_and_by_option),
		SCRATCH_TEST(reads_seven_scenes),
		SCRATCH_TEST(seven_scenes_has_a_default),
		cmocka_unit_test(reads_shared_data),
	};
	return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
