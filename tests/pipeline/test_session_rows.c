/* SPDX-License-Identifier: Apache-2.0
 * Rows exposed one after the other: a hand that moves fast over an analytic surface, each row seen from its own pose. */
#include "scan.h"

#include <math.h>

#define FRAMES 14
#define ROW_TIME_S (0.5 / 30.0 / SCAN_HEIGHT) /* half of the time between frames */
#define PERIOD_S (SCAN_PERIOD_NS * 1e-9)

/* From 6 mm/s, which the first frames must have without a prediction, to 26 mm/s and 60 degrees a second. */
static enm_pose hand(double t)
{
	const double late = 0.12, x = 26.0 * t - 20.0 * late * (1.0 - exp(-t / late));
	return ref_pose_make(0.12 * (1.0 - cos(7.0 * t)), 0.10 * (1.0 - cos(6.0 * t)), 0.06 * sin(5.0 * t), x, 1.5 * (1.0 - cos(4.0 * t)),
		0.5 * (1.0 - cos(6.0 * t)));
}

static uint16_t *pictures[FRAMES];

static double normal_from(uint64_t *state)
{
	double sum = -6.0;
	for (int i = 0; i < 12; i++) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		sum += (double)(*state >> 33) / 2147483648.0;
	}
	return sum;
}

static void render_rows(int f, const ref_scene *scene, uint16_t *out_depth)
{
	enm_pose rows[SCAN_HEIGHT];
	float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
	uint64_t random = 1000u + (uint64_t)f;
	assert_non_null(exact);
	for (uint32_t y = 0; y < SCAN_HEIGHT; y++)
		rows[y] = hand(f * PERIOD_S + y * ROW_TIME_S);
	ref_scene_render_rows(scene, &the_scan.def.camera, rows, 60.0, exact);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++)
		out_depth[i] = (uint16_t)lrint(1000.0 * ((double)exact[i] + 0.010 * normal_from(&random)));
	free(exact);
}

static const uint16_t *picture(int f)
{
	if (pictures[f] == NULL) {
		pictures[f] = malloc(SCAN_PIXELS * sizeof(uint16_t));
		assert_non_null(pictures[f]);
		render_rows(f, &the_scan.scene, pictures[f]);
	}
	return pictures[f];
}

static enm_frame frame_of(int f)
{
	return (enm_frame){.depth = picture(f), .time_ns = (int64_t)f * SCAN_PERIOD_NS};
}

static enm_session_def rows_def(double row_time_s)
{
	enm_session_def def = the_scan.def;
	def.color = false;
	def.row_time_s = row_time_s;
	def.start_world_from_camera = hand(0.0);
	return def;
}

static void push_nothing(enm_session *s, int f)
{
	static const uint16_t zeros[SCAN_PIXELS];
	const enm_frame frame = {.depth = zeros, .time_ns = (int64_t)f * SCAN_PERIOD_NS};
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
}

/* Frames [from, to), no waiting in between; where `blank` names one, it is without readings. */
static void run(enm_session *s, int from, int to, int blank, enm_report *out_reports)
{
	for (int f = from; f < to; f++) {
		const enm_frame frame = frame_of(f);
		if (f == blank)
			push_nothing(s, f);
		else
			WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (int f = from; f < to; f++)
		WANT(ENM_OK, enm_session_next_report(s, &out_reports[f]));
}

/* The second pose in the frame of the first. */
static ref_pose relative(const ref_pose *first, const ref_pose *second)
{
	ref_pose back = *first;
	for (int i = 0; i < 3; i++) {
		back.t[i] = 0.0;
		for (int j = 0; j < 3; j++) {
			back.r[3 * i + j] = first->r[3 * j + i];
			back.t[i] -= first->r[3 * j + i] * first->t[j];
		}
	}
	return ref_pose_multiply(&back, second);
}

typedef struct quality {
	double shift_mm, turn_rad; /* of the worst pose */
	double surface_mm;         /* root mean square of the vertices' distances */
	int tracked;
} quality;

static double surface_error(enm_session *s)
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data d;
	double sum = 0.0;
	def.views_min = 2;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &d));
	assert_true(d.vertex_count > 5000);
	for (size_t i = 0; i < d.vertex_count; i++) {
		const double p[3] = {(double)d.positions_mm[3 * i], (double)d.positions_mm[3 * i + 1],
			(double)d.positions_mm[3 * i + 2]};
		const double off = ref_scene_distance(&the_scan.scene, p);
		sum += off * off;
	}
	sum = sqrt(sum / (double)d.vertex_count);
	enm_mesh_destroy(&mesh);
	return sum;
}

