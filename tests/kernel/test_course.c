/* SPDX-License-Identifier: Apache-2.0
 * The course of the hand: what is predicted of the next frame against a Kalman filter of twelve states in double
 * precision, when it has no say, and what it does to an alignment. */
#include <math.h>
#include <string.h>

#include "core/pose.h"
#include "reference/linear.h"
#include "track_rig.h"

#define STATES 12

/* ---- the reference ---- */

typedef struct filter {
	double p[STATES][STATES]; /* covariance of pose and velocity */
	double rough[6];          /* squared acceleration */
} filter;

static void invert(int n, const double *m, double *out)
{
	for (int column = 0; column < n; column++) {
		double a[36], b[6] = {0};
		memcpy(a, m, sizeof(double) * (size_t)(n * n));
		b[column] = 1.0;
		assert_true(ref_solve(n, a, b));
		for (int i = 0; i < n; i++)
			out[i * n + column] = b[i];
	}
}

static void filter_predict(filter *f, double dt_s)
{
	filter to = *f;
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			const double pp = f->p[i][j], pv = f->p[i][6 + j], vp = f->p[6 + i][j], vv = f->p[6 + i][6 + j],
				     r = i == j ? f->rough[i] : 0.0;
			to.p[i][j] = pp + dt_s * (pv + vp) + dt_s * dt_s * vv + r * pow(dt_s, 4) / 4;
			to.p[i][6 + j] = pv + dt_s * vv + r * pow(dt_s, 3) / 2;
			to.p[6 + j][i] = to.p[i][6 + j];
			to.p[6 + i][6 + j] = vv + r * dt_s * dt_s;
		}
	*f = to;
}

/* A pose measured with `information`. */
static void filter_update(filter *f, const double information[36])
{
	double noise[36], s[36], s_inverse[36];
	invert(6, information, noise);
	for (int i = 0; i < 36; i++)
		s[i] = f->p[i / 6][i % 6] + noise[i];
	invert(6, s, s_inverse);
	filter to = *f;
	for (int i = 0; i < STATES; i++)
		for (int j = 0; j < STATES; j++)
			for (int k = 0; k < 36; k++)
				to.p[i][j] -= f->p[i][k / 6] * s_inverse[k] * f->p[k % 6][j];
	*f = to;
}

static void random_information(support_random *random, double out[36])
{
	/* some directions open by ten times what others are: 3 to 30 um */
	double rows[6][6];
	memset(out, 0, 36 * sizeof(*out));
	for (int n = 0; n < 6; n++) {
		const double sigma_mm = 0.003 * pow(10.0, n / 5.0);
		for (int i = 0; i < 6; i++)
			rows[n][i] = random_normal(random) / sigma_mm;
		for (int i = 0; i < 36; i++)
			out[i] += rows[n][i / 6] * rows[n][i % 6];
	}
	for (int i = 0; i < 6; i++)
		out[i * 7] += 1.0 / (0.03 * 0.03);
}

/* ---- the kernel ---- */

