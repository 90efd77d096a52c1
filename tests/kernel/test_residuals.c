/* SPDX-License-Identifier: Apache-2.0
 * The sums that a step of the alignment begins with. */
#include <math.h>
#include <stdlib.h>

#include "core/pose.h"
#include "track_rig.h"

/* The device's sums at a pose, its groups added in double: ENM_K_SUMS, or ENM_K_SUMS_ROLLING where rows are exposed one after the
 * other. */
static void launch_sums(track_rig *r, gpu_kernel *kernel, const gpu_arg *args, uint32_t count, double *out)
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

static void device_sums(track_rig *r, const enm_k_level *level, double *out)
{
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(*level),
		GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->model.table),
		GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->track.partials)};
	launch_sums(r, &r->track.k_sum_field, args, sizeof(args) / sizeof(*args), out);
}

/* Products of the model's rows with the frame's, where a fit is in doubt. */
static void compare_fixed(track_rig *r, const enm_k_level *level, const ref_sums *wanted)
{
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(*level),
		GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->model.table),
		GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->track.partials)};
	static float partials[ENM_K_SUMS_ROLLING * ENM_K_PARTIALS], before[ENM_K_SUMS_ROLLING * ENM_K_PARTIALS];
	enm_k_track state = track_rig_get(r);
	support_read(&r->track.partials, before, sizeof(before));
	for (uint32_t doubtful = 0; doubtful < 2; doubtful++) {
		state.doubtful = doubtful;
		support_write(&r->track.state, &state, sizeof(state));
		CHECK(gpu_launch(test.queue, &r->track.k_sum_fixed,
			GPU_RANGE_1D(ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, sizeof(args) / sizeof(*args)));
		support_read(&r->track.partials, partials, sizeof(partials));
		if (doubtful == 0)
			assert_memory_equal(partials, before, sizeof(before));
	}
	const double weight = wanted->s[ENM_K_SUM_WEIGHT];
	for (int i = 0; i < 36; i++) {
		double sum = 0.0;
		for (int g = ENM_K_PARTIALS_FIXED; g < ENM_K_PARTIALS; g++)
			sum += (double)partials[g * ENM_K_SUMS_ROLLING + 8 * (i / 6) + i % 6];
		assert_near(sum, wanted->fixed[i], 1e-3 * weight + wanted->unsure + 2.0);
	}
}

static void raycast_sums(track_rig *r, const enm_k_level *level, double out[ENM_K_SUMS])
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

static void compare_sums(track_rig *r, const enm_pose *pose)
{
	double sums[ENM_K_SUMS];
	ref_sums wanted;
	const enm_k_level *level = &r->track.levels[1];
	const ref_alignment how = {.stride = level->stride, .gate_mm = 0.2, .pivot_mm = 13.0};
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, NULL};
	const ref_pose exact = as_the_device_has_it(pose);
	track_rig_set(r, pose, how.gate_mm);
	device_sums(r, level, sums);
	ref_track_sums(&frame, &r->volume, &how, &exact, &wanted);
	assert_true(wanted.unsure < 10);
	assert_sums(sums, &wanted, 0.0);
	compare_fixed(r, level, &wanted);
}

/* The same with a motion within the frame. */
static void compare_sums_by_rows(track_rig *r, const enm_pose *pose, const double skew[6])
{
	double sums[ENM_K_SUMS_ROLLING];
	ref_sums wanted;
	const enm_k_level *level = &r->track.levels[1];
	const ref_alignment how = {.stride = level->stride, .gate_mm = 0.2, .pivot_mm = 13.0};
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, skew};
	const ref_pose exact = as_the_device_has_it(pose);
	track_rig_set(r, pose, how.gate_mm);
	enm_k_track state = track_rig_get(r);
	for (int i = 0; i < 6; i++)
		state.skew[i] = (float)skew[i];
	support_write(&r->track.state, &state, sizeof(state));
	device_sums(r, level, sums);
	ref_track_sums(&frame, &r->volume, &how, &exact, &wanted);
	assert_true(wanted.unsure < 10);
	assert_sums(sums, &wanted, 0.0);
	compare_fixed(r, level, &wanted);
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

static void sums_agree_with_reference(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < support_size(4, 2); i++) {
		const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
		const enm_pose off = ref_pose_make(0.025, -0.034, 0.048, 0.13, -0.12, 0.08);
		track_rig r = track_rig_make(&track_scenes[i], &truth, ENM_TRACKER_FIELD);
		compare_sums(&r, &truth);
		compare_sums(&r, &off);
		track_rig_drop(&r);
	}
}

static void sums_by_rows_agree_with_reference(void **state)
{
	(void)state;
	const double fast[6] = {0.006f, -0.005f, 0.004f, 0.1f, -0.06f, 0.05f}, still[6] = {0};
	for (uint32_t i = 0; i < support_size(4, 1); i++) {
		const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
		track_rig r = track_rig_rows(&track_scenes[i], &truth, ENM_TRACKER_FIELD, 1e-4);
		compare_sums_by_rows(&r, &truth, fast);
		compare_sums_by_rows(&r, &truth, still);
		track_rig_drop(&r);
	}
}

/* A raycast from `from` and the sums against it at `pose`. */
static void look_and_sum(track_rig *r, const enm_pose *from, const enm_pose *pose, double gate_mm, double out[ENM_K_SUMS])
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
		track_rig r = track_rig_make(&track_scenes[i], &from, ENM_TRACKER_RAYCAST);
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
		track_rig_view(&r, true);
		look_and_sum(&r, &from, &off, how.gate_mm, halved);
		/* twice in a product: three components, half a unit in the last of 11 bits each */
		assert_sums(halved, &wanted, 2.0 * sqrt(3.0) * ldexp(1.0, -12));
		assert_memory_not_equal(halved, sums, sizeof(sums));
		free(points);
		free(normals);
		track_rig_drop(&r);
	}
}

/* A plane straight ahead, the camera 0.05 mm too near: every residual is 0.05 mm against -z, nothing else moves. */
static void known_offset_from_a_plane(void **state)
{
	(void)state;
	const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0};
	const enm_pose truth = enm_pose_identity(), near = ref_pose_make(0, 0, 0, 0, 0, -0.05);
	track_rig r = track_rig_make(&plane, &truth, ENM_TRACKER_FIELD);
	double sums[ENM_K_SUMS];
	track_rig_set(&r, &near, 0.3);
	device_sums(&r, &r.track.levels[1], sums);
	const double weight = sums[ENM_K_SUM_WEIGHT];
	assert_true(sums[ENM_K_SUM_INLIER] == sums[ENM_K_SUM_OFFERED] && weight > 0.0);
	assert_near(sums[ENM_K_SUM_COST] / weight, 0.05 * 0.05, 2e-5);
	assert_near(sums[ENM_K_SUM_GRADIENT(3)] / weight, 0.0, 1e-4);
	assert_near(sums[ENM_K_SUM_GRADIENT(4)] / weight, 0.0, 1e-4);
	assert_near(sums[ENM_K_SUM_GRADIENT(5)] / weight, -0.05, 1e-4);
	assert_near(sums[ENM_K_SUM_H(5, 5)] / weight, 1.0, 1e-4);
	assert_near(sums[ENM_K_SUM_H(3, 3)] / weight, 0.0, 1e-4);
	track_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(sums_agree_with_reference), KERNEL_TEST(sums_by_rows_agree_with_reference),
	KERNEL_TEST(raycast_sums_agree_with_reference), KERNEL_TEST(known_offset_from_a_plane))
