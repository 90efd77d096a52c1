/* SPDX-License-Identifier: Apache-2.0
 * A wand that is put down far from what was scanned builds an island; it is joined when the wand comes back over known ground, waits when it is
 * lifted off and put down there, and is never a part of the surface before. */
#include "scan.h"

#include <math.h>

#define FAR_MM 15.0
#define HOLD_FRAMES 34 /* more than an island waits for */
#define BACK_STEP_MM 0.25
#define BACK_FRAMES 52
#define FRAMES (SCAN_FRAMES + HOLD_FRAMES + BACK_FRAMES)

typedef struct walk {
	enm_report reports[FRAMES];
	enm_pose truth[FRAMES];
	int begun, joined, dropped; /* frame of the event, -1: none */
} walk;

/* First the scan's own path, then a hand that holds nearly still far away, then back. */
static enm_pose pose_at(int n)
{
	const int held = n - SCAN_FRAMES, back = held - HOLD_FRAMES;
	if (held < 0)
		return the_scan.truth[n];
	const double x = back < 0 ? FAR_MM - 0.02 * held : FAR_MM - 0.02 * HOLD_FRAMES - BACK_STEP_MM * back;
	return ref_pose_make(0.03 * sin(0.2 * n), 0.05, 0.02 * cos(0.15 * n), x, 0.3, 0.1);
}

static const uint16_t *frame_at(int n, const enm_pose *pose)
{
	static uint16_t *kept[FRAMES];
	if (n < SCAN_FRAMES)
		return scan_frame(n).depth;
	if (kept[n] != NULL)
		return kept[n];
	float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
	kept[n] = malloc(SCAN_PIXELS * sizeof(uint16_t));
	assert_true(exact != NULL && kept[n] != NULL);
	ref_scene_render(&the_scan.scene, &the_scan.def.camera, pose, 60.0, exact);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++)
		kept[n][i] = (uint16_t)lrint(1000.0 * (double)exact[i]);
	free(exact);
	return kept[n];
}

static void note_events(walk *w, int n)
{
	const uint32_t events = w->reports[n].events;
	if (events & ENM_EVENT_ISLAND_BEGUN)
		w->begun = n;
	if (events & ENM_EVENT_ISLAND_JOINED)
		w->joined = n;
	if (events & ENM_EVENT_ISLAND_DROPPED)
		w->dropped = n;
}

/* Pushes frames [from, to) and files their reports. */
static void push_frames(enm_session *s, walk *w, int from, int to)
{
	for (int n = from; n < to; n++) {
		w->truth[n] = pose_at(n);
		const enm_frame f = {.depth = frame_at(n, &w->truth[n]), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		WANT(ENM_OK, enm_session_push(s, &f, NULL));
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (int n = from; n < to; n++) {
		WANT(ENM_OK, enm_session_next_report(s, &w->reports[n]));
		note_events(w, n);
	}
}

/* A frame that was fused says into how many blocks, and which of them are new; no other has any. */
static void assert_counts(const enm_report *before, const enm_report *r)
{
	assert_int_equal(r->blocks_in_view > 0, r->verdict == ENM_VERDICT_TRACKED);
	assert_int_equal(r->blocks_added, r->blocks_used - before->blocks_used);
}

static walk new_walk(void)
{
	return (walk){.begun = -1, .joined = -1, .dropped = -1};
}

static enm_session_def plain_def(void)
{
	enm_session_def def = the_scan.def;
	def.color = def.foreign_bodies = false;
	return def;
}

static double shift_mm(const ref_pose *a, const enm_pose *b)
{
	const ref_pose wanted = ref_pose_from(b);
	return ref_pose_shift(a, &wanted);
}

/* Bounds and mesh know the first model alone. */
static double surface_end_mm(enm_session *s)
{
	double low[3], high[3], end = -INFINITY;
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data;
	WANT(ENM_OK, enm_session_bounds(s, low, high));
	assert_true(low[0] > -30.0 && high[0] < 40.0);
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &data));
	for (size_t i = 0; i < data.vertex_count; i++) {
		assert_true(fabs((double)data.positions_mm[3 * i]) < 40.0);
		end = fmax(end, (double)data.positions_mm[3 * i]);
	}
	enm_mesh_destroy(&mesh);
	return end;
}

