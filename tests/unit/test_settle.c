/* SPDX-License-Identifier: Apache-2.0
 * What becomes of the frames of islands when a scan has ended: each island's, not those of the one seen last. */
#include <math.h>

#include "cmocka_all.h"
#include "feed.h"

#define FRAMES 8

static stitch_frame frame_on(uint32_t island, enm_verdict verdict)
{
	stitch_frame f = {.reported = true};
	f.report.verdict = verdict;
	f.report.island = island;
	f.report.world_from_camera = enm_pose_identity();
	f.report.world_from_camera.t_mm[0] = 1.0;
	return f;
}

static void frames_go_where_their_island_is_joined(void **state)
{
	(void)state;
	stitch_frame frames[FRAMES] = {frame_on(0, ENM_VERDICT_TRACKED), frame_on(1, ENM_VERDICT_TRACKED), frame_on(1, ENM_VERDICT_WEAK),
		frame_on(2, ENM_VERDICT_TRACKED), frame_on(3, ENM_VERDICT_TRACKED), frame_on(0, ENM_VERDICT_TRACKED), frame_on(2, ENM_VERDICT_TRACKED),
		frame_on(0, ENM_VERDICT_TRACKED)};
	/* a quarter turn about z, and 10 mm along y */
	const enm_pose first_from_island = {.t_mm = {0, 10, 0}, .q_xyzw = {0, 0, sqrt(0.5), sqrt(0.5)}};
	frames[5].report.events = ENM_EVENT_ISLAND_JOINED; /* after frames of 2 and 3 */
	frames[5].report.joined_island = 1;
	frames[5].report.first_from_island = first_from_island;
	frames[7].report.events = ENM_EVENT_ISLAND_DROPPED;
	frames[7].report.dropped_island = 2;
	stitch_result r = {.frames = frames, .frame_count = FRAMES};
	feed_settle(&r);
	const bool apart[FRAMES] = {false, false, false, true, true, false, true, false};
	for (int i = 0; i < FRAMES; i++) {
		const bool joined = i == 1 || i == 2;
		const double *t = frames[i].report.world_from_camera.t_mm;
		assert_int_equal(frames[i].apart, apart[i]);
		assert_true(fabs(t[0] - (joined ? 0.0 : 1.0)) < 1e-12 && fabs(t[1] - (joined ? 11.0 : 0.0)) < 1e-12);
		assert_int_equal(frames[i].report.island, joined ? 0 : i == 3 || i == 6 ? 2 : i == 4 ? 3 : 0);
	}
	assert_int_equal(r.apart, 3);
}

static void a_scan_that_begins_again_leaves_all_before_apart(void **state)
{
	(void)state;
	stitch_frame frames[4] = {frame_on(0, ENM_VERDICT_TRACKED), frame_on(0, ENM_VERDICT_LOST), frame_on(0, ENM_VERDICT_TRACKED), frame_on(0, ENM_VERDICT_TRACKED)};
	frames[2].report.events = ENM_EVENT_BEGUN_AGAIN;
	stitch_result r = {.frames = frames, .frame_count = 4};
	feed_settle(&r);
	assert_true(frames[0].apart && !frames[1].apart && !frames[2].apart && !frames[3].apart);
	assert_int_equal(r.apart, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_where_their_island_is_joined),
		cmocka_unit_test(a_scan_that_begins_again_leaves_all_before_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
