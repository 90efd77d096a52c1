/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "pipeline/track.h"
#include "reference/linear.h"
#include "reference/track.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

/* A scene in a volume, a frame of it, and the stages. */
typedef struct rig {
	enm_session_def def;
	ref_volume volume;
	depth_stage depth;
	model model;
	track_stage track;
	view_stage view;
	float *filtered, *normals;
} rig;

static rig make_rig_rows(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker, double row_time_s)
{
	rig r = {.def = support_def(support_size(161, 35), support_size(119, 27))};
	r.def.tracker = tracker;
	r.def.row_time_s = row_time_s;
	const uint32_t n = r.def.camera.width * r.def.camera.height;
	const double reach = support_size(80, 65) * 0.1, low[3] = {-reach, -reach, 9}, high[3] = {reach, reach, 17};
	float *raw = support_alloc(n, 4);
	ref_volume_create(&r.volume, 4096, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&r.volume, scene, low, high, 9, 640);
	support_model_create(&r.model, r.volume.count + 1, 4096, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r.model, &r.volume);
	ref_scene_render(scene, &r.def.camera, truth, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	CHECK(track_create(&test.budget, &r.def, &r.track));
	CHECK(view_create(&test.budget, test.queue, &r.def, false, &r.view));
	r.filtered = support_alloc(n, 4);
	r.normals = support_alloc(n, 16);
	support_pixels(&r.depth, r.filtered, r.normals);
	free(raw);
	return r;
}

static rig make_rig(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker)
{
	return make_rig_rows(scene, truth, tracker, 0.0);
}

/* The raycast's normals in the other storage. */
static void remake_view(rig *r, bool halves)
{
	view_destroy(&r->view);
	CHECK(view_create(&test.budget, test.queue, &r->def, halves, &r->view));
}

static void drop_rig(rig *r)
{
	view_destroy(&r->view);
	track_destroy(&r->track);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	ref_volume_destroy(&r->volume);
	free(r->filtered);
	free(r->normals);
}

static void set_state(rig *r, const enm_pose *pose, double gate_mm)
{
	enm_k_track state = support_state(pose, ENM_K_VERDICT_LOST);
	state.pivot_mm = 13.0f;
	state.gate_mm = (float)gate_mm;
	support_write(&r->track.state, &state, sizeof(state));
}

static enm_k_track get_state(const rig *r)
{
	enm_k_track state;
	support_read(&r->track.state, &state, sizeof(state));
	return state;
}

/* The device's sums at a pose, its groups added in double: ENM_K_SUMS, or ENM_K_SUMS_ROLLING where rows are exposed one after the
 * other. */
static void launch_sums(rig *r, gpu_kernel *kernel, const gpu_arg *args, uint32_t count, double *out)
{
	float partials[ENM_K_SUMS_ROLLING * ENM_K_TRACK_GROUPS];
	CHECK(gpu_launch(test.queue, kernel, GPU_RANGE_1D(ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP),
		args, count));
	support_read(&r->track.partials, partials, sizeof(partials));
	for (int k = 0; k < (r->track.half_exposure_s > 0.0f ? ENM_K_SUMS_ROLLING : ENM_K_SUMS); k++) {
		out[k] = 0.0;
		for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
			out[k] += (double)partials[g * ENM_K_SUMS_ROLLING + k];
	}
}

static void device_sums(rig *r, const enm_k_level *level, double *out)
{
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(*level),
		GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->model.table),
		GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->track.partials)};
	launch_sums(r, &r->track.k_sum_field, args, sizeof(args) / sizeof(*args), out);
}

static void raycast_sums(rig *r, const enm_k_level *level, double out[ENM_K_SUMS])
{
	const int stride = r->view.stride, halves = r->view.halves;
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(*level), GPU_VALUE(stride), GPU_VALUE(halves),
		GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->view.points),
		GPU_BUFFER(&r->view.normals), GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->track.partials)};
	launch_sums(r, &r->track.k_sum_raycast, args, sizeof(args) / sizeof(*args), out);
}