static void island_is_joined_where_it_belongs(void **state)
{
	(void)state;
	static walk w, again;
	const enm_session_def def = plain_def();
	enm_session *s = scan_session(&def), *t = scan_session(&def);
	w = new_walk();
	push_frames(s, &w, 0, SCAN_FRAMES + HOLD_FRAMES);
	assert_true(w.begun > SCAN_FRAMES && w.joined < 0);
	const double before_mm = surface_end_mm(s);
	push_frames(s, &w, SCAN_FRAMES + HOLD_FRAMES, FRAMES);
	assert_true(w.joined > w.begun);
	assert_int_equal(w.dropped, -1);
	for (int n = 1; n <= w.joined; n++)
		assert_counts(&w.reports[n - 1], &w.reports[n]);
	WANT(ENM_OK, enm_session_finish(s));
	/* its frames, taken into the first model, are where they were */
	const ref_pose first_from_island = ref_pose_from(&w.reports[w.joined].first_from_island);
	for (int n = w.begun; n < w.joined; n++) {
		if (w.reports[n].verdict != ENM_VERDICT_TRACKED)
			continue;
		const ref_pose on_island = ref_pose_from(&w.reports[n].world_from_camera), got = ref_pose_multiply(&first_from_island, &on_island);
		assert_int_equal(w.reports[n].island, 1);
		assert_true(shift_mm(&got, &w.truth[n]) < 0.15);
	}
	for (int n = w.joined; n < FRAMES; n++) {
		const ref_pose got = ref_pose_from(&w.reports[n].world_from_camera);
		assert_int_equal(w.reports[n].island, 0);
		assert_int_equal(w.reports[n].verdict, ENM_VERDICT_TRACKED);
		assert_true(shift_mm(&got, &w.truth[n]) < 0.1);
	}
	/* and so is its surface */
	assert_true(surface_end_mm(s) > before_mm + 8.0);
	/* the same bits when nobody looks */
	again = new_walk();
	push_frames(t, &again, 0, FRAMES);
	for (int n = 0; n < FRAMES; n++)
		assert_memory_equal(&w.reports[n].world_from_camera, &again.reports[n].world_from_camera, sizeof(enm_pose));
	enm_session_destroy(&s);
	enm_session_destroy(&t);
}

/* From the scan to one far place, on to a farther one, all the way back, and once more to the first. */
static enm_pose far_pose_at(int n)
{
	const int held = n - SCAN_FRAMES, back = held - 2 * HOLD_FRAMES;
	const double place = held < HOLD_FRAMES ? FAR_MM - 0.02 * held : 2.0 * FAR_MM - 0.02 * (held - HOLD_FRAMES);
	const double x = back < 0 ? place : fabs(2.0 * FAR_MM - 0.02 * HOLD_FRAMES - 0.35 * back);
	return ref_pose_make(0.03 * sin(0.2 * n), 0.05, 0.02 * cos(0.15 * n), x, 0.3, 0.1);
}