/* A frame that was tracked. */
static enm_k_track tracked_state(void)
{
	enm_k_track s = support_state(&(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_K_VERDICT_TRACKED);
	s.pivot_mm = 13.0f;
	s.tracked = 9;
	return s;
}

static void set_information(enm_k_track *s, const double information[36])
{
	for (int i = 0; i < 36; i++)
		s->information[i] = (float)information[i];
}

/* Updates the filter by the frame, and by where its pose is said to lie off the prediction; `weight`: of a jerk, as if
 * the prediction had been so much less sure, which is no excuse for the hand. `learns`: not from where the filter had
 * just begun. */
static void see_frame(
	filter *f, support_random *random, double weight, bool learns, const double information[36], enm_k_track *s)
{
	filter usual = *f;
	filter_update(&usual, information);
	s->course.weight = (float)weight;
	for (int i = 0; i < 6; i++) {
		const double off_mm = random_in(random, -3.0, 3.0) * sqrt(f->p[i][i]),
			     expected = f->p[i][i] - usual.p[i][i];
		s->course.off_mm[i] = (float)off_mm;
		if (learns)
			f->rough[i] *= exp(0.1 * (fmin(off_mm * off_mm / expected, 9.0) - 1.0));
		f->rough[i] = fmin(fmax(f->rough[i], 25.0), 1e10);
	}
	for (int i = 0; i < STATES * STATES; i++)
		f->p[i / STATES][i % STATES] /= weight;
	filter_update(f, information);
}

static void assert_course(const enm_k_course *got, filter *f, bool begun, double dt_s)
{
	double pose[36], wanted[36];
	for (int i = 0; i < 36; i++)
		pose[i] = f->p[i / 6][i % 6];
	invert(6, pose, wanted);
	assert_true(got->weight == 1.0f);
	for (int i = 0; i < 6; i++) {
		assert_near((double)got->variance_mm2[i] / pose[i * 7], begun ? 0.0 : 1.0, 1e-2);
		assert_near((double)got->roughness[i] / f->rough[i], 1.0, 2e-2);
		f->rough[i] = (double)got->roughness[i];
	}
	for (int at = 0; at < 36; at++) {
		const int i = at / 6, j = at % 6;
		double gain = 0.0, left = f->p[6 + i][6 + j];
		for (int k = 0; k < 6; k++)
			gain += wanted[i * 6 + k] * f->p[k][6 + j];
		for (int k = 0; k < 36; k++)
			left -= f->p[k / 6][6 + i] * wanted[k] * f->p[k % 6][6 + j];
		const double scale = sqrt(wanted[i * 7] * wanted[j * 7]),
			     speeds = sqrt(f->p[6 + i][6 + i] * f->p[6 + j][6 + j]);
		assert_near((double)got->information[at] / scale, wanted[at] / scale, 1e-2);
		assert_near((double)got->gain[at], gain, 2e-2 / dt_s);
		assert_near((double)got->left[at] / speeds, left / speeds, 1e-2);
	}
}

static void prediction_is_that_of_a_kalman_filter(void **state)
{
	(void)state;
	support_random random = {5};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	enm_k_track s = tracked_state();
	filter f = {.rough = {900, 900, 900, 900, 900, 900}};
	for (int frame = 0; frame < 12; frame++) {
		double information[36], known[36];
		random_information(&random, information);
		set_information(&s, information);
		invert(6, information, known);
		for (int i = 0; i < 36 && frame == 0; i++)
			f.p[i / 6][i % 6] = known[i];
		for (int i = 6; i < STATES && frame == 0; i++)
			f.p[i][i] = 1e4; /* 100 mm/s */
		if (frame > 0)
			see_frame(&f, &random, frame == 7 ? 0.25 : 1.0, frame > 1, information, &s);
		const double dt_s = random_in(&random, 0.014, 0.06);
		filter_predict(&f, dt_s);
		s = track_rig_predict(&r, &s, &(enm_k_input){.dt_s = (float)dt_s}, 0.0f);
		assert_course(&s.course, &f, frame == 0, dt_s);
		s.verdict = ENM_K_VERDICT_TRACKED; /* as the gate would say */
		s.since_last_s = 0.0f;
	}
	track_rig_drop(&r);
}

static void assert_no_say(track_rig *r, const enm_k_track *s, const enm_k_input *input, float half_exposure_s)
{
	const enm_k_track got = track_rig_predict(r, s, input, half_exposure_s);
	assert_true(got.course.weight == 0.0f);
	for (int i = 0; i < 36; i++)
		assert_true(
			got.course.information[i] == 0.0f && got.course.gain[i] == 0.0f && got.course.left[i] == 0.0f);
	/* what was learned of the hand stays */
	assert_memory_equal(got.course.roughness, s->course.roughness, sizeof(s->course.roughness));
}

/* Only from a pose that was the hand's and whose covariance is known, to a frame at a usual distance in time. */
static void it_has_no_say_where_nothing_is_known(void **state)
{
	(void)state;
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	support_random random = {6};
	double information[36];
	random_information(&random, information);
	enm_k_track good = tracked_state();
	set_information(&good, information);
	const enm_k_input input = {.dt_s = 0.03f};
	good = track_rig_predict(&r, &good, &input, 0.0f);
	assert_true(good.course.weight == 1.0f && good.course.information[0] > 0.0f);
	good.verdict = ENM_K_VERDICT_TRACKED;
	good.since_last_s = 0.0f;
	set_information(&good, information);
	assert_true(track_rig_predict(&r, &good, &input, 0.0f).course.weight == 1.0f);
	enm_k_track s = good;
	s.verdict = ENM_K_VERDICT_WEAK; /* unsure, or on trial: it is where the hand was */
	s.reason = ENM_K_REASON_FEW_READINGS;
	assert_true(track_rig_predict(&r, &s, &input, 0.0f).course.weight == 1.0f);
	s.reason = ENM_K_REASON_RECOVERING;
	assert_true(track_rig_predict(&r, &s, &input, 0.0f).course.weight == 1.0f);
	s.reason = ENM_K_REASON_FEW_INLIERS; /* a body may have led it */
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	s.verdict = ENM_K_VERDICT_LOST;
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	s.since_last_s = 0.03f; /* the frame before was lost */
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	s.held = 1;
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	s.tracked = 0;
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	memset(s.information, 0, sizeof(s.information)); /* as when a place was found */
	assert_no_say(&r, &s, &input, 0.0f);
	s = good;
	s.information[7] = NAN;
	assert_no_say(&r, &s, &input, 0.0f);
	assert_no_say(&r, &good, &(enm_k_input){.dt_s = 0.13f}, 0.0f);
	assert_no_say(&r, &good, &(enm_k_input){.dt_s = 0.004f}, 0.0f);
	assert_no_say(&r, &good, &(enm_k_input){.dt_s = 0.03f, .has_motion = 1.0f, .information = {100.0f}}, 0.0f);
	assert_no_say(&r, &good, &input, 0.01f);
	/* a motion of no information says nothing */
	assert_true(
		track_rig_predict(&r, &good, &(enm_k_input){.dt_s = 0.03f, .has_motion = 1.0f}, 0.0f).course.weight ==
		1.0f);
	track_rig_drop(&r);
}

/* Aligns a frame whose prediction, as sure as `sigma_mm`, is off by `off_mm` along x. */
static enm_k_track align_with_course(track_rig *r, double sigma_mm, double off_mm)
{
	const int sure = sigma_mm > 0.0;
	track_rig_set(r, &(enm_pose){.t_mm = {(double)off_mm, 0, 0}, .q_xyzw = {0, 0, 0, 1}}, 0.0);
	enm_k_track s = track_rig_get(r);
	s.course.weight = sure ? 1.0f : 0.0f;
	for (int i = 0; i < 6 && sure; i++)
		s.course.information[i * 7] = (float)(1.0 / (sigma_mm * sigma_mm));
	support_write(&r->track.state, &s, sizeof(s));
	CHECK(track_align(&r->track, test.queue, &r->depth, &r->model, &r->view, 0, 0));
	return track_rig_get(r);
}

/* A frame is put between where it lies by itself and where the course says, each weighing as much as it is known; and a
 * jerk is followed. */
static void frame_and_course_count_as_they_are_known(void **state)
{
	(void)state;
	track_rig r = track_rig_make(&track_scenes[0], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const enm_k_track alone = align_with_course(&r, 0.0, 0.0);
	double information[36], covariance[36];
	for (int i = 0; i < 36; i++)
		information[i] = (double)alone.information[i];
	invert(6, information, covariance);
	const double sigma_mm = sqrt(covariance[3 * 7]), off_mm = 2.0 * sigma_mm;
	const enm_k_track both = align_with_course(&r, sigma_mm, off_mm);
	/* the frame alone has all axes, so that what it says of one depends on the others: solved in full */
	double joint[36], pull[6];
	for (int i = 0; i < 36; i++)
		joint[i] = information[i] + (i % 7 == 0 ? 1.0 / (sigma_mm * sigma_mm) : 0.0);
	for (int i = 0; i < 6; i++)
		pull[i] = i == 3 ? off_mm / (sigma_mm * sigma_mm) : 0.0;
	assert_true(ref_solve(6, joint, pull));
	assert_true(both.course.weight == 1.0f);
	assert_near((double)both.world_from_camera.t[0] - (double)alone.world_from_camera.t[0], pull[3] - pull[1] * 2.0,
		0.15 * off_mm);
	assert_true(both.sigma_mm < 0.9f * alone.sigma_mm);
	assert_memory_equal(&both.world_from_camera, &both.last, sizeof(both.last));
	/* many sigmas off the course gives way, also where the frame lies on nothing yet and its residuals are great */
	const enm_k_track jerked = align_with_course(&r, sigma_mm, 40.0 * sigma_mm);
	assert_true(jerked.course.weight < 0.1f && jerked.course.weight > 0.0f);
	assert_near((double)jerked.world_from_camera.t[0], (double)alone.world_from_camera.t[0], 3.0 * sigma_mm);
	track_rig_drop(&r);
}

/* Where the shape hardly fixes the pose the course is not heard, else it would go on by itself. */
static void an_open_direction_is_not_left_to_the_course(void **state)
{
	(void)state;
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const enm_k_track plane = align_with_course(&r, 0.01, 0.02);
	assert_int_equal(plane.held, 3);
	assert_true(plane.course.weight == 0.0f);
	track_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(prediction_is_that_of_a_kalman_filter), KERNEL_TEST(it_has_no_say_where_nothing_is_known),
	KERNEL_TEST(frame_and_course_count_as_they_are_known), KERNEL_TEST(an_open_direction_is_not_left_to_the_course))