/* The device has poses in floats. */
static ref_pose as_the_device_has_it(const enm_pose *pose)
{
	const enm_k_pose rounded = pose_to_device(pose);
	ref_pose exact;
	for (int i = 0; i < 9; i++)
		exact.r[i] = (double)rounded.r[i];
	for (int i = 0; i < 3; i++)
		exact.t[i] = (double)rounded.t[i];
	return exact;
}

/* `more`: what the model's normals may add, as a share of a sum's weight. */
static void assert_sums(const double sums[ENM_K_SUMS], const ref_sums *wanted, double more)
{
	assert_true(wanted->s[ENM_K_SUM_INLIER] > 0.3 * wanted->s[ENM_K_SUM_OFFERED]);
	const double slack = wanted->unsure + 2.0; /* samples at the edge of a voxel or of a threshold */
	for (int k = ENM_K_SUM_OFFERED; k <= ENM_K_SUM_FREE; k++)
		assert_near(sums[k], wanted->s[k], k == ENM_K_SUM_OFFERED ? 0.0 : slack);
	/* points of 15 mm in floats are good to 1 um, a residual of 100 um therefore to a hundredth, evenly to either
	 * side */
	const double weight = wanted->s[ENM_K_SUM_WEIGHT];
	for (int k = 0; k < ENM_K_SUM_DEPTH; k++) {
		const double share = k < ENM_K_SUM_WEIGHT && k % 8 != 6 ? 1e-3 : 1e-4;
		assert_near(sums[k], wanted->s[k], (share + more) * weight + slack);
	}
	assert_near(sums[ENM_K_SUM_DEPTH], wanted->s[ENM_K_SUM_DEPTH], 1e-5 * wanted->s[ENM_K_SUM_DEPTH]);
}

static void compare_sums(rig *r, const enm_pose *pose)
{
	double sums[ENM_K_SUMS];
	ref_sums wanted;
	const enm_k_level *level = &r->track.levels[1];
	const ref_alignment how = {.stride = level->stride, .gate_mm = 0.2, .pivot_mm = 13.0};
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, NULL};
	const ref_pose exact = as_the_device_has_it(pose);
	set_state(r, pose, how.gate_mm);
	device_sums(r, level, sums);
	ref_track_sums(&frame, &r->volume, &how, &exact, &wanted);
	assert_true(wanted.unsure < 10);
	assert_sums(sums, &wanted, 0.0);
}

/* The same with a motion within the frame. */
static void compare_sums_by_rows(rig *r, const enm_pose *pose, const double skew[6])
{
	double sums[ENM_K_SUMS_ROLLING];
	ref_sums wanted;
	const enm_k_level *level = &r->track.levels[1];
	const ref_alignment how = {.stride = level->stride, .gate_mm = 0.2, .pivot_mm = 13.0};
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, skew};
	const ref_pose exact = as_the_device_has_it(pose);
	set_state(r, pose, how.gate_mm);
	enm_k_track state = get_state(r);
	for (int i = 0; i < 6; i++)
		state.skew[i] = (float)skew[i];
	support_write(&r->track.state, &state, sizeof(state));
	device_sums(r, level, sums);
	ref_track_sums(&frame, &r->volume, &how, &exact, &wanted);
	assert_true(wanted.unsure < 10);
	assert_sums(sums, &wanted, 0.0);
	const double slack = wanted.unsure + 2.0, weight = wanted.s[ENM_K_SUM_WEIGHT];
	double largest = 0.0;
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++) {
			assert_near(sums[ENM_K_SUM_SKEW(a, b)], wanted.s[ENM_K_SUM_SKEW(a, b)], 1e-3 * weight + slack);
			assert_near(sums[ENM_K_SUM_SKEW2(a, b)], wanted.s[ENM_K_SUM_SKEW2(a, b)], 1e-3 * weight + slack);
			largest = fmax(largest, wanted.s[ENM_K_SUM_SKEW2(a, b)]);
		}
		assert_near(sums[ENM_K_SUM_SKEW_GRADIENT(a)], wanted.s[ENM_K_SUM_SKEW_GRADIENT(a)], 1e-4 * weight + slack);
	}
	if (!(largest > 0.03 * weight && largest > 2.0 * slack)) /* else nothing was compared */
		fail_msg("the largest of the moments' sums is %g of %g, with a slack of %g", largest, weight, slack);
}

