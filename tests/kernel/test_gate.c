/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <string.h>

#include "global/rigid.h"
#include "pipeline/track.h"
#include "reference/linear.h"
#include "reference/scene.h"

#define VOXEL_MM 0.1f
#define TILES 5

/* What the gate is asked: a frame that passes, to be spoiled by each test. */
typedef struct question {
	enm_k_track state;
	float sums[ENM_K_SUMS];
	float half_exposure_s, sigma_ref_mm;
	float readings; /* in all tiles together */
} question;

static question good_frame(void)
{
	const enm_pose pose = ref_pose_make(0.1, -0.2, 0.3, 4, 5, 6);
	question q = {.state = support_state(&pose, ENM_K_VERDICT_LOST), .readings = 1000, .sigma_ref_mm = 0.01f};
	q.state.last = support_state(&(enm_pose){.t_mm = {3, 5, 6}, .q_xyzw = {0, 0, 0, 1}}, 0).last;
	q.state.tracked = 7;
	q.state.frames = 9;
	q.state.since_last_s = 0.25f;
	q.state.pivot_mm = 13.0f;
	q.state.system_pivot_mm = 26.0f;
	q.state.rms_mm = 0.02f;
	q.state.step = 0.01f;
	for (int a = 0; a < 6; a++)
		for (int b = 0; b < 6; b++)
			q.sums[ENM_K_SUM_H(a, b)] = a == b ? 100.0f : 1.0f;
	for (int a = 0; a < 6; a++)
		q.state.information[a * 7] = 5e4f; /* 4.5 um */
	q.sums[ENM_K_SUM_WEIGHT] = 300;
	q.sums[ENM_K_SUM_QUALITY] = 350;
	q.sums[ENM_K_SUM_OFFERED] = 500;
	q.sums[ENM_K_SUM_MODEL] = 450;
	return q;
}

static enm_k_track ask(const question *q)
{
	const float voxel_mm = VOXEL_MM, sigma_ref_mm = q->sigma_ref_mm, sigma_per_mm2 = 1e-4f, half_exposure_s = q->half_exposure_s;
	const uint32_t readings_min = 100;
	const int tile_count = TILES;
	float tiles[4 * TILES] = {0};
	gpu_buffer state, sums, tile_buffer;
	gpu_kernel kernel;
	enm_k_track answer;
	for (int i = 0; i < TILES; i++)
		tiles[4 * i + 2] = q->readings / TILES;
	support_state_create(&state, &q->state);
	CHECK(gpu_kernel_create(
		test.device, "gate", "track_gate", "float,float,float,float,uint,int,float4*,float*,enm_k_track*", &kernel));
	CHECK(gpu_buffer_create(&test.budget, "sums", sizeof(q->sums), &sums));
	CHECK(gpu_buffer_create(&test.budget, "tiles", sizeof(tiles), &tile_buffer));
	support_write(&sums, q->sums, sizeof(q->sums));
	support_write(&tile_buffer, tiles, sizeof(tiles));
	const gpu_arg args[] = {GPU_VALUE(voxel_mm), GPU_VALUE(sigma_ref_mm), GPU_VALUE(sigma_per_mm2), GPU_VALUE(half_exposure_s), GPU_VALUE(readings_min),
		GPU_VALUE(tile_count), GPU_BUFFER(&tile_buffer), GPU_BUFFER(&sums), GPU_BUFFER(&state)};
	CHECK(gpu_launch(test.queue, &kernel, GPU_RANGE_1D(64, 64), args, 9));
	support_read(&state, &answer, sizeof(answer));
	gpu_buffer_destroy(&state);
	gpu_buffer_destroy(&sums);
	gpu_buffer_destroy(&tile_buffer);
	gpu_kernel_destroy(&kernel);
	return answer;
}

static void assert_answer(const question *q, uint32_t verdict, uint32_t reason)
{
	const enm_k_track a = ask(q);
	assert_int_equal(a.verdict, verdict);
	assert_int_equal(a.reason, reason);
}

