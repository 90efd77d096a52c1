/* SPDX-License-Identifier: Apache-2.0
 * The whole alignment, and the prediction that it starts from. */
#include <math.h>

#include "core/pose.h"
#include "track_rig.h"

/* ---- the whole alignment ---- */

static enm_k_track align(track_rig *r, const enm_pose *from)
{
	track_rig_set(r, from, 0.0);
	if (r->def.tracker == ENM_TRACKER_RAYCAST) {
		enm_k_track seen = track_rig_get(r);
		seen.verdict = ENM_K_VERDICT_TRACKED;
		support_write(&r->track.state, &seen, sizeof(seen));
		CHECK(view_follow(&r->view, test.queue, &r->depth, &r->model, &r->track.state));
	}
	const enm_k_input input = {.dt_s = 0.033f};
	support_write(&r->depth.input[0], &input, sizeof(input));
	CHECK(track_run(&r->track, test.queue, &r->depth, &r->model, &r->view, 0, 0));
	return track_rig_get(r);
}

static void assert_aligned(const enm_k_track *got, const enm_pose *truth, double angle, double shift_mm)
{
	const enm_pose found = pose_from_device(&got->world_from_camera);
	const ref_pose a = ref_pose_from(&found), b = ref_pose_from(truth);
	assert_int_equal(got->verdict, ENM_K_VERDICT_TRACKED);
	assert_near(ref_pose_angle(&a, &b), 0.0, angle);
	assert_near(ref_pose_shift(&a, &b), 0.0, shift_mm);
}

/* By the field, by a raycast, and by a raycast with normals in halves. */
static void converges_to_the_truth(void **state)
{
	(void)state;
	support_random random = {17};
	const enm_pose truth = ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, 0.1);
	const ref_pose exact = ref_pose_from(&truth);
	for (int way = 0; way < (int)support_size(3, 1); way++) {
		track_rig r = track_rig_make(&track_scenes[0], &truth, way == 0 ? ENM_TRACKER_FIELD : ENM_TRACKER_RAYCAST);
		if (way == 2)
			track_rig_view(&r, true);
		for (uint32_t n = 0; n < support_size(8, 1); n++) {
			/* a hand at 30 mm/s and 0.6 rad/s for a frame */
			const enm_pose move =
				ref_pose_make(random_in(&random, -0.02, 0.02), random_in(&random, -0.02, 0.02),
					random_in(&random, -0.02, 0.02), random_in(&random, -0.15, 0.15),
					random_in(&random, -0.15, 0.15), random_in(&random, -0.1, 0.1));
			const ref_pose moved = ref_pose_from(&move), from = ref_pose_multiply(&exact, &moved);
			enm_k_pose start = {.t = {(float)from.t[0], (float)from.t[1], (float)from.t[2]}};
			for (int i = 0; i < 9; i++)
				start.r[i] = (float)from.r[i];
			const enm_pose first = pose_from_device(&start);
			const enm_k_track got = align(&r, &first), again = align(&r, &first);
			/* no noise: what is left is the fit's and the interpolation's error over curved ground */
			assert_aligned(&got, &truth, test.small ? 6e-3 : 1.5e-3, test.small ? 0.06 : 0.02);
			assert_memory_equal(&got, &again, sizeof(got));
		}
		track_rig_drop(&r);
	}
}

