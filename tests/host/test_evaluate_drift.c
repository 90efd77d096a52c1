/* SPDX-License-Identifier: Apache-2.0
 * The evaluator's trajectory figures on paths whose errors are known. */
#include "drift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 200 };

static void near(double is, double should, double tolerance)
{
	if (!(fabs(is - should) <= tolerance))
		fail_msg("%.9g is not within %.3g of %.9g", is, tolerance, should);
}

/* A path along x that never comes back, turning a little, 30 frames a second. */
static rigid true_pose(int frame)
{
	const double w[3] = {0.001 * frame, 0.3 * sin(0.01 * frame), 0}, zero[3] = {0, 0, 0};
	rigid pose = rigid_small(w, zero, zero);
	pose.t[0] = 0.3 * frame;
	pose.t[1] = 2 * sin(0.03 * frame);
	pose.t[2] = 15;
	return pose;
}

static void append(trajectory *t, double time_s, const rigid *pose)
{
	enm_pose p;
	memcpy(p.t_mm, pose->t, sizeof(p.t_mm));
	rigid_to_quaternion(pose, p.q_xyzw);
	assert_int_equal(trajectory_append(t, time_s, &p), HOST_OK);
}

static trajectory true_path(void)
{
	trajectory t = {0};
	for (int i = 0; i < FRAMES; i++) {
		const rigid pose = true_pose(i);
		append(&t, i / 30.0, &pose);
	}
	return t;
}

/* What frame i was measured as. */
typedef rigid (*measure)(int frame);

static drift_poses match(measure how, const double *fused_times_s, size_t fused_count)
{
	trajectory truth = true_path(), measured = {0};
	drift_poses poses;
	for (int i = 0; i < FRAMES; i++) {
		const rigid pose = how(i);
		append(&measured, i / 30.0, &pose);
	}
	if (drift_match(&measured, &truth, fused_times_s, fused_count, "test", &poses) != HOST_OK)
		fail_msg("%s", host_error_text());
	trajectory_free(&truth);
	trajectory_free(&measured);
	return poses;
}

/* ---- pinned and best-fit ---------------------------------------------------------------------------------------- */

static const double world_turn[3] = {0.4, -1.1, 0.2}, world_shift[3] = {100, -3, 7}, origin[3] = {0, 0, 0};

/* Right, but in another world. */
static rigid measure_elsewhere(int frame)
{
	const rigid pose = true_pose(frame), world = rigid_small(world_turn, world_shift, origin);
	return rigid_compose(&world, &pose);
}

/* 1 um a frame too far along x. */
static rigid measure_drifting(int frame)
{
	rigid pose = true_pose(frame);
	pose.t[0] += 0.001 * frame;
	return pose;
}

static void test_another_world_is_no_error(void **state)
{
	(void)state;
	drift_poses p = match(measure_elsewhere, NULL, 0);
	const rigid first = drift_pin_first(&p), frames = drift_pin_first_frames(&p);
	drift d;
	bool defined;
	wrong_poses wrong;
	assert_int_equal(drift_measure(&p, &first, &d), HOST_OK);
	near(d.translation_mm.max, 0, 1e-9);
	near(d.rotation_rad.max, 0, 1e-9);
	assert_int_equal(drift_measure(&p, &frames, &d), HOST_OK);
	near(d.translation_mm.max, 0, 1e-9);
	assert_int_equal(drift_measure_best_fit(&p, &d, &defined), HOST_OK);
	assert_true(defined);
	near(d.translation_mm.max, 0, 1e-9);
	assert_int_equal(drift_find_wrong(&p, VIEWPOINT_LEVER_MM, &wrong), HOST_OK);
	assert_int_equal(wrong.count, 0);
	wrong_poses_free(&wrong);
	drift_poses_free(&p);
}

static void test_drift(void **state)
{
	(void)state;
	drift_poses p = match(measure_drifting, NULL, 0);
	const rigid first = drift_pin_first(&p), frames = drift_pin_first_frames(&p);
	drift d;
	bool defined;
	wrong_poses wrong;
	assert_int_equal(drift_measure(&p, &first, &d), HOST_OK);
	near(d.end_translation_mm, 0.199, 1e-9);
	near(d.translation_mm.max, 0.199, 1e-9);
	near(d.translation_mm.median, 0.099, 1e-9);
	near(d.end_rotation_rad, 0, 1e-9);
	assert_int_equal(drift_measure(&p, &frames, &d), HOST_OK);
	near(d.end_translation_mm, 0.199 - 0.0145, 1e-9); /* the mean of the first 30 */
	assert_int_equal(drift_measure_best_fit(&p, &d, &defined), HOST_OK);
	assert_true(defined);
	assert_true(d.translation_mm.rms < 0.06);
	/* 0.06 mm in 2 s is slow drift, not a wrong pose. */
	assert_int_equal(drift_find_wrong(&p, VIEWPOINT_LEVER_MM, &wrong), HOST_OK);
	assert_int_equal(wrong.count, 0);
	assert_int_equal(wrong.judged_by_viewpoint, FRAMES - 60);
	wrong_poses_free(&wrong);
	drift_poses_free(&p);
}

/* ---- wrong poses ------------------------------------------------------------------------------------------------ */