static void good_frame_is_tracked(void **state)
{
	(void)state;
	const question q = good_frame();
	const enm_k_track a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_TRACKED);
	assert_int_equal(a.reason, ENM_K_REASON_NONE);
	assert_int_equal(a.tracked, 8);
	assert_int_equal(a.valid_readings, 1000);
	assert_int_equal(a.samples, 500);
	assert_near(a.overlap, 0.9, 1e-6);
	assert_near(a.inliers, 300.0 / 350.0, 1e-6);
	assert_memory_equal(&a.last, &q.state.world_from_camera, sizeof(a.last));
	/* moved by 1 mm along x and turned by (0.1, -0.2, 0.3) in 0.25 s */
	assert_near(a.velocity[0], 0.1 / 0.25, 1e-4);
	assert_near(a.velocity[1], -0.2 / 0.25, 1e-4);
	assert_near(a.velocity[2], 0.3 / 0.25, 1e-4);
	assert_near(a.velocity[3], 1.0 / 0.25, 1e-4);
	assert_near(a.velocity[4], 0.0, 1e-4);
	assert_true(a.since_last_s == 0.0f);
}

/* A turn about the line of sight leaves the camera where it is, and turns the view. */
static void a_turn_as_sure_as_told_is_tracked(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		const bool rows = i % 2 == 1, surer = i / 2 % 2 == 0, lost = i / 4 == 1;
		const double most_rad = rows ? 6e-3 : 3e-3, turn_rad = most_rad * (surer ? 0.99 : 1.01), others = 2.0 * pow(2.0 / 26.0, 2) / 5e4;
		question q = good_frame();
		q.half_exposure_s = rows ? 0.01f : 0.0f;
		q.state.lost = lost ? 1 : 0;
		q.state.rms_mm = 0.01f;
		q.state.world_from_camera = support_state(&(enm_pose){.t_mm = {4, 5, 6}, .q_xyzw = {0, 0, 0, 1}}, 0).last;
		q.state.information[14] = (float)(pow(2.0 / 26.0, 2) / (turn_rad * turn_rad - others));
		assert_answer(&q, surer ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_WEAK, surer ? ENM_K_REASON_NONE : ENM_K_REASON_FEW_READINGS);
		assert_near(ask(&q).sigma_mm, sqrt(11.0 / 5e4), 1e-5);
	}
}

/* The camera moves with the pivot and on the lever of its turns, which are lengths at half of it: with a sigma s of all six unknowns, by
 * s * sqrt(3 + 2 * 4). */
static void a_pose_as_sure_as_told_is_tracked(void **state)
{
	(void)state;
	/* the stand-off is 10 mm, with a noise of 10 um: 0.4 voxels there, less by as much as a frame is farther, 0.38 after a loss; with the course 0.8 and 0.88 of 0.4 */
	const struct {
		float pivot_mm;
		uint32_t lost;
		double most_mm;
	} cases[] = {{10.0f, 0, 0.040}, {7.0f, 0, 0.040}, {13.0f, 0, 0.040 / 1.3}, {20.0f, 0, 0.020}, {10.0f, 1, 0.038}, {20.0f, 1, 0.038}};
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		bool surer = i % 2 == 0;
		double sigma_mm = cases[i / 2].most_mm + (surer ? -0.0005 : 0.0005);
		question q = good_frame();
		q.state.pivot_mm = cases[i / 2].pivot_mm;
		q.state.lost = cases[i / 2].lost;
		q.state.rms_mm = 0.01f;
		for (int a = 0; a < 6; a++)
			q.state.information[a * 7] = (float)(11.0 / (sigma_mm * sigma_mm));
		const enm_k_track a = ask(&q);
		assert_near(a.sigma_mm, sigma_mm, 1e-5);
		assert_int_equal(a.verdict, surer ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_WEAK);
		assert_int_equal(a.reason, surer ? ENM_K_REASON_NONE : ENM_K_REASON_FEW_READINGS);
	}
	for (int i = 0; i < 4; i++) { /* a frame too unsure by itself, with a course that leaves half of its variance */
		double most_mm = i < 2 ? 0.032 : 0.0352, sigma_mm = most_mm + (i % 2 == 0 ? -0.0005 : 0.0005);
		question q = good_frame();
		q.state.pivot_mm = 10.0f;
		q.state.lost = i < 2 ? 0 : 1;
		q.state.rms_mm = 0.01f;
		q.state.course.weight = 1.0f;
		q.state.system_pivot_mm = 26.0f;
		for (int a = 0; a < 6; a++)
			q.state.information[a * 7] = q.state.course.information[a * 7] = (float)(5.5 / (sigma_mm * sigma_mm));
		const enm_k_track a = ask(&q);
		assert_near(a.sigma_mm, sigma_mm, 1e-5);
		assert_int_equal(a.verdict, i % 2 == 0 ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_WEAK);
	}
	question coarse = good_frame(); /* a model finer than its readings: twice their noise */
	coarse.sigma_ref_mm = 0.03f;
	for (int a = 0; a < 6; a++)
		coarse.state.information[a * 7] = 11.0f / (0.059f * 0.059f);
	assert_answer(&coarse, ENM_K_VERDICT_TRACKED, ENM_K_REASON_NONE);
	question nothing = good_frame();
	memset(nothing.state.information, 0, sizeof(nothing.state.information));
	assert_answer(&nothing, ENM_K_VERDICT_WEAK, ENM_K_REASON_FEW_READINGS);
}