static quality measure(enm_session *s, const enm_report *reports, int from)
{
	quality q = {0};
	for (int f = from; f < FRAMES; f++) {
		const enm_pose truth = hand(f * PERIOD_S);
		const ref_pose a = ref_pose_from(&truth), b = ref_pose_from(&reports[f].world_from_camera);
		q.shift_mm = fmax(q.shift_mm, ref_pose_shift(&a, &b));
		q.turn_rad = fmax(q.turn_rad, ref_pose_angle(&a, &b));
		q.tracked += reports[f].verdict == ENM_VERDICT_TRACKED;
	}
	q.surface_mm = surface_error(s);
	return q;
}

static quality scan_with(double row_time_s, int blank, enm_report *reports)
{
	const enm_session_def def = rows_def(row_time_s);
	enm_session *s = scan_session(&def);
	run(s, 0, FRAMES, blank, reports);
	const quality q = measure(s, reports, blank == 0 ? 1 : 0);
	print_message("row time %g: shift %.4f mm, turn %.5f rad, surface %.4f mm, %d tracked\n", row_time_s, q.shift_mm,
		q.turn_rad, q.surface_mm, q.tracked);
	enm_session_destroy(&s);
	return q;
}

/* Poses are those of the first row. */
static void rows_are_put_where_they_were(void **state)
{
	(void)state;
	enm_report with[FRAMES], without[FRAMES];
	const quality rows = scan_with(ROW_TIME_S, -1, with), at_once = scan_with(0.0, -1, without);
	assert_int_equal(rows.tracked, FRAMES);
	assert_true(rows.shift_mm < 0.06 && rows.turn_rad < 0.005);
	assert_true(rows.surface_mm < 0.025);
	assert_true(rows.surface_mm < 0.3 * at_once.surface_mm);
	/* the velocity is the hand's */
	for (int f = 3; f < FRAMES; f++) {
		const float *v = with[f].velocity_move;
		const double speed = sqrt((double)(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]));
		assert_true(speed > 14.0 && speed < 40.0);
	}
}

/* The first frame defines the pose, the second begins anew, where the first one is lost too; and a frame that is lost in between
 * leaves a scan in good order. */
static void first_frames_may_be_lost(void **state)
{
	(void)state;
	for (int blank = 0; blank < 3; blank++) {
		enm_report reports[FRAMES];
		enm_session_def def = rows_def(ROW_TIME_S);
		if (blank == 0) /* what is defined is the first pose that there is */
			def.start_world_from_camera = hand(PERIOD_S);
		enm_session *s = scan_session(&def);
		run(s, 0, FRAMES, blank, reports);
		const quality q = measure(s, reports, blank + 1);
		print_message("without frame %d: shift %.4f mm, turn %.5f rad, surface %.4f mm\n", blank, q.shift_mm, q.turn_rad,
			q.surface_mm);
		assert_int_equal(reports[blank].verdict, ENM_VERDICT_LOST);
		assert_int_equal(reports[blank].reason, ENM_REASON_FEW_READINGS);
		assert_int_equal(reports[blank].events, blank == 0 ? 0 : ENM_EVENT_LOST);
		assert_int_equal(reports[blank + 1].verdict, ENM_VERDICT_TRACKED);
		assert_int_equal(q.tracked, FRAMES - 1 - blank);
		assert_true(q.shift_mm < 0.1 && q.turn_rad < 0.008 && q.surface_mm < 0.045);
		enm_session_destroy(&s);
	}
}