static const ref_scene scenes[] = {
	{REF_BUMPS, 13.0, 0.7, 1.1, 0.9},
	{REF_SPHERE, 0.3, -0.2, 16.0, 3.5},
	{REF_CORNER, 0.2, 0.1, 11.5, 0.4},
	{REF_PLANE, 0.3, -0.2, -0.9327379, -0.9327379 * 13.0},
};

static void sums_agree_with_reference(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < support_size(4, 2); i++) {
		const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
		const enm_pose off = ref_pose_make(0.025, -0.034, 0.048, 0.13, -0.12, 0.08);
		rig r = make_rig(&scenes[i], &truth, ENM_TRACKER_FIELD);
		compare_sums(&r, &truth);
		compare_sums(&r, &off);
		drop_rig(&r);
	}
}

static void sums_by_rows_agree_with_reference(void **state)
{
	(void)state;
	const double fast[6] = {0.006f, -0.005f, 0.004f, 0.1f, -0.06f, 0.05f}, still[6] = {0};
	for (uint32_t i = 0; i < support_size(4, 1); i++) {
		const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
		rig r = make_rig_rows(&scenes[i], &truth, ENM_TRACKER_FIELD, 1e-4);
		compare_sums_by_rows(&r, &truth, fast);
		compare_sums_by_rows(&r, &truth, still);
		drop_rig(&r);
	}
}

/* A raycast from `from` and the sums against it at `pose`. */
static void look_and_sum(rig *r, const enm_pose *from, const enm_pose *pose, double gate_mm, double out[ENM_K_SUMS])
{
	enm_k_track state = support_state(from, ENM_K_VERDICT_TRACKED);
	support_write(&r->track.state, &state, sizeof(state));
	CHECK(view_follow(&r->view, test.queue, &r->depth, &r->model, &r->track.state));
	state.world_from_camera = pose_to_device(pose);
	state.pivot_mm = 13.0f;
	state.gate_mm = (float)gate_mm;
	support_write(&r->track.state, &state, sizeof(state));
	raycast_sums(r, &r->track.levels[1], out);
}

/* Against the raycast with its normals as floats, in double: what halves make of them is a rounding to 11 bits. */
static void raycast_sums_agree_with_reference(void **state)
{
	(void)state;
	const enm_pose from = ref_pose_make(0.0213, -0.0317, 0.0521, 0.107, -0.093, 0.047);
	const enm_pose off = ref_pose_make(0.025, -0.034, 0.048, 0.13, -0.12, 0.08);
	const ref_pose exact = as_the_device_has_it(&off);
	for (uint32_t i = 0; i < support_size(4, 2); i++) {
		double sums[ENM_K_SUMS], halved[ENM_K_SUMS];
		ref_sums wanted;
		rig r = make_rig(&scenes[i], &from, ENM_TRACKER_RAYCAST);
		const size_t n = (size_t)r.view.width * r.view.height;
		const ref_alignment how = {.stride = r.track.levels[1].stride, .gate_mm = 0.2, .pivot_mm = 13.0};
		const ref_frame frame = {&r.def.camera, r.filtered, r.normals, NULL};
		float *points = support_alloc(n, 16), *normals = support_alloc(n, 16);
		look_and_sum(&r, &from, &off, how.gate_mm, sums);
		support_read(&r.view.points, points, n * 16);
		support_normals(&r.view, normals);
		const ref_raycast view = {
			r.view.width, r.view.height, r.view.stride, points, normals, as_the_device_has_it(&from)};
		ref_track_sums_raycast(&frame, &view, &how, &exact, &wanted);
		assert_true(wanted.unsure < 20); /* two coordinates each, which may be a 10,000th from the next pixel */
		assert_sums(sums, &wanted, 0.0);
		remake_view(&r, true);
		look_and_sum(&r, &from, &off, how.gate_mm, halved);
		/* twice in a product: three components, half a unit in the last of 11 bits each */
		assert_sums(halved, &wanted, 2.0 * sqrt(3.0) * ldexp(1.0, -12));
		assert_memory_not_equal(halved, sums, sizeof(sums));
		free(points);
		free(normals);
		drop_rig(&r);
	}
}

