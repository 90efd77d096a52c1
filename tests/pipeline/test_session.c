/* SPDX-License-Identifier: Apache-2.0
 * A scan from frames to mesh: how true it is, that it repeats, and what bad frames do to it. */
#include "scan.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

static void scan_is_tracked_and_true(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	outcome o = {0};
	scan_run(s, 0, SCAN_FRAMES, &o);
	outcome_mesh(s, &o);
	double worst_mm = 0, worst_angle = 0;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const ref_pose found = ref_pose_from(&o.reports[i].world_from_camera),
			       truth = ref_pose_from(&the_scan.truth[i]);
		assert_int_equal(o.reports[i].verdict, ENM_VERDICT_TRACKED);
		assert_int_equal(o.reports[i].reason, i == 0 ? ENM_REASON_FIRST : ENM_REASON_NONE);
		assert_true(o.reports[i].fused && !o.reports[i].full);
		worst_mm = fmax(worst_mm, ref_pose_shift(&found, &truth));
		worst_angle = fmax(worst_angle, ref_pose_angle(&found, &truth));
	}
	enm_mesh_data m;
	double sum = 0, worst = 0;
	WANT(ENM_OK, enm_mesh_get(o.mesh, &m));
	for (size_t i = 0; i < m.vertex_count; i++) {
		const double p[3] = {(double)m.positions_mm[3 * i], (double)m.positions_mm[3 * i + 1],
			(double)m.positions_mm[3 * i + 2]};
		const double d = fabs(ref_scene_distance(&the_scan.scene, p));
		sum += d;
		worst = fmax(worst, d);
	}
	print_message("poses: %.1f um, %.2f mrad at most; surface: %.1f um mean, %.0f um at most, %zu triangles\n",
		1e3 * worst_mm, 1e3 * worst_angle, 1e3 * sum / (double)m.vertex_count, 1e3 * worst, m.triangle_count);
	/* noise of 10 um and 19200 readings fix a pose far better; drift over the 3.2 mm of the path adds up */
	assert_true(worst_mm < 0.040 && worst_angle < 0.004);
	assert_true(m.triangle_count > 20000);
	assert_true(sum / (double)m.vertex_count < 0.010 && worst < 0.15);
	outcome_drop(&o);
	enm_session_destroy(&s);
}

/* ---- repeatability ---- */

static outcome run_once(void)
{
	enm_session *s = scan_session(&the_scan.def);
	outcome o = {0};
	scan_run(s, 0, SCAN_FRAMES, &o);
	outcome_mesh(s, &o);
	enm_session_destroy(&s);
	return o;
}

static void *run_in_thread(void *out)
{
	*(outcome *)out = run_once();
	return NULL;
}

static atomic_bool keep_busy;

static void *burn(void *unused)
{
	(void)unused;
	volatile double x = 1.0;
	while (atomic_load(&keep_busy))
		x = x * 1.0000001 + 1e-9;
	return NULL;
}

static void same_bits_whoever_pushes_and_whatever_else_runs(void **state)
{
	(void)state;
	pthread_t thread, burners[3];
	outcome first = run_once(), second = run_once(), third = {0};
	assert_same_outcome(&first, &second);
	atomic_store(&keep_busy, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&burners[i], NULL, burn, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_in_thread, &third), 0);
	pthread_join(thread, NULL);
	atomic_store(&keep_busy, false);
	for (int i = 0; i < 3; i++)
		pthread_join(burners[i], NULL);
	assert_same_outcome(&first, &third);
	outcome_drop(&first);
	outcome_drop(&second);
	outcome_drop(&third);
}

static void reset_starts_anew(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_session_stats stats;
	outcome a = {0}, b = {0};
	scan_run(s, 0, SCAN_FRAMES, &a);
	outcome_mesh(s, &a);
	WANT(ENM_OK, enm_session_reset(s));
	enm_report none;
	WANT(ENM_EMPTY, enm_session_next_report(s, &none));
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_pushed, 0);
	double low[3], high[3];
	WANT(ENM_EMPTY, enm_session_bounds(s, low, high));
	scan_run(s, 0, SCAN_FRAMES, &b);
	outcome_mesh(s, &b);
	assert_int_equal(b.reports[0].frame_id, 0);
	assert_same_outcome(&a, &b);
	outcome_drop(&a);
	outcome_drop(&b);
	enm_session_destroy(&s);
}

