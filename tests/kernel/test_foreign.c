/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "pipeline/allocate.h"
#include "pipeline/foreign.h"
#include "pipeline/fuse.h"

#define WALL_MM 13.0
#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

/* A camera that stands still before a wall. */
typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	model model;
	allocate_stage allocate;
	fuse_stage fuse;
	foreign_stage foreign;
	enm_k_track track;
	gpu_buffer state;
	int width, height;
	float *picture; /* of the next frame */
	float *seen;    /* what the pixel map holds once the foreign is out: depth */
	float dt_s;     /* between frames */
} rig;

/* Every frame comes in a tick of its own (kernels/foreign.h). */
#define FRAME_S 0.08f

static rig make_rig(int width, int height, bool on)
{
	rig r = {.def = support_def((uint32_t)width, (uint32_t)height), .width = width, .height = height, .dt_s = FRAME_S};
	const enm_pose eye = enm_pose_identity();
	r.def.voxel_mm = VOXEL_MM;
	r.def.truncation_mm = TRUNCATION_MM;
	r.def.foreign_bodies = on;
	r.picture = support_alloc((size_t)width * (size_t)height, 4);
	r.seen = support_alloc((size_t)width * (size_t)height, 4);
	support_model_create(&r.model, 3000, 1u << 16, VOXEL_MM, TRUNCATION_MM);
	CHECK(depth_create(&test.budget, test.queue, &r.def, &r.depth));
	CHECK(allocate_create(&test.budget, test.queue, &r.def, &r.model, &r.allocate));
	CHECK(fuse_create(&test.budget, test.queue, &r.model, &r.fuse));
	CHECK(foreign_create(&test.budget, test.queue, &r.def, &r.foreign));
	r.track = support_state(&eye, ENM_K_VERDICT_TRACKED);
	r.track.tracked = r.track.frames = 0;
	support_state_create(&r.state, &r.track);
	return r;
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	foreign_destroy(&r->foreign);
	fuse_destroy(&r->fuse);
	allocate_destroy(&r->allocate);
	depth_destroy(&r->depth);
	model_destroy(&r->model);
	free(r->picture);
	free(r->seen);
}

/* Fills columns [from, to) of the picture. */
static void paint(rig *r, int from, int to, double depth_mm)
{
	for (int y = 0; y < r->height; y++)
		for (int x = from; x < to; x++)
			r->picture[y * r->width + x] = (float)depth_mm;
}

/* A frame of the picture: tracked where it stands, or refused after what is foreign was judged. */
static void look(rig *r, uint32_t verdict)
{
	const size_t pixels = (size_t)r->depth.pixels;
	uint32_t *map = support_alloc(pixels, 16);
	const enm_k_input input = {.dt_s = r->dt_s};
	r->track.frames++;
	r->track.verdict = verdict;
	support_write(&r->state, &r->track, sizeof(r->track));
	CHECK(gpu_write(test.queue, &r->depth.input[0], 0, &input, sizeof(input), NULL));
	CHECK(gpu_write(test.queue, &r->depth.input[0], ENM_K_INPUT_DEPTH, r->picture, pixels * 4, NULL));
	CHECK(depth_run(&r->depth, test.queue, 0, ENM_DEPTH_F32_MM));
	CHECK(foreign_hide(&r->foreign, test.queue, &r->depth, &r->model, &r->state, 0));
	support_read(&r->depth.pixel_map, map, pixels * 16);
	for (size_t i = 0; i < pixels; i++)
		memcpy(&r->seen[i], &map[4 * i], 4);
	CHECK(allocate_run(&r->allocate, test.queue, &r->depth, &r->model, &r->state));
	CHECK(fuse_run(&r->fuse, test.queue, &r->depth, &r->model, &r->state, 0, 0));
	CHECK(foreign_learn(&r->foreign, test.queue, &r->depth, &r->model, &r->state));
	support_read(&r->state, &r->track, sizeof(r->track));
	if (verdict == ENM_K_VERDICT_TRACKED)
		r->track.tracked++;
	free(map);
}

static void look_times(rig *r, int frames)
{
	for (int i = 0; i < frames; i++)
		look(r, ENM_K_VERDICT_TRACKED);
}

