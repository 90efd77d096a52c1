/* SPDX-License-Identifier: Apache-2.0
 * A step of the alignment from its sums, and the directions that it holds. */
#include <math.h>
#include <string.h>

#include "core/pose.h"
#include "reference/linear.h"
#include "track_rig.h"

static void random_system(support_random *random, double sums[ENM_K_SUMS])
{
	memset(sums, 0, ENM_K_SUMS * sizeof(*sums));
	for (int n = 0; n < 200; n++) {
		double j[6];
		for (int a = 0; a < 6; a++)
			j[a] = random_in(random, -1, 1);
		const double residual = random_in(random, -0.2, 0.3);
		for (int a = 0; a < 6; a++) {
			for (int b = 0; b < 6; b++)
				sums[ENM_K_SUM_H(a, b)] += j[a] * j[b];
			sums[ENM_K_SUM_GRADIENT(a)] += j[a] * residual;
		}
		sums[ENM_K_SUM_COST] += residual * residual;
	}
	sums[ENM_K_SUM_WEIGHT] = sums[ENM_K_SUM_INLIER] = sums[ENM_K_SUM_MODEL] = sums[ENM_K_SUM_OFFERED] = 200;
	sums[ENM_K_SUM_DEPTH] = 200 * 12.5;
}

/* `sums` are ENM_K_SUMS, or ENM_K_SUMS_ROLLING where the rig's rows are exposed one after the other. */
/* `fixed`: rows of products of normals, as track_sum_fixed leaves them; `painted`: rows as track_sum_color leaves them; NULL: none were made. */
static void run_whole_step(track_rig *r, const enm_k_level *level, const double *sums, const double *fixed, const double *painted, int first)
{
	static float partials[ENM_K_SUMS_ROLLING * ENM_K_PARTIALS];
	const float sigma_ref_mm = r->depth.camera.sigma_ref_mm;
	const int color = painted != NULL, checked = fixed != NULL;
	memset(partials, 0, sizeof(partials));
	for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
		for (int k = 0; k < (r->track.half_exposure_s > 0.0f ? ENM_K_SUMS_ROLLING : ENM_K_SUMS); k++)
			partials[g * ENM_K_SUMS_ROLLING + k] = (float)(sums[k] / ENM_K_TRACK_GROUPS);
	for (int g = ENM_K_PARTIALS_FIXED; g < ENM_K_PARTIALS && checked; g++)
		for (int k = 0; k < 48; k++)
			partials[g * ENM_K_SUMS_ROLLING + k] = (float)(fixed[k] / ENM_K_TRACK_GROUPS);
	for (int g = ENM_K_PARTIALS_COLOR; g < ENM_K_PARTIALS_FIXED && color; g++)
		for (int k = 0; k < 48; k++)
			partials[g * ENM_K_SUMS_ROLLING + k] = (float)(painted[k] / ENM_K_TRACK_GROUPS);
	support_write(&r->track.partials, partials, sizeof(partials));
	const gpu_arg args[] = {GPU_VALUE(*level), GPU_VALUE(r->model.volume.voxel_mm), GPU_VALUE(sigma_ref_mm),
		GPU_VALUE(r->track.half_exposure_s), GPU_VALUE(first), GPU_VALUE(checked), GPU_VALUE(color), GPU_BUFFER(&r->track.partials),
		GPU_BUFFER(&r->track.sums), GPU_BUFFER(&r->track.state)};
	CHECK(gpu_launch(test.queue, &r->track.k_step, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args,
		sizeof(args) / sizeof(*args)));
	CHECK(gpu_finish(test.queue));
}

static void run_checked_step(track_rig *r, const enm_k_level *level, const double *sums, const double *fixed)
{
	run_whole_step(r, level, sums, fixed, NULL, 1);
}

static void run_step(track_rig *r, const enm_k_level *level, const double *sums)
{
	run_checked_step(r, level, sums, NULL);
}

