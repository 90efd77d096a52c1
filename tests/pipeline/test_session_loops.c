/* SPDX-License-Identifier: Apache-2.0
 * Loops closed while scanning: poses get better, everything happens at the same frames whoever asks when, and whatever comes in between (a reset, the
 * end of a session, no room) leaves a scan that is whole. */
#include "scan.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define FRAMES 76 /* the scan's way, there and back again */
#define EVERY 20

static int index_of(int n)
{
	const int there_and_back = 2 * (SCAN_FRAMES - 1), at = n % there_and_back;
	return at < SCAN_FRAMES ? at : there_and_back - at;
}

static enm_session_def loops_def(void)
{
	enm_session_def def = the_scan.def;
	def.color = false;
	def.keep_frames = true;
	def.close_loops_every = EVERY;
	def.close_loops_moved_mm = 0.0;
	return def;
}

static void push(enm_session *s, int n)
{
	const enm_frame frame = {.depth = scan_bent_frame(index_of(n)), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
}

/* What a pose is wrong by, felt at the middle of the view and 4 mm beside it: root mean square over the frames. */
static double pose_error_mm(const enm_session *s)
{
	double sum = 0.0;
	for (int n = 0; n < FRAMES; n++) {
		enm_pose pose;
		WANT(ENM_OK, enm_session_pose(s, (uint64_t)n, &pose, NULL));
		const ref_pose found = ref_pose_from(&pose), truth = ref_pose_from(&the_scan.truth[index_of(n)]);
		for (int k = 0; k < 3; k++) {
			const double p[3] = {k == 1 ? 4.0 : 0.0, k == 2 ? 4.0 : 0.0, 13.0};
			double a[3], b[3];
			ref_pose_apply(&found, p, a);
			ref_pose_apply(&truth, p, b);
			for (int i = 0; i < 3; i++)
				sum += (a[i] - b[i]) * (a[i] - b[i]) / (3.0 * FRAMES);
		}
	}
	return sqrt(sum);
}

/* When poses were corrected, and all that came of it. */
typedef struct scanned {
	bool corrected[FRAMES];
	int times;
	uint64_t digest;
	double error_mm;
	enm_session_stats stats;
} scanned;

static void add(uint64_t *h, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		*h = (*h ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

static uint64_t digest(enm_session *s, int frames)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh;
	enm_mesh_data m;
	uint64_t h = 1469598103934665603u;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	add(&h, m.positions_mm, 12 * m.vertex_count);
	add(&h, m.triangles, 12 * m.triangle_count);
	add(&h, m.views, 2 * m.vertex_count);
	for (int n = 0; n < frames; n++) {
		enm_pose pose;
		if (enm_session_pose(s, (uint64_t)n, &pose, NULL) == ENM_OK)
			add(&h, &pose, sizeof(pose));
	}
	enm_mesh_destroy(&mesh);
	return h;
}

static void read_reports(enm_session *s, scanned *out)
{
	enm_report report;
	while (enm_session_next_report(s, &report) == ENM_OK) {
		assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
		out->corrected[report.frame_id] = (report.events & ENM_EVENT_CORRECTED) != 0;
		out->times += out->corrected[report.frame_id];
	}
}

/* `eager`: asks for each report at once, which collects frames early. */
static void scan_all(enm_session *s, bool eager, scanned *out)
{
	memset(out, 0, sizeof(*out));
	for (int n = 0; n < FRAMES; n++) {
		push(s, n);
		if (eager)
			WANT(ENM_OK, enm_session_flush(s));
		if (eager || n % 30 == 0)
			read_reports(s, out);
	}
	WANT(ENM_OK, enm_session_finish(s));
	read_reports(s, out);
	WANT(ENM_OK, enm_session_get_stats(s, &out->stats));
	out->digest = digest(s, FRAMES);
	out->error_mm = pose_error_mm(s);
}

static scanned scan_once(const enm_session_def *def, bool eager)
{
	scanned out;
	enm_session *s = scan_session(def);
	scan_all(s, eager, &out);
	enm_session_destroy(&s);
	return out;
}

/* The scan that nobody looks at, with loops closed and with all of them open, which several tests want. */
static const scanned *usual_scan(bool closed)
{
	static scanned kept[2];
	enm_session_def def = loops_def();
	if (!closed)
		def.close_loops_every = 0;
	if (kept[closed].stats.frames_pushed == 0)
		kept[closed] = scan_once(&def, false);
	return &kept[closed];
}

static void loops_are_closed_while_scanning(void **state)
{
	(void)state;
	const scanned with = *usual_scan(true), without = *usual_scan(false);
	print_message("poses off by %.4f mm, %.4f with %d corrections while scanning, %llu in all\n", without.error_mm, with.error_mm, with.times,
		(unsigned long long)with.stats.corrections);
	assert_int_equal(without.times + (int)without.stats.corrections, 0);
	assert_true(with.times >= 1);
	assert_true(with.stats.corrections > (uint64_t)with.times); /* and at the end */
	assert_int_equal(with.stats.corrections_dropped, 0);
	assert_true(with.error_mm < 0.6 * without.error_mm);
}

/* What is left while scanning is done at the end. */
static void small_corrections_wait(void **state)
{
	(void)state;
	enm_session_def def = loops_def();
	def.close_loops_moved_mm = 1.0;
	const scanned small = scan_once(&def, false);
	assert_int_equal(small.times, 0);
	assert_int_equal(small.stats.corrections, 1);
	assert_int_equal(small.stats.corrections_dropped, 0);
	def.close_loops_every = 0;
	const scanned without = scan_once(&def, false);
	assert_true(small.error_mm < 0.6 * without.error_mm);
	def.close_loops_every = ENM_CLOSE_LOOPS_AT_END; /* the same, but on purpose */
	const scanned at_end = scan_once(&def, false);
	assert_int_equal(at_end.times, 0);
	assert_int_equal(at_end.stats.corrections, 1);
	assert_true(at_end.error_mm < 0.6 * without.error_mm);
}

static void it_happens_at_the_same_frames(void **state)
{
	(void)state;
	const enm_session_def def = loops_def();
	const scanned late = *usual_scan(true), eager = scan_once(&def, true);
	setenv("ENAMEL_SERIAL", "1", 1);
	const scanned serial = scan_once(&def, false);
	unsetenv("ENAMEL_SERIAL");
	assert_memory_equal(late.corrected, eager.corrected, sizeof(late.corrected));
	assert_memory_equal(late.corrected, serial.corrected, sizeof(late.corrected));
	assert_true(late.digest == eager.digest && late.digest == serial.digest);
}

/* At every moment: before, while the thread solves, while frames are fused again. */
static void a_reset_in_between_leaves_nothing(void **state)
{
	(void)state;
	const enm_session_def def = loops_def();
	const scanned whole = *usual_scan(true);
	enm_session *s = scan_session(&def);
	for (int frames = 5; frames < 60; frames += 27) {
		for (int n = 0; n < frames; n++)
			push(s, n);
		WANT(ENM_OK, enm_session_reset(s));
	}
	scanned again;
	scan_all(s, false, &again);
	assert_memory_equal(whole.corrected, again.corrected, sizeof(whole.corrected));
	assert_true(whole.digest == again.digest);
	enm_session_destroy(&s);
	for (int frames = 21; frames < 60; frames += 13) { /* and a session may end at any */
		s = scan_session(&def);
		for (int n = 0; n < frames; n++)
			push(s, n);
		enm_session_destroy(&s);
	}
}

/* Whether an update was ready, and voids what came before. */
static bool is_cleared(enm_session *s, const enm_surface_def *how)
{
	enm_surface *surface = NULL;
	enm_surface_data data = {0};
	assert_true(enm_session_surface_update(s, how, &surface) >= 0);
	if (surface != NULL)
		WANT(ENM_OK, enm_surface_get(surface, &data));
	enm_surface_destroy(&surface);
	return data.cleared;
}

/* The same till it is so. An update is ready when the device is: where its kernels are still being compiled, in seconds. */
static bool wait_cleared(enm_session *s, const enm_surface_def *how)
{
	const struct timespec nap = {0, 1000000};
	for (int i = 0; i < 30000; i++) {
		if (is_cleared(s, how))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

/* The surface while scanning begins anew with the model. */
static void who_follows_the_surface_is_told(void **state)
{
	(void)state;
	const enm_session_def def = loops_def();
	enm_surface_def how = enm_surface_def_default();
	how.apart_ms = 0;
	enm_session *s = scan_session(&def);
	int cleared = 0;
	push(s, 0);
	WANT(ENM_OK, enm_session_flush(s));
	assert_true(wait_cleared(s, &how)); /* the first update */
	for (int n = 1; n < FRAMES; n++) {
		push(s, n);
		WANT(ENM_OK, enm_session_flush(s));
		cleared += is_cleared(s, &how);
		cleared += is_cleared(s, &how);
	}
	assert_true(cleared > 0 || wait_cleared(s, &how)); /* after a correction */
	enm_session_destroy(&s);
}

/* ---- no room ---- */

static void without_room_loops_stay_open(void **state)
{
	(void)state;
	enm_session_def def = loops_def();
	const scanned plain = *usual_scan(false);
	def.frames_bytes_max = 30 * SCAN_PIXELS * 2; /* for 30 frames */
	const scanned few = scan_once(&def, false);
	assert_true(few.stats.frames_not_kept > 0 && few.stats.corrections_dropped > 0);
	assert_true(few.stats.frames_fused == FRAMES);

	def = loops_def();
	def.device_bytes_max = plain.stats.device_bytes + plain.stats.device_bytes / 8; /* for one model */
	const scanned one = scan_once(&def, false);
	assert_true(one.stats.device_bytes_peak <= def.device_bytes_max);
	if (one.stats.corrections == 0) { /* the model itself may be smaller under a bound */
		assert_true(one.stats.corrections_dropped > 0);
		assert_true(one.stats.frames_fused == FRAMES);
	}
}

static void a_refinement_can_follow(void **state)
{
	(void)state;
	const enm_session_def def = loops_def();
	enm_refine_def how = enm_refine_def_default();
	enm_refine_result r;
	how.prior_um.bow_um = how.prior_um.twist_um = 50;
	enm_session *s = scan_session(&def);
	for (int n = 0; n < 55; n++) /* in the middle of one */
		push(s, n);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	assert_int_equal(r.frames, 55);
	assert_true(fabs((double)r.residual.bow_um - SCAN_BOW_UM) < 4.0 * sqrt(r.covariance_um2[0]));
	for (int n = 55; n < FRAMES; n++) /* and the scan goes on */
		push(s, n);
	WANT(ENM_OK, enm_session_finish(s));
	assert_true(pose_error_mm(s) < 0.05);
	enm_session_destroy(&s);
}

typedef struct listener {
	const char *until; /* NULL: to the end */
	bool said_no;
	double least, most;
} listener;

static bool listen(void *user, const char *what, double done)
{
	listener *l = user;
	l->least = fmin(l->least, done);
	l->most = fmax(l->most, done);
	l->said_no = l->said_no || (l->until != NULL && strcmp(l->until, what) == 0);
	return !l->said_no;
}

static void the_end_can_be_given_up_and_tells_how_far_it_is(void **state)
{
	(void)state;
	listener l = {.until = "fusing"};
	enm_session_def def = loops_def();
	def.close_loops_every = ENM_CLOSE_LOOPS_AT_END;
	def.on_finish = listen;
	def.finish_user = &l;
	enm_session *s = scan_session(&def);
	enm_session_stats stats;
	scanned given_up;
	scan_all(s, false, &given_up);
	assert_true(l.said_no);
	assert_int_equal(given_up.stats.corrections, 0);
	assert_int_equal(given_up.stats.corrections_dropped, 1);
	assert_true(given_up.digest == usual_scan(false)->digest);
	l = (listener){.least = 1.0}; /* and thought better of it */
	WANT(ENM_OK, enm_session_finish(s));
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.corrections, 1);
	assert_true(l.least >= 0.0 && l.least < 0.25 && l.most >= 0.75 && l.most <= 1.0);
	assert_true(pose_error_mm(s) < 0.6 * usual_scan(false)->error_mm);
	enm_session_destroy(&s);
}

static void what_was_given_up_holds_no_later_correction_up(void **state)
{
	(void)state;
	listener l = {.until = "maps"};
	enm_session_def def = loops_def();
	def.on_finish = listen;
	def.finish_user = &l;
	enm_session *s = scan_session(&def);
	enm_session_stats stats;
	for (int n = 0; n < EVERY; n++)
		push(s, n);
	WANT(ENM_OK, enm_session_finish(s));
	assert_true(l.said_no);
	for (int n = EVERY; n < FRAMES + EVERY; n++)
		push(s, n);
	WANT(ENM_OK, enm_session_flush(s));
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_true(stats.corrections >= 1);
	enm_session_destroy(&s);
}

static void bad_arguments_are_named(void **state)
{
	(void)state;
	enm_session *s = NULL;
	enm_session_def def = loops_def();
	def.close_loops_every = 19;
	WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &s));
	assert_non_null(strstr(enm_last_error(), "close_loops_every"));
	def.close_loops_every = 100001;
	WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &s));
	const double bad[] = {-1e-3, 100.1, NAN};
	for (int i = 0; i < 3; i++) {
		def = loops_def();
		def.close_loops_moved_mm = bad[i];
		WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &s));
		assert_non_null(strstr(enm_last_error(), "close_loops_moved_mm"));
	}
	def = loops_def();
	def.frames_expected = 10000001;
	WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &s));
	assert_non_null(strstr(enm_last_error(), "frames_expected"));
	def = loops_def();
	def.keep_frames = false;
	WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &s));
	assert_non_null(strstr(enm_last_error(), "keep_frames"));
	assert_null(s);
}

SCAN_TEST_MAIN(cmocka_unit_test(loops_are_closed_while_scanning), cmocka_unit_test(small_corrections_wait), cmocka_unit_test(it_happens_at_the_same_frames),
	cmocka_unit_test(a_reset_in_between_leaves_nothing), cmocka_unit_test(who_follows_the_surface_is_told),
	cmocka_unit_test(without_room_loops_stay_open), cmocka_unit_test(a_refinement_can_follow), cmocka_unit_test(the_end_can_be_given_up_and_tells_how_far_it_is),
	cmocka_unit_test(what_was_given_up_holds_no_later_correction_up), cmocka_unit_test(bad_arguments_are_named))