/* Share of the readings in columns [from, to), away from the picture's rim, that are left. */
static double share_left(const rig *r, int from, int to)
{
	int left = 0, count = 0;
	for (int y = 4; y < r->height - 4; y++)
		for (int x = from; x < to; x++) {
			left += r->seen[y * r->width + x] > 0.0f;
			count++;
		}
	return (double)left / count;
}

static float share_found(const rig *r)
{
	enm_k_foreign_frame frame;
	support_read(&r->foreign.frame, &frame, sizeof(frame));
	return frame.share;
}

/* Voxels near a surface between two depths, within 1.5 mm of the line of sight. */
static int surface_between(const rig *r, double near_mm, double far_mm)
{
	ref_volume v;
	int count = 0;
	ref_volume_create(&v, r->model.volume.capacity, VOXEL_MM, TRUNCATION_MM);
	support_model_read(&r->model, &v);
	for (int z = (int)(near_mm / VOXEL_MM); z <= (int)(far_mm / VOXEL_MM); z++)
		for (int y = -15; y <= 15; y++)
			for (int x = -15; x <= 15; x++) {
				const enm_k_voxel *voxel = ref_volume_at(&v, x, y, z);
				count += voxel != NULL && voxel->weight > 0 && abs(voxel->sdf) < 16384;
			}
	ref_volume_destroy(&v);
	return count;
}

/* Frames after which all cells in the view have been looked through often enough. */
#define LOOKS 12

static void what_appears_in_empty_space_is_hidden(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	assert_true(share_left(&r, 8, 152) == 1.0);
	paint(&r, 0, 60, WALL_MM - 4.0);
	look_times(&r, 3);
	assert_true(share_left(&r, 8, 56) == 0.0);
	assert_true(share_left(&r, 70, 152) == 1.0);
	assert_near(share_found(&r), 60.0 / 160.0, 0.05);
	assert_int_equal(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	/* gone again: all of the wall counts as before */
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 1);
	assert_true(share_left(&r, 8, 152) == 1.0);
	assert_near(share_found(&r), 0.0, 0.0);
	drop_rig(&r);
}

static void what_hangs_together_with_it_is_hidden_too(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* nothing was read on the left, so that nothing is known of the space there */
	paint(&r, 60, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 110, WALL_MM - 4.0);
	look_times(&r, 2);
	assert_true(share_left(&r, 4, 106) == 0.0);
	assert_true(share_left(&r, 120, 152) == 1.0);
	drop_rig(&r);
}

static void a_surface_that_goes_on_is_taken_at_once(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 100, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 1);
	assert_true(share_left(&r, 8, 152) == 1.0);
	drop_rig(&r);
}

static void what_stands_alone_has_to_stay_while_a_body_is_about(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* nothing else is about: it is the jaw beyond a step */
	paint(&r, 0, 80, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 110, 160, WALL_MM - 2.0);
	look_times(&r, 1);
	assert_true(share_left(&r, 120, 152) == 1.0);
	drop_rig(&r);
	/* the same when a body has come into space known to be empty */
	r = make_rig(160, 120, true);
	paint(&r, 0, 100, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 10, 50, WALL_MM - 4.0);
	look_times(&r, 2);
	paint(&r, 10, 50, WALL_MM);
	paint(&r, 120, 160, WALL_MM - 2.0);
	look_times(&r, 4);
	assert_true(share_left(&r, 130, 152) == 0.0);
	/* no body for some time */
	look_times(&r, 30);
	assert_true(share_left(&r, 130, 152) == 1.0);
	drop_rig(&r);
}

