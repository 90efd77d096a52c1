/* SPDX-License-Identifier: Apache-2.0
 * The way back after a loss: a wand that is lifted off and put down elsewhere on what was scanned is tracked again; put
 * down on something else, it never is. */
#include "scan.h"

#include <math.h>

#include "core/context.h"
#include "core/pose.h"
#include "pipeline/session.h"

#define EMPTY_FRAMES 6
#define BACK_FRAMES 12
#define FRAMES (SCAN_FRAMES + EMPTY_FRAMES + BACK_FRAMES)
#define FAR_FRAMES 80

typedef struct visit {
	enm_report reports[FRAMES];
	enm_pose truth[FRAMES]; /* of the frames after the wand has come back */
} visit;

/* What the wand sees when it comes back. */
typedef struct place {
	ref_scene scene;
	enm_pose start; /* from where it goes on at the scan's pace */
	bool mirrored;
	double mm_per_unit;
	bool usual; /* back_on_the_scan */
} place;

static const ref_scene elsewhere = {REF_BUMPS, 13.0, 0.7, 0.95, 1.05};

static int64_t time_of(int frame)
{
	return (int64_t)frame * SCAN_PERIOD_NS;
}

static void render(const place *p, const enm_camera *camera, const enm_pose *pose, uint16_t *out_depth)
{
	const uint32_t width = camera->width, pixels = width * camera->height;
	float *exact = malloc(pixels * sizeof(*exact));
	assert_non_null(exact);
	ref_scene_render(&p->scene, camera, pose, 60000.0, exact);
	for (uint32_t i = 0; i < pixels; i++) {
		const uint32_t from = p->mirrored ? i / width * width + (width - 1 - i % width) : i;
		out_depth[i] = (uint16_t)lrint((double)exact[from] / p->mm_per_unit);
	}
	free(exact);
}

static void push(enm_session *s, int frame, const uint16_t *depth)
{
	const enm_frame f = {.depth = depth, .time_ns = time_of(frame)};
	WANT(ENM_OK, enm_session_push(s, &f, NULL));
}

/* The pose of the n-th frame after coming back: the hand goes on sideways and turns a little. */
static enm_pose moved(const enm_pose *start, int n, double mm)
{
	const enm_pose step =
		ref_pose_make(0.002 * n, -0.003 * n, 0.002 * n, 0.12 * mm * n, 0.05 * mm * n, -0.02 * mm * n);
	const ref_pose a = ref_pose_from(start), b = ref_pose_from(&step), c = ref_pose_multiply(&a, &b);
	enm_k_pose device = {.t = {(float)c.t[0], (float)c.t[1], (float)c.t[2]}};
	for (int i = 0; i < 9; i++)
		device.r[i] = (float)c.r[i];
	return pose_from_device(&device);
}

/* A frame after coming back; those of the scan's own surface, which most tests want, are rendered once. */
static const uint16_t *back_frame(const place *p, int n, const enm_pose *pose)
{
	static uint16_t kept[BACK_FRAMES][SCAN_PIXELS], other[SCAN_PIXELS];
	static bool rendered[BACK_FRAMES];
	if (!p->usual) {
		render(p, &the_scan.def.camera, pose, other);
		return other;
	}
	if (!rendered[n])
		render(p, &the_scan.def.camera, pose, kept[n]);
	rendered[n] = true;
	return kept[n];
}

