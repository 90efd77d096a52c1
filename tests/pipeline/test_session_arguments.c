/* SPDX-License-Identifier: Apache-2.0
 * Every bad argument of every call: an ENM_E_ARGUMENT with a text, zeroed outputs, and objects that still work. */
#include "scan.h"

#include <math.h>
#include <stdio.h>

/* A bad argument, and a text that says something. */
#define BAD(call) bad((call), #call, __FILE__, __LINE__)
static void bad(enm_result result, const char *call, const char *file, int line)
{
	scan_want(ENM_E_ARGUMENT, result, call, file, line);
	if (enm_last_error()[0] == '\0' || strchr(enm_last_error(), '\n') != NULL) {
		print_error("%s: text is \"%s\"\n", call, enm_last_error());
		_fail(file, line);
	}
}

/* And one that names what is bad. */
#define BAD_NAMED(named, call) bad_named((named), (call), #call, __FILE__, __LINE__)
static void bad_named(const char *named, enm_result result, const char *call, const char *file, int line)
{
	bad(result, call, file, line);
	if (strstr(enm_last_error(), named) == NULL) {
		print_error("%s: \"%s\" does not name %s\n", call, enm_last_error(), named);
		_fail(file, line);
	}
}

/* The part of a definition that the text has to name: one that is judged as a whole goes by its own name. */
static const char *name_of(const char *field)
{
	static const char *const wholes[][2] = {{"camera.width", "camera: size"}, {"camera.height", "camera: size"},
		{"start_world_from_camera", "start_world_from_camera"}, {"cookie", "session definition"},
		{"depth_min_mm, 100", "depth_max_mm"}};
	for (size_t i = 0; i < sizeof(wholes) / sizeof(*wholes); i++)
		if (strncmp(field, wholes[i][0], strlen(wholes[i][0])) == 0)
			return wholes[i][1];
	static char name[64];
	snprintf(name, sizeof(name), "%.*s: ", (int)strcspn(field, ","), field);
	return name;
}

/* After all that was tried: a frame still comes through. */
static void assert_works(enm_session *s, int index)
{
	const enm_frame frame = scan_frame(index);
	assert_int_equal(scan_push(s, &frame).verdict, ENM_VERDICT_TRACKED);
}

static void context_arguments(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	enm_context *context = the_context;
	enm_device_info info;
	enm_context_stats stats;
	size_t count = 7;
	bool passed = true;
	BAD(enm_devices(NULL, 0, NULL));
	BAD(enm_devices(NULL, 3, &count));
	assert_int_equal(count, 0);
	BAD(enm_context_create(&def, NULL));
	BAD(enm_context_create(NULL, &context));
	assert_null(context);
	def.cookie++;
	BAD(enm_context_create(&def, &context));
	def = enm_context_def_default();
	def.device_kind = (enm_device_kind)77;
	BAD(enm_context_create(&def, &context));
	def = enm_context_def_default();
	def.device_index = -2;
	BAD(enm_context_create(&def, &context));
	def = enm_context_def_default();
	def.log_level = (enm_log_level)9;
	BAD(enm_context_create(&def, &context));
	BAD(enm_context_device(NULL, &info));
	BAD(enm_context_device(the_context, NULL));
	BAD(enm_context_get_stats(NULL, &stats));
	BAD(enm_context_get_stats(the_context, NULL));
	BAD(enm_context_self_check(NULL, &passed));
	assert_false(passed);
	BAD(enm_context_self_check(the_context, NULL));
	def = enm_context_def_default();
	def.device_index = 10000;
	WANT(ENM_E_NO_DEVICE, enm_context_create(&def, &context));
	def = enm_context_def_default();
	def.device_name = "no such device anywhere";
	WANT(ENM_E_NO_DEVICE, enm_context_create(&def, &context));
	enm_context_destroy(&context);
	enm_context_destroy(NULL);
}

