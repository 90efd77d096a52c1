/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "pipeline/fuse.h"
#include "reference/fuse.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	model model;
	fuse_stage fuse;
	gpu_buffer state;
	ref_volume volume; /* as read back */
	float *filtered, *normals;
	uint8_t *colors;
} rig;

/* The depth stage of the rig has read a float picture from slot 0. */
static size_t color_offset(const rig *r)
{
	return depth_color_offset(&r->depth, ENM_DEPTH_F32_MM);
}

static void send_colors(rig *r)
{
	CHECK(gpu_write(test.queue, &r->depth.input[0], color_offset(r), r->colors, (size_t)r->depth.pixels * 3, NULL));
	CHECK(gpu_finish(test.queue));
}

/* A hand at 30 mm/s and 60 degrees a second for 8 ms. */
static const double fast_hand[6] = {0.006, -0.005, 0.004, 0.2, -0.12, 0.08};

static void set_skew(enm_k_track *state, const double *skew)
{
	for (int i = 0; i < 6 && skew != NULL; i++)
		state->skew[i] = (float)skew[i];
}

/* A model with `blocks` of `volume`, and a frame; `skew` as in ref_frame. */
static rig make_rig_rows(const ref_scene *scene, const enm_pose *pose, const double *skew, const ref_volume *volume, uint32_t width,
	uint32_t height, uint64_t seed)
{
	rig r = {.def = support_def(width, height)};
	support_random random = {seed};
	const uint32_t n = width * height;
	enm_k_track state = support_state(pose, ENM_K_VERDICT_TRACKED);
	float *raw = support_alloc(n, 4);
	set_skew(&state, skew);
	r.def.row_time_s = skew != NULL ? 1e-4 : 0.0;
	r.def.color = true;
	r.filtered = support_alloc(n, 4);
	r.normals = support_alloc(n, 16);
	r.colors = support_alloc(n, 3);
	for (uint32_t i = 0; i < 3 * n; i++)
		r.colors[i] = (uint8_t)random_bits(&random);
	ref_scene_render(scene, &r.def.camera, pose, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	send_colors(&r);
	support_pixels(&r.depth, r.filtered, r.normals);
	support_model_create(&r.model, volume->capacity, 256, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r.model, volume);
	CHECK(fuse_create(&test.budget, test.queue, &r.model, &r.fuse));
	if (test.small)
		r.fuse.groups = 3;
	support_state_create(&r.state, &state);
	ref_volume_create(&r.volume, volume->capacity, VOXEL_MM, TRUNCATION_MM);
	free(raw);
	return r;
}

static rig make_rig(
	const ref_scene *scene, const enm_pose *pose, const ref_volume *volume, uint32_t width, uint32_t height, uint64_t seed)
{
	return make_rig_rows(scene, pose, NULL, volume, width, height, seed);
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	fuse_destroy(&r->fuse);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	ref_volume_destroy(&r->volume);
	free(r->filtered);
	free(r->normals);
	free(r->colors);
}

static void run(rig *r, bool has_color)
{
	CHECK(fuse_run(&r->fuse, test.queue, &r->depth, &r->model, &r->state, 0, has_color ? color_offset(r) : 0));
	CHECK(gpu_finish(test.queue));
	support_model_read(&r->model, &r->volume);
}

/* Blocks of a box, empty. */
static void add_box(ref_volume *v, const int low[3], const int high[3])
{
	for (int z = low[2]; z <= high[2]; z++)
		for (int y = low[1]; y <= high[1]; y++)
			for (int x = low[0]; x <= high[0]; x++)
				ref_volume_add(v, ref_key(x, y, z));
}

static const ref_scene wall = {REF_PLANE, 0, 0, -1, -13.0};

/* The blocks around the middle of the wall at z = 13 mm, which is voxel 130. */
static rig wall_rig(void)
{
	ref_volume v;
	const int low[3] = {-1, -1, 14}, high[3] = {0, 0, 17};
	const enm_pose eye = enm_pose_identity();
	ref_volume_create(&v, 32, VOXEL_MM, TRUNCATION_MM);
	add_box(&v, low, high);
	rig r = make_rig(&wall, &eye, &v, 65, 49, 1);
	ref_volume_destroy(&v);
	return r;
}

static void one_reading_gives_its_distance(void **state)
{
	(void)state;
	rig r = wall_rig();
	run(&r, true);
	/* reference distance, straight on: a weight of 64; voxel 128 lies 0.2 mm = half a truncation before the wall */
	const enm_k_voxel *before = ref_volume_at(&r.volume, 0, 0, 128), *on = ref_volume_at(&r.volume, 0, 0, 130);
	assert_near(before->sdf, 16384, 8);
	assert_near(on->sdf, 0, 8);
	assert_near(before->weight, 64, 1);
	assert_int_equal(before->views, 1);
	/* a quarter of a truncation behind whole, half of one behind half, three quarters behind the least there is */
	const enm_k_voxel *deep = ref_volume_at(&r.volume, 0, 0, 135);
	const double weights[] = {64, 32, 1};
	for (int i = 0; i < 3; i++) {
		const enm_k_voxel *behind = ref_volume_at(&r.volume, 0, 0, 131 + i);
		assert_near(behind->sdf, -8192 * (i + 1), 8);
		assert_near(behind->weight, weights[i], i < 2 ? 1 : 0);
	}
	assert_int_equal(deep->weight, 0);
	assert_int_equal(deep->views, 0);
	/* free space: full distance, a quarter of the weight, no view */
	const enm_k_voxel *front = ref_volume_at(&r.volume, 0, 0, 120);
	assert_int_equal(front->sdf, 32767);
	assert_near(front->weight, 16, 1);
	assert_int_equal(front->views, 0);
	drop_rig(&r);
}

/* Where the distance passes zero between two voxels of the axis, in mm. */
static double crossing(const rig *r, int first)
{
	const double a = ref_volume_at(&r->volume, 0, 0, first)->sdf;
	const double b = ref_volume_at(&r->volume, 0, 0, first + 1)->sdf;
	assert_true((a > 0.0) != (b > 0.0));
	return VOXEL_MM * (first + a / (a - b));
}

/* Each side of a wall of 0.3 mm, seen in turns, has a depth of its own; the other side's frames must not thicken it. */
static void thin_wall_keeps_its_thickness(void **state)
{
	(void)state;
	const enm_pose poses[] = {enm_pose_identity(), ref_pose_make(0, acos(-1.0), 0, 0, 0, 26.34)};
	const ref_scene sides[] = {{REF_PLANE, 0, 0, -1, -13.02}, {REF_PLANE, 0, 0, 1, 13.32}};
	rig r = wall_rig();
	const size_t n_pixels = r.depth.pixels;
	float *raw = support_alloc(n_pixels, 4);
	for (int n = 0; n < 6; n++) {
		const enm_k_track view = support_state(&poses[n % 2], ENM_K_VERDICT_TRACKED);
		ref_scene_render(&sides[n % 2], &r.def.camera, &poses[n % 2], 60.0, raw);
		CHECK(gpu_write(test.queue, &r.depth.input[0], ENM_K_INPUT_DEPTH, raw, n_pixels * 4, NULL));
		CHECK(depth_run(&r.depth, test.queue, 0, ENM_DEPTH_F32_MM));
		support_write(&r.state, &view, sizeof(view));
		run(&r, false);
	}
	/* what is left: a voxel 0.22 mm behind the other side still takes 0.3 of a reading from there, which moves this side by 5 um */
	assert_near(crossing(&r, 130), 13.02, 0.01);
	assert_near(crossing(&r, 133), 13.32, 0.01);
	free(raw);
	drop_rig(&r);
}

static void readings_are_averaged(void **state)
{
	(void)state;
	rig r = wall_rig();
	run(&r, false);
	for (int n = 0; n < 3; n++)
		run(&r, false);
	const enm_k_voxel *v = ref_volume_at(&r.volume, 0, 0, 128);
	assert_near(v->sdf, 16384, 8); /* the same reading four times */
	assert_near(v->weight, 4 * 64, 4);
	assert_int_equal(v->views, 4);
	/* three of four at the old place, one 0.1 mm farther off: a quarter of a quarter truncation more */
	const enm_pose back = ref_pose_make(0, 0, 0, 0, 0, 0.1);
	const enm_k_track moved = support_state(&back, ENM_K_VERDICT_TRACKED);
	support_write(&r.state, &moved, sizeof(moved));
	run(&r, false);
	v = ref_volume_at(&r.volume, 0, 0, 128);
	assert_near(v->sdf, 16384 + 32767 * 0.25 / 5, 60);
	drop_rig(&r);
}

static void counts_saturate(void **state)
{
	(void)state;
	rig r = wall_rig();
	support_model_read(&r.model, &r.volume);
	for (uint32_t i = 0; i < r.volume.count * ENM_K_BLOCK_VOXELS; i++)
		r.volume.voxels[i] = (enm_k_voxel){.sdf = 16000, .weight = 65530, .views = 254};
	support_model_load(&r.model, &r.volume);
	for (int n = 0; n < 3; n++)
		run(&r, false);
	const enm_k_voxel *v = ref_volume_at(&r.volume, 0, 0, 128);
	assert_int_equal(v->weight, 65535);
	assert_int_equal(v->views, 255);
	assert_true(v->sdf >= 16000 && v->sdf < 16010);
	drop_rig(&r);
}

static void color_is_averaged(void **state)
{
	(void)state;
	rig r = wall_rig();
	const uint8_t shades[] = {200, 100};
	for (int n = 0; n < 2; n++) {
		memset(r.colors, shades[n], 65 * 49 * 3);
		send_colors(&r);
		run(&r, true);
	}
	const enm_k_voxel *v = ref_volume_at(&r.volume, 0, 0, 130);
	assert_near(v->red, 150, 1);
	assert_near(v->green, 150, 1);
	assert_near(v->blue, 150, 1);
	drop_rig(&r);
}

static void frame_that_is_not_tracked_changes_nothing(void **state)
{
	(void)state;
	rig r = wall_rig();
	const enm_pose eye = enm_pose_identity();
	const enm_k_track weak = support_state(&eye, ENM_K_VERDICT_WEAK);
	support_write(&r.state, &weak, sizeof(weak));
	run(&r, true);
	for (uint32_t i = 0; i < r.volume.count * ENM_K_BLOCK_VOXELS; i++)
		assert_int_equal(r.volume.voxels[i].weight, 0);
	drop_rig(&r);
}

/* ---- against the reference ---- */

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.9, 0.9, 1.1};