/* A scan, frames without a reading, and the frames after coming back. */
static void go(enm_session *s, const place *p, visit *out)
{
	static const uint16_t nothing[SCAN_PIXELS];
	int n = 0;
	for (; n < SCAN_FRAMES; n++)
		push(s, n, scan_frame(n).depth);
	for (; n < SCAN_FRAMES + EMPTY_FRAMES; n++)
		push(s, n, nothing);
	for (; n < FRAMES; n++) {
		out->truth[n] = moved(&p->start, n - SCAN_FRAMES - EMPTY_FRAMES, 1.0);
		push(s, n, back_frame(p, n - SCAN_FRAMES - EMPTY_FRAMES, &out->truth[n]));
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (n = 0; n < FRAMES; n++)
		WANT(ENM_OK, enm_session_next_report(s, &out->reports[n]));
	for (n = 0; n < SCAN_FRAMES; n++)
		assert_int_equal(out->reports[n].verdict, ENM_VERDICT_TRACKED);
	assert_true(out->reports[0].events & ENM_EVENT_KEYFRAME);
}

static enm_session_def plain_def(void)
{
	enm_session_def def = the_scan.def;
	def.color = def.foreign_bodies = false;
	return def;
}

/* 1.5 mm to the side, 1 mm nearer and 9 degrees turned from what the scan saw in its middle. */
static place back_on_the_scan(void)
{
	return (place){the_scan.scene, ref_pose_make(0.12, -0.06, 0.16, 1.2, 1.3, 1.0), false, 0.001, true};
}

static void assert_recovered(const visit *v, bool exactly)
{
	int trial = 0, tracked = 0;
	for (int n = SCAN_FRAMES + EMPTY_FRAMES; n < FRAMES; n++) {
		const enm_report *r = &v->reports[n];
		if (r->reason == ENM_REASON_RECOVERING) {
			assert_int_equal(r->verdict, ENM_VERDICT_WEAK);
			assert_int_equal(tracked, 0);
			trial++;
		}
		assert_int_equal(r->fused, r->verdict == ENM_VERDICT_TRACKED); /* nothing on trial is */
		assert_int_equal(
			(r->events & ENM_EVENT_RECOVERED) != 0, r->verdict == ENM_VERDICT_TRACKED && tracked == 0);
		if (r->verdict != ENM_VERDICT_TRACKED)
			continue;
		const ref_pose got = ref_pose_from(&r->world_from_camera), wanted = ref_pose_from(&v->truth[n]);
		tracked++;
		if (exactly) {
			assert_true(ref_pose_shift(&got, &wanted) < 0.06);
			assert_true(ref_pose_angle(&got, &wanted) < 4e-3);
		}
	}
	assert_true(trial >= 3); /* frames that had to agree first */
	assert_true(tracked >= BACK_FRAMES - 6);
}

static void wand_comes_back(void **state)
{
	(void)state;
	const enm_session_def def = plain_def();
	const place p = back_on_the_scan();
	enm_session *s = scan_session(&def);
	visit v;
	go(s, &p, &v);
	assert_recovered(&v, true);
	enm_session_destroy(&s);
}

static void wand_comes_back_by_raycast(void **state)
{
	(void)state;
	enm_session_def def = plain_def();
	def.tracker = ENM_TRACKER_RAYCAST;
	const place p = back_on_the_scan();
	enm_session *s = scan_session(&def);
	visit v;
	go(s, &p, &v);
	assert_recovered(&v, true);
	enm_session_destroy(&s);
}

static void without_the_search_it_stays_lost(void **state)
{
	(void)state;
	enm_session_def def = plain_def();
	def.recover = false;
	const place p = back_on_the_scan();
	enm_session *s = scan_session(&def);
	visit v;
	for (int n = 0; n < FRAMES; n++)
		push(s, n, n < SCAN_FRAMES ? scan_frame(n).depth : back_frame(&p, 0, &p.start));
	WANT(ENM_OK, enm_session_flush(s));
	for (int n = 0; n < FRAMES; n++) {
		WANT(ENM_OK, enm_session_next_report(s, &v.reports[n]));
		assert_false(v.reports[n].events & ENM_EVENT_KEYFRAME);
		assert_true(n < SCAN_FRAMES || v.reports[n].verdict != ENM_VERDICT_TRACKED);
	}
	enm_session_destroy(&s);
}

/* Another surface of the same kind, the same one in a mirror, and the same one where the scan has not been. */
static void what_only_looks_alike_is_refused(void **state)
{
	(void)state;
	const enm_session_def def = plain_def();
	place places[] = {back_on_the_scan(), back_on_the_scan(), back_on_the_scan()};
	places[0].scene = elsewhere;
	places[1].mirrored = true;
	places[2].start = ref_pose_make(0.12, -0.06, 0.16, 61.2, 41.3, 1.0);
	for (int i = 0; i < 3; i++) {
		enm_session *s = scan_session(&def);
		visit v;
		places[i].usual = false;
		go(s, &places[i], &v);
		for (int n = SCAN_FRAMES; n < FRAMES; n++) {
			assert_true(v.reports[n].verdict != ENM_VERDICT_TRACKED || v.reports[n].island != 0); /* apart it may be built */
			assert_true(!v.reports[n].fused || v.reports[n].island != 0);
		}
		enm_session_destroy(&s);
	}
}

/* Serial, overlapping and recorded, and after a reset: the search is launched for the same frames and finds the same.
 */
static void every_way_comes_back_alike(void **state)
{
	(void)state;
	const session_ways ways[] = {
		{.serial = true}, {.overlap = true}, {.record = true}, {.overlap = true, .record = true}};
	const enm_session_def def = plain_def();
	const place p = back_on_the_scan();
	visit first, other;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].record && !gpu_can_record(context_device(the_context)))
			continue;
		enm_session *s = scan_session(&def);
		s->ways = ways[i];
		go(s, &p, i == 0 ? &first : &other);
		if (i == 1) {
			WANT(ENM_OK, enm_session_reset(s));
			go(s, &p, &other);
		}
		for (int n = 0; n < FRAMES && i > 0; n++) {
			const enm_report *a = &first.reports[n], *b = &other.reports[n];
			assert_memory_equal(&a->world_from_camera, &b->world_from_camera, sizeof(enm_pose));
			assert_int_equal(a->verdict, b->verdict);
			assert_int_equal(a->reason, b->reason);
			assert_int_equal(a->events, b->events);
			assert_int_equal(a->blocks_used, b->blocks_used);
		}
		enm_session_destroy(&s);
	}
}

