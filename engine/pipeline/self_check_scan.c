/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/self_check_scan.h"

#include <math.h>
#include <stdlib.h>

#include "core/error.h"

#define WIDTH 64
#define HEIGHT 48
#define FRAMES 6
#define STEP_MM 0.15
/* Found on PoCL: 3 um and 2 um; a broken kernel is off by far more. */
#define POSE_LIMIT_MM 0.02
#define SURFACE_LIMIT_MM 0.015
#define TRIANGLES_MIN 1000

static double surface_z_mm(double x, double y)
{
	return 14.0 + 0.8 * sin(0.9 * x) * cos(0.7 * y) + 0.1 * sin(2.1 * y);
}

/* Depth by fixed-point iteration along each pixel's ray, for a camera moved along x. */
static void draw_depth(const enm_camera *c, double moved_mm, float out_mm[WIDTH * HEIGHT])
{
	for (int v = 0; v < HEIGHT; v++) {
		for (int u = 0; u < WIDTH; u++) {
			double z = 14.0;
			for (int i = 0; i < 60; i++)
				z += 0.5 *
				     (surface_z_mm(z * (u - c->cx) / c->fx + moved_mm, z * (v - c->cy) / c->fy) - z);
			out_mm[v * WIDTH + u] = (float)z;
		}
	}
}

static enm_result push_frames(enm_session *session, const enm_camera *camera)
{
	enm_result result = ENM_OK;
	for (int i = 0; i < FRAMES && result >= 0; i++) {
		float depth_mm[WIDTH * HEIGHT];
		draw_depth(camera, STEP_MM * i, depth_mm);
		const enm_frame frame = {
			.depth = depth_mm, .depth_format = ENM_DEPTH_F32_MM, .time_ns = i * INT64_C(33333333)};
		result = enm_session_push(session, &frame, NULL);
	}
	return result < 0 ? result : enm_session_flush(session);
}

/* ENM_OK with `passed` false and a text for a wrong answer. */
static enm_result check_poses(enm_session *session, bool *passed)
{
	for (int i = 0; i < FRAMES; i++) {
		enm_report report;
		enm_result result = enm_session_next_report(session, &report);
		if (result != ENM_OK)
			return result < 0 ? result : error_set(ENM_E_DEVICE, "self-check: frame %d has no report", i);
		const double *t = report.world_from_camera.t_mm;
		const double off_mm = sqrt(pow(t[0] - STEP_MM * i, 2) + t[1] * t[1] + t[2] * t[2]);
		if (report.verdict != ENM_VERDICT_TRACKED || !(off_mm < POSE_LIMIT_MM)) {
			*passed = false;
			error_set(ENM_OK, "self-check: frame %d of the made-up scan: verdict %d (%s), %.4f mm off", i,
				(int)report.verdict, enm_reason_text(report.reason), off_mm);
			return ENM_OK;
		}
	}
	return ENM_OK;
}

static enm_result check_mesh(enm_session *session, bool *passed)
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data = {0};
	enm_result result = enm_session_mesh(session, &def, &mesh);
	if (result >= 0)
		result = enm_mesh_get(mesh, &data);
	double sum_mm = 0.0;
	for (size_t i = 0; i < data.vertex_count; i++) {
		const float *p = data.positions_mm + 3 * i;
		sum_mm += fabs((double)p[2] - surface_z_mm((double)p[0], (double)p[1]));
	}
	const double mean_mm = data.vertex_count > 0 ? sum_mm / (double)data.vertex_count : 0.0;
	if (result >= 0 && (data.triangle_count < TRIANGLES_MIN || !(mean_mm < SURFACE_LIMIT_MM))) {
		*passed = false;
		error_set(ENM_OK, "self-check: the made-up scan's mesh has %zu triangles and is %.4f mm off on average",
			data.triangle_count, mean_mm);
	}
	enm_mesh_destroy(&mesh);
	return result < 0 ? result : ENM_OK;
}

/* Most of a picture from the first camera's place must show the model. */
static enm_result check_picture(enm_session *session, const enm_camera *camera, bool *passed)
{
	static const size_t bytes = (size_t)WIDTH * HEIGHT * 4;
	enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	view.focal_pixels = camera->fx;
	uint8_t *rgba = malloc(bytes);
	if (rgba == NULL)
		return error_set(ENM_E_MEMORY, "self-check: no host memory");
	enm_result result = enm_session_render(session, &view, rgba, bytes);
	size_t shown = 0;
	for (size_t i = 3; result == ENM_OK && i < bytes; i += 4)
		shown += rgba[i] == 255;
	free(rgba);
	if (result == ENM_OK && shown < (size_t)WIDTH * HEIGHT / 2) {
		*passed = false;
		error_set(ENM_OK, "self-check: the picture of the made-up scan shows %zu of %d pixels", shown,
			WIDTH * HEIGHT);
	}
	return result;
}

enm_result self_check_scan(enm_context *context, bool *out_passed)
{
	const enm_camera camera = {.width = WIDTH, .height = HEIGHT, .fx = 60.0, .fy = 60.0, .cx = 31.5, .cy = 23.5};
	enm_session_def def = enm_session_def_default(&camera, ENM_SCALE_TOOTH);
	def.voxel_mm = 0.2; /* a pixel sees 0.23 mm */
	def.truncation_mm = 0.8;
	bool passed = true;
	enm_session *session = NULL;
	enm_result result = enm_session_create(context, &def, &session);
	if (result == ENM_OK)
		result = push_frames(session, &camera);
	if (result == ENM_OK)
		result = check_poses(session, &passed);
	if (result == ENM_OK && passed)
		result = check_mesh(session, &passed);
	if (result == ENM_OK && passed)
		result = check_picture(session, &camera, &passed);
	enm_session_destroy(&session);
	*out_passed = result == ENM_OK && passed;
	return result;
}