#define NUMBERS(X)                                                                                                     \
	X(camera.fx, NAN)                                                                                              \
	X(camera.fx, 0) X(camera.fx, -300) X(camera.fx, INFINITY) X(camera.fy, NAN) X(camera.fy, 0) X(camera.cx,       \
		NAN) X(camera.cx, 1e6) X(camera.cy, -1e6) X(camera.distortion[0], NAN) X(camera.distortion[4],         \
		INFINITY) X(camera.width, 0) X(camera.width, 15) X(camera.width, 4097) X(camera.height,                \
		0) X(camera.height, 100000) X(camera.residual.bow_um, NAN) X(camera.residual.constant_um,              \
		1e9f) X(camera.residual.twist_um, INFINITY) X(depth_mm_per_unit, 0) X(depth_mm_per_unit, -1)           \
		X(depth_mm_per_unit, NAN) X(depth_min_mm, 0) X(depth_min_mm, NAN) X(depth_min_mm, 100) X(depth_max_mm, \
			NAN) X(depth_max_mm, 1) X(depth_max_mm, INFINITY) X(depth_sigma_mm, 0) X(depth_sigma_mm, NAN)  \
			X(depth_sigma_at_mm, 0) X(depth_sigma_at_mm, NAN) X(voxel_mm, 0) X(voxel_mm, -0.1) X(          \
				voxel_mm, NAN) X(voxel_mm, INFINITY) X(truncation_mm, 0) X(truncation_mm, 0.1)         \
				X(truncation_mm, 2.0) X(truncation_mm, NAN) X(start_world_from_camera.t_mm[1], NAN)    \
					X(start_world_from_camera.t_mm[2], INFINITY)                                   \
						X(start_world_from_camera.q_xyzw[3], NAN)                              \
							X(start_world_from_camera.q_xyzw[3], 2)                        \
								X(tracker, (enm_tracker)9) X(cookie, 0)                \
									X(row_time_s, -1e-9) X(row_time_s, NAN)        \
										X(row_time_s, INFINITY)                \
											X(row_time_s, 0.1001 / SCAN_HEIGHT)

static void session_definitions(void **state)
{
	(void)state;
	enm_session *s = NULL;
	enm_session_def def;
#define TRY(field, value)                                                                                              \
	def = the_scan.def;                                                                                            \
	def.field = (value);                                                                                           \
	BAD_NAMED(name_of(#field ", " #value), enm_session_create(the_context, &def, &s));                             \
	assert_null(s);
	NUMBERS(TRY)
#undef TRY
	BAD(enm_session_create(NULL, &the_scan.def, &s));
	BAD(enm_session_create(the_context, NULL, &s));
	BAD(enm_session_create(the_context, &the_scan.def, NULL));
}

static void frames(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_frame frame = scan_frame(0);
	uint64_t id = 5;
	assert_works(s, 0);
	BAD(enm_session_push(NULL, &frame, &id));
	BAD(enm_session_push(s, NULL, &id));
	assert_int_equal(id, 0);
	frame = scan_frame(1);
	frame.depth = NULL;
	BAD_NAMED("depth", enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_format = (enm_depth_format)5;
	BAD_NAMED("depth_format", enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_stride_bytes = 2 * SCAN_WIDTH - 1;
	BAD_NAMED("depth_stride_bytes", enm_session_push(s, &frame, NULL));
	frame.depth_stride_bytes = 1;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_format = ENM_DEPTH_F32_MM;
	frame.depth_stride_bytes = 4 * SCAN_WIDTH - 4;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.color_stride_bytes = 3 * SCAN_WIDTH - 1;
	BAD_NAMED("color_stride_bytes", enm_session_push(s, &frame, NULL));
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_pushed, 1);
	assert_works(s, 1);
	enm_session_destroy(&s);
}

static bool all_finite(const enm_report *r)
{
	double sum = 0.0;
	for (int i = 0; i < 36; i++)
		sum += fabs((double)r->covariance[i]);
	for (int i = 0; i < 3; i++)
		sum += fabs(r->world_from_camera.t_mm[i]) + fabs((double)r->velocity_turn[i]) + fabs((double)r->velocity_move[i]) +
		       fabs((double)r->held_turn[i]) + fabs((double)r->held_move[i]);
	for (int i = 0; i < 4; i++)
		sum += fabs(r->world_from_camera.q_xyzw[i]);
	return isfinite(sum) && isfinite(r->rms_mm) && isfinite(r->overlap) && isfinite(r->least_eigenvalue);
}

/* The same time again, earlier ones, and what lies beyond zero: the text tells both times. */
static void times(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_frame frame = scan_frame(0);
	/* a clock may begin anywhere, and run through zero */
	const int64_t good[] = {INT64_MIN, INT64_MIN + 1, -SCAN_PERIOD_NS, -1, 0, 1, SCAN_PERIOD_NS, INT64_MAX - 1, INT64_MAX};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char wanted[100];
		frame.time_ns = good[i];
		const enm_report r = scan_push(s, &frame);
		assert_int_equal(r.time_ns, good[i]);
		assert_true(all_finite(&r)); /* the verdict is another matter: who knows what a hand does in 300 years */
		for (size_t k = 0; k <= i; k++) { /* and none of those before comes again */
			frame.time_ns = good[k];
			snprintf(wanted, sizeof(wanted), "time_ns: %lld is not after the previous frame's %lld", (long long)good[k],
				(long long)good[i]);
			BAD_NAMED(wanted, enm_session_push(s, &frame, NULL));
		}
	}
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_pushed, sizeof(good) / sizeof(*good));
	WANT(ENM_OK, enm_session_reset(s)); /* which forgets the time, too */
	assert_works(s, 0);
	enm_session_destroy(&s);
}

/* At the limits of what is taken. */
static void row_times(void **state)
{
	(void)state;
	const double good[] = {0.0, -0.0, 5e-324, 1e-9, 0.1 / SCAN_HEIGHT};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		enm_session_def def = the_scan.def;
		def.row_time_s = good[i];
		enm_session *s = scan_session(&def);
		assert_works(s, 0);
		enm_session_destroy(&s);
	}
}