/* Frame 50 is 0.2 mm off, frame 120 turned by 0.6 degrees; 80 (0.14 mm) and 90 (0.4 degrees) are within the limits. */
static rigid measure_with_slips(int frame)
{
	rigid pose = true_pose(frame);
	const double turn[3] = {0, 0, frame == 120 ? 0.6 * 3.14159265 / 180 : frame == 90 ? 0.4 * 3.14159265 / 180 : 0};
	const double none[3] = {0, 0, 0};
	const rigid slip = rigid_small(turn, none, none);
	const rigid turned = rigid_compose(&pose, &slip);
	pose = turned;
	pose.t[1] += frame == 50 ? 0.2 : frame == 80 ? 0.14 : 0;
	return pose;
}

static void expect_wrong(const wrong_poses *wrong, const int *frames, size_t count)
{
	assert_int_equal(wrong->count, count);
	for (size_t i = 0; i < count; i++)
		near(wrong->poses[i].time_s, frames[i] / 30.0, 1e-9);
}

static void test_slips_are_counted(void **state)
{
	(void)state;
	wrong_poses wrong;
	/* Fused with the rest, a slip makes its follower look wrong, and who sees the place 2 s later. */
	drift_poses p = match(measure_with_slips, NULL, 0);
	assert_int_equal(drift_find_wrong(&p, VIEWPOINT_LEVER_MM, &wrong), HOST_OK);
	expect_wrong(&wrong, (const int[]){50, 51, 110, 120, 121, 180}, 6);
	assert_true(wrong.poses[0].by_previous && wrong.poses[2].by_viewpoint && !wrong.poses[2].by_previous);
	near(wrong.poses[0].translation_mm, 0.2, 1e-9);
	near(wrong.poses[3].rotation_rad, 0.6 * 3.14159265 / 180, 1e-9);
	wrong_poses_free(&wrong);
	drift_poses_free(&p);

	/* Not fused, it is wrong alone. */
	double fused_times_s[FRAMES];
	size_t fused_count = 0;
	for (int i = 0; i < FRAMES; i++)
		if (i != 50 && i != 120)
			fused_times_s[fused_count++] = i / 30.0;
	p = match(measure_with_slips, fused_times_s, fused_count);
	assert_false(p.poses[50].fused);
	assert_true(p.poses[51].fused);
	assert_int_equal(drift_find_wrong(&p, VIEWPOINT_LEVER_MM, &wrong), HOST_OK);
	expect_wrong(&wrong, (const int[]){50, 120}, 2);
	wrong_poses_free(&wrong);
	drift_poses_free(&p);
}

/* From frame 100 on everything is 0.3 mm off, as after a false relocalisation. */
static rigid measure_with_jump(int frame)
{
	rigid pose = true_pose(frame);
	pose.t[2] += frame >= 100 ? 0.3 : 0;
	return pose;
}

static void test_jump_is_wrong_until_it_has_aged(void **state)
{
	(void)state;
	wrong_poses wrong;
	drift_poses p = match(measure_with_jump, NULL, 0);
	assert_int_equal(drift_find_wrong(&p, VIEWPOINT_LEVER_MM, &wrong), HOST_OK);
	assert_int_equal(wrong.count, 60); /* 100 to 159: the frames 2 s older lie before the jump */
	assert_true(wrong.poses[0].by_previous && wrong.poses[0].by_viewpoint);
	assert_true(!wrong.poses[1].by_previous && wrong.poses[1].by_viewpoint);
	near(wrong.poses[59].time_s, 159 / 30.0, 1e-9);
	wrong_poses_free(&wrong);
	drift_poses_free(&p);
}

/* ---- matching --------------------------------------------------------------------------------------------------- */

static void test_times(void **state)
{
	(void)state;
	trajectory truth = true_path(), measured = {0};
	drift_poses p;
	const rigid at_10 = true_pose(10), at_11 = true_pose(11), between = rigid_between(&at_10, &at_11, 0.5);
	append(&measured, 10 / 30.0 + 0.0005, &at_10);          /* the same */
	append(&measured, 10.5 / 30.0, &between);               /* interpolated */
	append(&measured, (FRAMES - 1) / 30.0 + 0.015, &at_10); /* near the end: taken */
	append(&measured, FRAMES / 30.0 + 1, &at_10);           /* nothing there */
	assert_int_equal(drift_match(&measured, &truth, NULL, 0, "test", &p), HOST_OK);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.unmatched, 1);
	assert_int_equal(p.interpolated, 1);
	near(vec_distance(p.poses[1].truth.t, p.poses[1].measured.t), 0, 1e-12);
	drift d;
	bool defined = true;
	p.count = 2;
	assert_int_equal(drift_measure_best_fit(&p, &d, &defined), HOST_OK);
	assert_false(defined);
	drift_poses_free(&p);

	trajectory_free(&measured);
	append(&measured, 1000, &at_10);
	assert_int_equal(drift_match(&measured, &truth, NULL, 0, "late.txt", &p), HOST_DATA);
	assert_non_null(strstr(host_error_text(), "late.txt"));
	trajectory_free(&measured);
	trajectory_free(&truth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_world_is_no_error),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_slips_are_counted),
		cmocka_unit_test(test_jump_is_wrong_until_it_has_aged),
		cmocka_unit_test(test_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
