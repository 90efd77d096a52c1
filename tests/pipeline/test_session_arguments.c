/* SPDX-License-Identifier: Apache-2.0
 * Every bad argument of every call: an ENM_E_ARGUMENT with a text, zeroed outputs, and objects that still work. */
#include "scan.h"

#include <math.h>

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
								X(tracker, (enm_tracker)9) X(cookie, 0)

static void session_definitions(void **state)
{
	(void)state;
	enm_session *s = NULL;
	enm_session_def def;
#define TRY(field, value)                                                                                              \
	def = the_scan.def;                                                                                            \
	def.field = (value);                                                                                           \
	BAD(enm_session_create(the_context, &def, &s));                                                                \
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
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_format = (enm_depth_format)5;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_stride_bytes = 2 * SCAN_WIDTH - 1;
	BAD(enm_session_push(s, &frame, NULL));
	frame.depth_stride_bytes = 1;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.depth_format = ENM_DEPTH_F32_MM;
	frame.depth_stride_bytes = 4 * SCAN_WIDTH - 4;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(1);
	frame.color_stride_bytes = 3 * SCAN_WIDTH - 1;
	BAD(enm_session_push(s, &frame, NULL));
	frame = scan_frame(0); /* the same time again, and an earlier one */
	BAD(enm_session_push(s, &frame, NULL));
	frame.time_ns = -1;
	BAD(enm_session_push(s, &frame, NULL));
	frame.time_ns = INT64_MIN;
	BAD(enm_session_push(s, &frame, NULL));
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_pushed, 1);
	assert_works(s, 1);
	enm_session_destroy(&s);
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
	TRY(shade, (enm_shade)4)
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
	assert_string_equal(enm_stage_name(ENM_STAGE_FUSE), "fuse");
}

SCAN_TEST_MAIN(cmocka_unit_test(context_arguments), cmocka_unit_test(session_definitions), cmocka_unit_test(frames),
	cmocka_unit_test(calls_on_a_session), cmocka_unit_test(pictures), cmocka_unit_test(meshes),
	cmocka_unit_test(names_are_never_null))