static void what_stays_in_empty_space_is_believed_in_the_end(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 110, WALL_MM - 4.0);
	look_times(&r, 50);
	assert_true(share_left(&r, 8, 106) == 0.0);
	assert_int_equal(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	look_times(&r, 60);
	assert_true(share_left(&r, 8, 98) == 1.0);
	assert_true(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	drop_rig(&r);
}

static void a_body_is_followed_when_nothing_contradicts_it_any_more(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* nothing was read on the left, so that nothing is known of the space there */
	paint(&r, 70, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 20, 110, WALL_MM - 4.0);
	look_times(&r, 2);
	paint(&r, 70, 110, WALL_MM);
	paint(&r, 20, 66, WALL_MM - 4.0);
	look_times(&r, 20);
	assert_true(share_left(&r, 28, 60) == 0.0);
	/* but not for ever */
	look_times(&r, 20);
	assert_true(share_left(&r, 28, 60) == 1.0);
	drop_rig(&r);
}

/* A slanted body over columns [8, 128), of which one end is close to a wall over columns [from, 160), comes and stays: once it has taken the young wall there out,
 * nothing contradicts it any more. */
static void come_and_stay(rig *r, int wall_from)
{
	paint(r, wall_from, 160, WALL_MM);
	look_times(r, 3);
	for (int x = 8; x < 128; x++)
		paint(r, x, x + 1, WALL_MM - 0.3 - 2.0 * (128 - x) / 120);
	for (int i = 0; i < 20; i++) { /* for 1.6 s */
		r->track.missed = (uint32_t)i;
		look(r, ENM_K_VERDICT_WEAK);
	}
}

/* It covers more than three fifths of the view, which would be too much to be spared. */
static void a_body_is_followed_while_the_model_lies_behind_it(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	come_and_stay(&r, 0);
	assert_true(share_left(&r, 16, 120) == 0.0);
	/* not for ever either */
	for (int i = 0; i < 20; i++)
		look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 16, 120) == 1.0);
	drop_rig(&r);
	r = make_rig(160, 120, true);
	come_and_stay(&r, 100);
	assert_true(share_left(&r, 16, 90) == 1.0);
	drop_rig(&r);
}

/* A wall, and a body over columns [from, to) that has been found out. */
static rig rig_with_body(int from, int to)
{
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, from, to, WALL_MM - 4.0);
	look_times(&r, 1);
	assert_true(share_left(&r, from + 8, to - 8) == 0.0);
	return r;
}

/* Lost, with a pose by which nothing can be told, the body is hidden wherever it goes in the picture; nothing is learnt of where it is in space, and nothing taken out there. */
static void a_body_is_followed_through_a_loss(void **state)
{
	(void)state;
	rig r = rig_with_body(0, 60);
	const size_t words = r.foreign.grid.bytes / 4;
	uint32_t *before = support_alloc(words, 4), *after = support_alloc(words, 4);
	const int surface = surface_between(&r, WALL_MM - 8.0, WALL_MM + 1.0);
	assert_true(surface > 1000);
	r.track.world_from_camera.t[2] = 4.0f; /* that the body comes to lie where the wall is young */
	r.track.missed = r.track.lost = 10;
	r.dt_s = 0.2f;
	support_read(&r.foreign.grid, before, words * 4);
	for (int i = 0; i < 8; i++) {
		paint(&r, 0, 160, WALL_MM);
		paint(&r, 2 * i, 60 + 2 * i, WALL_MM - 4.0 - 0.3 * i);
		look(&r, ENM_K_VERDICT_LOST);
		assert_true(share_left(&r, 8 + 2 * i, 56 + 2 * i) == 0.0);
		assert_true(share_left(&r, 72 + 2 * i, 152) == 1.0);
	}
	support_read(&r.foreign.grid, after, words * 4);
	assert_memory_equal(before, after, words * 4);
	assert_true(surface_between(&r, WALL_MM - 8.0, WALL_MM + 1.0) >= surface);
	/* not for ever */
	for (int i = 0; i < 8; i++)
		look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 152) == 1.0);
	free(before);
	free(after);
	drop_rig(&r);
	/* what comes to where it was is not the body */
	r = rig_with_body(0, 60);
	r.track.missed = r.track.lost = 10;
	r.track.world_from_camera.t[2] = -3.0f;
	paint(&r, 0, 60, WALL_MM - 3.0);
	r.dt_s = 0.2f;
	look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 152) == 1.0);
	drop_rig(&r);
}