/* A frame that suddenly agrees much less is weak; what stays so is usual after a while. */
static void sudden_disagreement_is_weak(void **state)
{
	(void)state;
	question q = good_frame(); /* of readings with a noise of 16.9 um at their depth */
	q.state.rms_mm = 0.0255f;
	q.state.usual_rms_mm = 0.0149f;
	enm_k_track a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(a.reason, ENM_K_REASON_FEW_INLIERS);
	assert_near(a.usual_rms_mm, 0.01755, 1e-7);
	q.state.usual_rms_mm = a.usual_rms_mm;
	a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_TRACKED);
	assert_near(a.usual_rms_mm, 0.0195375, 1e-7);
	q.state.usual_rms_mm = 0.0f; /* after a loss nothing is usual */
	a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_TRACKED);
	assert_near(a.usual_rms_mm, 0.0255, 1e-7);
	/* no more than the readings' noise is no disagreement, however well the frames before agreed */
	q.state.usual_rms_mm = 0.001f;
	q.state.rms_mm = 0.019f;
	assert_int_equal(ask(&q).verdict, ENM_K_VERDICT_TRACKED);
	q.sums[ENM_K_SUM_MODEL] = 5;
	assert_true(ask(&q).usual_rms_mm == 0.0f);
}

/* By where the frame turned out to be; forgotten by and by, and kept while nothing tells. */
static void predictions_that_were_off_are_remembered(void **state)
{
	(void)state;
	question q = good_frame();
	q.state.predicted = q.state.world_from_camera;
	assert_near(ask(&q).predicted_off_mm, 0.0, 1e-5);
	q.state.predicted.t[1] += 0.3f;
	assert_near(ask(&q).predicted_off_mm, 0.3, 1e-5);
	/* a turn about where the frame looks moves what is seen beside that */
	const double turn[6] = {0.01, 0.0, 0.0, 0.0, 13.0 * 0.01, 0.0};
	const rigid here = rigid_from_device(&q.state.world_from_camera), turned = rigid_moved(&here, turn);
	q.state.predicted = rigid_to_device(&turned);
	assert_near(ask(&q).predicted_off_mm, 0.5 * 13.0 * 0.01, 2e-3);
	q.state.predicted = q.state.world_from_camera;
	q.state.predicted_off_mm = 0.5f;
	assert_near(ask(&q).predicted_off_mm, 0.4, 1e-5);
	q.sums[ENM_K_SUM_MODEL] = 5;
	const enm_k_track lost = ask(&q);
	assert_int_equal(lost.verdict, ENM_K_VERDICT_LOST);
	assert_near(lost.predicted_off_mm, 0.5, 1e-7);
}