#define AWAY_FRAMES 48
/* Bumps of other lengths, that none of the scan's pass for. */
static const ref_scene elsewhere = {REF_BUMPS, 13.0, 0.7, 0.95, 1.05};

/* The first frame of an island moves as fast as any: what it was fused as goes, and the others stand to each other as the hand did. */
static void islands_begin_anew_too(void **state)
{
	(void)state;
	static uint16_t depth[SCAN_PIXELS];
	enm_report reports[FRAMES + AWAY_FRAMES];
	enm_session_def def = rows_def(ROW_TIME_S);
	def.foreign_bodies = false;
	enm_session *s = scan_session(&def);
	run(s, 0, FRAMES, -1, reports);
	int first = -1, count = 0;
	double worst_mm = 0.0, worst_rad = 0.0;
	for (int n = FRAMES; n < FRAMES + AWAY_FRAMES && count < 8; n++) {
		render_rows(n, &elsewhere, depth);
		const enm_frame frame = {.depth = depth, .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		reports[n] = scan_push(s, &frame);
		if (reports[n].island == 0 || reports[n].verdict != ENM_VERDICT_TRACKED || (reports[n].events & ENM_EVENT_ISLAND_BEGUN))
			continue;
		first = first < 0 ? n : first;
		count++;
		/* the motion since the second frame of the island */
		const enm_pose was = hand(first * PERIOD_S), is = hand(n * PERIOD_S);
		const ref_pose a = ref_pose_from(&was), b = ref_pose_from(&is), c = ref_pose_from(&reports[first].world_from_camera),
			       d = ref_pose_from(&reports[n].world_from_camera);
		const ref_pose wanted = relative(&a, &b), got = relative(&c, &d);
		worst_mm = fmax(worst_mm, ref_pose_shift(&got, &wanted));
		worst_rad = fmax(worst_rad, ref_pose_angle(&got, &wanted));
	}
	print_message("an island of %d frames from %d on: shift %.4f mm, turn %.5f rad\n", count, first, worst_mm, worst_rad);
	assert_int_equal(count, 8);
	assert_true(worst_mm < 0.1 && worst_rad < 0.008);
	enm_session_destroy(&s);
}

/* ---- the same bits ---- */

typedef struct seen {
	enm_report reports[FRAMES];
	enm_mesh *mesh;
} seen;

static void assert_same(seen *a, seen *b)
{
	enm_mesh_data m, n;
	for (int f = 0; f < FRAMES; f++) {
		a->reports[f].latency_ms = b->reports[f].latency_ms = 0.0f;
		memset(a->reports[f].stage_ms, 0, sizeof(a->reports[f].stage_ms));
		memset(b->reports[f].stage_ms, 0, sizeof(b->reports[f].stage_ms));
		assert_memory_equal(&a->reports[f].world_from_camera, &b->reports[f].world_from_camera, sizeof(enm_pose));
		assert_memory_equal(a->reports[f].covariance, b->reports[f].covariance, sizeof(a->reports[f].covariance));
		assert_memory_equal(a->reports[f].velocity_move, b->reports[f].velocity_move, sizeof(float) * 3);
		assert_int_equal(a->reports[f].verdict, b->reports[f].verdict);
		assert_int_equal(a->reports[f].blocks_used, b->reports[f].blocks_used);
		assert_int_equal(a->reports[f].iterations, b->reports[f].iterations);
	}
	WANT(ENM_OK, enm_mesh_get(a->mesh, &m));
	WANT(ENM_OK, enm_mesh_get(b->mesh, &n));
	assert_int_equal(m.vertex_count, n.vertex_count);
	assert_int_equal(m.triangle_count, n.triangle_count);
	assert_memory_equal(m.positions_mm, n.positions_mm, 12 * m.vertex_count);
	assert_memory_equal(m.views, n.views, 2 * m.vertex_count);
	assert_memory_equal(m.triangles, n.triangles, 12 * m.triangle_count);
}

/* `rounds` scans with a reset between; the last one counts. Frame `blank` (-1: none) has no readings. */
static seen scan_in_a_way(const char *serial, const char *record, int rounds, int blank)
{
	seen out;
	const enm_session_def def = rows_def(ROW_TIME_S);
	const enm_mesh_def mesh_def = enm_mesh_def_default();
	setenv("ENAMEL_SERIAL", serial, 1);
	setenv("ENAMEL_COMMAND_BUFFERS", record, 1);
	enm_session *s = scan_session(&def);
	for (int round = 0; round < rounds; round++) {
		if (round > 0)
			WANT(ENM_OK, enm_session_reset(s));
		/* the rounds before differ, and end at once, so that a slot keeps what it should not */
		run(s, 0, round + 1 < rounds ? 3 + round : FRAMES, round + 1 < rounds ? round : blank, out.reports);
	}
	out.mesh = NULL;
	WANT(ENM_OK, enm_session_mesh(s, &mesh_def, &out.mesh));
	enm_session_destroy(&s);
	unsetenv("ENAMEL_SERIAL");
	unsetenv("ENAMEL_COMMAND_BUFFERS");
	return out;
}

static void ways_give_the_same_bits(void **state)
{
	(void)state;
	for (int blank = -1; blank < 2; blank++) {
		seen plain = scan_in_a_way("1", "0", 1, blank);
		for (int way = 0; way < 4; way++) {
			seen other = scan_in_a_way(way == 3 ? "1" : "0", way % 2 == 1 ? "1" : "0", way < 2 ? 1 : 3, blank);
			assert_same(&plain, &other);
			enm_mesh_destroy(&other.mesh);
		}
		enm_mesh_destroy(&plain.mesh);
	}
}

/* The raycast takes the rows as one moment: the row time is nothing to it. */
static void raycast_knows_no_rows(void **state)
{
	(void)state;
	enm_report with[6], without[6];
	for (int i = 0; i < 2; i++) {
		enm_session_def def = rows_def(i == 0 ? ROW_TIME_S : 0.0);
		def.tracker = ENM_TRACKER_RAYCAST;
		enm_session *s = scan_session(&def);
		run(s, 0, 6, -1, i == 0 ? with : without);
		enm_session_destroy(&s);
	}
	for (int f = 0; f < 6; f++) {
		assert_int_equal(with[f].verdict, without[f].verdict);
		assert_memory_equal(&with[f].world_from_camera, &without[f].world_from_camera, sizeof(enm_pose));
	}
	assert_int_equal(with[5].verdict, ENM_VERDICT_TRACKED);
}

/* The least row time that there is, and the most, are no trouble to a camera at rest. */
static void any_row_time_suits_a_camera_at_rest(void **state)
{
	(void)state;
	const double times[] = {5e-324, 1e-30, 1e-9, 0.1 / SCAN_HEIGHT};
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		const enm_session_def def = rows_def(times[i]);
		enm_session *s = scan_session(&def);
		enm_report report = {0};
		for (int f = 0; f < 4; f++) {
			enm_frame frame = scan_frame(0);
			frame.time_ns = f * (int64_t)SCAN_PERIOD_NS;
			report = scan_push(s, &frame);
			assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
		}
		const ref_pose a = ref_pose_from(&def.start_world_from_camera), b = ref_pose_from(&report.world_from_camera);
		/* the same noise again: what moves is the solve alone */
		assert_true(ref_pose_shift(&a, &b) < 0.02 && ref_pose_angle(&a, &b) < 2e-3);
		enm_session_destroy(&s);
	}
}

static int close_all(void **state)
{
	for (int f = 0; f < FRAMES; f++)
		free(pictures[f]);
	return scan_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_put_where_they_were),
		cmocka_unit_test(first_frames_may_be_lost),
		cmocka_unit_test(islands_begin_anew_too),
		cmocka_unit_test(ways_give_the_same_bits),
		cmocka_unit_test(raycast_knows_no_rows),
		cmocka_unit_test(any_row_time_suits_a_camera_at_rest),
	};
	if (getenv("ENAMEL_TEST_FILTER") != NULL)
		cmocka_set_test_filter(getenv("ENAMEL_TEST_FILTER"));
	return cmocka_run_group_tests(tests, scan_open, close_all);
}