/* Mesh, picture, bounds and waiting in the middle of a scan leave it as it is. */
static void looking_does_not_change_the_scan(void **state)
{
	(void)state;
	outcome plain = run_once(), watched = {0};
	enm_session *s = scan_session(&the_scan.def);
	enm_view_def view = enm_view_def_default(64, 48);
	uint8_t rgba[64 * 48 * 4];
	double low[3], high[3];
	uint32_t covered = 0;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const enm_frame frame = scan_frame(i);
		watched.reports[i] = scan_push(s, &frame);
		if (i % 8 != 3)
			continue;
		enm_mesh *mesh = NULL;
		const enm_mesh_def def = enm_mesh_def_default();
		WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
		enm_mesh_destroy(&mesh);
		view.world_from_eye = watched.reports[i].world_from_camera;
		WANT(ENM_OK, enm_session_render(s, &view, rgba, sizeof(rgba)));
		WANT(ENM_OK, enm_session_bounds(s, low, high));
	}
	for (int i = 0; i < 64 * 48; i++)
		covered += rgba[4 * i + 3] == 255;
	assert_true(covered > 64 * 48 / 2);
	assert_true(low[2] < 13.0 && high[2] > 13.0 && high[2] < 17.0 && low[0] < -4.0 && high[0] > 7.0);
	outcome_mesh(s, &watched);
	assert_same_outcome(&plain, &watched);
	outcome_drop(&plain);
	outcome_drop(&watched);
	enm_session_destroy(&s);
}