/* A frame that leaves a direction open is remembered for thirty that are tracked; others do not count. */
static void open_directions_are_remembered(void **state)
{
	(void)state;
	question q = good_frame();
	q.state.held = 1;
	enm_k_track a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(a.wary, 30);
	q.state.held = 0;
	q.state.wary = a.wary;
	assert_int_equal(ask(&q).wary, 29);
	q.state.wary = 1;
	assert_int_equal(ask(&q).wary, 0);
	q.state.wary = 0;
	assert_int_equal(ask(&q).wary, 0);
	q.state.wary = 7;
	q.state.rms_mm = 0.0255f; /* weak for another reason */
	q.state.usual_rms_mm = 0.0149f;
	assert_int_equal(ask(&q).verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(ask(&q).wary, 7);
}

static void least_eigenvalue_agrees_with_reference(void **state)
{
	(void)state;
	support_random random = {23};
	for (uint32_t n = 0; n < support_size(20, 4); n++) {
		question q = good_frame();
		double h[36];
		memset(q.sums, 0, ENM_K_SUM_WEIGHT * sizeof(float));
		/* with few rows the matrix is singular */
		for (uint32_t row = 0; row < 4 + 3 * n; row++) {
			double j[6];
			for (int a = 0; a < 6; a++)
				j[a] = random_in(&random, -1, 1);
			for (int a = 0; a < 6; a++)
				for (int b = 0; b < 6; b++)
					q.sums[ENM_K_SUM_H(a, b)] += (float)(j[a] * j[b]);
		}
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				h[6 * a + b] = (double)q.sums[ENM_K_SUM_H(a, b)] / 300.0;
		assert_near(ask(&q).least_eigenvalue, ref_least_eigenvalue(6, h), 3e-7);
	}
}

static void each_reason_is_reached(void **state)
{
	(void)state;
	question q = good_frame();
	q.readings = 95;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_FEW_READINGS);
	q = good_frame();
	q.sums[ENM_K_SUM_MODEL] = 25;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP);
	q.sums[ENM_K_SUM_MODEL] = 100;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_NO_OVERLAP);
	q = good_frame();
	q.sums[ENM_K_SUM_FREE] = 300;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_FREE_SPACE);
	q = good_frame();
	q.sums[ENM_K_SUM_WEIGHT] = 50;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_FEW_INLIERS);
	q.sums[ENM_K_SUM_WEIGHT] = 170;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_FEW_INLIERS);
	/* what suffices beside the frame before does not suffice after a loss */
	q = good_frame();
	q.sums[ENM_K_SUM_MODEL] = 200;
	assert_answer(&q, ENM_K_VERDICT_TRACKED, ENM_K_REASON_NONE);
	q.state.missed = 15;
	assert_answer(&q, ENM_K_VERDICT_TRACKED, ENM_K_REASON_NONE);
	q.state.missed = 16; /* nor after so many weak frames: its place is to be looked for */
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP);
	q = good_frame();
	q.state.missed = 20;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_RECOVERING);
	q.sums[ENM_K_SUM_WEIGHT] = 280;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_FEW_INLIERS);
	assert_int_equal(ask(&q).missed, 21);
	q = good_frame();
	q.state.rms_mm = 5 * VOXEL_MM;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_DIVERGED);
	q.state.rms_mm = 0.4f * VOXEL_MM;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_FEW_INLIERS);
	q.state.pivot_mm = 20.0f; /* where the readings' own noise is 0.04 mm */
	assert_answer(&q, ENM_K_VERDICT_TRACKED, ENM_K_REASON_NONE);
	q = good_frame();
	q.state.step = 3.0f;
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_DIVERGED);
	q.state.step = 0.5f;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_DIVERGED);
	q = good_frame();
	for (int b = 1; b < 6; b++)
		q.sums[ENM_K_SUM_H(0, b)] = q.sums[ENM_K_SUM_H(b, 0)] = 0.0f;
	q.sums[0] = 0.01f; /* nothing fixes the first unknown */
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_DEGENERATE);
	q = good_frame(); /* the first step of a level found a direction to hold */
	q.state.held = 1;
	assert_answer(&q, ENM_K_VERDICT_WEAK, ENM_K_REASON_DEGENERATE);
}

/* Nothing that is not a number gets through. */
static void nan_is_never_tracked(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		question q = good_frame();
		float *const spoilt[] = {&q.state.rms_mm, &q.state.step, &q.sums[ENM_K_SUM_WEIGHT], &q.sums[0]};
		*spoilt[i] = NAN;
		assert_true(ask(&q).verdict != ENM_K_VERDICT_TRACKED);
	}
	question q = good_frame();
	memset(q.sums, 0, sizeof(q.sums));
	assert_answer(&q, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP);
}

static void lost_frame_returns_to_the_last_pose(void **state)
{
	(void)state;
	question q = good_frame();
	q.state.velocity[3] = 8.0f;
	q.sums[ENM_K_SUM_MODEL] = 5;
	const enm_k_track lost = ask(&q);
	assert_memory_equal(&lost.world_from_camera, &q.state.last, sizeof(lost.last));
	assert_memory_equal(&lost.last, &q.state.last, sizeof(lost.last));
	assert_true(lost.velocity[3] > 0.0f && lost.velocity[3] < 8.0f);
	assert_int_equal(lost.tracked, 7);
	assert_true(lost.since_last_s == q.state.since_last_s);
	q.sums[ENM_K_SUM_MODEL] = 100; /* weak: the hint is where the next prediction goes on from */
	const enm_k_track weak = ask(&q);
	assert_int_equal(weak.verdict, ENM_K_VERDICT_WEAK);
	assert_memory_equal(&weak.world_from_camera, &q.state.world_from_camera, sizeof(weak.last));
	assert_memory_equal(&weak.last, &q.state.world_from_camera, sizeof(weak.last));
	assert_true(weak.since_last_s == 0.0f);
	assert_near(weak.velocity[3], 1.0 / 0.25, 1e-4);
	assert_int_equal(weak.tracked, 7);
	assert_int_equal(weak.missed, 1);
}