/* Frames with a body in them do not count towards an island, unless it is known where it is in the picture and leaves half of that free. */
static void an_island_may_begin_beside_a_body_that_is_followed(void **state)
{
	(void)state;
	for (int large = 0; large < 2; large++) {
		rig r = rig_with_body(0, large ? 92 : 60);
		r.track.world_from_camera.t[2] = -3.0f;
		r.track.missed = r.track.lost = 10;
		r.track.searched = 7;
		r.dt_s = 0.2f;
		look(&r, ENM_K_VERDICT_LOST);
		assert_true(large ? share_found(&r) > 0.5f : share_found(&r) < 0.5f && share_found(&r) > 0.3f);
		assert_int_equal(r.track.searched, large ? 0 : 7);
		drop_rig(&r);
	}
}

/* In the grid and model of another stage that looked at other frames, what is in the picture is known as before. */
static void another_stage_goes_on(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	foreign_stage other;
	uint8_t *tiles, *kept;
	come_and_stay(&r, 0);
	CHECK(foreign_create(&test.budget, test.queue, &r.def, &other));
	tiles = support_alloc(foreign_tiles(&other), 1);
	kept = support_alloc(foreign_tiles(&other), 1);
	CHECK(foreign_go_on(&other, test.queue, &r.foreign));
	CHECK(foreign_read(&r.foreign, test.queue, tiles));
	CHECK(foreign_read(&other, test.queue, kept));
	CHECK(gpu_finish(test.queue));
	assert_memory_equal(tiles, kept, foreign_tiles(&other));
	enm_k_foreign_frame before, after;
	support_read(&r.foreign.frame, &before, sizeof(before));
	support_read(&other.frame, &after, sizeof(after));
	assert_true(before.clock_s > 0.0f && after.clock_s == 0.0f);
	assert_true(before.body != 0 && after.body == before.body && after.calm_s == before.calm_s && after.known == before.known);
	foreign_destroy(&r.foreign);
	r.foreign = other;
	look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 16, 120) == 0.0);
	CHECK(foreign_go_on(&r.foreign, test.queue, &r.foreign)); /* nothing to do */
	free(tiles);
	free(kept);
	drop_rig(&r);
}

static void what_stays_is_told_by_the_clock(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 110, WALL_MM - 4.0);
	r.dt_s = 0.02f;
	look_times(&r, 190);
	assert_true(share_left(&r, 8, 98) == 0.0);
	look_times(&r, 30);
	assert_true(share_left(&r, 8, 98) == 1.0);
	drop_rig(&r);
}

static void what_lies_in_front_of_the_model_twice_is_hidden(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* too short to know of empty cells, and too near to lie in one */
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 3);
	paint(&r, 16, 72, WALL_MM - 0.3);
	look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 8, 152) == 1.0);
	look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 24, 64) == 0.0);
	assert_true(share_left(&r, 88, 152) == 1.0);
	drop_rig(&r);
	/* once only: the prediction was off */
	r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 3);
	for (int i = 0; i < 4; i++) {
		paint(&r, 16, 72, i % 2 == 0 ? WALL_MM - 0.3 : WALL_MM);
		look(&r, ENM_K_VERDICT_WEAK);
		assert_true(share_left(&r, 8, 152) == 1.0);
	}
	drop_rig(&r);
}

/* As where a hand trembles: what lies before the model may be the model. */
static void nothing_lies_in_front_where_predictions_were_off(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 3);
	r.track.predicted_off_mm = 0.51f * (float)TRUNCATION_MM;
	paint(&r, 16, 72, WALL_MM - 0.3);
	for (int i = 0; i < 4; i++) {
		look(&r, ENM_K_VERDICT_WEAK);
		assert_true(share_left(&r, 8, 152) == 1.0);
	}
	r.track.predicted_off_mm = 0.49f * (float)TRUNCATION_MM;
	look(&r, ENM_K_VERDICT_WEAK);
	look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 24, 64) == 0.0);
	drop_rig(&r);
}