static void step_solves_like_the_reference(void **state)
{
	(void)state;
	support_random random = {3};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	for (int n = 0; n < 20; n++) {
		double sums[ENM_K_SUMS];
		const enm_k_level *level = &r.track.levels[n & 1];
		const enm_pose pose = ref_pose_make(
			random_in(&random, -1, 1), random_in(&random, -1, 1), 0.3, 5, random_in(&random, -9, 9), 2);
		const ref_pose exact = ref_pose_from(&pose);
		random_system(&random, sums);
		track_rig_set(&r, &pose, 0.2);
		run_step(&r, level, sums);
		const double sigma = r.def.depth_sigma_mm / (double)level->prior_sigma_mm;
		const ref_pose wanted = ref_track_step(
			sums, &exact, &exact, 13.0, 10.0 * sigma * sigma, 2.0 * (double)level->gate_start_mm);
		const enm_k_track got = track_rig_get(&r);
		track_assert_pose(&got.world_from_camera, &wanted, 2e-6, 2e-5); /* floats near 1 and near 20 */
		assert_near(got.rms_mm, sqrt(sums[ENM_K_SUM_COST] / sums[ENM_K_SUM_WEIGHT]), 1e-6);
		assert_near(got.pivot_mm, 12.5, 1e-5);
		assert_int_equal(got.iterations, 1);
	}
	track_rig_drop(&r);
}

static void step_gives_up_without_inliers_and_rests_when_done(void **state)
{
	(void)state;
	double sums[ENM_K_SUMS] = {0};
	const enm_pose pose = ref_pose_make(0.1, 0.2, 0.3, 1, 2, 3);
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	track_rig_set(&r, &pose, 0.2);
	const enm_k_track before = track_rig_get(&r);
	run_step(&r, &r.track.levels[0], sums);
	const enm_k_track after = track_rig_get(&r);
	assert_int_equal(after.done & ENM_K_DONE_ALL, ENM_K_DONE_ALL);
	assert_true(isinf(after.step)); /* which the gate does not take for settled */
	assert_memory_equal(&after.world_from_camera, &before.world_from_camera, sizeof(before.world_from_camera));
	support_random random = {5};
	random_system(&random, sums);
	run_step(&r, &r.track.levels[0], sums);
	const enm_k_track rested = track_rig_get(&r);
	assert_memory_equal(&rested, &after, sizeof(after));
	track_rig_drop(&r);
}

/* The pose's step and the motion within the frame, against both in one dense system. */
static void step_solves_the_motion_within_the_frame(void **state)
{
	(void)state;
	support_random random = {23};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	r.track.half_exposure_s = 0.008f;
	const enm_k_level *level = &r.track.levels[1];
	const double unit = 10.0 * r.def.depth_sigma_mm * r.def.depth_sigma_mm;
	const double prior = unit / ((double)level->prior_sigma_mm * (double)level->prior_sigma_mm);
	const double skew_sigma = 300.0 * 0.06 * 0.05 * 0.008, skew_prior = unit / (skew_sigma * skew_sigma);
	for (int n = 0; n < 10; n++) {
		double sums[ENM_K_SUMS_ROLLING] = {0}, h[144] = {0}, x[12] = {0};
		for (int i = 0; i < 200; i++) {
			double j[12], residual = random_in(&random, -0.02, 0.02), moment = random_in(&random, -1, 1);
			for (int a = 0; a < 6; a++) {
				j[a] = random_in(&random, -1, 1);
				j[6 + a] = moment * j[a];
			}
			for (int a = 0; a < 12; a++) {
				for (int b = 0; b < 12; b++)
					h[12 * a + b] += j[a] * j[b];
				x[a] -= j[a] * residual;
			}
			sums[ENM_K_SUM_COST] += residual * residual;
		}
		for (int a = 0; a < 6; a++) {
			for (int b = 0; b < 6; b++) {
				sums[ENM_K_SUM_H(a, b)] = h[12 * a + b];
				sums[ENM_K_SUM_SKEW(a, b)] = h[12 * (6 + a) + b];
				sums[ENM_K_SUM_SKEW2(a, b)] = h[12 * (6 + a) + 6 + b];
			}
			sums[ENM_K_SUM_GRADIENT(a)] = -x[a];
			sums[ENM_K_SUM_SKEW_GRADIENT(a)] = -x[6 + a];
			h[13 * a] += prior;
			h[13 * (6 + a)] += skew_prior;
		}
		sums[ENM_K_SUM_WEIGHT] = sums[ENM_K_SUM_INLIER] = sums[ENM_K_SUM_MODEL] = sums[ENM_K_SUM_OFFERED] = 200;
		sums[ENM_K_SUM_DEPTH] = 200 * 12.5;
		assert_true(ref_solve(12, h, x));
		track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		enm_k_track resting = track_rig_get(&r); /* where the last frame was: the motion is predicted to be none */
		resting.since_last_s = 0.05f;
		support_write(&r.track.state, &resting, sizeof(resting));
		run_step(&r, level, sums);
		const enm_k_track got = track_rig_get(&r);
		/* at the identity the unknowns are the camera's own: turns times the lever of 6.5, moves of the pivot at 13 */
		const enm_pose turned = ref_pose_make(x[0] / 6.5, x[1] / 6.5, x[2] / 6.5, 0, 0, 0);
		const ref_pose turn = ref_pose_from(&turned);
		const double pivot[3] = {0, 0, 13};
		double moved[3];
		ref_pose_rotate(&turn, pivot, moved);
		ref_pose wanted = turn;
		for (int i = 0; i < 3; i++)
			wanted.t[i] = pivot[i] - moved[i] + x[3 + i];
		track_assert_pose(&got.world_from_camera, &wanted, 2e-6, 2e-5);
		for (int i = 0; i < 3; i++)
			assert_near(got.skew[i], x[6 + i] / 6.5, 2e-6);
		assert_near(got.skew[3], x[9] - 13 * x[7] / 6.5, 2e-5);
		assert_near(got.skew[4], x[10] + 13 * x[6] / 6.5, 2e-5);
		assert_near(got.skew[5], x[11], 2e-5);
	}
	track_rig_drop(&r);
}