/* A motion with an information matrix of ones on the diagonal. */
static enm_motion good_motion(void)
{
	enm_motion m = {.turn_rad = {0.001, 0, 0}};
	for (int i = 0; i < 6; i++)
		m.information[7 * i] = 1.0;
	return m;
}

static void bad_motion(enm_session *s, const enm_motion *motion, const char *named)
{
	enm_frame frame = scan_frame(1);
	frame.motion = motion;
	BAD_NAMED(named, enm_session_push(s, &frame, NULL));
}

static void motions(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	const double numbers[] = {NAN, INFINITY, -INFINITY, 1e300};
	enm_motion m;
	assert_works(s, 0);
	for (int k = 0; k < 4; k++) {
		for (int i = 0; i < 3; i++) {
			m = good_motion();
			m.turn_rad[i] = numbers[k];
			bad_motion(s, &m, "motion.turn_rad");
			m = good_motion();
			m.move_mm[i] = numbers[k];
			bad_motion(s, &m, "motion.move_mm");
		}
		for (int i = 0; i < 36; i++) {
			m = good_motion();
			m.information[i] = numbers[k];
			bad_motion(s, &m, "motion.information");
		}
	}
	m = good_motion();
	m.turn_rad[2] = -3.21; /* more than half a turn */
	bad_motion(s, &m, "motion.turn_rad[2]");
	m = good_motion();
	m.information[1] = 0.5; /* not symmetric */
	bad_motion(s, &m, "symmetric");
	m = good_motion();
	m.information[14] = -1e-3; /* negative on the diagonal */
	bad_motion(s, &m, "not negative");
	m = good_motion();
	m.information[1] = m.information[6] = 1.1; /* negative along (1, -1) */
	bad_motion(s, &m, "not negative");
	m = (enm_motion){.information = {[3] = 1, [18] = 1}}; /* off the diagonal alone */
	bad_motion(s, &m, "not negative");
	m = (enm_motion){.information = {[35] = -1}};
	bad_motion(s, &m, "not negative");
	assert_works(s, 1);
	/* at the limits, and of little rank: nothing known, one direction known, two known to be equal */
	static const enm_motion nothing = {.turn_rad = {3.2, -3.2, 3.2}, .move_mm = {1e6, -1e6, 1e6}};
	enm_frame frame = scan_frame(2);
	frame.motion = &nothing;
	assert_int_equal(scan_push(s, &frame).verdict, ENM_VERDICT_TRACKED);
	m = (enm_motion){.information = {[21] = 1e-6, [22] = -1e-6, [27] = -1e-6, [28] = 1e-6}};
	frame = scan_frame(3);
	frame.motion = &m;
	assert_int_equal(scan_push(s, &frame).verdict, ENM_VERDICT_TRACKED);
	enm_session_destroy(&s);
}

/* The surest motion that is taken, of the farthest: whatever becomes of the frame, no number of the reports is spoilt, and a reset
 * leaves nothing of it. */
