/* SPDX-License-Identifier: Apache-2.0
 * What the evaluator makes of a scan whose views and re-entries are known: a made-up scan of ten frames a second,
 * lifted off at 2 s and 6 s, with a gap at 9 s; and the parts of a surface that are told apart. */
#include "regions.h"
#include "scratch.h"
#include "shapes.h"
#include "tracking.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 110 };

/* Frame i is at i / 10 s; those from 80 on at half a second later. */
static double time_of(int i)
{
	return 0.1 * i + (i >= 80 ? 0.5 : 0);
}

static bool is_away(int i)
{
	return (i >= 20 && i < 30) || (i >= 60 && i < 65);
}

static void write_views(const char *damage)
{
	FILE *file = fopen(scratch_path("views.txt"), "w");
	assert_non_null(file);
	fprintf(file, "# a comment\n");
	for (int i = 0; i < FRAMES; i++)
		fprintf(file, "%.6f %d %d 50 %g 0 0 1 0 0 0\n", time_of(i),
			is_away(i) ? 0
			: i == 29  ? 10
				   : 80,
			i >= 40 && i < 45 ? 30 : 0, i < 10 ? 0.0005 : 0.02);
	fputs(damage, file);
	fclose(file);
}

static json_t *truth(const char *places)
{
	json_error_t error;
	char text[512];
	snprintf(text, sizeof text,
		"{\"reentries\": [{\"lifted_s\": 2, \"back_s\": 3, \"place\": \"%s\"}, {\"lifted_s\": 6, \"back_s\": "
		"6.5, "
		"\"place\": \"scanned\"}]}",
		places);
	json_t *root = json_loads(text, 0, &error);
	assert_non_null(root);
	return root;
}

/* The frames of [from, to) as tracked. */
static void add_tracked(trajectory *t, int from, int to)
{
	const enm_pose pose = {{0, 0, 0}, {0, 0, 0, 1}};
	for (int i = from; i < to; i++)
		assert_int_equal(trajectory_append(t, time_of(i), &pose), HOST_OK);
}

static void read_all(tracking_input *in, const json_t *root)
{
	if (tracking_read(scratch_path(""), root, in) != HOST_OK)
		fail_msg("%s", host_error_text());
}

/* The frame before the first one after a re-entry lies elsewhere: against that one it is no false accept, the next ones
 * are. */
static void test_drift_to_another_place_is_no_false_accept(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		tracking_input in;
		trajectory t = {0};
		tracking is;
		wrong_pose wrong_at = {.time_s = later ? 3.4 : 3.3, .by_previous = true};
		const wrong_poses wrong = {&wrong_at, 1, 0};
		json_t *root = truth("scanned");
		write_views("");
		read_all(&in, root);
		add_tracked(&t, 10, 20);
		add_tracked(&t, 33, 42);
		assert_int_equal(tracking_judge(&in, &t, &wrong, &is), HOST_OK);
		assert_int_equal(is.false_accepts, later);
		assert_int_equal(in.reentries[0].after_frames, 3);
		trajectory_free(&t);
		tracking_free(&in);
		json_decref(root);
	}
}