/* ---- what is held ---- */

/* The limit is 1.5e-3: one near it on either side. */
static double eigenvalue_of(int open, int i)
{
	return i < open ? 1.2e-3 * pow(3.0, i + 1 - open) : i == open ? 2e-3 : 0.1 * i;
}

/* A system with `open` directions that the data hardly fix, along random axes. */
static void open_system(support_random *random, int open, double sums[ENM_K_SUMS], double axes[36])
{
	for (int i = 0; i < 6; i++) {
		double length = 0.0;
		for (int a = 0; a < 6; a++)
			axes[6 * i + a] = random_normal(random);
		for (int k = 0; k < i; k++) {
			double along = 0.0;
			for (int a = 0; a < 6; a++)
				along += axes[6 * i + a] * axes[6 * k + a];
			for (int a = 0; a < 6; a++)
				axes[6 * i + a] -= along * axes[6 * k + a];
		}
		for (int a = 0; a < 6; a++)
			length += axes[6 * i + a] * axes[6 * i + a];
		for (int a = 0; a < 6; a++)
			axes[6 * i + a] /= sqrt(length);
	}
	memset(sums, 0, ENM_K_SUMS * sizeof(*sums));
	for (int i = 0; i < 6; i++) {
		const double eigenvalue = eigenvalue_of(open, i);
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				sums[ENM_K_SUM_H(a, b)] += 200 * eigenvalue * axes[6 * i + a] * axes[6 * i + b];
	}
	for (int a = 0; a < 6; a++)
		sums[ENM_K_SUM_GRADIENT(a)] = random_in(random, -0.02, 0.02);
	sums[ENM_K_SUM_COST] = 200 * 1e-4;
	sums[ENM_K_SUM_WEIGHT] = sums[ENM_K_SUM_INLIER] = sums[ENM_K_SUM_MODEL] = sums[ENM_K_SUM_OFFERED] = 200;
	sums[ENM_K_SUM_DEPTH] = 200 * 13.0;
}

static double along_axis(const float *matrix, const double *axis)
{
	double sum = 0.0;
	for (int a = 0; a < 6; a++)
		for (int b = 0; b < 6; b++)
			sum += axis[a] * (double)matrix[6 * a + b] * axis[b];
	return sum;
}