/* A random choice of blocks in and around the view, voxels of random content. */
static void random_volume(ref_volume *v, uint32_t count, uint64_t seed)
{
	support_random random = {seed};
	ref_volume_create(v, count, VOXEL_MM, TRUNCATION_MM);
	while (v->count < count) {
		const int b[3] = {(int)floor(random_in(&random, -11, 11)), (int)floor(random_in(&random, -9, 9)),
			(int)floor(random_in(&random, 8, 24))};
		if (ref_volume_find(v, b[0], b[1], b[2]) != REF_NONE)
			continue;
		const uint32_t block = ref_volume_add(v, ref_key(b[0], b[1], b[2]));
		for (size_t i = 0; i < ENM_K_BLOCK_VOXELS; i++)
			v->voxels[block * ENM_K_BLOCK_VOXELS + i] = (enm_k_voxel){
				.sdf = (int16_t)random_in(&random, -32767, 32767),
				.weight = (uint16_t)(random_bits(&random) % 3000),
				.red = (uint8_t)random_bits(&random),
				.green = (uint8_t)random_bits(&random),
				.blue = (uint8_t)random_bits(&random),
				.views = (uint8_t)random_bits(&random),
			};
	}
}

static void compare_voxel(const ref_fused *wanted, const enm_k_voxel *got)
{
	/* distance: points of 20 mm in floats are good to 2e-6 mm times a few, of 0.4 mm, in 32767 steps, and rounding
	 */
	assert_near(got->sdf, wanted->sdf, 2.0);
	assert_near(got->weight, wanted->weight, 0.01);
	assert_near(got->red, wanted->rgb[0], 1.01);
	assert_near(got->green, wanted->rgb[1], 1.01);
	assert_near(got->blue, wanted->rgb[2], 1.01);
	assert_int_equal(got->views, wanted->views);
}