static void test_what_tracking_came_to(void **state)
{
	(void)state;
	tracking_input in;
	trajectory t = {0};
	tracking is;
	json_error_t error;
	wrong_pose wrong_at[2] = {{.time_s = 3.3, .by_viewpoint = true}, {.time_s = 3.4, .by_previous = true}};
	const wrong_poses wrong = {wrong_at, 2, 0};
	json_t *root = truth("scanned");
	json_t *report =
		json_loads("{\"frames_not_tracked\": [{\"time_s\": 0.7, \"held\": 1}, {\"time_s\": 0.8, \"held\": 0, "
			   "\"reason\": \"the geometry does not fix the pose\"}, {\"held\": 0}], \"frames_held\": "
			   "[{\"time_s\": 0.3, \"held\": 2}]}",
			0, &error);
	assert_non_null(report);
	json_object_set_new(json_array_get(json_object_get(report, "frames_not_tracked"), 1), "reason",
		json_string(enm_reason_text(ENM_REASON_DEGENERATE)));
	write_views("");
	read_all(&in, root);
	assert_int_equal(tracking_read_held("report", report, &in), HOST_OK);
	add_tracked(&t, 0, 7);
	add_tracked(&t, 10, 20);
	add_tracked(&t, 33, 42); /* the first two are wrong */
	add_tracked(&t, 83, FRAMES);
	assert_int_equal(tracking_judge(&in, &t, &wrong, &is), HOST_OK);
	assert_int_equal(is.views, FRAMES);
	assert_int_equal(is.in_view, FRAMES - 15);
	assert_int_equal(is.tracked, 7 + 10 + 9 + FRAMES - 83);
	assert_int_equal(is.foreign, 5);
	assert_int_equal(is.foreign_tracked, 2);
	assert_int_equal(is.degenerate, 10);
	assert_int_equal(is.degenerate_told, 3);
	assert_int_equal(is.gaps, 1);
	assert_int_equal(is.gaps_resumed, 1);
	assert_true(fabs(is.resumed_after_s - 0.3) < 1e-9);
	assert_int_equal(is.reentries, 2);
	assert_int_equal(is.recovered, 2);
	assert_int_equal(is.false_accepts, 2);
	assert_int_equal(is.wrong_places, 0);
	assert_true(in.reentries[0].recovered && in.reentries[0].after_frames == 5);
	assert_true(fabs(in.reentries[0].after_s - 0.5) < 1e-9);
	assert_true(fabs(in.reentries[1].after_s - (8.8 - 6.5)) < 1e-9);
	assert_true(fabs(is.after_max_s - 2.3) < 1e-9);
	assert_true(fabs(in.reentries[0].after_shown_s - (3.5 - 3.0)) < 1e-9); /* frame 29 was shown nothing */
	assert_true(fabs(in.reentries[1].after_shown_s - 2.3) < 1e-9);
	bool ok = true;
	json_t *told = tracking_json(&in, &is, &ok);
	const json_t *visit = json_array_get(json_object_get(told, "visits"), 1);
	static const char *const KEYS[] = {"back_s", "tracked", "wrong", "after_s", "after_frames", "after_shown_s"};
	assert_true(ok);
	for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++)
		assert_true(json_is_number(json_object_get(visit, KEYS[i])));
	json_decref(told);
	json_decref(report);
	json_decref(root);
	trajectory_free(&t);
	tracking_free(&in);
}

/* At a wrong place every tracked frame is one too many, even the first one that saw a little of it. */
static void test_wrong_places(void **state)
{
	(void)state;
	tracking_input in;
	trajectory t = {0};
	tracking is;
	const wrong_poses none = {0};
	json_t *root = truth("other-jaw");
	write_views("");
	read_all(&in, root);
	add_tracked(&t, 0, 20);
	assert_int_equal(tracking_judge(&in, &t, &none, &is), HOST_OK);
	assert_int_equal(is.reentries, 1);
	assert_int_equal(is.recovered, 0);
	assert_true(isnan(is.after_median_s));
	assert_int_equal(is.wrong_places, 1);
	assert_int_equal(is.wrong_accepted, 0);
	assert_int_equal(is.false_accepts, 0);
	assert_int_equal(is.gaps, 1);
	assert_int_equal(is.gaps_resumed, 0);
	tracking_free(&in);
	read_all(&in, root);
	add_tracked(&t, 30, 32);
	assert_int_equal(tracking_judge(&in, &t, &none, &is), HOST_OK);
	assert_int_equal(is.wrong_accepted, 1);
	assert_int_equal(is.false_accepts, 2);
	json_decref(root);
	trajectory_free(&t);
	tracking_free(&in);
}