/* ---- one frame after the other ---- */

typedef enum outcome_wanted { GOOD, UNSURE, POOR, NONE } outcome_wanted;

/* The gate's answer to a frame after `before`, with sums that are good, leave the pose unsure, give a weak frame or none. */
static enm_k_track next(const enm_k_track *before, outcome_wanted kind)
{
	question q = good_frame();
	const enm_k_track first = q.state;
	q.state = *before;
	q.state.world_from_camera = first.world_from_camera;
	q.state.since_last_s += 0.033f;
	q.state.rms_mm = first.rms_mm;
	q.state.step = first.step;
	q.state.events = 0;
	q.sums[ENM_K_SUM_MODEL] = kind == GOOD || kind == UNSURE ? 450 : kind == POOR ? 100 : 5;
	for (int i = 0; i < 36; i++)
		q.state.information[i] = kind == UNSURE ? 0.01f * first.information[i] : first.information[i];
	return ask(&q);
}

static enm_k_track many(enm_k_track from, outcome_wanted kind, int count)
{
	for (int i = 0; i < count; i++)
		from = next(&from, kind);
	return from;
}

/* A loss is told once, and so is its end, whatever comes between. */
static void events_come_once(void **state)
{
	(void)state;
	const outcome_wanted kinds[] = {GOOD, NONE, NONE, POOR, NONE, GOOD, GOOD, POOR, GOOD, NONE, GOOD};
	const uint32_t wanted[] = {0, ENM_K_EVENT_LOST, 0, 0, 0, ENM_K_EVENT_RECOVERED, 0, 0, 0, ENM_K_EVENT_LOST,
		ENM_K_EVENT_RECOVERED};
	enm_k_track s = good_frame().state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		/* once a frame was lost, a poor pose is no hint */
		const uint32_t poor = s.lost > 0 ? ENM_K_VERDICT_LOST : ENM_K_VERDICT_WEAK;
		s = next(&s, kinds[i]);
		assert_int_equal(s.events & (ENM_K_EVENT_LOST | ENM_K_EVENT_RECOVERED), wanted[i]);
		assert_int_equal(s.verdict, kinds[i] == GOOD ? ENM_K_VERDICT_TRACKED :
						    kinds[i] == POOR ? poor : ENM_K_VERDICT_LOST);
	}
}

/* After five missed frames the next good one is believed; after six, the fourth in a row. */
static void long_loss_ends_in_probation(void **state)
{
	(void)state;
	const enm_k_track begin = good_frame().state;
	const enm_k_track short_loss = many(begin, NONE, 5);
	assert_int_equal(next(&short_loss, GOOD).verdict, ENM_K_VERDICT_TRACKED);
	enm_k_track s = many(begin, NONE, 6);
	for (int i = 1; i < 4; i++) {
		s = next(&s, GOOD);
		assert_int_equal(s.verdict, ENM_K_VERDICT_WEAK);
		assert_int_equal(s.reason, ENM_K_REASON_RECOVERING);
		assert_int_equal(s.probation, i);
		assert_int_equal(s.tracked, begin.tracked);
		assert_int_equal(s.events & ENM_K_EVENT_RECOVERED, 0);
	}
	s = next(&s, GOOD);
	assert_int_equal(s.verdict, ENM_K_VERDICT_TRACKED);
	assert_int_equal(s.reason, ENM_K_REASON_NONE);
	assert_int_equal(s.events & ENM_K_EVENT_RECOVERED, ENM_K_EVENT_RECOVERED);
	assert_int_equal(s.probation, 0);
	assert_int_equal(s.missed, 0);
	assert_int_equal(s.lost, 0);
}