static void what_came_in_with_a_body_is_taken_out_when_it_is_found(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* nothing was read in the middle, so that nothing is known of the space there */
	paint(&r, 0, 50, WALL_MM);
	paint(&r, 110, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 50, 110, WALL_MM - 4.0);
	look_times(&r, 8);
	assert_true(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	for (int i = 1; i <= 3; i++) {
		paint(&r, 50, 110, WALL_MM - 4.0 - 0.3 * i);
		look_times(&r, 1);
	}
	assert_true(share_left(&r, 58, 102) == 0.0);
	assert_int_equal(surface_between(&r, WALL_MM - 6.0, WALL_MM - 3.0), 0);
	assert_true(share_left(&r, 8, 42) == 1.0);
	drop_rig(&r);
}

/* Of kernels/foreign.cl. */
#define FLAG_FOREIGN 1
#define FLAG_ALONE 2

/* A cell has tiles of both kinds: what came in goes, whichever of them is looked at first. */
static void what_came_in_goes_in_whatever_order_tiles_come(void **state)
{
	(void)state;
	for (int odd = 0; odd < 2; odd++) {
		for (int by_rows = 0; by_rows < 2; by_rows++) {
			rig r = make_rig(160, 120, true);
			paint(&r, 0, 160, WALL_MM);
			look_times(&r, 3);
			assert_true(surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5) > 1000);
			const int columns = r.foreign.sizes.columns, tiles = columns * r.foreign.sizes.rows;
			uint8_t *flags = support_alloc((size_t)tiles, 1);
			for (int n = 0; n < tiles; n++)
				flags[n] = (by_rows ? n / columns : n % columns) % 2 == odd ? FLAG_FOREIGN : FLAG_ALONE;
			support_write(&r.foreign.flags, flags, (size_t)tiles);
			CHECK(foreign_take_out(&r.foreign, test.queue, &r.depth, &r.model, &r.state));
			assert_int_equal(surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), 0);
			free(flags);
			drop_rig(&r);
		}
	}
}

/* What stands alone is hidden, and counted where it is, but takes nothing along. */
static void what_stands_alone_takes_nothing_out(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 3);
	const int before = surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5);
	uint8_t flags[ENM_K_FOREIGN_TILES];
	memset(flags, FLAG_ALONE, sizeof(flags));
	support_write(&r.foreign.flags, flags, r.foreign.flags.bytes);
	for (int n = 0; n < 2; n++)
		CHECK(foreign_take_out(&r.foreign, test.queue, &r.depth, &r.model, &r.state));
	assert_int_equal(surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), before);
	uint32_t *map = support_alloc(r.depth.pixels, 16), *grid = support_alloc(r.foreign.grid.bytes, 1), stayed = 0;
	support_read(&r.depth.pixel_map, map, (size_t)r.depth.pixels * 16);
	for (size_t i = 0; i < 4 * (size_t)r.depth.pixels; i++)
		assert_int_equal(map[i], 0);
	support_read(&r.foreign.grid, grid, r.foreign.grid.bytes);
	for (size_t i = 0; i < r.foreign.grid.bytes / 4; i++) {
		assert_true((grid[i] >> 3 & 63u) <= 1); /* a tick is counted once */
		stayed += grid[i] >> 3 & 63u;
	}
	assert_true(stayed > 50);
	free(map);
	free(grid);
	drop_rig(&r);
}

static void old_surface_stays_when_a_body_comes_near(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 40);
	const int before = surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5);
	paint(&r, 40, 110, WALL_MM - 1.5);
	look_times(&r, 3);
	assert_true(share_left(&r, 48, 102) == 0.0);
	assert_int_equal(surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), before);
	drop_rig(&r);
}

static void what_was_fused_is_cleared_when_it_is_seen_through(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	/* there from the beginning, so that nothing speaks against it */
	paint(&r, 0, 160, WALL_MM);
	paint(&r, 50, 110, WALL_MM - 4.0);
	look_times(&r, LOOKS);
	const int fused = surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0);
	assert_true(fused > 1000);
	paint(&r, 50, 110, WALL_MM);
	look_times(&r, 3 * LOOKS);
	assert_int_equal(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	assert_true(surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5) > 1000);
	drop_rig(&r);
}

