/* SPDX-License-Identifier: Apache-2.0
 * What foreign bodies leave in the model, and what is known of empty space (kernels/foreign_hide.cl, foreign_learn.cl). */
#include <stdlib.h>
#include <string.h>

#include "foreign_rig.h"

static void what_came_in_with_a_body_is_taken_out_when_it_is_found(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* nothing was read in the middle, so that nothing is known of the space there */
	foreign_rig_paint(&r, 0, 50, WALL_MM);
	foreign_rig_paint(&r, 110, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 50, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 8);
	assert_true(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	for (int i = 1; i <= 3; i++) {
		foreign_rig_paint(&r, 50, 110, WALL_MM - 4.0 - 0.3 * i);
		foreign_rig_look_times(&r, 1);
	}
	assert_true(foreign_rig_share_left(&r, 58, 102) == 0.0);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 6.0, WALL_MM - 3.0), 0);
	assert_true(foreign_rig_share_left(&r, 8, 42) == 1.0);
	foreign_rig_drop(&r);
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
			foreign_rig r = foreign_rig_make(160, 120, true);
			foreign_rig_paint(&r, 0, 160, WALL_MM);
			foreign_rig_look_times(&r, 3);
			assert_true(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5) > 1000);
			const int columns = r.foreign.sizes.columns, tiles = columns * r.foreign.sizes.rows;
			uint8_t *flags = support_alloc((size_t)tiles, 1);
			for (int n = 0; n < tiles; n++)
				flags[n] = (by_rows ? n / columns : n % columns) % 2 == odd ? FLAG_FOREIGN : FLAG_ALONE;
			support_write(&r.foreign.flags, flags, (size_t)tiles);
			CHECK(foreign_take_out(&r.foreign, test.queue, &r.depth, &r.model, &r.state));
			assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), 0);
			free(flags);
			foreign_rig_drop(&r);
		}
	}
}

/* What stands alone is hidden, and counted where it is, but takes nothing along. */
static void what_stands_alone_takes_nothing_out(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 3);
	const int before = foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5);
	uint8_t flags[ENM_K_FOREIGN_TILES];
	memset(flags, FLAG_ALONE, sizeof(flags));
	support_write(&r.foreign.flags, flags, r.foreign.flags.bytes);
	for (int n = 0; n < 2; n++)
		CHECK(foreign_take_out(&r.foreign, test.queue, &r.depth, &r.model, &r.state));
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), before);
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
	foreign_rig_drop(&r);
}

/* What so many frames have seen is no body's any more. */
static void surface_is_young_for_fifteen_views(void **state)
{
	(void)state;
	for (int views = 15; views <= 16; views++) {
		foreign_rig r = foreign_rig_make(160, 120, true);
		uint8_t flags[ENM_K_FOREIGN_TILES];
		foreign_rig_paint(&r, 0, 160, WALL_MM);
		foreign_rig_look_times(&r, views);
		const int before = foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5);
		memset(flags, FLAG_FOREIGN, sizeof(flags));
		support_write(&r.foreign.flags, flags, r.foreign.flags.bytes);
		CHECK(foreign_take_out(&r.foreign, test.queue, &r.depth, &r.model, &r.state));
		assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), views == 15 ? 0 : before);
		foreign_rig_drop(&r);
	}
}

static void old_surface_stays_when_a_body_comes_near(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 40);
	const int before = foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5);
	foreign_rig_paint(&r, 40, 110, WALL_MM - 1.5);
	foreign_rig_look_times(&r, 3);
	assert_true(foreign_rig_share_left(&r, 48, 102) == 0.0);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5), before);
	foreign_rig_drop(&r);
}

static void what_was_fused_is_cleared_when_it_is_seen_through(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* there from the beginning, so that nothing speaks against it */
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_paint(&r, 50, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, LOOKS);
	const int fused = foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0);
	assert_true(fused > 1000);
	foreign_rig_paint(&r, 50, 110, WALL_MM);
	foreign_rig_look_times(&r, 3 * LOOKS);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	assert_true(foreign_rig_surface_between(&r, WALL_MM - 0.5, WALL_MM + 0.5) > 1000);
	foreign_rig_drop(&r);
}

static void what_was_fused_in_empty_space_unjudged_is_cleared(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	/* as after a loss, when a place has just been found */
	r.track.missed = r.track.lost = 9;
	for (int i = 0; i < 3; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	foreign_rig_paint(&r, 50, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 2);
	assert_true(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	r.track.missed = r.track.lost = 0;
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 80);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	foreign_rig_drop(&r);
}

static void frames_without_a_pose_teach_nothing(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 1);
	for (int i = 0; i < LOOKS; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
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
	foreign_rig_drop(&r);
}

/* Cells of the grid that say something. */
static size_t cells_known(const foreign_rig *r)
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
	foreign_rig r = foreign_rig_make(160, 120, true);
	enm_k_foreign_frame before, after;
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 60, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 3);
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
	foreign_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(what_came_in_with_a_body_is_taken_out_when_it_is_found),
	KERNEL_TEST(what_came_in_goes_in_whatever_order_tiles_come), KERNEL_TEST(what_stands_alone_takes_nothing_out),
	KERNEL_TEST(surface_is_young_for_fifteen_views), KERNEL_TEST(old_surface_stays_when_a_body_comes_near),
	KERNEL_TEST(what_was_fused_is_cleared_when_it_is_seen_through),
	KERNEL_TEST(what_was_fused_in_empty_space_unjudged_is_cleared),
	KERNEL_TEST(frames_without_a_pose_teach_nothing), KERNEL_TEST(a_scan_that_begins_anew_knows_nothing))
