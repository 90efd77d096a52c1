/* SPDX-License-Identifier: Apache-2.0
 * What is foreign to a frame, and what is followed (kernels/foreign_sort.cl, foreign.cl). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "foreign_rig.h"

static void what_appears_in_empty_space_is_hidden(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	foreign_rig_paint(&r, 0, 60, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 3);
	assert_true(foreign_rig_share_left(&r, 8, 56) == 0.0);
	assert_true(foreign_rig_share_left(&r, 70, 152) == 1.0);
	assert_near(foreign_rig_share_found(&r), 60.0 / 160.0, 0.05);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	/* gone again: all of the wall counts as before */
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 1);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	assert_near(foreign_rig_share_found(&r), 0.0, 0.0);
	foreign_rig_drop(&r);
}

static void what_hangs_together_with_it_is_hidden_too(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* nothing was read on the left, so that nothing is known of the space there */
	foreign_rig_paint(&r, 60, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 2);
	assert_true(foreign_rig_share_left(&r, 4, 106) == 0.0);
	assert_true(foreign_rig_share_left(&r, 120, 152) == 1.0);
	foreign_rig_drop(&r);
}

static void a_surface_that_goes_on_is_taken_at_once(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 100, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 1);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	foreign_rig_drop(&r);
}

static void what_stands_alone_has_to_stay_while_a_body_is_about(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* nothing else is about: it is the jaw beyond a step */
	foreign_rig_paint(&r, 0, 80, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 110, 160, WALL_MM - 2.0);
	foreign_rig_look_times(&r, 1);
	assert_true(foreign_rig_share_left(&r, 120, 152) == 1.0);
	foreign_rig_drop(&r);
	/* the same when a body has come into space known to be empty */
	r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 100, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 10, 50, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 2);
	foreign_rig_paint(&r, 10, 50, WALL_MM);
	foreign_rig_paint(&r, 120, 160, WALL_MM - 2.0);
	foreign_rig_look_times(&r, 4);
	assert_true(foreign_rig_share_left(&r, 130, 152) == 0.0);
	/* no body for some time */
	foreign_rig_look_times(&r, 30);
	assert_true(foreign_rig_share_left(&r, 130, 152) == 1.0);
	foreign_rig_drop(&r);
}

static void what_stays_in_empty_space_is_believed_in_the_end(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 50);
	assert_true(foreign_rig_share_left(&r, 8, 106) == 0.0);
	assert_int_equal(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0), 0);
	foreign_rig_look_times(&r, 60);
	assert_true(foreign_rig_share_left(&r, 8, 98) == 1.0);
	assert_true(foreign_rig_surface_between(&r, WALL_MM - 5.0, WALL_MM - 3.0) > 1000);
	foreign_rig_drop(&r);
}

static void a_body_is_followed_when_nothing_contradicts_it_any_more(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* nothing was read on the left, so that nothing is known of the space there */
	foreign_rig_paint(&r, 70, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 20, 110, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 2);
	foreign_rig_paint(&r, 70, 110, WALL_MM);
	foreign_rig_paint(&r, 20, 66, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 20);
	assert_true(foreign_rig_share_left(&r, 28, 60) == 0.0);
	/* but not for ever */
	foreign_rig_look_times(&r, 20);
	assert_true(foreign_rig_share_left(&r, 28, 60) == 1.0);
	foreign_rig_drop(&r);
}

/* A body over columns [from, 128), slanted by 2 mm over so many, of which one end is close to a wall over columns [wall_from, 160), comes and stays: once it has taken the young wall there out,
 * nothing contradicts it any more. */
static void come_and_stay(foreign_rig *r, int from, int over, int wall_from, int frames)
{
	foreign_rig_paint(r, wall_from, 160, WALL_MM);
	foreign_rig_look_times(r, 3);
	for (int x = from; x < 128; x++)
		foreign_rig_paint(r, x, x + 1, WALL_MM - 0.3 - 2.0 * (128 - x) / over);
	for (int i = 0; i < frames; i++) { /* of 0.08 s */
		r->track.missed = (uint32_t)i;
		foreign_rig_look(r, ENM_K_VERDICT_WEAK);
	}
}