/* A plane straight ahead, the camera 0.05 mm too near: every residual is 0.05 mm against -z, nothing else moves. */
static void known_offset_from_a_plane(void **state)
{
	(void)state;
	const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0};
	const enm_pose truth = enm_pose_identity(), near = ref_pose_make(0, 0, 0, 0, 0, -0.05);
	rig r = make_rig(&plane, &truth, ENM_TRACKER_FIELD);
	double sums[ENM_K_SUMS];
	set_state(&r, &near, 0.3);
	device_sums(&r, &r.track.levels[1], sums);
	const double weight = sums[ENM_K_SUM_WEIGHT];
	assert_true(sums[ENM_K_SUM_INLIER] == sums[ENM_K_SUM_OFFERED] && weight > 0.0);
	assert_near(sums[ENM_K_SUM_COST] / weight, 0.05 * 0.05, 2e-5);
	assert_near(sums[ENM_K_SUM_GRADIENT(3)] / weight, 0.0, 1e-4);
	assert_near(sums[ENM_K_SUM_GRADIENT(4)] / weight, 0.0, 1e-4);
	assert_near(sums[ENM_K_SUM_GRADIENT(5)] / weight, -0.05, 1e-4);
	assert_near(sums[ENM_K_SUM_H(5, 5)] / weight, 1.0, 1e-4);
	assert_near(sums[ENM_K_SUM_H(3, 3)] / weight, 0.0, 1e-4);
	drop_rig(&r);
}

/* ---- step ---- */

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
static void run_step(rig *r, const enm_k_level *level, const double *sums)
{
	float partials[ENM_K_SUMS_ROLLING * ENM_K_TRACK_GROUPS] = {0};
	const float sigma_ref_mm = r->depth.camera.sigma_ref_mm;
	const int first = 1, color = 0;
	for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
		for (int k = 0; k < (r->track.half_exposure_s > 0.0f ? ENM_K_SUMS_ROLLING : ENM_K_SUMS); k++)
			partials[g * ENM_K_SUMS_ROLLING + k] = (float)(sums[k] / ENM_K_TRACK_GROUPS);
	support_write(&r->track.partials, partials, sizeof(partials));
	const gpu_arg args[] = {GPU_VALUE(*level), GPU_VALUE(r->model.volume.voxel_mm), GPU_VALUE(sigma_ref_mm),
		GPU_VALUE(r->track.half_exposure_s), GPU_VALUE(first), GPU_VALUE(color), GPU_BUFFER(&r->track.partials),
		GPU_BUFFER(&r->track.sums), GPU_BUFFER(&r->track.state)};
	CHECK(gpu_launch(test.queue, &r->track.k_step, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args,
		sizeof(args) / sizeof(*args)));
	CHECK(gpu_finish(test.queue));
}

static void assert_pose(const enm_k_pose *got, const ref_pose *wanted, double angle, double shift_mm)
{
	for (int i = 0; i < 9; i++)
		assert_near(got->r[i], wanted->r[i], angle);
	for (int i = 0; i < 3; i++)
		assert_near(got->t[i], wanted->t[i], shift_mm);
}

static void step_solves_like_the_reference(void **state)
{
	(void)state;
	support_random random = {3};
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	for (int n = 0; n < 20; n++) {
		double sums[ENM_K_SUMS];
		const enm_k_level *level = &r.track.levels[n & 1];
		const enm_pose pose = ref_pose_make(
			random_in(&random, -1, 1), random_in(&random, -1, 1), 0.3, 5, random_in(&random, -9, 9), 2);
		const ref_pose exact = ref_pose_from(&pose);
		random_system(&random, sums);
		set_state(&r, &pose, 0.2);
		run_step(&r, level, sums);
		const double sigma = r.def.depth_sigma_mm / (double)level->prior_sigma_mm;
		const ref_pose wanted = ref_track_step(
			sums, &exact, &exact, 13.0, 10.0 * sigma * sigma, 2.0 * (double)level->gate_start_mm);
		const enm_k_track got = get_state(&r);
		assert_pose(&got.world_from_camera, &wanted, 2e-6, 2e-5); /* floats near 1 and near 20 */
		assert_near(got.rms_mm, sqrt(sums[ENM_K_SUM_COST] / sums[ENM_K_SUM_WEIGHT]), 1e-6);
		assert_near(got.pivot_mm, 12.5, 1e-5);
		assert_int_equal(got.iterations, 1);
	}
	drop_rig(&r);
}

