/* SPDX-License-Identifier: Apache-2.0
 * What a frame's colour says of the pose (kernels/color.cl), against plain C in double precision. */
#include "support.h"

#include <math.h>
#include <string.h>

#include "core/pose.h"
#include "pipeline/track.h"
#include "reference/color.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

typedef struct rig {
	enm_session_def def;
	ref_volume volume;
	depth_stage depth;
	model model;
	track_stage track;
	view_stage view;
	size_t color_offset;
	uint8_t *colors;
	float *filtered, *normals;
} rig;

/* What a scene's surface looks like at a place. */
typedef double paint(const double p[3]);

static double spots(const double p[3])
{
	return 110.0 + 45.0 * sin(4.1 * p[0] + 0.4) * cos(3.3 * p[1]) + 25.0 * sin(2.3 * p[1] - 1.9 * p[0]);
}

static double stripes(const double p[3])
{
	return 110.0 + 55.0 * sin(5.0 * p[0]);
}

static double plain(const double p[3])
{
	(void)p;
	return 110.0;
}

static uint8_t level(double grey)
{
	return (uint8_t)lrint(fmin(fmax(grey, 1.0), 255.0));
}

static void paint_volume(ref_volume *v, paint *look)
{
	for (uint32_t b = 0; b < v->count; b++) {
		int block[3];
		ref_block_of_key(v->keys[b], block);
		for (int i = 0; i < 512; i++) {
			enm_k_voxel *voxel = &v->voxels[512 * (size_t)b + (size_t)i];
			const double p[3] = {VOXEL_MM * (8 * block[0] + (i & 7)), VOXEL_MM * (8 * block[1] + (i >> 3 & 7)),
				VOXEL_MM * (8 * block[2] + (i >> 6))};
			voxel->red = voxel->blue = level(0.9 * look(p));
			voxel->green = level(1.1 * look(p));
		}
	}
}

/* The frame's colours: brighter or darker than the model's, and more so to one side; one pixel in forty is a highlight. */
static void paint_frame(rig *r, const enm_pose *truth, paint *look, double exposure, uint64_t seed)
{
	support_random random = {seed};
	const ref_pose pose = ref_pose_from(truth);
	const uint32_t width = r->def.camera.width, pixels = width * r->def.camera.height;
	for (uint32_t i = 0; i < pixels; i++) {
		double ray[2], world[3];
		ref_ray(&r->def.camera, i % width, i / width, ray);
		const double z = (double)r->filtered[i], p[3] = {ray[0] * z, ray[1] * z, z};
		ref_pose_apply(&pose, p, world);
		const double light = exposure * (1.0 + 0.15 * ((double)(i % width) / width - 0.5));
		const bool glare = random_bits(&random) % 40 == 0;
		const double grey = glare ? 230.0 : light * look(world) + 2.0 * random_normal(&random);
		r->colors[3 * i] = r->colors[3 * i + 2] = level(0.9 * grey);
		r->colors[3 * i + 1] = level(1.1 * grey);
	}
	const enm_k_input header = {.dt_s = 0.033f};
	support_write(&r->depth.input[0], &header, sizeof(header));
	CHECK(gpu_write(test.queue, &r->depth.input[0], r->color_offset, r->colors, 3 * (size_t)pixels, NULL));
	CHECK(gpu_finish(test.queue));
}

static rig make_rig(const ref_scene *scene, const enm_pose *truth, paint *look)
{
	rig r = {.def = support_def(support_size(240, 96), support_size(180, 72))};
	const uint32_t n = r.def.camera.width * r.def.camera.height;
	const double reach = 8.0, low[3] = {-reach, -reach, 9}, high[3] = {reach, reach, 17};
	float *raw = support_alloc(n, 4);
	r.def.color = true;
	ref_volume_create(&r.volume, 4096, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&r.volume, scene, low, high, 9, 640);
	paint_volume(&r.volume, look);
	support_model_create(&r.model, r.volume.count + 1, 4096, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r.model, &r.volume);
	ref_scene_render(scene, &r.def.camera, truth, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	CHECK(track_create(&test.budget, &r.def, &r.track));
	CHECK(view_create(&test.budget, test.queue, &r.def, false, &r.view));
	r.color_offset = depth_color_offset(&r.depth, ENM_DEPTH_F32_MM);
	r.colors = support_alloc(n, 3);
	r.filtered = support_alloc(n, 4);
	r.normals = support_alloc(n, 16);
	support_pixels(&r.depth, r.filtered, r.normals);
	free(raw);
	return r;
}

static void drop_rig(rig *r)
{
	view_destroy(&r->view);
	track_destroy(&r->track);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	ref_volume_destroy(&r->volume);
	free(r->colors);
	free(r->filtered);
	free(r->normals);
}

static void set_state(rig *r, const enm_pose *pose, uint32_t colored)
{
	enm_k_track state = support_state(pose, ENM_K_VERDICT_TRACKED);
	state.pivot_mm = 13.0f;
	state.gate_mm = 0.3f;
	state.colored = colored;
	support_write(&r->track.state, &state, sizeof(state));
}

static enm_k_track get_state(const rig *r)
{
	enm_k_track state;
	support_read(&r->track.state, &state, sizeof(state));
	return state;
}

#define FLOATS (ENM_K_SUMS_ROLLING * ENM_K_TRACK_GROUPS)

static void sum_colors(rig *r, float partials[FLOATS])
{
	const enm_k_level *coarse = &r->track.levels[0];
	const uint32_t offset = (uint32_t)r->color_offset;
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(*coarse),
		GPU_VALUE(r->track.color_stride), GPU_VALUE(offset), GPU_BUFFER(&r->depth.rays),
		GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->depth.input[0]), GPU_BUFFER(&r->model.table),
		GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->track.partials)};
	float *all = support_alloc(2 * FLOATS, sizeof(float));
	CHECK(gpu_launch(test.queue, &r->track.k_sum_color,
		GPU_RANGE_1D(ENM_K_TRACK_GROUPS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, sizeof(args) / sizeof(*args)));
	support_read(&r->track.partials, all, 2 * FLOATS * sizeof(float));
	memcpy(partials, all + FLOATS, FLOATS * sizeof(float));
	free(all);
}