/* A second loss begins a second island beside the first one, and each is joined where it lies. */
static void islands_wait_side_by_side(void **state)
{
	(void)state;
	enum { ALL = SCAN_FRAMES + 2 * HOLD_FRAMES + 120 };
	static enm_report reports[ALL];
	static enm_pose truth[ALL];
	uint16_t *picture = malloc(SCAN_PIXELS * sizeof(*picture));
	float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
	const enm_session_def def = plain_def();
	enm_session *s = scan_session(&def);
	uint32_t joined = 0, begun = 0;
	assert_true(picture != NULL && exact != NULL);
	for (int n = 0; n < ALL; n++) {
		truth[n] = n < SCAN_FRAMES ? the_scan.truth[n] : far_pose_at(n);
		ref_scene_render(&the_scan.scene, &the_scan.def.camera, &truth[n], 60.0, exact);
		for (uint32_t i = 0; i < SCAN_PIXELS; i++)
			picture[i] = (uint16_t)lrint(1000.0 * (double)exact[i]);
		const enm_frame f = {.depth = n < SCAN_FRAMES ? scan_frame(n).depth : picture, .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		const enm_report r = reports[n] = scan_push(s, &f);
		assert_false(r.events & ENM_EVENT_ISLAND_DROPPED);
		assert_int_equal(r.dropped_island, 0);
		begun += (r.events & ENM_EVENT_ISLAND_BEGUN) != 0;
		assert_int_equal(r.joined_island != 0, (r.events & ENM_EVENT_ISLAND_JOINED) != 0);
		if (r.joined_island == 0)
			continue;
		joined |= 1u << r.joined_island;
		const ref_pose first_from_island = ref_pose_from(&r.first_from_island);
		for (int k = 0; k < n; k++) {
			if (reports[k].island != r.joined_island || reports[k].verdict != ENM_VERDICT_TRACKED)
				continue;
			const ref_pose on_island = ref_pose_from(&reports[k].world_from_camera), got = ref_pose_multiply(&first_from_island, &on_island);
			assert_true(shift_mm(&got, &truth[k]) < 0.2);
		}
	}
	assert_int_equal(begun, 2);
	assert_int_equal(joined, 1u << 1 | 1u << 2);
	WANT(ENM_OK, enm_session_finish(s));
	assert_true(surface_end_mm(s) > 2.0 * FAR_MM);
	enm_session_destroy(&s);
	free(picture);
	free(exact);
}

/* Nothing proves where the island lies, so that it never shows. */
static void island_waits_when_the_wand_comes_back_without_it(void **state)
{
	(void)state;
	static walk w;
	const enm_session_def def = plain_def();
	enm_session *s = scan_session(&def);
	w = new_walk();
	push_frames(s, &w, 0, SCAN_FRAMES + HOLD_FRAMES);
	assert_true(w.begun > SCAN_FRAMES);
	const double before_mm = surface_end_mm(s);
	/* back at once to the middle of the scan, which goes on from there */
	int recovered = -1;
	enm_report before = w.reports[SCAN_FRAMES + HOLD_FRAMES - 1];
	for (int n = 0; n < 14; n++) {
		const enm_frame f = {.depth = scan_frame(8 + n).depth,
			.time_ns = (int64_t)(SCAN_FRAMES + HOLD_FRAMES + 5 + n) * SCAN_PERIOD_NS};
		const enm_report r = scan_push(s, &f);
		assert_counts(&before, &r);
		before = r;
		if (r.events & ENM_EVENT_RECOVERED) {
			recovered = n;
			assert_false(r.events & (ENM_EVENT_ISLAND_DROPPED | ENM_EVENT_ISLAND_JOINED));
			assert_int_equal(r.island, 0);
		}
	}
	assert_true(recovered >= 0);
	WANT(ENM_OK, enm_session_finish(s));
	assert_true(surface_end_mm(s) < before_mm + 1.0);
	enm_session_destroy(&s);
}

/* Two frames of one place, then only another: nothing is left of the first, whether rows stand still or not. */
static void young_scan_begins_again(void **state)
{
	(void)state;
	for (int rows = 0; rows < 2; rows++) {
		static walk w;
		enm_session_def def = plain_def();
		def.row_time_s = rows ? 1e-4 : 0.0;
		enm_session *s = scan_session(&def);
		w = new_walk();
		push_frames(s, &w, 0, 2);
		int again = -1, after = 0;
		for (int n = SCAN_FRAMES; n < SCAN_FRAMES + HOLD_FRAMES; n++) {
			const enm_pose pose = pose_at(n);
			const enm_frame f = {.depth = frame_at(n, &pose), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
			const enm_report r = scan_push(s, &f);
			assert_false(r.events & ENM_EVENT_ISLAND_BEGUN);
			assert_int_equal(r.island, 0);
			if (r.events & ENM_EVENT_BEGUN_AGAIN) {
				assert_int_equal(again, -1);
				assert_int_equal(r.reason, ENM_REASON_FIRST);
				again = n;
			} else if (again >= 0) {
				assert_int_equal(r.verdict, ENM_VERDICT_TRACKED);
				after++;
			}
		}
		assert_true(again >= 0 && after >= 3);
		/* the mesh is what a scan of the other place alone gives, to within what its frames move */
		enm_mesh_def mesh_def = enm_mesh_def_default();
		mesh_def.views_min = 1;
		enm_mesh *mesh = NULL;
		enm_mesh_data data;
		WANT(ENM_OK, enm_session_finish(s));
		WANT(ENM_OK, enm_session_mesh(s, &mesh_def, &mesh));
		WANT(ENM_OK, enm_mesh_get(mesh, &data));
		double low = INFINITY, high = -INFINITY;
		for (size_t i = 0; i < data.vertex_count; i++) {
			low = fmin(low, (double)data.positions_mm[3 * i]);
			high = fmax(high, (double)data.positions_mm[3 * i]);
		}
		print_message("begins again after %d frames, and is %.1f mm wide\n", again - SCAN_FRAMES, high - low);
		assert_true(data.vertex_count > 1000 && high - low < 20.0); /* both places together: over 25 */
		enm_mesh_destroy(&mesh);
		enm_session_destroy(&s);
	}
}

static void assert_same_surface(enm_session *s, enm_mesh *wanted)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data a, b;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &a));
	WANT(ENM_OK, enm_mesh_get(wanted, &b));
	assert_int_equal(a.vertex_count, b.vertex_count);
	assert_memory_equal(a.positions_mm, b.positions_mm, 12 * a.vertex_count);
	assert_memory_equal(a.views, b.views, 2 * a.vertex_count);
	enm_mesh_destroy(&mesh);
}