static void step_gives_up_without_inliers_and_rests_when_done(void **state)
{
	(void)state;
	double sums[ENM_K_SUMS] = {0};
	const enm_pose pose = ref_pose_make(0.1, 0.2, 0.3, 1, 2, 3);
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	set_state(&r, &pose, 0.2);
	const enm_k_track before = get_state(&r);
	run_step(&r, &r.track.levels[0], sums);
	const enm_k_track after = get_state(&r);
	assert_int_equal(after.done & ENM_K_DONE_ALL, ENM_K_DONE_ALL);
	assert_true(isinf(after.step)); /* which the gate does not take for settled */
	assert_memory_equal(&after.world_from_camera, &before.world_from_camera, sizeof(before.world_from_camera));
	support_random random = {5};
	random_system(&random, sums);
	run_step(&r, &r.track.levels[0], sums);
	const enm_k_track rested = get_state(&r);
	assert_memory_equal(&rested, &after, sizeof(after));
	drop_rig(&r);
}

/* ---- the whole alignment ---- */

static enm_k_track align(rig *r, const enm_pose *from)
{
	set_state(r, from, 0.0);
	if (r->def.tracker == ENM_TRACKER_RAYCAST) {
		enm_k_track seen = get_state(r);
		seen.verdict = ENM_K_VERDICT_TRACKED;
		support_write(&r->track.state, &seen, sizeof(seen));
		CHECK(view_follow(&r->view, test.queue, &r->depth, &r->model, &r->track.state));
	}
	const enm_k_input input = {.dt_s = 0.033f};
	support_write(&r->depth.input[0], &input, sizeof(input));
	CHECK(track_run(&r->track, test.queue, &r->depth, &r->model, &r->view, 0, 0));
	return get_state(r);
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
		rig r = make_rig(&scenes[0], &truth, way == 0 ? ENM_TRACKER_FIELD : ENM_TRACKER_RAYCAST);
		if (way == 2)
			remake_view(&r, true);
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
		drop_rig(&r);
	}
}

static void plane_is_degenerate(void **state)
{
	(void)state;
	const enm_pose truth = enm_pose_identity();
	rig r = make_rig(&scenes[3], &truth, ENM_TRACKER_FIELD);
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
	drop_rig(&r);
}

static void empty_model_has_no_overlap(void **state)
{
	(void)state;
	const enm_pose truth = enm_pose_identity();
	rig r = make_rig(&scenes[0], &truth, ENM_TRACKER_FIELD);
	CHECK(model_clear(&r.model, test.queue));
	const enm_k_track got = align(&r, &truth);
	assert_int_equal(got.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(got.reason, ENM_K_REASON_NO_OVERLAP);
	assert_true(got.world_from_camera.t[2] == 0.0f);
	drop_rig(&r);
}

static enm_k_track predict(rig *r, const enm_k_track *from, const enm_k_input *input, float half_exposure_s)
{
	const float pivot_mm = 13.0f;
	support_write(&r->track.state, from, sizeof(*from));
	support_write(&r->depth.input[1], input, sizeof(*input));
	const gpu_arg args[] = {GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->depth.input[1]), GPU_VALUE(pivot_mm),
		GPU_VALUE(half_exposure_s)};
	CHECK(gpu_launch(test.queue, &r->track.k_predict, GPU_RANGE_1D(1, 1), args, 4));
	return get_state(r);
}