static ref_pose as_on_device(const enm_pose *pose)
{
	const enm_k_pose rounded = pose_to_device(pose);
	ref_pose out;
	for (int i = 0; i < 9; i++)
		out.r[i] = (double)rounded.r[i];
	for (int i = 0; i < 3; i++)
		out.t[i] = (double)rounded.t[i];
	return out;
}

static void compare_random_models(const double *skew)
{
	const enm_pose poses[] = {
		ref_pose_make(0.03, -0.04, 0.2, 0.3, -0.2, 0.4), ref_pose_make(-0.3, 0.2, 2.0, -1, 1, -0.5)};
	for (uint32_t n = 0; n < support_size(2, 1); n++) {
		ref_volume before;
		const ref_pose pose = as_on_device(&poses[n]);
		uint32_t unsure = 0, touched = 0, passed_over = 0;
		random_volume(&before, support_size(300, 24), 40 + n);
		rig r = make_rig_rows(&bumps, &poses[n], skew, &before, support_size(131, 33), support_size(77, 25), n);
		const ref_frame frame = {&r.def.camera, r.filtered, r.normals, skew};
		run(&r, true);
		for (uint32_t b = 0; b < before.count; b++) {
			int at[3];
			ref_block_of_key(before.keys[b], at);
			for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
				const size_t k = (size_t)b * ENM_K_BLOCK_VOXELS + (size_t)i;
				const int voxel[3] = {8 * at[0] + i % 8, 8 * at[1] + i / 8 % 8, 8 * at[2] + i / 64};
				const ref_fused wanted = ref_fuse_voxel(
					&frame, r.colors, &pose, VOXEL_MM, TRUNCATION_MM, voxel, &before.voxels[k]);
				unsure += wanted.unsure;
				touched += wanted.touched;
				const bool kept =
					memcmp(&before.voxels[k], &r.volume.voxels[k], sizeof(enm_k_voxel)) == 0;
				passed_over += wanted.touched && kept;
				if (!wanted.unsure && !(wanted.touched && kept))
					compare_voxel(&wanted, &r.volume.voxels[k]);
			}
		}
		/* voxels of blocks that are left out for having one or two to learn */
		assert_true(passed_over <= 8);
		assert_true(touched > support_size(1000, 30) && unsure < before.count * ENM_K_BLOCK_VOXELS / 20);
		drop_rig(&r);
		ref_volume_destroy(&before);
	}
}