/* One frame that does not agree, be it only weak, and all begins again. */
static void one_failure_ends_probation(void **state)
{
	(void)state;
	const outcome_wanted failures[] = {POOR, NONE};
	for (int i = 0; i < 2; i++) {
		enm_k_track s = many(many(good_frame().state, NONE, 6), GOOD, 3);
		s = next(&s, failures[i]);
		assert_int_equal(s.verdict, ENM_K_VERDICT_LOST);
		assert_true(s.reason != ENM_K_REASON_NONE && s.reason != ENM_K_REASON_RECOVERING);
		assert_int_equal(s.probation, 0);
		assert_int_equal(s.events, 0); /* the loss was told before */
		s = many(s, GOOD, 3);
		assert_int_equal(s.verdict, ENM_K_VERDICT_WEAK);
		assert_int_equal(next(&s, GOOD).verdict, ENM_K_VERDICT_TRACKED);
	}
}

/* After a loss half of a frame has to lie on the model; the next ones may lie on it by a third, and where the search has found the place by three quarters
 * of what that told. */
static void a_trial_asks_for_less_overlap(void **state)
{
	(void)state;
	const struct {
		uint32_t probation, verdict;
		float found_overlap, overlap;
	} cases[] = {{0, ENM_K_VERDICT_LOST, 0.3f, 0.45f}, {0, ENM_K_VERDICT_WEAK, 0.3f, 0.55f}, {1, ENM_K_VERDICT_LOST, 1.0f, 0.33f},
		{1, ENM_K_VERDICT_WEAK, 1.0f, 0.37f}, {1, ENM_K_VERDICT_LOST, 0.28f, 0.19f}, {1, ENM_K_VERDICT_WEAK, 0.28f, 0.23f}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		question q = good_frame();
		q.state.missed = q.state.lost = 9;
		q.state.probation = cases[i].probation;
		q.state.found_overlap = cases[i].found_overlap;
		q.sums[ENM_K_SUM_MODEL] = cases[i].overlap * q.sums[ENM_K_SUM_OFFERED];
		assert_answer(&q, cases[i].verdict,
			cases[i].verdict == ENM_K_VERDICT_LOST ? ENM_K_REASON_NO_OVERLAP : ENM_K_REASON_RECOVERING);
		if (cases[i].probation == 0 && cases[i].verdict == ENM_K_VERDICT_WEAK)
			assert_true(ask(&q).found_overlap == 1.0f); /* what an earlier search found is no measure here */
	}
}