static void held_directions_are_those_of_the_least_eigenvalues(void **state)
{
	(void)state;
	support_random random = {41};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const double sigma = r.def.depth_sigma_mm / (double)r.track.levels[0].prior_sigma_mm;
	for (int n = 0; n < 21; n++) {
		double sums[ENM_K_SUMS], axes[36], least = 0.0;
		const int open = n % 7;
		open_system(&random, open, sums, axes);
		track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		run_step(&r, &r.track.levels[0], sums);
		const enm_k_track got = track_rig_get(&r);
		assert_int_equal(got.held, open);
		for (int i = 0; i < 6; i++) /* each that is open is held, no other is */
			assert_near(along_axis(got.hold, axes + 6 * i), i < open ? 2e-3 : 0.0, 2e-5);
		for (int a = 0; a < 6; a++)
			least += (double)got.held_direction[a] * axes[a];
		if (open > 0)
			assert_near(fabs(least), 1.0, 2e-3); /* the worst fixed one */
		/* along each axis the step is what the data and the prediction, where the frame is, together say */
		const double moved[6] = {6.5 * (double)(got.world_from_camera.r[7] - got.world_from_camera.r[5]) / 2,
			6.5 * (double)(got.world_from_camera.r[2] - got.world_from_camera.r[6]) / 2,
			6.5 * (double)(got.world_from_camera.r[3] - got.world_from_camera.r[1]) / 2,
			(double)got.world_from_camera.t[0] + 13.0 * (double)got.world_from_camera.r[2],
			(double)got.world_from_camera.t[1] + 13.0 * (double)got.world_from_camera.r[5],
			(double)got.world_from_camera.t[2] + 13.0 * (double)got.world_from_camera.r[8] - 13.0};
		for (int i = 0; i < 6; i++) {
			double along = 0.0, pull = 0.0;
			for (int a = 0; a < 6; a++) {
				along += moved[a] * axes[6 * i + a];
				pull -= sums[ENM_K_SUM_GRADIENT(a)] * axes[6 * i + a];
			}
			const double wanted = pull / (200 * (eigenvalue_of(open, i) + (i < open ? 2e-3 : 0.0)) + 10.0 * sigma * sigma);
			assert_near(along, wanted, 2e-3);
			if (i < open && fabs(pull) > 4e-3) /* and less than half of what the data alone would have it be */
				assert_true(fabs(along) < 0.5 * fabs(pull) / (200 * eigenvalue_of(open, i)));
		}
	}
	track_rig_drop(&r);
}

/* Where the fit is in doubt, the products of normals decide, of which only the symmetric part counts; else the shape's own matrix. */
static void held_directions_are_those_of_the_products(void **state)
{
	(void)state;
	support_random random = {47};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	for (uint32_t doubtful = 0; doubtful < 2; doubtful++) {
		double sums[ENM_K_SUMS], fixed[ENM_K_SUMS], axes[36];
		open_system(&random, 3, fixed, axes);
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < a; b++) {
				const double apart = random_in(&random, -5, 5);
				fixed[ENM_K_SUM_H(a, b)] += apart;
				fixed[ENM_K_SUM_H(b, a)] -= apart;
			}
		double others[36];
		open_system(&random, 0, sums, others);
		track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		enm_k_track before = track_rig_get(&r);
		before.doubtful = doubtful;
		support_write(&r.track.state, &before, sizeof(before));
		run_checked_step(&r, &r.track.levels[1], sums, fixed);
		const enm_k_track got = track_rig_get(&r);
		assert_int_equal(got.held, doubtful ? 3 : 0);
		assert_int_equal(got.doubtful, 1); /* its least eigenvalue, 0.002, is below four limits */
		for (int i = 0; i < 6; i++)
			assert_near(along_axis(got.hold, axes + 6 * i), doubtful && i < 3 ? 2e-3 : 0.0, 2e-5);
	}
	track_rig_drop(&r);
}

/* A direction of eigenvalue 0.0008: too little of the shape, which errs; enough where three quarters are colour's, if that agrees with the model, and as long as it does. */
static void colour_is_asked_for_less(void **state)
{
	(void)state;
	support_random random = {53};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const struct {
		double shape, color, explained;
		uint32_t held;
	} cases[] = {{8e-4, 0.0, 0.9, 1}, {2e-4, 6e-4, 0.9, 0}, {2e-4, 6e-4, 0.2, 1}, {6e-4, 2e-4, 0.9, 1}, {1e-4, 2e-4, 0.9, 1}};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		double sums[ENM_K_SUMS], axes[36], painted[ENM_K_SUMS] = {0};
		open_system(&random, 0, sums, axes);
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++) {
				sums[ENM_K_SUM_H(a, b)] += 200 * (cases[n].shape - eigenvalue_of(0, 0)) * axes[a] * axes[b];
				painted[ENM_K_SUM_H(a, b)] = 200 * cases[n].color * axes[a] * axes[b];
			}
		painted[8 * ENM_K_COLOR_EXPLAINED + 7] = cases[n].explained;
		painted[8 * ENM_K_COLOR_RESIDUAL + 7] = 1.0 - cases[n].explained;
		track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		enm_k_track before = track_rig_get(&r);
		before.colored = 1;
		support_write(&r.track.state, &before, sizeof(before));
		run_whole_step(&r, &r.track.levels[1], sums, NULL, painted, 1);
		enm_k_track got = track_rig_get(&r);
		assert_int_equal(got.held, cases[n].held);
		if (cases[n].held != 0) {
			assert_near(got.color_share, 0.0, 0.0);
			continue;
		}
		assert_near(got.color_share, 0.75, 1e-2);
		painted[8 * ENM_K_COLOR_EXPLAINED + 7] = 0.2; /* by the last step it agrees no more */
		painted[8 * ENM_K_COLOR_RESIDUAL + 7] = 0.8;
		got.done = 0;
		support_write(&r.track.state, &got, sizeof(got));
		run_whole_step(&r, &r.track.levels[1], sums, NULL, painted, 0);
		got = track_rig_get(&r);
		assert_near(got.color_share, 0.0, 0.0);
	}
	track_rig_drop(&r);
}