static void random_models_agree_with_reference(void **state)
{
	(void)state;
	compare_random_models(NULL);
}

static void rows_agree_with_reference(void **state)
{
	(void)state;
	double skew[6];
	for (int i = 0; i < 6; i++)
		skew[i] = (double)(float)fast_hand[i];
	compare_random_models(skew);
}

/* Far readings behind a near wall: what lies behind them all is left alone. */
static void compare_list(const double *skew, uint32_t missed_most)
{
	ref_volume before;
	const enm_pose eye = ref_pose_make(0.02, 0.03, 0.1, 0.1, 0.1, 0.1);
	const ref_pose pose = as_on_device(&eye);
	random_volume(&before, support_size(400, 30), 77);
	rig r = make_rig_rows(&bumps, &eye, skew, &before, support_size(97, 33), support_size(71, 25), 3);
	const ref_frame frame = {&r.def.camera, r.filtered, r.normals, skew};
	enm_k_blocks blocks;
	run(&r, false);
	support_read(&r.model.blocks, &blocks, sizeof(blocks));
	uint32_t *list = support_alloc(before.count + 1, 4), next = 0;
	support_read(&r.fuse.list, list, blocks.in_view * 4);
	assert_true(blocks.in_view > 0 && blocks.in_view < before.count);
	for (uint32_t b = 0; b < before.count; b++) {
		int at[3];
		ref_block_of_key(before.keys[b], at);
		const bool listed = next < blocks.in_view && list[next] == b;
		next += listed;
		if (!listed)
			/* at steps and at the rim of the picture the middles that are asked may miss a few voxels */
			assert_true(ref_fuse_reaches(&frame, &pose, VOXEL_MM, TRUNCATION_MM, at) <= missed_most);
		/* the farthest reading lies before 16 mm; a block wholly behind 18 mm is hidden */
		if (at[2] * 0.8 > 18.5)
			assert_false(listed);
	}
	assert_int_equal(next, blocks.in_view); /* ascending, each once */
	free(list);
	drop_rig(&r);
	ref_volume_destroy(&before);
}