static double total(const float partials[FLOATS], int k)
{
	double sum = 0.0;
	for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
		sum += (double)partials[g * ENM_K_SUMS_ROLLING + k];
	return sum;
}

static const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0}, ball = {REF_SPHERE, 0.3, -0.2, 17.5, 5.0},
		       corner = {REF_CORNER, 0.2, 0.1, 11.5, 0.4};

static void compare(rig *r, const enm_pose *pose)
{
	float partials[FLOATS];
	ref_color_sums wanted;
	const ref_alignment how = {.stride = r->track.color_stride, .gate_mm = 0.3, .pivot_mm = 13.0};
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, NULL};
	const enm_k_pose rounded = pose_to_device(pose);
	ref_pose exact;
	for (int i = 0; i < 9; i++)
		exact.r[i] = (double)rounded.r[i];
	for (int i = 0; i < 3; i++)
		exact.t[i] = (double)rounded.t[i];
	set_state(r, pose, 1);
	sum_colors(r, partials);
	ref_color_sum(&frame, r->colors, &r->volume, &how, (double)r->depth.camera.sigma_ref_mm, &exact, &wanted);
	double trace = 0.0, steep = 0.0;
	for (int a = 0; a < 6; a++) {
		trace += wanted.s[ENM_K_SUM_H(a, a)];
		steep = fmax(steep, fabs(wanted.s[ENM_K_SUM_GRADIENT(a)]));
	}
	assert_true(wanted.parts > 8);
	assert_true(trace > 1.0);
	for (int a = 0; a < 6; a++) {
		for (int b = 0; b < 6; b++)
			assert_near(total(partials, ENM_K_SUM_H(a, b)), wanted.s[ENM_K_SUM_H(a, b)], 0.01 * trace);
		assert_near(total(partials, ENM_K_SUM_GRADIENT(a)), wanted.s[ENM_K_SUM_GRADIENT(a)], 0.02 * steep + 3e-4 * trace);
	}
	for (int k = 0; k < ENM_K_COLOR_ROWS; k++)
		assert_near(total(partials, 8 * k + 7), wanted.said[k], 0.01 * fabs(wanted.said[k]) + 1e-3);
	for (int k = ENM_K_SUM_WEIGHT; k < ENM_K_SUMS; k++) /* those are the shape's alone */
		assert_near(total(partials, k), 0.0, 0.0);
}

static void sums_agree_with_reference(void **state)
{
	(void)state;
	const ref_scene *const scenes[] = {&plane, &ball};
	const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
	const enm_pose off = ref_pose_make(0.021, -0.031, 0.052, 0.16, -0.13, 0.06);
	for (uint32_t i = 0; i < support_size(2, 1); i++) {
		rig r = make_rig(scenes[i], &truth, spots);
		paint_frame(&r, &truth, spots, 0.8, 5);
		compare(&r, &truth);
		compare(&r, &off);
		drop_rig(&r);
	}
}

