/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/allocate.h"
#include "reference/allocate.h"

typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	model model;
	allocate_stage allocate;
	gpu_buffer state;
	float *filtered, *normals;
} rig;

static rig make_rig_rows(const ref_scene *scene, uint32_t width, uint32_t height, uint32_t capacity, uint32_t grid_cells, double row_time_s)
{
	rig r = {.def = support_def(width, height)};
	r.def.row_time_s = row_time_s;
	const uint32_t n = width * height;
	const enm_pose eye = enm_pose_identity();
	const enm_k_track state = support_state(&eye, ENM_K_VERDICT_TRACKED);
	float *raw = support_alloc(n, 4);
	ref_scene_render(scene, &r.def.camera, &eye, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	support_model_create(&r.model, capacity, grid_cells, 0.1, 0.4);
	CHECK(allocate_create(&test.budget, test.queue, &r.def, &r.model, &r.allocate));
	support_state_create(&r.state, &state);
	r.filtered = support_alloc(n, 4);
	r.normals = support_alloc(n, 16);
	support_pixels(&r.depth, r.filtered, r.normals);
	free(raw);
	return r;
}

static rig make_rig(const ref_scene *scene, uint32_t width, uint32_t height, uint32_t capacity, uint32_t grid_cells)
{
	return make_rig_rows(scene, width, height, capacity, grid_cells, 0.0);
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	allocate_destroy(&r->allocate);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	free(r->filtered);
	free(r->normals);
}

/* A frame seen from `pose`, by a camera in motion; the readings are those of the rig's frame, wherever it is held. */
static enm_k_blocks run_rows(rig *r, const enm_pose *pose, const double *skew, uint32_t verdict)
{
	enm_k_track state = support_state(pose, verdict);
	enm_k_blocks blocks;
	for (int i = 0; i < 6 && skew != NULL; i++)
		state.skew[i] = (float)skew[i];
	support_write(&r->state, &state, sizeof(state));
	CHECK(allocate_run(&r->allocate, test.queue, &r->depth, &r->model, &r->state));
	support_read(&r->model.blocks, &blocks, sizeof(blocks));
	return blocks;
}

static enm_k_blocks run(rig *r, const enm_pose *pose, uint32_t verdict)
{
	return run_rows(r, pose, NULL, verdict);
}

static uint32_t *read_keys(const rig *r, uint32_t count)
{
	uint32_t *keys = support_alloc(count + 1, 4);
	support_read(&r->model.keys, keys, count * 4);
	return keys;
}

/* Every block is found in the table under its own number, and nothing else is there. */
static void assert_table(const rig *r, uint32_t used)
{
	const size_t slots = r->model.volume.table_mask + 1;
	uint32_t *table = support_alloc(slots, 8), *keys = read_keys(r, used), entries = 0;
	support_read(&r->model.table, table, slots * 8);
	for (size_t s = 0; s < slots; s++) {
		if (table[2 * s] == ENM_K_KEY_EMPTY)
			continue;
		entries++;
		assert_true(table[2 * s + 1] < used);
		assert_int_equal(keys[table[2 * s + 1]], table[2 * s]);
	}
	assert_int_equal(entries, used);
	free(table);
	free(keys);
}

static void assert_ascending(const uint32_t *keys, uint32_t from, uint32_t to)
{
	for (uint32_t i = from + 1; i < to; i++)
		assert_true(keys[i - 1] < keys[i]);
}

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.9, 0.9, 1.1};

/* `slack_mm`: what rounding may do to a point. */
static void compare_frames(const double *skew, double slack_mm)
{
	const uint32_t sizes[][2] = {{131, 77}, {17, 31}, {64, 48}};
	const enm_pose poses[] = {enm_pose_identity(), ref_pose_make(0.4, -0.3, 1.0, -7, 5, -20),
		ref_pose_make(-0.8, 0.1, 0.2, 30, -40, 8)};
	for (uint32_t i = test.small ? 1 : 0; i < support_size(3, 2); i++) {
		rig r = make_rig_rows(&bumps, sizes[i][0], sizes[i][1], 4096, 32768, skew != NULL ? 1e-4 : 0.0);
		const ref_frame frame = {&r.def.camera, r.filtered, r.normals, skew};
		const ref_pose pose = ref_pose_from(&poses[i]);
		ref_keys must, may;
		ref_allocate(&frame, &pose, r.allocate.mark_stride, 0.1, 0.4, slack_mm, &must, &may);
		const enm_k_blocks blocks = run_rows(&r, &poses[i], skew, ENM_K_VERDICT_TRACKED);
		uint32_t *keys = read_keys(&r, blocks.used);
		ref_keys got = {blocks.used, blocks.used, keys};
		assert_int_equal(blocks.full, 0);
		assert_int_equal(blocks.added, blocks.used);
		assert_int_equal(blocks.wanted, blocks.used);
		assert_true(must.count > 20 && blocks.used <= 4096);
		assert_ascending(keys, 0, blocks.used); /* key order, and no block twice */
		for (uint32_t k = 0; k < blocks.used; k++)
			assert_true(ref_keys_have(&may, keys[k]));
		for (uint32_t k = 0; k < must.count; k++)
			assert_true(ref_keys_have(&got, must.keys[k]));
		assert_table(&r, blocks.used);
		ref_keys_destroy(&must);
		ref_keys_destroy(&may);
		free(keys);
		drop_rig(&r);
	}
}