static void list_holds_every_block_that_changes_and_no_hidden_one(void **state)
{
	(void)state;
	compare_list(NULL, 2);
	compare_list(fast_hand, 8);
}

/* A wall seen while the camera comes nearer: from the first row to the last by twice the skew. Rows above the middle one were seen from
 * farther off, so that their readings stand for a place nearer to the middle row's camera. */
static void approach_to_a_wall_is_straightened(void **state)
{
	(void)state;
	ref_volume v;
	const int low[3] = {-2, -6, 14}, high[3] = {1, 5, 17};
	const enm_pose eye = enm_pose_identity();
	const double nearer[6] = {0, 0, 0, 0, 0, 0.1};
	ref_volume_create(&v, 200, VOXEL_MM, TRUNCATION_MM);
	add_box(&v, low, high);
	rig r = make_rig_rows(&wall, &eye, nearer, &v, 65, 49, 1);
	run(&r, false);
	/* all rows read 13 mm, and so the wall is the nearer the earlier the row: by 0.1 mm x the moment */
	for (int y = -30; y <= 30; y += 10) {
		const double moment = y * VOXEL_MM / 13.0 * r.def.camera.fy / 24.0;
		const enm_k_voxel *before = ref_volume_at(&r.volume, 0, y, 130);
		assert_near(before->sdf, 32767.0 * 0.1 * moment / TRUNCATION_MM, 400);
	}
	drop_rig(&r);
	ref_volume_destroy(&v);
}

/* What a scan by rows forgets is void, stamped, and still there. */
static void forgotten_blocks_are_empty(void **state)
{
	(void)state;
	rig r = wall_rig();
	const enm_pose eye = enm_pose_identity();
	enm_k_track s = support_state(&eye, ENM_K_VERDICT_TRACKED);
	uint32_t changed[64];
	const size_t bytes = r.model.volume.capacity * 4;
	assert_true(bytes <= sizeof(changed));
	run(&r, true);
	const uint32_t count = r.volume.count;
	s.frames = 7;
	memset(changed, 0, sizeof(changed));
	support_write(&r.model.changed, changed, bytes);
	for (int anew = 0; anew < 2; anew++) {
		s.events = anew != 0 ? ENM_K_EVENT_BEGUN_ANEW | ENM_K_EVENT_RECOVERED : ENM_K_EVENT_LOST | ENM_K_EVENT_KEYFRAME;
		support_write(&r.state, &s, sizeof(s));
		CHECK(fuse_forget(&r.fuse, test.queue, &r.model, &r.state));
		support_model_read(&r.model, &r.volume);
		support_read(&r.model.changed, changed, bytes);
		uint32_t left = 0;
		for (uint32_t i = 0; i < count * ENM_K_BLOCK_VOXELS; i++)
			left += r.volume.voxels[i].weight != 0 || r.volume.voxels[i].views != 0 || r.volume.voxels[i].sdf != 0 ||
				r.volume.voxels[i].red != 0;
		assert_true(anew != 0 ? left == 0 : left > 1000);
		assert_int_equal(r.volume.count, count);
		for (uint32_t b = 0; b < count; b++)
			assert_int_equal(changed[b], anew != 0 ? 7 : 0);
	}
	drop_rig(&r);
}

static void same_bits_twice(void **state)
{
	(void)state;
	ref_volume before;
	enm_k_voxel *first = NULL;
	const enm_pose eye = ref_pose_make(0.02, 0.03, 0.1, 0.1, 0.1, 0.1);
	random_volume(&before, support_size(300, 24), 78);
	const size_t bytes = before.count * ENM_K_BLOCK_VOXELS * sizeof(*first);
	for (int n = 0; n < 2; n++) {
		rig r = make_rig(&bumps, &eye, &before, 65, 49, 4);
		run(&r, true);
		run(&r, false);
		if (n == 0) {
			first = support_alloc(1, bytes);
			memcpy(first, r.volume.voxels, bytes);
		}
		assert_memory_equal(first, r.volume.voxels, bytes);
		drop_rig(&r);
	}
	free(first);
	ref_volume_destroy(&before);
}