static void sure_motions_that_are_wrong(void **state)
{
	(void)state;
	const double sure[] = {1e15, 1e6, 1e-15};
	for (int k = 0; k < 3; k++) {
		enm_session *s = scan_session(&the_scan.def);
		enm_motion m = {.turn_rad = {3.2, -3.2, 3.2}, .move_mm = {1e6, -1e6, 1e6}};
		for (int i = 0; i < 6; i++)
			m.information[7 * i] = sure[k];
		assert_works(s, 0);
		for (int i = 1; i < 6; i++) {
			enm_frame frame = scan_frame(i);
			frame.motion = i == 2 ? &m : NULL;
			const enm_report r = scan_push(s, &frame);
			if (!all_finite(&r))
				fail_msg("information %g: a number of frame %d is spoilt", sure[k], i);
		}
		WANT(ENM_OK, enm_session_reset(s));
		assert_works(s, 0);
		assert_works(s, 1);
		enm_session_destroy(&s);
	}
}

/* Matrices of any rank that are sums of squares are taken, however the sums were rounded. */
static void motions_of_any_rank(void **state)
{
	(void)state;
	uint64_t random = 5;
	enm_session *s = scan_session(&the_scan.def);
	for (int n = 0; n < 300; n++) {
		enm_motion m = {{0}, {0}, {0}};
		const double scale = pow(10.0, n % 9 - 4.0);
		for (int row = 0; row < 1 + n % 7; row++) {
			double j[6];
			for (int a = 0; a < 6; a++) {
				random = random * 6364136223846793005u + 1442695040888963407u;
				j[a] = scale * ((double)(random >> 33) / 2147483648.0 - 0.5) * (a < 3 ? 100.0 : 1.0);
			}
			for (int a = 0; a < 6; a++)
				for (int b = 0; b < 6; b++)
					m.information[6 * a + b] += j[a] * j[b];
		}
		enm_frame frame = scan_frame(0);
		frame.motion = &m;
		frame.time_ns = n;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_flush(s));
	enm_session_destroy(&s);
}

static void report_texts(void **state)
{
	(void)state;
	char text[200];
	enm_report r;
	memset(&r, 0, sizeof(r));
	enm_report_text(NULL, NULL, 10);
	enm_report_text(&r, NULL, 10);
	enm_report_text(&r, text, sizeof(text));
	assert_string_equal(text, "tracked");
	memset(text, 'x', sizeof(text));
	enm_report_text(&r, text, 0);
	assert_int_equal(text[0], 'x');
	enm_report_text(NULL, text, 5);
	assert_string_equal(text, "");
	r.verdict = ENM_VERDICT_WEAK;
	r.reason = ENM_REASON_DEGENERATE;
	r.held = 2;
	r.held_move[1] = -1.0f;
	enm_report_text(&r, text, sizeof(text));
	assert_string_equal(text, "weak: the surface does not fix the pose (the position along the view's y is not determined)");
	for (size_t capacity = 1; capacity < 100; capacity++) {
		char cut[120];
		memset(cut, 'x', sizeof(cut));
		enm_report_text(&r, cut, capacity);
		assert_int_equal(strlen(cut), strlen(text) < capacity ? strlen(text) : capacity - 1);
		assert_memory_equal(cut, text, strlen(cut));
		assert_int_equal(cut[capacity], 'x');
	}
	r.held_turn[2] = 0.5f;
	enm_report_text(&r, text, sizeof(text));
	assert_non_null(strstr(text, "the turn about the line of sight"));
	r.held_turn[2] = NAN;
	enm_report_text(&r, text, sizeof(text)); /* says something */
	r.verdict = (enm_verdict)-1;
	r.reason = (enm_reason)99;
	r.held = 0;
	enm_report_text(&r, text, sizeof(text));
	assert_string_equal(text, "unknown verdict: unknown reason");
}

static void calls_on_a_session(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_report report;
	enm_session_stats stats;
	double low[3], high[3];
	BAD(enm_session_reset(NULL));
	BAD(enm_session_flush(NULL));
	BAD(enm_session_finish(NULL));
	BAD(enm_session_next_report(NULL, &report));
	BAD(enm_session_next_report(s, NULL));
	BAD(enm_session_get_stats(NULL, &stats));
	BAD(enm_session_get_stats(s, NULL));
	BAD(enm_session_bounds(NULL, low, high));
	BAD(enm_session_bounds(s, NULL, high));
	BAD(enm_session_bounds(s, low, NULL));
	assert_works(s, 0);
	enm_session_destroy(&s);
}