/* It covers more than three fifths of the view, which would be too much to be spared. */
static void a_body_is_followed_while_the_model_lies_behind_it(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	come_and_stay(&r, 8, 120, 0, 20);
	assert_true(foreign_rig_share_left(&r, 16, 120) == 0.0);
	/* not for ever either */
	for (int i = 0; i < 20; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 16, 120) == 1.0);
	foreign_rig_drop(&r);
	r = foreign_rig_make(160, 120, true);
	come_and_stay(&r, 8, 120, 100, 20);
	assert_true(foreign_rig_share_left(&r, 16, 90) == 1.0);
	foreign_rig_drop(&r);
}

/* Of a body that covers two thirds of the view a quarter with the model behind it is enough. */
static void a_body_is_followed_while_the_model_lies_behind_some_of_it(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	come_and_stay(&r, 64, 80, 72, 20);
	assert_true(foreign_rig_share_left(&r, 72, 96) == 0.0);
	foreign_rig_drop(&r);
}

/* Behind a seventh, which may be jaw, it is followed for a second, while a quarter of the view is left to track by. */
static void a_body_is_followed_for_a_while_where_little_lies_behind_it(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	come_and_stay(&r, 64, 80, 80, 10);
	assert_true(foreign_rig_share_left(&r, 72, 96) == 0.0);
	r.track.missed = 0; /* so that it is judged, and not followed blindly */
	for (int i = 0; i < 10; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 72, 96) == 1.0);
	foreign_rig_drop(&r);
	r = foreign_rig_make(160, 120, true);
	come_and_stay(&r, 8, 120, 100, 10);
	assert_true(foreign_rig_share_left(&r, 16, 90) == 1.0);
	foreign_rig_drop(&r);
}

/* A wall, and a body over columns [from, to) that has been found out. */
static foreign_rig rig_with_body(int from, int to)
{
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, from, to, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 1);
	assert_true(foreign_rig_share_left(&r, from + 8, to - 8) == 0.0);
	return r;
}

/* Lost, with a pose by which nothing can be told, the body is hidden wherever it goes in the picture; nothing is learnt of where it is in space, and nothing taken out there. */
static void a_body_is_followed_through_a_loss(void **state)
{
	(void)state;
	foreign_rig r = rig_with_body(0, 60);
	const size_t words = r.foreign.grid.bytes / 4;
	uint32_t *before = support_alloc(words, 4), *after = support_alloc(words, 4);
	const int surface = foreign_rig_surface_between(&r, WALL_MM - 8.0, WALL_MM + 1.0);
	assert_true(surface > 1000);
	r.track.world_from_camera.t[2] = 4.0f; /* that the body comes to lie where the wall is young */
	r.track.missed = r.track.lost = 10;
	r.dt_s = 0.2f;
	support_read(&r.foreign.grid, before, words * 4);
	for (int i = 0; i < 8; i++) {
		foreign_rig_paint(&r, 0, 160, WALL_MM);
		foreign_rig_paint(&r, 2 * i, 60 + 2 * i, WALL_MM - 4.0 - 0.3 * i);
		foreign_rig_look(&r, ENM_K_VERDICT_LOST);
		assert_true(foreign_rig_share_left(&r, 8 + 2 * i, 56 + 2 * i) == 0.0);
		assert_true(foreign_rig_share_left(&r, 72 + 2 * i, 152) == 1.0);
	}
	support_read(&r.foreign.grid, after, words * 4);
	assert_memory_equal(before, after, words * 4);
	assert_true(foreign_rig_surface_between(&r, WALL_MM - 8.0, WALL_MM + 1.0) >= surface);
	/* not for ever */
	for (int i = 0; i < 8; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	free(before);
	free(after);
	foreign_rig_drop(&r);
	/* what comes to where it was is not the body */
	r = rig_with_body(0, 60);
	r.track.missed = r.track.lost = 10;
	r.track.world_from_camera.t[2] = -3.0f;
	foreign_rig_paint(&r, 0, 60, WALL_MM - 3.0);
	r.dt_s = 0.2f;
	foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	foreign_rig_drop(&r);
}

/* Frames with a body in them do not count towards an island, unless it is known where it is in the picture and leaves half of that free. */
static void an_island_may_begin_beside_a_body_that_is_followed(void **state)
{
	(void)state;
	for (int large = 0; large < 2; large++) {
		foreign_rig r = rig_with_body(0, large ? 92 : 60);
		r.track.world_from_camera.t[2] = -3.0f;
		r.track.missed = r.track.lost = 10;
		r.track.searched = 7;
		r.dt_s = 0.2f;
		foreign_rig_look(&r, ENM_K_VERDICT_LOST);
		assert_true(large ? foreign_rig_share_found(&r) > 0.5f : foreign_rig_share_found(&r) < 0.5f && foreign_rig_share_found(&r) > 0.3f);
		assert_int_equal(r.track.searched, large ? 0 : 7);
		foreign_rig_drop(&r);
	}
}

/* In the grid and model of another stage that looked at other frames, what is in the picture is known as before. */
static void another_stage_goes_on(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_stage other;
	uint8_t *tiles, *kept;
	come_and_stay(&r, 8, 120, 0, 20);
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
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 16, 120) == 0.0);
	CHECK(foreign_go_on(&r.foreign, test.queue, &r.foreign)); /* nothing to do */
	free(tiles);
	free(kept);
	foreign_rig_drop(&r);
}