static void frames_get_the_blocks_of_their_band(void **state)
{
	(void)state;
	compare_frames(NULL, 1e-4);
}

/* Blocks lie where the readings were when they were exposed, up to 1 mm from where they seem to be. */
static void rows_get_the_blocks_of_their_band(void **state)
{
	(void)state;
	const double fast[6] = {0.02, -0.015, 0.01, 0.7, 0.5, -0.3}, still[6] = {0};
	compare_frames(fast, 1e-4);
	compare_frames(still, 1e-4);
}

static void second_time_adds_nothing_and_flags_are_clean(void **state)
{
	(void)state;
	rig r = make_rig(&bumps, support_size(97, 24), support_size(61, 18), 4096, 32768);
	const enm_pose eye = enm_pose_identity(), aside = ref_pose_make(0, 0, 0, 3, 0, 0);
	const enm_k_blocks first = run(&r, &eye, ENM_K_VERDICT_TRACKED);
	const enm_k_blocks second = run(&r, &eye, ENM_K_VERDICT_TRACKED);
	assert_true(first.used > 0);
	assert_int_equal(second.used, first.used);
	assert_int_equal(second.added, 0);
	assert_int_equal(second.wanted, 0);
	uint8_t *flags = support_alloc(r.allocate.flags.bytes, 1);
	support_read(&r.allocate.flags, flags, r.allocate.flags.bytes);
	for (size_t i = 0; i < r.allocate.flags.bytes; i++)
		assert_int_equal(flags[i], 0);
	free(flags);
	uint32_t *before = read_keys(&r, first.used);
	const enm_k_blocks third = run(&r, &aside, ENM_K_VERDICT_TRACKED);
	uint32_t *after = read_keys(&r, third.used);
	assert_true(third.used > first.used);
	assert_int_equal(third.base, first.used);
	assert_memory_equal(after, before, first.used * 4); /* old numbers stay */
	assert_ascending(after, first.used, third.used);
	assert_table(&r, third.used);
	free(before);
	free(after);
	drop_rig(&r);
}

static void frame_that_is_not_tracked_adds_nothing(void **state)
{
	(void)state;
	rig r = make_rig(&bumps, 33, 25, 512, 8192);
	const enm_pose eye = enm_pose_identity();
	assert_int_equal(run(&r, &eye, ENM_K_VERDICT_LOST).used, 0);
	assert_int_equal(run(&r, &eye, ENM_K_VERDICT_WEAK).used, 0);
	drop_rig(&r);
}

static void full_model_keeps_what_it_has(void **state)
{
	(void)state;
	rig r = make_rig(&bumps, support_size(97, 24), support_size(61, 18), 50, 32768);
	const enm_pose eye = enm_pose_identity(), aside = ref_pose_make(0, 0, 0, 6, 0, 0);
	const enm_k_blocks first = run(&r, &eye, ENM_K_VERDICT_TRACKED);
	assert_int_equal(first.used, 50);
	assert_int_equal(first.full, 1);
	assert_true(first.wanted > 50);
	uint32_t *before = read_keys(&r, 50);
	assert_ascending(before, 0, 50);
	const enm_k_blocks second = run(&r, &aside, ENM_K_VERDICT_TRACKED);
	uint32_t *after = read_keys(&r, 50);
	assert_int_equal(second.used, 50);
	assert_int_equal(second.added, 0);
	assert_int_equal(second.full, 1);
	assert_memory_equal(after, before, 50 * 4);
	assert_table(&r, 50);
	free(before);
	free(after);
	drop_rig(&r);
}

/* A grid too small for the frame's box, and blocks beyond the address range, are refused and said. */
static void too_far_and_too_wide_are_refused(void **state)
{
	(void)state;
	const enm_pose eye = enm_pose_identity(), beyond = ref_pose_make(0, 0, 0, 1e4, 0, 0);
	rig r = make_rig(&bumps, 33, 25, 512, 256);
	const enm_k_blocks cut = run(&r, &eye, ENM_K_VERDICT_TRACKED);
	assert_int_equal(cut.full, 1);
	assert_table(&r, cut.used);
	CHECK(model_clear(&r.model, test.queue));
	const enm_k_blocks out = run(&r, &beyond, ENM_K_VERDICT_TRACKED);
	assert_int_equal(out.used, 0);
	assert_int_equal(out.full, 1);
	drop_rig(&r);
}