static void prediction_keeps_the_course(void **state)
{
	(void)state;
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
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
		const enm_k_track got = predict(&r, &s, &input, 0.01f);
		const enm_pose turned = ref_pose_make(0, 0, acos(-1.0) / 2 + wanted_turn[i], 1, wanted_y[i], 3);
		const ref_pose wanted = ref_pose_from(&turned);
		assert_pose(&got.predicted, &wanted, 1e-6, 1e-6);
		assert_memory_equal(&got.predicted, &got.world_from_camera, sizeof(got.predicted));
		assert_int_equal(got.frames, 2);
		assert_near(got.skew[3], 0.1, 1e-6); /* in half a frame's exposure */
		assert_near(got.skew[2], 0.004, 1e-7);
	}
	drop_rig(&r);
}

/* A gyroscope that is sure of its turn replaces the velocity's, and leaves the move as it goes on; what it is unsure of counts little. */
static void prediction_heeds_what_is_known(void **state)
{
	(void)state;
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const double turn_sigma_rad[] = {1e-4, 10.0}, wanted_turn[] = {0.03, 0.02};
	for (int i = 0; i < 2; i++) {
		enm_k_track s = support_state(&(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_K_VERDICT_TRACKED);
		s.pivot_mm = 13.0f;
		s.velocity[3] = 10.0f;
		s.velocity[2] = 0.4f;
		enm_k_input input = {.dt_s = 0.05f, .has_motion = 1.0f, .motion = {0, 0, 0.03f, 9, 9, 9}};
		for (int k = 0; k < 3; k++)
			input.information[7 * k] = (float)(1.0 / (turn_sigma_rad[i] * turn_sigma_rad[i]));
		const enm_k_track got = predict(&r, &s, &input, 0.0f);
		const enm_pose turned = ref_pose_make(0, 0, wanted_turn[i], 0.5, 0, 0);
		const ref_pose wanted = ref_pose_from(&turned);
		assert_pose(&got.predicted, &wanted, 1e-4, 1e-6);
		/* and as a prior of the solve, about the pivot: 1 / (sigma x lever)^2 */
		const double per = 1.0 / (turn_sigma_rad[i] * 6.5);
		assert_near((double)got.prior[14] / (per * per), 1.0, 1e-4);
		assert_near(got.prior[35], 0.0, 1e-6);
	}
	drop_rig(&r);
}

/* The pose's step and the motion within the frame, against both in one dense system. */
static void step_solves_the_motion_within_the_frame(void **state)
{
	(void)state;
	support_random random = {23};
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
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
		set_state(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		enm_k_track resting = get_state(&r); /* where the last frame was: the motion is predicted to be none */
		resting.since_last_s = 0.05f;
		support_write(&r.track.state, &resting, sizeof(resting));
		run_step(&r, level, sums);
		const enm_k_track got = get_state(&r);
		/* at the identity the unknowns are the camera's own: turns times the lever of 6.5, moves of the pivot at 13 */
		const enm_pose turned = ref_pose_make(x[0] / 6.5, x[1] / 6.5, x[2] / 6.5, 0, 0, 0);
		const ref_pose turn = ref_pose_from(&turned);
		const double pivot[3] = {0, 0, 13};
		double moved[3];
		ref_pose_rotate(&turn, pivot, moved);
		ref_pose wanted = turn;
		for (int i = 0; i < 3; i++)
			wanted.t[i] = pivot[i] - moved[i] + x[3 + i];
		assert_pose(&got.world_from_camera, &wanted, 2e-6, 2e-5);
		for (int i = 0; i < 3; i++)
			assert_near(got.skew[i], x[6 + i] / 6.5, 2e-6);
		assert_near(got.skew[3], x[9] - 13 * x[7] / 6.5, 2e-5);
		assert_near(got.skew[4], x[10] + 13 * x[6] / 6.5, 2e-5);
		assert_near(got.skew[5], x[11], 2e-5);
	}
	drop_rig(&r);
}

/* ---- what is held ---- */

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
		/* the limit is 1.5e-3: one near it on either side */
		const double eigenvalue = i < open ? 1.2e-3 * pow(3.0, i + 1 - open) : i == open ? 2e-3 : 0.1 * i;
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
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	for (int n = 0; n < 21; n++) {
		double sums[ENM_K_SUMS], axes[36], least = 0.0;
		const int open = n % 7;
		open_system(&random, open, sums, axes);
		set_state(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		run_step(&r, &r.track.levels[0], sums);
		const enm_k_track got = get_state(&r);
		assert_int_equal(got.held, open);
		for (int i = 0; i < 6; i++) /* each that is open is held fast, no other is touched */
			assert_near(along_axis(got.hold, axes + 6 * i), i < open ? 10.0 : 0.0, 0.1);
		for (int a = 0; a < 6; a++)
			least += (double)got.held_direction[a] * axes[a];
		if (open > 0)
			assert_near(fabs(least), 1.0, 2e-3); /* the worst fixed one */
		/* the step goes nowhere along them */
		const double moved[6] = {6.5 * (double)(got.world_from_camera.r[7] - got.world_from_camera.r[5]) / 2,
			6.5 * (double)(got.world_from_camera.r[2] - got.world_from_camera.r[6]) / 2,
			6.5 * (double)(got.world_from_camera.r[3] - got.world_from_camera.r[1]) / 2,
			(double)got.world_from_camera.t[0] + 13.0 * (double)got.world_from_camera.r[2],
			(double)got.world_from_camera.t[1] + 13.0 * (double)got.world_from_camera.r[5],
			(double)got.world_from_camera.t[2] + 13.0 * (double)got.world_from_camera.r[8] - 13.0};
		double size = 0.0;
		for (int i = 0; i < 6; i++) {
			double along = 0.0;
			for (int a = 0; a < 6; a++)
				along += moved[a] * axes[6 * i + a];
			size = fmax(size, fabs(along));
			if (i < open)
				assert_near(along, 0.0, 4e-3); /* of up to 0.05 where nothing is held */
		}
		assert_true(open == 6 || size > 1e-4);
	}
	drop_rig(&r);
}

/* In the unit of readings: an eigenvalue of the data, and what the prediction adds; of what is held, the latter alone. */
static void information_of_what_is_held_is_the_predictions(void **state)
{
	(void)state;
	support_random random = {43};
	rig r = make_rig(&scenes[3], &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, ENM_TRACKER_FIELD);
	const double sigma = r.def.depth_sigma_mm, sigma_prediction = (double)r.track.levels[0].prior_sigma_mm;
	const double worse = fmax(1.0, 1e-4 / (sigma * sigma)); /* residuals above the noise */
	for (int open = 0; open <= 6; open++) {
		double sums[ENM_K_SUMS], axes[36];
		open_system(&random, open, sums, axes);
		set_state(&r, &(enm_pose){.q_xyzw = {0, 0, 0, 1}}, 0.2);
		run_step(&r, &r.track.levels[0], sums);
		const enm_k_track got = get_state(&r);
		for (int i = 0; i < 6; i++) {
			const double of_data = i < open ? 0.0 : 200 * (i == open ? 2e-3 : 0.1 * i) / (13.5 * sigma * sigma * worse);
			const double wanted = of_data + 1.0 / (sigma_prediction * sigma_prediction);
			assert_near(along_axis(got.information, axes + 6 * i) / wanted, 1.0, i < open ? 0.05 : 0.01);
		}
	}
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(sums_agree_with_reference), KERNEL_TEST(raycast_sums_agree_with_reference),
	KERNEL_TEST(known_offset_from_a_plane), KERNEL_TEST(step_solves_like_the_reference),
	KERNEL_TEST(step_gives_up_without_inliers_and_rests_when_done), KERNEL_TEST(converges_to_the_truth),
	KERNEL_TEST(plane_is_degenerate), KERNEL_TEST(empty_model_has_no_overlap),
	KERNEL_TEST(prediction_keeps_the_course), KERNEL_TEST(prediction_heeds_what_is_known),
	KERNEL_TEST(step_solves_the_motion_within_the_frame), KERNEL_TEST(sums_by_rows_agree_with_reference),
	KERNEL_TEST(held_directions_are_those_of_the_least_eigenvalues), KERNEL_TEST(information_of_what_is_held_is_the_predictions))