/* An eigenvalue of 0.002 is enough, but not after a frame that left a direction open; colour is believed all the same. */
static void more_is_asked_after_an_open_direction(void **state)
{
	(void)state;
	support_random random = {59};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	double sums[ENM_K_SUMS], axes[36];
	open_system(&random, 0, sums, axes);
	for (uint32_t wary = 0; wary < 2; wary++)
		for (uint32_t colored = 0; colored < 2; colored++) {
			track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
			enm_k_track before = track_rig_get(&r);
			before.wary = wary;
			before.colored = colored;
			support_write(&r.track.state, &before, sizeof(before));
			run_checked_step(&r, &r.track.levels[1], sums, sums);
			const enm_k_track got = track_rig_get(&r);
			const uint32_t held = wary == 1 && colored == 0 ? 1 : 0;
			assert_int_equal(got.held, held);
			assert_near(along_axis(got.hold, axes), held * 2e-3, 2e-5);
		}
	track_rig_drop(&r);
}

/* Products of nothing but noise are no matrix of a fit. */
static void all_is_held_where_the_products_fit_nothing(void **state)
{
	(void)state;
	support_random random = {53};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	double sums[ENM_K_SUMS], fixed[ENM_K_SUMS], axes[36];
	open_system(&random, 0, sums, axes);
	open_system(&random, 0, fixed, axes);
	for (int k = 0; k < 48; k++)
		fixed[k] = -fixed[k];
	track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
	enm_k_track before = track_rig_get(&r);
	before.doubtful = 1;
	support_write(&r.track.state, &before, sizeof(before));
	run_checked_step(&r, &r.track.levels[1], sums, fixed);
	const enm_k_track got = track_rig_get(&r);
	assert_int_equal(got.held, 6);
	for (int i = 0; i < 36; i++)
		assert_near(got.hold[i], i % 7 == 0 ? 2e-3 : 0.0, 1e-8);
	track_rig_drop(&r);
}

/* In the unit of readings: an eigenvalue of the data, and what the prediction adds; of what is held, the latter alone. */
static void information_of_what_is_held_is_the_predictions(void **state)
{
	(void)state;
	support_random random = {43};
	track_rig r = track_rig_make(&track_scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const double sigma = r.def.depth_sigma_mm, sigma_prediction = (double)r.track.levels[0].prior_sigma_mm;
	const double worse = fmax(1.0, 1e-4 / (sigma * sigma)); /* residuals above the noise */
	for (int open = 0; open <= 6; open++) {
		double sums[ENM_K_SUMS], axes[36];
		open_system(&random, open, sums, axes);
		track_rig_set(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		run_step(&r, &r.track.levels[0], sums);
		const enm_k_track got = track_rig_get(&r);
		for (int i = 0; i < 6; i++) {
			const double of_data = i < open ? 0.0 : 200 * (i == open ? 2e-3 : 0.1 * i) / (13.5 * sigma * sigma * worse);
			const double wanted = of_data + 1.0 / (sigma_prediction * sigma_prediction);
			assert_near(along_axis(got.information, axes + 6 * i) / wanted, 1.0, i < open ? 0.05 : 0.01);
		}
	}
	track_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(step_solves_like_the_reference), KERNEL_TEST(step_gives_up_without_inliers_and_rests_when_done),
	KERNEL_TEST(step_solves_the_motion_within_the_frame), KERNEL_TEST(held_directions_are_those_of_the_least_eigenvalues),
	KERNEL_TEST(held_directions_are_those_of_the_products), KERNEL_TEST(more_is_asked_after_an_open_direction), KERNEL_TEST(colour_is_asked_for_less),
	KERNEL_TEST(all_is_held_where_the_products_fit_nothing),
	KERNEL_TEST(information_of_what_is_held_is_the_predictions))