static void what_was_fused_in_empty_space_unjudged_is_cleared(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	/* as after a loss, when a place has just been found */
	r.track.missed = r.track.lost = 9;
	for (int i = 0; i < 3; i++)
		look(&r, ENM_K_VERDICT_LOST);
	paint(&r, 50, 110, WALL_MM - 4.0);
	look_times(&r, 2);
	assert_true(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	r.track.missed = r.track.lost = 0;
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 80);
	assert_int_equal(surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	drop_rig(&r);
}

static void a_body_that_comes_to_cover_almost_all_is_hidden_all_the_way(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	for (int to = 40; to <= 136; to += 8) {
		paint(&r, 0, to, WALL_MM - 4.0);
		look_times(&r, 1);
	}
	assert_true(share_left(&r, 8, 128) == 0.0);
	assert_true(share_left(&r, 144, 156) == 1.0);
	drop_rig(&r);
	/* the same at once may as well be a wrong prediction */
	r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 136, WALL_MM - 4.0);
	look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 128) == 1.0);
	drop_rig(&r);
}

static void nothing_is_judged_by_a_wrong_prediction(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	/* all of the frame contradicts: either covered, or the camera is elsewhere */
	paint(&r, 0, 160, WALL_MM - 4.0);
	look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 152) == 1.0);
	/* nor long after the last tracked frame: what contradicts anew is let in */
	paint(&r, 0, 160, WALL_MM);
	r.track.missed = r.track.lost = 1;
	for (int i = 0; i < 3; i++)
		look(&r, ENM_K_VERDICT_LOST);
	paint(&r, 0, 60, WALL_MM - 4.0);
	look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 152) > 0.95);
	/* but a place that was found again is judged while it is on trial */
	r.track.probation = 1;
	look(&r, ENM_K_VERDICT_WEAK);
	assert_true(share_left(&r, 8, 56) == 0.0);
	/* and what was hidden there is no body if the trial fails */
	r.track.probation = 0;
	look(&r, ENM_K_VERDICT_LOST);
	assert_true(share_left(&r, 8, 152) > 0.95);
	drop_rig(&r);
}

static void frames_without_a_pose_teach_nothing(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, 1);
	for (int i = 0; i < LOOKS; i++)
		look(&r, ENM_K_VERDICT_WEAK);
	const size_t cells = r.foreign.grid.bytes / 4;
	uint32_t *grid = support_alloc(cells, 4);
	uint32_t looked = 0;
	support_read(&r.foreign.grid, grid, cells * 4);
	for (size_t i = 0; i < cells; i++)
		looked = (grid[i] & 7u) > looked ? grid[i] & 7u : looked;
	assert_int_equal(looked, 1);
	/* and forgets all with the model */
	CHECK(foreign_clear(&r.foreign, test.queue));
	support_read(&r.foreign.grid, grid, cells * 4);
	for (size_t i = 0; i < cells; i++)
		assert_int_equal(grid[i], 0);
	free(grid);
	drop_rig(&r);
}

/* Cells of the grid that say something. */
static size_t cells_known(const rig *r)
{
	const size_t cells = r->foreign.grid.bytes / 4;
	uint32_t *grid = support_alloc(cells, 4);
	size_t known = 0;
	support_read(&r->foreign.grid, grid, cells * 4);
	for (size_t i = 0; i < cells; i++)
		known += grid[i] != 0;
	free(grid);
	return known;
}

static void a_scan_that_begins_anew_knows_nothing(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	enm_k_foreign_frame before, after;
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 60, WALL_MM - 4.0);
	look_times(&r, 3);
	const size_t known = cells_known(&r);
	support_read(&r.foreign.frame, &before, sizeof(before));
	assert_true(known > 100);
	assert_true(before.body != 0 && before.known > 0);
	r.track.events = ENM_K_EVENT_RECOVERED | ENM_K_EVENT_ISLAND_BEGUN;
	support_write(&r.state, &r.track, sizeof(r.track));
	CHECK(foreign_forget(&r.foreign, test.queue, &r.state));
	support_read(&r.foreign.frame, &after, sizeof(after));
	assert_int_equal(cells_known(&r), known);
	assert_memory_equal(&after, &before, sizeof(after));
	r.track.events = ENM_K_EVENT_BEGUN_ANEW;
	support_write(&r.state, &r.track, sizeof(r.track));
	CHECK(foreign_forget(&r.foreign, test.queue, &r.state));
	support_read(&r.foreign.frame, &after, sizeof(after));
	assert_int_equal(cells_known(&r), 0);
	assert_int_equal(after.body + after.air + after.known, 0);
	assert_true(after.clock_s == before.clock_s && after.farthest_mm == before.farthest_mm);
	drop_rig(&r);
}

