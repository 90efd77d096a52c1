/* SPDX-License-Identifier: Apache-2.0
 * The program enamel-evaluate: whole runs on small datasets, and every input it must refuse. */
#include "marks.h"
#include "shapes.h"

#include "cmocka_all.h"
#include "file.h"
#include "scratch.h"

#include <jansson.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static char output[65536];

/* Runs the program in the scratch folder; gives its exit code and keeps what it printed. */
static int evaluate(const char *arguments)
{
	char command[4096];
	snprintf(command, sizeof(command), "cd '%s' && '%s' %s 2>&1", scratch_folder(), EVALUATE_PROGRAM, arguments);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	const size_t size = fread(output, 1, sizeof(output) - 1, pipe);
	output[size] = '\0';
	const int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *arguments, int code, const char *text)
{
	const int got = evaluate(arguments);
	if (got != code || strstr(output, text) == NULL)
		fail_msg("%s: exit code %d, wanted %d and '%s' in: %s", arguments, got, code, text, output);
}

/* The same, and the whole output is one line. */
static void refuse(const char *arguments, int code, const char *text)
{
	expect(arguments, code, text);
	const char *newline = strchr(output, '\n');
	if (newline == NULL || newline[1] != '\0')
		fail_msg("more than one line: %s", output);
}

static void save(enm_mesh *mesh, const char *name, double mm_per_unit)
{
	if (enm_mesh_save(mesh, scratch_path(name), mm_per_unit) != ENM_OK)
		fail_msg("%s", enm_last_error());
	enm_mesh_destroy(&mesh);
}

/* 60 frames that look straight down from 20 mm above the arch, moving along x. */
static void write_poses(const char *name, double unit_mm, int first, int count, double shift_mm, int wrong)
{
	char text[16384];
	size_t at = 0;
	for (int i = first; i < first + count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%.6f %.9f %.9f %.9f 1 0 0 0\n", i / 30.0,
			(i - 30 + shift_mm + (i == wrong ? 0.5 : 0)) / unit_mm, 13 / unit_mm, 26 / unit_mm);
	scratch_text(name, text);
}

/* What the camera of frame `frame` measures of the arch, with no reading of what lies at x above `blind_beyond_mm`. */
static void draw_depth(const surface *arch, int frame, double blind_beyond_mm)
{
	static uint16_t depth[64 * 48];
	const double eye[3] = {frame - 30, 13, 26};
	for (int i = 0; i < 64 * 48; i++) {
		/* Camera axes under a half turn about x: y and z turn round. */
		const double ray[3] = {(i % 64 - 31.5) / 50, -(i / 64 - 23.5) / 50, -1};
		double weights[3], corner[3], z = 0;
		uint32_t triangle;
		depth[i] = 0;
		if (!surface_cast(arch, eye, ray, &triangle, weights))
			continue;
		for (size_t c = 0; c < 3; c++) {
			surface_vertex(arch, arch->data.triangles[3 * triangle + c], corner);
			z += weights[c] * corner[2];
		}
		const double depth_mm = eye[2] - z;
		if (eye[0] + depth_mm * ray[0] <= blind_beyond_mm)
			depth[i] = (uint16_t)(1e3 * depth_mm + 0.5);
	}
	char name[64];
	snprintf(name, sizeof(name), "scan/depth/%02d.png", frame);
	scratch_write_png(name, (scratch_png){64, 48, PNG_COLOR_TYPE_GRAY, 16}, depth);
}

static void draw_frames(double blind_beyond_mm)
{
	surface arch = shape_open(shape_grid(200, 40, shape_arch, NULL, NULL));
	for (int i = 0; i < 60; i++)
		draw_depth(&arch, i, blind_beyond_mm);
	surface_close(&arch);
}

