/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay` from end to end on small scans with exact truth. */
#define _DEFAULT_SOURCE /* mount */
#include "cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "enamel.h"
#include "file.h"
#include "image.h"
#include "json.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"
#include "trajectory.h"

#define VOXEL "0.2"
#define FRAMES 12

static char program[] = ENAMEL_PROGRAM;

#define REPLAY(...) process_run((char *[]){program, "replay", __VA_ARGS__, "--voxel-mm", VOXEL, NULL})

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void make_scan(void)
{
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = FRAMES};
	scan_make(&def);
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s", r->code, code, r->err);
}

static json_t *read_report(const char *name)
{
	json_t *root;
	if (json_file_read(scratch_path(name), &root))
		fail_msg("%s", host_error_text());
	return root;
}

static json_int_t count_of(const json_t *report, const char *key)
{
	const json_t *value = json_object_get(report, key);
	if (!json_is_integer(value))
		fail_msg("the report has no whole number %s", key);
	return json_integer_value(value);
}

static double number_of(const json_t *report, const char *key)
{
	const json_t *value = json_object_get(report, key);
	if (!json_is_number(value))
		fail_msg("the report has no number %s", key);
	return json_number_value(value);
}

static void assert_quantiles(const json_t *report, const char *key)
{
	const json_t *q = json_object_get(report, key);
	if (!q)
		fail_msg("the report has no %s", key);
	double median = number_of(q, "median"), p95 = number_of(q, "p95"), p99 = number_of(q, "p99"),
	       max = number_of(q, "max");
	assert_true(median >= 0 && median <= p95 && p95 <= p99 && p99 <= max);
}

/* What REPORT.md promises of a frame that was not tracked. */
static void assert_not_tracked(const json_t *entry)
{
	const char *verdict = json_string_value(json_object_get(entry, "verdict"));
	const char *text = json_string_value(json_object_get(entry, "text"));
	const char *reason = json_string_value(json_object_get(entry, "reason"));
	assert_true(json_is_string(json_object_get(entry, "file")) && verdict != NULL && text != NULL && reason != NULL);
	assert_true(strcmp(verdict, "weak") == 0 || strcmp(verdict, "lost") == 0);
	assert_true(strncmp(text, verdict, 4) == 0 && strstr(text, reason) != NULL);
	assert_true(json_is_number(json_object_get(entry, "time_s")));
	assert_true(number_of(entry, "overlap") >= 0.0 && number_of(entry, "overlap") <= 1.0);
	assert_true(number_of(entry, "inliers") >= 0.0 && number_of(entry, "inliers") <= 1.0);
	assert_true(number_of(entry, "rms_mm") >= 0.0);
	assert_true(count_of(entry, "held") <= 6);
	assert_true((count_of(entry, "held") > 0) == (strstr(text, "is not determined") != NULL));
}

/* What REPORT.md promises of the surface. */
static void assert_surface(const json_t *s)
{
	static const char *const numbers[] = {"area_mm2", "area_few_views_mm2", "views_median", "sigma_um_median", "sigma_um_p95",
		"rim_mm", "gap_border_min_mm", "gaps_area_mm2"};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		assert_true(number_of(s, numbers[i]) >= 0.0);
	assert_true(number_of(s, "area_few_views_mm2") <= number_of(s, "area_mm2"));
	assert_true(number_of(s, "sigma_um_median") <= number_of(s, "sigma_um_p95"));
	assert_true(count_of(s, "pieces") >= 0);
	const json_t *list = json_object_get(s, "gaps_largest");
	assert_true(json_is_array(list));
	assert_int_equal(json_array_size(list), count_of(s, "gaps") < 50 ? count_of(s, "gaps") : 50);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *gap = json_array_get(list, i);
		assert_int_equal(json_array_size(json_object_get(gap, "centre_mm")), 3);
		assert_true(number_of(gap, "border_mm") >= number_of(s, "gap_border_min_mm"));
		assert_true(number_of(gap, "width_mm") > 0.0 && number_of(gap, "area_mm2") >= 0.0);
	}
}

/* What REPORT.md promises of every report. */
static void assert_schema(const json_t *r)
{
	static const char *const texts[] = {
		"version", "dataset", "layout", "unit", "scale", "tracker", "device", "platform", "driver"};
	static const char *const lists[] = {
		"frames_left_out", "colors_left_out", "frames_not_tracked", "fused_times_s", "events"};
	static const char *const counts[] = {"programs_built", "programs_cached", "device_bytes_peak",
		"host_bytes_peak", "blocks_used", "vertices", "triangles", "islands_removed", "apart"};
	static const char *const numbers[] = {
		"voxel_mm", "truncation_mm", "row_time_s", "fps", "startup_ms", "wall_s", "engine_s", "read_s"};
	static const char *const flags[] = {
		"color", "interrupted", "event_times_trusted", "model_full", "recover", "foreign_bodies"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_true(json_is_string(json_object_get(r, texts[i])));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		assert_true(json_is_array(json_object_get(r, lists[i])));
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		assert_true(count_of(r, counts[i]) >= 0);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		assert_true(number_of(r, numbers[i]) >= 0.0);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		assert_true(json_is_boolean(json_object_get(r, flags[i])));
	assert_int_equal(count_of(r, "frames"),
		count_of(r, "tracked") + count_of(r, "weak") + count_of(r, "lost") + count_of(r, "left_out"));
	assert_true(count_of(r, "fused") <= count_of(r, "tracked"));
	assert_int_equal(json_array_size(json_object_get(r, "frames_left_out")), count_of(r, "left_out"));
	assert_int_equal(
		json_array_size(json_object_get(r, "frames_not_tracked")), count_of(r, "weak") + count_of(r, "lost"));
	assert_int_equal(json_array_size(json_object_get(r, "fused_times_s")), count_of(r, "fused"));
	for (size_t i = 0; i < json_array_size(json_object_get(r, "frames_not_tracked")); i++)
		assert_not_tracked(json_array_get(json_object_get(r, "frames_not_tracked"), i));
	assert_quantiles(r, "frame_ms");
	assert_quantiles(r, "latency_ms");
	const json_t *stages = json_object_get(r, "stages_ms");
	for (int stage = 0; stage < ENM_STAGE_COUNT; stage++)
		assert_quantiles(stages, enm_stage_name((enm_stage)stage));
	assert_non_null(json_object_get(stages, "mesh"));
	assert_surface(json_object_get(r, "surface"));
	assert_true(number_of(r, "engine_s") <= number_of(r, "wall_s"));
}

/* Every fused frame was tracked: its time is one of the trajectory's, each once and in their order. */
static void assert_fused_times(const json_t *report, const trajectory *t)
{
	const json_t *list = json_object_get(report, "fused_times_s");
	size_t at = 0;
	assert_true(json_array_size(list) > 0);
	for (size_t i = 0; i < json_array_size(list); i++, at++) {
		const double time_s = json_number_value(json_array_get(list, i));
		while (at < t->count && t->poses[at].time_s < time_s - 1e-5)
			at++;
		assert_true(at < t->count && fabs(t->poses[at].time_s - time_s) <= 1e-5);
	}
}

static size_t triangles_of(const char *name, double mm_per_unit, double *out_width_mm)
{
	enm_mesh *mesh;
	enm_mesh_data data;
	if (enm_mesh_load(scratch_path(name), mm_per_unit, &mesh) != ENM_OK)
		fail_msg("%s", enm_last_error());
	assert_int_equal(enm_mesh_get(mesh, &data), ENM_OK);
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < data.vertex_count; i++) {
		low = fmin(low, (double)data.positions_mm[3 * i]);
		high = fmax(high, (double)data.positions_mm[3 * i]);
	}
	if (out_width_mm)
		*out_width_mm = high - low;
	size_t count = data.triangle_count;
	enm_mesh_destroy(&mesh);
	return count;
}

static void read_trajectory(const char *name, double mm_per_unit, trajectory *out)
{
	if (trajectory_read(scratch_path(name), mm_per_unit, out))
		fail_msg("%s", host_error_text());
}

/* A line of names, and one for each frame with as many fields, the first two its time and verdict. */
static void assert_frame_log(const char *name, const trajectory *truth)
{
	FILE *f = fopen(scratch_path(name), "r");
	char line[2000];
	size_t lines = 0, names = 0;
	assert_non_null(f);
	for (; fgets(line, sizeof line, f); lines++) {
		size_t fields = 1;
		for (const char *c = line; *c; c++)
			fields += *c == '\t';
		if (lines == 0) {
			names = fields;
			assert_int_equal(strncmp(line, "time_s\tverdict\treason\t", 22), 0);
			continue;
		}
		assert_int_equal(fields, names);
		char *rest;
		assert_true(fabs(strtod(line, &rest) - truth->poses[lines - 1].time_s) < 1e-6);
		assert_int_equal(strncmp(rest, "\ttracked\t", 9), 0);
	}
	fclose(f);
	assert_int_equal(lines, truth->count + 1);
}

/* An A4 page on white that says something all the way down to the settings, and has a picture of the surface in the middle. */
static void assert_page(const char *name)
{
	enum { WIDTH = 1240, HEIGHT = 1754, BAND = HEIGHT / 12 };
	uint8_t *rgb = malloc((size_t)WIDTH * HEIGHT * 3);
	size_t inked[12] = {0}, blue = 0;
	assert_non_null(rgb);
	assert_int_equal(image_read_rgb(scratch_path(name), WIDTH, HEIGHT, rgb), HOST_OK);
	for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
		const uint8_t *p = rgb + 3 * i;
		inked[i / WIDTH / BAND < 12 ? i / WIDTH / BAND : 11] += p[0] < 200;
		blue += p[2] > p[0] + 60;
	}
	for (int band = 0; band < 8; band++)
		assert_true(inked[band] > 100);
	assert_true(inked[5] > 10000); /* the surface */
	assert_true(blue > 10000);    /* the bar of tracked frames */
	free(rgb);
}

static void tells_the_whole_story(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--trajectory", path("t.txt"),
		"--report", path("r.json"), "--preview", path("p.png"), "--certificate", path("c.png"), "--frame-log", path("f.tsv"),
		"--start-at-truth", "--json");
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "scale: tooth (median depth 1"));
	json_t *report = read_report("r.json");
	json_t *printed = json_loads(r->out, 0, NULL);
	assert_non_null(printed);
	assert_true(json_equal(report, printed));
	assert_schema(report);
	assert_int_equal(count_of(report, "tracked"), FRAMES);
	assert_int_equal(count_of(report, "fused"), FRAMES);
	assert_int_equal(count_of(report, "triangles"), triangles_of("m.ply", 1.0, NULL));
	assert_string_equal(json_string_value(json_object_get(report, "unit")), "mm");
	trajectory t, truth;
	read_trajectory("t.txt", 1.0, &t);
	read_trajectory("scan/groundtruth.txt", 1.0, &truth);
	assert_int_equal(t.count, FRAMES);
	for (size_t i = 0; i < t.count; i++) {
		assert_true(fabs(t.poses[i].time_s - truth.poses[i].time_s) < 1e-6);
		for (int k = 0; k < 3; k++)
			assert_true(fabs(t.poses[i].world_from_camera.t_mm[k] -
					    truth.poses[i].world_from_camera.t_mm[k]) < 0.05);
	}
	uint32_t width, height;
	assert_int_equal(image_read_size(scratch_path("p.png"), &width, &height), HOST_OK);
	assert_true(width >= 1280 && height >= 960);
	assert_page("c.png");
	assert_frame_log("f.tsv", &truth);
	assert_int_equal(scratch_count("."), 7); /* nothing temporary is left */
	trajectory_free(&t);
	trajectory_free(&truth);
	json_decref(report);
	json_decref(printed);
}

static void assert_same_bytes(const char *a, const char *b)
{
	uint8_t *left, *right;
	size_t left_size, right_size;
	assert_int_equal(file_read(scratch_path(a), SIZE_MAX / 2, &left, &left_size), HOST_OK);
	assert_int_equal(file_read(scratch_path(b), SIZE_MAX / 2, &right, &right_size), HOST_OK);
	assert_int_equal(left_size, right_size);
	assert_memory_equal(left, right, left_size);
	free(left);
	free(right);
}

static void two_runs_give_the_same_bytes(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = FRAMES, .color = true};
	scan_make(&def);
	assert_code(REPLAY(path("scan"), "--out", path("a.ply"), "--trajectory", path("a.txt")), 0);
	scratch_text("b.ply", "an older file");
	assert_code(REPLAY(path("scan"), "--out", path("b.ply"), "--trajectory", path("b.txt")), 0);
	assert_same_bytes("a.ply", "b.ply");
	assert_same_bytes("a.txt", "b.txt");
}

static void formats_hold_the_same_surface(void **state)
{
	(void)state;
	make_scan();
	assert_code(REPLAY(path("scan"), "--out", path("m.ply")), 0);
	assert_code(REPLAY(path("scan"), "--out", path("m.stl")), 0);
	assert_code(REPLAY(path("scan"), "--out", path("m.OBJ")), 0);
	size_t count = triangles_of("m.ply", 1.0, NULL);
	assert_true(count > 1000);
	assert_int_equal(triangles_of("m.stl", 1.0, NULL), count);
	assert_int_equal(triangles_of("m.OBJ", 1.0, NULL), count);
}

/* The same scan in metres comes out in metres. */
static void metres_stay_metres(void **state)
{
	(void)state;
	double in_mm, in_m;
	trajectory t;
	const scan_def mm = {.folder = "mm", .pictures = FRAMES, .frames = FRAMES};
	const scan_def m = {.folder = "m", .pictures = FRAMES, .frames = FRAMES, .metres = true};
	scan_make(&mm);
	scan_make(&m);
	assert_code(REPLAY(path("mm"), "--out", path("mm.ply")), 0);
	assert_code(REPLAY(path("m"), "--out", path("m.ply"), "--trajectory", path("m.txt")), 0);
	assert_int_equal(triangles_of("mm.ply", 1.0, &in_mm), triangles_of("m.ply", 1.0, &in_m));
	assert_true(in_mm > 5.0 && fabs(in_mm - 1000.0 * in_m) < 1e-3);
	read_trajectory("m.txt", 1.0, &t);
	assert_true(fabs(t.poses[FRAMES - 1].world_from_camera.t_mm[0]) < 0.01);
	trajectory_free(&t);
}

static void damaged_frames_are_named(void **state)
{
	(void)state;
	make_scan();
	unlink(scratch_path("scan/depth/3.png"));
	scratch_text("scan/depth/5.png", "");
	scratch_cut("scan/depth/7.png", scratch_size("scan/depth/7.png") / 2);
	assert_code(
		REPLAY(path("scan"), "--out", path("m.ply"), "--report", path("r.json"), "--trajectory", path("t.txt")),
		0);
	json_t *report = read_report("r.json");
	assert_schema(report);
	assert_int_equal(count_of(report, "frames"), FRAMES);
	assert_int_equal(count_of(report, "left_out"), 3);
	const json_t *list = json_object_get(report, "frames_left_out");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "file")), "depth/3.png");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "reason")), "missing");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "reason")), "is empty");
	trajectory t;
	read_trajectory("t.txt", 1.0, &t);
	assert_int_equal(t.count, FRAMES - 3);
	assert_fused_times(report, &t);
	trajectory_free(&t);
	json_decref(report);
}

static void strict_stops(void **state)
{
	(void)state;
	make_scan();
	unlink(scratch_path("scan/depth/3.png"));
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--strict");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "depth/3.png: missing (--strict)\n"));
	assert_int_equal(scratch_count("."), 1);
	unlink(scratch_path("scan/depth/0.png"));
	r = REPLAY(path("scan"), "--out", path("m.ply"), "--strict");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "depth/0.png: missing (--strict)\n"));
}

static void truth_is_checked_when_asked_for(void **state)
{
	(void)state;
	make_scan();
	scratch_text("scan/groundtruth.txt", "0 1 nan 3 0 0 0 1\n");
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--start-at-truth");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "groundtruth.txt: line 1: NaN or infinity"));
	scratch_text("scan/groundtruth.txt", "9 1 2 3 0 0 0 1\n");
	r = REPLAY(path("scan"), "--out", path("m.ply"), "--start-at-truth");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "ground truth: no pose within 0.02 s of the first frame"));
}

static void frames_can_be_chosen(void **state)
{
	(void)state;
	make_scan();
	assert_code(REPLAY(path("scan"), "--out", path("m.ply"), "--trajectory", path("t.txt"), "--frames", "4:10"), 0);
	trajectory t;
	read_trajectory("t.txt", 1.0, &t);
	assert_int_equal(t.count, 6);
	assert_true(fabs(t.poses[0].time_s - 4.0 / 30.0) < 1e-5);
	trajectory_free(&t);
}

static void a_lost_scan_is_not_good_enough(void **state)
{
	(void)state;
	make_scan();
	for (size_t i = 1; i < FRAMES; i++)
		scan_spoil("scan", i, (unsigned)i);
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--report", path("r.json"));
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "nothing was tracked beyond the first frame (mostly: "));
	json_t *report = read_report("r.json");
	assert_schema(report);
	assert_int_equal(count_of(report, "tracked"), 1);
	json_decref(report);
}

/* Two pictures of noise in the middle: lost there, found again behind them. */
static void events_are_told_in_order(void **state)
{
	(void)state;
	make_scan();
	scan_spoil("scan", 5, 1);
	scan_spoil("scan", 6, 2);
	assert_code(REPLAY(path("scan"), "--out", path("m.ply"), "--report", path("r.json")), 0);
	json_t *report = read_report("r.json");
	assert_schema(report);
	assert_int_equal(count_of(report, "weak") + count_of(report, "lost"), 2);
	static const struct {
		const char *event;
		int frame;
	} wanted[] = {{"lost", 5}, {"recovered", 7}};
	const json_t *list = json_object_get(report, "events");
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *entry = json_array_get(list, i);
		assert_string_equal(json_string_value(json_object_get(entry, "event")), wanted[i].event);
		assert_true(fabs(number_of(entry, "time_s") - wanted[i].frame / 30.0) < 1e-5);
	}
	json_decref(report);
}

/* The time between rows comes from the dataset: what no frame can have is refused by name, before the first frame. */
/* ---- refined ---- */

/* What REPORT.md promises of a scan that was refined. */
static void assert_refined(const json_t *r)
{
	static const char *const terms[] = {"bow_um", "astigmatism_um", "twist_um", "tilt_x_um", "tilt_y_um", "constant_um"};
	static const char *const counts[] = {"frames", "frames_compared", "frames_left_out", "frames_not_kept", "pairs", "parts", "rounds",
		"iterations", "seed", "device_bytes"};
	static const char *const numbers[] = {"misfit_before", "misfit_after", "inliers_before", "inliers_after", "wall_s", "compare_s", "solve_s",
		"fuse_s"};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		assert_true(count_of(r, counts[i]) >= 0);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		assert_true(number_of(r, numbers[i]) >= 0.0);
	assert_int_equal(json_array_size(json_object_get(r, "covariance_um2")), 36);
	for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
		const json_t *term = json_object_get(json_object_get(r, "residual"), terms[i]);
		/* the scan has none, and a sigma is the root of what stands in the covariance */
		assert_true(fabs(number_of(term, "value")) < 4.0 * number_of(term, "sigma"));
		const double variance = json_number_value(json_array_get(json_object_get(r, "covariance_um2"), 7 * i));
		assert_true(fabs(number_of(term, "sigma") * number_of(term, "sigma") - variance) < 1e-6 * variance);
		assert_true(json_is_boolean(json_object_get(term, "observed")));
	}
}

static void a_scan_is_refined(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = REPLAY(path("scan"), "--out", path("a.ply"), "--trajectory", path("a.txt"), "--report", path("a.json"), "--refine", "high",
		"--spill", path("spill"), "--start-at-truth");
	assert_code(r, 0);
	assert_true(access(scratch_path("spill"), F_OK) != 0);
	json_t *report = read_report("a.json");
	const json_t *refined = json_object_get(report, "refine");
	assert_string_equal(json_string_value(json_object_get(refined, "outcome")), "refined");
	assert_string_equal(json_string_value(json_object_get(refined, "level")), "high");
	assert_refined(refined);
	assert_int_equal(count_of(refined, "frames"), FRAMES);
	trajectory found, truth;
	read_trajectory("a.txt", 1.0, &found);
	read_trajectory("scan/groundtruth.txt", 1.0, &truth);
	assert_int_equal(found.count, FRAMES);
	for (size_t i = 0; i < found.count; i++)
		for (int k = 0; k < 3; k++)
			assert_true(fabs(found.poses[i].world_from_camera.t_mm[k] - truth.poses[i].world_from_camera.t_mm[k]) < 0.05);
	trajectory_free(&found);
	trajectory_free(&truth);
	json_decref(report);
}

static void poses_alone_leave_the_residual(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = REPLAY(path("scan"), "--out", path("a.ply"), "--report", path("a.json"), "--certificate", path("a.png"), "--refine", "low",
		"--poses-only", "--start-at-truth");
	assert_code(r, 0);
	json_t *report = read_report("a.json");
	const json_t *refined = json_object_get(report, "refine"), *term;
	const char *name;
	assert_string_equal(json_string_value(json_object_get(refined, "outcome")), "refined");
	assert_true(json_is_true(json_object_get(refined, "poses_only")));
	assert_null(json_object_get(refined, "calibration"));
	assert_non_null(strstr(json_string_value(json_object_get(refined, "warning")), "--poses-only"));
	assert_non_null(strstr(r->err, "--poses-only"));
	json_object_foreach(json_object_get(refined, "residual"), name, term)
	{
		assert_true(fabs(number_of(term, "value")) < 1e-3);
		assert_true(number_of(term, "sigma") < 1e-3);
	}
	json_decref(report);
	r = REPLAY(path("scan"), "--out", path("b.ply"), "--poses-only");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "--poses-only: wanted only with --refine"));
	r = REPLAY(path("scan"), "--out", path("b.ply"), "--refine", "low", "--poses-only", "--keep-calibration", path("c.json"));
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "--keep-calibration"));
	assert_true(access(scratch_path("b.ply"), F_OK) != 0);
}

static void refining_wants_what_it_needs(void **state)
{
	(void)state;
	make_scan();
	scratch_write("taken", "mine", 4);
	const process_result *r = REPLAY(path("scan"), "--out", path("a.ply"), "--refine", "more");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "standard"));
	r = REPLAY(path("scan"), "--out", path("a.ply"), "--close-loops", "sometimes");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "scanning"));
	r = REPLAY(path("scan"), "--out", path("a.ply"), "--refine", "low", "--spill", path("taken"));
	assert_code(r, 4);
	assert_non_null(strstr(r->err, "taken"));
	/* a single frame has nothing to be compared with, and is no failure of the refinement's */
	r = REPLAY(path("scan"), "--out", path("a.ply"), "--report", path("one.json"), "--refine", "low", "--frames", "0:1");
	json_t *report = read_report("one.json");
	assert_string_equal(json_string_value(json_object_get(json_object_get(report, "refine"), "outcome")), "nothing to compare");
	json_decref(report);
}

static void row_times_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *row_time_s, *reason;
	} cases[] = {{"-1e-6", "camera.json: row_time_s: -1e-06 is not within 0 to 1"},
		{"1.5", "camera.json: row_time_s: 1.5 is not within 0 to 1"}, {"\"0.001\"", "camera.json: row_time_s: expected a number"},
		{"null", "camera.json: row_time_s: expected a number"}, {"NaN", "camera.json: line 1: "},
		{"1e-3", "row_time_s: 0.001 is not in 0 to 0.000833333"}}; /* 120 rows in 0.1 s at most */
	make_scan();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[300];
		snprintf(text, sizeof text,
			"{\"width\":160,\"height\":120,\"intrinsic_matrix\":[120,0,0,0,120,0,79.5,59.5,1],\"depth_scale\":1000,"
			"\"depth_unit\":\"mm\",\"fps\":30,\"row_time_s\":%s}", cases[i].row_time_s);
		scratch_text("scan/camera.json", text);
		const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"));
		assert_code(r, 2);
		if (strstr(r->err, cases[i].reason) == NULL)
			fail_msg("row_time_s %s: %s", cases[i].row_time_s, r->err);
		assert_int_equal(scratch_count("."), 1);
	}
}

static void devices_are_chosen(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--device", "99");
	assert_code(r, 3);
	r = REPLAY(path("scan"), "--out", path("m.ply"), "--device", "no such thing");
	assert_code(r, 3);
	r = REPLAY(path("scan"), "--out", path("m.ply"), "--device", "99999999999");
	assert_code(r, 3);
	assert_int_equal(scratch_count("."), 1);
	assert_code(REPLAY(path("scan"), "--out", path("m.ply"), "--device", "0"), 0);
}

static void a_bad_band_is_refused(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"), "--truncation-mm", "50");
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "truncation_mm"));
}

/* A cache that cannot be written costs time, not the scan. */
static void a_useless_cache_is_survived(void **state)
{
	(void)state;
	char before[FILE_PATH_MAX];
	snprintf(before, sizeof before, "%s", getenv("ENAMEL_CACHE_DIR") ? getenv("ENAMEL_CACHE_DIR") : "");
	make_scan();
	setenv("ENAMEL_CACHE_DIR", "/proc/no-cache", 1);
	const process_result *r = REPLAY(path("scan"), "--out", path("m.ply"));
	setenv("ENAMEL_CACHE_DIR", before, 1);
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "enamel replay: warning: "));
}

static void interrupt_leaves_whole_files(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = 40000};
	scan_make(&def);
	char *const argv[] = {program, "replay", path("scan"), "--out", path("m.ply"), "--trajectory", path("t.txt"),
		"--report", path("r.json"), "--voxel-mm", VOXEL, NULL};
	const process_result *r = process_run_and_signal(argv, "enamel replay: device: ", 500, SIGINT);
	assert_code(r, 130);
	assert_non_null(strstr(r->err, "enamel replay: interrupted after "));
	json_t *report = read_report("r.json");
	assert_schema(report);
	assert_true(json_is_true(json_object_get(report, "interrupted")));
	assert_int_equal(count_of(report, "triangles"), triangles_of("m.ply", 1.0, NULL));
	trajectory t;
	read_trajectory("t.txt", 1.0, &t);
	assert_int_equal(t.count, count_of(report, "tracked"));
	assert_true(t.count > 1 && t.count < 40000);
	assert_int_equal(scratch_count("."), 4);
	trajectory_free(&t);
	json_decref(report);
}

static void a_full_disk_leaves_nothing_half(void **state)
{
	(void)state;
	make_scan();
	scratch_make_folder("tiny");
	const char *tiny = scratch_path("tiny");
	if (mount("tmpfs", tiny, "tmpfs", 0, "size=64k,mode=0777")) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	const process_result *r = REPLAY(path("scan"), "--out", path("tiny/m.ply"), "--trajectory", path("tiny/t.txt"));
	int code = r->code;
	bool mesh_left = !access(scratch_path("tiny/m.ply"), F_OK);
	size_t left = scratch_count("tiny");
	umount(scratch_path("tiny"));
	assert_int_equal(code, 4);
	assert_false(mesh_left);
	assert_int_equal(left, 1); /* the trajectory found room */
	assert_non_null(strstr(r->err, "m.ply"));
}

/* Room scale and the 7-Scenes layout, where this machine has the recorded frames. */
static void a_room_is_a_room(void **state)
{
	(void)state;
	char room[] = SHARED_DATA "/real/room-50";
	if (access(room, R_OK)) {
		print_message("skipped: no shared data at %s\n", room);
		skip();
	}
	const process_result *r = process_run((char *[]){program, "replay", room, "--out", path("m.ply"),
		"--trajectory", path("t.txt"), "--frames", "0:6", NULL});
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "scale: room"));
	trajectory t;
	read_trajectory("t.txt", 1.0, &t);
	assert_int_equal(t.count, 6);
	assert_true(t.poses[0].time_s == 150.0);
	trajectory_free(&t);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(tells_the_whole_story),
		SCRATCH_TEST(two_runs_give_the_same_bytes),
		SCRATCH_TEST(formats_hold_the_same_surface),
		SCRATCH_TEST(metres_stay_metres),
		SCRATCH_TEST(damaged_frames_are_named),
		SCRATCH_TEST(strict_stops),
		SCRATCH_TEST(truth_is_checked_when_asked_for),
		SCRATCH_TEST(frames_can_be_chosen),
		SCRATCH_TEST(a_lost_scan_is_not_good_enough),
		SCRATCH_TEST(events_are_told_in_order),
		SCRATCH_TEST(a_scan_is_refined),
		SCRATCH_TEST(poses_alone_leave_the_residual),
		SCRATCH_TEST(refining_wants_what_it_needs),
		SCRATCH_TEST(row_times_are_checked),
		SCRATCH_TEST(devices_are_chosen),
		SCRATCH_TEST(a_bad_band_is_refused),
		SCRATCH_TEST(a_useless_cache_is_survived),
		SCRATCH_TEST(interrupt_leaves_whole_files),
		SCRATCH_TEST(a_full_disk_leaves_nothing_half),
		SCRATCH_TEST(a_room_is_a_room),
	};
	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