/* Memory is not cleared: fusion gives all voxels of a new block their first value, also those that no reading touches.
 */
static void new_blocks_forget_what_memory_held(void **state)
{
	(void)state;
	rig r = wall_rig();
	enm_k_blocks blocks;
	support_read(&r.model.blocks, &blocks, sizeof(blocks));
	support_model_read(&r.model, &r.volume);
	for (uint32_t i = 0; i < r.volume.count * ENM_K_BLOCK_VOXELS; i++)
		r.volume.voxels[i] = (enm_k_voxel){.sdf = 1234, .weight = 500, .red = 9, .views = 77};
	support_model_load(&r.model, &r.volume);
	blocks.base = 4; /* the others are new */
	support_write(&r.model.blocks, &blocks, sizeof(blocks));
	run(&r, false);
	for (uint32_t b = 0; b < r.volume.count; b++) {
		for (uint32_t i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
			const enm_k_voxel *v = r.volume.voxels + b * ENM_K_BLOCK_VOXELS + i;
			assert_true(b < 4 ? v->weight >= 500 : v->weight < 70);
			assert_true(b < 4 ? v->red == 9 : v->red == 0 && v->views <= 1);
		}
	}
	drop_rig(&r);
}

/* 2 for a block with a surface, 1 for one that is known to be empty, 0 for one that no reading fell on. */
static uint32_t touched_kind(const rig *r, uint32_t block)
{
	uint32_t kind = 0;
	for (uint32_t i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
		const enm_k_voxel *v = &r->volume.voxels[block * ENM_K_BLOCK_VOXELS + i];
		const uint32_t own = v->views > 0 ? 2 : v->weight > 0 ? 1 : 0;
		kind = own > kind ? own : kind;
	}
	return kind;
}

static void what_changed_is_stamped(void **state)
{
	(void)state;
	rig r = wall_rig();
	const enm_pose eye = enm_pose_identity();
	enm_k_track seen = support_state(&eye, ENM_K_VERDICT_TRACKED);
	uint32_t *changed = support_alloc(r.model.volume.capacity, 4);
	seen.frames = 41;
	support_write(&r.model.changed, changed, r.model.volume.capacity * 4);
	support_write(&r.state, &seen, sizeof(seen));
	run(&r, false);
	support_read(&r.model.changed, changed, r.model.volume.capacity * 4);
	uint32_t stamped = 0, first_weights = 0;
	for (uint32_t b = 0; b < r.volume.count; b++) {
		const uint32_t kind = touched_kind(&r, b);
		assert_int_equal(changed[b], kind > 0 ? 41 : 0);
		first_weights += kind == 1;
		stamped += kind == 2;
	}
	assert_true(stamped > 0 && first_weights > 0 && stamped + first_weights < r.volume.count);
	/* once more: what was empty and is still so has not changed */
	seen.frames = 42;
	support_write(&r.state, &seen, sizeof(seen));
	run(&r, false);
	support_read(&r.model.changed, changed, r.model.volume.capacity * 4);
	for (uint32_t b = 0; b < r.volume.count; b++) {
		const uint32_t kind = touched_kind(&r, b);
		assert_int_equal(changed[b], kind == 2 ? 42 : kind == 1 ? 41 : 0);
	}
	free(changed);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(one_reading_gives_its_distance), KERNEL_TEST(thin_wall_keeps_its_thickness),
	KERNEL_TEST(readings_are_averaged), KERNEL_TEST(counts_saturate), KERNEL_TEST(color_is_averaged),
	KERNEL_TEST(frame_that_is_not_tracked_changes_nothing), KERNEL_TEST(random_models_agree_with_reference),
	KERNEL_TEST(list_holds_every_block_that_changes_and_no_hidden_one), KERNEL_TEST(same_bits_twice),
	KERNEL_TEST(new_blocks_forget_what_memory_held), KERNEL_TEST(what_changed_is_stamped),
	KERNEL_TEST(rows_agree_with_reference), KERNEL_TEST(approach_to_a_wall_is_straightened),
	KERNEL_TEST(forgotten_blocks_are_empty))