/* Frames that agree, but are too far away to be sure, carry the trial on and never end it well. */
static void unsure_frames_are_on_trial_too(void **state)
{
	(void)state;
	enm_k_track s = many(many(good_frame().state, NONE, 6), GOOD, 1);
	for (uint32_t i = 0; i < 6; i++) {
		s = next(&s, UNSURE);
		assert_int_equal(s.verdict, ENM_K_VERDICT_WEAK);
		assert_int_equal(s.reason, ENM_K_REASON_RECOVERING);
		assert_int_equal(s.probation, i + 2 < 3 ? i + 2 : 3);
	}
	const enm_k_track sure = next(&s, GOOD), lost = next(&s, POOR);
	assert_int_equal(sure.verdict, ENM_K_VERDICT_TRACKED);
	assert_int_equal(sure.events, ENM_K_EVENT_RECOVERED);
	assert_int_equal(lost.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(lost.probation, 0);
	/* they begin none */
	s = next(&(enm_k_track[]){many(good_frame().state, NONE, 6)}[0], UNSURE);
	assert_int_equal(s.probation, 0);
}

/* A hand goes no faster than a hand; and the shorter the time between two frames, the more stays of the velocity before. */
static void velocity_has_limits(void **state)
{
	(void)state;
	const float gaps_s[] = {5e-3f, 2.5e-3f, 1e-9f, 0.0f};
	const double news[] = {1.0, 0.25, 0.0, 0.0};
	for (int i = 0; i < 4; i++) {
		question q = good_frame();
		q.state.since_last_s = gaps_s[i];
		q.state.velocity[1] = 0.5f;
		q.state.velocity[4] = 20.0f;
		const enm_k_track a = ask(&q);
		/* turned by (0.1, -0.2, 0.3) and moved by 1 mm along x at the limits of 4 rad/s and 10 depths a second */
		const double turn = 4.0 / sqrt(0.14), old = 1.0 - news[i];
		const double wanted[6] = {0.1 * turn * news[i], 0.5 * old - 0.2 * turn * news[i], 0.3 * turn * news[i], 130.0 * news[i],
			20.0 * old, 0.0};
		for (int k = 0; k < 6; k++)
			assert_near(a.velocity[k], wanted[k], 1e-2);
	}
}

/* What a pose off the course's prediction tells of the velocity, and how much surer it is for the prediction. */
static void the_course_is_followed(void **state)
{
	(void)state;
	question q = good_frame();
	q.state.velocity[3] = 2.0f;
	q.state.system_pivot_mm = q.state.pivot_mm;
	q.state.predicted = q.state.world_from_camera;
	q.state.predicted.t[0] -= 0.02f; /* the world's x */
	q.state.course.weight = 0.5f;
	for (int i = 0; i < 6; i++) {
		q.state.course.gain[i * 7] = 10.0f;
		q.state.course.information[i * 7] = 6.0f * q.state.information[i * 7];
	}
	q.state.course.gain[3 * 6 + 5] = 5.0f; /* moves along x tell of the velocity along z too */
	const enm_k_track a = ask(&q);
	assert_int_equal(a.verdict, ENM_K_VERDICT_TRACKED);
	const float *r = q.state.world_from_camera.r;
	for (int i = 0; i < 3; i++) {
		assert_near(a.velocity[i], 0.0, 1e-3);
		assert_near(a.velocity[3 + i], (i == 0 ? 2.0 : 0.0) + 0.2 * (double)r[i] + 0.1 * (double)r[6 + i], 1e-3);
		assert_near(a.course.off_mm[i], 0.0, 1e-5);
		assert_near(a.course.off_mm[3 + i], i == 0 ? 0.02 : 0.0, 1e-5);
	}
	question alone = q;
	alone.state.course.weight = 0.0f;
	const enm_k_track b = ask(&alone);
	assert_near(b.velocity[3], 1.0 / 0.25, 1e-4); /* from the last pose to this one */
	assert_near((double)a.sigma_mm / (double)b.sigma_mm, 0.5, 1e-3);
	/* never faster than a hand */
	q.state.course.gain[3 * 7] = 1e9f;
	const enm_k_track fast = ask(&q);
	const double speed_mm_s = sqrt(pow((double)fast.velocity[3], 2) + pow((double)fast.velocity[4], 2) + pow((double)fast.velocity[5], 2));
	assert_near(speed_mm_s, 130.0, 0.1);
}

/* The second frame of a scan by rows stands where its middle row was, and says that the first is to be forgotten; no other does. */
static void second_frame_by_rows_begins_anew(void **state)
{
	(void)state;
	question q = good_frame();
	q.half_exposure_s = 0.01f;
	assert_int_equal(ask(&q).events & ENM_K_EVENT_BEGUN_ANEW, 0);
	q.state.tracked = 1;
	const enm_k_track a = ask(&q);
	assert_int_equal(a.events & ENM_K_EVENT_BEGUN_ANEW, ENM_K_EVENT_BEGUN_ANEW);
	for (int i = 0; i < 6; i++)
		assert_near(a.skew[i], (double)a.velocity[i] * 0.01, 1e-7);
	/* the move goes along the camera's axes, which are those of the frame in hand */
	for (int i = 0; i < 3; i++) {
		double moved = 0.0;
		for (int k = 0; k < 3; k++)
			moved += (double)q.state.world_from_camera.r[3 * i + k] * (double)a.skew[3 + k];
		assert_near(a.world_from_camera.t[i], (double)q.state.world_from_camera.t[i] + moved, 1e-5);
	}
	assert_memory_equal(&a.last, &a.world_from_camera, sizeof(a.last));
	q.sums[ENM_K_SUM_MODEL] = 100; /* a weak one must not */
	assert_int_equal(ask(&q).events & ENM_K_EVENT_BEGUN_ANEW, 0);
	q = good_frame();
	q.state.tracked = 1;
	assert_int_equal(ask(&q).events & ENM_K_EVENT_BEGUN_ANEW, 0);
}

/* Nor does the first frame of an island know how fast it moved. */
static void second_frame_of_an_island_by_rows_begins_it_anew(void **state)
{
	(void)state;
	for (uint32_t frames = 1; frames < 3; frames++) {
		for (uint32_t island = 0; island < 2; island++) {
			for (int rows = 0; rows < 2; rows++) {
				question q = good_frame();
				q.half_exposure_s = rows ? 0.01f : 0.0f;
				q.state.tracked = 30;
				q.state.island = island;
				q.state.islands_open = q.state.islands = 1;
				q.state.island_frames = frames;
				const enm_k_track a = ask(&q);
				const bool anew = frames == 1 && island == 1 && rows;
				assert_int_equal(a.verdict, ENM_K_VERDICT_TRACKED);
				assert_int_equal(a.events & ENM_K_EVENT_BEGUN_ANEW, anew ? ENM_K_EVENT_BEGUN_ANEW : 0);
				assert_int_equal(a.island_frames, frames + island);
				for (int i = 0; i < 6 && anew; i++)
					assert_near(a.skew[i], (double)a.velocity[i] * 0.01, 1e-7);
			}
		}
	}
}

/* Of a lost frame the motion within it was not measured: it is that of the course. */
static void lost_frame_keeps_its_course_within(void **state)
{
	(void)state;
	question q = good_frame();
	q.half_exposure_s = 0.01f;
	q.sums[ENM_K_SUM_MODEL] = 5;
	for (int i = 0; i < 6; i++) {
		q.state.velocity[i] = (float)(i + 1);
		q.state.skew[i] = 77.0f;
	}
	const enm_k_track a = ask(&q);
	for (int i = 0; i < 6; i++)
		assert_near(a.skew[i], 0.01 * (i + 1), 1e-6);
}

static void first_frame_needs_readings_only(void **state)
{
	(void)state;
	question q = good_frame();
	memset(q.sums, 0, sizeof(q.sums));
	q.state.tracked = 0;
	const enm_k_track first = ask(&q);
	assert_int_equal(first.verdict, ENM_K_VERDICT_TRACKED);
	assert_int_equal(first.reason, ENM_K_REASON_FIRST);
	assert_int_equal(first.tracked, 1);
	assert_memory_equal(&first.world_from_camera, &q.state.last, sizeof(first.last));
	q.readings = 40;
	const enm_k_track none = ask(&q);
	assert_int_equal(none.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(none.reason, ENM_K_REASON_FEW_READINGS);
	assert_int_equal(none.tracked, 0);
}

/* Better figures never give a worse verdict; the step from lost over weak to tracked comes once. */
static void verdict_follows_each_figure(void **state)
{
	(void)state;
	const int figures[] = {ENM_K_SUM_MODEL, ENM_K_SUM_WEIGHT};
	const float top[] = {500, 350};
	for (int f = 0; f < 2; f++) {
		uint32_t before = ENM_K_VERDICT_LOST;
		for (int i = 0; i <= 20; i++) {
			question q = good_frame();
			q.sums[figures[f]] = top[f] * (float)i / 20.0f;
			if (f == 1)
				for (int k = 0; k < ENM_K_SUM_WEIGHT; k++)
					q.sums[k] *= q.sums[ENM_K_SUM_WEIGHT] / 300.0f;
			const uint32_t verdict = ask(&q).verdict;
			assert_true(verdict <= before);
			before = verdict;
		}
		assert_int_equal(before, ENM_K_VERDICT_TRACKED);
	}
}

KERNEL_TEST_MAIN(KERNEL_TEST(a_turn_as_sure_as_told_is_tracked), KERNEL_TEST(good_frame_is_tracked), KERNEL_TEST(a_pose_as_sure_as_told_is_tracked), KERNEL_TEST(sudden_disagreement_is_weak),
	KERNEL_TEST(predictions_that_were_off_are_remembered), KERNEL_TEST(open_directions_are_remembered), KERNEL_TEST(least_eigenvalue_agrees_with_reference),
	KERNEL_TEST(each_reason_is_reached), KERNEL_TEST(nan_is_never_tracked),
	KERNEL_TEST(lost_frame_returns_to_the_last_pose), KERNEL_TEST(first_frame_needs_readings_only),
	KERNEL_TEST(verdict_follows_each_figure), KERNEL_TEST(events_come_once), KERNEL_TEST(long_loss_ends_in_probation),
	KERNEL_TEST(one_failure_ends_probation), KERNEL_TEST(a_trial_asks_for_less_overlap), KERNEL_TEST(unsure_frames_are_on_trial_too),
	KERNEL_TEST(velocity_has_limits), KERNEL_TEST(the_course_is_followed),
	KERNEL_TEST(second_frame_by_rows_begins_anew), KERNEL_TEST(second_frame_of_an_island_by_rows_begins_it_anew),
	KERNEL_TEST(lost_frame_keeps_its_course_within))