static void test_a_gap_at_the_end_tells_nothing(void **state)
{
	(void)state;
	static const char *const ENDS[] = {"12.0 80 0 50 0.02 0 0 1 0 0 0\n12.1 80 0 50 0.02 0 0 1 0 0 0\n",
		"12.0 80 0 50 0.02 0 0 1 0 0 0\n12.1 80 0 50 0.02 0 0 1 0 0 0\n12.2 80 0 50 0.02 0 0 1 0 0 0\n12.3 80 0 50 0.02 0 0 1 0 0 0\n12.4 80 0 50 0.02 0 0 1 0 0 0\n"};
	json_t *root = truth("scanned");
	for (size_t late = 0; late < 2; late++) {
		tracking_input in;
		trajectory t = {0};
		tracking is;
		const wrong_poses none = {0};
		write_views(ENDS[late]);
		read_all(&in, root);
		add_tracked(&t, 0, FRAMES);
		assert_int_equal(tracking_judge(&in, &t, &none, &is), HOST_OK);
		assert_int_equal(is.gaps, 1 + late);
		assert_int_equal(is.gaps_resumed, 1);
		trajectory_free(&t);
		tracking_free(&in);
	}
	json_decref(root);
}

static void refuse(const json_t *root, const char *reason)
{
	tracking_input in;
	assert_int_equal(tracking_read(scratch_path(""), root, &in), HOST_USAGE);
	if (strstr(host_error_text(), reason) == NULL)
		fail_msg("'%s' lacks '%s'", host_error_text(), reason);
	tracking_free(&in);
}

static void test_bad_views_are_refused(void **state)
{
	(void)state;
	static const char *const BAD[] = {"99 80 0 50 0.1 0 0 1 0 0\n", "99 80 0 50 0.1 0 0 1 0 0 0 7\n",
		"1 80 0 50 0.1 0 0 1 0 0 0\n", "99 180 0 50 0.1 0 0 1 0 0 0\n", "99 80 -1 50 0.1 0 0 1 0 0 0\n",
		"99 nan 0 50 0.1 0 0 1 0 0 0\n", "here 80 0 50 0.1 0 0 1 0 0 0\n"};
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		write_views(BAD[i]);
		refuse(NULL, "views.txt: line 112");
	}
	write_views("");
	static const struct {
		const char *text, *reason;
	} REENTRIES[] = {{"{\"reentries\": 3}", "expected a list"},
		{"{\"reentries\": [{\"back_s\": 3, \"place\": \"scanned\"}]}", "lifted_s"},
		{"{\"reentries\": [{\"lifted_s\": 1, \"back_s\": \"x\", \"place\": \"scanned\"}]}", "back_s"},
		{"{\"reentries\": [{\"lifted_s\": 1, \"back_s\": 2}]}", "place"},
		{"{\"reentries\": [{\"lifted_s\": 2, \"back_s\": 1, \"place\": \"scanned\"}]}", "do not grow"}};
	for (size_t i = 0; i < sizeof REENTRIES / sizeof *REENTRIES; i++) {
		json_error_t error;
		json_t *root = json_loads(REENTRIES[i].text, 0, &error);
		refuse(root, REENTRIES[i].reason);
		json_decref(root);
	}
	tracking_input in = {0};
	json_error_t error;
	json_t *report = json_loads("{\"frames_not_tracked\": [{\"held\": 1}]}", 0, &error);
	assert_int_equal(tracking_read_held("report.json", report, &in), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), "report.json: frames_not_tracked: entry 0"));
	json_decref(report);
	tracking_free(&in);
	remove(scratch_path("views.txt"));
	assert_int_equal(tracking_read(scratch_path(""), NULL, &in), HOST_OK); /* not of this simulator */
	assert_int_equal(in.view_count, 0);
	tracking_free(&in);
}

/* ---- regions ---------------------------------------------------------------------------------------------------- */

/* A plate with a groove along v: `half` wide to each side, 2 mm deep. */
static void place_groove(void *user, double u, double v, double out[3])
{
	const double half = *(const double *)user, x = 20 * (u - 0.5);
	out[0] = x, out[1] = 20 * (v - 0.5);
	out[2] = -2 * fmax(0, 1 - fmax(fabs(x) - half, 0) / 0.05);
}

static void change_rise(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	p[2] += 0.03;
}