static void an_island_begins_with_nothing_known(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, true);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	/* what another model has looked through says nothing here */
	r.track.island = 1;
	paint(&r, 0, 110, WALL_MM - 4.0);
	look(&r, ENM_K_VERDICT_WEAK);
	assert_near(share_found(&r), 0.0, 0.0);
	drop_rig(&r);
}

static void sizes_that_fit_nothing_give_the_same_twice(void **state)
{
	(void)state;
	const int sizes[][2] = {{65, 49}, {97, 131}, {43, 40}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t bytes = (size_t)sizes[i][0] * (size_t)sizes[i][1] * 4;
		float *first = support_alloc(1, bytes);
		for (int run = 0; run < 2; run++) {
			rig r = make_rig(sizes[i][0], sizes[i][1], true);
			support_random random = {17};
			for (int f = 0; f < 10; f++) {
				for (int p = 0; p < r.width * r.height; p++)
					r.picture[p] = random_in(&random, 0, 1) < 0.03 ? 0.0f :
						(float)(WALL_MM + 0.02 * random_normal(&random) - (f > 7 && p % r.width < r.width / 3 ? 4.0 : 0.0));
				look_times(&r, 1);
			}
			if (run == 0)
				memcpy(first, r.seen, bytes);
			assert_memory_equal(first, r.seen, bytes);
			drop_rig(&r);
		}
		free(first);
	}
}

static void switched_off_it_takes_nothing(void **state)
{
	(void)state;
	rig r = make_rig(160, 120, false);
	assert_false(r.foreign.on);
	assert_int_equal(r.foreign.grid.bytes, 0);
	paint(&r, 0, 160, WALL_MM);
	look_times(&r, LOOKS);
	paint(&r, 0, 60, WALL_MM - 4.0);
	look_times(&r, 1);
	assert_true(share_left(&r, 8, 152) > 0.95);
	CHECK(foreign_clear(&r.foreign, test.queue));
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(what_appears_in_empty_space_is_hidden), KERNEL_TEST(what_hangs_together_with_it_is_hidden_too),
	KERNEL_TEST(a_surface_that_goes_on_is_taken_at_once), KERNEL_TEST(what_stands_alone_has_to_stay_while_a_body_is_about),
	KERNEL_TEST(what_stays_in_empty_space_is_believed_in_the_end), KERNEL_TEST(what_stays_is_told_by_the_clock),
	KERNEL_TEST(a_body_is_followed_when_nothing_contradicts_it_any_more), KERNEL_TEST(a_body_is_followed_while_the_model_lies_behind_it),
	KERNEL_TEST(another_stage_goes_on), KERNEL_TEST(a_body_is_followed_through_a_loss),
	KERNEL_TEST(an_island_may_begin_beside_a_body_that_is_followed),
	KERNEL_TEST(what_lies_in_front_of_the_model_twice_is_hidden), KERNEL_TEST(nothing_lies_in_front_where_predictions_were_off),
	KERNEL_TEST(what_came_in_with_a_body_is_taken_out_when_it_is_found), KERNEL_TEST(old_surface_stays_when_a_body_comes_near),
	KERNEL_TEST(what_came_in_goes_in_whatever_order_tiles_come), KERNEL_TEST(what_stands_alone_takes_nothing_out),
	KERNEL_TEST(what_was_fused_in_empty_space_unjudged_is_cleared),
	KERNEL_TEST(a_body_that_comes_to_cover_almost_all_is_hidden_all_the_way),
	KERNEL_TEST(what_was_fused_is_cleared_when_it_is_seen_through), KERNEL_TEST(nothing_is_judged_by_a_wrong_prediction),
	KERNEL_TEST(frames_without_a_pose_teach_nothing), KERNEL_TEST(an_island_begins_with_nothing_known), KERNEL_TEST(a_scan_that_begins_anew_knows_nothing),
	KERNEL_TEST(sizes_that_fit_nothing_give_the_same_twice),
	KERNEL_TEST(switched_off_it_takes_nothing))