static void pictures(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	uint8_t rgba[8 * 4 * 4];
	enm_view_def good = enm_view_def_default(8, 4), def;
	BAD(enm_session_render(NULL, &good, rgba, sizeof(rgba)));
	BAD(enm_session_render(s, NULL, rgba, sizeof(rgba)));
	BAD(enm_session_render(s, &good, NULL, sizeof(rgba)));
	BAD(enm_session_render(s, &good, rgba, sizeof(rgba) - 1));
#define TRY(field, value)                                                                                              \
	def = good;                                                                                                    \
	def.field = (value);                                                                                           \
	BAD(enm_session_render(s, &def, rgba, sizeof(rgba)));
	TRY(cookie, 1)
	TRY(width, 0)
	TRY(height, 8193)
	TRY(focal_pixels, 0)
	TRY(focal_pixels, -1)
	TRY(focal_pixels, NAN)
	TRY(shade, (enm_shade)8)
	TRY(world_from_eye.t_mm[0], NAN)
	TRY(world_from_eye.q_xyzw[0], 1)
#undef TRY
	WANT(ENM_OK, enm_session_render(s, &good, rgba, sizeof(rgba)));
	assert_works(s, 0);
	enm_session_destroy(&s);
}

static void meshes(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data;
	BAD(enm_session_mesh(s, &def, NULL));
	BAD(enm_session_mesh(NULL, &def, &mesh));
	BAD(enm_session_mesh(s, NULL, &mesh));
	def.views_min = 0;
	BAD(enm_session_mesh(s, &def, &mesh));
	def.views_min = 256;
	BAD(enm_session_mesh(s, &def, &mesh));
	def = enm_mesh_def_default();
	def.cookie ^= 1;
	BAD(enm_session_mesh(s, &def, &mesh));
	assert_null(mesh);
	BAD(enm_mesh_get(NULL, &data));
	BAD(enm_mesh_save(NULL, "x.ply", 1.0));
	BAD(enm_mesh_load(NULL, 1.0, &mesh));
	BAD(enm_mesh_load("x.ply", 1.0, NULL));
	const float positions[9] = {0, 0, 0, 1, 0, 0, 0, 1, 0};
	const uint32_t triangle[3] = {0, 1, 2}, beyond[3] = {0, 1, 3};
	const enm_mesh_data good = {
		.vertex_count = 3, .triangle_count = 1, .positions_mm = positions, .triangles = triangle};
	enm_mesh_data spoilt = good;
	spoilt.triangles = beyond;
	BAD(enm_mesh_create(&spoilt, &mesh));
	BAD(enm_mesh_create(NULL, &mesh));
	BAD(enm_mesh_create(&good, NULL));
	WANT(ENM_OK, enm_mesh_create(&good, &mesh));
	BAD(enm_mesh_save(mesh, NULL, 1.0));
	BAD(enm_mesh_save(mesh, "x.ply", 0.0));
	BAD(enm_mesh_save(mesh, "x.ply", NAN));
	BAD(enm_mesh_save(mesh, "x.doc", 1.0));
	BAD(enm_mesh_get(mesh, NULL));
	enm_mesh_destroy(&mesh);
	enm_mesh_destroy(&mesh);
	enm_mesh_destroy(NULL);
	assert_works(s, 0);
	enm_session_destroy(&s);
}

static void names_are_never_null(void **state)
{
	(void)state;
	for (int i = -20; i < 20; i++) {
		assert_non_null(enm_result_name((enm_result)i));
		assert_non_null(enm_reason_text((enm_reason)i));
		assert_non_null(enm_stage_name((enm_stage)i));
	}
	assert_string_equal(enm_result_name(ENM_FULL), "ENM_FULL");
	assert_string_equal(enm_result_name(ENM_CANCELLED), "ENM_CANCELLED");
	assert_string_equal(enm_stage_name(ENM_STAGE_FUSE), "fuse");
}

SCAN_TEST_MAIN(cmocka_unit_test(context_arguments), cmocka_unit_test(session_definitions), cmocka_unit_test(frames),
	cmocka_unit_test(calls_on_a_session), cmocka_unit_test(pictures), cmocka_unit_test(meshes),
	cmocka_unit_test(names_are_never_null), cmocka_unit_test(times), cmocka_unit_test(row_times), cmocka_unit_test(motions),
	cmocka_unit_test(sure_motions_that_are_wrong), cmocka_unit_test(motions_of_any_rank), cmocka_unit_test(report_texts))