/* The same readings as 16-bit steps, as floats, and with gaps between the rows. */
static void formats_and_strides_agree(void **state)
{
	(void)state;
	const size_t stride = 4 * SCAN_WIDTH + 12, color_stride = 3 * SCAN_WIDTH + 5;
	outcome steps = run_once(), floats = {0};
	uint8_t *rows = malloc(stride * SCAN_HEIGHT), *colors = malloc(color_stride * SCAN_HEIGHT);
	enm_session *s = scan_session(&the_scan.def);
	assert_non_null(rows);
	assert_non_null(colors);
	memset(colors, 0, color_stride * SCAN_HEIGHT);
	for (uint32_t y = 0; y < SCAN_HEIGHT; y++)
		memcpy(colors + y * color_stride, the_scan.color + y * 3 * SCAN_WIDTH, 3 * SCAN_WIDTH);
	for (int i = 0; i < SCAN_FRAMES; i++) {
		enm_frame frame = scan_frame(i);
		memset(rows, 0xFF, stride * SCAN_HEIGHT); /* NaN between the rows */
		for (uint32_t k = 0; k < SCAN_PIXELS; k++) {
			const float mm = (float)the_scan.depth[i][k] * 0.001f;
			memcpy(rows + k / SCAN_WIDTH * stride + 4 * (k % SCAN_WIDTH), &mm, 4);
		}
		frame.depth = rows;
		frame.depth_format = ENM_DEPTH_F32_MM;
		frame.depth_stride_bytes = stride;
		frame.color_rgb = colors;
		frame.color_stride_bytes = color_stride;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		memset(rows, 0, stride * SCAN_HEIGHT); /* the memory is the caller's again */
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (int i = 0; i < SCAN_FRAMES; i++)
		WANT(ENM_OK, enm_session_next_report(s, &floats.reports[i]));
	outcome_mesh(s, &floats);
	assert_same_outcome(&steps, &floats);
	free(rows);
	free(colors);
	outcome_drop(&steps);
	outcome_drop(&floats);
	enm_session_destroy(&s);
}

/* ---- bad frames ---- */

typedef enum spoilt {
	SPOILT_ZERO,
	SPOILT_MAXIMUM,
	SPOILT_NAN,
	SPOILT_INFINITE,
	SPOILT_NOISE,
	SPOILT_OTHER,
	SPOILT_COUNT
} spoilt;

static void spoil(spoilt how, float *depth)
{
	uint32_t bits = 7;
	for (uint32_t i = 0; i < SCAN_PIXELS; i++) {
		bits = bits * 1664525u + 1013904223u;
		const float random = (float)(bits >> 8) / 16777216.0f;
		const float values[SPOILT_COUNT] = {0.0f, 3.4e38f, NAN, INFINITY, 5.0f + 30.0f * random, 8.0f};
		depth[i] = values[how];
	}
}

static void bad_frame_is_not_fused_and_the_next_is_tracked(void **state)
{
	(void)state;
	float *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	assert_non_null(depth);
	for (int how = 0; how < SPOILT_COUNT; how++) {
		enm_session *s = scan_session(&the_scan.def);
		outcome o = {0};
		scan_run(s, 0, 10, &o);
		enm_frame frame = scan_frame(10);
		spoil((spoilt)how, depth);
		frame.depth = depth;
		frame.depth_format = ENM_DEPTH_F32_MM;
		const enm_report bad = scan_push(s, &frame);
		assert_true(bad.verdict != ENM_VERDICT_TRACKED);
		assert_false(bad.fused);
		assert_true(bad.reason != ENM_REASON_NONE && enm_reason_text(bad.reason)[0] != '\0');
		if (how < SPOILT_NOISE)
			assert_int_equal(bad.reason, ENM_REASON_FEW_READINGS);
		assert_int_equal(bad.blocks_used, o.reports[9].blocks_used);
		frame = scan_frame(11);
		const enm_report good = scan_push(s, &frame);
		const ref_pose found = ref_pose_from(&good.world_from_camera),
			       truth = ref_pose_from(&the_scan.truth[11]);
		assert_int_equal(good.verdict, ENM_VERDICT_TRACKED);
		assert_true(ref_pose_shift(&found, &truth) < 0.04);
		enm_session_stats stats;
		WANT(ENM_OK, enm_session_get_stats(s, &stats));
		assert_int_equal(stats.frames_tracked, 11);
		assert_int_equal(stats.frames_weak + stats.frames_lost, 1);
		assert_int_equal(stats.frames_fused, 11);
		enm_session_destroy(&s);
	}
	free(depth);
}

/* A first frame that says nothing does not start the model; the next one does. */
static void scan_starts_with_the_first_good_frame(void **state)
{
	(void)state;
	uint16_t *zero = calloc(SCAN_PIXELS, sizeof(*zero));
	enm_session *s = scan_session(&the_scan.def);
	enm_mesh *mesh = NULL;
	const enm_mesh_def def = enm_mesh_def_default();
	enm_frame frame = scan_frame(0);
	assert_non_null(zero);
	frame.depth = zero;
	const enm_report none = scan_push(s, &frame);
	assert_int_equal(none.reason, ENM_REASON_FEW_READINGS);
	WANT(ENM_EMPTY, enm_session_mesh(s, &def, &mesh));
	assert_non_null(mesh);
	enm_mesh_destroy(&mesh);
	frame = scan_frame(1);
	const enm_report first = scan_push(s, &frame);
	assert_int_equal(first.verdict, ENM_VERDICT_TRACKED);
	assert_int_equal(first.reason, ENM_REASON_FIRST);
	assert_memory_equal(first.world_from_camera.t_mm, the_scan.def.start_world_from_camera.t_mm,
		sizeof(first.world_from_camera.t_mm));
	enm_session_destroy(&s);
	free(zero);
}

/* ---- book-keeping ---- */

static void reports_come_in_order_and_frames_allocate_nothing(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_session_stats first, last;
	enm_report report;
	uint64_t next = 0;
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	WANT(ENM_OK, enm_session_get_stats(s, &first));
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const enm_frame frame = scan_frame(i);
		uint64_t id = 99;
		WANT(ENM_OK, enm_session_push(s, &frame, &id));
		assert_int_equal(id, i);
		for (enm_result r = enm_session_next_report(s, &report); r != ENM_EMPTY;
			r = enm_session_next_report(s, &report)) {
			WANT(ENM_OK, r);
			assert_int_equal(report.frame_id, next);
			assert_int_equal(report.time_ns, (int64_t)next * SCAN_PERIOD_NS);
			next++;
		}
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (; next < SCAN_FRAMES; next++) {
		WANT(ENM_OK, enm_session_next_report(s, &report));
		assert_int_equal(report.frame_id, next);
	}
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	WANT(ENM_OK, enm_session_get_stats(s, &last));
	assert_int_equal(last.frames_pushed, SCAN_FRAMES);
	assert_int_equal(last.device_allocations, first.device_allocations);
	assert_int_equal(last.device_bytes, first.device_bytes);
	assert_true(last.blocks_used > 0 && last.blocks_used <= last.blocks_capacity);
	enm_session_destroy(&s);
}

static void memory_bound_keeps_the_model(void **state)
{
	(void)state;
	enm_session_def def = the_scan.def;
	enm_session *s = NULL;
	def.voxel_mm = 0.03;
	def.truncation_mm = 0.12;
	def.device_bytes_max = 1;
	WANT(ENM_E_CAPACITY, enm_session_create(the_context, &def, &s));
	assert_null(s);
	const char *number = strstr(enm_last_error(), "least is ");
	assert_non_null(number);
	def.device_bytes_max = strtoull(number + strlen("least is "), NULL, 10);
	s = scan_session(&def); /* the stated least bound is enough */
	enm_session_stats stats;
	bool full = false;
	for (int i = 0; i < 8; i++) {
		const enm_frame frame = scan_frame(i);
		const enm_result result = enm_session_push(s, &frame, NULL);
		assert_true(result == ENM_OK || result == ENM_FULL);
		full = full || result == ENM_FULL;
	}
	WANT(ENM_OK, enm_session_flush(s));
	assert_true(full);
	enm_report report;
	for (int i = 0; i < 8; i++)
		WANT(ENM_OK, enm_session_next_report(s, &report));
	assert_true(report.full);
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.blocks_used, stats.blocks_capacity);
	assert_true(stats.device_bytes_peak <= def.device_bytes_max);
	outcome o = {0};
	outcome_mesh(s, &o);
	enm_mesh_data m;
	WANT(ENM_OK, enm_mesh_get(o.mesh, &m));
	assert_true(m.triangle_count > 10000);
	outcome_drop(&o);
	enm_session_destroy(&s);
}

