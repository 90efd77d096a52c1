/* SPDX-License-Identifier: Apache-2.0
 * What a frame's own shape would leave open (kernels/alone.cl). */
#include "core/pose.h"
#include "track_rig.h"

/* A frame of a scene with noise of `sigma_mm`, judged after the verdict, of which alignment held that many directions; `readings`: of that many pixels, in rows from the top. */
static enm_k_track judge_alone(const ref_scene *scene, double sigma_mm, double readings, uint32_t verdict, uint32_t reason, uint32_t held)
{
	enm_session_def def = support_def(160, 120);
	const uint32_t n = def.camera.width * def.camera.height;
	const enm_pose eye = ref_pose_make(0.3, -0.2, 0.4, 2, 3, -1);
	float *raw = support_alloc(n, 4);
	support_random random = {61};
	track_stage track;
	depth_stage depth;
	ref_scene_render(scene, &def.camera, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 60.0, raw);
	for (uint32_t i = 0; i < n; i++)
		raw[i] = raw[i] > 0.0f && i < readings * n ? raw[i] + (float)(sigma_mm * random_normal(&random)) : 0.0f;
	support_depth(&depth, &def, raw);
	CHECK(track_create(&test.budget, &def, &track));
	enm_k_track state = support_state(&eye, verdict);
	state.pivot_mm = 13.0f;
	state.reason = reason;
	state.held = held;
	support_write(&track.state, &state, sizeof(state));
	const gpu_arg args[] = {GPU_VALUE(depth.camera), GPU_VALUE(track.levels[0]), GPU_BUFFER(&depth.rays),
		GPU_BUFFER(&depth.pixel_map), GPU_BUFFER(&track.partials), GPU_BUFFER(&track.state)};
	CHECK(gpu_launch(test.queue, &track.k_alone, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, sizeof(args) / sizeof(*args)));
	support_read(&track.state, &state, sizeof(state));
	track_destroy(&track);
	depth_destroy(&depth);
	free(raw);
	return state;
}

static const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0}, ridge = {REF_CYLINDER, 0.5, 0, 17.0, 5.0},
		       ball = {REF_SPHERE, 0.4, -0.3, 16.0, 4.0}, corner = {REF_CORNER, 0.2, 0.1, 11.5, 0.4};

static void smooth_shapes_are_known_with_and_without_noise(void **state)
{
	(void)state;
	const struct {
		const ref_scene *scene;
		uint32_t held;
	} cases[] = {{&plane, 3}, {&ridge, 2}, {&ball, 3}, {&corner, 0}};
	for (int i = 0; i < 4; i++) {
		for (int n = 0; n < 3; n++)
			assert_int_equal(judge_alone(cases[i].scene, 0.01 * n, 1.0, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP, 9).held,
				cases[i].held);
		assert_int_equal(judge_alone(cases[i].scene, 0.01, 1.0, ENM_K_VERDICT_TRACKED, ENM_K_REASON_FIRST, 9).held, cases[i].held);
	}
}

/* On a ridge along the view's y the camera, turned as the pose says, slides along that in the world. */
static void the_direction_is_told_in_the_world(void **state)
{
	(void)state;
	const enm_pose eye = ref_pose_make(0.3, -0.2, 0.4, 2, 3, -1);
	const ref_pose pose = ref_pose_from(&eye);
	const enm_k_track got = judge_alone(&ridge, 0.01, 1.0, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP, 9);
	double across[3] = {0}, length = 0.0;
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++)
			across[j] += pose.r[3 * i + j] * (double)got.held_direction[3 + i];
		length += (double)(got.held_direction[i] * got.held_direction[i] + got.held_direction[3 + i] * got.held_direction[3 + i]);
	}
	assert_near(length, 1.0, 1e-4);
	/* along the ridge or about it: about its axis, which lies 4 behind the middle of the view, the camera also moves in x */
	assert_near(across[2], 0.0, 0.1);
}

static void what_a_model_vouches_for_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_TRACKED, ENM_K_REASON_NONE, 9).held, 9);
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_WEAK, ENM_K_REASON_DEGENERATE, 9).held, 9);
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_WEAK, ENM_K_REASON_NO_OVERLAP, 9).held, 9);
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_WEAK, ENM_K_REASON_NO_OVERLAP, 0).held, 3);
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_WEAK, ENM_K_REASON_RECOVERING, 0).held, 0);
	assert_int_equal(judge_alone(&plane, 0.0, 1.0, ENM_K_VERDICT_LOST, ENM_K_REASON_FEW_READINGS, 9).held, 9);
	/* too little to say anything */
	assert_int_equal(judge_alone(&plane, 0.0, 0.05, ENM_K_VERDICT_LOST, ENM_K_REASON_NO_OVERLAP, 9).held, 0);
}

KERNEL_TEST_MAIN(KERNEL_TEST(smooth_shapes_are_known_with_and_without_noise), KERNEL_TEST(the_direction_is_told_in_the_world),
	KERNEL_TEST(what_a_model_vouches_for_is_left_alone))