/* Finishing neither joins nor ends an open island, nor shows it; and what was joined a frame ago is all there, once. */
static void finishing_takes_in_what_was_proved_and_no_more(void **state)
{
	(void)state;
	static walk w;
	const enm_mesh_def mesh_def = enm_mesh_def_default();
	const enm_session_def def = plain_def();
	enm_session *s = scan_session(&def);
	enm_mesh *mesh = NULL;
	int n = SCAN_FRAMES + HOLD_FRAMES;
	w = new_walk();
	push_frames(s, &w, 0, n);
	assert_true(w.begun > SCAN_FRAMES);
	const double open_mm = surface_end_mm(s);
	WANT(ENM_OK, enm_session_mesh(s, &mesh_def, &mesh));
	for (int i = 0; i < 2; i++) {
		WANT(ENM_OK, enm_session_finish(s));
		assert_same_surface(s, mesh);
	}
	enm_mesh_destroy(&mesh);
	for (; n < FRAMES && w.joined < 0; n++) { /* it goes on as if nothing had been */
		push_frames(s, &w, n, n + 1);
		assert_int_equal(w.reports[n].verdict, ENM_VERDICT_TRACKED);
		assert_int_equal(w.reports[n].island, w.joined < 0 ? 1 : 0);
	}
	assert_true(w.joined > 0);
	assert_int_equal(w.dropped, -1);
	assert_true(surface_end_mm(s) < open_mm + 8.0); /* its frames still wait */
	WANT(ENM_OK, enm_session_finish(s));
	assert_true(surface_end_mm(s) > open_mm + 8.0);
	WANT(ENM_OK, enm_session_mesh(s, &mesh_def, &mesh));
	WANT(ENM_OK, enm_session_finish(s)); /* and are not fused again */
	assert_same_surface(s, mesh);
	push_frames(s, &w, n, n + 1);
	assert_int_equal(w.reports[n].verdict, ENM_VERDICT_TRACKED);
	enm_mesh_destroy(&mesh);
	enm_session_destroy(&s);
}

static void without_recovery_there_is_no_island(void **state)
{
	(void)state;
	static walk w;
	enm_session_def def = plain_def();
	def.recover = false;
	enm_session *s = scan_session(&def);
	w = new_walk();
	push_frames(s, &w, 0, SCAN_FRAMES + HOLD_FRAMES);
	assert_int_equal(w.begun, -1);
	WANT(ENM_OK, enm_session_finish(s));
	enm_session_destroy(&s);
	WANT(ENM_E_ARGUMENT, enm_session_finish(NULL));
}

/* A reset in the middle of an island leaves none behind. */
static void reset_forgets_the_island(void **state)
{
	(void)state;
	static walk w;
	static outcome fresh, after;
	const enm_session_def def = plain_def();
	enm_session *s = scan_session(&def), *t = scan_session(&def);
	w = new_walk();
	push_frames(s, &w, 0, SCAN_FRAMES + HOLD_FRAMES);
	assert_true(w.begun > SCAN_FRAMES);
	WANT(ENM_OK, enm_session_reset(s));
	scan_run(s, 0, SCAN_FRAMES, &after);
	scan_run(t, 0, SCAN_FRAMES, &fresh);
	outcome_mesh(s, &after);
	outcome_mesh(t, &fresh);
	assert_same_outcome(&after, &fresh);
	outcome_drop(&after);
	outcome_drop(&fresh);
	enm_session_destroy(&s);
	enm_session_destroy(&t);
}

SCAN_TEST_MAIN(cmocka_unit_test(island_is_joined_where_it_belongs), cmocka_unit_test(islands_wait_side_by_side),
	cmocka_unit_test(island_waits_when_the_wand_comes_back_without_it), cmocka_unit_test(young_scan_begins_again), cmocka_unit_test(without_recovery_there_is_no_island),
	cmocka_unit_test(finishing_takes_in_what_was_proved_and_no_more), cmocka_unit_test(reset_forgets_the_island))