static void what_stays_is_told_by_the_clock(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 110, WALL_MM - 4.0);
	r.dt_s = 0.02f;
	foreign_rig_look_times(&r, 190);
	assert_true(foreign_rig_share_left(&r, 8, 98) == 0.0);
	foreign_rig_look_times(&r, 30);
	assert_true(foreign_rig_share_left(&r, 8, 98) == 1.0);
	foreign_rig_drop(&r);
}

static void what_lies_in_front_of_the_model_twice_is_hidden(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	/* too short to know of empty cells, and too near to lie in one */
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 3);
	foreign_rig_paint(&r, 16, 72, WALL_MM - 0.3);
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 24, 64) == 0.0);
	assert_true(foreign_rig_share_left(&r, 88, 152) == 1.0);
	foreign_rig_drop(&r);
	/* once only: the prediction was off */
	r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 3);
	for (int i = 0; i < 4; i++) {
		foreign_rig_paint(&r, 16, 72, i % 2 == 0 ? WALL_MM - 0.3 : WALL_MM);
		foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
		assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	}
	foreign_rig_drop(&r);
}

/* As where a hand trembles: what lies before the model may be the model. */
static void nothing_lies_in_front_where_predictions_were_off(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, 3);
	r.track.predicted_off_mm = 0.51f * (float)TRUNCATION_MM;
	foreign_rig_paint(&r, 16, 72, WALL_MM - 0.3);
	for (int i = 0; i < 4; i++) {
		foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
		assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	}
	r.track.predicted_off_mm = 0.49f * (float)TRUNCATION_MM;
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 24, 64) == 0.0);
	foreign_rig_drop(&r);
}

static void a_body_that_comes_to_cover_almost_all_is_hidden_all_the_way(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	for (int to = 40; to <= 136; to += 8) {
		foreign_rig_paint(&r, 0, to, WALL_MM - 4.0);
		foreign_rig_look_times(&r, 1);
	}
	assert_true(foreign_rig_share_left(&r, 8, 128) == 0.0);
	assert_true(foreign_rig_share_left(&r, 144, 156) == 1.0);
	foreign_rig_drop(&r);
	/* the same at once may as well be a wrong prediction */
	r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 136, WALL_MM - 4.0);
	foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 128) == 1.0);
	foreign_rig_drop(&r);
}

static void nothing_is_judged_by_a_wrong_prediction(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	/* all of the frame contradicts: either covered, or the camera is elsewhere */
	foreign_rig_paint(&r, 0, 160, WALL_MM - 4.0);
	foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 152) == 1.0);
	/* nor long after the last tracked frame: what contradicts anew is let in */
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	r.track.missed = r.track.lost = 1;
	for (int i = 0; i < 3; i++)
		foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	foreign_rig_paint(&r, 0, 60, WALL_MM - 4.0);
	foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 152) > 0.95);
	/* but a place that was found again is judged while it is on trial */
	r.track.probation = 1;
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_true(foreign_rig_share_left(&r, 8, 56) == 0.0);
	/* and what was hidden there is no body if the trial fails */
	r.track.probation = 0;
	foreign_rig_look(&r, ENM_K_VERDICT_LOST);
	assert_true(foreign_rig_share_left(&r, 8, 152) > 0.95);
	foreign_rig_drop(&r);
}