/* Exposure changes, a slope of the light and highlights move the pose by nothing that matters. */
static void finds_the_place_on_a_plane(void **state)
{
	(void)state;
	const enm_pose truth = ref_pose_make(0, 0, 0.01, 0.05, -0.04, 0.0), start = enm_pose_identity();
	const double exposures[] = {1.0, 0.7, 1.4};
	const ref_pose wanted = ref_pose_from(&truth);
	rig r = make_rig(&plane, &truth, spots);
	for (uint32_t i = 0; i < support_size(3, 1); i++) {
		paint_frame(&r, &truth, spots, exposures[i], 7 + i);
		set_state(&r, &start, 0);
		CHECK(track_run(&r.track, test.queue, &r.depth, &r.model, &r.view, 0, r.color_offset));
		CHECK(gpu_finish(test.queue));
		const enm_k_track got = get_state(&r);
		const enm_pose at = pose_from_device(&got.world_from_camera);
		const ref_pose found = ref_pose_from(&at);
		assert_int_equal(got.held, 0);
		assert_int_equal(got.verdict, ENM_K_VERDICT_TRACKED);
		assert_true(1000.0 * ref_pose_shift(&found, &wanted) < 12.0);
		assert_true(1000.0 * ref_pose_angle(&found, &wanted) < 1.5);
		assert_near(got.exposure, exposures[i], 0.04 * exposures[i]);
	}
	drop_rig(&r);
}

/* Of a plane two moves and a turn are open. */
static void holds_what_colour_leaves_open(void **state)
{
	(void)state;
	paint *const looks[] = {spots, stripes, plain};
	const uint32_t held[] = {0, 1, 3};
	const enm_pose start = enm_pose_identity();
	for (uint32_t i = 0; i < 3; i++) {
		rig r = make_rig(&plane, &start, looks[i]);
		paint_frame(&r, &start, looks[i], 1.0, 11 + i);
		set_state(&r, &start, 0);
		CHECK(track_run(&r.track, test.queue, &r.depth, &r.model, &r.view, 0, r.color_offset));
		CHECK(gpu_finish(test.queue));
		const enm_k_track got = get_state(&r);
		assert_int_equal(got.held, held[i]);
		assert_int_equal(got.verdict, held[i] == 0 ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_WEAK);
		assert_int_equal(got.reason, held[i] == 0 ? ENM_K_REASON_NONE : ENM_K_REASON_DEGENERATE);
		drop_rig(&r);
	}
}

/* Where the shape fixes the pose colour is not even looked at. */
static void leaves_a_good_shape_alone(void **state)
{
	(void)state;
	const enm_pose truth = ref_pose_make(0, 0, 0.01, 0.05, -0.04, 0.0), start = enm_pose_identity();
	rig r = make_rig(&corner, &truth, spots);
	enm_k_track got[2];
	for (int colored = 0; colored < 2; colored++) {
		paint_frame(&r, &truth, spots, 1.2, 3);
		set_state(&r, &start, 1);
		CHECK(track_run(&r.track, test.queue, &r.depth, &r.model, &r.view, 0, colored ? r.color_offset : 0));
		CHECK(gpu_finish(test.queue));
		got[colored] = get_state(&r);
	}
	assert_int_equal(got[1].colored, 0);
	assert_memory_equal(&got[0].world_from_camera, &got[1].world_from_camera, sizeof(enm_k_pose));
	assert_memory_equal(got[0].information, got[1].information, sizeof(got[0].information));
	/* a small picture has too few readings to be sure */
	assert_int_equal(got[1].reason, test.small ? ENM_K_REASON_FEW_READINGS : ENM_K_REASON_NONE);
	drop_rig(&r);
}

/* A frame whose colours have nothing to do with the model's does not vouch for a pose. */
static void does_not_believe_another_picture(void **state)
{
	(void)state;
	const enm_pose start = enm_pose_identity();
	rig r = make_rig(&plane, &start, spots);
	paint_frame(&r, &start, stripes, 1.0, 19);
	set_state(&r, &start, 0);
	CHECK(track_run(&r.track, test.queue, &r.depth, &r.model, &r.view, 0, r.color_offset));
	CHECK(gpu_finish(test.queue));
	const enm_k_track got = get_state(&r);
	assert_int_equal(got.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(got.reason, ENM_K_REASON_DEGENERATE);
	drop_rig(&r);
}

static void same_bits_every_time(void **state)
{
	(void)state;
	static float first[FLOATS], again[FLOATS];
	const enm_pose truth = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
	rig r = make_rig(&ball, &truth, spots);
	paint_frame(&r, &truth, spots, 0.9, 23);
	set_state(&r, &truth, 1);
	sum_colors(&r, first);
	for (int i = 0; i < 3; i++) {
		sum_colors(&r, again);
		assert_memory_equal(first, again, sizeof(first));
	}
	assert_true(total(first, 0) > 0.0);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(sums_agree_with_reference), KERNEL_TEST(finds_the_place_on_a_plane),
	KERNEL_TEST(holds_what_colour_leaves_open), KERNEL_TEST(leaves_a_good_shape_alone),
	KERNEL_TEST(does_not_believe_another_picture), KERNEL_TEST(same_bits_every_time))
