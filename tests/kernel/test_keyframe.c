/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "core/pose.h"
#include "global/keyframes.h"
#include "reference/relocate.h"

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.7, 1.1, 0.9};

/* A frame's depth, made once, and the stage. */
typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	keyframes_stage keyframes;
	gpu_buffer state;
} rig;

static rig make_rig(void)
{
	rig r = {.def = support_def(support_size(161, 35), support_size(119, 27))};
	const enm_pose pose = enm_pose_identity();
	const enm_k_track track = support_state(&pose, ENM_K_VERDICT_TRACKED);
	float *raw = support_alloc((size_t)r.def.camera.width * r.def.camera.height, 4);
	ref_scene_render(&bumps, &r.def.camera, &pose, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	CHECK(keyframes_create(&test.budget, &r.def, &r.keyframes));
	CHECK(keyframes_clear(&r.keyframes, test.queue));
	support_state_create(&r.state, &track);
	free(raw);
	return r;
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	keyframes_destroy(&r->keyframes);
	depth_destroy(&r->depth);
}

static enm_k_recovery get_recovery(const rig *r)
{
	enm_k_recovery recovery;
	support_read(&r->keyframes.recovery, &recovery, sizeof(recovery));
	return recovery;
}

/* Gives the frame a pose and a verdict; whether it was kept, and whether it says so. */
static bool keep(rig *r, const enm_pose *pose, uint32_t verdict, uint32_t frame)
{
	enm_k_track track = support_state(pose, verdict);
	track.frames = frame;
	support_write(&r->state, &track, sizeof(track));
	CHECK(keyframes_run(&r->keyframes, test.queue, &r->depth, &r->state));
	support_read(&r->state, &track, sizeof(track));
	const bool kept = get_recovery(r).chosen != ENM_K_KEYFRAME_NONE;
	assert_int_equal(track.events, kept ? ENM_K_EVENT_KEYFRAME : 0);
	return kept;
}

static double mean_depth(const rig *r)
{
	const size_t n = (size_t)r->depth.tiles_x * r->depth.tiles_y;
	float *tiles = support_alloc(n, 16);
	double depth = 0.0, readings = 0.0;
	support_read(&r->depth.tiles, tiles, n * 16);
	for (size_t i = 0; i < n; i++) {
		depth += 0.5 * ((double)tiles[4 * i] + (double)tiles[4 * i + 1]) * (double)tiles[4 * i + 2];
		readings += (double)tiles[4 * i + 2];
	}
	free(tiles);
	return depth / readings;
}

static void frames_far_from_all_are_kept(void **state)
{
	(void)state;
	enum { STEPS = 120 };
	rig r = make_rig();
	support_random random = {7};
	ref_pose kept[STEPS];
	uint32_t count = 0;
	const uint32_t steps = support_size(STEPS, 24);
	const double pivot_mm = mean_depth(&r);
	double at[6] = {0};
	for (uint32_t n = 0; n < steps; n++) {
		const enm_pose pose = ref_pose_make(at[0], at[1], at[2], at[3], at[4], at[5]);
		const ref_pose here = ref_pose_from(&pose);
		double least = 1e9;
		for (uint32_t k = 0; k < count; k++)
			least = fmin(least, ref_views_apart(&here, &kept[k], pivot_mm,
						    (double)KEYFRAME_REACH * pivot_mm, (double)KEYFRAME_REACH_RAD));
		if (fabs(least - 1.0) > 1e-3) { /* else rounding decides */
			assert_int_equal(keep(&r, &pose, ENM_K_VERDICT_TRACKED, n + 1), least > 1.0);
			if (least > 1.0)
				kept[count++] = here;
		}
		for (int i = 0; i < 6; i++)
			at[i] += random_in(&random, -1, 1) * (i < 3 ? 0.06 : 0.8);
	}
	assert_true(count > steps / 8 && count < steps);
	assert_int_equal(get_recovery(&r).keyframes, count);
	enm_k_keyframe *headers = support_alloc(count, sizeof(*headers));
	support_read(&r.keyframes.keyframes, headers, count * sizeof(*headers));
	for (uint32_t k = 0; k < count; k++) {
		assert_near(headers[k].pivot_mm, pivot_mm, 1e-4);
		for (int i = 0; i < 3; i++)
			assert_near(headers[k].world_from_camera.t[i], kept[k].t[i], 1e-4);
	}
	free(headers);
	drop_rig(&r);
}

static void what_is_kept_are_pixels_of_the_grid(void **state)
{
	(void)state;
	rig r = make_rig();
	const enm_pose first = enm_pose_identity(), second = ref_pose_make(0.3, 0, 0, 0, 0, 0);
	assert_true(keep(&r, &first, ENM_K_VERDICT_TRACKED, 1));
	assert_true(keep(&r, &second, ENM_K_VERDICT_TRACKED, 2));
	const uint32_t width = r.def.camera.width, stride = (uint32_t)r.keyframes.grid.stride;
	const uint32_t columns = width / stride, rows = r.def.camera.height / stride;
	uint32_t *pixels = support_alloc(r.depth.pixels, 16), *map = support_alloc((size_t)2 * columns * rows, 16);
	support_read(&r.depth.pixel_map, pixels, (size_t)r.depth.pixels * 16);
	support_read(&r.keyframes.maps, map, (size_t)2 * columns * rows * 16);
	assert_true(columns >= KEYFRAME_ACROSS || stride == 1);
	for (uint32_t k = 0; k < 2; k++)
		for (uint32_t i = 0; i < columns * rows; i++) {
			const uint32_t at =
				(i / columns * stride + stride / 2) * width + i % columns * stride + stride / 2;
			assert_memory_equal(map + 4 * (k * columns * rows + i), pixels + 4 * at, 16);
		}
	free(map);
	free(pixels);
	drop_rig(&r);
}

static void only_tracked_frames_are_kept(void **state)
{
	(void)state;
	rig r = make_rig();
	const enm_pose pose = enm_pose_identity(), far = ref_pose_make(0, 0, 0, 30, 0, 0);
	assert_false(keep(&r, &pose, ENM_K_VERDICT_LOST, 1));
	assert_false(keep(&r, &pose, ENM_K_VERDICT_WEAK, 2));
	assert_true(keep(&r, &pose, ENM_K_VERDICT_TRACKED, 3));
	assert_false(keep(&r, &pose, ENM_K_VERDICT_TRACKED, 4));
	assert_false(keep(&r, &far, ENM_K_VERDICT_WEAK, 5));
	assert_true(keep(&r, &far, ENM_K_VERDICT_TRACKED, 6));
	assert_int_equal(get_recovery(&r).keyframes, 2);
	CHECK(keyframes_clear(&r.keyframes, test.queue));
	assert_true(keep(&r, &far, ENM_K_VERDICT_TRACKED, 1)); /* forgotten */
	assert_int_equal(get_recovery(&r).keyframes, 1);
	drop_rig(&r);
}

/* When all slots are taken what is kept stays, and nothing is written behind it (the guard bands would tell). */
static void full_store_keeps_what_it_has(void **state)
{
	(void)state;
	rig r = make_rig();
	const uint32_t count = support_size(KEYFRAMES, 3);
	if (test.small) { /* as if the others were taken */
		enm_k_recovery recovery = get_recovery(&r);
		recovery.keyframes = KEYFRAMES - count;
		enm_k_keyframe *away = support_alloc(KEYFRAMES, sizeof(*away));
		for (uint32_t k = 0; k < KEYFRAMES; k++)
			away[k].world_from_camera =
				support_state(&(enm_pose){.t_mm = {-500}, .q_xyzw = {0, 0, 0, 1}}, 0).last;
		support_write(&r.keyframes.keyframes, away, KEYFRAMES * sizeof(*away));
		support_write(&r.keyframes.recovery, &recovery, sizeof(recovery));
		free(away);
	}
	for (uint32_t n = 0; n < count + 2; n++) {
		const enm_pose pose = ref_pose_make(0, 0, 0, 3.0 * n, 0, 0);
		assert_int_equal(keep(&r, &pose, ENM_K_VERDICT_TRACKED, n + 1), n < count);
	}
	assert_int_equal(get_recovery(&r).keyframes, KEYFRAMES);
	drop_rig(&r);
}

/* Keyframes of islands that are no more count for nothing, and their slots are taken first. */
static void keyframes_of_past_islands_are_replaced(void **state)
{
	(void)state;
	rig r = make_rig();
	enm_k_keyframe headers[4];
	for (uint32_t n = 0; n < 4; n++) {
		const enm_pose pose = ref_pose_make(0, 0, 0, 20.0 * n, 0, 0);
		assert_true(keep(&r, &pose, ENM_K_VERDICT_TRACKED, n + 1));
	}
	support_read(&r.keyframes.keyframes, headers, sizeof(headers));
	const uint32_t islands[4] = {0, 1, 2, 1};
	for (int n = 0; n < 4; n++)
		headers[n].island = islands[n];
	support_write(&r.keyframes.keyframes, headers, sizeof(headers));
	const uint32_t slots[] = {1, 3, 4}; /* while island 2 is open */
	for (uint32_t n = 0; n < 3; n++) {
		/* first where one of island 1 was, which no longer stands in the way */
		const enm_pose pose = ref_pose_make(0, 0, 0, n == 0 ? 20.0 : 100.0 + 20.0 * n, 0, 0);
		enm_k_track track = support_state(&pose, ENM_K_VERDICT_TRACKED);
		track.frames = 50 + n;
		enm_k_recovery open = get_recovery(&r);
		open.islands[1].id = 2;
		support_write(&r.keyframes.recovery, &open, sizeof(open));
		support_write(&r.state, &track, sizeof(track));
		CHECK(keyframes_run(&r.keyframes, test.queue, &r.depth, &r.state));
		assert_int_equal(get_recovery(&r).chosen, slots[n]);
		assert_int_equal(get_recovery(&r).keyframes, n < 2 ? 4 : 5);
	}
	support_read(&r.keyframes.keyframes, headers, sizeof(headers));
	const uint32_t frames[4] = {1, 50, 3, 51};
	for (int n = 0; n < 4; n++)
		assert_int_equal(headers[n].frame, frames[n]);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(keyframes_of_past_islands_are_replaced), KERNEL_TEST(frames_far_from_all_are_kept), KERNEL_TEST(what_is_kept_are_pixels_of_the_grid),
	KERNEL_TEST(only_tracked_frames_are_kept), KERNEL_TEST(full_store_keeps_what_it_has))