/* A frame over the border of its model's place in the volume gets the blocks on this side, and is told that there were others. */
static void models_keep_to_their_places(void **state)
{
	(void)state;
	const double block_mm = 0.8, border_mm = ENM_K_ISLAND_FIRST * block_mm, middle_mm = ENM_K_ISLAND_MIDDLE * block_mm;
	for (int i = 0; i < 10; i++) {
		const int side = i % 2 == 0 ? -1 : 1, which = i / 2;
		/* no islands; the first model and an island on their border; an island on that to its neighbour; and well inside */
		const enm_pose pose = ref_pose_make(0, 0, 0, side * (which < 3 ? border_mm : middle_mm), which == 4 ? -200.0 : which == 2 ? -100.0 : 0.0, 0);
		rig r = make_rig(&bumps, 65, 49, 4096, 8192);
		r.model.volume.island_side = which == 0 ? 0 : side;
		enm_k_track frame = support_state(&pose, ENM_K_VERDICT_TRACKED);
		enm_k_blocks blocks;
		frame.island = which < 2 ? 0 : 3;
		frame.island_place = 1;
		support_write(&r.state, &frame, sizeof(frame));
		CHECK(allocate_run(&r.allocate, test.queue, &r.depth, &r.model, &r.state));
		support_read(&r.model.blocks, &blocks, sizeof(blocks));
		uint32_t *keys = read_keys(&r, blocks.used);
		assert_int_equal(blocks.full, which >= 1 && which <= 3);
		assert_true(blocks.used > 10);
		int low[3] = {9999, 9999, 9999}, high[3] = {-9999, -9999, -9999};
		for (uint32_t k = 0; k < blocks.used; k++) {
			int at[3];
			ref_block_of_key(keys[k], at);
			for (int a = 0; a < 3; a++) {
				low[a] = at[a] < low[a] ? at[a] : low[a];
				high[a] = at[a] > high[a] ? at[a] : high[a];
			}
		}
		const int nearest = side > 0 ? low[0] : -high[0], farthest = side > 0 ? high[0] : -low[0];
		if (which == 0)
			assert_true(nearest < ENM_K_ISLAND_FIRST && farthest >= ENM_K_ISLAND_FIRST);
		if (which == 1)
			assert_int_equal(farthest, ENM_K_ISLAND_FIRST - 1);
		if (which == 2)
			assert_int_equal(nearest, ENM_K_ISLAND_FIRST);
		if (which == 3)
			assert_int_equal(high[1], -1);
		assert_table(&r, blocks.used);
		free(keys);
		drop_rig(&r);
	}
}

static void rehash_finds_all(void **state)
{
	(void)state;
	support_random random = {9};
	ref_volume volume;
	model m;
	const uint32_t count = support_size(900, 60);
	ref_volume_create(&volume, count, 0.1, 0.4);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t key = 0;
		do
			key = ref_key((int)random_in(&random, -1024, 1024), (int)random_in(&random, -1024, 1024),
				(int)random_in(&random, -512, 511));
		while (ref_volume_find(&volume, (int)(key % 2048) - 1024, (int)(key / 2048 % 2048) - 1024,
			       (int)(key / 2048 / 2048) - 512) != REF_NONE);
		ref_volume_add(&volume, key);
	}
	support_model_create(&m, count, 256, 0.1, 0.4);
	support_model_load(&m, &volume);
	const rig r = {.model = m};
	assert_table(&r, count);
	model_destroy(&m);
	ref_volume_destroy(&volume);
}

static void same_keys_twice(void **state)
{
	(void)state;
	uint32_t *keys[2], used[2];
	for (int n = 0; n < 2; n++) {
		rig r = make_rig(&bumps, support_size(97, 24), support_size(61, 18), 4096, 32768);
		const enm_pose eye = ref_pose_make(0.3, 0.2, 0.1, 0, 0, 0),
			       aside = ref_pose_make(0.3, 0.2, 0.1, 2, 1, 0.5);
		run(&r, &eye, ENM_K_VERDICT_TRACKED);
		used[n] = run(&r, &aside, ENM_K_VERDICT_TRACKED).used;
		keys[n] = read_keys(&r, used[n]);
		drop_rig(&r);
	}
	assert_int_equal(used[0], used[1]);
	assert_memory_equal(keys[0], keys[1], used[0] * 4);
	free(keys[0]);
	free(keys[1]);
}

KERNEL_TEST_MAIN(KERNEL_TEST(frames_get_the_blocks_of_their_band),
	KERNEL_TEST(second_time_adds_nothing_and_flags_are_clean), KERNEL_TEST(frame_that_is_not_tracked_adds_nothing),
	KERNEL_TEST(full_model_keeps_what_it_has), KERNEL_TEST(too_far_and_too_wide_are_refused),
	KERNEL_TEST(models_keep_to_their_places), KERNEL_TEST(rehash_finds_all), KERNEL_TEST(same_keys_twice), KERNEL_TEST(rows_get_the_blocks_of_their_band))