/* A session emptied knows no places either. */
static void reset_forgets_places(void **state)
{
	(void)state;
	static uint16_t depth[SCAN_PIXELS];
	static const uint16_t nothing[SCAN_PIXELS];
	const enm_session_def def = plain_def();
	const place there = {elsewhere, enm_pose_identity(), false, 0.001, false}, back = back_on_the_scan();
	enm_session *s = scan_session(&def);
	visit v;
	go(s, &back, &v);
	WANT(ENM_OK, enm_session_reset(s));
	enm_report report;
	render(&there, &def.camera, &there.start, depth);
	for (int n = 0; n < 16; n++)
		push(s, n, n < 4 ? depth : n < 8 ? nothing : back_frame(&back, 0, &back.start));
	WANT(ENM_OK, enm_session_flush(s));
	for (int n = 0; n < 16; n++) {
		WANT(ENM_OK, enm_session_next_report(s, &report));
		assert_int_equal(report.verdict == ENM_VERDICT_TRACKED, n < 4);
		assert_true(report.reason != ENM_REASON_RECOVERING);
	}
	enm_session_destroy(&s);
}

/* The same in a room a hundred times as large: nothing in the search is in mm. */
static void rooms_are_found_again(void **state)
{
	(void)state;
	static uint16_t depth[SCAN_PIXELS];
	static const uint16_t nothing[SCAN_PIXELS];
	enm_session_def def = enm_session_def_default(&the_scan.def.camera, ENM_SCALE_ROOM);
	const place room = {{REF_BUMPS, 1300.0, 70.0, 0.011, 0.009}, enm_pose_identity(), false, 1.0, false};
	const enm_pose back = ref_pose_make(0.1, -0.05, 0.12, 110, 90, 60);
	visit v;
	enm_session *s = scan_session(&def);
	for (int n = 0; n < 24; n++) {
		const enm_pose start = n < 12 ? moved(&room.start, n, 100.0) : moved(&back, n - 15, 100.0);
		v.truth[n] = start;
		render(&room, &def.camera, &start, depth);
		push(s, n, n < 12 || n > 14 ? depth : nothing);
	}
	WANT(ENM_OK, enm_session_flush(s));
	int tracked = 0;
	for (int n = 0; n < 24; n++) {
		WANT(ENM_OK, enm_session_next_report(s, &v.reports[n]));
		if (n < 15 || v.reports[n].verdict != ENM_VERDICT_TRACKED)
			continue;
		const ref_pose got = ref_pose_from(&v.reports[n].world_from_camera),
			       wanted = ref_pose_from(&v.truth[n]);
		assert_true(ref_pose_shift(&got, &wanted) < 6.0);
		tracked++;
	}
	assert_true(tracked >= 4);
	enm_session_destroy(&s);
}