static void an_island_begins_with_nothing_known(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, true);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	/* what another model has looked through says nothing here */
	r.track.island = 1;
	foreign_rig_paint(&r, 0, 110, WALL_MM - 4.0);
	foreign_rig_look(&r, ENM_K_VERDICT_WEAK);
	assert_near(foreign_rig_share_found(&r), 0.0, 0.0);
	foreign_rig_drop(&r);
}

static void sizes_that_fit_nothing_give_the_same_twice(void **state)
{
	(void)state;
	const int sizes[][2] = {{65, 49}, {97, 131}, {43, 40}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t bytes = (size_t)sizes[i][0] * (size_t)sizes[i][1] * 4;
		float *first = support_alloc(1, bytes);
		for (int run = 0; run < 2; run++) {
			foreign_rig r = foreign_rig_make(sizes[i][0], sizes[i][1], true);
			support_random random = {17};
			for (int f = 0; f < 10; f++) {
				for (int p = 0; p < r.width * r.height; p++)
					r.picture[p] = random_in(&random, 0, 1) < 0.03 ? 0.0f :
						(float)(WALL_MM + 0.02 * random_normal(&random) - (f > 7 && p % r.width < r.width / 3 ? 4.0 : 0.0));
				foreign_rig_look_times(&r, 1);
			}
			if (run == 0)
				memcpy(first, r.seen, bytes);
			assert_memory_equal(first, r.seen, bytes);
			foreign_rig_drop(&r);
		}
		free(first);
	}
}

static void switched_off_it_takes_nothing(void **state)
{
	(void)state;
	foreign_rig r = foreign_rig_make(160, 120, false);
	assert_false(r.foreign.on);
	assert_int_equal(r.foreign.grid.bytes, 0);
	foreign_rig_paint(&r, 0, 160, WALL_MM);
	foreign_rig_look_times(&r, LOOKS);
	foreign_rig_paint(&r, 0, 60, WALL_MM - 4.0);
	foreign_rig_look_times(&r, 1);
	assert_true(foreign_rig_share_left(&r, 8, 152) > 0.95);
	CHECK(foreign_clear(&r.foreign, test.queue));
	foreign_rig_drop(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(what_appears_in_empty_space_is_hidden),
	KERNEL_TEST(what_hangs_together_with_it_is_hidden_too), KERNEL_TEST(a_surface_that_goes_on_is_taken_at_once),
	KERNEL_TEST(what_stands_alone_has_to_stay_while_a_body_is_about),
	KERNEL_TEST(what_stays_in_empty_space_is_believed_in_the_end),
	KERNEL_TEST(a_body_is_followed_when_nothing_contradicts_it_any_more),
	KERNEL_TEST(a_body_is_followed_while_the_model_lies_behind_it), KERNEL_TEST(a_body_is_followed_through_a_loss),
	KERNEL_TEST(an_island_may_begin_beside_a_body_that_is_followed), KERNEL_TEST(another_stage_goes_on),
	KERNEL_TEST(what_stays_is_told_by_the_clock), KERNEL_TEST(what_lies_in_front_of_the_model_twice_is_hidden),
	KERNEL_TEST(nothing_lies_in_front_where_predictions_were_off),
	KERNEL_TEST(a_body_that_comes_to_cover_almost_all_is_hidden_all_the_way),
	KERNEL_TEST(a_body_is_followed_while_the_model_lies_behind_some_of_it), KERNEL_TEST(a_body_is_followed_for_a_while_where_little_lies_behind_it), KERNEL_TEST(nothing_is_judged_by_a_wrong_prediction), KERNEL_TEST(an_island_begins_with_nothing_known),
	KERNEL_TEST(sizes_that_fit_nothing_give_the_same_twice), KERNEL_TEST(switched_off_it_takes_nothing))