static void session_outlives_its_context(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	enm_context *context = NULL;
	enm_session *s = NULL;
	def.device_name = getenv("ENAMEL_TEST_DEVICE");
	WANT(ENM_OK, enm_context_create(&def, &context));
	WANT(ENM_OK, enm_session_create(context, &the_scan.def, &s));
	enm_context_destroy(&context);
	assert_null(context);
	const enm_frame frame = scan_frame(0);
	assert_true(scan_push(s, &frame).fused);
	enm_session_destroy(&s);
	enm_session_destroy(&s);
	enm_session_destroy(NULL);
}

SCAN_TEST_MAIN(cmocka_unit_test(scan_is_tracked_and_true),
	cmocka_unit_test(same_bits_whoever_pushes_and_whatever_else_runs), cmocka_unit_test(reset_starts_anew),
	cmocka_unit_test(looking_does_not_change_the_scan), cmocka_unit_test(formats_and_strides_agree),
	cmocka_unit_test(bad_frame_is_not_fused_and_the_next_is_tracked),
	cmocka_unit_test(scan_starts_with_the_first_good_frame),
	cmocka_unit_test(reports_come_in_order_and_frames_allocate_nothing),
	cmocka_unit_test(memory_bound_keeps_the_model), cmocka_unit_test(session_outlives_its_context))