/* 16 x 16 pixels: whether they show enough to be sure of a place or not, nothing wrong is believed. */
static void tiny_pictures_are_searched_too(void **state)
{
	(void)state;
	static uint16_t depth[256];
	static const uint16_t nothing[256];
	enm_session_def def = plain_def();
	def.camera = (enm_camera){.width = 16, .height = 16, .fx = 16, .fy = 16, .cx = 7.5, .cy = 7.5};
	const place p = back_on_the_scan();
	def.start_world_from_camera = p.start;
	enm_session *s = scan_session(&def);
	enm_pose truth[24];
	enm_report report;
	for (int n = 0; n < 24; n++) {
		truth[n] = n < 12 ? moved(&p.start, n, 0.3) : moved(&p.start, n - 3, 3.0);
		render(&p, &def.camera, &truth[n], depth);
		push(s, n, n < 12 || n > 14 ? depth : nothing);
	}
	WANT(ENM_OK, enm_session_flush(s));
	bool again = false; /* a model of one frame is given up before long: then poses are of another world */
	for (int n = 0; n < 24; n++) {
		WANT(ENM_OK, enm_session_next_report(s, &report));
		again = again || (report.events & ENM_EVENT_BEGUN_AGAIN) != 0;
		const ref_pose got = ref_pose_from(&report.world_from_camera), wanted = ref_pose_from(&truth[n]);
		assert_true(n > 0 || report.verdict == ENM_VERDICT_TRACKED);
		assert_true(report.verdict != ENM_VERDICT_TRACKED || again || ref_pose_shift(&got, &wanted) < 0.5);
	}
	enm_k_recovery recovery;
	WANT(ENM_OK, gpu_read(s->queue, &s->keyframes.recovery, 0, &recovery, sizeof(recovery), NULL));
	WANT(ENM_OK, gpu_finish(s->queue));
	assert_true(recovery.keyframes > 0 && recovery.searches > 0);
	enm_session_destroy(&s);
}

#if ENM_FOREIGN

/* Cells that are known of, by the quarter of the layers that they lie in: a frame looks through one of these. */
static void count_known(enm_session *s, size_t out_known[4])
{
	uint32_t *grid = malloc(s->foreign.grid.bytes);
	assert_non_null(grid);
	WANT(ENM_OK, gpu_read(s->queue, &s->foreign.grid, 0, grid, s->foreign.grid.bytes, NULL));
	WANT(ENM_OK, gpu_finish(s->queue));
	memset(out_known, 0, 4 * sizeof(*out_known));
	for (size_t i = 0; i < s->foreign.grid.bytes / 4; i++)
		out_known[i / ENM_K_FOREIGN_GRID / ENM_K_FOREIGN_GRID % 4] += grid[i] != 0;
	free(grid);
}

/* The n-th frame of a hand that holds nearly still far away; rendered once. */
static const uint16_t *far_frame(int n)
{
	static uint16_t kept[FAR_FRAMES][SCAN_PIXELS];
	static bool rendered[FAR_FRAMES];
	const place far = {the_scan.scene, ref_pose_make(0.03, 0.05, 0.02, 15.0, 0.3, 0.1), false, 0.001, false};
	const enm_pose pose = moved(&far.start, n, 0.05);
	if (!rendered[n])
		render(&far, &the_scan.def.camera, &pose, kept[n]);
	rendered[n] = true;
	return kept[n];
}

/* What a scan has looked through that begins again, or anew with its second frame, is forgotten with its model. */
static void scan_that_begins_again_has_looked_through_nothing(void **state)
{
	(void)state;
	for (int rows = 0; rows < 2; rows++) {
		enm_session_def def = plain_def();
		def.foreign_bodies = true;
		def.row_time_s = rows ? 1e-4 : 0.0;
		enm_session *s = scan_session(&def);
		size_t known[4];
		bool again = false;
		for (int n = 0; n < FAR_FRAMES && !again; n++) {
			const enm_frame f = {.depth = n < 2 ? scan_frame(n).depth : far_frame(n), .time_ns = time_of(n)};
			again = (scan_push(s, &f).events & ENM_EVENT_BEGUN_AGAIN) != 0;
			count_known(s, known);
			if (n == 1) /* frames are counted from one */
				assert_true(known[2] > 0 && (known[1] > 0) == (rows == 0) && known[0] + known[3] == 0);
		}
		assert_true(again);
		assert_int_equal(known[0] + known[1] + known[2] + known[3], 0);
		enm_session_destroy(&s);
	}
}

#define FOREIGN_TESTS , cmocka_unit_test(scan_that_begins_again_has_looked_through_nothing)
#else
#define FOREIGN_TESTS
#endif

SCAN_TEST_MAIN(cmocka_unit_test(wand_comes_back), cmocka_unit_test(wand_comes_back_by_raycast),
	cmocka_unit_test(without_the_search_it_stays_lost), cmocka_unit_test(what_only_looks_alike_is_refused),
	cmocka_unit_test(every_way_comes_back_alike), cmocka_unit_test(reset_forgets_places),
	cmocka_unit_test(rooms_are_found_again), cmocka_unit_test(tiny_pictures_are_searched_too) FOREIGN_TESTS)