static void plane_is_degenerate(void **state)
{
	(void)state;
	const enm_pose truth = enm_pose_identity();
	track_rig r = track_rig_make(&track_scenes[3], &truth, ENM_TRACKER_FIELD);
	/* along the plane and about its normal nothing is known: there the pose stays as predicted, and nowhere else */
	const enm_pose start = ref_pose_make(0.004, -0.003, 0.01, 0.1, -0.05, 0.08);
	const enm_k_track got = align(&r, &start);
	const enm_pose found = pose_from_device(&got.world_from_camera);
	assert_int_equal(got.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(got.reason, ENM_K_REASON_DEGENERATE);
	assert_int_equal(got.held, 3);
	const ref_pose before = ref_pose_from(&start), after = ref_pose_from(&found);
	const double normal[3] = {0.3, -0.2, -0.9327379}, pivot[3] = {0, 0, (double)got.system_pivot_mm};
	double was[3], is[3], along = 0.0, turn_along = 0.0, held_turn = 0.0, held_move = 0.0, held_turns = 0.0;
	ref_pose_apply(&before, pivot, was);
	ref_pose_apply(&after, pivot, is);
	/* twice the sines of after . before^-1 */
	double r9[9];
	for (int i = 0; i < 9; i++)
		r9[i] = after.r[i / 3 * 3] * before.r[i % 3 * 3] + after.r[i / 3 * 3 + 1] * before.r[i % 3 * 3 + 1] +
			after.r[i / 3 * 3 + 2] * before.r[i % 3 * 3 + 2];
	const double turn[3] = {0.5 * (r9[7] - r9[5]), 0.5 * (r9[2] - r9[6]), 0.5 * (r9[3] - r9[1])};
	for (int i = 0; i < 3; i++) {
		along += (is[i] - was[i]) * normal[i];
		turn_along += turn[i] * normal[i];
		held_turn += (double)got.held_direction[i] * normal[i];
		held_turns += (double)got.held_direction[i] * (double)got.held_direction[i];
		held_move += (double)got.held_direction[3 + i] * normal[i];
	}
	for (int i = 0; i < 3; i++)
		assert_near(is[i] - was[i] - along * normal[i], 0.0, 0.01);
	assert_near(turn_along, 0.0, 3e-4);
	assert_near(fabs(held_turn), sqrt(held_turns), 0.05);
	assert_near(held_move, 0.0, 0.05);
	/* what the plane does fix is right again: the truth's plane is the identity's */
	double at[3];
	ref_pose_rotate(&after, normal, at);
	for (int i = 0; i < 3; i++)
		assert_near(at[i], normal[i], 1e-3);
	assert_near(after.t[0] * normal[0] + after.t[1] * normal[1] + after.t[2] * normal[2], 0.0, 0.02);
	track_rig_drop(&r);
}

static void empty_model_has_no_overlap(void **state)
{
	(void)state;
	const enm_pose truth = enm_pose_identity();
	track_rig r = track_rig_make(&track_scenes[0], &truth, ENM_TRACKER_FIELD);
	CHECK(model_clear(&r.model, test.queue));
	const enm_k_track got = align(&r, &truth);
	assert_int_equal(got.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(got.reason, ENM_K_REASON_NO_OVERLAP);
	assert_true(got.world_from_camera.t[2] == 0.0f);
	track_rig_drop(&r);
}

/* ---- prediction ---- */

static void prediction_keeps_the_course(void **state)
{
	(void)state;
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	/* turned by 90 degrees about z: the camera's x is the world's y; 10 mm/s along it, for 0.05 s, and for at most
	 * 0.2 s */
	const enm_pose last = ref_pose_make(0, 0, acos(-1.0) / 2, 1, 2, 3);
	const float dt_s[] = {0.05f, 5.0f};
	const double wanted_y[] = {2.5, 4.0}, wanted_turn[] = {0.02, 0.08};
	for (int i = 0; i < 2; i++) {
		enm_k_track s = support_state(&last, ENM_K_VERDICT_TRACKED);
		s.velocity[3] = 10.0f;
		s.velocity[2] = 0.4f; /* about the camera's own axis */
		const enm_k_input input = {.dt_s = dt_s[i]};
		const enm_k_track got = track_rig_predict(&r, &s, &input, 0.01f);
		const enm_pose turned = ref_pose_make(0, 0, acos(-1.0) / 2 + wanted_turn[i], 1, wanted_y[i], 3);
		const ref_pose wanted = ref_pose_from(&turned);
		track_assert_pose(&got.predicted, &wanted, 1e-6, 1e-6);
		assert_memory_equal(&got.predicted, &got.world_from_camera, sizeof(got.predicted));
		assert_int_equal(got.frames, 2);
		assert_near(got.skew[3], 0.1, 1e-6); /* in half a frame's exposure */
		assert_near(got.skew[2], 0.004, 1e-7);
	}
	track_rig_drop(&r);
}

/* A gyroscope that is sure of its turn replaces the velocity's, and leaves the move as it goes on; what it is unsure of counts little. */
static void prediction_heeds_what_is_known(void **state)
{
	(void)state;
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const double turn_sigma_rad[] = {1e-4, 10.0}, wanted_turn[] = {0.03, 0.02};
	for (int i = 0; i < 2; i++) {
		enm_k_track s = support_state(&(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_K_VERDICT_TRACKED);
		s.pivot_mm = 13.0f;
		s.velocity[3] = 10.0f;
		s.velocity[2] = 0.4f;
		enm_k_input input = {.dt_s = 0.05f, .has_motion = 1.0f, .motion = {0, 0, 0.03f, 9, 9, 9}};
		for (int k = 0; k < 3; k++)
			input.information[7 * k] = (float)(1.0 / (turn_sigma_rad[i] * turn_sigma_rad[i]));
		const enm_k_track got = track_rig_predict(&r, &s, &input, 0.0f);
		const enm_pose turned = ref_pose_make(0, 0, wanted_turn[i], 0.5, 0, 0);
		const ref_pose wanted = ref_pose_from(&turned);
		track_assert_pose(&got.predicted, &wanted, 1e-4, 1e-6);
		/* and as a prior of the solve, about the pivot: 1 / (sigma x lever)^2 */
		const double per = 1.0 / (turn_sigma_rad[i] * 6.5);
		assert_near((double)got.prior[14] / (per * per), 1.0, 1e-4);
		assert_near(got.prior[35], 0.0, 1e-6);
	}
	track_rig_drop(&r);
}

/* A time without frames, if it is long for this scanner, counts as a loss; a slow scanner's frames do not. */
static void gap_is_a_loss(void **state)
{
	(void)state;
	const struct {
		uint32_t tracked;
		float period_s, dt_s;
		bool loss;
	} cases[] = {{9, 0.033f, 0.033f, false}, {9, 0.033f, 0.1f, false}, {9, 0.033f, 0.13f, true}, {9, 0.2f, 0.2f, false},
		{9, 0.2f, 0.49f, false}, {9, 0.2f, 0.51f, true}, {9, 0.001f, 0.033f, false}, {1, 0.0f, 2.0f, false}};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (uint32_t lost = 0; lost < 2; lost++) {
			enm_k_track s = support_state(&(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_K_VERDICT_TRACKED);
			s.tracked = cases[i].tracked;
			s.period_s = cases[i].period_s;
			s.lost = s.missed = lost;
			s.probation = 3;
			const enm_k_track got = track_rig_predict(&r, &s, &(enm_k_input){.dt_s = cases[i].dt_s}, 0.0f);
			assert_int_equal(got.events & ENM_K_EVENT_LOST, cases[i].loss && lost == 0 ? ENM_K_EVENT_LOST : 0);
			assert_int_equal(got.lost, cases[i].loss ? 1 : lost);
			assert_int_equal(got.missed > ENM_K_MISSED_FRAMES, cases[i].loss);
			assert_int_equal(got.probation, cases[i].loss ? 0 : 3); /* of another time */
			assert_true(got.period_s == cases[i].dt_s);
		}
	}
	track_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(gap_is_a_loss), KERNEL_TEST(converges_to_the_truth), KERNEL_TEST(plane_is_degenerate), KERNEL_TEST(empty_model_has_no_overlap),
	KERNEL_TEST(prediction_keeps_the_course), KERNEL_TEST(prediction_heeds_what_is_known))