static void write_dataset(const char *unit)
{
	const double unit_mm = strcmp(unit, "m") == 0 ? 1000 : 1;
	char text[8192], list[8192] = "";
	size_t at = 0;
	scratch_make_folder("scan");
	scratch_make_folder("scan/depth");
	snprintf(text, sizeof(text),
		"{\"width\": 64, \"height\": 48, \"intrinsic_matrix\": [50,0,0, 0,50,0, 31.5,23.5,1],"
		" \"depth_scale\": %g, \"depth_unit\": \"%s\", \"fps\": 30}",
		1000 * unit_mm, unit);
	scratch_text("scan/camera.json", text);
	for (int i = 0; i < 60; i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%.6f depth/%02d.png\n", i / 30.0, i);
	scratch_text("scan/depth.txt", list);
	draw_frames(INFINITY);
	write_poses("scan/groundtruth.txt", unit_mm, 0, 60, 0, -1);
	save(shape_grid(200, 40, shape_arch, NULL, NULL), "scan/truth.ply", unit_mm);
	double a[3], b[3];
	shape_arch(NULL, 0.2, 0.5, a);
	shape_arch(NULL, 0.8, 0.5, b);
	snprintf(text, sizeof(text), "{\"landmarks\": {\"16_mb\": [%.6f,%.6f,%.6f], \"26_mb\": [%.6f,%.6f,%.6f]}}",
		a[0] / unit_mm, a[1] / unit_mm, a[2] / unit_mm, b[0] / unit_mm, b[1] / unit_mm, b[2] / unit_mm);
	scratch_text("scan/truth.json", text);
}

static double figure(const json_t *root, const char *path)
{
	char key[64];
	const json_t *at = root;
	while (*path != '\0') {
		const size_t length = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		at = json_object_get(at, key);
		path += length + (path[length] == '.' ? 1 : 0);
	}
	if (!json_is_number(at))
		fail_msg("%s is no number in: %s", key, output);
	return json_number_value(at);
}

/* The report r.json that the last run has written. */
static json_t *read_report(void)
{
	json_t *root = json_load_file(scratch_path("r.json"), 0, NULL);
	assert_non_null(root);
	return root;
}

static void test_truth_against_itself(void **state)
{
	(void)state;
	write_dataset("mm");
	expect("scan/truth.ply --dataset scan --trajectory scan/groundtruth.txt --json --report r.json --picture p.png "
	       "--arch-picture a.png",
		0, "{");
	json_t *root = json_loads(output, 0, NULL);
	json_t *report = read_report();
	assert_non_null(root);
	assert_true(json_equal(root, report));
	static const char *const zeros[] = {"surface.best_fit.max_um", "surface.pinned_first.max_um",
		"surface.pinned_first_30.max_um", "trajectory.pinned_first.translation.max_um",
		"trajectory.pinned_first_30.translation.end_um", "landmarks.max_um", "landmarks.inter_molar.error_um",
		"regions.rest.max_um", "regions.rest.pinned_first.max_um", "regions.rest.pinned_first_30.max_um",
		"along.worst.best_fit.shift_um", "along.worst.pinned_first_30.shift_um", "along.ends.error_um"};
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		if (!(fabs(figure(root, zeros[i])) < 0.01))
			fail_msg("%s is %g", zeros[i], figure(root, zeros[i]));
	assert_true(figure(root, "completeness.within_50um_percent") == 100);
	assert_true(figure(root, "completeness.seen_percent") > 20);
	assert_int_equal(figure(root, "landmarks.found"), 2);
	assert_int_equal(figure(root, "trajectory.wrong_poses"), 0);
	assert_int_equal(figure(root, "trajectory.fused"), 60);
	assert_true(json_is_null(json_object_get(root, "spheres")));
	assert_true(scratch_size("p.png") > 10000 && scratch_size("a.png") > 1000);
	json_decref(root);
	json_decref(report);
}

/* The reconstruction without the cells that lie at x above 5 mm. */
static bool keep_left(void *user, double u, double v)
{
	double p[3];
	shape_arch(user, u, v, p);
	return p[0] < 5;
}

/* The frames have no reading of a part of the arch, and so the reconstruction does not have it either: complete of what
 * was seen, not of what was in view. */
static void test_part_without_readings(void **state)
{
	(void)state;
	write_dataset("mm");
	draw_frames(5);
	save(shape_grid(200, 40, shape_arch, keep_left, NULL), "left.ply", 1);
	expect("left.ply --dataset scan --report r.json", 0, "completeness of the surface in view");
	json_t *root = read_report();
	const double seen = figure(root, "completeness.seen_percent");
	const double in_view = figure(root, "completeness.in_view.percent");
	assert_true(figure(root, "completeness.within_100um_percent") > 98);
	assert_true(seen > 20 && seen < 0.75 * in_view);
	const double share = figure(root, "completeness.in_view.within_100um_percent") / 100;
	if (!(fabs(share - seen / in_view) < 0.03))
		fail_msg("%g of what is in view, %g seen of %g in view", share, seen, in_view);
	assert_int_equal(figure(root, "completeness.frames"), 60);
	assert_int_equal(figure(root, "completeness.frames_unread"), 10); /* empty ones, at the far end */
	json_decref(root);

	/* Frames without a usable picture saw nothing; so far that were the empty ones. */
	for (int i = 0; i < 10; i++) {
		char name[64];
		snprintf(name, sizeof(name), "scan/depth/%02d.png", 3 * i + 1);
		scratch_text(name, "");
	}
	expect("left.ply --dataset scan", 0, "20 true frames have no usable depth picture and saw nothing");
	for (int i = 0; i < 60; i++) {
		char name[64];
		snprintf(name, sizeof(name), "scan/depth/%02d.png", i);
		scratch_depth(name, 64, 48, 9000, 9000);
	}
	refuse("left.ply --dataset scan --depth-min-mm 5 --depth-max-mm 40", 1, "the depth pictures do not show it");
}

static void test_shifted_world_and_wrong_pose(void **state)
{
	(void)state;
	write_dataset("mm");
	write_poses("t.txt", 1, 0, 60, 0.25, 20);
	/* The truth itself as reconstruction, but all poses say that the world lies 0.25 mm aside, and one slips. */
	expect("scan/truth.ply --dataset scan --trajectory t.txt --report r.json", 0, "wrong poses: 2 at 0.667 s, 0.700 s");
	json_t *root = read_report();
	assert_true(figure(root, "surface.best_fit.mean_um") < 0.05);
	assert_true(figure(root, "surface.pinned_first.mean_um") > 20);
	assert_true(fabs(figure(root, "trajectory.pinned_first.translation.max_um") - 500) < 0.01);
	assert_true(figure(root, "trajectory.pinned_first.translation.end_um") < 0.01);
	assert_int_equal(figure(root, "trajectory.wrong_poses"), 2); /* the slip, and its follower relative to it */
	json_decref(root);
	scratch_text("fused.json", "{\"fused_times_s\": [0, 0.0333333, 0.0666667]}");
	expect("scan/truth.ply --dataset scan --trajectory t.txt --fused fused.json --json", 0, "{");
	root = json_loads(output, 0, NULL);
	assert_int_equal(figure(root, "trajectory.fused"), 3);
	assert_int_equal(figure(root, "trajectory.wrong_poses"), 1);
	json_decref(root);
}

static void place_large(void *user, double u, double v, double out[3])
{
	shape_arch(user, u, v, out);
	for (int i = 0; i < 3; i++)
		out[i] = 5 * out[i] + 300;
}

static void test_two_files(void **state)
{
	(void)state;
	save(shape_grid(100, 30, shape_arch, NULL, NULL), "a.ply", 1);
	save(shape_grid(100, 30, shape_arch, NULL, NULL), "b.stl", 1);
	expect("a.ply b.stl", 0, "best-fit");
	assert_non_null(strstr(output, "100.00 % within 50 um"));
	assert_non_null(strstr(output, "whole truth"));
	/* Five times as large and far off: an answer all the same, with a warning. */
	save(shape_grid(100, 30, place_large, NULL, NULL), "large.ply", 1);
	expect("large.ply a.ply", 0, "best-fit went astray");
	assert_non_null(strstr(output, "0.00 % within 50 um"));
}

static void place_plate_above(void *user, double u, double v, double out[3])
{
	shape_plate(user, u, v, out);
	out[2] += *(const double *)user;
}

/* The file of --deviation: `count` floats. */
static const float *read_deviation(size_t count)
{
	static float values[4096];
	uint8_t *bytes;
	size_t size;
	assert_int_equal(file_read(scratch_path("d.f32"), sizeof(values), &bytes, &size), HOST_OK);
	assert_int_equal(size, count * sizeof(*values));
	memcpy(values, bytes, size);
	free(bytes);
	return values;
}

static void test_deviation(void **state)
{
	(void)state;
	double above = 0.03, below = -0.05, far = 2.5;
	save(shape_grid(20, 20, shape_plate, NULL, NULL), "plate.ply", 1);
	save(shape_grid(7, 9, place_plate_above, NULL, &above), "above.ply", 1);
	save(shape_grid(7, 9, place_plate_above, NULL, &below), "below.ply", 1);
	save(shape_grid(7, 9, place_plate_above, NULL, &far), "far.ply", 1);
	expect("above.ply plate.ply --deviation d.f32", 0, "");
	assert_string_equal(output, "");
	for (size_t v = 0; v < 7 * 9; v++)
		assert_true(fabsf(read_deviation(7 * 9)[v] - 30.0f) < 0.01f);
	expect("below.ply plate.ply --deviation d.f32", 0, "");
	for (size_t v = 0; v < 7 * 9; v++)
		assert_true(fabsf(read_deviation(7 * 9)[v] + 50.0f) < 0.01f);
	expect("above.ply plate.ply --deviation d.f32 --mm-per-unit 10", 0, "");
	assert_true(fabsf(read_deviation(7 * 9)[0] - 300.0f) < 0.1f);
	expect("far.ply plate.ply --deviation d.f32", 0, "");
	assert_true(isnan(read_deviation(7 * 9)[0]));
	assert_int_equal(remove(scratch_path("d.f32")), 0);
	refuse("above.ply --deviation d.f32", 2, "--deviation: wants two meshes");
	refuse("above.ply plate.ply --deviation d.f32 --json", 2, "--deviation: together with nothing but");
	refuse("above.ply none.ply --deviation d.f32", 2, "none.ply");
	refuse("above.ply plate.ply --deviation none/d.f32", 4, "none/d.f32");
	refuse("above.ply plate.ply --mm-per-unit 2", 2, "--mm-per-unit: wanted only with --deviation");
	refuse("--repeats above.ply plate.ply --deviation d.f32", 2, "not together with --repeats");
	assert_false(file_exists(scratch_path("d.f32")));
}

static void test_metres(void **state)
{
	(void)state;
	write_dataset("m");
	write_poses("t.txt", 1000, 0, 60, 0, 59);
	expect("scan/truth.ply --dataset scan --trajectory t.txt --report r.json", 0,
		"wrong poses by tooth-scale limits (0.15 mm, 0.5 degrees): 1");
	json_t *root = read_report();
	assert_true(fabs(figure(root, "trajectory.pinned_first.translation.end_um") - 500) < 0.01);
	assert_true(fabs(figure(root, "trajectory.pinned_first.translation.end_mm") - 0.5) < 1e-5);
	assert_true(figure(root, "surface.best_fit.mean_um") < 0.1);
	assert_true(figure(root, "completeness.within_50um_percent") == 100);
	assert_true(fabs(figure(root, "trajectory.wrong_limits.translation_um") - 150) < 1e-6);
	assert_true(fabs(figure(root, "trajectory.wrong_limits.rotation_degrees") - 0.5) < 1e-6);
	json_decref(root);
}

static void test_without_true_surface(void **state)
{
	(void)state;
	write_dataset("mm");
	assert_int_equal(rename(scratch_path("scan/truth.ply"), scratch_path("recon.ply")), 0);
	expect("recon.ply --dataset scan --trajectory scan/groundtruth.txt", 0, "trajectory figures only");
	refuse("recon.ply --dataset scan", 1, "nothing to compare");
	refuse("recon.ply --dataset scan --trajectory scan/groundtruth.txt --picture p.png", 1, "--picture");
	refuse("recon.ply --dataset scan --trajectory scan/groundtruth.txt --arch-picture p.png", 1, "--arch-picture");
	refuse("recon.ply --dataset scan --trajectory scan/groundtruth.txt --landmarks scan/truth.json", 1,
		"no true surface on which --landmarks could lie");
	assert_int_equal(remove(scratch_path("scan/groundtruth.txt")), 0);
	refuse("recon.ply --dataset scan", 1, "neither truth.ply nor true poses");
}

static void test_bad_usage(void **state)
{
	(void)state;
	write_dataset("mm");
	expect("--help", 0, "usage: enamel evaluate RECON");
	refuse("", 2, "too few arguments");
	refuse("scan/truth.ply", 2, "nothing to compare with");
	refuse("scan/truth.ply scan/truth.ply --dataset scan", 2, "--dataset: not together");
	refuse("scan/truth.ply scan/truth.ply --trajectory t.txt", 2, "--trajectory: needs --dataset");
	refuse("scan/truth.ply --dataset scan --fused f.json", 2, "--fused: needs --trajectory");
	refuse("scan/truth.ply --dataset scan --picture p.jpg", 2, "--picture");
	refuse("scan/truth.ply --dataset scan --arch-picture a.jpg", 2, "--arch-picture");
	refuse("scan/truth.ply --dataset scan --arch-picture none/a.png", 4, "none/a.png");
	refuse("scan/truth.ply --dataset scan --landmarks none.json", 2, "none.json");
	refuse("scan/truth.ply --dataset scan --truth scan/truth.ply", 2, "--dataset: not together");
	refuse("scan/truth.ply --dataset scan --wrong", 2, "--wrong");
	refuse("scan/truth.ply --dataset", 2, "--dataset: no value");
	refuse("scan/truth.ply --dataset scan --depth-min-mm 0", 2, "--depth-min-mm");
	refuse("scan/truth.ply --dataset scan --depth-min-mm 90", 2, "--depth-min-mm: 90 is not below");
	refuse("scan/truth.ply --dataset scan --depth-min-mm 70 --depth-max-mm 80", 1, "no point of it is seen");
	refuse("scan/truth.ply --dataset scan --report none/r.json", 4, "none/r.json");
	refuse("scan/truth.ply --dataset scan --picture none/p.png", 4, "none/p.png");
}

static void test_bad_files(void **state)
{
	(void)state;
	write_dataset("mm");
	refuse("none.ply --dataset scan", 2, "none.ply");
	refuse("scan/truth.ply --dataset nowhere", 2, "nowhere");
	scratch_text("empty.ply", "");
	refuse("empty.ply --dataset scan", 2, "empty.ply: the file is empty");
	scratch_text("bare.ply",
		"ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nproperty float y\nproperty float z\n"
		"element face 0\nproperty list uchar int vertex_indices\nend_header\n");
	refuse("bare.ply --dataset scan", 2, "bare.ply: holds no triangles");
	scratch_text("nan.obj", "v 0 0 0\nv 1 0 nan\nv 0 1 0\nf 1 2 3\n");
	refuse("nan.obj --dataset scan", 2, "nan.obj: line 2");
	scratch_text("point.obj", "v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n");
	refuse("point.obj --dataset scan", 1, "point.obj: all triangles lie in one point");

	refuse("scan/truth.ply --dataset scan --trajectory none.txt", 2, "none.txt");
	scratch_text("nan.txt", "0 nan 0 0 0 0 0 1\n");
	refuse("scan/truth.ply --dataset scan --trajectory nan.txt", 2, "nan.txt: line 1");
	scratch_text("unit.txt", "0 0 0 0 0 0 0 2\n");
	refuse("scan/truth.ply --dataset scan --trajectory unit.txt", 2, "unit.txt: line 1");
	scratch_text("late.txt", "1000 0 0 0 0 0 0 1\n");
	refuse("scan/truth.ply --dataset scan --trajectory late.txt", 1, "late.txt: none of its 1 times");

	scratch_text("f.json", "{\"frames\": 3}");
	refuse("scan/truth.ply --dataset scan --trajectory scan/groundtruth.txt --fused f.json", 2,
		"fused_times_s: missing");
	scratch_text("f.json", "{\"fused_times_s\": [0, \"x\"]}");
	refuse("scan/truth.ply --dataset scan --trajectory scan/groundtruth.txt --fused f.json", 2, "entry 1");
	scratch_text("scan/truth.json", "{\"landmarks\": {\"a\": [1, 2]}}");
	refuse("scan/truth.ply --dataset scan", 2, "landmarks.a");
	scratch_text("scan/truth.json", "{\"spheres\": [[1, 2, 3, 0]]}");
	refuse("scan/truth.ply --dataset scan", 2, "spheres: entry 0");
	scratch_text("scan/truth.json", "{");
	refuse("scan/truth.ply --dataset scan", 2, "truth.json: line 1");
	scratch_text("scan/truth.json", "{}");
	scratch_text("scan/groundtruth.txt", "0 nan 0 0 0 0 0 1\n");
	refuse("scan/truth.ply --dataset scan", 2, "groundtruth.txt: line 1");
}

/* The cast against itself, a whole scan, with ENAMEL_TEST_SLOW=1: all zero, everything complete. */
static void test_cast(void **state)
{
	(void)state;
	if (getenv("ENAMEL_TEST_SLOW") == NULL)
		skip();
	const char *folder = SHARED_DATA "/sim/cast";
	if (!file_is_folder(folder)) {
		print_message("%s is not there: skipped\n", folder);
		skip();
	}
	char arguments[2048];
	snprintf(arguments, sizeof(arguments), "'%s/truth.ply' --dataset '%s' --trajectory '%s/groundtruth.txt' --json",
		folder, folder, folder);
	expect(arguments, 0, "{");
	json_t *root = json_loads(output, 0, NULL);
	assert_non_null(root);
	assert_true(figure(root, "surface.best_fit.max_um") < 0.01);
	assert_true(figure(root, "surface.pinned_first.max_um") < 0.01);
	assert_true(figure(root, "completeness.within_50um_percent") == 100);
	assert_int_equal(figure(root, "trajectory.matched"), 831);
	assert_int_equal(figure(root, "trajectory.wrong_poses"), 0);
	assert_true(figure(root, "trajectory.best_fit.translation.max_um") < 0.01);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_truth_against_itself, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_part_without_readings, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_shifted_world_and_wrong_pose, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_two_files, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_deviation, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_metres, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_without_true_surface, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_bad_usage, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_bad_files, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_cast, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