static void test_openness(void **state)
{
	(void)state;
	double half = 0.2;
	surface plate = shape_open(shape_grid(401, 41, place_groove, NULL, &half));
	const double up[3] = {0, 0, 1}, bottom[3] = {0, 0, -2}, top[3] = {5, 0, 0};
	assert_true(region_openness(&plate, top, up) == 1);
	/* 0.2 mm to each side of a bottom 2 mm down: by Malley's disc the share is close to 0.1 */
	assert_true(fabs(region_openness(&plate, bottom, up) - 0.1) < 0.07);
	surface_close(&plate);
}

static void test_regions_are_told_apart(void **state)
{
	(void)state;
	double half = 0.3;
	const double margin[4][3] = {{4, 4, 0}, {8, 4, 0}, {8, 8, 0}, {4, 8, 0}};
	surface plate = shape_open(shape_grid(401, 41, place_groove, NULL, &half));
	surface risen = shape_open(shape_changed(&plate, change_rise, NULL));
	rigid here = rigid_identity();
	region is[REGION_KINDS];
	samples s;
	static uint8_t kinds[40000];
	static float signed_mm[40000];
	assert_int_equal(samples_create(&plate, 40000, &s), HOST_OK);
	regions_sort(&s, &plate, margin, 4, kinds);
	samples_measure(&s, &risen, &here, signed_mm);
	assert_int_equal(regions_measure(&s, kinds, signed_mm, is), HOST_OK);
	double per_mm2 = (double)is[REGION_REST].seen / (400 - 20 * 0.7 - 16); /* of the flat, less groove and band */
	assert_int_equal(is[REGION_MARGIN].seen + is[REGION_GAPS].seen + is[REGION_REST].seen, s.count);
	assert_true(fabs((double)is[REGION_MARGIN].seen / per_mm2 - 16) < 1.5); /* 16 mm of line, 1 mm wide */
	assert_true(is[REGION_GAPS].seen > 0 && (double)is[REGION_GAPS].seen / per_mm2 > 20 * 0.6);
	assert_true(fabs(is[REGION_MARGIN].distance_mm.mean - 0.03) < 1e-4);
	assert_true(fabs(is[REGION_MARGIN].bias_mm - 0.03) < 1e-4);
	assert_true(is[REGION_MARGIN].covered.share_50um == 1 && is[REGION_REST].covered.share_100um > 0.99);
	/* Placed 0.04 mm higher, the band is off by as much more. */
	here.t[2] = 0.04;
	samples_measure(&s, &risen, &here, signed_mm);
	assert_int_equal(regions_measure(&s, kinds, signed_mm, is), HOST_OK);
	assert_true(fabs(is[REGION_MARGIN].bias_mm - 0.07) < 1e-4 && is[REGION_MARGIN].covered.share_50um == 0);
	regions_sort(&s, &plate, NULL, 0, kinds);
	assert_int_equal(regions_measure(&s, kinds, signed_mm, is), HOST_OK);
	assert_int_equal(is[REGION_MARGIN].seen, 0);
	samples_destroy(&s);
	surface_close(&plate);
	surface_close(&risen);
}

/* A quarter of the plate raised by half a millimetre is false, the rest is not. */
static void change_quarter(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	p[2] += p[0] < -5.001 ? 0.5 : 0.1;
}

static void test_false_area(void **state)
{
	(void)state;
	surface plate = shape_open(shape_grid(201, 201, shape_plate, NULL, NULL));
	surface raised = shape_open(shape_changed(&plate, change_quarter, NULL));
	const rigid here = rigid_identity();
	trueness t;
	assert_int_equal(score_trueness(&raised, &plate, &here, NULL, &t), HOST_OK);
	if (!(fabs(t.false_share - 0.25) < 0.01))
		fail_msg("%g", t.false_share);
	surface_close(&plate);
	surface_close(&raised);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_tracking_came_to, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_places, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_a_gap_at_the_end_tells_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_bad_views_are_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(
			test_drift_to_another_place_is_no_false_accept, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_openness),
		cmocka_unit_test(test_regions_are_told_apart),
		cmocka_unit_test(test_false_area),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
